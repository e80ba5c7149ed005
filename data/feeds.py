"""The feeds that collections follow, and what became of their items."""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from data.database import Database, scalar, write
from data.errors import NotFoundError, UserError
from data.followed import FollowedFeed, NotTaken, Outcome, SeenItem

DAILY_LIMIT = 50  # stories that a feed may bring in a day, unless somebody says otherwise
MAX_DAILY_LIMIT = 500
MAX_FEEDS = 50  # of one collection
INTERVAL = timedelta(minutes=30)  # between two polls of a feed that goes well
# An item that is no longer in its feed is remembered for this long, should it come back.
_REMEMBERED_DAYS = 180
_LONGEST = 300  # characters of a title or reason


class FeedStore:
    """The feeds of one collection."""

    def __init__(self, db: Database, collection: str) -> None:
        self._db = db
        self._collection = collection

    def add(
        self,
        url: str,
        *,
        title: str | None = None,
        added_by: int | None = None,
        channel_id: int | None = None,
        announce_id: int | None = None,
        daily_limit: int = DAILY_LIMIT,
    ) -> FollowedFeed:
        """Follow a feed from now on; return it. What is in it now is the caller's to take in.

        Raises:
            UserError: if it is followed already, there are too many, or the limit is none.
        """
        if not 1 <= daily_limit <= MAX_DAILY_LIMIT:
            raise UserError(f"A feed may bring 1 to {MAX_DAILY_LIMIT} stories a day.")
        with write(self._db):
            feeds = self.all()
            if any(feed.url == url for feed in feeds):
                raise UserError("That feed is followed already.")
            if len(feeds) >= MAX_FEEDS:
                raise UserError(f"There are {MAX_FEEDS} feeds already, and more is not possible.")
            moment = datetime.now(UTC)
            cursor = self._db.execute(
                "INSERT INTO feeds (collection, url, title, added_by, channel_id, announce_id,"
                " daily_limit, next_poll_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    self._collection,
                    url,
                    title,
                    added_by,
                    channel_id,
                    announce_id,
                    daily_limit,
                    _text(moment + INTERVAL),
                    _text(moment),
                ],
            )
            return self.get(int(cursor.lastrowid or 0))

    def all(self) -> list[FollowedFeed]:
        """Return the collection's feeds in the order in which they were added."""
        rows = self._db.query(
            "SELECT * FROM feeds WHERE collection = ? ORDER BY id", [self._collection]
        )
        return [FollowedFeed(**row) for row in rows]

    def get(self, feed_id: int) -> FollowedFeed:
        """Return a feed of this collection.

        Raises:
            NotFoundError: if it follows none of that number.
        """
        feed = self.find(feed_id)
        if feed is None:
            raise NotFoundError("There is no such feed here.")
        return feed

    def find(self, feed_id: int) -> FollowedFeed | None:
        """Return a feed of this collection, or None where it follows none of that number."""
        rows = self._db.query(
            "SELECT * FROM feeds WHERE id = ? AND collection = ?", [feed_id, self._collection]
        )
        return next((FollowedFeed(**row) for row in rows), None)

    def remove(self, feed_id: int) -> FollowedFeed:
        """Follow a feed no longer; return what it was. The stories that it brought stay.

        Raises:
            NotFoundError: if it follows none of that number.
        """
        with write(self._db):
            feed = self.get(feed_id)
            self._db.execute("DELETE FROM feeds WHERE id = ?", [feed_id])
            return feed

    def pause(self, feed_id: int, why: str | None) -> None:
        """Poll a feed no longer and remember why, or again from now on where `why` is None."""
        with write(self._db):
            self._db.execute(
                "UPDATE feeds SET paused = ?, failures = 0, next_poll_at = ?"
                " WHERE id = ? AND collection = ?",
                [why, _text(None), feed_id, self._collection],
            )

    def begin(self, feed_id: int, *, next_poll_at: datetime) -> FollowedFeed | None:
        """Return a feed as it is now, and let it be due no more, whatever its poll comes to.

        None where it is not followed here any more.
        """
        with write(self._db):
            self._db.execute(
                "UPDATE feeds SET next_poll_at = ? WHERE id = ? AND collection = ?",
                [_text(next_poll_at), feed_id, self._collection],
            )
            return self.find(feed_id)

    def polled(
        self,
        feed_id: int,
        *,
        next_poll_at: datetime,
        failures: int = 0,
        problem: str | None = None,
        now: datetime | None = None,
    ) -> None:
        """Remember that a feed was asked, how it went, and when it is asked again."""
        with write(self._db):
            self._db.execute(
                "UPDATE feeds SET polled_at = ?, next_poll_at = ?, failures = ?, problem = ?"
                " WHERE id = ? AND collection = ?",
                [_text(now), _text(next_poll_at), failures, problem, feed_id, self._collection],
            )

    def known_as(
        self,
        feed_id: int,
        *,
        url: str,
        title: str | None,
        etag: str | None,
        last_modified: str | None,
    ) -> None:
        """Remember what a feed calls itself, where it moved to, and what to send along next time.

        Once its items were dealt with: a process that ends before is given them again.
        """
        with write(self._db):
            taken = scalar(
                self._db,
                "SELECT 1 FROM feeds WHERE collection = ? AND url = ? AND id != ?",
                self._collection,
                url,
                feed_id,
            )
            self._db.execute(
                "UPDATE feeds SET url = CASE WHEN ? THEN url ELSE ? END,"
                " title = coalesce(?, title), etag = ?, last_modified = ?"
                " WHERE id = ? AND collection = ?",
                [bool(taken), url, title, etag, last_modified, feed_id, self._collection],
            )

    def seen(self, feed_id: int) -> dict[str, SeenItem]:
        """Return the items of a feed that were looked at, by guid."""
        rows = self._db.query(
            "SELECT i.guid, i.fingerprint, i.outcome, i.reason, i.title, i.article_id, i.tries,"
            " i.seen_at FROM feed_items i JOIN feeds f ON f.id = i.feed_id"
            " WHERE i.feed_id = ? AND f.collection = ? ORDER BY i.seen_at DESC, i.rowid DESC",
            [feed_id, self._collection],
        )
        return {row["guid"]: _seen(row) for row in rows}

    def not_taken(self, *, newest: int) -> dict[int, NotTaken]:
        """Return, by feed, what was refused or failed; feeds of which all came in are left out."""
        rows = self._db.query(
            "SELECT i.feed_id, i.guid, i.fingerprint, i.outcome, i.reason, i.title, i.article_id,"
            " i.tries, i.seen_at FROM feed_items i JOIN feeds f ON f.id = i.feed_id"
            " WHERE f.collection = ? AND i.outcome IN (?, ?)"
            " ORDER BY i.feed_id, i.seen_at DESC, i.rowid DESC",
            [self._collection, Outcome.REFUSED, Outcome.FAILED],
        )
        found: dict[int, list[SeenItem]] = {}
        for row in rows:
            found.setdefault(row.pop("feed_id"), []).append(_seen(row))
        return {
            feed_id: NotTaken(len(items), tuple(items[:newest])) for feed_id, items in found.items()
        }

    def see(
        self,
        feed_id: int,
        guid: str,
        fingerprint: str,
        outcome: Outcome,
        *,
        reason: str | None = None,
        title: str | None = None,
        article_id: str | None = None,
        now: datetime | None = None,
    ) -> None:
        """Remember what became of an item; a failure counts its tries at the same state of it.

        Nothing where the feed is not followed here any more. The title of what is a story is not
        kept here: it goes with the story. What is not tried again waits no longer.
        """
        moment = _text(now)
        taken = moment if outcome is Outcome.NEW else None
        with write(self._db):
            self._db.execute(
                "INSERT INTO feed_items SELECT ?, ?, ?, ?, ?, ?, ?, 1, ?, ?"
                " WHERE EXISTS (SELECT 1 FROM feeds WHERE id = ? AND collection = ?)"
                " ON CONFLICT (feed_id, guid) DO UPDATE SET"
                " tries = CASE WHEN fingerprint = excluded.fingerprint THEN tries + 1 ELSE 1 END,"
                " fingerprint = excluded.fingerprint, outcome = excluded.outcome,"
                " reason = excluded.reason, title = excluded.title,"
                " article_id = coalesce(excluded.article_id, article_id),"
                " seen_at = excluded.seen_at, taken_at = coalesce(excluded.taken_at, taken_at)",
                [
                    feed_id,
                    guid,
                    fingerprint,
                    outcome.value,
                    reason and reason[:_LONGEST],
                    title[:_LONGEST] if title and article_id is None else None,
                    article_id,
                    moment,
                    taken,
                    feed_id,
                    self._collection,
                ],
            )
            if outcome is not Outcome.FAILED:
                self._db.execute(
                    "DELETE FROM feed_waiting WHERE guid = ?"
                    " AND feed_id = (SELECT id FROM feeds WHERE id = ? AND collection = ?)",
                    [guid, feed_id, self._collection],
                )

    def taken_today(self, feed_id: int, *, now: datetime | None = None) -> int:
        """Return how many items became stories since midnight in UTC; new versions do not count."""
        return int(
            scalar(
                self._db,
                "SELECT count(*) FROM feed_items i JOIN feeds f ON f.id = i.feed_id"
                " WHERE i.feed_id = ? AND f.collection = ? AND i.taken_at >= ?",
                feed_id,
                self._collection,
                _text(now)[:10],
            )
        )

    def still_there(
        self, feed_id: int, guids: Collection[str], *, now: datetime | None = None
    ) -> None:
        """Remember which items are in a feed now, and forget those that left it half a year ago."""
        ours = "feed_id = (SELECT id FROM feeds WHERE id = ? AND collection = ?)"
        with write(self._db):
            self._db.execute(
                f"UPDATE feed_items SET seen_at = ? WHERE {ours}"
                " AND guid IN (SELECT value FROM json_each(?))",
                [_text(now), feed_id, self._collection, json.dumps(list(guids))],
            )
            self._db.execute(
                f"DELETE FROM feed_items WHERE {ours} AND julianday(seen_at) < julianday(?) - ?",
                [feed_id, self._collection, _text(now), _REMEMBERED_DAYS],
            )


def due_feeds(db: Database, *, now: datetime | None = None) -> list[FollowedFeed]:
    """Return the feeds of all collections that are to be polled now, the longest overdue first."""
    rows = db.query(
        "SELECT * FROM feeds WHERE paused IS NULL AND next_poll_at <= ? ORDER BY next_poll_at",
        [_text(now)],
    )
    return [FollowedFeed(**row) for row in rows]


def _seen(row: dict[str, Any]) -> SeenItem:
    return SeenItem(**{**row, "outcome": Outcome(row["outcome"])})


def _text(moment: datetime | None) -> str:
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
