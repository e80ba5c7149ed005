"""What comes back for an address: pages, refusals in words, and what is said to the server."""

import dataclasses
import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from data.addresses import HostRules
from data.pages import Page
from data.web.fetch import Accept, Fetcher, FetchError, Limits, Validators
from data.web.targets import BLOCKED_PORTS
from tests.data.web.server import Names, WebServer

STORY = "<h1>Ferry aground</h1><p>A ferry ran aground off Skerrin.</p>"


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with WebServer() as server:
        yield server


@pytest.fixture
async def fetcher(web: WebServer) -> AsyncIterator[Fetcher]:
    async with Fetcher(web.rules, user_agent="Pullquote/1.0 (+help)", host_delay=0) as fetcher:
        yield fetcher


async def refusal(fetcher: Fetcher, url: str, **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, **options)
    return caught.value


# --- pages


async def test_a_page_comes_with_what_was_said_about_it(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/a", STORY, type="Text/HTML; charset=Latin-1", etag='"1"', last_modified="Sunday")
    assert await fetcher.fetch(web.url("/a")) == Page(
        body=STORY.encode(),
        url=web.url("/a"),
        asked_url=web.url("/a"),
        media_type="text/html",
        charset="Latin-1",
        etag='"1"',
        last_modified="Sunday",
    )


async def test_the_address_of_a_page_has_no_fragment(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/a", STORY)
    page = await fetcher.fetch(web.url("/a#part"))
    assert page is not None
    assert (page.url, page.asked_url) == (web.url("/a"), web.url("/a#part"))


async def test_the_server_is_told_who_asks_and_nothing_else(
    web: WebServer, fetcher: Fetcher
) -> None:
    web.serve("/a", STORY, headers={"Set-Cookie": "who=me"})
    for _ in range(2):
        await fetcher.fetch(web.url("/a"))
    await fetcher.fetch(web.url("/a"), accept=Accept.FEED)
    for request in web.requests:
        assert request.headers["user-agent"] == "Pullquote/1.0 (+help)"
        assert request.headers["accept-encoding"] == "gzip, deflate"
        assert not {"cookie", "authorization", "referer"} & request.headers.keys()
    accepted = [request.headers["accept"] for request in web.asked("/a")]
    assert accepted == [Accept.STORY.value] * 2 + [Accept.FEED.value]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(STORY.encode())),
        ("X-GZip", gzip.compress(STORY.encode())),
        ("deflate", zlib.compress(STORY.encode())),
        ("deflate", zlib.compress(STORY.encode())[2:-4]),
        ("identity", STORY.encode()),
        ("", STORY.encode()),
    ],
)
async def test_a_packed_page_is_unpacked(
    web: WebServer, fetcher: Fetcher, encoding: str, body: bytes
) -> None:
    web.serve("/a", body, headers={"Content-Encoding": encoding})
    page = await fetcher.fetch(web.url("/a"))
    assert page is not None
    assert page.body.decode() == STORY


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (STORY.encode(), None),
        (b"%PDF-1.7\n\0\0", "application/octet-stream"),
        (b"Plain words.", "application/octet-stream"),
    ],
)
async def test_a_page_of_no_kind_is_taken_by_its_beginning(
    web: WebServer, fetcher: Fetcher, body: bytes, kind: str | None
) -> None:
    web.serve("/a", body, type=kind)
    page = await fetcher.fetch(web.url("/a"))
    assert page is not None
    assert (page.body, page.media_type) == (body, "")


async def test_a_page_in_other_letters_is_asked_for_as_browsers_do(
    web: WebServer, fetcher: Fetcher
) -> None:
    web.serve("/%C3%A4%20b", STORY)
    assert await fetcher.fetch(f"  {web.url('/ä b')}\n") is not None
    assert web.paths == ["/%C3%A4%20b"]


# --- what is not a page


