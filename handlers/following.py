"""Following feeds: what is new in one becomes stories, once, and what is not is told why."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic as _clock
from typing import TypeVar

from data.database import Database, write
from data.errors import StorageError, StoryRefusedError, UnavailableError, UserError
from data.feeds import INTERVAL, FeedStore
from data.followed import FollowedFeed, Outcome
from data.locks import held_alone, poll_lock_file
from data.pages import Feed, Page
from data.waiting import WaitingStore
from data.web.fetch import FetchError, Validators
from handlers.entries import (
    MAX_TRIES_OF_TROUBLE,
    Entry,
    most_tries,
    new_entries,
    waiting_entries,
)
from handlers.errors import reported
from handlers.patience import LaterError, PatientWeb, StoppedError
from handlers.polls import Poll, Taken
from handlers.runner import Runner
from handlers.services import Services
from handlers.taking import Taker
from handlers.web import Web

T = TypeVar("T")

_LONGEST_PAUSE = timedelta(days=1)
# A feed that fails this often in a row has failed for about four days, by the back-off below.
MAX_FAILURES = 10
POLL_SECONDS = 600.0  # after which a poll begins with no further item; the next one goes on
_UNDER_WAY = "It is being asked already, here or by another process."
_AT_REST = "Its host asked to be left alone for a while, so it is asked later."


def _always() -> bool:
    return True


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
        return await self._web.feed(url)

    async def poll(
        self,
        feed: FollowedFeed,
        found: tuple[Page, Feed] | None = None,
        *,
        wanted: Callable[[], bool] = _always,
    ) -> Poll:
        """Ask a feed for what is new and take it in; what went wrong is in the result.

        `found` is what the feed held, where it was read just now. `wanted` is asked again and
        again; as soon as it says no, or the feed is removed or paused, nothing more is stored.

        Raises:
            StorageError: if what was found cannot be stored; the next poll goes on from there.
            UnavailableError: if pages cannot be read now, as when the program is being stopped.
        """
        lock = await self._runner.memory(lambda db: poll_lock_file(db, feed.id))
        with held_alone(lock) as alone:
            if not alone:
                return Poll(feed, problem=_UNDER_WAY)
            try:
                return await self._poll(feed, found, wanted)
            except StoppedError:
                return Poll(feed, stopped=True)

    async def _poll(
        self,
        given: FollowedFeed,
        found: tuple[Page, Feed] | None,
        wanted: Callable[[], bool],
    ) -> Poll:
        next_poll = _now() + INTERVAL
        feed = await self._on_feeds(given, lambda s: s.begin(given.id, next_poll_at=next_poll))
        if feed is None or (feed.paused and not given.paused):
            raise StoppedError

        async def goes_on() -> bool:
            now = await self._on_feeds(feed, lambda feeds: feeds.find(feed.id))
            return wanted() and now is not None and (now.paused is None or bool(given.paused))

        poll = Poll(feed)
        if found is None:
            if (left := self._web.rest_left(feed.url)) > 0:
                return await self._at_rest(poll, left)
            try:
                found = await self._web.feed(feed.url, Validators(feed.etag, feed.last_modified))
            except UnavailableError:
                raise
            except FetchError as error:
                gone = "The feed is gone for good (410)." if error.gone else None
                return await self._failed(poll, str(error), error.retry_after, pause=gone)
            except StoryRefusedError as error:
                return await self._failed(poll, str(error), None)
        await self._take_in(poll, found, PatientWeb(self._web, wanted=goes_on))
        return poll

    async def _take_in(self, poll: Poll, found: tuple[Page, Feed] | None, web: PatientWeb) -> None:
        """Take in what a feed holds, or, where it is unchanged, what waits of it."""
        feed = poll.feed
        seen = await self._on_feeds(feed, lambda feeds: feeds.seen(feed.id))
        if found is not None:
            entries = new_entries(found[1].items, seen)
        else:
            waiting = await self._runner.memory(
                lambda db: WaitingStore(db, feed.collection).of(feed.id)
            )
            entries = waiting_entries(waiting, seen)
        poll.unchanged = found is None and not entries
        title = found[1].title if found else feed.title
        taker = Taker(web=web, runner=self._runner, feed=feed, source=title)
        try:
            left = await self._take(poll, entries, taker, web)
            await web.require_wanted()
        except StoppedError:
            poll.stopped = True
            return
        if found is not None:
            poll.left_out = found[1].left_out
        whole = await self._loses_text(feed, left)
        await self._runner.memory(lambda db: _settle(db, feed, found, left, whole=whole))

    async def _loses_text(self, feed: FollowedFeed, left: Sequence[Entry]) -> bool:
        """Return whether the feed has to be had whole again, for what waits and is not kept."""
        ids = [e.article_id for e in left if e.loses_text and e.article_id is not None]

        def from_the_feed(services: Services) -> bool:
            pages = (services.rechecks.get(article_id) for article_id in ids)
            return any(page is None or not page.was_read for page in pages)

        return bool(ids) and await self._runner.stories(feed.collection, from_the_feed)

    async def _take(
        self, poll: Poll, entries: Sequence[Entry], taker: Taker, web: PatientWeb
    ) -> list[Entry]:
        """Take in one item after the other; return those that are to be looked at again.

        Raises:
            StoppedError: if the feed is not wanted any more.
        """
        feed, again = poll.feed, []
        left = feed.daily_limit - await self._on_feeds(feed, lambda s: s.taken_today(feed.id))
        until = _clock() + POLL_SECONDS
        for entry in entries:
            if entry.article_id is None and left <= 0:
                poll.waiting += 1
                again.append(entry)
                continue
            await web.require_wanted()
            taken = await self._item(taker, entry) if _clock() < until else None
            if taken is None:
                poll.later += 1
                again.append(entry)
                continue
            poll.taken.append(taken)
            left -= taken.outcome is Outcome.NEW
            if taken.outcome is Outcome.FAILED:
                again.append(entry)
            await self._see(feed, entry, taken)
        return again

    async def _item(self, taker: Taker, entry: Entry) -> Taken | None:
        """Take one item in, or say why not; None where it is left for the next poll.

        What goes wrong in one item by a mistake of ours is no reason to leave out the others.
        """
        item, known = entry.item, entry.article_id
        taken: Taken | None = None
        trouble: StorageError | UnavailableError | StoppedError | None = None

        async def by_mistake(words: str) -> None:
            nonlocal taken
            taken = Taken(item.title, item.url, entry.failed(), words, known)

        async with reported(by_mistake):
            try:
                taken = await taker.take(item, known)
            except LaterError:
                pass
            except (StorageError, UnavailableError, StoppedError) as error:
                trouble = error  # the next poll goes on from here
            except FetchError as error:
                # A page that is gone may be so by mistake; what waits for it is its story's next.
                waits = error.gone and known is not None
                outcome = entry.failed(MAX_TRIES_OF_TROUBLE if waits else most_tries(error))
                taken = Taken(item.title, item.url, outcome, str(error), known)
            except UserError as error:
                taken = Taken(item.title, item.url, Outcome.REFUSED, str(error), known)
        if trouble is not None:
            raise trouble
        return taken

    async def _see(self, feed: FollowedFeed, entry: Entry, taken: Taken) -> None:
        await self._on_feeds(
            feed,
            lambda feeds: feeds.see(
                feed.id,
                entry.item.guid,
                entry.fingerprint,
                taken.outcome,
                reason=taken.reason,
                title=taken.title,
                article_id=taken.article_id,
            ),
        )

    async def _at_rest(self, poll: Poll, seconds: float) -> Poll:
        """Leave a feed alone whose host asked for it; that is no failure of the feed's."""
        poll.problem = _AT_REST
        next_poll = _now() + max(INTERVAL, timedelta(seconds=seconds))
        feed = poll.feed
        await self._on_feeds(feed, lambda feeds: feeds.begin(feed.id, next_poll_at=next_poll))
        return poll

    async def _failed(
        self, poll: Poll, why: str, retry_after: float | None, *, pause: str | None = None
    ) -> Poll:
        """Remember that a feed could not be had, and ask again later: each time twice as late."""
        feed, failures = poll.feed, poll.feed.failures + 1
        if pause is None and failures >= MAX_FAILURES:
            pause = f"It failed {failures} times in a row. The last time: {why}"
        wait = min(INTERVAL * 2 ** min(failures, 10), _LONGEST_PAUSE)
        if retry_after is not None:
            wait = max(wait, timedelta(seconds=retry_after))
        poll.problem, poll.paused = why, pause

        def remember(feeds: FeedStore) -> bool:
            next_poll = _now() + wait
            feeds.polled(feed.id, next_poll_at=next_poll, failures=failures, problem=why)
            if pause is not None:
                feeds.pause(feed.id, pause)
            return feeds.find(feed.id) is not None

        poll.stopped = not await self._on_feeds(feed, remember)
        return poll

    async def _on_feeds(self, feed: FollowedFeed, job: Callable[[FeedStore], T]) -> T:
        """Return what a job returns on the feeds that this one is among."""
        return await self._runner.memory(lambda db: job(FeedStore(db, feed.collection)))


def _settle(
    db: Database,
    feed: FollowedFeed,
    found: tuple[Page, Feed] | None,
    left: Sequence[Entry],
    *,
    whole: bool,
) -> None:
    """Remember that a feed was asked, what it said of itself, and what of it is `left` to wait.

    Its validators are not sent along where a text is to be had again that is not kept.
    """
    feeds = FeedStore(db, feed.collection)
    with write(db):
        if found is not None:
            page, contents = found
            feeds.known_as(
                feed.id,
                url=page.moved_to or feed.url,
                title=contents.title,
                etag=None if whole else page.etag,
                last_modified=None if whole else page.last_modified,
            )
            feeds.still_there(feed.id, [item.guid for item in contents.items])
            waiting = WaitingStore(db, feed.collection)
            waiting.replace(feed.id, (entry.kept for entry in left))
        feeds.polled(feed.id, next_poll_at=_now() + INTERVAL)


def _now() -> datetime:
    return datetime.now(UTC)
