import logging
import threading
import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from data.articles import ArticleStore
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore
from data.collections import Collection
from data.database import Database
from data.errors import StorageError
from index.encoder import Vectors
from index.vectors import TEMPORARY, Fingerprint, Ids, IndexFileError, VectorIndex

log = logging.getLogger(__name__)

# The file is a cache: a process that finds it behind reads the missing vectors from the database.
# It is written again when it lags by more than this share, so that one added story does not
# rewrite a large file.
_SAVE_LAG = 0.02
_SAVE_ALWAYS_BELOW = 20_000  # chunks; the file is then at most 30 MB


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The index as one question sees it; it is never changed, only replaced."""

    build: Build
    generation: int
    index: VectorIndex


class LiveIndex:
    """The vector index of a collection's live build, kept up with the database.

    The database is the truth. What the file lacks, has too much, or has lost is mended from the
    stored vectors without encoding anything.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._snapshot: Snapshot | None = None
        self._saved_ids: frozenset[int] = frozenset()
        self._lock = threading.Lock()

    def current(self, db: Database, *, wipe: bool = False) -> Snapshot | None:
        """Return the index that matches what `db` sees now, or None while nothing was indexed.

        Called inside a read transaction, so that ids found in the index exist for the caller.
        `wipe` is for whoever deleted something: its file holds nothing of it afterwards.

        Raises:
            StorageError: if a stored vector is damaged.
        """
        build = BuildStore(db).get(BuildState.LIVE)
        if build is None:
            return None
        articles = ArticleStore(db)
        generation = articles.generation()
        with self._lock:
            known = self._snapshot
            if known and generation < known.generation:
                # A view from before a later change, which may hold what was deleted since.
                index = known.index
                if known.build.id != build.id:
                    index = VectorIndex(build.recipe.dimension)
                return Snapshot(build, generation, _reconciled(index, build, ChunkStore(db)))
            token = articles.token()
            if known and known.build.id == build.id:
                index = known.index
            else:
                index = self._load(build, token, ChunkStore(db))
            if known is None or (known.build.id, known.generation) != (build.id, generation):
                index = _reconciled(index, build, ChunkStore(db))
                self._snapshot = Snapshot(build, generation, index)
            if wipe:
                self._wipe(index, build, token)
            else:
                self._save(index, build, token, generation)
            return self._snapshot

    def _save(self, index: VectorIndex, build: Build, token: int, generation: int) -> None:
        """Write the index file where it lags far enough behind."""
        lag = len(index.ids ^ self._saved_ids)
        if lag == 0 or (len(index) > _SAVE_ALWAYS_BELOW and lag < _SAVE_LAG * len(index)):
            return
        try:
            index.save(self._collection.index_file, fingerprint(build, len(index), token))
            self._saved_ids = index.ids
            # What another process deleted while this one looked must not stay in its file.
            if self._moved_on(generation):
                self._collection.index_file.unlink(missing_ok=True)
                self._saved_ids = frozenset()
        except OSError as error:
            # Nothing is lost: the vectors are in the database.
            log.warning("The index file could not be written (%s); it is only a cache.", error)

    def _wipe(self, index: VectorIndex, build: Build, token: int) -> None:
        """Write the index file whatever it holds; where that fails, it has to go."""
        folder = self._collection.index_file.parent
        for left in folder.glob(f"{TEMPORARY}*"):  # by a process that was killed
            left.unlink(missing_ok=True)
        try:
            index.save(self._collection.index_file, fingerprint(build, len(index), token))
            self._saved_ids = index.ids
        except OSError as error:
            log.warning("The index file could not be written (%s); it is only a cache.", error)
            self._collection.index_file.unlink(missing_ok=True)
            self._saved_ids = frozenset()

    def _moved_on(self, generation: int) -> bool:
        """Return whether the collection was changed since the view of this generation began."""
        with closing(self._collection.connect()) as db:
            return ArticleStore(db).generation() != generation

    def _load(self, build: Build, token: int, chunks: ChunkStore) -> VectorIndex:
        """Return the index in the file, or an empty one where the file is of no use."""
        path = self._collection.index_file
        try:
            index, found = VectorIndex.load(path)
        except IndexFileError as error:
            if path.exists():
                log.warning(
                    "The index file %s is not used (%s); it is made again from the database.",
                    path,
                    error,
                )
            self._saved_ids = frozenset()
            return VectorIndex(build.recipe.dimension)
        if found != fingerprint(build, found.count, found.token):
            log.info("the index file belongs to another build; it is made again")
            self._saved_ids = frozenset()
            return VectorIndex(build.recipe.dimension)
        if found.token != token:
            # The file is behind, or of another timeline: a backup that was put back, say, in which
            # the same ids were given to other chunks.
            index.remove(_foreign(index, chunks))
        self._saved_ids = index.ids
        return index


def _foreign(index: VectorIndex, chunks: ChunkStore) -> Ids:
    """Return the ids in the index whose vector is not the one that the database has."""
    known = chunks.checksums(index.ids)
    ids = sorted(known)
    rows = index.vectors(ids)
    wrong = [i for i, row in zip(ids, rows, strict=True) if zlib.crc32(row.tobytes()) != known[i]]
    return np.asarray(wrong, dtype=np.int64)


def fingerprint(build: Build, count: int, token: int = 0) -> Fingerprint:
    """Return what an index file of this build with `count` vectors says about itself."""
    recipe = build.recipe
    return Fingerprint(
        build_id=build.id,
        encoder=recipe.encoder,
        weights_hash=recipe.weights_hash,
        dimension=recipe.dimension,
        chunker_version=recipe.chunker_version,
        header_version=recipe.header_version,
        count=count,
        token=token,
    )


def _reconciled(index: VectorIndex, build: Build, chunks: ChunkStore) -> VectorIndex:
    """Return an index with exactly the build's chunks; the given one is left as it is."""
    wanted = set(chunks.ids(build.id))
    missing, surplus = wanted - index.ids, index.ids - wanted
    if not missing and not surplus:
        return index
    whole = len(missing) > len(wanted) // 2 or index.outgrown(len(wanted))
    ids, vectors = read_vectors(chunks, wanted if whole else missing, build.recipe.dimension)
    if whole:
        return VectorIndex.build(ids, vectors, build.recipe.dimension)
    changed = index.copy()
    changed.remove(np.fromiter(surplus, dtype=np.int64, count=len(surplus)))
    changed.add(ids, vectors)
    return changed


def read_vectors(
    chunks: ChunkStore, chunk_ids: Iterable[int], dimension: int
) -> tuple[Ids, Vectors]:
    """Return the stored vectors of the chunks: ids, shape (n,), and unit rows, shape (n, d).

    Raises:
        StorageError: if one is damaged.
    """
    wanted = list(chunk_ids)
    ids = np.empty(len(wanted), dtype=np.int64)
    rows = np.empty((len(wanted), dimension), dtype=np.float32)
    for row, stored in enumerate(chunks.vectors(wanted)):
        if not stored.intact or len(stored.data) != 4 * dimension:
            raise StorageError(
                f"The stored vector of chunk {stored.chunk_id} is damaged. "
                "Run `rebuild` to make it again; no story is lost."
            )
        ids[row] = stored.chunk_id
        rows[row] = np.frombuffer(stored.data, dtype="<f4")
    return ids, rows
