import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from data.database import Database, parts, scalar, write
from data.dates import days_covered
from data.errors import NotFoundError, StorageError
from data.identity import identify, remember_external_id
from data.models import Attribution, Draft, Revision, text_hash
from data.plaintext import title_from
from data.revisions import REVISIONS, insert_revision, now, revision_from, touch
from data.urls import canonical_url

log = logging.getLogger(__name__)

# Public ids avoid letters that are mistaken for one another.
_ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_ID_LENGTH = 7


class SaveStatus(StrEnum):
    """What saving a story did."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome of saving a draft: the story it became, and its current revision."""

    status: SaveStatus
    revision: Revision


class ArticleStore:
    """The stories of one collection. Each change is one transaction and raises the generation."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, draft: Draft) -> Saved:
        """Store the draft as a new story, as a new revision of a known one, or not at all.

        The rules, in order: a known external id is that story; a known URL is that story, unless
        both have external ids and these differ; the same text from the same publisher at the
        same URL is that story. A known story with the same text and attribution is left as it
        is. What a draft does not know (an author, say) does not erase what is known.
        """
        with write(self._db):
            article_id = identify(self._db, draft)
            if article_id is None:
                return Saved(SaveStatus.NEW, self._insert_article(draft))
            current = self._sound(article_id)
            named = remember_external_id(self._db, draft.external_id, article_id)
            attribution = draft.attribution if current is None else _merged(current, draft)
            if current and (draft.text, attribution) == (current.text, current.attribution):
                if named:
                    self._touch()
                return Saved(SaveStatus.SAME, self.get(article_id))
            revision_id = self._new_revision(article_id, draft.text, attribution)
            return Saved(SaveStatus.CHANGED, self.revision(revision_id))

    def preview(self, draft: Draft) -> tuple[SaveStatus, Attribution]:
        """Return what saving the draft would do now, and the attribution it would end up with."""
        article_id = identify(self._db, draft)
        if article_id is None:
            return SaveStatus.NEW, draft.attribution
        current = self._sound(article_id)
        if current is None:
            return SaveStatus.CHANGED, draft.attribution
        attribution = _merged(current, draft)
        same = draft.text == current.text and attribution == current.attribution
        return (SaveStatus.SAME if same else SaveStatus.CHANGED), attribution

    def edit(self, article_id: str, attribution: Attribution) -> Saved:
        """Give the story a new revision with another attribution and the same text.

        Raises:
            NotFoundError: if there is no such story.
        """
        with write(self._db):
            current = self.get(article_id)
            if attribution == current.attribution:
                return Saved(SaveStatus.SAME, current)
            revision_id = self._new_revision(current.article_id, current.text, attribution)
            return Saved(SaveStatus.CHANGED, self.revision(revision_id))

    def remove(self, article_id: str) -> Revision:
        """Delete the story with all its revisions and chunks; return what was current.

        Raises:
            NotFoundError: if there is no such story.
        """
        with write(self._db):
            row = self._current_row(article_id)
            # An altered text is no reason to keep it: it is only named here, not quoted.
            removed = self._revision_from({**row, "sha256": text_hash(row["text"])})
            self._db.execute("DELETE FROM articles WHERE id = ?", [removed.article_id])
            self._touch()
            return removed

    def get(self, article_id: str) -> Revision:
        """Return the current revision of the story with this id, ours or its external one.

        Raises:
            NotFoundError: if there is no such story in this collection.
            StorageError: if its text was altered in the database.
        """
        return self._revision_from(self._current_row(article_id))

    def _current_row(self, article_id: str) -> dict[str, Any]:
        wanted = article_id.encode("utf-8", "replace").decode("utf-8")
        row = self._one(
            f"{REVISIONS} JOIN articles a ON a.revision_id = r.id WHERE a.id = ?", wanted
        ) or self._one(
            f"{REVISIONS} JOIN articles a ON a.revision_id = r.id"
            " WHERE a.id = (SELECT article_id FROM external_ids WHERE external_id = ?)",
            wanted,
        )
        if row is None:
            raise NotFoundError(f"There is no story with the id {article_id!r} here.")
        return row

    def _sound(self, article_id: str) -> Revision | None:
        """Return the story's current revision, or None where its text was altered."""
        try:
            return self.get(article_id)
        except StorageError:
            return None

    def revision(self, revision_id: int) -> Revision:
        """Return one revision, current or not.

        Raises:
            NotFoundError: if it does not exist, or no longer.
        """
        row = self._one(f"{REVISIONS} WHERE r.id = ?", revision_id)
        if row is None:
            raise NotFoundError("This version of the story is no longer stored.")
        return self._revision_from(row)

    def revisions(self, revision_ids: Iterable[int]) -> dict[int, Revision]:
        """Return the revisions that exist, by id; one whose text was altered is left out."""
        found: dict[int, Revision] = {}
        for part in parts(revision_ids):
            marks = ",".join("?" * len(part))
            for row in self._db.query(f"{REVISIONS} WHERE r.id IN ({marks})", part):
                found.update((revision.id, revision) for revision in self._sound_only([row]))
        return found

    def current(self) -> list[Revision]:
        """Return the current revision of every story, the newest first, unknown dates last.

        A story whose text was altered is left out, with a warning.
        """
        rows = self._db.query(
            f"{REVISIONS} JOIN articles a ON a.revision_id = r.id"
            " ORDER BY r.last_day IS NULL, r.last_day DESC, r.published_at DESC, a.added_at DESC"
        )
        return list(self._sound_only(rows))

    def count(self) -> int:
        """Return the number of stories."""
        return int(scalar(self._db, "SELECT count(*) FROM articles"))

    def revision_count(self) -> int:
        """Return the number of stored revisions, current and earlier ones."""
        return int(scalar(self._db, "SELECT count(*) FROM revisions"))

    def version_count(self, article_id: str) -> int:
        """Return the number of stored revisions of one story."""
        sql = "SELECT count(*) FROM revisions WHERE article_id = ?"
        return int(scalar(self._db, sql, article_id))

    def newest(self) -> Revision | None:
        """Return the story with the latest known date, or None where no date is known."""
        rows = self._db.query(
            f"{REVISIONS} JOIN articles a ON a.revision_id = r.id WHERE r.last_day IS NOT NULL"
            " ORDER BY r.last_day DESC, r.published_at DESC"
        )
        return next(self._sound_only(rows), None)

    def sources(self) -> list[str]:
        """Return the publishers of the current revisions, each once, sorted."""
        rows = self._db.query(
            "SELECT DISTINCT r.source FROM revisions r JOIN articles a ON a.revision_id = r.id"
            " WHERE r.source IS NOT NULL ORDER BY r.source COLLATE NOCASE"
        )
        return [row["source"] for row in rows]

    def generation(self) -> int:
        """Return the number that every committed change of the collection raises."""
        return int(scalar(self._db, "SELECT value FROM state WHERE key = 'generation'"))

    def token(self) -> int:
        """Return the random number that every committed change draws anew.

        Two databases of one number hold the same: a restored backup never has a later one's.
        """
        return int(scalar(self._db, "SELECT value FROM state WHERE key = 'token'"))

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

    def _insert_article(self, draft: Draft) -> Revision:
        article_id = self._new_id()
        self._db.execute("INSERT INTO articles (id, added_at) VALUES (?, ?)", [article_id, now()])
        remember_external_id(self._db, draft.external_id, article_id)
        revision_id = self._new_revision(article_id, draft.text, draft.attribution)
        return self.revision(revision_id)

    def _new_id(self) -> str:
        while True:
            candidate = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
            taken = scalar(
                self._db,
                "SELECT 1 FROM articles WHERE id = ? UNION"
                " SELECT 1 FROM external_ids WHERE external_id = ?",
                candidate,
                candidate,
            )
            if not taken:
                return candidate

    def _new_revision(self, article_id: str, text: str, attribution: Attribution) -> int:
        revision_id = insert_revision(self._db, article_id, text, attribution)
        self._db.execute(
            "UPDATE articles SET revision_id = ?, canonical_url = ? WHERE id = ?",
            [revision_id, canonical_url(attribution.url), article_id],
        )
        self._touch()
        return revision_id

    def _touch(self) -> None:
        touch(self._db)

    def _revision_from(self, row: dict[str, Any]) -> Revision:
        return revision_from(row, self._db.collection)

    def _sound_only(self, rows: Iterable[dict[str, Any]]) -> Iterator[Revision]:
        for row in rows:
            try:
                yield self._revision_from(row)
            except StorageError as error:
                log.warning("%s", error)

    def _one(self, sql: str, *parameters: object) -> dict[str, Any] | None:
        return next(iter(list(self._db.query(sql, list(parameters)))), None)


def _derived_fits(row: dict[str, Any]) -> bool:
    try:
        days = days_covered(row["published_at"]) or (None, None)
        link = canonical_url(row["url"]) if row["current"] else row["canonical_url"]
    except ValueError:  # no date or address that was ever stored
        return False
    return (*days, link) == (row["first_day"], row["last_day"], row["canonical_url"])


def _merged(current: Revision, draft: Draft) -> Attribution:
    """Return the draft's attribution, with what it leaves open taken from the current one.

    A title that was made from the text is made again when the text changes.
    """
    old, new = current.attribution, draft.attribution
    made = old.title == title_from(current.text)
    return Attribution(
        title=new.title if draft.title_given or made else old.title,
        source=new.source or old.source,
        author=new.author or old.author,
        published_at=new.published_at or old.published_at,
        url=new.url or old.url,
    )
