import hashlib
import re
import unicodedata
from dataclasses import dataclass


def normalise(text: str) -> str:
    """Return the text in Unicode normal form C: the one change a story's text ever undergoes."""
    return unicodedata.normalize("NFC", text)


def folded(name: str | None) -> str | None:
    """Return the form in which two spellings of one name are equal; None stays None."""
    return None if name is None else normalise(name).strip().casefold()


def text_hash(text: str) -> str:
    """Return the sha256 of the text's UTF-8 bytes, as 64 hex digits.

    Bytes that are no UTF-8, as a damaged database gives them back, count as they are.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range `[start, end)` of code points in a revision's text; never empty.

    Raises:
        ValueError: if the range is empty, reversed or begins below 0.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def slice(self, text: str) -> str:
        """Return the characters of `text` that the span covers.

        Raises:
            ValueError: if the span reaches beyond the text.
        """
        if self.end > len(text):
            raise ValueError(f"span ends at {self.end}, text has {len(text)} characters")
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Return whether the two spans share at least one code point."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Return whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who published a story, who wrote it, when, and where; None is unknown, never a guess.

    `published_at` is ISO 8601 text with the precision that it came with (`2024`, `2024-10`,
    `2024-10-25` or a full timestamp with its own offset) and is never shifted between time zones.
    """

    title: str
    source: str | None = None
    author: str | None = None
    published_at: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A story on its way in: normalised text, attribution, and what had to be said about it.

    `title_given` is False where the title was made from the text. `said` is the attribution as it
    was read out of a page or feed, None where a person gave it, and `given` names the details in
    which a person said otherwise. `modified_at` is when the publisher
    changed it, as the page says. `article_id` names the story that it is surely a version of.
    `notes` are sentences for the person who adds
    the story ("the date ... is in the future, so the date stays unknown").
    """

    text: str
    attribution: Attribution
    external_id: str | None = None
    title_given: bool = True
    said: Attribution | None = None
    given: frozenset[str] = frozenset()
    article_id: str | None = None
    modified_at: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a story: its text and its attribution, never edited.

    `external_id` is the story's id in the file it was imported from, repeated here so that a
    revision can be cited without a second look-up. `id` counts within its `collection`.
    `created_at` is when it was stored; `modified_at` is when its publisher changed it, where known.

    Raises:
        ValueError: if `sha256` is not the text's own hash: a stored text that was altered
            must never be quoted.
    """

    id: int
    article_id: str
    external_id: str | None
    text: str
    sha256: str
    attribution: Attribution
    created_at: str
    collection: str = ""
    modified_at: str | None = None

    def __post_init__(self) -> None:
        if text_hash(self.text) != self.sha256:
            raise ValueError(f"the text of revision {self.id} does not match its hash")

    @property
    def key(self) -> tuple[str, int]:
        """Return what tells this revision from those of every collection."""
        return self.collection, self.id


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored slice of a revision, which is encoded and retrieved; its id is never reused."""

    id: int
    revision_id: int
    span: Span


@dataclass(frozen=True, slots=True)
class Filters:
    """What a question is restricted to; None does not restrict.

    `source` is compared without regard to case; `after` and `before` are ISO days, both
    inclusive; `article` is a story's public id. A story of unknown date passes no date filter.
    """

    source: str | None = None
    after: str | None = None
    before: str | None = None
    article: str | None = None

    def __bool__(self) -> bool:
        return any((self.source, self.after, self.before, self.article))


_COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def is_collection_name(name: str) -> bool:
    """Return whether the name is 1-64 of a-z, 0-9, `-`, `_`, so that it can name a folder."""
    return _COLLECTION_NAME.fullmatch(name) is not None
