"""Looking again at the pages that stories came from: changed, unchanged, withdrawn."""

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

from data.articles import SaveStatus
from data.errors import NotFoundError, StoryRefusedError
from data.models import Draft
from data.rechecks import Recheck
from data.urls import canonical_url
from data.web.fetch import FetchError, Validators
from data.webstories import draft_from_page
from handlers.runner import Runner
from handlers.services import Services
from handlers.web import ReadPage, Web

log = logging.getLogger(__name__)


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


async def look_again(web: Web, runner: Runner, collection: str, known: Recheck) -> Looked:
    """Fetch a story's page again, and store what changed.

    A page that is gone (410) withdraws the story. One that cannot be had or judged now, because of
    a paywall that was not there before, say, changes nothing: what is stored was the page's own.
    """
    article_id = known.article_id
    try:
        read = await web.page(known.url, Validators(known.etag, known.last_modified))
    except FetchError as error:
        if error.gone:
            await runner.stories(collection, lambda s: _withdraw(s, article_id))
            return Looked(article_id, Look.WITHDRAWN)
        return await _problem(runner, collection, article_id, str(error))
    except StoryRefusedError as error:
        return await _problem(runner, collection, article_id, str(error))
    if read is None:
        await runner.stories(collection, lambda s: s.rechecks.checked(article_id, problem=None))
        return Looked(article_id, Look.SAME)
    try:
        return await runner.stories(collection, lambda s: _store(s, article_id, read))
    except StoryRefusedError as error:
        return await _problem(runner, collection, article_id, str(error))
    except NotFoundError:
        return Looked(article_id, Look.PROBLEM, "The story was removed in the meantime.")


def _withdraw(services: Services, article_id: str) -> None:
    services.rechecks.checked(article_id, problem="The page is gone (410).")
    services.rechecks.forget_validators(article_id)
    services.indexer.withdraw(article_id)


def _store(services: Services, article_id: str, read: ReadPage) -> Looked:
    """Store what a page says now, if it is still the same story's page."""
    draft = draft_from_page(read.extracted)
    if not _same_story(services, article_id, draft, read):
        why = "The page shows another story now."
        services.rechecks.checked(article_id, problem=why)
        return Looked(article_id, Look.PROBLEM, why)
    saved = services.indexer.add(
        replace(draft, article_id=article_id),
        along=lambda r: services.rechecks.record(r.article_id, read.page),
    )
    changed = saved.status is SaveStatus.CHANGED
    return Looked(article_id, Look.CHANGED if changed else Look.SAME)


def _same_story(services: Services, article_id: str, draft: Draft, read: ReadPage) -> bool:
    """Return whether a page is still the story's: by its address, its text, or as it moved."""
    known = services.rechecks.get(article_id)
    links = {canonical_url(link) for link in (known.links if known else ())}
    shown = draft.attribution.url
    same_link = shown is None or not links or canonical_url(shown) in links
    moved = read.page.moved_to is not None
    return same_link or moved or services.articles.own(article_id).text == draft.text


async def _problem(runner: Runner, collection: str, article_id: str, why: str) -> Looked:
    await runner.stories(collection, lambda s: s.rechecks.checked(article_id, problem=why))
    log.info("a page could not be looked at again", extra={"article": article_id})
    return Looked(article_id, Look.PROBLEM, why)
