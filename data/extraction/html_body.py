"""Where a page's story stands: trafilatura finds it, and the page's own lines give its words."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from data.extraction.body_lines import PROSE, cleaned, is_prose
from data.extraction.html_tree import CELL_END, Line, letters, lines_of, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HIDDEN_STYLE = re.compile(r"display:none|visibility:hidden")
_TABLE_MARKS = re.compile(r"^\||\|$|\|\s*(?=\|)")

# All lengths count letters and digits.
_STORY = 300  # of prose, which no teaser has
_ENOUGH = 200  # of prose; less is hardly a story
_PURE = 0.8  # share of prose in what was found from which on no menu is in it
_ALMOST = 0.9  # share of the prose that a purer find must hold as well
_OPENING = 24  # letters by which a paragraph is found that was shortened
_TRIES = 20  # lines with the same opening that are looked at


def body_paragraphs(
    shown: "HtmlElement", titles: Iterable[str], credits: Iterable[str] = ()
) -> list[str]:
    """Return the paragraphs of the story in a page; none where there is no text.

    `shown` is the page without what nobody sees; it stays as it is. `titles` are what the page
    calls the story, and `credits` what it says of its authors: neither the headline nor a byline
    is repeated in the body.
    """
    keys = {key for title in titles if (key := letters(title).casefold())}
    tree = _alone(shown, keys)
    lines = lines_of(tree)
    keys |= {letters(text_of(heading)).casefold() for heading in tree.iter("h1")}
    authors = {key for text in credits if (key := letters(text).casefold())}
    return cleaned(_chosen(tree, lines), lines, keys, authors)


def visible(tree: "HtmlElement") -> "HtmlElement":
    """Return a copy of the page without what nobody sees: scripts, styles and hidden elements."""
    shown = deepcopy(tree)
    _drop(shown.iter("script", "style", "template"))
    _drop(element for element in shown.iter() if _is_hidden(element))
    return shown


def _drop(elements: Iterable["HtmlElement"]) -> None:
    for element in list(elements):
        if element.getparent() is not None:
            element.drop_tree()


def _is_hidden(element: "HtmlElement") -> bool:
    # Scripts show a page's whole body once they have run; parts that stay hidden do so for good.
    if element.tag in ("html", "body"):
        return False
    if element.get("hidden") is not None:
        return True
    style = element.get("style")
    return style is not None and bool(_HIDDEN_STYLE.search(style.replace(" ", "").lower()))


def _alone(shown: "HtmlElement", titles: set[str]) -> "HtmlElement":
    """Return the page without its other articles; a copy, where there are any."""
    if not _other_articles(shown, titles):
        return shown
    tree = deepcopy(shown)
    _drop(_other_articles(tree, titles))
    return tree


def _other_articles(tree: "HtmlElement", titles: set[str]) -> list["HtmlElement"]:
    """Return the <article> elements that are not the one with the page's own headline.

    Those within it go only where their heading links to a page of their own; else they are parts
    of the story. Where no article has the headline, none is known to be another one.
    """
    articles = list(tree.iter("article"))
    named = [article for article in articles if _own_heading(article)[0] in titles]
    main = max(named, key=_prose_in, default=None)
    # A teaser of the story at hand has its headline as well.
    if main is None or _prose_in(main) < _STORY:
        return []
    around = set(main.iterancestors("article"))
    inside = set(main.iter("article"))
    return [
        article
        for article in articles
        if article is not main
        and article not in around
        and (article not in inside or _own_heading(article)[1])
    ]


def _prose_in(element: "HtmlElement") -> int:
    return sum(len(line.key) for line in lines_of(element) if is_prose(line))


def _own_heading(article: "HtmlElement") -> tuple[str, bool]:
    """Return the letters of an article's first heading, and whether it links to another page."""
    for heading in article.iter("h1", "h2", "h3"):
        if next(heading.iterancestors("article"), None) is article:
            links = chain(heading.iter("a"), heading.iterancestors("a"))
            away = any((link.get("href") or "#")[0] != "#" for link in links)
            return letters(text_of(heading)).casefold(), away
    return "", False


