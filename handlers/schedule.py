"""What the bot does by the clock: feeds, a second look at pages, the marking of old answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import discord

from data.feeds import due_feeds
from data.followed import FollowedFeed, Outcome
from data.pages import Feed, Page
from data.web.network import CONNECTION_ERRORS
from handlers.app import DEFAULT_COLLECTION
from handlers.asking import NOBODY
from handlers.errors import reported
from handlers.following import Follower
from handlers.layouts.feed_views import news_layout, paused_layout
from handlers.layouts.layout import Layout
from handlers.marking import Marking
from handlers.polls import Poll
from handlers.rechecking import look_again
from handlers.runner import WorkerRunner
from handlers.web import Web

log = logging.getLogger(__name__)

_TICK = 30.0  # seconds between two looks at what is due
_AT_ONCE = 4  # collections whose feeds are polled, and whose pages looked at, side by side
_PAGES = 5  # of one collection that are looked at again at one tick


class Schedule:
    """Runs as long as the bot does; whatever goes wrong in one thing is logged and ends there.

    Answers are marked, feeds polled and pages looked at independently of one another: what takes
    long in one feed or collection holds up no other.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        web: Web,
        runner: WorkerRunner,
        follower: Follower,
        marking: Marking,
        in_background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._client = client
        self._web = web
        self._runner = runner
        self._follower = follower
        self._marking = marking
        self._in_background = in_background
        self._polling: set[str] = set()
        self._poll_slots = asyncio.Semaphore(_AT_ONCE)

    def nudge(self) -> None:
        """Look at earlier answers now: a story changed."""
        self._in_background(_contained(self._marking.run))

    def start(self) -> None:
        """Begin to do what is due, again and again, until the bot is stopped."""
        self._in_background(_again(self._marking.run))
        self._in_background(_again(self._begin_polls))
        self._in_background(_again(self.look_at_due))

    async def _begin_polls(self) -> None:
        """Let the polls that are due begin, whether or not earlier ones have come to their end."""
        self._in_background(_contained(self.poll_due))

    async def poll_due(self) -> None:
        """Poll the feeds that are due, those of one collection one after the other.

        Those of a collection that is being polled already are left to the next time.
        """
        due = await self._runner.memory(due_feeds)
        by_collection: dict[str, list[FollowedFeed]] = {}
        for feed in due:
            if self._follows(feed.collection) and feed.collection not in self._polling:
                by_collection.setdefault(feed.collection, []).append(feed)
        self._polling |= by_collection.keys()
        await asyncio.gather(*(self._poll_all(*one) for one in by_collection.items()))

    async def _poll_all(self, collection: str, feeds: Sequence[FollowedFeed]) -> None:
        try:
            async with self._poll_slots:
                for feed in feeds:
                    await _contained(partial(self.poll, feed))
        finally:
            self._polling.discard(collection)

    def take_in(self, feed: FollowedFeed, found: tuple[Page, Feed]) -> None:
        """Store what was found in a feed that is followed from now on, in the background."""
        self._in_background(_contained(partial(self.poll, feed, found)))

    async def poll(self, feed: FollowedFeed, found: tuple[Page, Feed] | None = None) -> Poll:
        """Poll one feed, and tell its server what it asked to be told."""

        def wanted() -> bool:
            return self._follows(feed.collection)

        poll = await self._follower.poll(feed, found, wanted=wanted)
        log.info(
            "feed polled",
            extra={
                "feed": feed.id,
                "collection": feed.collection,
                "new": poll.count(Outcome.NEW),
                "changed": poll.count(Outcome.CHANGED),
                "problem": poll.problem is not None,
            },
        )
        if poll.taken:
            self.nudge()
        if poll.stopped:
            return poll
        if poll.paused is not None:
            told = await self._tell(feed.channel_id, paused_layout(poll))
            if not told:
                await self._tell(feed.announce_id, paused_layout(poll))
        new = [taken for taken in poll.taken if taken.outcome is Outcome.NEW]
        if new and feed.announce_id is not None:
            await self._tell(feed.announce_id, news_layout(poll))
        return poll

    async def look_at_due(self) -> None:
        """Look again at the pages of stories that are due."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def look_at_all(collection: str) -> None:
            async with slots:
                await _contained(partial(self._look_at_pages, collection))

        guilds = (str(guild.id) for guild in self._client.guilds)
        await asyncio.gather(*map(look_at_all, (DEFAULT_COLLECTION, *guilds)))

    async def _look_at_pages(self, collection: str) -> None:
        owes_scrub, due = await self._runner.look(
            collection, lambda s: (s.standing.owes_scrub(), s.rechecks.due(limit=_PAGES))
        )
        if owes_scrub:
            await self._runner.stories(collection, lambda s: s.indexer.finish_removals())
        if not due:
            return
        # First, so that one which ends the look each time does not keep the others waiting.
        ids = [page.article_id for page in due]
        await self._runner.stories(collection, lambda s: s.rechecks.postpone(ids))
        for page in due:
            if self._follows(collection) and not self._web.rest_left(page.url):
                look = partial(look_again, self._web, self._runner, collection, page)
                await _contained(look)
        self.nudge()

    def _follows(self, collection: str) -> bool:
        """Return whether feeds of a collection are polled here: the bot's, of servers it is in."""
        if not self._runner.has(collection):
            return False
        shared = collection == DEFAULT_COLLECTION
        return shared or self._client.get_guild(int(collection)) is not None

    async def _tell(self, channel_id: int | None, layout: Layout) -> bool:
        """Write in a channel; return whether that was possible."""
        if channel_id is None:
            return False
        channel = self._client.get_partial_messageable(channel_id)
        try:
            await channel.send(view=layout, allowed_mentions=NOBODY)
        except (discord.DiscordException, *CONNECTION_ERRORS) as error:
            log.warning("a server could not be told: %s", type(error).__name__)
            return False
        return True


async def _again(work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await asyncio.sleep(_TICK)
        await _contained(work)


async def _contained(work: Callable[[], Awaitable[object]]) -> None:
    """Do the work; whatever it raises is logged and ends here."""

    async def nobody(words: str) -> None:
        log.warning("by the clock: %s", words)

    async with reported(nobody):
        await work()
