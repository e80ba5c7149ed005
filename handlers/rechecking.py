"""Looking again at the pages that stories came from: changed, unchanged, withdrawn."""

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

from data.articles import SaveStatus
from data.errors import NotFoundError, StoryRefusedError
from data.models import Draft, folded
from data.pages import Page
from data.rechecks import Recheck
from data.urls import canonical_url
from data.web.fetch import FetchError, Validators
from data.webstories import draft_from_page
from handlers.patience import Pages
from handlers.runner import Runner
from handlers.services import Services
from handlers.web import ReadPage
from index.duplicates import Story, is_copy

log = logging.getLogger(__name__)

GONE = "The page is gone (410)."
_NOT_COMPARED = (
    "The page is still there. What is stored was not read from it, so the two are not compared."
)


class Look(StrEnum):
    """What a second look at a story's page found."""

    SAME = "same"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a second look found; `problem` is a sentence where the page could not be judged."""

    article_id: str
    look: Look
    problem: str | None = None


async def look_again(web: Pages, runner: Runner, collection: str, known: Recheck) -> Looked:
    """Fetch a story's page again, and store what changed.

    A page that is gone (410) withdraws the story. One that cannot be had or judged now, because of
    a paywall that was not there before, say, changes nothing: what is stored was the page's own.
    Where it was not, the page is there or gone, and what it says is not compared.
    """
    try:
        return await look(web, runner, collection, known)
    except NotFoundError:
        why = "The story was removed in the meantime."
    except (FetchError, StoryRefusedError) as error:
        why = str(error)
    log.info("a page could not be looked at again", extra={"article": known.article_id})
    return Looked(known.article_id, Look.PROBLEM, why)


async def look(web: Pages, runner: Runner, collection: str, known: Recheck) -> Looked:
    """Return what `look_again` does, where the page could be had and judged.

    Raises:
        FetchError: if the page cannot be had now.
        StoryRefusedError: if it shows no story, or another one.
        NotFoundError: if the story was removed in the meantime.
    """
    article_id = known.article_id
    try:
        if not known.was_read:
            await web.visit(known.url)
            return await runner.stories(collection, lambda s: _is_there(s, article_id))
        read = await web.page(known.url, Validators(known.etag, known.last_modified))
        if read is None:
            await runner.stories(collection, lambda s: s.rechecks.checked(article_id, problem=None))
            return Looked(article_id, Look.SAME)
        return await runner.stories(collection, lambda s: _store(s, known, read))
    except (FetchError, StoryRefusedError) as error:
        if isinstance(error, FetchError) and error.gone:
            return await _elsewhere(web, runner, collection, known)
        await _remember(runner, collection, article_id, str(error))
        raise


async def _remember(runner: Runner, collection: str, article_id: str, problem: str) -> None:
    await runner.stories(collection, lambda s: s.rechecks.checked(article_id, problem=problem))


def _is_there(services: Services, article_id: str) -> Looked:
    """Note that a page stands whose words are not compared; a withdrawn story is back with it."""
    services.rechecks.checked(article_id, problem=None)
    if services.standing.withdrawn_at(article_id) is None:
        return Looked(article_id, Look.PROBLEM, _NOT_COMPARED)
    current = services.articles.own(article_id)
    services.indexer.add(Draft(current.text, current.attribution, article_id=article_id))
    return Looked(article_id, Look.CHANGED)


async def _elsewhere(web: Pages, runner: Runner, collection: str, known: Recheck) -> Looked:
    """Look where else the story is said to stand; withdraw it where it is gone there, too.

    A short link, or the address of a page for phones, may go while the story stays.
    """
    asked = {canonical_url(known.url), canonical_url(known.asked_url)}
    for link in known.links:
        if canonical_url(link) not in asked:
            try:
                return await _at_link(web, runner, collection, known, link)
            except (FetchError, StoryRefusedError) as error:
                if not isinstance(error, FetchError) or error.passing:
                    await _remember(runner, collection, known.article_id, str(error))
                    raise
    await runner.stories(collection, lambda s: withdraw(s, known.article_id))
    return Looked(known.article_id, Look.WITHDRAWN)


async def _at_link(
    web: Pages, runner: Runner, collection: str, known: Recheck, link: str
) -> Looked:
    """Return what stands at a story's link, which is its page from now on."""
    article_id = known.article_id
    if not known.was_read:
        await web.visit(link)
        await runner.stories(collection, lambda s: s.rechecks.stands_at(article_id, link))
        return await runner.stories(collection, lambda s: _is_there(s, article_id))
    read = await web.page(link, None)
    if read is None:
        raise StoryRefusedError("The page sent nothing.")
    return await runner.stories(collection, lambda s: _store(s, known, read))


def withdraw(services: Services, article_id: str) -> None:
    """Take a story whose page is gone out of the index, until the page is back."""
    services.rechecks.checked(article_id, problem=GONE)
    services.rechecks.forget_validators(article_id)
    services.indexer.withdraw(article_id)


def _store(services: Services, known: Recheck, read: ReadPage) -> Looked:
    """Store what a page says now.

    Raises:
        StoryRefusedError: if there is no story in it, or another one than this page's.
    """
    article_id, draft = known.article_id, draft_from_page(read.extracted)
    if not _same_story(services, known, draft, read.page):
        raise StoryRefusedError("The page shows another story now.")
    saved = services.indexer.add(
        replace(draft, article_id=article_id),
        along=lambda r: services.rechecks.record(r.article_id, read.page),
    )
    changed = saved.status is SaveStatus.CHANGED
    return Looked(article_id, Look.CHANGED if changed else Look.SAME)


def _same_story(services: Services, known: Recheck, draft: Draft, page: Page) -> bool:
    """Return whether a page is still the story's: by its address or its text.

    One that moved has to say so by itself, since many publishers send the address of a story that
    they took away to another one, or to a list.
    """
    own = services.articles.own
    if page.moved_to is None or known.is_at(page.moved_to):
        links = {canonical_url(link) for link in known.links}
        shown = draft.attribution.url
        same_link = shown is None or not links or canonical_url(shown) in links
        return same_link or own(known.article_id).text == draft.text
    if set(services.rechecks.stories_at(page.moved_to)) - {known.article_id}:
        return False
    current = own(known.article_id)
    same_title = folded(current.attribution.title) == folded(draft.attribution.title)
    return (
        same_title or current.text == draft.text or is_copy(Story(current.text), Story(draft.text))
    )
