from dataclasses import dataclass

import numpy as np

from data.articles import ArticleStore
from data.chunks import ChunkStore
from data.database import Database, read
from data.fulltext import query_words
from data.models import Filters
from index.encoders import Encoders
from index.live import LiveIndex, Snapshot
from index.models import Passage

TOP_K = 10
# Candidates that each of the two searches hands on to the fusion.
CANDIDATES = 200
# Share of the dense score in the fused one, the rest is BM25. Of .2, .3 and .4 on the MultiHop-RAG
# dev questions, .2 and .3 were alike and .4 lost hits@4 (benchmarks/multihop_rag.py).
DENSE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk_id: int
    similarity: float
    lexical: float


class Retriever:
    """Finds the passages of one collection that a question may be about.

    Dense and BM25 results are fused by a weighted sum of scores, each scaled to 0..1 within the
    question. Filters narrow both searches before their lists are cut.
    """

    def __init__(self, *, db: Database, encoders: Encoders, live: LiveIndex) -> None:
        self._db = db
        self._encoders = encoders
        self._live = live
        self._articles = ArticleStore(db)
        self._chunks = ChunkStore(db)

    def retrieve(
        self, question: str, *, top_k: int = TOP_K, filters: Filters | None = None
    ) -> list[Passage]:
        """Return the best passages, at most `top_k`, the best first; [] where nothing fits."""
        filters = filters or Filters()
        with read(self._db):
            snapshot = self._live.current(self._db)
            if snapshot is None or len(snapshot.index) == 0:
                return []
            candidates = self._candidates(question, snapshot, filters)
            return self._passages(_fused(candidates)[:top_k])

    def _candidates(self, question: str, snapshot: Snapshot, filters: Filters) -> list[_Candidate]:
        build_id, index = snapshot.build.id, snapshot.index
        allowed = self._chunks.matching_ids(build_id, filters) if filters else None
        if allowed is not None and not allowed:
            return []
        query = self._encoders.of(snapshot.build.recipe).encode_query(question)
        dense = dict(index.search(query, CANDIDATES, allowed=allowed))
        found = self._chunks.search(query_words(question), CANDIDATES, filters)
        known = index.ids
        lexical = {chunk_id: score for chunk_id, score in found if chunk_id in known}
        # BM25 finds chunks that the dense search ranked too low: their cosine is still needed.
        only_lexical = [chunk_id for chunk_id in lexical if chunk_id not in dense]
        similarities = index.vectors(only_lexical) @ query
        dense.update(zip(only_lexical, map(float, similarities), strict=True))
        return [_Candidate(i, dense[i], lexical.get(i, 0.0)) for i in sorted(dense)]

    def _passages(self, ranked: list[tuple[_Candidate, float]]) -> list[Passage]:
        chunks = self._chunks.get(candidate.chunk_id for candidate, _ in ranked)
        revisions = self._articles.revisions(chunk.revision_id for chunk in chunks.values())
        # Without those of a story whose text was altered, and without full-text rows of no chunk.
        ranked = [
            (candidate, score)
            for candidate, score in ranked
            if candidate.chunk_id in chunks and chunks[candidate.chunk_id].revision_id in revisions
        ]
        return [
            Passage(
                chunk_id=candidate.chunk_id,
                revision=revisions[chunks[candidate.chunk_id].revision_id],
                span=chunks[candidate.chunk_id].span,
                rank=rank,
                score=score,
                similarity=candidate.similarity,
            )
            for rank, (candidate, score) in enumerate(ranked, start=1)
        ]


def _scaled(values: list[float], low: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the values moved and stretched so that `low` becomes 0 and the largest 1."""
    array = np.asarray(values, dtype=np.float64)
    width = array.max() - low
    return (array - low) / width if width > 0 else np.zeros_like(array)


def _fused(candidates: list[_Candidate]) -> list[tuple[_Candidate, float]]:
    """Return the candidates with their fused scores, 0..1, the best first; ties by id."""
    if not candidates:
        return []
    similarities = [c.similarity for c in candidates]
    dense = _scaled(similarities, min(similarities))
    lexical = _scaled([c.lexical for c in candidates], 0.0)
    scores = DENSE_SHARE * dense + (1 - DENSE_SHARE) * lexical
    order = sorted(range(len(candidates)), key=lambda i: (-scores[i], candidates[i].chunk_id))
    return [(candidates[i], float(scores[i])) for i in order]
