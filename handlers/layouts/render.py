"""An answer as a Discord message; pure, and within Discord's limits whatever a story holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord

from data.models import Attribution, Filters, Revision
from data.origins import Origin
from data.urls import passage_url
from handlers.console import independence, sureness
from handlers.layouts.layout import (
    MAX_TEXT,
    Action,
    Item,
    Layout,
    button,
    line,
    panel,
    parse_custom_id,
    row,
    section,
    text,
)
from handlers.layouts.markdown import escaped, one_line, quoted, size, unescaped, when
from index.models import Answer, Citation, Reason

ANSWER_COLOUR = discord.Colour(0x3B7A57)
REFUSAL_COLOUR = discord.Colour(0x8A8D91)
MAX_QUESTION = 500  # characters of a question in Discord: it stands in the message with its answer
MAX_SOURCE = 100
# Characters that stay free for a word on each quote, should its story change (marks.py).
MARK_ROOM = 120
_MAX_TITLE = 150
_MAX_LINK = 700
_MAX_CARRIERS = 4
CARRIED = "-# also carried by "
_LIST_TITLE, _LIST_NAME = 90, 40  # in lists, which have to fit a message
_QUESTION_MARK = "### "
_REASONS = {
    Reason.EMPTY_COLLECTION: "There are no stories here yet, so there is nothing to quote.",
    Reason.NO_PASSAGE: "Nothing in the stories here is about that.",
    Reason.LOW_CONFIDENCE: "Nothing in the stories here answers that well enough to quote.",
    Reason.FILTERED_OUT: "No story here passes these filters.",
}
_FIRST_STORY = (
    "Whoever may manage messages here can add the first one: with `/article add`, or in the menu "
    "of a message under Apps → **Add story**."
)
_NO_SERVER = (
    "Stories belong to servers. Use `/dm` in a server where I am, and I read its stories here too."
)
# Filter -> what stands before and behind its value in the message.
_FILTER_WORDS = {
    "source": ("Only stories published by **", "**"),
    "after": ("Only stories from **", "** on"),
    "before": ("Only stories up to **", "**"),
    "article": ("Only the story **", "**"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer with what its message needs beside it.

    `origins` are those of the stories that are quoted, by story id. `private` is seen by the asker
    alone; `in_server` tells that stories can be added, `threads` that one can be opened here.
    """

    answer: Answer
    answer_id: str
    origins: Mapping[str, Origin] = field(default_factory=dict)
    sources: Sequence[str] = ()
    private: bool = False
    in_server: bool = False
    threads: bool = False


def answer_layout(shown: Shown) -> Layout:
    """Return the message for an answer or a refusal, with its buttons."""
    answer = shown.answer
    top: list[Item] = [text(f"{_QUESTION_MARK}{escaped(answer.question)}")]
    filters = _filter_sections(answer.filters, shown.answer_id)
    if answer.reason is not None:
        return _refusal(shown, top, filters)
    last = text(
        f"-# I am {sureness(answer.confidence)} that this answers the question."
        f"{independence(answer)}"
    )
    room = MAX_TEXT - sum(length(item) for item in (*top, *filters, last))
    quotes: list[Item] = []
    for citation in answer.citations:
        origin = shown.origins.get(citation.revision.article_id)
        quote = citation_section(citation, origin, shown.answer_id)
        room -= length(quote) + MARK_ROOM
        if room < 0 and quotes:
            break  # the rest is behind the button for more quotes
        quotes.append(quote)
    return Layout(
        panel(*top, *quotes, *filters, last, colour=ANSWER_COLOUR),
        *_answer_buttons(shown),
    )


def citation_section(
    citation: Citation, origin: Origin | None, answer_id: str
) -> discord.ui.Section[Any]:
    """Return a numbered quote as a block, under it whose it is, beside it the way to its context.

    Two texts, so that nothing can take the attribution for a part of the quote.
    """
    revision = citation.revision
    number = f"**{citation.number}.**"
    if citation.speaker is not None:
        role = f", {one_line(citation.speaker.role, 80)}" if citation.speaker.role else ""
        number += f" said {one_line(citation.speaker.name, 80)}{role}"
    quote = quoted(
        citation.quote,
        citation.highlight_in_quote,
        before=citation.cut_before,
        after=citation.cut_after,
    )
    carried = carried_line(citation.carried_by)
    return section(
        f"{number}\n{quote}",
        attribution_text(revision, citation.quote, origin) + (f"\n{carried}" if carried else ""),
        beside=button("Context", Action.CONTEXT, answer_id, citation.number),
    )


def attribution_text(revision: Revision, passage: str, origin: Origin | None) -> str:
    """Return who published a story, who wrote it, when, its title, and a link to the passage."""
    attribution = revision.attribution
    url, label = attribution.url, "Read it there"
    link = passage_url(url, passage, limit=_MAX_LINK) if url else None
    if link is None and origin is not None and origin.link:
        link, label = origin.link, "See the message it came with"
    where = f"[{label}]({link})" if link else f"story `{revision.article_id}`"
    title = one_line(attribution.title, _MAX_TITLE)
    return f"{byline(attribution)}\n-# “{title}” · {where}"


def carried_line(others: Sequence[Attribution]) -> str:
    """Return who else carries a quote, escaped, or nothing where nobody is known to."""
    names = [one_line(a.source or "", _LIST_NAME) for a in others]
    if not names:
        return ""
    more = f" and {len(names) - _MAX_CARRIERS} more" if len(names) > _MAX_CARRIERS else ""
    return f"{CARRIED}{', '.join(names[:_MAX_CARRIERS])}{more}"


