"""A simulated Discord with servers and people in it, and the real bot on a home of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
from simcord import Env
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle

import bot
from data.models import Revision
from data.settings import load_settings
from handlers.client import PullquoteClient
from handlers.layouts.layout import Action, parse_custom_id
from handlers.services import Session
from tests.fakes import story

CONTRIBUTOR = discord.Permissions(manage_messages=True)
ADMINISTRATOR = discord.Permissions(administrator=True)


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a channel that everybody sees and one of each kind of person."""

    guild: GuildHandle
    channel: ChannelHandle
    member: MemberActor
    contributor: MemberActor
    admin: MemberActor

    @property
    def id(self) -> int:
        return self.guild.id


def new_client(home: Path) -> PullquoteClient:
    """Return the bot as bot.py makes it, on that home."""
    settings = load_settings(home, root=home, environment={})
    return PullquoteClient(opening=bot.Opener(settings), settings=settings)


class World:
    """What a test works with: the simulated Discord, the bot, and the bot's home."""

    def __init__(self, env: Env, client: PullquoteClient, home: Path) -> None:
        self.env = env
        self.client = client
        self.home = home
        self._servers = 0

    def server(self, name: str = "News") -> Server:
        """Return a new server with people in it."""
        self._servers += 1
        guild = self.env.create_guild(name)
        channel = guild.create_text_channel("general")
        mods = guild.create_role("Moderators", permissions=CONTRIBUTOR)
        admins = guild.create_role("Administrators", permissions=ADMINISTRATOR)

        def person(kind: str, *roles: Any) -> MemberActor:
            user = self.env.create_user(f"{kind}{self._servers}")
            return guild.add_member(user, roles=list(roles))

        return Server(
            guild, channel, person("member"), person("mod", mods), person("admin", admins)
        )

    def session(self, guild_id: int | None) -> Session:
        """Return a session as the bot's own jobs get it; close it behind you."""
        return self.client._opening.session(guild_id)

    def add(self, guild_id: int | None, text: str, **details: Any) -> Revision:
        """Put a story into a server's collection, or into the shared one; return it."""
        session = self.session(guild_id)
        try:
            services = session.own or session.shared
            return services.indexer.add(story(text, **details)).revision
        finally:
            session.close()

    async def restart(self) -> None:
        """Stop the bot and start it again on the same home."""
        self.client = new_client(self.home)
        await self.env.restart_bot(self.client)
        await self.env.settle()

    def mention(self, question: str) -> str:
        """Return a message that asks the bot something."""
        assert self.client.user is not None
        return f"{self.client.user.mention} {question}"


def components(message: Any) -> list[dict[str, Any]]:
    """Return the components of a message or response, as Discord has them."""
    return [c if isinstance(c, dict) else c.to_dict() for c in message.components]


def walk(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each component, those inside others too."""
    for part in parts:
        yield part
        yield from walk(part.get("components", []))
        if part.get("accessory"):
            yield part["accessory"]
        if isinstance(part.get("component"), dict):
            yield part["component"]


def texts(message: Any) -> list[str]:
    """Return what a message says: its content, and each of its text displays."""
    shown = [c["content"] for c in walk(components(message)) if c["type"] == 10]
    return [message.content, *shown] if message.content else shown


def said(message: Any) -> str:
    """Return everything that a message says, as one text."""
    return "\n".join(texts(message))


def labels(message: Any) -> list[str]:
    """Return the labels of its buttons."""
    return [c["label"] for c in walk(components(message)) if c["type"] == 2]


def buttons(message: Any, action: Action) -> list[str]:
    """Return the custom ids of a message's buttons that do this."""
    ids = [c["custom_id"] for c in walk(components(message)) if c.get("custom_id")]
    return [i for i in ids if (p := parse_custom_id(i)) is not None and p.action is action]
