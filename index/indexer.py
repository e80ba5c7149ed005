import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from data.articles import ArticleStore, Saved, SaveStatus
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore
from data.collections import Collection
from data.database import Database, read, write
from data.domains import refusal
from data.errors import StorageError, StoryRefusedError, UserError
from data.ingestion import Row
from data.models import Attribution, Draft, Revision
from data.signatures import SignatureStore
from data.standing import StandingStore
from index.building import BATCH_STORIES, BuildMaking, Progress
from index.encoder import Encoder
from index.encoders import Encoders
from index.live import LiveIndex
from index.models import Imported
from index.preparation import Prepared, prepare, recipe_of
from index.rebuild_lock import rebuild_lock

log = logging.getLogger(__name__)


class _LiveBuildChangedError(Exception):
    """Another process finished a rebuild while this one encoded."""


class Indexer:
    """Takes stories in and out of one collection, and makes its index anew.

    A story, its chunks, vectors and full-text rows are committed together, so a crash leaves
    either all of a story or nothing. Encoding happens before the write lock is taken. Nothing with
    a link into one of `refused_domains` is stored.
    """

    def __init__(
        self,
        *,
        collection: Collection,
        db: Database,
        encoders: Encoders,
        live: LiveIndex,
        refused_domains: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._collection = collection
        self._db = db
        self._encoders = encoders
        self._live = live
        self._articles = ArticleStore(db)
        self._chunks = ChunkStore(db)
        self._builds = BuildStore(db)
        self._standing = StandingStore(db)
        self._signatures = SignatureStore(db)
        self._making = BuildMaking(db)
        self._refused_domains = refused_domains

    @property
    def live_build(self) -> Build | None:
        """Return the build that questions use, or None before the first story."""
        return self._builds.get(BuildState.LIVE)

    @property
    def can_undo(self) -> bool:
        """Return whether there is a build that `undo` could go back to."""
        return self._builds.can_reopen()

    def add(self, draft: Draft, *, along: Callable[[Revision], None] | None = None) -> Saved:
        """Store one story and make it searchable; return what it became.

        `along` stores what belongs to the story, in the same transaction.

        Raises:
            StoryRefusedError: if its link leads to a domain that the operator took out.
            StorageError: if the home cannot be written; nothing is stored then.
        """
        self._require_permitted(draft.attribution)

        def checked(revision: Revision) -> None:
            self._require_permitted(revision.attribution)  # it may have been taken out meanwhile
            if along is not None:
                along(revision)

        return self._save([draft], along=checked)[0]

    def add_rows(self, rows: Iterable[Row]) -> Iterator[Imported]:
        """Store the rows of an import in batches; yield each outcome once it is committed."""
        batch: list[Row] = []
        for row in rows:
            if row.draft is None:
                yield Imported(row.line, None, row.refused)
                continue
            batch.append(row)
            if len(batch) == BATCH_STORIES:
                yield from self._import_batch(batch)
                batch = []
        yield from self._import_batch(batch)
        self._refresh()

    def edit(self, article_id: str, attribution: Attribution) -> Saved:
        """Give a story another attribution, as a new revision.

        Raises:
            NotFoundError: if there is no such story.
            UserError: if it was withdrawn, or the link leads to a domain that was taken out.
        """
        self._require_permitted(attribution, "Nothing was changed")
        while True:
            current = self._articles.get(article_id)
            build = self._making.live(self._encoders)
            prepared = prepare([(current.text, attribution)], self._encoders.of(build.recipe))
            try:
                with write(self._db):
                    self._check_live(build)
                    saved = self._articles.edit(article_id, attribution)
                    self._store_chunks(saved, build, prepared)
                break
            except _LiveBuildChangedError:
                continue
        self._refresh()
        return saved

    def remove(self, article_id: str, *, scrub: bool = True) -> Revision:
        """Delete a story with all that was made from it; return what it was.

        Nothing of it is left in the collection's files; without `scrub` not before that is called.

        Raises:
            NotFoundError: if there is no such story.
        """
        removed = self._articles.remove(article_id)
        self._refresh(wipe=True)
        if scrub:
            self.scrub()
        return removed

    def scrub(self) -> None:
        """Overwrite what was deleted, as far as questions under way let it; logged where not."""
        if not self._standing.scrub():
            log.info("a reader held up the overwriting of what was deleted")

    def finish_removals(self) -> None:
        """Overwrite what a process deleted that did not live to do it; nothing where none is."""
        if self._standing.owes_scrub():
            self._refresh(wipe=True)
            self.scrub()

    def withdraw(self, article_id: str) -> bool:
        """Take a story that its publisher took back out of the index; return whether it was in."""
        withdrawn = self._standing.withdraw(article_id)
        self._refresh(wipe=withdrawn)
        return withdrawn

    def rebuild(
        self,
        *,
        encoder: str | None = None,
        rechunk: bool = False,
        on_progress: Progress | None = None,
    ) -> Build:
        """Make the index anew beside the live one, then switch over in one step.

        Questions go on using the old one meanwhile. What an interrupted rebuild of the same
        recipe had done is not done again. Stories are cut anew with `rechunk`, with another
        encoder, or where the live build's chunker is an older one.

        Raises:
            UserError: if another process rebuilds this collection, or the encoder is not there.
        """
        with rebuild_lock(self._collection.rebuild_lock_file):
            live = self._builds.get(BuildState.LIVE)
            chosen = self._encoders.get(
                encoder
                or self._encoders.wanted
                or (live.recipe.encoder if live else None)
                or self._encoders.default
            )
            recipe = recipe_of(chosen)
            keep_spans = (
                not rechunk
                and live is not None
                and live.recipe == replace(recipe, header_version=live.recipe.header_version)
            )
            building = self._making.begin(recipe, resume=not rechunk)
            return self._complete(building, chosen, live if keep_spans else None, on_progress)

    def undo(self, *, on_progress: Progress | None = None) -> Build:
        """Go back to the build before the live one; return it, live again.

        What was deleted since stays deleted, and what was added or changed since is encoded into
        it first, with its own encoder, so that no story is lost. Undoing twice goes forward again.

        Raises:
            UserError: if there is no earlier build, its encoder is gone, or the index is being
                rebuilt.
        """
        with rebuild_lock(self._collection.rebuild_lock_file):
            with write(self._db):
                earlier = self._builds.reopen_previous()
                if earlier is None:
                    raise UserError("There is no earlier index to go back to: none was rebuilt.")
                encoder = self._encoders.of(earlier.recipe)
            return self._complete(earlier, encoder, None, on_progress)

    def _import_batch(self, batch: Sequence[Row]) -> Iterator[Imported]:
        refusals = self._refusals([row.draft.attribution for row in batch if row.draft])
        kept = []
        for row, why in zip(batch, refusals, strict=True):
            if why is not None:
                yield Imported(row.line, None, why)
            elif row.draft is not None:
                kept.append((row.line, row.draft))
        saved = self._save([draft for _, draft in kept], refresh=False)
        for (line, draft), outcome in zip(kept, saved, strict=True):
            yield Imported(line, outcome, None, draft.notes)

    def _require_permitted(
        self, attribution: Attribution, otherwise: str = "It cannot be stored"
    ) -> None:
        if (why := self._refusals([attribution])[0]) is not None:
            raise StoryRefusedError(f"{otherwise}: {why}.")

    def _refusals(self, attributions: Sequence[Attribution]) -> list[str | None]:
        """Return for each why it may not be stored, or None."""
        domains = self._refused_domains() if any(a.url for a in attributions) else ()
        return [refusal(a.url, domains) for a in attributions]

    def _save(
        self,
        drafts: Sequence[Draft],
        *,
        refresh: bool = True,
        along: Callable[[Revision], None] | None = None,
    ) -> list[Saved]:
        if not drafts:
            return []
        while True:
            build = self._making.live(self._encoders)
            previews = [(draft, *self._articles.preview(draft)) for draft in drafts]
            prepared = prepare(
                [(d.text, a) for d, status, a in previews if status is not SaveStatus.SAME],
                self._encoders.of(build.recipe),
            )
            try:
                with write(self._db):
                    self._check_live(build)
                    saved = []
                    for draft in drafts:
                        saved.append(self._articles.save(draft))
                        self._store_chunks(saved[-1], build, prepared)
                        if along is not None:
                            along(saved[-1].revision)
                break
            except _LiveBuildChangedError:
                continue
        if refresh:
            self._refresh()
        return saved

    def _store_chunks(self, saved: Saved, build: Build, prepared: Sequence[Prepared]) -> None:
        """Store the chunks of a revision that was saved in this transaction."""
        if saved.status is SaveStatus.SAME:
            return
        revision = saved.revision
        for item in prepared:
            if (item.text, item.attribution) == (revision.text, revision.attribution):
                break
        else:
            # A row before this one in the batch, or another process, changed what it became.
            encoder = self._encoders.of(build.recipe)
            item = prepare([(revision.text, revision.attribution)], encoder)[0]
        self._chunks.add(build.id, revision, item.chunks, searchable=True)
        self._signatures.put(revision.id, item.signature)

    def _check_live(self, build: Build) -> None:
        now = self._builds.get(BuildState.LIVE)
        if now is None or now.id != build.id:
            raise _LiveBuildChangedError

    def _complete(
        self,
        building: Build,
        encoder: Encoder,
        spans_from: Build | None,
        on_progress: Progress | None,
    ) -> Build:
        """Encode what the build lacks and switch over to it; return it as it then is."""
        self._making.complete(building, encoder, spans_from, on_progress)
        self._refresh()
        return self._builds.get(BuildState.LIVE) or building

    def _refresh(self, *, wipe: bool = False) -> None:
        """Bring the vector index up to what is committed; damage elsewhere is only logged."""
        try:
            with read(self._db):
                self._live.current(self._db, wipe=wipe)
        except StorageError as error:
            log.warning("The index could not be brought up to date: %s", error)
