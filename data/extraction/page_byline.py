"""The lines between a page's headline and its story, and the one that says who wrote it."""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import TYPE_CHECKING

from data.extraction.body_lines import is_prose
from data.extraction.html_tree import Line, letters, lines_of
from data.extraction.page_authors import BEHIND_NAMES, ROLE

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TOP = 6  # lines behind the headline in which a byline or a date stands
_LONGEST = 100  # letters of a byline with a role and a date
_WORDS = (2, 5)  # of a name: the fewest and the most

# The word that a byline begins with -> the languages in which it is no other word. English ones
# stand on pages of all languages.
_BY = {
    **dict.fromkeys(("by", "written by", "words by", "story by", "text by", "reported by")),
    **{"von": ("de",), "par": ("fr",), "por": ("es", "pt", "gl"), "di": ("it",), "door": ("nl",)},
    **{"av": ("sv", "no", "nb", "nn"), "af": ("da",)},
}
_OPENING = re.compile(rf"\W{{0,3}}({'|'.join(_BY)})\b\s*:?\s+(?=\w)", re.IGNORECASE)
_END = re.compile(r"\s*[|•·/(\[]|\s[-–—]\s|\sStand\b")  # of the names; a date may stand behind it
_AND = re.compile(r"\s*&\s*|\s+(?:and|und|et|y|e|en|och|og)\s+")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’.-])*")
# Words within names that begin small.
_PARTICLES = frozenset(
    (
        *("von", "van", "vom", "zu", "zur", "der", "den", "de", "du", "des", "da", "das", "do"),
        *("dos", "del", "della", "di", "la", "le", "al", "el", "bin", "bint", "ibn", "ter", "ten"),
        *("af", "av", "y", "e"),
    )
)
# Words that no name begins with, as a title of a column may: `By The Numbers`.
_NO_NAME = frozenset(
    (
        *("the", "a", "an", "our", "your", "my", "this", "that", "all", "no", "one", "in", "on"),
        *("der", "die", "das", "ein", "eine", "unser", "unserem", "unserer"),
        *("un", "une", "una", "los", "las", "les", "nos", "notre", "nuestro", "staff", "news"),
    )
)


def under_headline(tree: "HtmlElement", titles: Iterable[str]) -> list[Line]:
    """Return the short lines between the page's headline and the first paragraph of its story.

    The headline is the first line that the page calls its story, in an <h1> or elsewhere, else
    its first <h1>. No lines where none is known.
    """
    keys = {key for title in titles if (key := letters(title).casefold())}
    lines = lines_of(tree)
    named = [line for line in lines if line.key.casefold() in keys]
    first = [line for line in lines if line.block.tag == "h1"]
    both = [line for line in named if line.block.tag == "h1"]
    headline = next(iter([*both, *named, *first]), None)
    if headline is None:
        return []
    behind = lines[headline.number + 1 : headline.number + 1 + _TOP]
    return list(takewhile(lambda line: not is_prose(line), behind))


def byline_names(text: str, language: str) -> list[str]:
    """Return the people whom a line names as its writers; none where it is no byline for certain.

    It begins with a word such as `By` and goes on with full names in capitals. What stands behind
    a comma is a role or a place, unless the line counts up several names with an `and` at the
    end. `language` is the page's own, as in <html lang>; where it is unknown, each word counts.
    """
    opening = _OPENING.match(text)
    if opening is None or len(letters(text)) > _LONGEST or text.rstrip()[-1:] in "?!:;…":
        return []
    languages = _BY.get(opening[1].lower())
    if languages and language and language.lower().split("-")[0] not in languages:
        return []
    behind = BEHIND_NAMES.split(_END.split(text[opening.end() :], maxsplit=1)[0], maxsplit=1)[0]
    first, *others = [part.strip(" .") for part in behind.split(",")]
    names = _divided(first)
    if others and len(last := _divided(others[-1])) > 1 and not ROLE.search(others[-1]):
        names += [*others[:-1], *last]
    return names if all(map(_is_full_name, names)) else []


def _divided(text: str) -> list[str]:
    """Return the names around an `and`; "José Ortega y Gasset" is one."""
    sides = _AND.split(text)
    return sides if all(len(side.split()) > 1 for side in sides) else [text]


def _is_full_name(name: str) -> bool:
    words = name.split()
    if not _WORDS[0] <= len(words) <= _WORDS[1]:
        return False
    if words[0].lower() in _NO_NAME or "The" in words:
        return False
    sound = all(_WORD.fullmatch(w) and (w[0].isupper() or w in _PARTICLES) for w in words)
    return sound and words[0][0].isupper() and words[-1][0].isupper()
