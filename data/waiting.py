"""The items of feeds that wait: for another day, for another try, for the next poll."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from data.database import Database, scalar, write
from data.pages import FeedItem


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item that waits, and what its contents are known again by."""

    item: FeedItem
    fingerprint: str


class WaitingStore:
    """The waiting items of one collection's feeds; they go with their feed.

    It stands beside the collections, where nothing is wiped when a story is removed, so of what is
    a story already no more than a name and an address is to be kept here.
    """

    def __init__(self, db: Database, collection: str) -> None:
        self._db = db
        self._collection = collection

    def of(self, feed_id: int) -> list[Waiting]:
        """Return the waiting items of a feed in its own order."""
        rows = self._db.query(
            "SELECT w.item, w.fingerprint FROM feed_waiting w JOIN feeds f ON f.id = w.feed_id"
            " WHERE w.feed_id = ? AND f.collection = ? ORDER BY w.rowid",
            [feed_id, self._collection],
        )
        return [Waiting(FeedItem(**json.loads(row["item"])), row["fingerprint"]) for row in rows]

    def replace(self, feed_id: int, waiting: Iterable[Waiting]) -> None:
        """Keep these and no others; nothing where the feed is not followed here any more."""
        with write(self._db):
            followed = "SELECT 1 FROM feeds WHERE id = ? AND collection = ?"
            if scalar(self._db, followed, feed_id, self._collection) is None:
                return
            self._db.execute("DELETE FROM feed_waiting WHERE feed_id = ?", [feed_id])
            for one in waiting:
                item = json.dumps(asdict(one.item), ensure_ascii=False)
                self._db.execute(
                    "INSERT INTO feed_waiting (feed_id, guid, fingerprint, item)"
                    " VALUES (?, ?, ?, ?)",
                    [feed_id, one.item.guid, one.fingerprint, item],
                )
