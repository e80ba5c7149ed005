"""An address -> the page or feed that stands there, within limits."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TypeVar

from aiohttp.abc import AbstractResolver
from yarl import URL

from data.addresses import HostRules, plain_host
from data.pages import Page
from data.web.connecting import SystemResolver, exchange
from data.web.fetch_errors import (
    FetchError,
    RedirectError,
    UnreachableError,
    shown,
    too_slow,
)
from data.web.media_types import Accept
from data.web.pacing import Turns
from data.web.replies import Redirect, read_page, read_robots, robots_refusal, validator
from data.web.robots import MAX_ROBOTS_BYTES, Robots, RobotsFiles
from data.web.targets import Target, target_of

__all__ = ["Accept", "FetchError", "Fetcher", "Limits", "Validators"]

T = TypeVar("T")

ROBOTS_SHARE = 0.5  # of a page's time that its robots.txt may take, which counts for both
# Bytes on the wire for each of the body that is allowed, and beside that: for headers, of answers
# and of chunks, and for what is read in one go.
_WIRE_SHARE, _WIRE_EXTRA = 2, 1_000_000
MAX_AT_ONCE = 16  # pages on their way at once: each may hold its body packed and unpacked


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost.

    `size` is in bytes, packed and unpacked; `seconds` are for the whole chain of redirects, the
    waiting for one's turn at a host not counted.
    """

    size: int = 5_000_000
    seconds: float = 20.0
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of a page when it was last fetched; it answers by it if it is the same."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that ask for the page only if it has changed."""
        asked = {
            "If-None-Match": validator(self.etag),
            "If-Modified-Since": validator(self.last_modified),
        }
        return {name: value for name, value in asked.items() if value}


class Fetcher:
    """Gets pages and feeds from the public web, politely, and from nowhere else.

    `refused_domains` is asked at each step for the domains that were taken out, beside those of
    the rules; `host_delay` are the seconds between the starts of two requests to one host.
    """

    def __init__(
        self,
        rules: HostRules,
        *,
        user_agent: str,
        refused_domains: Callable[[], Collection[str]] = tuple,
        host_delay: float = 1.0,
        limits: Limits | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._rules = rules
        self._refused_domains = refused_domains
        self._host_delay = host_delay
        self._limits = limits or Limits()
        self._resolver = resolver or SystemResolver()
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"}
        self._turns = Turns()
        self._robots = RobotsFiles(self._ask_robots)
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)

    async def fetch(
        self, url: str, *, accept: Accept = Accept.STORY, validators: Validators | None = None
    ) -> Page | None:
        """Return the page at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if there is none, or it must not, or cannot, be had; the text says why.
        """
        conditions = validators.headers() if validators else {}
        headers = {**self._headers, "Accept": accept.value, **conditions}
        time_left = _TimeLeft(self._limits.seconds)

        async def visit(target: Target) -> Page | Redirect | None:
            await self._wait_for_turn(target, time_left)
            read = partial(
                read_page,
                target=target,
                accept=accept,
                limit=self._limits.size,
                conditional=bool(conditions),
            )
            async with self._slots, time_left.running(target.host):
                most = _WIRE_SHARE * self._limits.size + _WIRE_EXTRA
                return await exchange(target, headers, self._resolver, read, most=most)

        page, moved = await self._follow(url, visit)
        if page is None:
            return None
        return replace(page, asked_url=url.strip(), moved_to=page.url if moved else None)

    async def _follow(
        self, url: str, visit: Callable[[Target], Awaitable[T | Redirect]]
    ) -> tuple[T, bool]:
        """Return what stands at the end of a chain of redirects, and whether all were permanent.

        The second is False where there were none.

        Raises:
            FetchError: if the chain goes in a circle or is too long, or a step fails.
        """
        target = self._target(url)
        seen: set[URL] = set()
        permanent = True
        while True:
            seen.add(target.url)
            found = await visit(target)
            if not isinstance(found, Redirect):
                return found, permanent and len(seen) > 1
            permanent = permanent and found.permanent
            following = self._target(found.location, base=target.url)
            if following.url in seen:
                raise RedirectError(f"{shown(target.host)} sends me round in a circle.")
            if len(seen) > self._limits.redirects:
                raise RedirectError(
                    f"{shown(target.host)} sends me on for more than "
                    f"{self._limits.redirects} times, so I gave up."
                )
            target = following

    def _target(self, url: str, base: URL | None = None) -> Target:
        return target_of(url, self._rules, self._refused_domains(), base=base)

    async def _wait_for_turn(self, target: Target, time_left: "_TimeLeft") -> None:
        """Return when the target may be asked for.

        Raises:
            FetchError: if its site does not want it, or cannot be asked what it wants.
        """
        async with time_left.running(target.host):
            robots = await self._robots.of(target.robots)
        if robots.unreachable is not None:
            raise robots.unreachable.with_traceback(None)
        if robots.refusal is not None:
            raise FetchError(robots.refusal)
        # Half a megabyte of rules, made for it, takes a second.
        allowed, delay = await asyncio.to_thread(robots.asks, str(target.url))
        if not allowed:
            raise FetchError(
                f"{shown(target.host)} asks programs not to read this page (in its robots.txt).",
                lasting=True,
            )
        await self._turns.wait(target.host, max(delay, self._host_delay))

    async def _ask_robots(self, address: str) -> Robots:
        async def visit(target: Target) -> Robots | Redirect:
            headers = {**self._headers, "Accept": "text/plain,*/*;q=0.1"}
            read = partial(read_robots, target=target)
            most = _WIRE_SHARE * MAX_ROBOTS_BYTES + _WIRE_EXTRA
            return await exchange(target, headers, self._resolver, read, most=most)

        try:
            async with asyncio.timeout(ROBOTS_SHARE * self._limits.seconds):
                robots, _ = await self._follow(address, visit)
        except UnreachableError as error:
            return Robots(unreachable=error)
        except RedirectError:
            return Robots()  # RFC 9309, 2.3.1.2: it counts as not there
        except (FetchError, TimeoutError):
            return Robots(refusal=robots_refusal(plain_host(URL(address).raw_host or "")))
        return robots

    async def close(self) -> None:
        """Stop what is on its way in the background."""
        await self._robots.close()
        await self._resolver.close()

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class _TimeLeft:
    """The time that is left to one fetch; it passes only while the fetch is running."""

    def __init__(self, seconds: float) -> None:
        self._total = self._left = seconds

    @asynccontextmanager
    async def running(self, host: str) -> AsyncIterator[None]:
        """Let the time pass.

        Raises:
            FetchError: if it is over before what runs inside is done.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                yield
        except TimeoutError as error:
            raise too_slow(host, self._total) from error
        finally:
            self._left -= time.monotonic() - began
