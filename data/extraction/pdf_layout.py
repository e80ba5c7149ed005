import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

# Lines at the top and bottom of a page among which running heads are looked for.
_EDGE_LINES = 2
# Pages at whose edge a line recurs when it is a running head; of a short file fewer are enough.
_REPEATED = 3
_REPEATED_IN_SHORT = 2
_SHORT_FILE = 4
_LONGEST_PAGE_NUMBER = 30  # characters: "- Page 3 of 10 -"
_PAGE_NUMBER = re.compile(r"\W*(?:page|p\.)?\s*\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I)

# Factors that part paragraphs: of the usual distance between lines, of the letters' size, and of
# the usual length of a line. Set by eye on PDFs printed by a browser and set by TeX.
_WIDE_GAP = 1.3
_ONE_LINE = 0.3
_OTHER_SIZE = 1.15
_INDENT = 0.8
_SHORT_LINE = 0.75

_SENTENCE_END = re.compile(r"[.!?:;…]['\"”’»)\]]*$")
_LONGEST_WORD = 80  # characters
_BROKEN_WORD = re.compile(r"[^\W\d_]-$")
_LAST_WORD = re.compile(r"[\w-]+-$")
_FIRST_WORD = re.compile(r"^\w+")


@dataclass(slots=True)
class Line:
    """A line of a page: where it begins, from the left and below, and the size of its letters.

    All in points; `page` counts from 0. `longest` is the length of the piece whose size counts: a
    bullet's does not.
    """

    text: str
    x: float
    y: float
    size: float
    longest: int = 0
    page: int = 0

    def add(self, text: str, size: float) -> None:
        """Put the next piece at the line's end."""
        self.text += text
        if len(text) > self.longest:
            self.size, self.longest = size, len(text)


def without_running_heads(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Return the pages without page numbers and lines that recur at the edges of many of them."""
    if len(pages) < 2:
        return list(pages)
    edges = []
    for lines in pages:
        ordered = sorted(lines, key=lambda line: line.y)
        edges.append([*ordered[:_EDGE_LINES], *ordered[-_EDGE_LINES:]])
    times = Counter(form for lines in edges for form in {_form(line) for line in lines})
    enough = _REPEATED if len(pages) > _SHORT_FILE else _REPEATED_IN_SHORT
    kept = []
    for lines, edge in zip(pages, edges, strict=True):
        dropped = {
            id(line) for line in edge if times[_form(line)] >= enough or _is_page_number(line.text)
        }
        kept.append([line for line in lines if id(line) not in dropped])
    return kept


def _is_page_number(text: str) -> bool:
    return len(text) <= _LONGEST_PAGE_NUMBER and _PAGE_NUMBER.fullmatch(text) is not None


def _form(line: Line) -> str:
    return re.sub(r"\d+", "0", line.text)


@dataclass(frozen=True, slots=True)
class _Usual:
    """What most lines of a file are like: the distance to the next, the letters, the length."""

    leading: float
    size: float
    length: float


def paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[str]:
    """Yield the paragraphs in the lines of all pages: line breaks that are only layout go."""
    lines = [replace(line, page=page) for page, lines in enumerate(pages) for line in lines]
    if not lines:
        return
    usual = _usual(lines)
    words = Counter(re.findall(r"\w+(?:-\w+)*", "\n".join(line.text for line in lines)))
    pieces = [lines[0].text]
    for before, line in zip(lines, lines[1:], strict=False):
        if _parted(before, line, usual):
            yield "".join(pieces)
            pieces = [line.text]
        else:
            pieces[-1] = _with_glue(pieces[-1], line.text, words)
            pieces.append(line.text)
    yield "".join(pieces)


def _usual(lines: Sequence[Line]) -> _Usual:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    falls = Counter(
        round(2 * (before.y - line.y))
        for before, line in zip(lines, lines[1:], strict=False)
        if before.page == line.page and 0 < before.y - line.y < 3 * line.size
    )
    # Of equally usual distances the smallest: between paragraphs it is larger.
    leading = min(falls, key=lambda fall: (-falls[fall], fall)) / 2 if falls else 0.0
    lengths = sorted(len(line.text) for line in lines)
    return _Usual(leading, sizes.most_common(1)[0][0] or 1.0, lengths[9 * len(lengths) // 10])


def _parted(before: Line, line: Line, usual: _Usual) -> bool:
    """Return whether a new paragraph begins between two lines that are drawn in turn."""
    fall = before.y - line.y
    small, large = sorted((before.size, line.size))
    ended = _SENTENCE_END.search(before.text) is not None
    if before.page == line.page and abs(fall) < _ONE_LINE * small:
        return False
    if large > _OTHER_SIZE * small:
        return True
    if before.page != line.page or fall < 0:
        return ended  # the next page or column
    if fall > _WIDE_GAP * usual.leading * max(1.0, line.size / usual.size):
        return True
    short = len(before.text) < _SHORT_LINE * usual.length
    return ended and (short or line.x > before.x + _INDENT * line.size)


def _with_glue(text: str, line: str, words: Counter[str]) -> str:
    """Return the text as the next line goes on from it: with a space, or a broken word's begin.

    The hyphen stays where the document itself writes the word with it, or does not go on in
    lower case.
    """
    end, begin = text[-_LONGEST_WORD:], line[:_LONGEST_WORD]
    if not _BROKEN_WORD.search(end):
        return f"{text} "
    first, last = _LAST_WORD.search(end), _FIRST_WORD.search(begin)
    if not begin[:1].islower() or first is None or last is None:
        return text
    whole, hyphened = first[0][:-1] + last[0], first[0] + last[0]
    if words[hyphened] > words[whole] or "-" in first[0][:-1]:
        return text
    return text[:-1]
