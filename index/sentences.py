import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from data.models import Span
from data.segmenter import sentence_ranges

# A "sentence" longer than this many characters is usually a whole speech inside quotation marks,
# which the segmenter keeps together; it is looked at again with the marks hidden.
LONG_SENTENCE = 300

LONGEST_PARAGRAPH = 5000  # characters

# Typical width of hard-wrapped plain text, in characters.
WRAP_MIN, WRAP_MAX = 40, 100

# Atomic, so that one CRLF is never read as two line ends, which would be a blank line.
_LINE_END = r"(?>\r\n|[\n\r\u2028\u2029])"
_BLOCK_BREAK = re.compile(rf"{_LINE_END}[ \t]*(?:{_LINE_END}[ \t]*)+")
_LINE_BREAK = re.compile(_LINE_END)
_CLOSING = re.compile(r'["”’»)\]]+(?=\s|$)')
_OPENING = re.compile(r'(?<=\s)["“‘«]+\s*\Z')
# Whatever its shape, a mark right behind a character closes: `“` does so in German.
_SPEECH_END = re.compile(r"(?<=\S)[\"'“”‘’«»]\s*\Z")
_EARLIER_VERSION = re.compile(
    r"\b(?:earlier|previous|original|initial) versions? of"
    r" th(?:is|e) (?:story|article|report|piece)",
    re.IGNORECASE,
)
_QUOTATION_MARKS = str.maketrans(dict.fromkeys('"“”„«»‘', "_"))


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """Return the range without outer white space, or None where nothing is left."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return Span(start + left, start + right) if left < right else None


def _split(text: str, pattern: re.Pattern[str], start: int, end: int) -> list[tuple[int, int]]:
    """Return the ranges between the matches of `pattern` in `text[start:end]`."""
    ranges, last = [], start
    for match in pattern.finditer(text, start, end):
        ranges.append((last, match.start()))
        last = match.end()
    ranges.append((last, end))
    return ranges


def _is_hard_wrapped(lines: list[str]) -> bool:
    """Return whether the lines look like one paragraph broken at a fixed width."""
    full = [len(line.rstrip()) for line in lines[:-1]]
    return len(full) >= 2 and min(full) >= WRAP_MIN and max(full) <= WRAP_MAX


def paragraph_spans(text: str) -> list[Span]:
    """Return the paragraphs of the text in order, as code point spans without outer white space.

    A blank line ends a paragraph. So does a single line break, as web text has it, unless the
    lines around it look like text that was wrapped at a fixed width.
    """
    spans: list[Span | None] = []
    for start, end in _split(text, _BLOCK_BREAK, 0, len(text)):
        lines = _split(text, _LINE_BREAK, start, end)
        if _is_hard_wrapped([text[a:b] for a, b in lines]):
            lines = [(start, end)]
        spans.extend(_trimmed(text, a, b) for a, b in lines)
    return [span for span in spans if span is not None]


def _cuts(body: str, start: int, end: int, language: str, *, marks: bool) -> list[tuple[int, int]]:
    """Return the sentence ranges of `body[start:end]`, without gaps.

    With `marks` the segmenter sees quotation marks and keeps a speech together; without, each is
    hidden by one other character, so that offsets stay true. A cut that it makes on the wrong
    side of a mark is moved to the right one. `said Ann Lee.` behind a speech belongs to it.
    """
    cuts = [start]
    seen = body[start:end] if marks else body[start:end].translate(_QUOTATION_MARKS)
    for first, _ in sentence_ranges(seen, language)[1:]:
        cut = start + first
        if closing := _CLOSING.match(body, cut, end):
            cut = closing.end()
        elif opening := _OPENING.search(body, cuts[-1], cut):
            cut = opening.start()
        if not cuts[-1] < cut < end:
            continue
        lower = body[cut:end].lstrip()[:1].islower()
        # Without marks the segmenter also cuts where it would not inside a speech: `approx. five`.
        if lower and (not marks or _SPEECH_END.search(body, cuts[-1], cut)):
            continue
        cuts.append(cut)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _first_pass(body: str, language: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the segmenter's sentences, given to it in windows of bounded length.

    Its time grows with the square of the length. A window begins where the last sentence of the
    one before began, so that no sentence is cut where a window ends.
    """
    start = 0
    while start < len(body):
        end = min(start + LONGEST_PARAGRAPH, len(body))
        if end < len(body) and (space := body.rfind(" ", start + 1, end)) > 0:
            end = space + 1
        ranges = _cuts(body, start, end, language, marks=True)
        if end < len(body) and len(ranges) > 1:
            ranges = ranges[:-1]
        yield from ranges
        start = ranges[-1][1]


def _sentences_of(text: str, paragraph: Span, language: str) -> list[Span]:
    body = paragraph.slice(text)
    ranges: list[tuple[int, int]] = []
    for start, end in _first_pass(body, language):
        if end - start <= LONG_SENTENCE:
            ranges.append((start, end))
        else:
            ranges.extend(_cuts(body, start, end, language, marks=False))
    spans = (_trimmed(text, paragraph.start + a, paragraph.start + b) for a, b in ranges)
    return [span for span in spans if span is not None]


@lru_cache(maxsize=256)
def sentence_spans(text: str, language: str = "en") -> tuple[Span, ...]:
    """Return the sentences of the text in order, as code point spans without outer white space.

    No sentence crosses a paragraph. Together the spans cover every character that is not white
    space. The last 256 texts are remembered, since a story is read again for each question.
    """
    return tuple(
        sentence
        for paragraph in paragraph_spans(text)
        for sentence in _sentences_of(text, paragraph, language)
    )


def paragraph_starts(text: str) -> list[int]:
    """Return the offset of the first character of each paragraph, ascending."""
    return [span.start for span in paragraph_spans(text)]


def same_paragraph(starts: list[int], one: Span, other: Span) -> bool:
    """Return whether two sentences stand in one paragraph, by `paragraph_starts` of their text."""
    return bisect_right(starts, one.start) == bisect_right(starts, other.start)


def tells_what_was_wrong(sentence: str) -> bool:
    """Return whether the sentence repeats what an earlier version of its story got wrong."""
    return _EARLIER_VERSION.search(sentence) is not None
