"""Rebuilding a server's index from Discord: one at a time, with progress, and across restarts."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import discord

from data.builds import Build
from data.errors import UserError
from data.guilds import RunningRebuild
from data.web.network import CONNECTION_ERRORS
from handlers.asking import NOBODY
from handlers.errors import reported
from handlers.layouts.admin_views import (
    cancelled_layout,
    done_layout,
    failed_layout,
    interrupted_layout,
    progress_layout,
)
from handlers.layouts.layout import Layout
from handlers.services import Session
from handlers.worker import Lane, Worker

log = logging.getLogger(__name__)

# Between two edits of the message: well within what Discord allows, and calm to look at.
_EDIT_SECONDS = 3.0
# How long the answer to a command can be edited as such; Discord's own limit is 15 minutes.
_TOKEN_SECONDS = 14 * 60.0

Show = Callable[[Layout], Awaitable[discord.WebhookMessage]]
"""Sends the message in which the progress is shown."""


class _StoppedError(Exception):
    """The rebuild was told to stop between two transactions."""


@dataclass(slots=True)
class _Running:
    """A rebuild under way; it is asked to stop by a person, or by the bot's own end."""

    kind: str
    began: float
    message: discord.WebhookMessage | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    job: asyncio.Future[Build] | None = None
    cancelled: bool = False
    done: int = 0
    total: int = 0

    def end(self) -> None:
        """Stop at the next step, or at once where the work waits for its turn."""
        self.stop.set()
        # The other side sets `begun` first and looks at `stop` then, so one of the two notices.
        if not self.begun.is_set() and self.job is not None:
            self.job.cancel()


class Rebuilds:
    """Runs rebuilds in the background and shows each in one message that is edited."""

    def __init__(self, *, client: discord.Client, worker: Worker) -> None:
        self._client = client
        self._worker = worker
        self._running: dict[int, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

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

    async def start(self, guild_id: int, kind: str, show: Show) -> None:
        """Show a rebuild and begin it; `kind` is `rebuild` or `undo`.

        Raises:
            UserError: if one is under way for that server; nothing is shown then.
        """
        self.require_idle(guild_id)
        running = self._running[guild_id] = _Running(kind, self._now())
        try:
            running.total, build_id = await self._worker.run(guild_id, _state)
            message = await show(progress_layout(kind, 0, running.total))
            rebuild = RunningRebuild(guild_id, message.channel.id, message.id, kind, build_id)
            try:
                await self._worker.run(None, lambda s: s.guilds.rebuild_begins(rebuild))
            except BaseException:
                await message.edit(view=failed_layout("It could not begin."))
                raise
        except BaseException:
            del self._running[guild_id]
            raise
        running.message = message
        self._spawn(running, rebuild)

    def cancel(self, guild_id: int) -> bool:
        """Tell a server's rebuild to stop; return whether there was one."""
        running = self._running.get(guild_id)
        if running is None:
            return False
        running.cancelled = True
        running.end()
        return True

    async def resume(self) -> None:
        """Take up what the last end of the process interrupted."""
        if self._closing:
            return
        for rebuild in await self._worker.run(None, lambda s: s.guilds.rebuilds()):
            if rebuild.guild_id not in self._running and not self._closing:
                log.info("rebuild taken up again", extra={"guild": rebuild.guild_id})
                running = _Running(rebuild.kind, self._now())
                self._running[rebuild.guild_id] = running
                self._spawn(running, rebuild)

    def interrupt(self) -> None:
        """Stop what runs, between two transactions, and what begins from here on at once.

        The next start goes on with it.
        """
        self._closing = True
        for running in self._running.values():
            running.end()

    async def ended(self) -> None:
        """Wait until nothing runs any more."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _spawn(self, running: _Running, rebuild: RunningRebuild) -> None:
        if self._closing:
            running.stop.set()
        task = asyncio.create_task(self._run(running, rebuild))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, running: _Running, rebuild: RunningRebuild) -> None:
        progress = asyncio.create_task(self._show_progress(running, rebuild))
        try:
            layout, interrupted = await self._outcome(running, rebuild)
            if not interrupted:
                await self._worker.run(None, lambda s: s.guilds.rebuild_ends(rebuild.guild_id))
        finally:
            progress.cancel()
            await asyncio.wait([progress])
            del self._running[rebuild.guild_id]
        await self._edit(running, rebuild, layout)

    async def _outcome(self, running: _Running, rebuild: RunningRebuild) -> tuple[Layout, bool]:
        """Return what to show at the end, and whether the next start has to go on with it."""
        failed: list[str] = []

        async def tell(words: str) -> None:
            failed.append(words)

        async with reported(tell):
            try:
                running.job = asyncio.ensure_future(
                    self._worker.run(
                        rebuild.guild_id, lambda s: _work(s, running, rebuild), lane=Lane.REBUILD
                    )
                )
                build = await running.job
            except (_StoppedError, asyncio.CancelledError):
                if not running.stop.is_set():
                    raise
                interrupted = not running.cancelled
                return interrupted_layout() if interrupted else cancelled_layout(), interrupted
            seconds = self._now() - running.began
            encoder = build.recipe.encoder
            return done_layout(running.kind, running.total, encoder, seconds), False
        return failed_layout(failed[0]), False

    async def _show_progress(self, running: _Running, rebuild: RunningRebuild) -> None:
        shown = -1
        while True:
            await asyncio.sleep(_EDIT_SECONDS)
            if running.done != shown:
                shown = running.done
                layout = progress_layout(running.kind, running.done, running.total)
                await self._edit(running, rebuild, layout)

    async def _edit(self, running: _Running, rebuild: RunningRebuild, layout: Layout) -> None:
        """Edit the message; where that is no longer possible, the rebuild goes on all the same.

        As the answer to a command it can be edited in a channel that the bot does not see, but for
        a quarter of an hour only.
        """
        channel = self._client.get_partial_messageable(rebuild.channel_id)
        message: discord.WebhookMessage | discord.PartialMessage | None = running.message
        if message is None or self._now() - running.began > _TOKEN_SECONDS:
            message = channel.get_partial_message(rebuild.message_id)
        try:
            await message.edit(view=layout, allowed_mentions=NOBODY)
        except (discord.DiscordException, *CONNECTION_ERRORS) as error:
            log.warning("progress could not be shown: %s", type(error).__name__)


def _state(session: Session) -> tuple[int, int | None]:
    """Return the number of stories, and the id of the build that is live."""
    live = session.writable.indexer.live_build
    return session.writable.articles.count(), live.id if live else None


def _work(session: Session, running: _Running, rebuild: RunningRebuild) -> Build:
    """Rebuild, or go back; runs in a thread."""

    def progress(done: int, total: int) -> None:
        running.done, running.total = done, total
        if running.stop.is_set():
            raise _StoppedError

    running.begun.set()
    if running.stop.is_set():
        raise _StoppedError
    indexer = session.writable.indexer
    running.total, live = session.writable.articles.count(), indexer.live_build
    if live is not None and rebuild.build_id not in (None, live.id):
        return live  # done already, by a process that ended before it could say so
    if rebuild.kind == "undo":
        return indexer.undo(on_progress=progress)
    return indexer.rebuild(on_progress=progress)
