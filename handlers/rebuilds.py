"""Rebuilding a server's index from Discord: one at a time, with progress, and across restarts."""

import asyncio
import logging
import threading
import time
from dataclasses import dataclass, field

import discord

from data.builds import Build
from data.errors import UserError
from data.guilds import RunningRebuild
from data.network import CONNECTION_ERRORS
from handlers.admin_views import (
    cancelled_layout,
    done_layout,
    failed_layout,
    interrupted_layout,
    progress_layout,
)
from handlers.asking import NOBODY
from handlers.errors import reported
from handlers.layout import Layout
from handlers.services import Session
from handlers.worker import Lane, Worker

log = logging.getLogger(__name__)

# Between two edits of the message: well within what Discord allows, and calm to look at.
_EDIT_SECONDS = 3.0


class _StoppedError(Exception):
    """The rebuild was told to stop between two transactions."""


@dataclass(slots=True)
class _Running:
    """A rebuild under way: asked to stop by a person, or by the bot's own end."""

    rebuild: RunningRebuild
    stop: threading.Event = field(default_factory=threading.Event)
    cancelled: bool = False
    done: int = 0
    total: int = 0


class Rebuilds:
    """Runs rebuilds in the background and shows each in one message that is edited."""

    def __init__(self, *, client: discord.Client, worker: Worker) -> None:
        self._client = client
        self._worker = worker
        self._running: dict[int, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def is_running(self, guild_id: int) -> bool:
        """Return whether a server's index is being rebuilt."""
        return guild_id in self._running

    def require_idle(self, guild_id: int) -> None:
        """Return if nothing is under way for a server.

        Raises:
            UserError: if its index is being rebuilt.
        """
        if guild_id in self._running:
            raise UserError("The index is being rebuilt already; one at a time.")

    async def start(self, rebuild: RunningRebuild) -> None:
        """Begin a rebuild; its message is there already.

        Raises:
            UserError: if one is under way for that server.
        """
        self.require_idle(rebuild.guild_id)
        running = self._running[rebuild.guild_id] = _Running(rebuild)
        try:
            await self._worker.run(None, lambda s: s.guilds.rebuild_begins(rebuild))
        except BaseException:
            del self._running[rebuild.guild_id]
            raise
        task = asyncio.create_task(self._run(running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, guild_id: int) -> bool:
        """Tell a server's rebuild to stop; return whether there was one."""
        running = self._running.get(guild_id)
        if running is None:
            return False
        running.cancelled = True
        running.stop.set()
        return True

    async def resume(self) -> None:
        """Take up what the last end of the process interrupted."""
        for rebuild in await self._worker.run(None, lambda s: s.guilds.rebuilds()):
            if rebuild.guild_id in self._running:
                continue
            log.info("rebuild taken up again", extra={"guild": rebuild.guild_id})
            await self.start(rebuild)

    async def close(self) -> None:
        """Interrupt what runs, between two transactions; the next start goes on with it."""
        for running in self._running.values():
            running.stop.set()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self, running: _Running) -> None:
        guild_id = running.rebuild.guild_id
        progress = asyncio.create_task(self._show_progress(running))
        try:
            layout = await self._outcome(running)
        finally:
            progress.cancel()
            await asyncio.wait([progress])
            del self._running[guild_id]
        if running.cancelled or not running.stop.is_set():
            await self._worker.run(None, lambda s: s.guilds.rebuild_ends(guild_id))
        await self._edit(running.rebuild, layout)

    async def _outcome(self, running: _Running) -> Layout:
        began = time.monotonic()
        failed: list[str] = []

        async def tell(words: str) -> None:
            failed.append(words)

        async with reported(tell):
            try:
                build = await self._worker.run(
                    running.rebuild.guild_id, lambda s: _work(s, running), lane=Lane.LONG
                )
            except _StoppedError:
                return cancelled_layout() if running.cancelled else interrupted_layout()
            seconds = time.monotonic() - began
            return done_layout(running.rebuild.kind, running.total, build.recipe.encoder, seconds)
        return failed_layout(failed[0])

    async def _show_progress(self, running: _Running) -> None:
        shown = -1
        while True:
            await asyncio.sleep(_EDIT_SECONDS)
            if running.done != shown:
                shown = running.done
                layout = progress_layout(running.rebuild.kind, running.done, running.total)
                await self._edit(running.rebuild, layout)

    async def _edit(self, rebuild: RunningRebuild, layout: Layout) -> None:
        """Edit the message; where that is no longer possible, the rebuild goes on all the same."""
        channel = self._client.get_partial_messageable(rebuild.channel_id)
        message = channel.get_partial_message(rebuild.message_id)
        try:
            await message.edit(view=layout, allowed_mentions=NOBODY)
        except (discord.DiscordException, *CONNECTION_ERRORS) as error:
            log.warning("progress could not be shown: %s", type(error).__name__)


def _work(session: Session, running: _Running) -> Build:
    """Rebuild, or go back; runs in a thread."""

    def progress(done: int, total: int) -> None:
        running.done, running.total = done, total
        if running.stop.is_set():
            raise _StoppedError

    if running.stop.is_set():
        raise _StoppedError
    indexer = session.writable.indexer
    running.total = session.writable.articles.count()
    if running.rebuild.kind == "undo":
        return indexer.undo(on_progress=progress)
    return indexer.rebuild(on_progress=progress)
