import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from data.database import Database, parts, scalar, write
from data.errors import NotFoundError, StorageError, UserError
from data.identity import identify, remember_external_id
from data.merging import merged, remember_said
from data.models import Attribution, Draft, Revision, text_hash
from data.revisions import REVISIONS, insert_revision, now, owe_scrub, revision_from, touch
from data.urls import canonical_url, lies_in

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

        The rules, in order: a story that the draft names; a known external id is that story; a
        known URL is that story, unless both have external ids and these differ; the same text
        from the same publisher at the same URL is that story. A known story with the same text and
        attribution is left as it is. What a draft does not know (an author, say) does not erase
        what is known.

        Raises:
            NotFoundError: if the draft names a story that is not here any more.
        """
        with write(self._db):
            article_id = identify(self._db, draft)
            if article_id is None:
                return Saved(SaveStatus.NEW, self._insert_article(draft))
            current = self._sound(article_id)
            named = remember_external_id(self._db, draft.external_id, article_id)
            attribution = merged(self._db, article_id, current, draft)
            remember_said(self._db, article_id, draft)
            known = current and (current.text, current.attribution)
            if known == (draft.text, attribution) and not self._is_withdrawn(article_id):
                if named:
                    self._touch()
                return Saved(SaveStatus.SAME, self.get(article_id))
            revision_id = self._new_revision(article_id, draft.text, attribution, draft.modified_at)
            return Saved(SaveStatus.CHANGED, self.revision(revision_id))

    def preview(self, draft: Draft) -> tuple[SaveStatus, Attribution]:
        """Return what saving the draft would do now, and the attribution it would end up with."""
        article_id = identify(self._db, draft)
        if article_id is None:
            return SaveStatus.NEW, draft.attribution
        current = self._sound(article_id)
        attribution = merged(self._db, article_id, current, draft)
        known = current and (current.text, current.attribution)
        same = known == (draft.text, attribution) and not self._is_withdrawn(article_id)
        return (SaveStatus.SAME if same else SaveStatus.CHANGED), attribution

    def edit(self, article_id: str, attribution: Attribution) -> Saved:
        """Give the story a new revision with another attribution and the same text.

        Raises:
            NotFoundError: if there is no such story.
            UserError: if it was withdrawn.
        """
        with write(self._db):
            current = self.get(article_id)
            if self._is_withdrawn(current.article_id):
                raise UserError("Its publisher withdrew that story, so nothing in it is changed.")
            if attribution == current.attribution:
                return Saved(SaveStatus.SAME, current)
            revision_id = self._new_revision(current.article_id, current.text, attribution)
            return Saved(SaveStatus.CHANGED, self.revision(revision_id))

    def remove(self, article_id: str) -> Revision:
        """Delete the story with all its revisions and chunks; return what was current.

        That there was one of its id stays known, and when it was removed; nothing else does.

        Raises:
            NotFoundError: if there is no such story.
        """
        with write(self._db):
            row = self._current_row(article_id)
            # An altered text is no reason to keep it: it is only named here, not quoted.
            removed = self._revision_from({**row, "sha256": text_hash(row["text"])})
            self._db.execute("DELETE FROM articles WHERE id = ?", [removed.article_id])
            self._db.execute(
                "INSERT OR REPLACE INTO removals VALUES (?, ?)", [removed.article_id, now()]
            )
            owe_scrub(self._db)
            self._touch()
            return removed

    def get(self, article_id: str) -> Revision:
        """Return the current revision of the story with this id, ours or its external one.

        Raises:
            NotFoundError: if there is no such story in this collection.
            StorageError: if its text was altered in the database.
        """
        return self._revision_from(self._current_row(article_id))

    def own(self, article_id: str) -> Revision:
        """Return the current revision of the story with this id, ours; none by another's id.

        Raises:
            NotFoundError: if there is no such story in this collection.
            StorageError: if its text was altered in the database.
        """
        found = self.get(article_id)
        if found.article_id != article_id:
            raise NotFoundError(f"There is no story with the id {article_id!r} here.")
        return found

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
        """Return the story with the latest known date that is not withdrawn, or None."""
        rows = self._db.query(
            f"{REVISIONS} JOIN articles a ON a.revision_id = r.id"
            " WHERE r.last_day IS NOT NULL AND a.withdrawn_at IS NULL"
            " ORDER BY r.last_day DESC, r.published_at DESC"
        )
        return next(self._sound_only(rows), None)

    def sources(self) -> list[str]:
        """Return the publishers of the current revisions, each once, sorted."""
        rows = self._db.query(
            "SELECT DISTINCT r.source FROM revisions r JOIN articles a ON a.revision_id = r.id"
            " WHERE r.source IS NOT NULL AND a.withdrawn_at IS NULL"
            " ORDER BY r.source COLLATE NOCASE"
        )
        return [row["source"] for row in rows]

    def of_domain(self, domain: str) -> list[str]:
        """Return the ids of the stories with a link into a domain, or from a page or feed there."""
        rows = self._db.execute(
            "SELECT article_id, url FROM revisions WHERE url IS NOT NULL UNION"
            " SELECT article_id, url FROM pages UNION"
            " SELECT article_id, external_id FROM external_ids ORDER BY article_id"
        )
        return list({row[0]: None for row in rows.fetchall() if lies_in(row[1], domain)})

    def generation(self) -> int:
        """Return the number that every committed change of the collection raises."""
        return int(scalar(self._db, "SELECT value FROM state WHERE key = 'generation'"))

    def token(self) -> int:
        """Return the random number that every committed change draws anew.

        Two databases of one number hold the same: a restored backup never has a later one's.
        """
        return int(scalar(self._db, "SELECT value FROM state WHERE key = 'token'"))

    def _insert_article(self, draft: Draft) -> Revision:
        article_id = self._new_id()
        self._db.execute("INSERT INTO articles (id, added_at) VALUES (?, ?)", [article_id, now()])
        remember_external_id(self._db, draft.external_id, article_id)
        remember_said(self._db, article_id, draft)
        revision_id = self._new_revision(
            article_id, draft.text, draft.attribution, draft.modified_at
        )
        return self.revision(revision_id)

    def _new_id(self) -> str:
        while True:
            candidate = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
            taken = scalar(
                self._db,
                "SELECT 1 FROM articles WHERE id = ? UNION"
                " SELECT 1 FROM external_ids WHERE external_id = ? UNION"
                " SELECT 1 FROM removals WHERE article_id = ?",
                *[candidate] * 3,
            )
            if not taken:
                return candidate

    def _new_revision(
        self,
        article_id: str,
        text: str,
        attribution: Attribution,
        modified_at: str | None = None,
    ) -> int:
        revision_id = insert_revision(self._db, article_id, text, attribution, modified_at)
        self._db.execute(
            "UPDATE articles SET revision_id = ?, canonical_url = ?, withdrawn_at = NULL"
            " WHERE id = ?",
            [revision_id, canonical_url(attribution.url), article_id],
        )
        self._touch()
        return revision_id

    def _is_withdrawn(self, article_id: str) -> bool:
        found = scalar(self._db, "SELECT withdrawn_at FROM articles WHERE id = ?", article_id)
        return found is not None

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
