"""From the lines that were found to a story's paragraphs: what is missing, what is too much."""

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from data.extraction.boilerplate import named_as_boilerplate, reads_as_boilerplate
from data.extraction.html_tree import Line

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SENTENCE_END = re.compile(r"""[.!?…。！？।؟։:;][\s"'”’»)\]›」』*]*\Z""")
_TIME = re.compile(r"\b(?:19|20)\d\d(?:\b|[年년])|\b\d{1,2}[:.h]\d\d\b")
_WIDE_END = re.compile(r"[。！？][”’」』）)\s]*\Z")
_FAR_EAST = "\u2e80"  # where the writings begin of which a character says as much as three
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

# All lengths count letters and digits.
PROSE = 60  # from which a line with a sentence's end is prose
_WIDE = 20  # the same in Chinese and Japanese
_LONG = 150  # from which it is prose whatever it ends in, as in scripts without a full stop
_LABEL = 100  # to which a line can be a heading, a date or a name
_WHEN = 30  # letters that stand beside the figures of a date: a weekday, a month, a zone
_TOP = 6  # lines within which a repeated headline, a date or a byline is looked for
_FEW = 3  # lines that a heading may be away from its neighbours
_ALIKE = 2  # headings of a kind that make a further one above the first line one of the story's
_NEAR = 8  # lines above the first one in which more of the story is looked for
_HALF = 0.5  # share of letters in links from which on a line is no prose
_MOSTLY = 0.75  # share of letters in links from which a line leads elsewhere
_MINOR = 0.25  # share of the story from which on an element's name is not believed
_TOO_MUCH = 0.4  # share of the story that names alone may not take away
_CONTAINER = 0.2  # share of the prose that makes an element one that holds the story


def is_prose(line: Line) -> bool:
    """Return whether a line is a sentence or more of running text, and no list of links."""
    count = len(line.key)
    long = (
        count >= _LONG
        or (count >= PROSE and _ends_sentence(line))
        or (count >= _WIDE and _WIDE_END.search(line.text) is not None)
    )
    return long and line.linked < _HALF


def cleaned(found: list[Line], lines: list[Line], titles: set[str], authors: set[str]) -> list[str]:
    """Return the story's paragraphs from the lines that were found and all lines of the page.

    `titles` are the letters of what the page calls the story, in lower case, and `authors` those
    of what it says of its authors.
    """
    story = _behind_headline(found, titles)
    story = _with_prose(story, lines)
    story = _with_headings(story, lines, titles)
    story = [line for line in story if not reads_as_boilerplate(line)]
    story = _without_named(story)
    return _joined(_with_first_heading(_trimmed(story, authors), lines, titles))


def _ends_sentence(line: Line) -> bool:
    return _SENTENCE_END.search(line.text) is not None


def _behind_headline(story: list[Line], titles: set[str]) -> list[Line]:
    """Return the lines behind the headline where the first ones repeat it, with labels above."""
    for place, line in enumerate(story[:_TOP]):
        if line.key.casefold() in titles:
            return [*filter(is_prose, story[:place]), *story[place + 1 :]]
    return story


def _with_prose(story: list[Line], lines: list[Line]) -> list[Line]:
    """Return the lines with the prose between and around them that stands in the same element.

    Before the first line few are looked at, and behind the last one whole paragraphs alone, since
    there the readers' comments begin.
    """
    weights: dict[HtmlElement, int] = defaultdict(int)
    for line in filter(is_prose, story):
        parent = line.block.getparent()
        if parent is not None:
            weights[parent] += len(line.key)
    enough = _CONTAINER * sum(len(line.key) for line in filter(is_prose, story))
    containers = {
        element
        for element, weight in weights.items()
        if weight > enough and element.tag not in ("html", "body")
    }
    if not containers:
        return story
    taken = {line.number for line in story}
    known = {line.key for line in story}
    first, last = min(taken), max(taken)

    def belongs(line: Line) -> bool:
        return (
            line.number >= first - _NEAR
            and (line.number < last or line.block.tag == "p")
            and line.number not in taken
            and line.key not in known
            and (line.block in containers or line.block.getparent() in containers)
            and is_prose(line)
            and not named_as_boilerplate(line.block)
        )

    missing = [line for line in lines if belongs(line)]
    return sorted([*story, *missing], key=lambda line: line.number) if missing else story


