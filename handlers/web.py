"""From an address to what stands there: fetched, read in a process of its own, judged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from data.errors import StoryRefusedError
from data.extraction.reading import Reading
from data.ingestion import Given
from data.models import Draft
from data.pages import Extracted, Feed, Page
from data.web.fetch import Accept, Fetcher, Validators
from data.webstories import draft_from_page
from handlers.app import App

T = TypeVar("T")


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


class Web:
    """Fetches pages and feeds, and reads them."""

    def __init__(self, *, fetcher: Fetcher, reading: Reading, call: Call) -> None:
        self._fetcher = fetcher
        self._reading = reading
        self._call = call

    async def page(self, url: str, validators: Validators | None = None) -> ReadPage | None:
        """Return the page at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it cannot be read.
        """
        page = await self._fetcher.fetch(url, accept=Accept.STORY, validators=validators)
        return None if page is None else await self.read(page)

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
        if read is None:
            raise StoryRefusedError("The page sent nothing.")
        return read.page, draft_from_page(read.extracted, given)

    async def feed(
        self, url: str, validators: Validators | None = None
    ) -> tuple[Page, Feed] | None:
        """Return the feed at an address; None where it is the one that the validators name.

        Raises:
            FetchError: if it cannot be had.
            StoryRefusedError: if it is no feed.
        """
        page = await self._fetcher.fetch(url, accept=Accept.FEED, validators=validators)
        if page is None:
            return None
        return page, await self._call(lambda: self._reading.parse_feed(page))

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
