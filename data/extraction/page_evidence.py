"""What is known about a page that may hold a story, for the checks whether it does."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from data.extraction.html_tree import Line, letters, lines_of, text_of
from data.extraction.page_metadata import PageMetadata

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DIVIDER = re.compile(r"\s+[-–—·•»:]\s+|\s*\|\s*")
LEAST = 120  # of a story's weight: about two short sentences
_BEHIND = 12  # lines behind a story among which the prompt to pay for the rest stands


@dataclass(frozen=True)
class Evidence:
    """What is known about a page that may hold a story.

    `shown` is the page without what nobody sees; `paragraphs` are what was taken for the story.
    `scripted` tells that scripts run on the page.
    """

    shown: "HtmlElement"
    paragraphs: Sequence[str]
    metadata: PageMetadata
    url: str | None
    scripted: bool = False

    @cached_property
    def lines(self) -> list[Line]:
        """Return the page's lines."""
        return lines_of(self.shown)

    @cached_property
    def weight(self) -> int:
        """Return the length of the story in letters."""
        return sum(map(weight, self.paragraphs))

    @cached_property
    def is_mostly_paid(self) -> bool:
        """Return whether most of the story stands in parts that its publisher marks as paid."""
        paid = self.metadata.data.paid
        marked = [
            element
            for element in self.shown.iter()
            if isinstance(element.tag, str)
            and not paid.isdisjoint(
                (
                    f"#{element.get('id')}",
                    *(f".{name}" for name in element.get("class", "").split()),
                )
            )
        ]
        return bool(paid) and max((weight(text_of(e)) for e in marked), default=0) > self.weight / 2

    @cached_property
    def headings(self) -> list[str]:
        """Return what the page calls itself, whole and in the parts that bars and dashes make."""
        # Further ones are often those of messages that scripts show when they need them.
        first = next(self.shown.iter("h1"), None)
        headings = [*self.metadata.titles, *([text_of(first)] if first is not None else [])]
        parts = (part for heading in headings for part in [heading, *_DIVIDER.split(heading)])
        return [part for part in dict.fromkeys(parts) if letters(part)]

    @cached_property
    def is_article(self) -> bool:
        """Return whether the page says that it is one story."""
        kinds = self.metadata.metas.get("og:type", [])
        return bool(self.metadata.data.story) or any("article" in kind.lower() for kind in kinds)

    @cached_property
    def inside(self) -> list[int]:
        """Return the numbers of the lines that the story's paragraphs are."""
        keys = {letters(text) for text in self.paragraphs}
        return [line.number for line in self.lines if line.key in keys]

    @property
    def near(self) -> list[Line]:
        """Return the lines from the story's first to some behind its last, or all lines."""
        if not self.inside:
            return self.lines
        return self.lines[self.inside[0] : self.inside[-1] + _BEHIND]

    def called(self, pattern: re.Pattern[str]) -> bool:
        """Return whether the page calls itself this and nothing else."""
        return any(pattern.fullmatch(heading) for heading in self.headings)

    def tells(self, pattern: re.Pattern[str]) -> bool:
        """Return whether the story says this; or the page, where it has hardly any story."""
        texts = self.paragraphs if self.weight >= LEAST else [line.text for line in self.lines]
        return any(pattern.search(text) for text in texts)

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Return whether one of the page's lines says this."""
        return any(pattern.search(line.text) for line in self.lines)


def weight(text: str) -> int:
    """Return the letters and digits of a text; Chinese, Japanese and Korean ones count three times.

    One of theirs says as much as three others.
    """
    return sum(
        3 if unicodedata.east_asian_width(character) == "W" else 1 for character in letters(text)
    )
