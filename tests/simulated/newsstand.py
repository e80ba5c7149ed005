"""A publisher on loopback whose pages and feeds the simulated bot reads."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult, ResponseMessage

import bot
from data.database import write
from data.feeds import FeedStore
from data.followed import FollowedFeed
from data.web.fetch import Fetcher
from handlers import client as client_module
from tests.data.extraction.direct_reading import DirectReading
from tests.data.web.server import WebServer
from tests.handlers.newsroom import FEED, Newsroom, Story
from tests.simulated.test_answer_buttons import FIRST
from tests.simulated.world import Server, World, said

# What stands on every page besides; no question of these tests is about it.
REST = (
    "Rain fell for most of the afternoon, and the band went home before anybody had heard it play "
    "more than two of its songs. The tents were taken down in the dark.",
    "Shops along the quay stayed closed all day, said a baker who had hoped for visitors. She gave "
    "what was left to the children of the school next door.",
)


@asynccontextmanager
async def publisher(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    """Run a web server that the bot may ask, and let bots made meanwhile read without delay.

    Pages are read in this process: these tests are not about what can be done to the reader.
    """
    async with WebServer() as server:

        def fetcher(_: bot.Opener) -> Fetcher:
            return Fetcher(server.rules, user_agent="test", host_delay=0)

        monkeypatch.setattr(bot.Opener, "fetcher", fetcher)
        monkeypatch.setattr(client_module, "Reading", DirectReading)
        yield server


@dataclass(frozen=True, slots=True)
class Told(Story):
    """A story that begins with paragraphs of a test's own, so that they can be asked for."""

    told: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return (*self.told, *REST)


BRIDGE = Told("bridge", title="Bridge opened", told=(f"{FIRST} It cost four million crowns.",))
# Long enough for its text in a feed to count as the whole.
FERRY = Told(
    "ferry",
    title="Ferry sold",
    told=("Bob Ray sold the ferry on Friday.", "The ferry was old and slow. " * 40 + "It leaked."),
)
# The bridge's story later: changed beside the quoted sentence, and in it.
DEARER = replace(BRIDGE, told=(f"{FIRST} It cost five million crowns.",))
LATER = replace(
    BRIDGE, told=("Ann Lee opened the bridge on Tuesday. It cost four million crowns.",)
)


class Newsstand(Newsroom):
    """The publisher's pages and feeds, and what the bot does with them."""

    def __init__(self, world: World, server: WebServer) -> None:
        super().__init__(server)
        self.world = world

    def withdraw(self, story: Story) -> None:
        """Say that a story's page is gone for good."""
        self.server.serve(story.path, status=410)

    async def add(self, server: Server, story: Story, **options: Any) -> ResponseMessage:
        """Publish a story and let a contributor add it by its address; return what was said."""
        self.publish(story)
        result = await server.contributor.slash(
            server.channel, "article add", url=self.url(story), **options
        )
        assert result.response is not None
        assert said(result.response).startswith("Added **“"), said(result.response)
        return result.response

    async def look_again(self, server: Server | None = None) -> None:
        """Let the pages of a server, or of the operator, be due, and the bot look at them."""
        with closing(self.world.session(server.id if server else None)) as session:
            db = (session.own or session.shared).db
            with write(db):
                db.execute("UPDATE pages SET next_check_at = '2024-01-01T00:00:00+00:00'")
        await by_the_clock(self.world, self.world.client.schedule.look_at_due)


def last_words(result: InteractionResult) -> str:
    """Return the last thing that somebody was told."""
    return said(result.followups[-1] if result.followups else result.response)


async def by_the_clock(world: World, work: Callable[[], Awaitable[Any]]) -> None:
    """Let the bot do now something that it does by the clock."""
    with world.env._bot_scope():  # what it begins in the background is the bot's, too
        await work()
    await world.env.settle()


async def mark(world: World) -> None:
    """Let the bot look at its earlier answers now."""
    await by_the_clock(world, world.client.schedule._marking.run)


def feeds(world: World, server: Server | None) -> list[FollowedFeed]:
    """Return the feeds that a server, or the operator, follows."""
    with closing(world.session(None)) as session:
        return FeedStore(session.memory, str(server.id) if server else "shared").all()


def followed(world: World, server: Server | None, url: str, **details: Any) -> FollowedFeed:
    """Return a feed that a server, or the operator, follows without having looked at it."""
    with closing(world.session(None)) as session:
        return FeedStore(session.memory, str(server.id) if server else "shared").add(url, **details)


def make_due(world: World) -> None:
    """Let half an hour pass for all feeds."""
    with closing(world.session(None)) as session, write(session.memory):
        session.memory.execute("UPDATE feeds SET next_poll_at = '2024-01-01T00:00:00+00:00'")


async def poll(world: World) -> None:
    """Let the bot poll all feeds, as if half an hour had passed."""
    make_due(world)
    await by_the_clock(world, world.client.schedule.poll_due)


async def follow(server: Server, stand: Newsstand, **options: Any) -> InteractionResult:
    """Let a contributor follow the publisher's feed."""
    result: InteractionResult = await server.contributor.slash(
        server.channel, "feed add", url=stand.url(FEED), **options
    )
    return result


def written(channel: ChannelHandle) -> list[discord.Message]:
    """Return what the bot wrote into a channel."""
    return [message for message in channel.history() if message.author.bot]
