import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache

from data.articles import ArticleStore
from data.database import Database, read
from data.errors import NotFoundError, UserError
from data.models import Filters, Revision, normalise
from index.citations import FURTHER_SHARE, MAX_CITATIONS, check, cite
from index.duplicates import Copies
from index.models import Answer, Citation, Passage, QuoteMismatchError, Reason
from index.reader import Reader
from index.retriever import Retriever

# Lowest probability at which an answer is given. On NewsQA it answers 89 % of the questions asked
# of their own story and 4 % of those asked of a wrong one (benchmarks/calibrate.py).
DEFAULT_THRESHOLD = 0.18
# A question may be pasted with its surroundings; its words beyond this many add nothing.
MAX_QUESTION = 2000
NEAREST = 3


def _steers(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def clean_question(question: str) -> str:
    """Return the question as it is searched: NFC, white space folded, no control characters.

    Raises:
        UserError: if nothing is left, it has no letter or digit, or it is too long.
    """
    whole = normalise(question).encode("utf-8", "ignore").decode("utf-8")
    cleaned = " ".join("".join(" " if _steers(c) else c for c in whole).split())
    if not cleaned:
        raise UserError("There is no question. Ask in a sentence, such as: who reported it?")
    if len(cleaned) > MAX_QUESTION:
        raise UserError(
            f"The question has {len(cleaned):,} characters; ask in at most {MAX_QUESTION:,}."
        )
    if not any(character.isalnum() for character in cleaned):
        raise UserError("The question has no words in it. Ask in a sentence.")
    return cleaned


@dataclass(frozen=True, slots=True)
class Searchable:
    """One collection, open for questions on a connection of its own."""

    db: Database
    articles: ArticleStore
    retriever: Retriever


class Answerer:
    """Answers questions about one or more collections with quotes, or says why it has none.

    What is not among its collections cannot be reached through it.
    """

    def __init__(
        self, collections: Sequence[Searchable], *, reader: Reader, threshold: float | None
    ) -> None:
        self._collections = tuple(collections)
        self._reader = reader
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold

    def answer(
        self, question: str, filters: Filters | None = None, *, limit: int = MAX_CITATIONS
    ) -> Answer:
        """Return at most `limit` checked citations, or the reason for refusing.

        Everything is read from one view of each collection, so a story that changes meanwhile is
        quoted as it was or not at all. More than the usual three are a longer list with weaker
        quotes at its end.

        Raises:
            UserError: if there is no question in the text.
            NotFoundError: if the filters name a story that is not here.
            QuoteMismatchError: if a quote is not its story's own characters: a bug.
        """
        question = clean_question(question)
        with ExitStack() as views:
            for collection in self._collections:
                views.enter_context(read(collection.db))
            filters = self.resolved(filters or Filters())
            if not any(c.articles.count() for c in self._collections):
                return self._refuse(question, filters, Reason.EMPTY_COLLECTION, 0.0, [])
            passages = self._retrieve(question, filters)
            if not passages:
                reason = Reason.FILTERED_OUT if filters else Reason.NO_PASSAGE
                nearest = self._retrieve(question, Filters())
                return self._refuse(question, filters, reason, 0.0, nearest)
            return self._read(question, filters, passages, limit)

    def resolved(self, filters: Filters) -> Filters:
        """Return the filters with the story's own id where they name it by its external one.

        Raises:
            NotFoundError: if they name a story that is not here.
        """
        if not filters.article:
            return filters
        for collection in self._collections:
            try:
                article_id = collection.articles.get(filters.article).article_id
            except NotFoundError:
                continue
            return replace(filters, article=article_id)
        raise NotFoundError(f"There is no story with the id {filters.article!r} here.")

    def recheck(self, answer: Answer) -> None:
        """Compare every quote with the stored revision once more, right before it is shown.

        Raises:
            QuoteMismatchError: if one is not its story's own characters.
        """
        for citation in answer.citations:
            check(citation, self._articles_of(citation))

    def _articles_of(self, citation: Citation) -> ArticleStore:
        for collection in self._collections:
            if collection.db.collection == citation.revision.collection:
                return collection.articles
        raise QuoteMismatchError(f"the collection {citation.revision.collection!r} is not open")

    def _retrieve(self, question: str, filters: Filters) -> list[Passage]:
        """Return the passages of all collections, the best of each first."""
        found = [c.retriever.retrieve(question, filters=filters) for c in self._collections]
        return sorted((p for passages in found for p in passages), key=lambda p: p.rank)

    def _read(self, question: str, filters: Filters, passages: list[Passage], limit: int) -> Answer:
        evidence = self._reader.read(question, passages)
        confidence = evidence[0].score if evidence else 0.0
        share = FURTHER_SHARE if limit <= MAX_CITATIONS else 0.0
        citations = cite(
            question,
            evidence,
            threshold=self._threshold,
            limit=limit,
            further_share=share,
            copies=lru_cache(Copies([c.db for c in self._collections]).of),
        )
        if not citations:
            return self._refuse(question, filters, Reason.LOW_CONFIDENCE, confidence, passages)
        answer = Answer(question, citations, None, confidence, filters)
        self.recheck(answer)
        return answer

    def _refuse(
        self,
        question: str,
        filters: Filters,
        reason: Reason,
        confidence: float,
        passages: list[Passage],
    ) -> Answer:
        nearest: dict[str, Revision] = {}
        for passage in passages:
            nearest.setdefault(passage.revision.article_id, passage.revision)
        newest = [n for c in self._collections if (n := c.articles.newest()) is not None]
        return Answer(
            question=question,
            citations=(),
            reason=reason,
            confidence=confidence,
            filters=filters,
            nearest=tuple(nearest.values())[:NEAREST],
            newest=max(newest, key=lambda r: r.attribution.published_at or "", default=None),
        )


def checked_answer(
    answerer: Answerer,
    question: str,
    filters: Filters | None = None,
    *,
    limit: int = MAX_CITATIONS,
) -> Answer:
    """Return an answer whose quotes were compared with what is stored once more, just now.

    A story that another process changed or removed in between is asked about again.

    Raises:
        QuoteMismatchError: if that happens twice, which no reader's pace explains.
    """
    answer = answerer.answer(question, filters, limit=limit)
    try:
        answerer.recheck(answer)
    except QuoteMismatchError:
        answer = answerer.answer(question, filters, limit=limit)
        answerer.recheck(answer)
    return answer
