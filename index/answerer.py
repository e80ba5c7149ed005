from data.articles import ArticleStore
from data.database import Database, read
from data.errors import UserError
from data.models import Filters, Revision, normalise
from index.citations import check, cite
from index.models import Answer, Passage, Reason
from index.reader import Reader
from index.retriever import Retriever

# Lowest probability at which an answer is given. On NewsQA it answers 89 % of the questions asked
# of their own story and 4 % of those asked of a wrong one (benchmarks/calibrate.py).
DEFAULT_THRESHOLD = 0.18
# A question may be pasted with its surroundings; its words beyond this many add nothing.
MAX_QUESTION = 2000
NEAREST = 3


def clean_question(question: str) -> str:
    """Return the question as it is searched: NFC, white space folded, no control characters.

    Raises:
        UserError: if nothing is left, it has no letter or digit, or it is too long.
    """
    cleaned = " ".join(normalise(question).replace("\x00", " ").split())
    cleaned = cleaned.encode("utf-8", "ignore").decode("utf-8")
    if not cleaned:
        raise UserError("There is no question. Ask in a sentence, such as: who reported it?")
    if len(cleaned) > MAX_QUESTION:
        raise UserError(
            f"The question has {len(cleaned):,} characters; ask in at most {MAX_QUESTION:,}."
        )
    if not any(character.isalnum() for character in cleaned):
        raise UserError("The question has no words in it. Ask in a sentence.")
    return cleaned


class Answerer:
    """Answers questions about one collection with quotes, or says why it has none."""

    def __init__(
        self, *, db: Database, retriever: Retriever, reader: Reader, threshold: float | None
    ) -> None:
        self._db = db
        self._articles = ArticleStore(db)
        self._retriever = retriever
        self._reader = reader
        self._threshold = DEFAULT_THRESHOLD if threshold is None else threshold

    def answer(self, question: str, filters: Filters | None = None) -> Answer:
        """Return at most three checked citations, or the reason for refusing.

        Everything is read from one view of the collection, so a story that changes meanwhile is
        quoted as it was or not at all.

        Raises:
            UserError: if there is no question in the text.
            NotFoundError: if the filters name a story that is not here.
            QuoteMismatchError: if a quote is not its story's own characters: a bug.
        """
        question = clean_question(question)
        filters = filters or Filters()
        with read(self._db):
            if filters.article:
                article = self._articles.get(filters.article).article_id
                filters = Filters(filters.source, filters.after, filters.before, article)
            if self._articles.count() == 0:
                return self._refuse(question, filters, Reason.EMPTY_COLLECTION, 0.0, [])
            passages = self._retriever.retrieve(question, filters=filters)
            if not passages:
                reason = Reason.FILTERED_OUT if filters else Reason.NO_PASSAGE
                return self._refuse(question, filters, reason, 0.0, self._unfiltered(question))
            return self._read(question, filters, passages)

    def recheck(self, answer: Answer) -> None:
        """Compare every quote with the stored revision once more, right before it is shown.

        Raises:
            QuoteMismatchError: if one is not its story's own characters.
        """
        for citation in answer.citations:
            check(citation, self._articles)

    def _read(self, question: str, filters: Filters, passages: list[Passage]) -> Answer:
        evidence = self._reader.read(question, passages)
        confidence = evidence[0].score if evidence else 0.0
        citations = cite(question, evidence, threshold=self._threshold)
        if not citations:
            return self._refuse(question, filters, Reason.LOW_CONFIDENCE, confidence, passages)
        answer = Answer(question, citations, None, confidence, filters)
        self.recheck(answer)
        return answer

    def _unfiltered(self, question: str) -> list[Passage]:
        return self._retriever.retrieve(question)

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
        return Answer(
            question=question,
            citations=(),
            reason=reason,
            confidence=confidence,
            filters=filters,
            nearest=tuple(nearest.values())[:NEAREST],
            newest=self._articles.newest(),
        )
