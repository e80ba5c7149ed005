import asyncio
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from data.web.fetch_errors import UnreachableError
from data.web.robots import (
    FAILED_KEPT_SECONDS,
    KEPT_SECONDS,
    MAX_CRAWL_DELAY,
    MAX_KEPT_CHARACTERS,
    MAX_ORIGINS,
    MAX_ROBOTS_BYTES,
    Robots,
    RobotsFiles,
)

STORY = "https://news.example/world/story?id=1"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /world", False),
        ("User-agent: *\nDisallow: /world\nAllow: /world/story", True),
        ("User-agent: *\nDisallow: /*?id=", False),
        ("User-agent: *\nDisallow: /world/story$", True),
        ("User-agent: Pullquote\nDisallow: /", False),
        ("user-agent: PULLQUOTE/1.0\ndisallow: /", False),
        ("User-agent: Other\nDisallow: /", True),
        ("User-agent: Pull\nDisallow: /", True),
        ("User-agent: Pullquotes\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Pullquote\nAllow: /", True),
        ("User-agent: *\nAllow: /\n\nUser-agent: Pullquote\nDisallow: /", False),
        ("User-agent: Other\nUser-agent: Pullquote\nDisallow: /", False),
        ("User-agent: Pullquote\nUser-agent: Other\nDisallow: /", False),
        ("User-agent: Pullquote\n\n# words\nUser-agent: Other\nDisallow: /", False),
        ("User-agent: Pullquote\nSitemap: /x\nUser-agent: Other\nDisallow: /", False),
        ("User-agent: Pullquote\nDisallow: /a\nUser-agent: Other\nDisallow: /", True),
        ("\ufeffUser-agent: *\r\nDisallow: / # all\r\n", False),
        ("User-agent: *\rDisallow: /", False),
        ("Disallow: /", True),
        ("<!DOCTYPE html><p>Not found</p>", True),
        ("User-agent: *\nDisallow: https://news.example/world", True),
        ("\x00\ufffd" * 1000, True),
    ],
)
def test_a_site_says_what_we_may_read(text: str, allowed: bool) -> None:
    assert Robots.parsed(text.encode()).asks(STORY)[0] is allowed


lines = st.sampled_from(
    [
        *("User-agent: *", "User-agent: Pullquote", "User-agent: Other", "useragent Pullquote"),
        *("USER-AGENT:Other # x", "User agent: *", "Disallow: /", "Disallow: /world", "Allow: /"),
        *("Allow: /world/story", "Disallow:", "Crawl-delay: 3", "Sitemap: /s.xml", "Host: a.com"),
        *("", "# words", "Words", "Unknown: x", "  disallow : /*id=  ", "User-agent:"),
    ]
)


