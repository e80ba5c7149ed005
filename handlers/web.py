"""From an address to what stands there: fetched, read in a process of its own, judged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, overload
from urllib.parse import urlsplit

from data.extraction.reading import Reading
from data.ingestion import Given
from data.models import Draft
from data.pages import Extracted, Feed, Page
from data.web.fetch import Accept, Fetcher, FetchError, Validators
from data.web.pacing import Rests
from data.webstories import draft_from_page
from handlers.app import App

T = TypeVar("T")

# Characters of a story from Discord or a feed; a longer one would keep those of every other server
# waiting while it is encoded.
MAX_STORY = 100_000
_TOO_OFTEN, _OVERLOADED = 429, 503  # HTTP statuses with which a host wants to be left alone


class Call(Protocol):
    """Runs a function that blocks, away from the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return what the function returns."""
        ...


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page, and what was read out of it."""

    page: Page
    extracted: Extracted


def host_of(url: str) -> str:
    """Return the host and port of an address, by which it is told which one is left alone."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def wants_rest(error: FetchError) -> bool:
    """Return whether a host says that it is not to be asked for a while."""
    return error.status in (_TOO_OFTEN, _OVERLOADED)


class Web:
    """Fetches pages and feeds, and reads them.

    It remembers which hosts asked to be left alone, for those who ask without a person that waits.
    """

    def __init__(
        self, *, fetcher: Fetcher, reading: Reading, call: Call, rests: Rests | None = None
    ) -> None:
        self._fetcher = fetcher
        self._reading = reading
        self._call = call
        self._rests = rests or Rests()

    def beside(self, *, reading: Reading, call: Call) -> "Web":
        """Return another way to the same web, which reads on its own; close that one first."""
        return Web(fetcher=self._fetcher, reading=reading, call=call, rests=self._rests)

    def rest_left(self, url: str) -> float:
        """Return the seconds for which the host of an address wants to be left alone still."""
        return self._rests.left(host_of(url))

    @overload
    async def page(self, url: str) -> ReadPage: ...

    @overload
    async def page(self, url: str, validators: Validators | None) -> ReadPage | None: ...

    async def page(self, url: str, validators: Validators | None = None) -> ReadPage | None:
        """Return the page at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it cannot be read.
        """
        page = await self._fetched(url, Accept.STORY, validators)
        return None if page is None else await self.read(page)

    async def visit(self, url: str) -> None:
        """Return if there is a page at an address, which is not read.

        Raises:
            FetchError: if it cannot be had.
        """
        await self._fetched(url, Accept.STORY, None)

    async def read(self, page: Page) -> ReadPage:
        """Return what is in a page or file.

        Raises:
            StoryRefusedError: if it cannot be read.
        """
        return ReadPage(page, await self._call(lambda: self._reading.extract(page)))

    async def story(self, url: str, given: Given) -> tuple[Page, Draft]:
        """Return the story at an address.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if there is no story there; the text says why.
        """
        read = await self.page(url)
        return read.page, draft_from_page(read.extracted, given)

    @overload
    async def feed(self, url: str) -> tuple[Page, Feed]: ...

    @overload
    async def feed(self, url: str, validators: Validators | None) -> tuple[Page, Feed] | None: ...

    async def feed(
        self, url: str, validators: Validators | None = None
    ) -> tuple[Page, Feed] | None:
        """Return the feed at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it is no feed.
        """
        page = await self._fetched(url, Accept.FEED, validators)
        if page is None:
            return None
        return page, await self._call(lambda: self._reading.parse_feed(page))

    async def _fetched(
        self, url: str, accept: Accept, validators: Validators | None
    ) -> Page | None:
        try:
            return await self._fetcher.fetch(url, accept=accept, validators=validators)
        except FetchError as error:
            if wants_rest(error) and error.retry_after:
                self._rests.begin(host_of(url), error.retry_after)
            raise

    async def close(self) -> None:
        """Close connections and the reading process."""
        await self._fetcher.close()
        await self._call(self._reading.close)

    async def __aenter__(self) -> "Web":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


def terminal_web(app: App) -> Web:
    """Return the way to the web of one command in a terminal."""
    fetcher = app.opener(app.settings_for(app.home)).fetcher()
    return Web(fetcher=fetcher, reading=Reading(), call=asyncio.to_thread)
