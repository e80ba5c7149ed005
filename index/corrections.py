"""Whether a quote that was given still stands: what became of its story since."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from data.answers import GivenCitation
from data.articles import ArticleStore
from data.dates import days_covered, is_future
from data.errors import NotFoundError
from data.models import Revision
from data.standing import StandingStore
from index.carriers import stands_in
from index.sentences import paragraph_spans

# A day begins and ends that much earlier or later somewhere on earth.
_TIME_ZONES = timedelta(hours=14)


class Standing(StrEnum):
    """What became of a quoted story; the values are remembered beside the answers."""

    UNCHANGED = ""
    CORRECTED = "corrected"  # its headline, publisher, author, date or link, not its text
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    # The version that was quoted is not here any more, as after an older backup was restored.
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Correction:
    """How a quote stands now.

    `current` is the story's present revision, None where it was removed. `still_there` tells
    whether the quoted sentences are in it, white space aside. `at` is since when, in UTC, or None
    where that is not known; `by_publisher` tells that the publisher itself dates it, and else it
    is when it was noticed here. `quote` are the words that were quoted, "" where `cited`, the
    revision that they stand in, is None. `attributed` is the revision whose details are the
    quote's: those that were put right later are, those of another text are not.
    """

    standing: Standing
    at: str | None
    still_there: bool
    current: Revision | None
    quote: str = ""
    cited: Revision | None = None
    attributed: Revision | None = None
    by_publisher: bool = False

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
    cited = cited_revision(articles, citation)
    withdrawn_at = standing.withdrawn_at(current.article_id)
    if cited is None:
        kind = Standing.WITHDRAWN if withdrawn_at else Standing.MISSING
        return Correction(kind, withdrawn_at, False, current)
    quote = citation.span.slice(cited.text)
    same_text = cited.sha256 == current.sha256
    if withdrawn_at is None and same_text and cited.attribution == current.attribution:
        return Correction(Standing.UNCHANGED, None, True, current, quote, cited, current)
    revisions = standing.history(current.article_id).revisions
    last = max(n for n, revision in enumerate(revisions) if revision.sha256 == cited.sha256)
    as_quoted = revisions[last]
    if withdrawn_at is not None:
        kind = Standing.WITHDRAWN
        return Correction(kind, withdrawn_at, False, current, quote, cited, as_quoted)
    if same_text:
        since = _details_since(revisions)
        return Correction(Standing.CORRECTED, since, True, current, quote, cited, current)
    there = stands_in(cited, citation.span, current.text)
    changed = revisions[last + 1]
    dated = _publishers_date(changed, before=as_quoted)
    return Correction(
        Standing.CHANGED,
        dated or changed.created_at,
        there,
        current,
        quote,
        cited,
        attributed=current if there else as_quoted,
        by_publisher=dated is not None,
    )


def cited_revision(articles: ArticleStore, citation: GivenCitation) -> Revision | None:
    """Return the revision that was quoted, None where it is gone or its number is another's.

    Raises:
        StorageError: if its text was altered in the database.
    """
    try:
        found = articles.revision(citation.revision_id)
    except NotFoundError:
        return None
    known = citation.sha256 in (None, found.sha256)
    fits = citation.span.end <= len(found.text)
    return found if known and fits and found.article_id == citation.article_id else None


def _details_since(revisions: Sequence[Revision]) -> str:
    """Return when the last revision's details became what they are."""
    since = revisions[-1]
    for revision in reversed(revisions):
        if revision.attribution != since.attribution:
            break
        since = revision
    return since.created_at


def _publishers_date(changed: Revision, *, before: Revision) -> str | None:
    """Return the publisher's own date of a change, None where it is unknown or cannot be right.

    It lies between when the version before it and the changed one were stored.
    """
    said, noticed = changed.modified_at, datetime.fromisoformat(changed.created_at)
    days = days_covered(said)
    if said is None or days is None or is_future(said, noticed):
        return None
    earliest, latest = (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in days)
    earliest, latest = earliest - _TIME_ZONES, latest + timedelta(days=1) + _TIME_ZONES
    with suppress(ValueError):  # a year, or a month
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is not None:
            earliest = latest = moment
    known = datetime.fromisoformat(before.created_at)
    return said if known <= latest and earliest <= noticed else None


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
