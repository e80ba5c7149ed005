"""Following feeds: what is new in one becomes stories, once, and what is not is told why."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from data.articles import Saved, SaveStatus
from data.database import Database
from data.errors import (
    NotFoundError,
    StorageError,
    StoryRefusedError,
    UnavailableError,
    UserError,
)
from data.feeds import INTERVAL, FeedStore
from data.followed import FollowedFeed, Outcome, SeenItem
from data.models import Draft
from data.pages import Feed, FeedItem, Page
from data.rechecks import Recheck
from data.web.fetch import FetchError, Validators
from data.webstories import draft_from_item, draft_from_page
from handlers.polls import Poll, Taken
from handlers.runner import Runner
from handlers.services import Services
from handlers.web import Web

log = logging.getLogger(__name__)

_LONGEST_PAUSE = timedelta(days=1)
# A feed that fails this often in a row has failed for about four days, by the back-off below.
MAX_FAILURES = 10
_MAX_TRIES = 3  # of an item's page, at polls half an hour apart or more
_MAX_STORY = 100_000  # characters, as for any story from Discord
_REMOVED_HERE = "It was removed here."


class Follower:
    """Polls feeds and takes in what is new; one instance serves every collection."""

    def __init__(self, *, web: Web, runner: Runner) -> None:
        self._web = web
        self._runner = runner

    async def try_out(self, url: str) -> tuple[Page, Feed]:
        """Return what is in a feed now; nothing is stored.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it is no feed.
        """
        found = await self._web.feed(url)
        if found is None:
            raise StoryRefusedError("The feed sent nothing.")
        return found

    async def poll(self, feed: FollowedFeed, found: tuple[Page, Feed] | None = None) -> Poll:
        """Ask a feed for what is new and take it in; what went wrong is in the result.

        `found` is what the feed held, where it was read just now.
        """
        poll = Poll(feed)
        if not await self._runner.memory(lambda db: db_feeds(db, feed).has(feed.id)):
            return poll  # it was removed in the meantime
        try:
            found = found or await self._web.feed(
                feed.url, Validators(feed.etag, feed.last_modified)
            )
        except FetchError as error:
            gone = "The feed is gone for good (410)." if error.gone else None
            await self._failed(poll, str(error), error.retry_after, pause=gone)
            return poll
        except StoryRefusedError as error:
            await self._failed(poll, str(error), None)
            return poll
        if found is None:
            poll.unchanged = True
        else:
            page, contents = found
            poll.left_out = contents.left_out
            await self._take(poll, contents)
            await self._runner.memory(lambda db: _known_as(db, poll, page, contents))
        next_poll = _now() + INTERVAL
        await self._runner.memory(
            lambda db: db_feeds(db, feed).polled(feed.id, next_poll_at=next_poll)
        )
        return poll

    async def _failed(
        self, poll: Poll, why: str, retry_after: float | None, *, pause: str | None = None
    ) -> None:
        """Remember that a feed could not be had, and ask again later: each time twice as late."""
        feed, failures = poll.feed, poll.feed.failures + 1
        poll.problem = why
        if pause is None and failures >= MAX_FAILURES:
            pause = f"It failed {failures} times in a row. The last time: {why}"
        wait = min(INTERVAL * 2 ** min(failures, 10), _LONGEST_PAUSE)
        if retry_after is not None:
            wait = max(wait, timedelta(seconds=retry_after))
        poll.paused = pause

        def remember(feeds: FeedStore) -> None:
            next_poll = _now() + wait
            feeds.polled(feed.id, next_poll_at=next_poll, failures=failures, problem=why)
            if pause is not None:
                feeds.pause(feed.id, pause)

        await self._runner.memory(lambda db: remember(db_feeds(db, feed)))

    async def _take(self, poll: Poll, contents: Feed) -> None:
        feed = poll.feed
        seen, today = await self._runner.memory(
            lambda db: (db_feeds(db, feed).seen(feed.id), db_feeds(db, feed).taken_today(feed.id))
        )
        left = feed.daily_limit - today
        for item in _once_each(contents.items):
            fingerprint = _fingerprint(item)
            before = seen.get(item.guid)
            if before is not None and not _again(before, fingerprint):
                continue
            if left <= 0:
                poll.waiting += 1
                continue
            taken = await self._item(poll, contents, item, before)
            poll.taken.append(taken)
            left -= taken.outcome in (Outcome.NEW, Outcome.CHANGED)
            await self._see(feed, item, fingerprint, taken)

    async def _see(
        self, feed: FollowedFeed, item: FeedItem, fingerprint: str, taken: Taken
    ) -> None:
        await self._runner.memory(
            lambda db: db_feeds(db, feed).see(
                feed.id,
                item.guid,
                fingerprint,
                taken.outcome,
                reason=taken.reason,
                title=taken.title,
                article_id=taken.article_id,
            )
        )

    async def _item(
        self, poll: Poll, contents: Feed, item: FeedItem, before: SeenItem | None
    ) -> Taken:
        """Take one item in, or say why not."""
        known = before.article_id if before else None
        try:
            saved = await self._saved(poll.feed, contents, item, known)
        except FetchError as error:
            same = before is not None and before.fingerprint == _fingerprint(item)
            tries = before.tries if before and same and before.outcome is Outcome.FAILED else 0
            over = error.gone or error.not_found or tries + 1 >= _MAX_TRIES
            outcome = Outcome.REFUSED if over else Outcome.FAILED
            return Taken(item.title, item.url, outcome, str(error), known)
        except (StorageError, UnavailableError):
            raise  # trouble of ours: the next poll goes on from here
        except UserError as error:
            return Taken(item.title, item.url, Outcome.REFUSED, str(error), known)
        article_id = saved.revision.article_id
        return Taken(item.title, item.url, Outcome(saved.status.value), None, article_id)

    async def _saved(
        self, feed: FollowedFeed, contents: Feed, item: FeedItem, known: str | None
    ) -> Saved:
        """Store an item, from its page where it holds a summary only.

        Raises:
            UserError: if it cannot be had, or is no story.
        """
        if item.refused is not None:
            raise StoryRefusedError(item.refused)
        if known is not None:
            await self._runner.stories(feed.collection, lambda s: _require_still(s, known))
        if not item.is_summary:
            draft = draft_from_item(item, feed_url=feed.url, source=contents.title)
            return await self._store(feed, replace(draft, article_id=known), None)
        if item.url is None:
            raise StoryRefusedError("It is a summary without a link to the whole story.")
        return await self._from_page(feed, item.url, known)

    async def _from_page(self, feed: FollowedFeed, url: str, known: str | None) -> Saved:
        page = await self._runner.stories(feed.collection, lambda s: _page(s, url, known))
        validators = Validators(page.etag, page.last_modified) if page else None
        read = await self._web.page(url, validators)
        if read is None:
            return await self._runner.stories(feed.collection, lambda s: _unchanged(s, page))
        draft = replace(draft_from_page(read.extracted), article_id=known)
        return await self._store(feed, draft, read.page)

    async def _store(self, feed: FollowedFeed, draft: Draft, page: Page | None) -> Saved:
        if len(draft.text) > _MAX_STORY:
            raise StoryRefusedError(f"It is longer than {_MAX_STORY:,} characters.")

        def add(services: Services) -> Saved:
            def along(article_id: str) -> None:
                if page is not None:
                    services.rechecks.record(article_id, page)

            return services.indexer.add(draft, along=lambda r: along(r.article_id))

        return await self._runner.stories(feed.collection, add)


def db_feeds(db: Database, feed: FollowedFeed) -> FeedStore:
    """Return the store of the feeds that this one is among."""
    return FeedStore(db, feed.collection)


def _known_as(db: Database, poll: Poll, page: Page, contents: Feed) -> None:
    """Remember the feed's name and address, and its validators once nothing waits in it.

    While items wait, or are to be tried again, an unchanged feed has to be sent all the same.
    """
    feeds = db_feeds(db, poll.feed)
    settled = not poll.waiting and not poll.count(Outcome.FAILED)
    feeds.known_as(
        poll.feed.id,
        url=page.moved_to or poll.feed.url,
        title=contents.title,
        etag=page.etag if settled else None,
        last_modified=page.last_modified if settled else None,
    )
    feeds.still_there(poll.feed.id, [item.guid for item in contents.items])


def _once_each(items: Sequence[FeedItem]) -> list[FeedItem]:
    """Return the items, of several with one guid the first."""
    found: dict[str, FeedItem] = {}
    for item in items:
        found.setdefault(item.guid, item)
    return list(found.values())


def _fingerprint(item: FeedItem) -> str:
    """Return what an item's contents are known again by.

    A date that was moved is reason enough to look at the page again, of which a summary says
    nothing. It makes no new version by itself: that is for the text to say.
    """
    dates = (item.published_at, item.modified_at)
    parts = (item.url, item.title, item.author, item.text, item.refused, *dates)
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).hexdigest()


def _again(before: SeenItem, fingerprint: str) -> bool:
    """Return whether an item that was looked at before is to be looked at again."""
    return before.fingerprint != fingerprint or before.outcome is Outcome.FAILED


def _require_still(services: Services, article_id: str) -> None:
    """Return if the story is still here.

    Raises:
        StoryRefusedError: if somebody removed it, who does not want it back.
    """
    try:
        services.articles.own(article_id)
    except NotFoundError as error:
        raise StoryRefusedError(_REMOVED_HERE) from error


def _page(services: Services, url: str, known: str | None) -> Recheck | None:
    """Return the page that an item's story was read from, as far as it was."""
    found = services.rechecks.get(known) if known is not None else None
    return found or services.rechecks.of_url(url)


def _unchanged(services: Services, page: Recheck | None) -> Saved:
    if page is None:
        raise StoryRefusedError("The page sent nothing.")
    services.rechecks.checked(page.article_id, problem=None)
    return Saved(SaveStatus.SAME, services.articles.own(page.article_id))


def _now() -> datetime:
    return datetime.now(UTC)
