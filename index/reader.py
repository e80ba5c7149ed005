import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from data.models import Revision, Span
from index.encoder import Encoder, Vectors
from index.highlight import AnswerType, answer_type, highlight, typed_spans
from index.models import Evidence, Passage
from index.sentences import sentence_spans, tells_what_was_wrong
from index.terms import coverage, question_terms, term_weights, terms

# How a sentence is scored: a sum of features, each about 0..1. Set by hand on NewsQA dev with the
# story given (benchmarks/newsqa.py), where the first three matter and the last two are a plateau;
# a logistic regression over the same features did worse on the half that it was not fitted on.
COVERAGE_WEIGHT = 1.0  # of the question's terms, by inverse document frequency
SIMILARITY_WEIGHT = 0.3  # cosine between question and sentence
TYPE_WEIGHT = 0.2  # it holds a name, a time or a number where one is asked for
LEAD_WEIGHT = 0.25  # over its place in the story: a story's first sentences sum it up
TITLE_SHARE = 0.5  # of a term that only the story's title has
PASSAGE_WEIGHT = 0.15  # the retriever's score of the passage that it stands in

HIGHEST_SCORE = COVERAGE_WEIGHT + SIMILARITY_WEIGHT + TYPE_WEIGHT + LEAD_WEIGHT + PASSAGE_WEIGHT

# Probability that the best sentence answers: a logistic function of its coverage and similarity,
# fitted by benchmarks/calibrate.py on NewsQA questions asked of their own and of a wrong story.
CALIBRATION = {"coverage": 2.5, "similarity": 4.1, "constant": -3.5}

# "An earlier version of this story said ..." holds what is known to be wrong: it is quoted last.
CORRECTION_PENALTY = 0.5
_VECTORS_REMEMBERED = 20_000  # sentence vectors, 30 MB


class Reader(Protocol):
    """Finds in passages the sentences that answer a question."""

    def read(self, question: str, passages: Sequence[Passage]) -> list[Evidence]:
        """Return what may answer, the strongest first; [] where there is nothing to read."""
        ...


@dataclass(frozen=True, slots=True)
class _Sentence:
    revision: Revision
    span: Span
    place: int  # from 0, in the story
    passage_score: float

    @property
    def text(self) -> str:
        return self.span.slice(self.revision.text)


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence with what decides about it: coverage 0..1, similarity -1..1, and their sum."""

    revision: Revision
    span: Span
    covered: float
    similar: float
    score: float


class SentenceReader:
    """Scores whole sentences by meaning and by terms; needs no training.

    It reads with the packaged encoder whatever the index was made with, since its probabilities
    were calibrated with that one.
    """

    def __init__(self, encoder: Callable[[], Encoder]) -> None:
        self._encoder = encoder
        self._vectors: OrderedDict[tuple[str, int, int], Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, question: str, passages: Sequence[Passage]) -> list[Evidence]:
        """Return every sentence of the passages as evidence, the strongest first."""
        return [
            Evidence(
                revision=sentence.revision,
                span=sentence.span,
                score=probability(sentence.covered, sentence.similar),
                highlight=highlight(question, sentence.revision.text, sentence.span),
                strength=min(max(sentence.score / HIGHEST_SCORE, 0.0), 1.0),
            )
            for sentence in self.score(question, passages)
        ]

    def score(self, question: str, passages: Sequence[Passage]) -> list[ScoredSentence]:
        """Return every sentence that the passages touch, once, the highest score first."""
        pool = _pool(passages)
        if not pool:
            return []
        found = [terms(sentence.text) for sentence in pool]
        weights = term_weights(question_terms(question), found)
        covered = np.array(
            [
                _covered(weights, words, sentence)
                for words, sentence in zip(found, pool, strict=True)
            ]
        )
        similar = self._vectors_of(pool) @ self._encoder().encode_query(question)
        scores = (
            COVERAGE_WEIGHT * covered
            + SIMILARITY_WEIGHT * similar
            + TYPE_WEIGHT * np.array([_fits_type(question, s.text) for s in pool])
            + LEAD_WEIGHT * np.array([1 / (1 + s.place) for s in pool])
            + PASSAGE_WEIGHT * np.array([s.passage_score for s in pool])
            - CORRECTION_PENALTY * np.array([tells_what_was_wrong(s.text) for s in pool])
        )
        return [
            ScoredSentence(
                pool[i].revision,
                pool[i].span,
                float(covered[i]),
                float(similar[i]),
                float(scores[i]),
            )
            for i in np.argsort(-scores, kind="stable")
        ]

    def _vectors_of(self, pool: Sequence[_Sentence]) -> Vectors:
        """Return the unit vectors of the sentences, shape (n, d); recent ones are remembered."""
        keys = [(s.revision.sha256, s.span.start, s.span.end) for s in pool]
        with self._lock:  # several threads ask one reader
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
        new = [i for i, key in enumerate(keys) if key not in known]
        encoded = self._encoder().encode_documents([pool[i].text for i in new])
        known.update((keys[i], vector) for i, vector in zip(new, encoded, strict=True))
        with self._lock:
            for key in keys:
                self._vectors[key] = known[key]
                self._vectors.move_to_end(key)
            while len(self._vectors) > _VECTORS_REMEMBERED:
                self._vectors.popitem(last=False)
        return np.stack([known[key] for key in keys])


def probability(covered: float, similar: float) -> float:
    """Return the calibrated probability, 0..1, that a sentence with these features answers."""
    z = (
        CALIBRATION["coverage"] * covered
        + CALIBRATION["similarity"] * similar
        + CALIBRATION["constant"]
    )
    return 1 / (1 + math.exp(-z))


def _covered(weights: dict[str, float], words: frozenset[str], sentence: _Sentence) -> float:
    """Return the share of the question's terms in the sentence, those of its title counted half.

    A story about Dunmere does not say Dunmere in each sentence.
    """
    alone = coverage(weights, words)
    titled = coverage(weights, words | terms(sentence.revision.attribution.title))
    return alone + TITLE_SHARE * (titled - alone)


def _pool(passages: Sequence[Passage]) -> list[_Sentence]:
    """Return the whole sentences that the passages touch, each once, under its best passage."""
    pool: dict[tuple[str, int, Span], _Sentence] = {}
    for passage in passages:
        for place, span in enumerate(sentence_spans(passage.revision.text)):
            if span.overlaps(passage.span):
                pool.setdefault(
                    (*passage.revision.key, span),
                    _Sentence(passage.revision, span, place, passage.score),
                )
    return list(pool.values())


def _fits_type(question: str, sentence: str) -> bool:
    if answer_type(question) in (AnswerType.OTHER, AnswerType.SPEECH):
        return True
    return bool(typed_spans(question, sentence))
