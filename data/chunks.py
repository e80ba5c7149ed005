import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data.database import Database, parts, scalar
from data.dates import date_in_words
from data.fulltext import index_text, match_expression
from data.models import Attribution, Chunk, Filters, Revision, Span

# Weights of the full-text columns title, source, date and body in bm25(). Measured on the
# MultiHop-RAG dev questions (benchmarks/multihop_rag.py): a heavier publisher column helps
# questions that name one, and nothing else moved hits@10 by more than .005.
_BM25_WEIGHTS = "1.0, 3.0, 1.0, 1.0"


# The slice is cut by SQLite, which counts code points as Python does, so that a long text is not
# carried over once for each of its chunks.
_SLICE_COLUMNS = (
    'c.id, substr(r.text, c.start + 1, c."end" - c.start), r.title, r.source, r.published_at'
)


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk that is not stored yet: its span, and its unit vector as little-endian float32."""

    span: Span
    vector: bytes


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A chunk's vector as the database holds it, and whether its checksum still fits."""

    chunk_id: int
    data: bytes
    intact: bool


class ChunkStore:
    """The chunks of one collection, their vectors and their full-text rows.

    Reading is done inside the build that is live, unless a build is named. The methods that write
    are called inside a transaction of the caller's.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(
        self, build_id: int, revision: Revision, chunks: Sequence[NewChunk], *, searchable: bool
    ) -> list[int]:
        """Store the chunks of one revision; return their ids, which ascend and are never reused.

        `searchable` also writes the full-text rows: only the live build has them.
        """
        ids = []
        for chunk in chunks:
            cursor = self._db.execute(
                'INSERT INTO chunks (build_id, revision_id, start, "end", vector, checksum)'
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    build_id,
                    revision.id,
                    chunk.span.start,
                    chunk.span.end,
                    chunk.vector,
                    zlib.crc32(chunk.vector),
                ],
            )
            chunk_id = int(cursor.lastrowid or 0)
            ids.append(chunk_id)
            if searchable:
                self._add_searchable(
                    chunk_id, revision.attribution, chunk.span.slice(revision.text)
                )
        return ids

    def make_searchable(self, build_id: int) -> None:
        """Replace all full-text rows by those of the given build."""
        self._db.execute("DELETE FROM chunks_fts")
        rows = self._db.execute(
            f"SELECT {_SLICE_COLUMNS} FROM chunks c JOIN revisions r ON r.id = c.revision_id"
            " WHERE c.build_id = ? ORDER BY c.id",
            [build_id],
        )
        for chunk_id, body, title, source, published_at in rows:
            attribution = Attribution(title=title, source=source, published_at=published_at)
            self._add_searchable(chunk_id, attribution, body)

    def _add_searchable(self, chunk_id: int, attribution: Attribution, body: str) -> None:
        self._db.execute(
            "INSERT INTO chunks_fts (rowid, title, source, date, body) VALUES (?, ?, ?, ?, ?)",
            [chunk_id, *_searchable(attribution, body)],
        )

    def ids(self, build_id: int) -> list[int]:
        """Return the ids of all chunks of a build, ascending."""
        rows = self._db.execute("SELECT id FROM chunks WHERE build_id = ? ORDER BY id", [build_id])
        return [row[0] for row in rows.fetchall()]

    def matching_ids(self, build_id: int, filters: Filters) -> list[int]:
        """Return the ids of the chunks whose stories pass the filters, ascending."""
        where, parameters = _conditions(filters)
        rows = self._db.execute(
            "SELECT c.id FROM chunks c JOIN revisions r ON r.id = c.revision_id"
            f" WHERE c.build_id = ? {where} ORDER BY c.id",
            [build_id, *parameters],
        )
        return [row[0] for row in rows.fetchall()]

    def search(
        self, words: list[str], limit: int, filters: Filters | None = None
    ) -> list[tuple[int, float]]:
        """Return (chunk id, BM25 score) of the best chunks with at least one of the words.

        The best comes first, scores are positive. The filters apply before the list is cut.
        BM25 is SQLite FTS5's: k1 = 1.2, b = 0.75, Porter-stemmed.
        """
        if not words:
            return []
        where, parameters = _conditions(filters or Filters())
        joined = "JOIN chunks c ON c.id = f.rowid JOIN revisions r ON r.id = c.revision_id"
        rows = self._db.execute(
            f"SELECT f.rowid, -bm25(chunks_fts, {_BM25_WEIGHTS}) AS score"
            f" FROM chunks_fts f {joined if where else ''}"
            f" WHERE chunks_fts MATCH ? {where} ORDER BY score DESC, f.rowid LIMIT ?",
            [match_expression(words), *parameters, limit],
        )
        return [(row[0], row[1]) for row in rows.fetchall()]

    def get(self, chunk_ids: Iterable[int]) -> dict[int, Chunk]:
        """Return the chunks that exist, by id."""
        found: dict[int, Chunk] = {}
        for part in parts(chunk_ids):
            rows = self._db.execute(
                'SELECT id, revision_id, start, "end" FROM chunks'
                f" WHERE id IN ({','.join('?' * len(part))})",
                part,
            )
            for chunk_id, revision_id, start, end in rows.fetchall():
                found[chunk_id] = Chunk(chunk_id, revision_id, Span(start, end))
        return found

    def vectors(self, chunk_ids: Iterable[int]) -> list[StoredVector]:
        """Return the vectors of the chunks that exist, by ascending id."""
        found: list[StoredVector] = []
        for part in parts(chunk_ids):
            rows = self._db.execute(
                "SELECT id, vector, checksum FROM chunks"
                f" WHERE id IN ({','.join('?' * len(part))}) ORDER BY id",
                part,
            )
            found.extend(StoredVector(i, v, zlib.crc32(v) == c) for i, v, c in rows.fetchall())
        return found

    def checksums(self, chunk_ids: Iterable[int]) -> dict[int, int]:
        """Return the checksum (CRC-32) of the vector of each chunk that exists, by id."""
        found: dict[int, int] = {}
        for part in parts(chunk_ids):
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT id, checksum FROM chunks WHERE id IN ({marks})", part)
            found.update(rows.fetchall())
        return found

    def spans(self, build_id: int, revision_id: int) -> list[Span]:
        """Return the spans of a revision's chunks in a build, in order."""
        return [Span(start, end) for start, end in self._ranges(build_id, revision_id)]

    def _ranges(self, build_id: int, revision_id: int) -> list[tuple[int, int]]:
        rows = self._db.execute(
            'SELECT start, "end" FROM chunks WHERE build_id = ? AND revision_id = ? ORDER BY id',
            [build_id, revision_id],
        )
        return rows.fetchall()

    def unchunked_revisions(self, build_id: int) -> list[int]:
        """Return the current revisions that have no chunk in the build yet, ascending.

        Those of stories that were withdrawn are to have none.
        """
        rows = self._db.execute(
            "SELECT a.revision_id FROM articles a WHERE a.withdrawn_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM chunks c"
            " WHERE c.build_id = ? AND c.revision_id = a.revision_id) ORDER BY a.revision_id",
            [build_id],
        )
        return [row[0] for row in rows.fetchall()]

    def incomplete_revisions(self, build_id: int) -> list[int]:
        """Return the current revisions whose chunks in the build leave out a part, ascending."""
        rows = self._db.execute(
            "SELECT r.id, r.text FROM revisions r JOIN articles a ON a.revision_id = r.id"
            " ORDER BY r.id"
        )
        return [
            revision_id
            for revision_id, text in rows
            if (ranges := self._ranges(build_id, revision_id)) and not _cover(ranges, text)
        ]

    def count(self, build_id: int) -> int:
        """Return the number of chunks in a build."""
        return int(scalar(self._db, "SELECT count(*) FROM chunks WHERE build_id = ?", build_id))

    def invalid_spans(self) -> list[int]:
        """Return the ids of the chunks whose span is empty or reaches beyond their text."""
        rows = self._db.execute(
            "SELECT c.id FROM chunks c JOIN revisions r ON r.id = c.revision_id"
            ' WHERE c.start < 0 OR c."end" <= c.start OR c."end" > length(r.text) ORDER BY c.id'
        )
        return [row[0] for row in rows.fetchall()]

    def outdated(self) -> list[int]:
        """Return the ids of the chunks that belong to a revision which is not current."""
        rows = self._db.execute(
            "SELECT c.id FROM chunks c JOIN revisions r ON r.id = c.revision_id"
            " JOIN articles a ON a.id = r.article_id"
            " WHERE a.revision_id IS NOT r.id OR a.withdrawn_at IS NOT NULL ORDER BY c.id"
        )
        return [row[0] for row in rows.fetchall()]

    def wrong_fulltext(self, build_id: int) -> list[int]:
        """Return the ids of chunks whose full-text row is missing or wrong, and of stray rows."""
        rows = self._db.execute(
            f"SELECT {_SLICE_COLUMNS}, f.title, f.source, f.date, f.body"
            " FROM chunks c JOIN revisions r ON r.id = c.revision_id"
            " LEFT JOIN chunks_fts f ON f.rowid = c.id WHERE c.build_id = ?",
            [build_id],
        )
        wrong = []
        for chunk_id, body, title, source, published_at, *indexed in rows:
            attribution = Attribution(title=title, source=source, published_at=published_at)
            if indexed != list(_searchable(attribution, body)):
                wrong.append(chunk_id)
        strays = self._db.execute(
            "SELECT rowid FROM chunks_fts WHERE rowid NOT IN"
            " (SELECT id FROM chunks WHERE build_id = ?)",
            [build_id],
        )
        return sorted(wrong + [row[0] for row in strays.fetchall()])

    def fulltext_is_sound(self) -> bool | None:
        """Return whether FTS5's own integrity check finds the inverted index in order.

        The check takes the write lock; None says that it was not to be had.
        """
        try:
            self._db.execute("INSERT INTO chunks_fts(chunks_fts) VALUES ('integrity-check')")
        except sqlite3.OperationalError:
            return None
        except sqlite3.DatabaseError:
            return False
        return True


def _searchable(attribution: Attribution, body: str) -> tuple[str, str, str, str]:
    """Return the full-text columns of a chunk: title, source, date, body."""
    return (
        index_text(attribution.title),
        index_text(attribution.source or ""),
        date_in_words(attribution.published_at) or "",
        index_text(body),
    )


def _cover(ranges: list[tuple[int, int]], text: str) -> bool:
    """Return whether the ranges, in their order, leave out nothing but white space."""
    at = 0
    for start, end in ranges:
        if text[at:start].strip():
            return False
        at = end
    return not text[at:].strip()


def _conditions(filters: Filters) -> tuple[str, list[str]]:
    """Return SQL conditions on the revision `r`, each with its AND, and their parameters."""
    clauses, parameters = [], []
    if filters.source:
        clauses.append("AND folded(r.source) = folded(?)")
        parameters.append(filters.source)
    if filters.after:
        clauses.append("AND r.last_day >= ?")
        parameters.append(filters.after)
    if filters.before:
        clauses.append("AND r.first_day <= ?")
        parameters.append(filters.before)
    if filters.article:
        clauses.append("AND r.article_id = ?")
        parameters.append(filters.article)
    return " ".join(clauses), parameters
