"""What tells which stories may have much in common, without reading them; and its store."""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from data.database import Database
from data.fulltext import WORD, index_text

# Raise it when a change below gives a text another signature; stored ones are then made again.
SIGNATURE_VERSION = 1
# Words in a row that are compared as one; a character each in scripts without spaces.
SHINGLE = 4
# Code points that are compared; few stories have more, and what a long text costs is bounded.
COMPARED_LENGTH = 50_000
# Numbers in a signature, and how many of them must be equal for two texts to share a band. Of the
# copies that benchmarks/duplicates.py makes .999 share one, of unrelated stories almost none.
PERMUTATIONS = 192
BAND_ROWS = 2
# Estimated share of common shingles below which a text is not read, and how many are.
MIN_RESEMBLANCE = 0.08
MAX_CANDIDATES = 20
_BLOCK = 2000  # shingles hashed at once, so that a long text takes no more memory

# `1,000` is one number, and `U.S.` one word.
_INSIDE = re.compile(r"(?<=\d)[,.\u202f](?=\d{3}(?!\d))|(?<=\b[A-Za-z])\.(?=[A-Za-z]\b)")
_NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split())}

Shingle = tuple[str, ...]


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, as they are written; small numbers are in figures."""
    found = WORD.findall(index_text(_INSIDE.sub("", text)))
    return [_NUMBERS.get(word.lower(), word) for word in found]


def shingles(words: Iterable[str]) -> list[Shingle]:
    """Return each run of four words in order, in lower case; fewer are one run, none have none."""
    folded = [word.lower() for word in words]
    last = max(len(folded) - SHINGLE, 0) if folded else -1
    return [tuple(folded[first : first + SHINGLE]) for first in range(last + 1)]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a text's shingles are compared by.

    `minhash` are unsigned 32-bit numbers, little-endian. Two texts that share one of their
    `bands`, each a signed 64-bit number, may have much in common. Those of two versions never do.
    """

    version: int
    minhash: bytes
    bands: tuple[int, ...]

    def resemblance(self, minhash: bytes) -> float:
        """Return about which share, 0..1, of the shingles of two texts both have (Jaccard)."""
        mine, other = np.frombuffer(self.minhash, "<u4"), np.frombuffer(minhash, "<u4")
        return float((mine == other).mean())


def signature(text: str) -> Signature:
    """Return the signature of a text, the same on every machine; without words it has no bands."""
    from datasketch import MinHash

    found = sorted({" ".join(s) for s in shingles(words_of(text[:COMPARED_LENGTH]))})
    # Seed and scheme are part of the version.
    sketch = MinHash(num_perm=PERMUTATIONS, seed=1, scheme="affine32")
    for first in range(0, len(found), _BLOCK):
        block = found[first : first + _BLOCK]
        sketch.update_batch([s.encode("utf-8", "surrogateescape") for s in block])
    minhash = np.asarray(sketch.hashvalues, dtype="<u4").tobytes()
    return Signature(SIGNATURE_VERSION, minhash, _bands(minhash) if found else ())


def _bands(minhash: bytes) -> tuple[int, ...]:
    bands = set()
    for number, at in enumerate(range(0, len(minhash), 4 * BAND_ROWS)):
        salted = bytes((SIGNATURE_VERSION, number)) + minhash[at : at + 4 * BAND_ROWS]
        digest = hashlib.blake2b(salted, digest_size=8).digest()
        bands.add(int.from_bytes(digest, "little", signed=True))
    return tuple(sorted(bands))


@dataclass(frozen=True, slots=True)
class Lead:
    """The unit vector of a story's beginning, as little-endian float32.

    Only those of one encoder, which the hash of its weights names, can be compared.
    """

    weights_hash: str
    vector: bytes

    def cosine(self, other: "Lead") -> float | None:
        """Return how alike two beginnings are, -1..1, or None where that cannot be told."""
        if self.weights_hash != other.weights_hash or len(self.vector) != len(other.vector):
            return None
        return float(np.frombuffer(self.vector, "<f4") @ np.frombuffer(other.vector, "<f4"))