@given(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_what_does_not_concern_us_makes_no_difference(rules: list[str], end: str) -> None:
    text = end.join(rules)
    whole = Protego.parse(text)
    delay = min(whole.crawl_delay("Pullquote") or 0.0, MAX_CRAWL_DELAY)
    assert Robots.parsed(text.encode()).asks(STORY) == (whole.can_fetch(STORY, "Pullquote"), delay)


@given(st.text(max_size=200))
def test_any_text_says_something(text: str) -> None:
    Robots.parsed(f"User-agent: *\n{text}".encode("utf-8", "surrogatepass")).asks(STORY)


def test_a_file_in_no_encoding_is_read_as_far_as_it_can_be() -> None:
    assert not Robots.parsed(b"# caf\xe9\nUser-agent: *\nDisallow: /").asks(STORY)[0]


@pytest.mark.parametrize(
    ("line", "delay"),
    [
        ("Crawl-delay: 5", 5.0),
        ("Crawl-delay: 0.5", 0.5),
        ("Crawl-delay: 3600", MAX_CRAWL_DELAY),
        ("Crawl-delay: -1", 0.0),
        ("Crawl-delay: nan", 0.0),
        ("Crawl-delay: inf", 0.0),
        ("Crawl-delay: soon", 0.0),
        ("", 0.0),
    ],
)
def test_a_site_says_how_long_to_wait(line: str, delay: float) -> None:
    assert Robots.parsed(f"User-agent: *\n{line}".encode()).asks(STORY)[1] == delay


def test_another_robots_delay_is_not_ours() -> None:
    text = b"User-agent: Other\nCrawl-delay: 9\n\nUser-agent: *\nCrawl-delay: 2"
    assert Robots.parsed(text).asks(STORY)[1] == 2.0


def test_a_rule_that_the_limit_cuts_in_two_is_left_out() -> None:
    rule = b"\nDisallow: /wor"
    filler = b"#" * (MAX_ROBOTS_BYTES - len(rule) - len(b"User-agent: *\n"))
    cut = b"User-agent: *\n" + filler + rule
    assert len(cut) == MAX_ROBOTS_BYTES
    assert Robots.parsed(cut + b"k\n").asks(STORY)[0]


def test_names_times_rules_do_not_fill_the_memory() -> None:
    names = b"".join(b"User-agent: a%d\n" % n for n in range(10_000)) + b"User-agent: *\n"
    hostile = names + b"Disallow: /x\n" * 20_000
    tracemalloc.start()
    assert Robots.parsed(hostile).asks(STORY) == (True, 0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000  # 200 million pairs would be gigabytes


class Asked:
    """Answers for robots.txt, and counts who asked."""

    def __init__(self, robots: Robots | None = None) -> None:
        self.robots = robots or Robots("User-agent: *\nDisallow: /x")
        self.addresses: list[str] = []
        self.now = 0.0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, address: str) -> Robots:
        self.addresses.append(address)
        await self.gate.wait()
        return self.robots

    def clock(self) -> float:
        return self.now


async def test_a_file_is_asked_for_once_an_hour() -> None:
    asked = Asked()
    files = RobotsFiles(asked, asked.clock)
    for moment in (0.0, KEPT_SECONDS - 1, KEPT_SECONDS, KEPT_SECONDS + 1):
        asked.now = moment
        assert await files.of("a") is asked.robots
    assert asked.addresses == ["a", "a"]


async def test_a_site_in_trouble_is_asked_again_soon() -> None:
    asked = Asked(Robots(refusal="It has trouble."))
    files = RobotsFiles(asked, asked.clock)
    for moment in (0.0, FAILED_KEPT_SECONDS - 1, FAILED_KEPT_SECONDS):
        asked.now = moment
        await files.of("a")
    assert asked.addresses == ["a", "a"]


async def test_a_host_that_cannot_be_reached_is_tried_again_at_once() -> None:
    asked = Asked(Robots(refusal="It is away.", unreachable=UnreachableError("It is away.")))
    files = RobotsFiles(asked, asked.clock)
    await files.of("a")
    await files.of("a")
    assert asked.addresses == ["a", "a"]


async def test_those_who_want_one_file_at_once_share_it() -> None:
    asked = Asked()
    asked.gate.clear()
    files = RobotsFiles(asked, asked.clock)
    waiting = [asyncio.create_task(files.of("a")) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    asked.gate.set()
    assert await asyncio.gather(*waiting[1:]) == [asked.robots] * 4
    assert waiting[0].cancelled()
    assert asked.addresses == ["a"]


async def test_closing_stops_what_is_still_asked() -> None:
    asked = Asked()
    asked.gate.clear()
    files = RobotsFiles(asked, asked.clock)
    waiting = asyncio.create_task(files.of("a"))
    await asyncio.sleep(0)
    await files.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_origins_that_are_remembered_are_bounded() -> None:
    asked = Asked()
    files = RobotsFiles(asked, asked.clock)
    for number in range(MAX_ORIGINS + 1):
        await files.of(str(number))
    await files.of(str(MAX_ORIGINS))  # still known
    await files.of("0")  # forgotten
    assert asked.addresses[MAX_ORIGINS:] == [str(MAX_ORIGINS), "0"]


async def test_the_text_that_is_remembered_is_bounded() -> None:
    asked = Asked(Robots("x" * (MAX_KEPT_CHARACTERS // 4)))
    files = RobotsFiles(asked, asked.clock)
    for name in "abcde":
        await files.of(name)
    await files.of("b")  # now the one used last
    await files.of("f")
    await files.of("b")
    await files.of("c")
    assert "".join(asked.addresses) == "abcdefc"