@pytest.mark.parametrize(
    ("served", "words"),
    [
        ({"body": ""}, "sent an empty page"),
        ({"body": " \n\t"}, "sent an empty page"),
        ({"status": 204}, "sent an empty page"),
        ({"body": "x", "type": "image/png"}, "of the kind image/png"),
        ({"body": "x", "type": "application/rss+xml"}, "of the kind application/rss+xml"),
        ({"body": b"PK\0\0", "type": None}, "of an unknown kind"),
        ({"body": "x", "headers": {"Content-Encoding": "br"}}, "packed the page in a way"),
        ({"body": "x", "headers": {"Content-Encoding": "gzip, gzip"}}, "packed the page in a way"),
        ({"body": STORY, "headers": {"Content-Encoding": "gzip"}}, "damaged"),
        ({"status": 304}, "status 304"),
        ({"body": "x", "status": 206}, "status 206"),
        ({"status": 301}, "without naming it"),
    ],
)
async def test_what_is_no_page_is_refused_in_words(
    web: WebServer, fetcher: Fetcher, served: dict[str, Any], words: str
) -> None:
    web.serve("/a", **served)
    assert words in str(await refusal(fetcher, web.url("/a")))


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 451, 500, 503])
async def test_a_status_comes_along_with_its_sentence(
    web: WebServer, fetcher: Fetcher, status: int
) -> None:
    web.serve("/a", STORY, status=status, headers={"Retry-After": "7"})
    error = await refusal(fetcher, web.url("/a"))
    assert (error.status, error.retry_after) == (status, 7.0)
    assert error.gone is (status == 410)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "is no address"),
        ("news.example.com/a", "is no address"),
        ("ftp://news.example.com/", "is no address"),
        ("file:///etc/passwd", "is no address"),
        ("http://", "is no address"),
        ("http://[::1", "is no address"),
        ("http://a:99999/", "is no address"),
        ("http://a\x00b/", "is no address"),
        ("http://a\udce4.com/", "is no address"),
        (f"http://example.com/{'a' * 2000}", "longer than 2000 characters"),
        ("http://me:secret@example.com/", "user name or password"),
        ("http://example.com:25/", "port 25"),
        ("http://example.com:0/", "port 0"),
        ("http://missing.example.com/", "public web"),
    ],
)
async def test_what_is_no_address_is_refused_in_words(url: str, words: str) -> None:
    async with Fetcher(HostRules(), user_agent="Test", resolver=Names()) as fetcher:
        error = await refusal(fetcher, url)
    assert words in str(error)
    assert "secret" not in str(error)


async def test_ports_of_other_protocols_are_not_asked_though_allowed() -> None:
    async with Fetcher(HostRules(allowed=("127.0.0.1",)), user_agent="Test") as fetcher:
        for port in BLOCKED_PORTS:
            assert f"port {port}" in str(await refusal(fetcher, f"http://127.0.0.1:{port}/"))


async def test_a_port_where_nobody_answers_is_said_of_an_allowed_host() -> None:
    async with WebServer() as gone:
        url, rules = gone.url(), gone.rules
    async with Fetcher(rules, user_agent="Test") as fetcher:
        assert str(await refusal(fetcher, url)) == "127.0.0.1 could not be reached."


# --- redirects


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        ([301], True),
        ([308], True),
        ([301, 308, 301], True),
        ([302], False),
        ([303], False),
        ([307], False),
        ([301, 302], False),
        ([302, 301], False),
        ([301] * 5, True),
    ],
)
async def test_redirects_are_followed_and_permanent_ones_are_told(
    web: WebServer, fetcher: Fetcher, statuses: list[int], moved: bool
) -> None:
    for step, status in enumerate(statuses):
        web.redirect(f"/{step}", f"/{step + 1}#part", status)
    last = f"/{len(statuses)}"
    web.serve(last, STORY)
    page = await fetcher.fetch(web.url("/0"))
    assert page is not None
    assert (page.url, page.asked_url) == (web.url(last), web.url("/0"))
    assert page.moved_to == (web.url(last) if moved else None)


