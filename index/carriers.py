"""Who else carries what is quoted, and how many publishers say it on their own."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from data.models import Attribution, Revision, folded

CopiesOf = Callable[[Revision], Sequence[Revision]]
"""Returns the copies of a story, current revisions all."""

_QUOTATION_MARKS = re.compile("[\"'`´“”„‟«»‘’‚‛‹›]+")
_SPACES = re.compile(r"\s+")


def no_copies(revision: Revision) -> Sequence[Revision]:
    """Return that there are none."""
    return ()


def story_key(revision: Revision) -> tuple[str, str]:
    """Return what tells a story from those of every collection."""
    return revision.collection, revision.article_id


def carried_by(
    revision: Revision, quote: str, copies: Sequence[Revision]
) -> tuple[Attribution, ...]:
    """Return the attributions of the copies in which the quote stands, one of each publisher.

    Word for word, but for white space, quotation marks and case, which agencies' customers change.
    The quoted publisher itself, and those that are unknown, are left out.
    """
    wanted = _plain(quote)
    found: dict[str, Attribution] = {}
    for copy in copies:
        publisher = folded(copy.attribution.source)
        if publisher and _stands_in(wanted, _plain(copy.text)):
            found.setdefault(publisher, copy.attribution)
    found.pop(folded(revision.attribution.source) or "", None)
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


def _stands_in(quote: str, text: str) -> bool:
    """Return whether the quote stands in a text in whole words."""
    return re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", text) is not None


def _plain(text: str) -> str:
    text = _QUOTATION_MARKS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return _SPACES.sub(" ", text).strip()
