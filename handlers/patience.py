"""The web as one poll of a feed asks it: with patience, and no longer than the feed is wanted."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar, overload

from data.web.fetch import FetchError, Validators
from handlers.web import ReadPage, Web, host_of, wants_rest

T = TypeVar("T")

# A host that fails so often in a row is not asked again at this poll. What is quick and concerns
# one page alone, such as a missing one, does not count.
GIVE_UP_AFTER = 3
_SLOW = 5.0  # seconds from which a failure without a status counts
_TROUBLE = 500  # HTTP statuses from here on are the host's own trouble


class LaterError(Exception):
    """The host is not asked now; the next poll may."""


class StoppedError(Exception):
    """The feed is not wanted any more: nothing further of it is stored or told."""


class Pages(Protocol):
    """Where pages come from: the web itself, or as one poll sees it."""

    async def page(self, url: str, validators: Validators | None) -> ReadPage | None:
        """Return the page at an address; None where it is the one that the validators name."""
        ...

    async def visit(self, url: str) -> None:
        """Return if there is a page at an address, which is not read."""
        ...


class PatientWeb:
    """Fetches pages for one poll of a feed; `wanted` tells whether that goes on."""

    def __init__(self, web: Web, *, wanted: Callable[[], Awaitable[bool]]) -> None:
        self._web = web
        self._wanted = wanted
        self._failures: Counter[str] = Counter()

    @overload
    async def page(self, url: str) -> ReadPage: ...

    @overload
    async def page(self, url: str, validators: Validators | None) -> ReadPage | None: ...

    async def page(self, url: str, validators: Validators | None = None) -> ReadPage | None:
        """Return the page at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it cannot be read.
            LaterError: if its host is not asked now.
            StoppedError: if the feed is not wanted any more, now that the page is there.
        """
        return await self._patiently(url, lambda: self._web.page(url, validators))

    async def visit(self, url: str) -> None:
        """Return if there is a page at an address, which is not read.

        Raises:
            FetchError: if it cannot be had.
            LaterError: if its host is not asked now.
            StoppedError: if the feed is not wanted any more, now that the page was asked for.
        """
        await self._patiently(url, lambda: self._web.visit(url))

    async def require_wanted(self) -> None:
        """Return if the poll goes on.

        Raises:
            StoppedError: if it does not.
        """
        if not await self._wanted():
            raise StoppedError

    async def _patiently(self, url: str, ask: Callable[[], Awaitable[T]]) -> T:
        host = host_of(url)
        if self._failures[host] >= GIVE_UP_AFTER or self._web.rest_left(url) > 0:
            raise LaterError
        began = time.monotonic()
        try:
            found = await ask()
        except FetchError as error:
            self._failures[host] = self._failures_with(host, error, time.monotonic() - began)
            await self.require_wanted()
            raise
        self._failures[host] = 0
        await self.require_wanted()
        return found

    def _failures_with(self, host: str, error: FetchError, seconds: float) -> int:
        """Return how often a host has failed in a row, with this one."""
        if wants_rest(error):
            return GIVE_UP_AFTER
        counts = seconds >= _SLOW if error.status is None else error.status >= _TROUBLE
        return self._failures[host] + 1 if counts else 0
