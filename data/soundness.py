from typing import Any

from data.database import Database
from data.dates import days_covered
from data.models import text_hash
from data.urls import canonical_url


class Soundness:
    """What of a collection's stories was altered or lost in the database; reads only."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def altered_revisions(self) -> list[int]:
        """Return the ids of the revisions whose text no longer matches its hash."""
        rows = self._db.query("SELECT id, text, sha256 FROM revisions ORDER BY id")
        return [row["id"] for row in rows if text_hash(row["text"]) != row["sha256"]]

    def altered_attributions(self) -> list[int]:
        """Return the ids of the revisions whose date or link is not what was derived from it."""
        rows = self._db.query(
            "SELECT r.id, r.published_at, r.first_day, r.last_day, r.url, a.canonical_url,"
            " a.revision_id IS r.id AS current"
            " FROM revisions r JOIN articles a ON a.id = r.article_id ORDER BY r.id"
        )
        return [row["id"] for row in rows if not _derived_fits(row)]

    def broken_articles(self) -> list[str]:
        """Return the ids of the stories that have no current revision of their own."""
        rows = self._db.query(
            "SELECT a.id FROM articles a LEFT JOIN revisions r ON r.id = a.revision_id"
            " WHERE r.id IS NULL OR r.article_id != a.id ORDER BY a.id"
        )
        return [row["id"] for row in rows]


def _derived_fits(row: dict[str, Any]) -> bool:
    try:
        days = days_covered(row["published_at"]) or (None, None)
        link = canonical_url(row["url"]) if row["current"] else row["canonical_url"]
    except ValueError:  # no date or address that was ever stored
        return False
    return (*days, link) == (row["first_day"], row["last_day"], row["canonical_url"])
