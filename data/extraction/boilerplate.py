"""What stands around a story on its page and is none of it: how it reads, and how it is named."""

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from data.extraction.boilerplate_words import LABELS, OPENINGS, PHRASES, SHORT_LINES
from data.extraction.html_tree import Line, letters

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Letters. A longer paragraph is never taken for boilerplate by its words: losing a paragraph of
# the story is worse than keeping one that is none.
_LONGEST = 300
_LONGEST_OPENING = 160
_LONGEST_LABEL = 60

# How pages name (class, id) what is no story, as single words and as words in a row.
_NAMES_LIST = """
newsletter newsletters signup subscribe subscription subscriptions share sharing shares social
related recirc recirculation recommended recommendations promo promos promoted promotion sponsor
sponsored advert advertisement advertising ads trending popular readmore disqus breadcrumb
breadcrumbs toolbar print reprint reprints modal popup overlay cookie cookies consent
nav navigation menu sidebar footer byline caption outbrain taboola tags signin login
tooltip disclaimer copyright license rollover
"""
_NAMES = frozenset(_NAMES_LIST.split())
_NAMES_IN_A_ROW = frozenset(
    [
        *(("read", "more"), ("sign", "up"), ("log", "in"), ("sign", "in"), ("more", "stories")),
        *(("more", "news"), ("most", "read"), ("most", "viewed"), ("latest", "news")),
        *(("author", "bio"), ("about", "author"), ("also", "like"), ("see", "also")),
        *(("up", "next"), ("next", "article"), ("latest", "box"), ("link", "box")),
    ]
)
_HIDDEN = frozenset(
    ("hide", "hidden", "is-hidden", "visually-hidden", "sr-only", "screen-reader-text")
)
_OUTSIDE = frozenset(("header", "footer", "aside", "nav", "form", "figure", "figcaption", "button"))
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^a-z]+")


def reads_as_boilerplate(line: Line) -> bool:
    """Return whether a paragraph's words are those of a button, a pointer elsewhere or a notice."""
    count = len(line.key)
    marks = (word.strip(".:,|•·…()").lower() for word in line.text.split() if letters(word))
    if count <= _LONGEST_LABEL and (LABELS.issuperset(marks) or SHORT_LINES.fullmatch(line.text)):
        return True
    if count <= _LONGEST_OPENING and OPENINGS.match(line.text):
        return True
    return count <= _LONGEST and PHRASES.search(line.text) is not None


def named_as_boilerplate(element: "HtmlElement") -> bool:
    """Return whether an element's kind or name says that no story stands in it."""
    if element.tag in _OUTSIDE:
        # Editors put tables into figures as well.
        return element.tag != "figure" or element.find(".//table") is None
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if not _HIDDEN.isdisjoint(names.split()):
        return True
    words = [word for word in _NO_WORD.split(_HUMP.sub(" ", names).lower()) if word]
    if not _NAMES.isdisjoint(words):
        return True
    return any(pair in _NAMES_IN_A_ROW for pair in pairwise(words))
