"""The field's retrieval metrics as pure functions over plain strings and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

PASSAGES_JUDGED = 10  # hits@10, MRR@10 and MAP@10 look at this many passages


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Means over questions, each in 0..1."""

    questions: int
    hits_at_4: float
    hits_at_10: float
    mrr_at_10: float
    map_at_10: float
    evidence_recall_at_10: float


def _squeezed(text: str) -> str:
    return text.replace(" ", "").replace("\n", "")


def fact_ranks(passages: Sequence[str], facts: Sequence[str]) -> list[int | None]:
    """Return for each fact the rank (from 1) of the first of ten passages that holds it, or None.

    As the MultiHop-RAG data set's own script judges it (arXiv 2401.15391): both sides without
    spaces and newlines, and the whole fact inside the passage.
    """
    squeezed = [_squeezed(passage) for passage in passages[:PASSAGES_JUDGED]]
    ranks: list[int | None] = []
    for fact in map(_squeezed, facts):
        ranks.append(next((i for i, p in enumerate(squeezed, start=1) if fact in p), None))
    return ranks


def hit_at(ranks: Sequence[int | None], k: int) -> bool:
    """Return whether at least one fact was found within the first `k` passages."""
    return any(rank is not None and rank <= k for rank in ranks)


def reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return 1 / (rank of the first passage that holds a fact), or 0.0 where none does."""
    found = [rank for rank in ranks if rank is not None]
    return 1 / min(found) if found else 0.0


def average_precision(ranks: Sequence[int | None]) -> float:
    """Return the data set's average precision, 0..1.

    That is the sum over ranks r of (facts first found at r) / r, over min(number of facts, 10).
    Each fact counts once, at the first passage that holds it.
    """
    found = [rank for rank in ranks if rank is not None]
    return sum(1 / rank for rank in found) / min(len(ranks), PASSAGES_JUDGED)


def recall(ranks: Sequence[int | None]) -> float:
    """Return the share of the facts that was found within ten passages."""
    return sum(rank is not None for rank in ranks) / len(ranks)


def ranking_metrics(results: Sequence[tuple[Sequence[str], Sequence[str]]]) -> RankingMetrics:
    """Return the means over (passages, facts) pairs, one a question.

    Raises:
        ValueError: if there is no question, or one without facts: a question that has no
            answer in the collection says nothing about ranking.
    """
    if not results or any(not facts for _, facts in results):
        raise ValueError("ranking is measured on questions that have facts")
    ranks = [fact_ranks(passages, facts) for passages, facts in results]
    return RankingMetrics(
        questions=len(ranks),
        hits_at_4=fmean(hit_at(r, 4) for r in ranks),
        hits_at_10=fmean(hit_at(r, 10) for r in ranks),
        mrr_at_10=fmean(map(reciprocal_rank, ranks)),
        map_at_10=fmean(map(average_precision, ranks)),
        evidence_recall_at_10=fmean(map(recall, ranks)),
    )
