"""How a build is filled beside the live one, batch by batch, and taken into use."""

from collections.abc import Callable

from data.articles import ArticleStore
from data.builds import Build, BuildState, BuildStore, Recipe
from data.chunks import ChunkStore
from data.database import Database, read, write
from data.signatures import SignatureStore
from index.chunking import Chunker
from index.encoder import Encoder
from index.encoders import Encoders
from index.preparation import encode_chunks, recipe_of

# Stories that are encoded together and committed at once; a rebuild can be stopped between two.
BATCH_STORIES = 8

Progress = Callable[[int, int], None]
"""Called with (done, total) stories; what it raises stops the work between two transactions."""


class BuildMaking:
    """Makes builds of one collection; one process at a time, which the caller sees to."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._articles = ArticleStore(db)
        self._chunks = ChunkStore(db)
        self._signatures = SignatureStore(db)
        self._builds = BuildStore(db)

    def live(self, encoders: Encoders) -> Build:
        """Return the live build; a collection that has none yet gets an empty one."""
        build = self._builds.get(BuildState.LIVE)
        if build is None:
            recipe = recipe_of(encoders.get(encoders.default))
            with write(self._db):
                build = self._builds.get(BuildState.LIVE)
                if build is None:
                    build = self._builds.create(BuildState.LIVE, recipe)
        return build

    def complete(
        self,
        building: Build,
        encoder: Encoder,
        spans_from: Build | None,
        on_progress: Progress | None,
    ) -> None:
        """Encode what the build lacks and make it the live one.

        With `spans_from` the stories are cut as in that build, where it has them.
        """
        while not self._finish(building):
            self._build_some(building, encoder, spans_from, on_progress)

    def begin(self, recipe: Recipe, *, resume: bool) -> Build:
        """Return the build to fill: a new one, or with `resume` one of the recipe that is begun."""
        with write(self._db):
            found = self._builds.get(BuildState.BUILDING)
            # One that was finished once is an undo's: to be gone back to, not to be rebuilt.
            if resume and found and found.finished_at is None and found.recipe == recipe:
                return found
            return self._builds.create(BuildState.BUILDING, recipe)

    def _build_some(
        self,
        building: Build,
        encoder: Encoder,
        spans_from: Build | None,
        on_progress: Progress | None,
    ) -> None:
        """Encode and store one batch of the stories that the build still lacks."""
        with read(self._db):  # one that is missing now is there now
            missing = self._chunks.unchunked_revisions(building.id)
            revisions = [self._articles.revision(i) for i in missing[:BATCH_STORIES]]
        chunker = Chunker(encoder.token_spans)
        spans = [
            (self._chunks.spans(spans_from.id, r.id) if spans_from else []) or chunker.chunk(r.text)
            for r in revisions
        ]
        prepared = encode_chunks([(r.text, r.attribution) for r in revisions], spans, encoder)
        with write(self._db):
            current = set(self._chunks.unchunked_revisions(building.id))
            for revision, item in zip(revisions, prepared, strict=True):
                if revision.id in current:  # not changed or removed meanwhile
                    self._chunks.add(building.id, revision, item.chunks, searchable=False)
                    self._signatures.put(revision.id, item.signature)
        if on_progress is not None:
            total = self._articles.count()
            left = len(self._chunks.unchunked_revisions(building.id))
            on_progress(total - left, total)

    def _finish(self, building: Build) -> bool:
        """Switch over if the build lacks nothing; return whether it did."""
        if self._chunks.unchunked_revisions(building.id):
            return False
        with write(self._db):
            if self._chunks.unchunked_revisions(building.id):
                return False
            self._builds.promote()
            self._chunks.make_searchable(building.id)
        return True
