"""How stories look in Discord: what was added, lists, one story; pure."""

from collections.abc import Sequence

import discord

from data.articles import Saved, SaveStatus
from data.dates import date_in_words
from data.headlines import Headline
from data.models import Attribution, Revision
from data.origins import Origin
from data.urls import page_url
from handlers.console import counted
from handlers.layouts.layout import (
    MAX_TEXT,
    Action,
    Item,
    Layout,
    button,
    line,
    panel,
    row,
    section,
    text,
)
from handlers.layouts.markdown import escaped, one_line, quoted, shortened, size, when
from handlers.layouts.render import byline, length, story_line

STORY_COLOUR = discord.Colour(0x3D5A80)
PAGE_STORIES = 8
PAGE_CHARACTERS = 1500  # of a story's text on one page of /article show
_MAX_PAGE_TEXT = 2400
_MAX_LINK = 500
_MAX_CHOICE = 100
_MAX_REFUSAL = 300
_SEEN_BY_ALL = "⚠️ Not everybody sees this channel, but the whole server can now read quotes."
_DID = {
    SaveStatus.NEW: "Added",
    SaveStatus.CHANGED: "Stored a new version of",
    SaveStatus.SAME: "Nothing changed in",
}


def saved_layout(saved: Saved, user_id: int, notes: Sequence[str], *, seen_by_all: bool) -> Layout:
    """Return what everybody in the channel is told about a story that was added."""
    revision = saved.revision
    attribution = revision.attribution
    items: list[Item] = [
        text(f"{_DID[saved.status]} {story_line(attribution, revision.article_id)}"),
        text(f"-# by <@{user_id}> · {counted(len(revision.text), 'character', 'characters')}"),
    ]
    items += [text(f"⚠️ {escaped(note)}") for note in notes]
    if not seen_by_all:
        items.append(text(_SEEN_BY_ALL))
    if None in (attribution.source, attribution.author, attribution.published_at):
        items.append(text("-# What is not known is shown as unknown. “Edit details” mends that."))
    return Layout(
        panel(*items, colour=STORY_COLOUR),
        row(
            button("Show", Action.SHOW_STORY, revision.article_id, 0),
            button("Edit details", Action.EDIT_STORY, revision.article_id),
            button("Remove", Action.REMOVE_STORY, revision.article_id, emoji="🗑️"),
        ),
    )


def several_layout(
    saved: Sequence[Saved],
    user_id: int,
    refused: Sequence[str],
    notes: Sequence[str],
    *,
    seen_by_all: bool,
) -> Layout:
    """Return what everybody is told about several stories, and about what was not added.

    Of many notes only so many are shown as fit a message.
    """
    items: list[Item] = []
    for one in saved:
        attribution, article_id = one.revision.attribution, one.revision.article_id
        items.append(
            section(
                f"{_DID[one.status]} {story_line(attribution, article_id)}",
                beside=button("Show", Action.SHOW_STORY, article_id, 0),
            )
        )
    items += [text(f"⚠️ {escaped(shortened(why, _MAX_REFUSAL))}") for why in refused]
    last = [text(f"-# by <@{user_id}>"), *([] if seen_by_all else [text(_SEEN_BY_ALL)])]
    room = MAX_TEXT - sum(map(length, (*items, *last)))
    for note in notes:
        told = text(f"⚠️ {escaped(shortened(note, _MAX_REFUSAL))}")
        room -= length(told)
        if room >= 0:
            items.append(told)
    return Layout(panel(*items, *last, colour=STORY_COLOUR))


def confirm_layout(titles: Sequence[str], key: str) -> Layout:
    """Return the question before stories are added from a channel that not everybody sees."""
    named = " and ".join(f"“{one_line(title, 150)}”" for title in titles)
    verb, them = ("is", "it") if len(titles) == 1 else ("are", "them")
    return Layout(
        text(
            f"Not everybody in this server sees this channel. If {named} {verb} added, **the whole "
            f"server can read quotes from {them}**. Add {them} all the same?"
        ),
        row(
            button("Add it", Action.ADD_ANYWAY, key, style=discord.ButtonStyle.primary),
            button("Do not add it", Action.KEEP),
        ),
    )


