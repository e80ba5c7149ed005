import hashlib
import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors

Ids = NDArray[np.int64]

# Up to here every vector is compared, which is exact; above it, the index is divided into cells.
# At 384 dimensions 100,000 vectors are 154 MB to read for each question, some ten thousand stories.
EXACT_LIMIT = 100_000
# Share of the cells that a search looks into.
_PROBED_SHARE = 0.1
TEMPORARY = ".index-"  # begins the name of a file that is being written
_MAGIC = b"PQFAISS1"
_TRAILER_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What an index file was made from; a file with another one is never searched.

    `token` tells the state of the database that the file was written for.
    """

    build_id: int
    encoder: str
    weights_hash: str
    dimension: int
    chunker_version: int
    header_version: int
    count: int
    token: int = 0


class IndexFileError(Exception):
    """An index file that is missing, damaged or of another form; the text says which."""


class VectorIndex:
    """Chunk ids and their unit vectors, searched by inner product; a thin wrapper of faiss.

    Shapes are checked here, since faiss checks them with `assert` or not at all.
    """

    def __init__(self, dimension: int, *, exact_limit: int = EXACT_LIMIT) -> None:
        if dimension < 1:
            raise ValueError("a vector has at least one dimension")
        self.dimension = dimension
        self._exact_limit = exact_limit
        self._ids: set[int] = set()
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    @classmethod
    def build(
        cls, ids: Ids, vectors: Vectors, dimension: int, *, exact_limit: int = EXACT_LIMIT
    ) -> "VectorIndex":
        """Return an index of the given vectors: exact up to `exact_limit`, in cells above."""
        index = cls(dimension, exact_limit=exact_limit)
        if len(ids) > exact_limit:
            cells = int(math.sqrt(len(ids)))
            inner = faiss.IndexIVFFlat(
                faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT
            )
            inner.train(vectors)
            inner.nprobe = max(1, int(cells * _PROBED_SHARE))
            inner.make_direct_map(True)
            inner.set_direct_map_type(faiss.DirectMap.Hashtable)
            index._index = inner
        index.add(ids, vectors)
        return index

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> frozenset[int]:
        """Return the chunk ids in the index."""
        return frozenset(self._ids)

    @property
    def exact(self) -> bool:
        """Return whether a search compares every vector."""
        return isinstance(self._index, faiss.IndexIDMap2)

    def outgrown(self, count: int) -> bool:
        """Return whether `count` vectors ask for cells while this index is an exact one."""
        return self.exact and count > self._exact_limit

    def copy(self) -> "VectorIndex":
        """Return an index that can be changed without touching this one."""
        twin = VectorIndex(self.dimension, exact_limit=self._exact_limit)
        twin._ids = set(self._ids)
        twin._index = faiss.clone_index(self._index)
        return twin

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add vectors, shape (n, d), float32, under ids, shape (n,), int64.

        Raises:
            ValueError: if shapes do not fit, or an id is already there.
        """
        if ids.shape != (len(vectors),) or vectors.shape != (len(ids), self.dimension):
            raise ValueError(f"ids {ids.shape} and vectors {vectors.shape} do not fit")
        new = set(ids.tolist())
        if len(new) != len(ids) or new & self._ids:
            raise ValueError("a chunk id is in the index already")
        if len(ids) == 0:
            return
        self._index.add_with_ids(
            np.ascontiguousarray(vectors, dtype=np.float32),
            np.ascontiguousarray(ids, dtype=np.int64),
        )
        self._ids |= new

    def remove(self, ids: Ids) -> int:
        """Remove the ids that are there and return how many that were."""
        there = self._ids & set(ids.tolist())
        if there:
            selected = np.fromiter(sorted(there), dtype=np.int64, count=len(there))
            self._remove(selected)
            self._ids -= there
        return len(there)

    def _remove(self, selected: Ids) -> None:
        if self.exact:
            self._index.remove_ids(selected)
            return
        # A hashed direct map removes by an array selector only.
        self._index.remove_ids(faiss.IDSelectorArray(len(selected), faiss.swig_ptr(selected)))

    def search(
        self, query: Vectors, top_k: int, *, allowed: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """Return up to `top_k` (chunk id, inner product) pairs, the best first.

        `query` has shape (d,). With `allowed`, only these ids take part, before the list is cut.

        Raises:
            ValueError: if the query has another dimension.
        """
        if query.shape != (self.dimension,):
            raise ValueError(f"the query has shape {query.shape}, not ({self.dimension},)")
        if allowed is not None and len(allowed) == 0:
            return []
        count = min(top_k, len(self))
        if count < 1:
            return []
        scores, ids = self._index.search(
            query.reshape(1, -1), count, params=self._parameters(allowed)
        )
        # faiss fills up with -1 where it finds fewer.
        return [(int(i), float(s)) for i, s in zip(ids[0], scores[0], strict=True) if int(i) != -1]

    def _parameters(self, allowed: Sequence[int] | None) -> Any:
        if allowed is None:
            return None
        selector = faiss.IDSelectorBatch(np.asarray(allowed, dtype=np.int64))
        if self.exact:
            return faiss.SearchParameters(sel=selector)
        # Few stories pass: looking into every cell costs little and misses none.
        return faiss.SearchParametersIVF(sel=selector, nprobe=self._index.nlist)

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """Return the vectors of the given ids, shape (n, d), float32.

        Raises:
            KeyError: if an id is not in the index.
        """
        missing = set(ids) - self._ids
        if missing:
            raise KeyError(f"not in the index: {sorted(missing)[:5]}")
        rows = np.empty((len(ids), self.dimension), dtype=np.float32)
        for row, chunk_id in enumerate(ids):
            rows[row] = self._index.reconstruct(int(chunk_id))
        return rows

    def save(self, path: Path, fingerprint: Fingerprint) -> None:
        """Write the index to `path` in one step: a reader sees the old file or the new one.

        The file is faiss's own form (`faiss.read_index` reads it) with the fingerprint and a
        checksum behind it.

        Raises:
            OSError: if it cannot be written; the old file is then still there.
        """
        body = faiss.serialize_index(self._index).tobytes()
        about = {**asdict(fingerprint), "sha256": hashlib.sha256(body).hexdigest()}
        note = json.dumps(about).encode("ascii")
        trailer = note + len(note).to_bytes(_TRAILER_LENGTH_BYTES, "big") + _MAGIC
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(body)
                stream.write(trailer)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @classmethod
    def load(
        cls, path: Path, *, exact_limit: int = EXACT_LIMIT
    ) -> tuple["VectorIndex", Fingerprint]:
        """Return the index in the file, and what it was made from.

        Raises:
            IndexFileError: if there is no such file, or it is truncated, altered, or foreign.
        """
        body, fingerprint = _read_file(path)
        try:
            # Already of its own class; a second downcast would not own its memory.
            inner = faiss.deserialize_index(np.frombuffer(body, dtype=np.uint8))
        except RuntimeError as error:
            raise IndexFileError("faiss cannot read it") from error
        forms = (faiss.IndexIDMap2, faiss.IndexIVFFlat)
        if not isinstance(inner, forms) or inner.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise IndexFileError("it is an index of another kind")
        if inner.d < 1 or inner.d != fingerprint.dimension:
            raise IndexFileError("its content does not match its fingerprint")
        index = cls(fingerprint.dimension, exact_limit=exact_limit)
        index._index = inner
        index._ids = _stored_ids(index._index)
        if len(index) != fingerprint.count:
            raise IndexFileError("its content does not match its fingerprint")
        return index, fingerprint


def _read_file(path: Path) -> tuple[bytes, Fingerprint]:
    tail = _TRAILER_LENGTH_BYTES + len(_MAGIC)
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise IndexFileError("it is missing") from error
    except OSError as error:
        raise IndexFileError(f"it cannot be read: {error.strerror}") from error
    if len(raw) < tail or not raw.endswith(_MAGIC):
        raise IndexFileError("it is truncated or not Pullquote's")
    length = int.from_bytes(raw[-tail : -len(_MAGIC)], "big")
    try:
        about = json.loads(raw[-tail - length : -tail])
        digest = about.pop("sha256")
        fingerprint = Fingerprint(**about)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise IndexFileError("its fingerprint cannot be read") from error
    body = raw[: -tail - length]
    if hashlib.sha256(body).hexdigest() != digest:
        raise IndexFileError("its checksum is wrong")
    return body, fingerprint


def _stored_ids(index: Any) -> set[int]:
    if isinstance(index, faiss.IndexIDMap2):
        return set(faiss.vector_to_array(index.id_map).tolist())
    lists = index.invlists
    found: set[int] = set()
    for cell in range(index.nlist):
        size = lists.list_size(cell)
        if size:
            found.update(faiss.rev_swig_ptr(lists.get_ids(cell), size).tolist())
    return found
