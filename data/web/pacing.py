import asyncio
import time
from collections.abc import Callable

from data.web.fetch_errors import FetchError, shown

MAX_WAIT = 300.0  # seconds that a request waits for its turn at most
MAX_REST = 86_400.0  # seconds: a day
_TIDY_ABOVE = 1000  # hosts remembered before those whose time has passed are dropped


class Rests:
    """The hosts that asked to be left alone for a while, and until when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}

    def begin(self, host: str, seconds: float) -> None:
        """Leave a host alone for so long, a day at most; one that rests longer already goes on."""
        now = self._clock()
        if len(self._until) >= _TIDY_ABOVE:
            self._until = {name: at for name, at in self._until.items() if at > now}
        until = now + min(seconds, MAX_REST)
        self._until[host] = max(until, self._until.get(host, until))

    def left(self, host: str) -> float:
        """Return the seconds for which a host is to be left alone still, 0 where it is not."""
        return max(self._until.get(host, 0.0) - self._clock(), 0.0)


class Turns:
    """Spaces the requests to one host out: each waits until its turn comes, in order."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free_at: dict[str, float] = {}

    def reserve(self, host: str, delay: float) -> float:
        """Return the seconds until a request to the host may start; the next follows after `delay`.

        Raises:
            FetchError: if too many are waiting for that host already.
        """
        now = self._clock()
        start = max(now, self._free_at.get(host, now))
        if start - now > MAX_WAIT:
            raise FetchError(
                f"Too many requests to {shown(host)} are waiting already. Try again later.",
                retry_after=start - now,
            )
        if len(self._free_at) >= _TIDY_ABOVE:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[host] = start + delay
        return start - now

    async def wait(self, host: str, delay: float) -> None:
        """Return when a request to the host may start.

        Raises:
            FetchError: if too many are waiting for that host already.
        """
        if (seconds := self.reserve(host, delay)) > 0:
            await asyncio.sleep(seconds)
