from dataclasses import dataclass

from data.database import Database, scalar
from data.models import Attribution, folded
from data.revisions import attribution_from

_CURRENT = """
    FROM articles a JOIN revisions r ON r.id = a.revision_id
    LEFT JOIN external_ids e ON e.article_id = a.id AND e.is_primary
"""
_MATCHING = (
    "WHERE instr(folded(r.title), :words) OR instr(folded(coalesce(r.source, '')), :words)"
    " OR a.id = :id OR e.external_id = :id"
)
_NEWEST_FIRST = "ORDER BY r.last_day IS NULL, r.last_day DESC, r.published_at DESC, a.added_at DESC"


@dataclass(frozen=True, slots=True)
class Headline:
    """What a list says about a story: everything but its text."""

    article_id: str
    collection: str
    attribution: Attribution


class HeadlineStore:
    """The stories of one collection without their texts, for lists and for completing titles."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def page(self, *, limit: int, offset: int = 0, matching: str = "") -> list[Headline]:
        """Return a part of the list, the newest story first, unknown dates last.

        `matching` keeps the stories whose title or publisher holds it, in any case, or whose id
        it is.
        """
        rows = self._db.query(
            "SELECT a.id, r.title, r.source, r.author, r.published_at, r.url"
            f" {_CURRENT} {_MATCHING if matching.strip() else ''} {_NEWEST_FIRST}"
            " LIMIT :limit OFFSET :offset",
            {
                "words": folded(matching),
                "id": matching.strip(),
                "limit": limit,
                "offset": offset,
            },
        )
        return [
            Headline(
                article_id=row["id"],
                collection=self._db.collection,
                attribution=attribution_from(row),
            )
            for row in rows
        ]

    def count(self) -> int:
        """Return the number of stories."""
        return int(scalar(self._db, "SELECT count(*) FROM articles"))
