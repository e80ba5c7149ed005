"""How an answer's message says what became of the stories that it quotes; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from data.answers import Standing as StandingQuote
from data.origins import Origin
from handlers.layouts.layout import MAX_TEXT, Action, parse_custom_id
from handlers.layouts.markdown import when
from handlers.layouts.render import CARRIED, attribution_text, length
from index.corrections import Correction, Standing

TAKEN_OUT = "> *This quote was taken out.*"


@dataclass(frozen=True, slots=True)
class Marked:
    """A quote in a message, and what its message has to say about it now."""

    standing: StandingQuote
    correction: Correction
    origin: Origin | None


def correction_words(correction: Correction) -> str | None:
    """Return what is said beside a quote whose story is no longer as it was; None where it is."""
    since = "" if correction.at is None else f" on {when(correction.at)}"
    match correction.standing:
        case Standing.CHANGED if correction.still_there:
            return f"⚠️ The story changed{since}; the quoted sentence is still in it."
        case Standing.CHANGED:
            return f"⚠️ The story changed{since}; the quoted sentence is no longer in it."
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
    if now.standing is Standing.REMOVED:
        texts[0].content = f"**{marked.standing.citation.number}.**\n{TAKEN_OUT}"
        texts[1].content = correction_words(now) or ""
        return
    if now.current is not None and len(texts) > 1:
        carried = [line for line in texts[1].content.split("\n") if line.startswith(CARRIED)]
        whose = attribution_text(now.current, now.quote, marked.origin)
        texts[1].content = "\n".join([whose, *carried])
    words = correction_words(now)
    if words is not None:
        section.add_item(discord.ui.TextDisplay(words))


def _leave_out_quote(section: discord.ui.Section[Any]) -> None:
    """Make room for the mark in a message that has none: the quote is behind its button."""
    first = section.children[0]
    if isinstance(first, discord.ui.TextDisplay):
        number = first.content.split("\n", 1)[0]
        first.content = f"{number}\n> *For want of room the quote is behind the button.*"
