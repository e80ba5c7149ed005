import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from enum import Enum
from typing import TypeVar

from data.database import Database
from handlers.services import Session

T = TypeVar("T")


class Lane(Enum):
    """A queue of its own for each kind of work, so that a short one never waits for a long one.

    The value is its number of threads: two answer questions, since the encoder keeps two cores
    busy; stories are written, indexes rebuilt, indexes checked and pages read one after the other,
    those that somebody waits for apart from those that come by the clock.
    """

    QUICK = ("quick", 2)
    ASK = ("ask", 2)
    WRITE = ("write", 1)
    REBUILD = ("rebuild", 1)
    CHECK = ("check", 1)
    READ = ("read", 1)
    READ_LATER = ("read-later", 1)


class Worker:
    """The only door from the event loop to work that blocks.

    Each job gets a session of its own, for one server and one thread, which is closed behind it.
    """

    def __init__(
        self,
        open_session: Callable[[int | None], Session],
        open_memory: Callable[[], Database],
    ) -> None:
        self._open = open_session
        self._open_memory = open_memory
        self._lanes = {
            lane: ThreadPoolExecutor(lane.value[1], thread_name_prefix=lane.value[0])
            for lane in Lane
        }

    async def run(
        self, guild_id: int | None, job: Callable[[Session], T], *, lane: Lane = Lane.QUICK
    ) -> T:
        """Return what the job returns, run in a thread on a session of that server.

        None is no server: the job sees the operator's shared collection alone. What the job
        raises is raised here.
        """

        def work() -> T:
            session = self._open(guild_id)
            try:
                return job(session)
            finally:
                session.close()

        return await self.call(work, lane=lane)

    async def remember(self, job: Callable[[Database], T], *, lane: Lane = Lane.QUICK) -> T:
        """Return what the job returns, run in a thread on what the bot itself remembers."""

        def work() -> T:
            with closing(self._open_memory()) as memory:
                return job(memory)

        return await self.call(work, lane=lane)

    async def call(self, work: Callable[[], T], *, lane: Lane) -> T:
        """Return what the function returns, run in a thread without a session."""
        context = contextvars.copy_context()  # the request's id goes along into the log
        return await asyncio.get_running_loop().run_in_executor(
            self._lanes[lane], context.run, work
        )

    def close(self) -> None:
        """Wait for what runs and drop what still queues; blocks."""
        for executor in self._lanes.values():
            executor.shutdown(wait=False, cancel_futures=True)
        for executor in self._lanes.values():
            executor.shutdown(wait=True)
