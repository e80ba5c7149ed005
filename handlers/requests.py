"""What people have asked for and is under way: named in the log, told how it went, let end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from data.errors import UserError
from handlers import logs
from handlers.errors import Tell, reported, tell

_STOPPING = "I am being restarted. Please ask again in a minute."


class Requests:
    """Requests under way. Whatever goes wrong in one ends in a sentence for who asked for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping = False

    @asynccontextmanager
    async def one(
        self, kind: str, *, guild_id: int | None, user_id: int, tell_them: Tell
    ) -> AsyncIterator[None]:
        """Run the block as one request, in the present task."""
        self.track()
        async with reported(tell_them):
            with logs.request(kind, guild_id=guild_id, user_id=user_id):
                self.require_running()
                yield

    @asynccontextmanager
    async def of(self, interaction: discord.Interaction, kind: str) -> AsyncIterator[None]:
        """Run the block as the request that an interaction is."""
        async with self.one(
            kind,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            tell_them=lambda words: tell(interaction, words),
        ):
            yield

    def track(self) -> None:
        """Remember the present task as a request under way."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def require_running(self) -> None:
        """Return while requests are taken.

        Raises:
            UserError: while the bot is being stopped.
        """
        if self._stopping:
            raise UserError(_STOPPING)

    def refuse_further(self) -> None:
        """Take no further requests."""
        self._stopping = True

    async def finish(self, seconds: float) -> None:
        """Wait until those under way have ended, at most this long."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
