import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from snowballstemmer import stemmer

from data.fulltext import WORD, index_text, query_words


@lru_cache(maxsize=1)
def _english() -> stemmer:
    return stemmer("english")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return str(_english().stemWord(word))


@lru_cache(maxsize=20_000)
def terms(text: str) -> frozenset[str]:
    """Return the distinct stemmed lower-case words of a text, stop words included."""
    return frozenset(_stem(word) for word in WORD.findall(index_text(text.lower())))


def question_terms(question: str) -> tuple[str, ...]:
    """Return the distinct stemmed content words of a question, in order."""
    return tuple(dict.fromkeys(_stem(word) for word in query_words(question)))


def term_weights(wanted: Iterable[str], texts: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return the inverse document frequency of each wanted term among the texts, always above 0.

    log(1 + (N - n + .5) / (n + .5)) with N texts of which n hold the term: the form that BM25
    uses in Lucene. A term that no text holds weighs most.
    """
    total = len(texts)
    weights = {}
    for term in wanted:
        count = sum(term in text for text in texts)
        weights[term] = math.log(1 + (total - count + 0.5) / (count + 0.5))
    return weights


def coverage(weights: dict[str, float], found: frozenset[str]) -> float:
    """Return the share, 0..1, of the weight of all terms that the found ones have."""
    total = sum(weights.values())
    if total == 0:
        return 0.0
    return sum(weight for term, weight in weights.items() if term in found) / total
