"""Whether a quote that was given still stands: what became of its story since."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from data.answers import GivenCitation
from data.articles import ArticleStore
from data.errors import NotFoundError
from data.models import Revision
from data.standing import StandingStore
from index.sentences import paragraph_spans


class Standing(StrEnum):
    """What became of a quoted story; the values are remembered beside the answers."""

    UNCHANGED = ""
    CORRECTED = "corrected"  # its headline, publisher, author, date or link, not its text
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Correction:
    """How a quote stands now.

    `current` is the story's present revision, None where it was removed. `still_there` tells
    whether the quoted words are in it, white space aside. `at` is since when, in UTC, or None
    where that is not known. `quote` are the words that were quoted, "" where they were removed.
    """

    standing: Standing
    at: str | None
    still_there: bool
    current: Revision | None
    quote: str = ""

    @property
    def mark(self) -> str:
        """Return what tells this state from an earlier one of the same quote; "" is unchanged."""
        if self.standing is Standing.UNCHANGED:
            return ""
        return f"{self.standing}:{self.current.id if self.current else 0}"


def correction(
    articles: ArticleStore, standing: StandingStore, citation: GivenCitation
) -> Correction:
    """Return how a quote from this collection stands now.

    Raises:
        StorageError: if the story's text was altered in the database.
    """
    try:
        current = articles.own(citation.article_id)
    except NotFoundError:
        removed_at = standing.removed_at(citation.article_id)
        return Correction(Standing.REMOVED, removed_at, False, None)
    cited = articles.revision(citation.revision_id)
    quote = citation.span.slice(cited.text)
    withdrawn_at = standing.withdrawn_at(current.article_id)
    if withdrawn_at is not None:
        return Correction(Standing.WITHDRAWN, withdrawn_at, False, current, quote)
    if cited.sha256 != current.sha256:
        there = _folded(quote) in _folded(current.text)
        since = _since(standing.history(current.article_id).revisions, cited)
        return Correction(Standing.CHANGED, since, there, current, quote)
    if cited.attribution != current.attribution:
        return Correction(Standing.CORRECTED, current.created_at, True, current, quote)
    return Correction(Standing.UNCHANGED, None, True, current, quote)


def _since(revisions: Sequence[Revision], cited: Revision) -> str:
    """Return when the text last became another one than the cited."""
    since = revisions[-1].created_at
    for revision in reversed(revisions):
        if revision.sha256 == cited.sha256:
            break
        since = revision.created_at
    return since


def _folded(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Change:
    """A paragraph of a story's two versions: kept (both), taken out (no `new`) or put in."""

    old: str | None
    new: str | None

    @property
    def kept(self) -> bool:
        """Return whether it stands in both."""
        return self.old is not None and self.new is not None


def changes(old: str, new: str) -> Iterator[Change]:
    """Yield the paragraphs of two versions of a text in order, as kept, taken out or put in."""
    before, after = _paragraphs(old), _paragraphs(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    end, new_end = len(before) - tail, len(after) - tail
    yield from (Change(text, text) for text in before[:head])
    # Its rule for what is frequent keeps a text of repeated paragraphs from taking minutes.
    matcher = difflib.SequenceMatcher(None, before[head:end], after[head:new_end])
    for operation, a, b, c, d in matcher.get_opcodes():
        gone, come = before[head + a : head + b], after[head + c : head + d]
        if operation == "equal":
            yield from (Change(text, text) for text in gone)
            continue
        yield from (Change(text, None) for text in gone)
        yield from (Change(None, text) for text in come)
    yield from (Change(text, text) for text in before[end:])


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    """Return how many paragraphs both begin with."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(two)))


def _paragraphs(text: str) -> list[str]:
    return [span.slice(text) for span in paragraph_spans(text)]


def details_changed(old: Revision, new: Revision) -> list[tuple[str, str | None, str | None]]:
    """Return the details that differ between two revisions: name, before, after."""
    names = {"title": "headline", "source": "publisher", "published_at": "date", "url": "link"}
    found = []
    for name in ("title", "source", "author", "published_at", "url"):
        before, after = getattr(old.attribution, name), getattr(new.attribution, name)
        if before != after:
            found.append((names.get(name, name), before, after))
    return found
