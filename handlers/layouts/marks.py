"""How an answer's message says what became of the stories that it quotes; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from data.answers import GivenCitation, StandingQuote
from data.models import Revision
from data.origins import Origin
from handlers.layouts.layout import MAX_TEXT, Action, parse_custom_id
from handlers.layouts.markdown import quoted, when
from handlers.layouts.render import CARRIED, attribution_text, carried_line, length
from index.carriers import Carriers, quoted_sentences
from index.corrections import Correction, Standing

TAKEN_OUT = "> *This quote was taken out.*"
_LEFT_OUT = "> *For want of room the quote is behind the button.*"


@dataclass(frozen=True, slots=True)
class Marked:
    """A quote in a message, and what its message has to say about it now.

    `carriers` is None where it is not known who carried the quote when it was given.
    """

    standing: StandingQuote
    correction: Correction
    origin: Origin | None
    carriers: Carriers | None = None

    @property
    def mark(self) -> str:
        """Return what tells this state from an earlier one; "" is as it was given."""
        return self.correction.mark + (self.carriers.mark if self.carriers else "")


def correction_words(correction: Correction) -> str | None:
    """Return what is said beside a quote whose story is no longer as it was; None where it is."""
    since = "" if correction.at is None else f" on {when(correction.at)}"
    match correction.standing:
        case Standing.CHANGED:
            if since and not correction.by_publisher:
                since = since.replace(" on ", " on or before ", 1)  # when it was seen
            still = "still" if correction.still_there else "no longer"
            return f"⚠️ The story changed{since}; the quoted sentence is {still} in it."
        case Standing.MISSING:
            return "⚠️ I no longer have the version that was quoted, so I cannot check the quote."
        case Standing.WITHDRAWN:
            return f"⚠️ Its publisher withdrew the story; seen{since}. It is no longer quoted."
        case Standing.REMOVED:
            return f"⚠️ The story was removed{since}, so it is no longer quoted."
        case Standing.CORRECTED:
            return f"-# The story’s details were corrected{since}."
        case _:
            return None


def marked_layout(
    message: discord.Message, answer_id: str, marks: Sequence[Marked]
) -> discord.ui.LayoutView | None:
    """Return the message with its quotes marked; None where none of them stands in it."""
    layout = discord.ui.LayoutView.from_message(message, timeout=None)
    layout.stop()  # its buttons are carried out by their ids
    if not isinstance(layout, discord.ui.LayoutView):
        return None
    by_number = {marked.standing.citation.number: marked for marked in marks}
    found = False
    for item in layout.walk_children():
        if not isinstance(item, discord.ui.Section):
            continue
        number = _number(item, answer_id)
        if number in by_number:
            _mark(item, by_number[number])
            found = True
    if sum(length(item) for item in layout.children) > MAX_TEXT:
        for item in layout.walk_children():
            if isinstance(item, discord.ui.Section) and _number(item, answer_id) in by_number:
                _leave_out_quote(item)
    return layout if found else None


def _number(section: discord.ui.Section[Any], answer_id: str) -> int | None:
    """Return the number of the answer's quote in a section, or None where it is none."""
    pressed = parse_custom_id(str(getattr(section.accessory, "custom_id", "") or ""))
    if pressed is None or pressed.action is not Action.CONTEXT or pressed.first != answer_id:
        return None
    return pressed.number(1)


def _mark(section: discord.ui.Section[Any], marked: Marked) -> None:
    """Put into a quote's section what is so now: its own words first, then whose, then the mark."""
    texts = [c for c in section.children if isinstance(c, discord.ui.TextDisplay)]
    for extra in texts[2:]:
        section.remove_item(extra)
    now = marked.correction
    head = texts[0].content.split("\n", 1)
    if now.standing is Standing.REMOVED:
        texts[0].content = f"**{marked.standing.citation.number}.**\n{TAKEN_OUT}"
        texts[1].content = correction_words(now) or ""
        return
    if now.cited is not None and head[1:] in ([TAKEN_OUT], [_LEFT_OUT]):
        texts[0].content = f"{head[0]}\n{_block(now.cited, marked.standing.citation)}"
    if len(texts) > 1:
        texts[1].content = _whose(texts[1].content, marked)
    words = correction_words(now)
    if words is not None:
        section.add_item(discord.ui.TextDisplay(words))


def _whose(content: str, marked: Marked) -> str:
    """Return whose a quote is and who else carries it; what is not known stays as it stands."""
    now = marked.correction
    lines = content.split("\n")
    carried = [line for line in lines if line.startswith(CARRIED)]
    whose = "\n".join(line for line in lines if line not in carried)
    if now.attributed is not None:
        whose = attribution_text(now.attributed, now.quote, marked.origin)
    if marked.carriers is not None:
        carried = [carried_line([story.attribution for story in marked.carriers.stories])]
    return "\n".join(filter(None, [whose, *carried]))


def _block(cited: Revision, citation: GivenCitation) -> str:
    """Return a quote's block as it was given."""
    span, highlight = citation.span, citation.highlight
    sentences = quoted_sentences(cited, span)
    return quoted(
        span.slice(cited.text),
        (highlight.start - span.start, highlight.end - span.start) if highlight else None,
        before=any(s.start < span.start for s in sentences),
        after=any(s.end > span.end for s in sentences),
    )


def _leave_out_quote(section: discord.ui.Section[Any]) -> None:
    """Make room for the mark in a message that has none: the quote is behind its button."""
    first = section.children[0]
    if isinstance(first, discord.ui.TextDisplay):
        number = first.content.split("\n", 1)[0]
        first.content = f"{number}\n{_LEFT_OUT}"
