"""Whom we leave alone, and how long we wait: robots.txt, delays, domains that were taken out."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from data.addresses import HostRules
from data.web.fetch import Accept, Fetcher, FetchError, Limits
from data.web.pacing import Turns
from tests.data.web.server import Names, WebServer

STORY = "<p>A ferry ran aground off Skerrin.</p>"


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with WebServer() as server:
        yield server


@pytest.fixture
async def fetcher(web: WebServer) -> AsyncIterator[Fetcher]:
    async with Fetcher(web.rules, user_agent="Test", host_delay=0) as fetcher:
        yield fetcher


async def refusal(fetcher: Fetcher, url: str, accept: Accept = Accept.STORY) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, accept=accept)
    return caught.value


# --- domains that were taken out


async def test_a_domain_that_is_taken_out_is_not_asked(web: WebServer) -> None:
    taken_out: list[str] = []
    names = Names()
    names.know("www.old.example", ["127.0.0.1"])
    address = f"http://www.old.example:{web.port}/a"
    web.serve("/a", STORY)
    web.redirect("/go", address)
    rules = HostRules(allowed=("www.old.example", web.host))
    async with Fetcher(
        rules, user_agent="T", host_delay=0, refused_domains=lambda: taken_out, resolver=names
    ) as fetcher:
        assert await fetcher.fetch(address) is not None
        taken_out.append("old.example")
        for url in (address, web.url("/go")):
            assert "operator of this bot has taken www.old.example out" in str(
                await refusal(fetcher, url)
            )
    assert web.paths == ["/a", "/go"]


# --- politeness


async def test_a_robots_file_is_respected_at_each_step(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/robots.txt", "User-agent: Pullquote\nDisallow: /private")
    web.serve("/private/a", STORY)
    web.redirect("/go", "/private/a")
    for path in ("/private/a", "/go"):
        for accept in Accept:
            error = await refusal(fetcher, web.url(path), accept)
            assert "asks programs not to read this page" in str(error)
    assert web.paths == ["/go", "/go"]
    assert len(web.asked("/robots.txt")) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429])
async def test_without_a_robots_file_all_is_allowed(
    web: WebServer, fetcher: Fetcher, status: int
) -> None:
    web.serve("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    web.serve("/a", STORY)
    assert await fetcher.fetch(web.url("/a")) is not None


async def test_a_robots_file_in_trouble_keeps_us_out(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/robots.txt", status=503)
    web.serve("/a", STORY)
    for _ in range(2):
        assert "gave no proper answer about what programs" in str(
            await refusal(fetcher, web.url("/a"))
        )
    assert [request.path for request in web.requests] == ["/robots.txt"]


async def test_a_robots_file_may_have_moved(web: WebServer, fetcher: Fetcher) -> None:
    web.redirect("/robots.txt", "/rules/robots", 301)
    web.serve("/rules/robots", "User-agent: *\nDisallow: /", type=None, packed=True)
    assert "programs" in str(await refusal(fetcher, web.url("/a")))
    assert web.paths == ["/rules/robots"]


async def test_a_robots_file_that_leads_nowhere_counts_as_none(
    web: WebServer, fetcher: Fetcher
) -> None:
    web.redirect("/robots.txt", "/robots.txt")
    web.serve("/a", STORY)
    assert await fetcher.fetch(web.url("/a")) is not None


# --- delays


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long each request would have to wait, in seconds, and let it go at once."""
    noted: list[float] = []

    async def wait(turns: Turns, host: str, delay: float) -> None:
        noted.append(round(turns.reserve(host, delay)))

    monkeypatch.setattr(Turns, "wait", wait)
    return noted


async def test_those_who_ask_one_host_at_once_queue(web: WebServer, waits: list[float]) -> None:
    web.serve("/a", STORY)
    async with Fetcher(web.rules, user_agent="Test", host_delay=100.0) as fetcher:
        await asyncio.gather(*(fetcher.fetch(web.url("/a")) for _ in range(3)))
    assert waits == [0, 100, 200]
    assert len(web.asked("/robots.txt")) == 1


async def test_each_step_of_a_redirect_waits_for_its_own_host(
    web: WebServer, waits: list[float]
) -> None:
    async with WebServer("127.0.0.2") as other:
        web.redirect("/a", "/b")
        web.redirect("/b", other.url("/c"))
        other.serve("/c", STORY)
        rules = HostRules(allowed=(web.host, other.host))
        async with Fetcher(rules, user_agent="Test", host_delay=100.0) as fetcher:
            await fetcher.fetch(web.url("/a"))
    assert waits == [0, 100, 0]


@pytest.mark.parametrize(("asked", "kept"), [(20, 20), (1, 5), (3600, 30)])
async def test_a_site_may_ask_for_a_longer_delay(
    web: WebServer, waits: list[float], asked: int, kept: int
) -> None:
    web.serve("/robots.txt", f"User-agent: *\nCrawl-delay: {asked}")
    web.serve("/a", STORY)
    async with Fetcher(web.rules, user_agent="Test", host_delay=5.0) as fetcher:
        for _ in range(2):
            await fetcher.fetch(web.url("/a"))
    assert waits == [0, kept]


async def test_too_many_who_wait_are_sent_away(web: WebServer, waits: list[float]) -> None:
    web.serve("/a", STORY)
    async with Fetcher(web.rules, user_agent="Test", host_delay=200.0) as fetcher:
        for _ in range(2):
            await fetcher.fetch(web.url("/a"))
        error = await refusal(fetcher, web.url("/a"))
    assert "waiting already" in str(error)
    assert error.retry_after is not None


async def test_waiting_is_not_part_of_the_time(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(*_: object) -> None:
        await asyncio.sleep(0.15)

    monkeypatch.setattr(Turns, "wait", wait)
    for step in range(4):
        web.redirect(f"/{step}", f"/{step + 1}")
    web.serve("/4", STORY)
    limits = Limits(seconds=0.6)
    async with Fetcher(web.rules, user_agent="Test", limits=limits) as fetcher:
        assert await fetcher.fetch(web.url("/0")) is not None
