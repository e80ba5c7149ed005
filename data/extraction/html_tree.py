"""A page as a tree, and as the lines of text that a browser would show."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Elements that run on within a line; every other one begins a line of its own.
_INLINE_LIST = """
a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby
s samp small span strike strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_INLINE_LIST.split())
# Elements whose text is not the page's own words.
_SILENT_LIST = """
script style noscript template head title meta link svg math iframe object embed applet audio
video canvas select option textarea button input map area datalist
"""
_SILENT = frozenset(_SILENT_LIST.split())
_CELLS = frozenset(("td", "th"))
_NOT_LETTERS = re.compile(r"\W+")
CELL_END = "\t"  # between the cells of a table's row, as browsers copy it
_CELL_MARK = "\x00"  # the same before white space is tidied

_DECLARATIONS = re.compile(r"\A\s*(?:<\?xml[^>]{0,500}\?>\s*)?(?:<!doctype[^>]{0,1000}>)?", re.I)
# Characters that XML has no place for; libxml2 ends the text there.
_UNSOUND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def parse_html(text: str) -> "HtmlElement | None":
    """Return the root of a page, which is an <html> element, or None where nothing is in it.

    Comments and processing instructions are left out. libxml2 reads no deeper than 255 elements:
    what stands deeper is lost.
    """
    from lxml import html
    from lxml.etree import ParserError

    # Declarations go: bytes are always UTF-8 here, and some document types make libxml2 stumble.
    text = _UNSOUND.sub("", _DECLARATIONS.sub("", text.removeprefix("\ufeff"), count=1))
    parser = html.HTMLParser(
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        default_doctype=False,
    )
    try:
        return html.document_fromstring(text.encode("utf-8"), parser=parser)
    except ParserError:  # "Document is empty"
        return None


def letters(text: str) -> str:
    """Return the text's letters, digits and underscores alone, by which two spellings compare."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFC", text))


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space, without outer white space."""
    return " ".join(text.split())


def text_of(element: "HtmlElement") -> str:
    """Return all text below an element on one line."""
    return one_line(" ".join(element.itertext()))


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text as a browser shows it: what stands between two blocks or line breaks.

    `number` counts the page's lines from 0. `linked` is the share of its letters that are a
    link's. `block` is the element that it stands in. `broken` tells that a single <br> divides it
    from the line before. A table's row is one line, its cells separated by tabs.
    """

    text: str
    number: int
    linked: float
    block: "HtmlElement"
    broken: bool = False

    @cached_property
    def key(self) -> str:
        """Return the line's letters, by which it is found again."""
        return letters(self.text)

    def ancestors(self) -> Iterator["HtmlElement"]:
        """Yield the elements around the line, from the innermost."""
        element: HtmlElement | None = self.block
        while element is not None:
            yield element
            element = element.getparent()


def lines_of(tree: "HtmlElement") -> list[Line]:
    """Return the lines of a page in order, without those that hold no letter or digit."""
    from lxml.etree import iterwalk

    reader = _Reader(tree)
    walk = iterwalk(tree, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            reader.leave(element)
        elif element.tag in _SILENT:
            walk.skip_subtree()
        else:
            reader.enter(element)
    reader.end_line()
    return reader.lines


class _Reader:
    """What is being read: the line so far, and where in the tree it stands."""

    def __init__(self, tree: "HtmlElement") -> None:
        self.lines: list[Line] = []
        self._tree = tree
        self._blocks = [tree]
        self._links = 0
        self._pieces: list[str] = []
        self._linked = 0
        self._breaks = 0  # <br> elements since the last text of the same block

    def enter(self, element: "HtmlElement") -> None:
        tag = element.tag
        if tag in _CELLS:
            self._pieces.append(_CELL_MARK)
            self._blocks.append(element)
        elif tag == "br":
            self.end_line()
            self._breaks += 1
        elif tag not in _INLINE:
            self.end_line()
            self._breaks = 0
            self._blocks.append(element)
        self._links += _is_link(element)
        self._add(element.text)

    def leave(self, element: "HtmlElement") -> None:
        tag = element.tag
        if tag in _CELLS:
            self._blocks.pop()
        elif tag not in _INLINE and tag not in _SILENT and tag != "br":
            self.end_line()
            self._breaks = 0
            self._blocks.pop()
        self._links -= _is_link(element)
        if element is not self._tree:
            self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._pieces.append(text)
            if self._links:
                self._linked += len(letters(text))

    def end_line(self) -> None:
        cells = (one_line(cell) for cell in "".join(self._pieces).split(_CELL_MARK))
        text = CELL_END.join(filter(None, cells))
        if count := len(letters(text)):
            share = min(self._linked / count, 1.0)
            broken = self._breaks == 1
            self.lines.append(Line(text, len(self.lines), share, self._blocks[-1], broken=broken))
            self._breaks = 0
        self._pieces.clear()
        self._linked = 0


def _is_link(element: "HtmlElement") -> bool:
    return element.tag == "a" and element.get("href") is not None
