"""Which items of a feed are looked at, and what is kept of those that wait; pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.extraction.page_addresses import same_site
from data.followed import Outcome, SeenItem
from data.pages import FeedItem
from data.waiting import Waiting
from data.web.fetch import FetchError

# Tries of an item's page, at polls half an hour apart or more. A page that is not there may be so
# because it was announced a little early; a site's own trouble is waited for about a day.
MAX_TRIES = 3
MAX_TRIES_OF_TROUBLE = 48
REMOVED_HERE = "It was removed here."


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that is to be looked at, and what became of it before."""

    item: FeedItem
    fingerprint: str
    before: SeenItem | None

    @property
    def article_id(self) -> str | None:
        """Return the story that it was so far."""
        return self.before.article_id if self.before else None

    def failed(self, most: int = MAX_TRIES) -> Outcome:
        """Return what becomes of it where it fails now: it is tried so often at `most`."""
        before = self.before
        same = before is not None and before.fingerprint == self.fingerprint
        tries = before.tries if before and same and before.outcome is Outcome.FAILED else 0
        return Outcome.REFUSED if tries + 1 >= most else Outcome.FAILED

    @property
    def kept(self) -> Waiting:
        """Return what is kept of it while it waits: of what is a story here, none of its words."""
        item = self.item
        if self.article_id is not None:
            item = FeedItem(guid=item.guid, url=item.url)
        return Waiting(item, self.fingerprint)

    @property
    def loses_text(self) -> bool:
        """Return whether what is kept of it lacks a text that the feed has."""
        return self.article_id is not None and not self.item.is_summary


def is_own(item: FeedItem, feed_url: str) -> bool:
    """Return whether an item's story stands on the feed's own site, for which the feed speaks.

    What stands on another one is for that one to say.
    """
    return item.url is None or same_site(item.url, feed_url)


def most_tries(error: FetchError) -> int:
    """Return how often an item is tried whose page cannot be had for that reason."""
    if error.lasting:
        return 1
    return MAX_TRIES_OF_TROUBLE if error.passing else MAX_TRIES


def new_entries(items: Sequence[FeedItem], seen: Mapping[str, SeenItem]) -> list[Entry]:
    """Return the items of a feed that are new or changed, of several with one guid the first."""
    once: dict[str, FeedItem] = {}
    for item in items:
        once.setdefault(item.guid, item)
    entries = [Entry(item, _fingerprint(item), seen.get(guid)) for guid, item in once.items()]
    return _corrections_first(entry for entry in entries if _is_to_be_seen(entry))


def waiting_entries(waiting: Iterable[Waiting], seen: Mapping[str, SeenItem]) -> list[Entry]:
    """Return the items that wait."""
    return _corrections_first(Entry(w.item, w.fingerprint, seen.get(w.item.guid)) for w in waiting)


def _corrections_first(entries: Iterable[Entry]) -> list[Entry]:
    """Return the items of stories that are here before the others."""
    return sorted(entries, key=lambda entry: entry.article_id is None)


def _is_to_be_seen(entry: Entry) -> bool:
    """Return whether an item is looked at, for the first time or again.

    What was removed here may have been added again by hand.
    """
    before = entry.before
    return (
        before is None
        or before.fingerprint != entry.fingerprint
        or before.outcome is Outcome.FAILED
        or before.reason == REMOVED_HERE
    )


def _fingerprint(item: FeedItem) -> str:
    """Return what an item's contents are known again by.

    A date that was moved is reason enough to look at the page again, of which a summary says
    nothing. It makes no new version by itself: that is for the text to say.
    """
    dates = (item.published_at, item.modified_at)
    parts = (item.url, item.title, item.author, item.text, item.refused, *dates)
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()
