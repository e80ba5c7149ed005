"""What people have asked for and is under way: named in the log, told how it went, let end."""

import asyncio
from collections.abc import Awaitable, Callable

import discord

from data.errors import UserError
from handlers import logs
from handlers.errors import Tell, report, reported, tell

_STOPPING = "I am being restarted. Please ask again in a minute."
_CUT_SHORT = "I am being restarted before this was done. Please look in a minute whether it was."


class Requests:
    """Requests under way. Whatever goes wrong in one ends in a sentence for who asked for it."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[object], Tell] = {}
        self._stopping = False

    async def run(
        self,
        kind: str,
        work: Callable[[], Awaitable[None]],
        *,
        guild_id: int | None,
        user_id: int,
        tell_them: Tell,
    ) -> None:
        """Do the work as one request, in the present task."""
        self.track(tell_them)
        async with reported(tell_them):
            with logs.request(kind, guild_id=guild_id, user_id=user_id):
                self.require_running()
                await work()

    async def run_for(
        self, interaction: discord.Interaction, kind: str, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Do the work as the request that an interaction is."""
        await self.run(
            kind,
            work,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            tell_them=lambda words: tell(interaction, words),
        )

    def track(self, tell_them: Tell) -> None:
        """Remember the present task as a request under way."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks[task] = tell_them
            task.add_done_callback(lambda done: self._tasks.pop(done, None))

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
        """Wait until those under way have ended, at most this long; the others are told."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for tell_them in list(self._tasks.values()):
            await report(UserError(_CUT_SHORT), tell_them)
