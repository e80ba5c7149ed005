"""Text of stories and of people, put into Discord's markdown so that it shows as it is."""

import re
from datetime import datetime

from data.dates import date_in_words
from data.models import Span

CUT = "*[…]*"
# Always special in Discord's markdown; `@` keeps a written @everyone from looking like one.
_ALWAYS = re.compile(r"[\\*_~`|<>\[\]#@]")
# An address would become a link, a name between colons an emoji.
_COLON = re.compile(r":(?=\S)")
# At the beginning of a line: lists, small print.
_LINE_START = re.compile(r"(?:^|\r)\s*([-+])|(?:^|\r)\s*\d+([.)])", re.MULTILINE)
# Discord takes a lone carriage return for a line end, too.
_LINE_END = re.compile(r"\r\n?|\n")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# Characters that change the direction of what stands behind them in the line.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")


def escaped_characters(text: str) -> list[str]:
    """Return each character of the text as it has to be written for Discord to show it as it is."""
    special = {match.start() for match in _ALWAYS.finditer(text)}
    special |= {match.start() for match in _COLON.finditer(text)}
    for match in _LINE_START.finditer(text):
        special.add(match.start(1 if match[1] else 2))
    return [f"\\{c}" if i in special else c for i, c in enumerate(text)]


def escaped(text: str) -> str:
    """Return the text so that Discord shows exactly it: no mention, link, heading or spoiler."""
    return "".join(escaped_characters(text))


def unescaped(text: str) -> str:
    """Return what `escaped` was given."""
    return _ESCAPED.sub(r"\1", text)


def one_line(text: str, limit: int) -> str:
    """Return the text escaped, on one line, and cut with an ellipsis where it is too long.

    Characters that turn the direction of a line are left out: what stands behind would turn too.
    """
    line = _SPACES.sub(" ", _DIRECTION.sub("", text)).strip()
    return escaped(shortened(line, limit))


def shortened(text: str, limit: int) -> str:
    """Return the text, with its end replaced by an ellipsis where it is longer than the limit."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def quoted(quote: str, bold: tuple[int, int] | None, *, before: bool, after: bool) -> str:
    """Return a quote as a block, with `[start, end)` of it in bold.

    `before` and `after` mark, outside of the quote's own characters, that it is cut there.
    """
    written = escaped_characters(quote)
    if bold is not None:
        for start, end in _pieces(quote, *bold):
            written[start] = f"**{written[start]}"
            written[end - 1] = f"{written[end - 1]}**"
    lines = _LINE_END.split("".join(written))
    if before:
        lines[0] = f"{CUT} {lines[0]}"
    if after:
        lines[-1] = f"{lines[-1]} {CUT}"
    return "\n".join(f"> {line}" for line in lines)


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the range line by line, without outer white space: bold never spans lines."""
    found = re.finditer(r"[^\s](?:[^\n\r]*[^\s])?", text[start:end])
    return [(start + match.start(), start + match.end()) for match in found]


def emphasised(text: str, span: Span, bold: Span) -> str:
    """Return a part of a text as a block, with another part inside of it in bold."""
    inner = (bold.start - span.start, bold.end - span.start)
    return quoted(span.slice(text), inner, before=False, after=False)


def when(published_at: str | None) -> str:
    """Return a date for a message: a day as words, a known moment in the reader's own time."""
    if published_at is None:
        return "date unknown"
    try:
        moment = datetime.fromisoformat(published_at)
    except ValueError:
        moment = None  # a year, or a month
    if moment is not None and "T" in published_at and moment.tzinfo is not None:
        return f"<t:{int(moment.timestamp())}:f>"
    return escaped(date_in_words(published_at) or "date unknown")


def size(text: str) -> int:
    """Return the length of a text as Discord may count it: in UTF-16 units, the larger count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