def _chosen(tree: "HtmlElement", lines: list[Line]) -> list[Line]:
    """Return the lines that trafilatura takes for the story.

    Its own rules come first. Where they bring up little prose, or much else with it, its cascade
    of other extractors may do better. It is not asked at once: on pages with several stories it
    tends to take the longest, or all of them.
    """
    first = list(_located(_extracted(tree, fast=True), lines))
    prose, share = _weights(first)
    if prose >= _ENOUGH and share >= _PURE:
        return first
    second = list(_located(_extracted(tree, fast=False), lines))
    more, purer = _weights(second)
    better = more >= _ALMOST * prose and purer > share
    return second if better or prose < _ENOUGH <= more else first


def _extracted(tree: "HtmlElement", *, fast: bool) -> list[str]:
    from trafilatura import extract

    # Its memory of duplicates is one for the whole process: with it on, a page that is read for
    # the fourth time is empty.
    text = extract(tree, fast=fast, include_comments=False, deduplicate=False)
    return (text or "").split("\n")


def _weights(lines: list[Line]) -> tuple[int, float]:
    """Return how many letters are in prose, and their share of all."""
    prose = sum(len(line.key) for line in lines if len(line.key) >= PROSE and line.linked < 0.5)
    return prose, prose / max(sum(len(line.key) for line in lines), 1)


def _located(texts: list[str], lines: list[Line]) -> Iterator[Line]:
    """Yield the page's lines behind what was extracted, so that the words are the page's own.

    A text may be a line, several lines in a row, or a line that was shortened; one that is none
    of these is taken as it is.
    """
    places = _Places(lines)
    before: Line | None = None
    for text in texts:
        key = letters(text)
        if not key:
            continue
        position = before.number if before else -1
        found = places.row(key, position)
        if found is None and (line := places.shortened(key, position)) is not None:
            found = [replace(line, text=text.strip())]
        if found is None:
            found = [_unlocated(text, before or lines[0])] if lines else []
        # The cells of a table come one by one; their row is taken once.
        yield from (line for line in found if line.number != position or CELL_END not in line.text)
        before = found[-1] if found else before


def _unlocated(text: str, before: Line) -> Line:
    plain = " ".join(_TABLE_MARKS.sub(" ", text.strip()).split())
    return Line(plain, before.number, 0.0, before.block)


class _Places:
    """Where lines stand on a page, by their letters."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines
        self._whole: dict[str, list[int]] = defaultdict(list)
        self._opening: dict[str, list[int]] = defaultdict(list)
        for line in lines:
            self._whole[line.key].append(line.number)
            self._opening[line.key[:_OPENING]].append(line.number)
            if CELL_END in line.text:
                for cell in line.text.split(CELL_END):
                    self._whole[letters(cell)].append(line.number)

    def row(self, key: str, before: int) -> list[Line] | None:
        """Return the line, or the lines in a row, of these letters: the next ones after `before`.

        Where there are none further on, the first ones on the page.
        """
        if key in self._whole:
            return [self._lines[_next(self._whole[key], before)]]
        for size in (_OPENING, *range(_OPENING - 1, 0, -1)):
            for number in self._tries(key[:size], before):
                if (end := self._end_of_row(key, number)) is not None:
                    return self._lines[number:end]
        return None

    def _tries(self, opening: str, before: int) -> list[int]:
        numbers = self._opening.get(opening, [])
        later = bisect_right(numbers, before)
        return [*numbers[later : later + _TRIES], *numbers[: min(later, _TRIES)]]

    def _end_of_row(self, key: str, number: int) -> int | None:
        position = 0
        while number < len(self._lines) and key.startswith(self._lines[number].key, position):
            position += len(self._lines[number].key)
            number += 1
            if position == len(key):
                return number
        return None

    def shortened(self, key: str, before: int) -> Line | None:
        """Return the line that opens with the same letters and is of a like length."""
        if len(key) < _OPENING:
            return None
        for number in self._tries(key[:_OPENING], before):
            if len(key) / 2 <= len(self._lines[number].key) <= len(key) * 2:
                return self._lines[number]
        return None


def _next(numbers: list[int], before: int) -> int:
    later = bisect_right(numbers, before)
    return numbers[later] if later < len(numbers) else numbers[0]
