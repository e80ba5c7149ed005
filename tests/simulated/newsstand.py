"""A publisher on loopback whose pages and feeds the simulated bot reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

import bot
from data.fetch import Fetcher
from data.models import Revision
from handlers import client as client_module
from handlers.client import PullquoteClient
from handlers.layout import Action, parse_custom_id
from tests.data.direct_reading import DirectReading
from tests.data.web import WebServer
from tests.handlers.newsroom import Newsroom, Story
from tests.simulated.world import Server, World, buttons, said, texts

QUOTE = "Ann Lee opened the bridge on Monday."
QUESTION = "Who opened the bridge?"
# What stands on every page besides; no question of these tests is about it.
_REST = (
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
        return (*self.told, *_REST)


BRIDGE = Told("bridge", title="Bridge opened", told=(f"{QUOTE} It cost four million crowns.",))


class Newsstand(Newsroom):
    """The publisher's pages and feeds, and what a server's bot does with them."""

    def __init__(self, world: World, server: WebServer) -> None:
        super().__init__(server)
        self.world = world

    @property
    def client(self) -> PullquoteClient:
        """Return the bot as it runs now."""
        return self.world.client

    def withdraw(self, story: Story) -> None:
        """Say that a story's page is gone for good."""
        self.server.serve(story.path, status=410)

    async def add(self, server: Server, story: Story, **options: Any) -> discord.Message:
        """Publish a story and let a contributor add it by its address; return what was said."""
        self.publish(story)
        url = self.url(story)
        result = await server.contributor.slash(server.channel, "article add", url=url, **options)
        assert result.response is not None
        assert "Added **“" in said(result.response), said(result.response)
        return result.response

    async def look_again(self, server: Server | None = None) -> None:
        """Let an hour pass for the pages of a server, or of the operator, and the bot look."""
        with closing(self.world.session(server.id if server else None)) as session:
            db = (session.own or session.shared).db
            db.execute("UPDATE pages SET next_check_at = '2024-01-01T00:00:00+00:00'")
            db.conn.commit()
        await self.by_the_clock("look_at_due")

    async def by_the_clock(self, *work: str) -> None:
        """Do what the bot does by the clock, now."""
        with self.world.env._bot_scope():
            for name in work:
                await getattr(self.client.schedule, name)()
        await self.world.env.settle()
