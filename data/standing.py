"""How the stories of a collection stand: withdrawn, removed, and what they said before."""

import logging
import sqlite3
import time
from dataclasses import dataclass

from data.database import LOCK_TIMEOUT, Database, scalar, write
from data.models import Revision
from data.revisions import REVISIONS, SCRUB, now, revision_from, touch

log = logging.getLogger(__name__)

_SCRUB_TRIES, _SCRUB_PAUSE = 20, 0.05  # a second in all, about as long as a question takes


@dataclass(frozen=True, slots=True)
class History:
    """A story's revisions, the first one first, and since when it is withdrawn, if it is."""

    revisions: tuple[Revision, ...]
    withdrawn_at: str | None


class StandingStore:
    """What became of the stories of one collection."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def withdraw(self, article_id: str) -> bool:
        """Take a story out of the index, as its publisher took it back; return whether it was in.

        Its revisions stay as history. Saving it again puts it back.
        """
        with write(self._db):
            changed = self._db.execute(
                "UPDATE articles SET withdrawn_at = ? WHERE id = ? AND withdrawn_at IS NULL",
                [now(), article_id],
            ).rowcount
            if changed:
                self._db.execute(
                    "DELETE FROM chunks WHERE revision_id IN"
                    " (SELECT id FROM revisions WHERE article_id = ?)",
                    [article_id],
                )
                touch(self._db)
            return bool(changed)

    def withdrawn_at(self, article_id: str) -> str | None:
        """Return since when a story is withdrawn, in UTC, or None."""
        found = scalar(self._db, "SELECT withdrawn_at FROM articles WHERE id = ?", article_id)
        return None if found is None else str(found)

    def withdrawn(self) -> dict[str, str]:
        """Return since when stories are withdrawn, in UTC, by their ids."""
        rows = self._db.query(
            "SELECT id, withdrawn_at FROM articles WHERE withdrawn_at IS NOT NULL"
        )
        return {row["id"]: row["withdrawn_at"] for row in rows}

    def removed_at(self, article_id: str) -> str | None:
        """Return when a story of that id was removed, in UTC, or None where none was."""
        found = scalar(self._db, "SELECT removed_at FROM removals WHERE article_id = ?", article_id)
        return None if found is None else str(found)

    def history(self, article_id: str) -> History:
        """Return the revisions of the story with this id, ours; () where there is none.

        Raises:
            StorageError: if a text was altered in the database.
        """
        rows = self._db.query(f"{REVISIONS} WHERE r.article_id = ? ORDER BY r.id", [article_id])
        revisions = tuple(revision_from(row, self._db.collection) for row in rows)
        return History(revisions, self.withdrawn_at(article_id))

    def scrub(self) -> bool:
        """Make sure that nothing of what was deleted is left in the files; return whether it is so.

        `secure_delete` overwrites what is deleted, but not what SQLite copied within a page before,
        words stay in the full-text index until its segments are merged, and whole pages in the
        write-ahead log until it is emptied. So the database is written anew, which takes seconds
        for hundreds of megabytes. A question under way can hold up the last step; it is waited for
        a moment, and then left to whoever closes the last connection, with which the log goes.
        What is still to be done is remembered, for whoever comes after a process that was killed.
        """
        try:
            owed = self._owed()
            if owed >= 0:
                with write(self._db):
                    self._db.execute("INSERT INTO chunks_fts(chunks_fts) VALUES ('optimize')")
                self._db.execute("VACUUM")
                with write(self._db):  # unless more was deleted meanwhile
                    owing = "UPDATE state SET value = -value WHERE key = ? AND value = ?"
                    self._db.execute(owing, [SCRUB, owed])
        except sqlite3.OperationalError as error:  # the disk is full, or another process writes
            log.warning("what was deleted could not be overwritten: %s", error)
            return False
        if not self._empty_log():
            return False
        with write(self._db):
            done = "DELETE FROM state WHERE key = ? AND value = ?"
            self._db.execute(done, [SCRUB, -abs(owed)])
        return True

    def owes_scrub(self) -> bool:
        """Return whether something was deleted that has yet to be overwritten."""
        return self._owed() != 0

    def _owed(self) -> int:
        return int(scalar(self._db, "SELECT value FROM state WHERE key = ?", SCRUB) or 0)

    def _empty_log(self) -> bool:
        self._db.execute("PRAGMA busy_timeout = 0")
        try:
            for _ in range(_SCRUB_TRIES):
                busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return True
                time.sleep(_SCRUB_PAUSE)
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
        return False
