"""Which stories came from an address, and when each is looked at there again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from data.database import Database, scalar, write
from data.pages import Page
from data.urls import canonical_url

# A page is looked at again after as long as it has been unchanged, within these bounds: most
# corrections come within the first hours, and a page that has been still for weeks stays so.
SOONEST = timedelta(hours=1)
LATEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Recheck:
    """A story's page: its address, what to send along, and what came of the last look.

    `was_read` tells that the stored text is the page's own; where it came from elsewhere, as from a
    feed, the two are never compared. `asked_url` is what was asked for where the page has moved
    since. `problem` is a sentence, or None where the page was there. `since` is when the story was
    last stored, in UTC; `links` are the addresses under which it is known, here and by its page.
    """

    article_id: str
    url: str
    asked_url: str | None
    was_read: bool
    etag: str | None
    last_modified: str | None
    checked_at: str
    problem: str | None
    since: str
    links: tuple[str, ...]

    def is_at(self, url: str) -> bool:
        """Return whether an address leads to this page, as far as that is known."""
        return canonical_url(url) in {
            canonical_url(known) for known in (self.url, self.asked_url, *self.links)
        }


class RecheckStore:
    """The pages of the stories of one collection; a row goes when its story goes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, article_id: str, page: Page, *, now: datetime | None = None) -> None:
        """Remember that a story was read from a page just now; nothing for what has no address."""
        if page.asked_url is None:
            return
        moment = now or datetime.now(UTC)
        with write(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO pages (article_id, url, asked_url, was_read, etag,"
                " last_modified, checked_at, next_check_at) VALUES (?, ?, ?, 1, ?, ?, ?, ?)",
                [
                    article_id,
                    page.moved_to or page.asked_url,
                    page.asked_url,
                    page.etag,
                    page.last_modified,
                    _text(moment),
                    self._following(article_id, moment),
                ],
            )

    def stands_at(self, article_id: str, url: str, *, now: datetime | None = None) -> None:
        """Remember where a story stands whose text came from elsewhere, to see whether it is gone.

        Nothing where its text was read from its page.
        """
        moment = now or datetime.now(UTC)
        with write(self._db):
            self._db.execute(
                "INSERT INTO pages (article_id, url, was_read, checked_at, next_check_at)"
                " VALUES (?, ?, 0, ?, ?) ON CONFLICT (article_id) DO UPDATE SET"
                " url = excluded.url, next_check_at = min(next_check_at, excluded.next_check_at)"
                " WHERE NOT was_read",
                [article_id, url, _text(moment), self._following(article_id, moment)],
            )

    def postpone(self, article_ids: Iterable[str], *, now: datetime | None = None) -> None:
        """Let pages be due no more, before they are looked at: one may end the look."""
        moment = now or datetime.now(UTC)
        with write(self._db):
            for article_id in article_ids:
                self._db.execute(
                    "UPDATE pages SET next_check_at = ? WHERE article_id = ?",
                    [self._following(article_id, moment), article_id],
                )

    def checked(self, article_id: str, *, problem: str | None, now: datetime | None = None) -> None:
        """Remember a look at a page that brought nothing new."""
        moment = now or datetime.now(UTC)
        with write(self._db):
            self._db.execute(
                "UPDATE pages SET checked_at = ?, next_check_at = ?, problem = ?"
                " WHERE article_id = ?",
                [
                    _text(moment),
                    self._following(article_id, moment),
                    problem,
                    article_id,
                ],
            )

    def forget_validators(self, article_id: str) -> None:
        """Ask for a page whole next time: what its server said of it is no longer of use."""
        with write(self._db):
            self._db.execute(
                "UPDATE pages SET etag = NULL, last_modified = NULL WHERE article_id = ?",
                [article_id],
            )

    def get(self, article_id: str) -> Recheck | None:
        """Return the page of a story, or None where it did not come from one."""
        found = self._rows("WHERE p.article_id = ?", [article_id])
        return found[0] if found else None

    def of_url(self, url: str) -> Recheck | None:
        """Return the page of the story that stands at this address, or None."""
        found = self._rows(
            "WHERE p.url = ? OR a.canonical_url = ? OR s.url = ? ORDER BY p.url != ?",
            [url, canonical_url(url), url, url],
        )
        return found[0] if found else None

    def stories_at(self, url: str) -> list[str]:
        """Return the ids of the stories that are known by an address, pages or not."""
        rows = self._db.execute(
            "SELECT a.id FROM articles a LEFT JOIN pages p ON p.article_id = a.id"
            " LEFT JOIN said s ON s.article_id = a.id"
            " WHERE p.url = ? OR a.canonical_url = ? OR s.url = ? ORDER BY a.added_at DESC",
            [url, canonical_url(url), url],
        )
        return [row[0] for row in rows.fetchall()]

    def due(self, *, limit: int, now: datetime | None = None) -> list[Recheck]:
        """Return the pages that are to be looked at now, the longest overdue first."""
        moment = _text(now or datetime.now(UTC))
        return self._rows(
            "WHERE p.next_check_at <= ? ORDER BY p.next_check_at LIMIT ?", [moment, limit]
        )

    def _rows(self, where: str, parameters: Iterable[object]) -> list[Recheck]:
        rows = self._db.query(
            "SELECT p.article_id, p.url, p.asked_url, p.was_read, p.etag, p.last_modified,"
            " p.checked_at, p.problem, r.created_at AS since, r.url AS here, s.url AS said"
            " FROM pages p JOIN articles a ON a.id = p.article_id"
            " LEFT JOIN said s ON s.article_id = a.id"
            f" JOIN revisions r ON r.id = a.revision_id {where}",
            list(parameters),
        )
        return [_recheck(row) for row in rows]

    def _following(self, article_id: str, moment: datetime) -> str:
        """Return when to look again: after as long as the story has stood unchanged."""
        since = scalar(
            self._db,
            "SELECT r.created_at FROM articles a JOIN revisions r ON r.id = a.revision_id"
            " WHERE a.id = ?",
            article_id,
        )
        unchanged = moment - datetime.fromisoformat(since) if since else SOONEST
        return _text(moment + min(max(unchanged, SOONEST), LATEST))


def _recheck(row: dict[str, Any]) -> Recheck:
    links = tuple(link for link in (row.pop("here"), row.pop("said")) if link)
    return Recheck(**{**row, "was_read": bool(row["was_read"])}, links=links)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
