from dataclasses import dataclass, field
from enum import StrEnum

from data.articles import Saved
from data.models import Attribution, Filters, Revision, Span
from index.carriers import independent_publishers


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was retrieved for a question.

    `rank` counts from 1. `score` (fused, 0..1) orders the passages of one question and means
    nothing across questions; `similarity` is the cosine between question and chunk, -1..1.
    """

    chunk_id: int
    revision: Revision
    span: Span
    rank: int
    score: float
    similarity: float

    @property
    def text(self) -> str:
        """Return the stored slice itself, without any header."""
        return self.span.slice(self.revision.text)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who said what is quoted, as the text names them; `role` is None where it gives none."""

    name: str
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a reader found: the sentences that answer, and where in them the answer stands.

    `score`, 0..1, is the probability that they answer. `strength`, 0..1, is what the reader orders
    its evidence by where that is something else. `highlight` lies inside `span`.
    """

    revision: Revision
    span: Span
    score: float
    highlight: Span | None = None
    speaker: Speaker | None = None
    strength: float | None = None

    @property
    def rank_score(self) -> float:
        """Return what orders the evidence of one question: its strength, else its score."""
        return self.score if self.strength is None else self.strength


class QuoteMismatchError(Exception):
    """A quote is not its revision's own characters: a bug, and never shown as an answer."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered quote; it can only be built from a revision and a span of it.

    `quote` is cut out of the revision here and nowhere else. `highlight` is a span of the
    revision inside the quote; `score`, 0..1, orders the quotes of one answer; `cut_before` and
    `cut_after` tell that the sentence goes on outside. `story` numbers the stories of one answer,
    copies of one being the same; `carriers` are the other publishers' copies that have the quote.

    Raises:
        ValueError: if the span reaches beyond the text or the highlight beyond the quote.
    """

    number: int
    revision: Revision
    span: Span
    score: float
    highlight: Span | None = None
    speaker: Speaker | None = None
    cut_before: bool = False
    cut_after: bool = False
    story: int = 0
    carriers: tuple[Revision, ...] = ()
    quote: str = field(init=False)

    def __post_init__(self) -> None:
        if self.highlight is not None and not self.span.contains(self.highlight):
            raise ValueError("the highlight lies outside the quote")
        object.__setattr__(self, "quote", self.span.slice(self.revision.text))

    @property
    def carried_by(self) -> tuple[Attribution, ...]:
        """Return the attributions of the copies that have the quote, one of each publisher."""
        return tuple(carrier.attribution for carrier in self.carriers)

    @property
    def highlight_in_quote(self) -> tuple[int, int] | None:
        """Return the answer's `[start, end)` counted inside the quote, or None."""
        if self.highlight is None:
            return None
        return self.highlight.start - self.span.start, self.highlight.end - self.span.start


class Reason(StrEnum):
    """Why a question got no quote."""

    EMPTY_COLLECTION = "empty_collection"
    NO_PASSAGE = "no_passage"
    LOW_CONFIDENCE = "low_confidence"
    FILTERED_OUT = "filtered_out"


@dataclass(frozen=True, slots=True)
class Answer:
    """Quotes that answer a question, or the reason why there are none.

    `confidence`, 0..1, is the calibrated probability that the quotes answer. A refusal names the
    stories that came nearest, and the collection's newest story where a date is known.
    """

    question: str
    citations: tuple[Citation, ...]
    reason: Reason | None
    confidence: float
    filters: Filters
    nearest: tuple[Revision, ...] = ()
    newest: Revision | None = None

    def __post_init__(self) -> None:
        if bool(self.citations) == (self.reason is not None):
            raise ValueError("an answer has either citations or a reason")

    @property
    def independent_publishers(self) -> int:
        """Return how many publishers are quoted, those that carry one story counted once."""
        return independent_publishers(
            [(c.story, c.revision.attribution.source) for c in self.citations]
        )

    @property
    def answered(self) -> bool:
        """Return whether there is at least one quote."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What a collection holds and what its index was made with; sizes are in bytes.

    `stale` lists, in sentences, what a rebuild would mend.
    """

    collection: str
    stories: int
    revisions: int
    chunks: int
    newest: Revision | None
    encoder: str | None
    weights_hash: str | None
    dimension: int | None
    chunker_version: int | None
    header_version: int | None
    built_at: str | None
    database_bytes: int
    index_bytes: int
    stale: tuple[str, ...]
    withdrawn: int = 0  # of the stories


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one row of an import."""

    line: int
    saved: Saved | None
    refused: str | None
    notes: tuple[str, ...] = ()
