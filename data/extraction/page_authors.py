"""Who wrote a story: from what pages write in the author's place to names."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from data.extraction.html_tree import letters
from data.extraction.page_fields import tidied

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_AUTHORS = 20  # a longer list is one of something else
_LONGEST_NAME = 80  # characters
_MOST_WORDS = 7
_LONG_NAME = 5  # letters of a publisher from which on no person's name begins with it

_BY = re.compile(
    r"^\W*(?:(?:written|posted|reported|story|article|text|words)\s+)?"
    r"(?:by|created\s+by|von|vom|par|por|di|da|door|av|af|przez|текст)[\s:]+",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^\W*(?:(?:authors?|autor(?:en|es|a)?|auteurs?|autore|redactor|автор[ы]?|редактор)\s*:?"
    r"|(?:reporters?|writers?|journalists?|correspondents?|editors?|by-?line|text|words|texte|texto"
    r"|testo|tekst|journalistes?|reportero|periodista|giornalista|redakteur(?:in)?)\s*:)\s*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\(?\s*(?:https?://|www\.)\S+|\(?\s*[\w.+-]+@[\w-]+\.[\w.-]+\s*\)?")
_SUFFIX = re.compile(r",\s*((?:Jr|Sr|II|III|IV|Ph\.?D|M\.?D|Esq)\b\.?)")
_HANDLE = re.compile(r"(?<!\w)@\w+")
_APART = re.compile(r"\s*[,;|/•·]\s*|\s+&\s+|\n")
# "José Ortega y Gasset" is one person: what an "and" divides must be a full name on both sides.
_AND = re.compile(r"\s+(?:and|und|et|y|e|en|og|och|и)\s+", re.IGNORECASE)
# What stands behind the names in a byline: when, and what the page's buttons say.
BEHIND_NAMES = re.compile(
    r"\s(?=(?:published|updated|posted|last|on|at|https?|created|[A-Z][a-z]+day|January|February"
    r"|March|April|May|June|July|August|September|October|November|December)\b)"
    r"|\s(?=(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?\s*\d)|\s(?=\d)",
    re.IGNORECASE,
)
_MARKS = " .:()[]-–—"
_NOBODY = frozenset(
    (
        *("by", "author", "editor", "editors", "editorial", "editorial team", "editorial staff"),
        *("staff", "staff writer", "staff writers", "staff reporter", "staff report"),
        *("staff reports", "from staff reports", "wire reports", "wire services", "newsroom"),
        *("web desk", "webdesk", "news desk", "our correspondent", "online", "guest", "anonymous"),
        *("root", "user", "webmaster", "administrator", "unknown", "null", "none", "undefined"),
        *("redaktion", "redaction", "redaccion", "redacción", "redazione", "redação"),
    )
)
# A role stands behind a name or in its place: "Jane Doe, Chief Political Correspondent".
ROLE = re.compile(
    r"(?:\s*\b(?:chief|senior|staff|deputy|managing|associate|assistant|executive|contributing"
    r"|special|political|economics|business|sports?|science|health|technology|crime|education"
    r"|environment|foreign|diplomatic|national|world|features|news|culture|arts|medical))*"
    r"\s*\b(?:editor|correspondent|reporter|writer|journalist|columnist|producer|contributor"
    r"|redakteur(?:in)?|korrespondent(?:in)?|journaliste|redactora?|periodista|giornalista)s?$",
    re.IGNORECASE,
)


def author_names(
    stated: Iterable[list[str]], tree: "HtmlElement", not_people: Iterable[str]
) -> str | None:
    """Return the authors' names, joined by commas, or None where nobody is named.

    `stated` are what the page states, best first: the first list with a name in it counts, else
    the byline that trafilatura finds. `not_people` are the publisher's names.
    """
    publishers = {key for name in not_people if (key := letters(name).casefold())}
    for texts in stated:
        if names := _names(texts, publishers):
            return ", ".join(names)
    seen = [name for name in _names(_byline(tree), publishers) if _looks_like_a_name(name)]
    return ", ".join(seen) or None


def joined_names(texts: Iterable[str]) -> str | None:
    """Return the names in the texts, joined by commas, or None where there is none."""
    return ", ".join(_names(texts, set())) or None


def first_name_first(name: str) -> str:
    """Return a name as people say it, where it is written as in a catalogue: `Doe, Jane`."""
    last, comma, first = name.partition(",")
    plain = comma and "," not in first and len(last.split()) <= 2 and len(first.split()) <= 2
    return f"{first.strip()} {last.strip()}" if plain and first.strip() else name


def _byline(tree: "HtmlElement") -> list[str]:
    from trafilatura.metadata import extract_author

    found = extract_author(tree)
    return [BEHIND_NAMES.split(found)[0]] if found else []


def _names(texts: Iterable[str], publishers: set[str]) -> list[str]:
    found: dict[str, str] = {}
    for text in texts:
        for name in _parts(text):
            key = letters(name).casefold()
            if _is_name(name, key) and not _is_publisher(key, publishers):
                found.setdefault(key, name)
    return list(found.values()) if len(found) <= MAX_AUTHORS else []


def _is_publisher(key: str, publishers: set[str]) -> bool:
    """Return whether it is the publisher's name, or begins with it: "Reuters Staff"."""
    return any(key == p or (len(p) >= _LONG_NAME and key.startswith(p)) for p in publishers)


def _looks_like_a_name(name: str) -> bool:
    """Return whether words that only stand where a name may stand are one: `Ana de la Cruz`."""
    words = name.split()
    return 1 < len(words) <= _MOST_WORDS and not words[0].islower() and not words[-1].islower()


def _parts(text: str) -> Iterator[str]:
    text = _LABEL.sub("", _BY.sub("", tidied(text)))
    text = _SUFFIX.sub(r" \1", _HANDLE.sub(" ", _ADDRESS.sub(" ", text)))
    for part in _APART.split(text):
        sides = _AND.split(part)
        whole = len(sides) == 1 or all(len(side.split()) > 1 for side in sides)
        for side in sides if whole else [part]:
            yield ROLE.sub("", _BY.sub("", side).strip(_MARKS)).strip(_MARKS)


def _is_name(name: str, key: str) -> bool:
    if not key or key.isdigit() or len(name) > _LONGEST_NAME or len(name.split()) > _MOST_WORDS:
        return False
    if name.lower() in _NOBODY or key.endswith("admin"):
        return False
    return not any(character.isdigit() for character in name)