class SignatureStore:
    """The signatures of the current revisions of one collection; each goes with its revision.

    `put` is called inside a transaction of the caller's.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, revision_id: int, signature: Signature) -> None:
        """Store a revision's signature; those of its story's earlier revisions are deleted."""
        self._db.execute(
            "DELETE FROM signatures WHERE revision_id IN (SELECT r.id FROM revisions r"
            " WHERE r.article_id = (SELECT article_id FROM revisions WHERE id = ?))",
            [revision_id],
        )
        self._db.execute(
            "INSERT INTO signatures (revision_id, version, minhash) VALUES (?, ?, ?)",
            [revision_id, signature.version, signature.minhash],
        )
        self._db.execute(
            "INSERT OR IGNORE INTO signature_bands (band, revision_id)"
            " SELECT value, ? FROM json_each(?)",
            [revision_id, json.dumps(signature.bands)],
        )

    def get(self, revision_id: int) -> Signature | None:
        """Return the signature of a revision, or None where it has none of this version."""
        row = self._db.execute(
            "SELECT version, minhash FROM signatures WHERE revision_id = ? AND version = ?",
            [revision_id, SIGNATURE_VERSION],
        ).fetchone()
        if row is None:
            return None
        bands = self._db.execute(
            "SELECT band FROM signature_bands WHERE revision_id = ? ORDER BY band", [revision_id]
        )
        return Signature(row[0], row[1], tuple(band for (band,) in bands.fetchall()))

    def candidates(self, bands: Sequence[int]) -> list[int]:
        """Return the current revisions that share a band with these, ascending.

        Those of stories that were withdrawn are left out.
        """
        return sorted(self._candidates(bands))

    def likely(self, wanted: Signature) -> list[int]:
        """Return the candidates that may be copies of a text, at most 20, ascending."""
        found = self._candidates(wanted.bands)
        alike = {i: wanted.resemblance(minhash) for i, minhash in found.items()}
        best = sorted(alike, key=lambda i: (-alike[i], i))[:MAX_CANDIDATES]
        return sorted(i for i in best if alike[i] >= MIN_RESEMBLANCE)

    def _candidates(self, bands: Sequence[int]) -> dict[int, bytes]:
        """Return the `minhash` of each candidate, by its id."""
        rows = self._db.execute(
            "SELECT s.revision_id, s.minhash FROM signatures s"
            " JOIN revisions r ON r.id = s.revision_id"
            " JOIN articles a ON a.id = r.article_id AND a.revision_id = r.id"
            " WHERE a.withdrawn_at IS NULL AND s.revision_id IN (SELECT b.revision_id"
            " FROM json_each(?) wanted JOIN signature_bands b ON b.band = wanted.value)",
            [json.dumps(list(bands))],
        )
        return dict(rows.fetchall())

    def missing(self) -> list[int]:
        """Return the current revisions that have no signature of this version, ascending."""
        rows = self._db.execute(
            "SELECT a.revision_id FROM articles a LEFT JOIN signatures s"
            " ON s.revision_id = a.revision_id AND s.version = ?"
            " WHERE a.revision_id IS NOT NULL AND s.revision_id IS NULL ORDER BY a.revision_id",
            [SIGNATURE_VERSION],
        )
        return [row[0] for row in rows.fetchall()]

    def lead(self, revision_id: int) -> Lead | None:
        """Return the vector of a revision's first chunk in the live build.

        None where it has no chunk there, or the vector is damaged.
        """
        row = self._db.execute(
            "SELECT b.weights_hash, c.vector, c.checksum FROM chunks c"
            " JOIN builds b ON b.id = c.build_id"
            " WHERE b.state = 'live' AND c.revision_id = ? ORDER BY c.start LIMIT 1",
            [revision_id],
        ).fetchone()
        return Lead(row[0], row[1]) if row is not None and zlib.crc32(row[1]) == row[2] else None
