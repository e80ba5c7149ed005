import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from protego import Protego

from data.web.fetch_errors import UnreachableError

PRODUCT_TOKEN = "Pullquote"  # noqa: S105  # what a robots.txt calls us (RFC 9309, 2.2.1)
MAX_ROBOTS_BYTES = 500 * 1024  # what RFC 9309, 2.5 asks to read at least; the rest is left out
KEPT_SECONDS = 3600.0
FAILED_KEPT_SECONDS = 60.0  # a server that has trouble may be over it soon
MAX_CRAWL_DELAY = 30.0  # seconds; some ask for hours
MAX_ORIGINS = 500
MAX_KEPT_CHARACTERS = 5_000_000  # of all that are kept together

_AGENT_LINE = re.compile(r"user[\s-]*agent[\s:]*(?P<name>[^\s/]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Robots:
    """What a site asks of us: its robots.txt, or why we may not ask.

    `refusal` is a sentence where the file could not be had; then nothing may be fetched.
    `unreachable` is the error where the host itself could not be reached; it is the page's too.
    """

    text: str = ""
    refusal: str | None = None
    unreachable: UnreachableError | None = None

    @classmethod
    def parsed(cls, raw: bytes) -> "Robots":
        """Return what the bytes of a robots.txt ask of us; what is beyond its limit is left out."""
        if len(raw) >= MAX_ROBOTS_BYTES:
            # Half a rule can be a wider one: "Disallow: /" of "Disallow: /archive".
            raw = raw[:MAX_ROBOTS_BYTES].rpartition(b"\n")[0]
        return cls("\n".join(_few_names(raw.decode("utf-8-sig", "replace"))))

    def asks(self, url: str) -> tuple[bool, float]:
        """Return whether we may fetch an address, and the seconds, 0 to 30, between requests."""
        if not self.text:
            return True, 0.0
        rules = Protego.parse(self.text)
        delay = rules.crawl_delay(PRODUCT_TOKEN) or 0.0
        return rules.can_fetch(url, PRODUCT_TOKEN), min(delay, MAX_CRAWL_DELAY)


def _few_names(text: str) -> Iterator[str]:
    """Yield the lines with one name for all robots but us.

    Protego keeps every group's rules for each of its names, so 250 KB of names before 250 KB of
    rules would fill the memory; and it takes a name for ours that is only the beginning of it.
    """
    for raw in text.splitlines():
        line = raw.partition("#")[0].strip()
        if agent := _AGENT_LINE.match(line):
            name = agent["name"].lower()
            ours = name in ("*", PRODUCT_TOKEN.lower())
            yield f"User-agent: {name if ours else 'other'}"
        elif line:
            yield line


class RobotsFiles:
    """The robots.txt of each origin, fetched once an hour, and once for all who wait for it."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Robots]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Robots]] = OrderedDict()
        self._characters = 0
        self._asking: dict[str, asyncio.Task[Robots]] = {}

    async def of(self, address: str) -> Robots:
        """Return what stands at the address of a robots.txt."""
        if address in self._kept:
            until, robots = self._kept[address]
            if self._clock() < until:
                self._kept.move_to_end(address)
                return robots
            self._forget(address)
        task = self._asking.get(address)
        if task is None:
            task = asyncio.create_task(self._fetch(address))
            self._asking[address] = task
            task.add_done_callback(lambda _: self._asking.pop(address, None))
        # Who gives up waiting does not take it away from the others.
        return await asyncio.shield(task)

    async def _fetch(self, address: str) -> Robots:
        robots = await self._ask(address)
        if robots.unreachable is None:
            kept = KEPT_SECONDS if robots.refusal is None else FAILED_KEPT_SECONDS
            self._kept[address] = (self._clock() + kept, robots)
            self._characters += len(robots.text)
            while len(self._kept) > MAX_ORIGINS or self._characters > MAX_KEPT_CHARACTERS:
                self._forget(next(iter(self._kept)))
        return robots

    def _forget(self, address: str) -> None:
        _, robots = self._kept.pop(address)
        self._characters -= len(robots.text)

    async def close(self) -> None:
        """Stop asking."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