async def test_a_page_that_was_not_moved_says_so(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/a", STORY)
    page = await fetcher.fetch(web.url("/a"))
    assert page is not None
    assert page.moved_to is None


@pytest.mark.parametrize(
    "to", ["/b?x=1", "b?x=1", "./b?x=1", "//{host}/b?x=1", "http://{host}/b?x=1"]
)
async def test_the_address_of_a_redirect_may_be_short(
    web: WebServer, fetcher: Fetcher, to: str
) -> None:
    web.redirect("/a", to.format(host=web.host))
    web.serve("/b", STORY)
    page = await fetcher.fetch(web.url("/a"))
    assert page is not None
    assert page.url == web.url("/b?x=1")


@pytest.mark.parametrize(
    ("raw", "path"),
    [("/ä", "/%C3%A4"), (b"/\xe4".decode("utf-8", "surrogateescape"), "/%E4"), ("/a b", "/a%20b")],
)
async def test_the_address_of_a_redirect_may_hold_raw_bytes(
    web: WebServer, fetcher: Fetcher, raw: str, path: str
) -> None:
    web.redirect("/a", raw)
    web.serve(path, STORY)
    assert await fetcher.fetch(web.url("/a")) is not None


@pytest.mark.parametrize("circle", [["/a"], ["/b", "/a"], ["/b", "/c", "/b"], ["/a#x"]])
async def test_a_circle_of_redirects_is_said(
    web: WebServer, fetcher: Fetcher, circle: list[str]
) -> None:
    for here, there in zip(["/a", *circle], circle, strict=False):
        web.redirect(here, there, 301)
    assert "round in a circle" in str(await refusal(fetcher, web.url("/a")))
    assert len(web.paths) <= 3


async def test_a_sixth_redirect_is_not_followed(web: WebServer, fetcher: Fetcher) -> None:
    for step in range(9):
        web.redirect(f"/{step}", f"/{step + 1}")
    assert "for more than 5 times" in str(await refusal(fetcher, web.url("/0")))
    assert web.paths == [f"/{step}" for step in range(6)]


async def test_a_redirect_leads_to_another_host_only_if_it_may(
    web: WebServer, fetcher: Fetcher
) -> None:
    async with WebServer("127.0.0.2") as other:
        web.redirect("/a", other.url("/b"))
        other.serve("/b", STORY)
        assert "public web" in str(await refusal(fetcher, web.url("/a")))
        assert other.connections == 0
        both = HostRules(allowed=(web.host, other.host))
        async with Fetcher(both, user_agent="Test") as free:
            page = await free.fetch(web.url("/a"))
        assert page is not None
        assert page.url == other.url("/b")


async def test_a_login_in_a_redirect_is_refused(web: WebServer, fetcher: Fetcher) -> None:
    web.redirect("/a", f"http://me:secret@{web.host}/b")
    assert "user name or password" in str(await refusal(fetcher, web.url("/a")))


# --- pages that have not changed


@pytest.mark.parametrize(
    ("validators", "header"),
    [
        (Validators(etag='"1"'), "if-none-match"),
        (Validators(last_modified="Sunday"), "if-modified-since"),
        (Validators(etag='"1"', last_modified="Sunday"), "if-none-match"),
    ],
)
async def test_a_page_that_is_the_same_is_none(
    web: WebServer, fetcher: Fetcher, validators: Validators, header: str
) -> None:
    web.serve("/a", STORY, etag='"1"', last_modified="Sunday")
    assert await fetcher.fetch(web.url("/a"), validators=validators) is None
    assert header in web.asked("/a")[0].headers


async def test_a_page_that_has_changed_comes_whole(web: WebServer, fetcher: Fetcher) -> None:
    web.serve("/a", STORY, etag='"2"')
    page = await fetcher.fetch(web.url("/a"), validators=Validators(etag='"1"'))
    assert page is not None
    assert page.etag == '"2"'


@pytest.mark.parametrize("validators", [None, Validators(), Validators(etag='"a\r\nX-Bad: y"')])
async def test_not_modified_is_no_answer_to_who_named_nothing(
    web: WebServer, fetcher: Fetcher, validators: Validators | None
) -> None:
    web.serve("/a", status=304)
    assert (await refusal(fetcher, web.url("/a"), validators=validators)).status == 304
    assert not {"if-none-match", "if-modified-since", "x-bad"} & web.asked("/a")[0].headers.keys()


def test_the_limits_are_those_that_are_promised() -> None:
    assert dataclasses.asdict(Limits()) == {"size": 5_000_000, "seconds": 20.0, "redirects": 5}
