"""Revisions, citations and answers made by hand, for what is shown and written."""

from dataclasses import replace

from data.models import Attribution, Filters, Revision, Span
from index.models import Answer, Citation, Reason
from tests import fakes

ATTRIBUTION = Attribution(
    title="Bridge opened",
    source="The Larkmoor Ledger",
    author="Ann Reed",
    published_at="2024-10-25T23:30:00-05:00",
    url="https://ledger.example/bridge",
)
TEXT = "The mayor opened the bridge on Friday. It cost two million crowns. Nobody fell in."


def story(
    text: str = TEXT,
    attribution: Attribution = ATTRIBUTION,
    *,
    number: int = 1,
    external_id: str | None = None,
) -> Revision:
    """Return a revision that is in no database; its story's id is `story-NUMBER`."""
    revision = fakes.revision(text, id=number)
    return replace(revision, attribution=attribution, external_id=external_id)


def citation(
    of: Revision, span: Span | None = None, *, highlight: Span | None = None, number: int = 1
) -> Citation:
    """Return a citation of the whole text, or of a span of it."""
    return Citation(number, of, span or Span(0, len(of.text)), 0.81236, highlight)


def answered(
    *citations: Citation, confidence: float = 0.9, filters: Filters | None = None
) -> Answer:
    """Return an answer with these citations."""
    return Answer("Who opened it?", citations, None, confidence, filters or Filters())


def refused(
    reason: Reason,
    *,
    nearest: tuple[Revision, ...] = (),
    newest: Revision | None = None,
    filters: Filters | None = None,
) -> Answer:
    """Return a refusal."""
    return Answer("Who?", (), reason, 0.1, filters or Filters(), nearest=nearest, newest=newest)
