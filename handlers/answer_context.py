"""A quote that was given, once more: with the text around it, or to be told from other quotes."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.answers import GivenAnswer, GivenCitation
from data.errors import NotFoundError, StorageError
from data.models import Revision, Span
from data.origins import Origin
from handlers.layouts.layout import Layout, panel, text
from handlers.layouts.markdown import emphasised, size
from handlers.layouts.marks import correction_words
from handlers.layouts.render import ANSWER_COLOUR, attribution_text, carried_line
from handlers.services import Session
from index.carriers import (
    Carriers,
    StoryKey,
    quoted_sentences,
    standing_stories,
    still_carried,
    story_key,
    without_breaks,
)
from index.citations import surroundings
from index.corrections import Correction, cited_revision, correction
from index.models import Citation

GONE = "I no longer know this answer. Ask again."
# Code points of a story around a quote; less where markup makes them longer.
_AROUND = (1400, 1000, 700, 500)
_MAX_AROUND = 2600


@dataclass(frozen=True, slots=True)
class Context:
    """A quote that was given, with what became of its story and who carries it."""

    revision: Revision
    correction: Correction
    citation: GivenCitation
    origin: Origin | None
    carriers: Carriers | None = None


def context_of(session: Session, given: GivenAnswer, number: int) -> Context:
    """Return a quote of an answer, as it stands now.

    Raises:
        NotFoundError: if there is none of that number, or nothing of it can be shown any more.
    """
    citation = next((c for c in given.citations if c.number == number), None)
    services = session.of(citation.collection) if citation is not None else None
    if citation is None or services is None:
        raise NotFoundError(GONE)
    now = correction(services.articles, services.standing, citation)
    if now.cited is None:
        raise NotFoundError(correction_words(now) or GONE)
    origin = services.origins.of([citation.article_id]).get(citation.article_id)
    stories: dict[StoryKey, Revision] = {}
    for there in session.readable:
        ids = [c.article_id for c in citation.carriers if c.collection == there.collection.name]
        stories |= standing_stories(there.articles, there.standing, ids)
    besides = now.attributed or now.cited
    carriers = still_carried(citation, stories, cited=now.cited, besides=besides)
    return Context(now.cited, now, citation, origin, carriers)


def context_layout(context: Context) -> Layout:
    """Return the paragraph around a quote, and whether the story still says it."""
    revision, span = context.revision, context.citation.span
    quote = span.slice(revision.text)
    for limit in _AROUND:
        around = surroundings(revision.text, span, limit=limit)
        block = emphasised(revision.text, around, span)
        if size(block) <= _MAX_AROUND:
            break
    whose = attribution_text(context.correction.attributed or revision, quote, context.origin)
    stories = context.carriers.stories if context.carriers else ()
    carried = carried_line([story.attribution for story in stories])
    items = [text(block), text("\n".join(filter(None, (whose, carried))))]
    if (words := correction_words(context.correction)) is not None:
        items.append(text(words))
    return Layout(panel(*items, colour=ANSWER_COLOUR))


def others(
    session: Session, found: Sequence[Citation], shown: Sequence[GivenCitation]
) -> list[Citation]:
    """Return those of the quotes that were not given before, in another version neither."""
    given: dict[StoryKey, set[str]] = {}  # the sentences of each story
    for citation in shown:
        services = session.of(citation.collection)
        try:
            cited = services and cited_revision(services.articles, citation)
        except StorageError:
            continue  # it was altered, so nothing of it is quoted now
        if cited:
            known = given.setdefault(story_key(cited), set())
            known |= _sentences(cited, citation.span)
    return [
        c
        for c in found
        if not _sentences(c.revision, c.span) & given.get(story_key(c.revision), set())
    ]


def _sentences(revision: Revision, span: Span) -> set[str]:
    return {without_breaks(s.slice(revision.text)) for s in quoted_sentences(revision, span)}
