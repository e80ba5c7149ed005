"""Who else carries what is quoted, and how many publishers say it on their own."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from data.answers import GivenCitation
from data.articles import ArticleStore
from data.errors import NotFoundError, StorageError
from data.models import Revision, Span, folded
from data.standing import StandingStore
from index.sentences import sentence_spans

StoryKey = tuple[str, str]
"""A collection and the id of a story in it."""

CopiesOf = Callable[[Revision], Sequence[Revision]]
"""Returns the copies of a story, current revisions all."""

_QUOTATION_MARKS = re.compile("[\"'`´“”„‟«»‘’‚‛‹›]+")
_SPACES = re.compile(r"\s+")


def no_copies(revision: Revision) -> Sequence[Revision]:
    """Return that there are none."""
    return ()


def story_key(revision: Revision) -> StoryKey:
    """Return what tells a story from those of every collection."""
    return revision.collection, revision.article_id


def carried_by(revision: Revision, quote: str, copies: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return the copies in which the quote stands, one of each publisher.

    Word for word, but for white space, quotation marks and case, which agencies' customers change.
    The quoted publisher itself, and those that are unknown, are left out.
    """
    wanted = plain(quote)
    return one_of_each_publisher(
        [copy for copy in copies if _has_words(wanted, plain(copy.text))], besides=revision
    )


def one_of_each_publisher(
    stories: Sequence[Revision], *, besides: Revision
) -> tuple[Revision, ...]:
    """Return the first story of each known publisher but that of `besides`."""
    found: dict[str, Revision] = {}
    for story in stories:
        if publisher := folded(story.attribution.source):
            found.setdefault(publisher, story)
    found.pop(folded(besides.attribution.source) or "", None)
    return tuple(found.values())


def independent_publishers(stories: Sequence[tuple[int, str | None]]) -> int:
    """Return how many publishers say something on their own.

    Each quote is given by the number of its story, which copies share, and by its publisher. Quotes
    of one story count once, and so do those of one publisher; an unknown publisher is one a story.
    """
    groups: list[set[object]] = []
    for story, publisher in stories:
        marks: set[object] = {story} if publisher is None else {story, folded(publisher)}
        for group in [g for g in groups if g & marks]:
            groups.remove(group)
            marks |= group
        groups.append(marks)
    return len(groups)


def quoted_sentences(revision: Revision, span: Span) -> tuple[Span, ...]:
    """Return the sentences of a revision that a quote stands in, whole also where it is cut."""
    return tuple(s for s in sentence_spans(revision.text) if s.overlaps(span))


def without_breaks(text: str) -> str:
    """Return a text with each white space as one blank."""
    return " ".join(text.split())


def stands_in(
    revision: Revision, span: Span, text: str, fold: Callable[[str], str] = without_breaks
) -> bool:
    """Return whether the sentences that a quote stands in are whole sentences of another text.

    They stand one behind the other there, too. `fold` gives the form in which two are the same.
    """
    quoted = [fold(s.slice(revision.text)) for s in quoted_sentences(revision, span)]
    wanted = " ".join(filter(None, quoted))
    sentences = list(filter(None, (fold(s.slice(text)) for s in sentence_spans(text))))
    for first, found in enumerate(sentences):
        # Line breaks may divide the same words otherwise.
        for sentence in sentences[first + 1 :]:
            if len(found) >= len(wanted):
                break
            found = f"{found} {sentence}"
        if found == wanted:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who else carries a quote that was given, one story of each publisher.

    `mark` is "" where those are the same, and the same versions, as when it was given.
    """

    stories: tuple[Revision, ...]
    mark: str


def still_carried(
    citation: GivenCitation,
    stories: Mapping[StoryKey, Revision],
    *,
    cited: Revision | None,
    besides: Revision,
) -> Carriers | None:
    """Return who of those that carried a quote still does; None where that was not remembered.

    `stories` are those of them that stand, as they are now. One whose text is another since has to
    have the sentences of `cited`, the quoted revision, whole. `besides` has the quoted publisher.
    """
    if citation.sha256 is None:
        return None
    found = []
    for carrier in citation.carriers:
        story = stories.get((carrier.collection, carrier.article_id))
        if story is None:
            continue
        same = story.sha256 == carrier.sha256
        if same or (cited is not None and stands_in(cited, citation.span, story.text, plain)):
            found.append(story)
    given = [(c.collection, c.revision_id, c.sha256) for c in citation.carriers]
    same = given == [(*story.key, story.sha256) for story in found]
    mark = "+" + ",".join(f"{story.collection}/{story.id}" for story in found)
    return Carriers(one_of_each_publisher(found, besides=besides), "" if same else mark)


def standing_stories(
    articles: ArticleStore, standing: StandingStore, article_ids: Iterable[str]
) -> dict[StoryKey, Revision]:
    """Return the current revisions of those stories that are not removed, withdrawn or altered."""
    found = {}
    for article_id in article_ids:
        with suppress(NotFoundError, StorageError):
            story = articles.own(article_id)
            if standing.withdrawn_at(article_id) is None:
                found[story_key(story)] = story
    return found


def _has_words(quote: str, text: str) -> bool:
    """Return whether the quote stands in a text in whole words."""
    return re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", text) is not None


def plain(text: str) -> str:
    """Return a text without what copies of it change: white space, quotation marks and case."""
    text = _QUOTATION_MARKS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _SPACES.sub(" ", text).strip()