def list_layout(stories: Sequence[Headline], *, page: int, total: int, own: str | None) -> Layout:
    """Return one page of the list of stories; `own` names the server's own collection."""
    if not total:
        return Layout(
            panel(
                text(
                    "There are no stories here yet. Whoever may manage messages here can add one "
                    "with `/article add`, or in the menu of a message under Apps → **Add story**."
                ),
                colour=STORY_COLOUR,
            ),
            row(button("Add a story", Action.ADD_STORY, emoji="📰")),
        )
    pages = -(-total // PAGE_STORIES)
    items: list[Item] = [text(f"### {counted(total, 'story', 'stories')}")]
    for story in stories:
        shared = "" if story.collection == own else " · from the operator"
        items.append(_entry(story.attribution, story.article_id, shared))
    if pages > 1:
        items.append(text(f"-# Page {page + 1} of {pages}, the newest first"))
    buttons = []
    if page > 0:
        buttons.append(button("Newer", Action.LIST_STORIES, page - 1, emoji="◀️"))
    if page + 1 < pages:
        buttons.append(button("Older", Action.LIST_STORIES, page + 1, emoji="▶️"))
    tail = [row(*buttons)] if buttons else []
    return Layout(panel(*items, colour=STORY_COLOUR), *tail)


def choice_name(attribution: Attribution) -> str:
    """Return a story as a choice: its title, and what tells it from another of the same title."""
    details = (attribution.source, date_in_words(attribution.published_at))
    behind = ", ".join(" ".join(part.split()) for part in details if part)
    behind = f" — {shortened(behind, _MAX_CHOICE // 3)}" if behind else ""
    title = " ".join(attribution.title.split())
    return f"{shortened(title, _MAX_CHOICE - len(behind))}{behind}"


def found_layout(query: str, stories: Sequence[Revision]) -> Layout:
    """Return the stories that a search found, the best first."""
    wanted = one_line(query, 100)
    if not stories:
        return Layout(panel(text(f"No story here fits “{wanted}”."), colour=STORY_COLOUR))
    lines = [_entry(r.attribution, r.article_id) for r in stories]
    return Layout(panel(text(f"### Nearest to “{wanted}”"), *lines, colour=STORY_COLOUR))


def _entry(attribution: Attribution, article_id: str, behind: str = "") -> Item:
    """Return a story in a list, with a button that opens it."""
    line = f"{story_line(attribution, article_id)}{behind}"
    return section(line, beside=button("Show", Action.SHOW_STORY, article_id, 0))


def story_layout(
    revision: Revision,
    origin: Origin | None,
    *,
    page: int,
    versions: int,
    own: bool,
    may_edit: bool,
    withdrawn_at: str | None = None,
) -> Layout:
    """Return a story's details and one page of its text; `page` counts from 0.

    `own` tells the server's stories from the operator's, `may_edit` who looks at it.
    """
    attribution = revision.attribution
    parts = text_pages(revision.text)
    page = min(page, len(parts) - 1)
    details = [f"### {one_line(attribution.title, 150)}", byline(attribution)]
    if link := attribution.url and page_url(attribution.url, limit=_MAX_LINK):
        details.append(f"[Read it there]({link})")
    if origin is not None:
        came = f" · [the message]({origin.link})" if origin.link else ""
        details.append(f"-# added by <@{origin.added_by}>{came}")
    stored = when(revision.created_at)
    details.append(
        f"-# `{revision.article_id}` · {counted(versions, 'version', 'versions')}, this one "
        f"stored {stored}{'' if own else ' · from the operator'}"
    )
    if withdrawn_at is not None:
        details.append(f"⚠️ Its publisher withdrew it; seen {when(withdrawn_at)}. Not quoted now.")
    items: list[Item] = [text("\n".join(details)), line(), text(parts[page])]
    if len(parts) > 1:
        items.append(text(f"-# Page {page + 1} of {len(parts)}"))
    buttons = []
    if page > 0:
        buttons.append(button("Back", Action.SHOW_STORY, revision.article_id, page - 1))
    if page + 1 < len(parts):
        buttons.append(button("Read on", Action.SHOW_STORY, revision.article_id, page + 1))
    if own and may_edit:
        buttons.append(button("Edit details", Action.EDIT_STORY, revision.article_id))
        buttons.append(button("Remove", Action.REMOVE_STORY, revision.article_id, emoji="🗑️"))
    tail = [row(*buttons)] if buttons else []
    return Layout(panel(*items, colour=STORY_COLOUR), *tail)


def text_pages(whole: str) -> list[str]:
    """Return a story's text as blocks that fit a message each, cut at the end of a line or word."""
    pages: list[str] = []
    start = 0
    while start < len(whole):
        end = _page_end(whole, start)
        part = whole[start:end]
        if part.strip():
            pages.append(quoted(part.strip("\n"), None, before=False, after=False))
        start = end
    return pages


def _page_end(whole: str, start: int) -> int:
    length = PAGE_CHARACTERS
    while True:
        end = min(start + length, len(whole))
        part = quoted(whole[start:end], None, before=False, after=False)
        if size(part) <= _MAX_PAGE_TEXT:
            break
        length //= 2
    if end < len(whole):
        for gap in ("\n", " "):
            at = whole.rfind(gap, start + length // 2, end)
            if at > start:
                return at + 1
    return end


def remove_layout(revision: Revision) -> Layout:
    """Return the question before a story is deleted."""
    return Layout(
        text(
            f"Remove {story_line(revision.attribution, revision.article_id)}\n"
            "with all its versions, for good? Answers that quoted it are edited: the quotes are "
            "taken out of them, as far as Discord lets me."
        ),
        row(
            button(
                "Remove for good",
                Action.REMOVE_STORY,
                revision.article_id,
                "yes",
                style=discord.ButtonStyle.danger,
            ),
            button("Keep it", Action.KEEP),
        ),
    )