def byline(attribution: Attribution, limit: int = MAX_SOURCE, *, bold: bool = True) -> str:
    """Return `publisher · author · date`; an unknown author is left out, the rest is said."""
    source = one_line(attribution.source or "", limit) or "publisher unknown"
    author = one_line(attribution.author or "", limit)
    publisher = f"**{source}**" if bold else source
    parts = (publisher, author, when(attribution.published_at))
    return " · ".join(part for part in parts if part)


def story_line(attribution: Attribution, article_id: str) -> str:
    """Return a story in one entry of a list: title, byline, id."""
    title = one_line(attribution.title, _LIST_TITLE)
    return f"**“{title}”**\n-# {byline(attribution, _LIST_NAME, bold=False)} · `{article_id}`"


def question_of(message: discord.Message) -> str | None:
    """Return the question that stands in an answer's message, or None where there is none."""
    for content in _texts(message.components):
        if content.startswith(_QUESTION_MARK):
            return unescaped(content.removeprefix(_QUESTION_MARK))
    return None


def filters_of(message: discord.Message) -> Filters:
    """Return the filters that stand in an answer's message."""
    found: dict[str, str] = {}
    for content in _texts(message.components):
        for name, (before, behind) in _FILTER_WORDS.items():
            if content.startswith(before) and content.endswith(behind):
                found[name] = unescaped(content.removeprefix(before).removesuffix(behind))
    return Filters(**found)


def shown_numbers(message: discord.Message | None) -> set[int]:
    """Return the numbers of the quotes in a message: where room was short, not all of them."""
    ids = _custom_ids(message.components) if message is not None else []
    buttons = [parse_custom_id(custom_id) for custom_id in ids]
    return {b.number(1) for b in buttons if b is not None and b.action is Action.CONTEXT}


def _custom_ids(components: Sequence[object]) -> list[str]:
    """Return the ids of the buttons beside texts, in order."""
    found: list[str] = []
    for component in components:
        beside = getattr(getattr(component, "accessory", None), "custom_id", None)
        found += [beside] if beside else []
        found += _custom_ids(getattr(component, "children", ()))
    return found


def _texts(components: Sequence[object]) -> list[str]:
    """Return the contents of all text displays, in order."""
    found = []
    for component in components:
        if isinstance(component, discord.TextDisplay):
            found.append(component.content)
        found.extend(_texts(getattr(component, "children", ())))
    return found


def _filter_sections(filters: Filters, answer_id: str) -> list[Item]:
    return [
        section(
            f"{before}{escaped(getattr(filters, name))}{behind}",
            beside=button("Drop", Action.DROP_FILTER, answer_id, name, emoji="✖️"),
        )
        for name, (before, behind) in _FILTER_WORDS.items()
        if getattr(filters, name)
    ]


def _refusal(shown: Shown, top: list[Item], filters: list[Item]) -> Layout:
    answer = shown.answer
    if answer.reason is None:
        raise ValueError("a refusal has a reason")
    items: list[Item] = [*top, text(_REASONS[answer.reason]), *filters]
    if answer.reason is Reason.FILTERED_OUT and answer.filters.source and shown.sources:
        known = ", ".join(one_line(source, 40) for source in shown.sources[:12])
        items.append(text(f"-# Publishers here: {known}"))
    if answer.nearest:
        nearest = "\n".join(story_line(r.attribution, r.article_id) for r in answer.nearest)
        items += [line(), text(f"The nearest stories:\n{nearest}")]
    if answer.newest is not None:
        newest = when(answer.newest.attribution.published_at)
        items.append(text(f"-# The newest story here is of {newest}."))
    if answer.reason is Reason.EMPTY_COLLECTION:
        items.append(text(_FIRST_STORY if shown.in_server else _NO_SERVER))
    return Layout(panel(*items, colour=REFUSAL_COLOUR), *_refusal_buttons(shown))


def _answer_buttons(shown: Shown) -> list[Item]:
    answer_id = shown.answer_id
    first = [
        button("More quotes", Action.MORE, answer_id, style=discord.ButtonStyle.primary),
        button("Ask a follow-up", Action.FOLLOW_UP, answer_id),
    ]
    if shown.threads and not shown.private:
        first.append(button("Open a thread", Action.THREAD, answer_id))
    second = [
        button("Helpful", Action.HELPFUL, answer_id, emoji="👍"),
        button("Not helpful", Action.UNHELPFUL, answer_id, emoji="👎"),
    ]
    if not shown.private:
        second.append(button("Remove", Action.REMOVE_ANSWER, answer_id, emoji="🗑️"))
    return [row(*first), row(*second)]


def _refusal_buttons(shown: Shown) -> list[Item]:
    buttons = [button("Ask again", Action.FOLLOW_UP, shown.answer_id)]
    if shown.in_server:
        buttons.append(button("Add a story", Action.ADD_STORY, emoji="📰"))
    if not shown.private:
        buttons.append(button("Remove", Action.REMOVE_ANSWER, shown.answer_id, emoji="🗑️"))
    return [row(*buttons)]


def length(item: Item) -> int:
    """Return how much of a message's text an item takes up."""
    if isinstance(item, discord.ui.TextDisplay):
        return size(item.content)
    return sum(length(child) for child in getattr(item, "children", ()))
