"""How work that follows the web reaches stories and the bot's memory, in Discord and elsewhere."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Protocol, TypeVar

from data.answers import open_memory
from data.database import Database
from handlers.app import DEFAULT_COLLECTION, App
from handlers.services import Services
from handlers.worker import Lane, Worker

T = TypeVar("T")


class Runner(Protocol):
    """Runs work that blocks away from the event loop, on connections of its own."""

    async def stories(self, collection: str, job: Callable[[Services], T]) -> T:
        """Return what the job returns, on the services of one collection, which it may change."""
        ...

    async def memory(self, job: Callable[[Database], T]) -> T:
        """Return what the job returns, on what the bot itself remembers."""
        ...

    async def call(self, work: Callable[[], T]) -> T:
        """Return what the function returns."""
        ...


class WorkerRunner:
    """The runner of the bot: a server's collection has the server's id for a name."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def has(self, collection: str) -> bool:
        """Return whether it is one of the bot's: a server's, or the operator's shared one."""
        return collection == DEFAULT_COLLECTION or collection.isdigit()

    async def stories(self, collection: str, job: Callable[[Services], T]) -> T:
        """Return what the job returns, run where stories are written, one after the other.

        Raises:
            LookupError: if the collection is not one of the bot's.
        """
        return await self._run(collection, job, Lane.WRITE)

    async def look(self, collection: str, job: Callable[[Services], T]) -> T:
        """Return what a job returns that only reads.

        Raises:
            LookupError: if the collection is not one of the bot's.
        """
        return await self._run(collection, job, Lane.CHECK)

    async def _run(self, collection: str, job: Callable[[Services], T], lane: Lane) -> T:
        if not self.has(collection):
            raise LookupError(f"the bot has no collection {collection!r}")
        shared = collection == DEFAULT_COLLECTION
        return await self._worker.run(
            None if shared else int(collection),
            lambda session: job(session.shared if shared else session.writable),
            lane=lane,
        )

    async def memory(self, job: Callable[[Database], T]) -> T:
        """Return what the job returns."""
        return await self._worker.remember(job)

    async def call(self, work: Callable[[], T]) -> T:
        """Return what the function returns, run where pages are read that a person waits for."""
        return await self._worker.call(work, lane=Lane.READ)

    async def call_unhurried(self, work: Callable[[], T]) -> T:
        """Return what the function returns, run where pages are read that nobody waits for."""
        return await self._worker.call(work, lane=Lane.READ_LATER)


class TerminalRunner:
    """The runner of one command in a terminal, which does one thing at a time."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def stories(self, collection: str, job: Callable[[Services], T]) -> T:
        """Return what the job returns."""

        def work() -> T:
            with closing(self._app.services(collection)) as services:
                return job(services)

        return await asyncio.to_thread(work)

    async def memory(self, job: Callable[[Database], T]) -> T:
        """Return what the job returns."""

        def work() -> T:
            with closing(open_memory(self._app.settings_for(self._app.home).home)) as memory:
                return job(memory)

        return await asyncio.to_thread(work)

    async def call(self, work: Callable[[], T]) -> T:
        """Return what the function returns."""
        return await asyncio.to_thread(work)