def _with_headings(story: list[Line], lines: list[Line], titles: set[str]) -> list[Line]:
    """Return the lines with the short ones between two that stand beside them in one element.

    A heading need only stand right before a line, in the same element.
    """
    whole = story[:1]
    for line, after in pairwise(story):
        row = lines[line.number + 1 : after.number] if after.number - line.number <= _FEW else []
        for between in row:
            heads = between.block.tag in _HEADINGS and between.number == after.number - 1
            beside = between.block.getparent() is line.block.getparent()
            if (heads or beside) and _fits(between, after, titles):
                whole.append(between)
        whole.append(after)
    return whole


def _with_first_heading(story: list[Line], lines: list[Line], titles: set[str]) -> list[Line]:
    """Return the lines with the heading right before them, where the parts behind have such too.

    So do those of a page that tells what happens hour by hour; a lone one is a subtitle.
    """
    if not story or not story[0].number:
        return story
    above = lines[story[0].number - 1]
    alike = sum(line.block.tag == above.block.tag for line in story)
    heads = above.block.tag in _HEADINGS and alike >= _ALIKE
    return [above, *story] if heads and _fits(above, story[0], titles) else story


def _fits(label: Line, neighbour: Line, titles: set[str]) -> bool:
    """Return whether a short line stands in one element with its neighbour, and is no link."""
    parent = label.block.getparent()
    return (
        parent is not None
        and parent is neighbour.block.getparent()
        and not label.linked
        and len(label.key) < _LABEL
        and label.key.casefold() not in titles
        and not named_as_boilerplate(label.block)
        and not reads_as_boilerplate(label)
    )


def _without_named(story: list[Line]) -> list[Line]:
    """Return the lines without those in elements whose kind or name is of no story's.

    A name is not believed of an element that holds much of the story, nor are all of them where
    they would take much of it away.
    """
    weights: dict[HtmlElement, int] = defaultdict(int)
    total = sum(len(line.key) for line in story)
    for line in story:
        for element in line.ancestors():
            weights[element] += len(line.key)
    refused = {
        element
        for element, weight in weights.items()
        if weight < _MINOR * total and named_as_boilerplate(element)
    }
    kept = [line for line in story if refused.isdisjoint(line.ancestors())]
    if sum(len(line.key) for line in kept) < (1 - _TOO_MUCH) * total:
        return story
    return kept


def _trimmed(story: list[Line], authors: set[str]) -> list[Line]:
    """Return the lines without dates and authors above the first prose, and pointers at the end."""
    prose = next((place for place, line in enumerate(story) if is_prose(line)), 0)
    top = [
        line
        for line in story[: min(prose, _TOP)]
        if not _is_dateline(line) and line.key.casefold() not in authors
    ]
    story = [*top, *story[min(prose, _TOP) :]]
    end = len(story)
    while end and _leads_nowhere(story[end - 1]):
        end -= 1
    return story[:end] if end else story


def _is_dateline(line: Line) -> bool:
    """Return whether a short line tells when: it holds a year or a time and few letters else."""
    words = sum(3 if c >= _FAR_EAST else 1 for c in line.text if c.isalpha())
    return words <= _WHEN and _TIME.search(line.text) is not None and not _ends_sentence(line)


def _leads_nowhere(line: Line) -> bool:
    """Return whether a last line is a link elsewhere, or a heading of what was left out."""
    if line.linked >= _MOSTLY or not line.key.strip("_"):
        return True
    short = len(line.key) < _LABEL
    return short and (line.block.tag in _HEADINGS or line.text.endswith(":"))


def _joined(story: list[Line]) -> list[str]:
    """Return the paragraphs: lines, put together where a break stands within a sentence."""
    paragraphs: list[str] = []
    before: Line | None = None
    for line in story:
        runs_on = (
            before is not None
            and line.broken
            and line.number == before.number + 1
            and line.block is before.block
            and line.text[:1].islower()
            and not _ends_sentence(before)
        )
        if runs_on:
            paragraphs[-1] += f" {line.text}"
        else:
            paragraphs.append(line.text)
        before = line
    return paragraphs
