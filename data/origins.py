from collections.abc import Iterable
from dataclasses import dataclass

from data.database import Database, parts, write


@dataclass(frozen=True, slots=True)
class Origin:
    """Who brought a story in, as a Discord user's id, and the message that it came with."""

    article_id: str
    added_by: int
    link: str | None


class OriginStore:
    """Where the stories of one collection came from; it goes when the story goes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, origin: Origin) -> None:
        """Store who added a story; whoever added it first stays, a link is filled in later."""
        with write(self._db):
            self._db.execute(
                "INSERT INTO origins (article_id, added_by, link) VALUES (?, ?, ?)"
                " ON CONFLICT (article_id) DO UPDATE SET link = coalesce(link, excluded.link)",
                [origin.article_id, origin.added_by, origin.link],
            )

    def of(self, article_ids: Iterable[str]) -> dict[str, Origin]:
        """Return the origins that are known, by the story's id."""
        found: dict[str, Origin] = {}
        for part in parts(article_ids):
            rows = self._db.execute(
                "SELECT article_id, added_by, link FROM origins"
                f" WHERE article_id IN ({','.join('?' * len(part))})",
                part,
            )
            found.update((row[0], Origin(*row)) for row in rows.fetchall())
        return found
