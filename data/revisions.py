from datetime import UTC, datetime
from typing import Any

from data.database import Database
from data.dates import days_covered
from data.errors import StorageError
from data.models import Attribution, Revision, text_hash

# What every query for revisions begins with; `revision_from` reads its rows.
REVISIONS = """
    SELECT r.*, e.external_id FROM revisions r
    LEFT JOIN external_ids e ON e.article_id = r.article_id AND e.is_primary
"""

# The row of `state` that is there while something deleted is still to be overwritten in the files:
# a number that rises with each deletion, negative once only the write-ahead log is left to do.
SCRUB = "scrub"


def insert_revision(
    db: Database,
    article_id: str,
    text: str,
    attribution: Attribution,
    modified_at: str | None = None,
) -> int:
    """Store a revision and return its id; the chunks of the story's earlier ones are deleted.

    Earlier revisions stay as history, but only the current one is searched.
    """
    days = days_covered(attribution.published_at) or (None, None)
    cursor = db.execute(
        "INSERT INTO revisions (article_id, text, sha256, title, source, author,"
        " published_at, url, first_day, last_day, created_at, modified_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            article_id,
            text,
            text_hash(text),
            attribution.title,
            attribution.source,
            attribution.author,
            attribution.published_at,
            attribution.url,
            *days,
            now(),
            modified_at,
        ],
    )
    revision_id = int(cursor.lastrowid or 0)
    db.execute(
        "DELETE FROM chunks WHERE revision_id IN"
        " (SELECT id FROM revisions WHERE article_id = ? AND id != ?)",
        [article_id, revision_id],
    )
    return revision_id


def attribution_from(row: dict[str, Any]) -> Attribution:
    """Return the attribution in a row that has the columns of `revisions`."""
    return Attribution(
        title=row["title"],
        source=row["source"],
        author=row["author"],
        published_at=row["published_at"],
        url=row["url"],
    )


def revision_from(row: dict[str, Any], collection: str) -> Revision:
    """Return the revision in a row of `REVISIONS`, read from the collection of that name.

    Raises:
        StorageError: if the stored text no longer matches its hash.
    """
    try:
        return Revision(
            id=row["id"],
            article_id=row["article_id"],
            external_id=row["external_id"],
            text=row["text"],
            sha256=row["sha256"],
            attribution=attribution_from(row),
            created_at=row["created_at"],
            collection=collection,
            modified_at=row["modified_at"],
        )
    except ValueError as error:
        raise StorageError(
            f"The stored text of story {row['article_id']} was altered, so it is not quoted. "
            "Add the story again, remove it, or restore the collection from a backup."
        ) from error


def touch(db: Database) -> None:
    """Mark the collection as changed: its generation rises and its token is drawn anew."""
    db.execute("UPDATE state SET value = value + 1 WHERE key = 'generation'")
    db.execute("UPDATE state SET value = random() WHERE key = 'token'")


def owe_scrub(db: Database) -> None:
    """Remember that what was deleted just now has yet to be overwritten in the files."""
    db.execute(
        "INSERT INTO state VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET value = abs(value) + 1",
        [SCRUB],
    )


def now() -> str:
    """Return the present time as ISO 8601 text in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
