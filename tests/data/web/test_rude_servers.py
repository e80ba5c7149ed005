"""Servers that do not do their part: each gets a sentence, and costs no more than the limits."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from data.addresses import HostRules
from data.web.fetch import Fetcher, FetchError, Limits
from tests.data.web.server import Names, Rude, WebServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SLOW = Limits(seconds=0.3)
SMALL = Limits(size=10_000)
PROPER = "sent an answer that is no proper one"


@pytest.fixture
async def web() -> AsyncIterator[WebServer]:
    async with WebServer() as server:
        yield server


async def refusal(web: WebServer, limits: Limits | None = None, path: str = "/a") -> str:
    async with Fetcher(web.rules, user_agent="Test", host_delay=0, limits=limits) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(web.url(path))
    return str(caught.value)


# --- answers that are none


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"", "closed the connection"),
        (HEAD, "closed the connection"),
        (HEAD + b"Content-Length: 100\r\n\r\nabc", "broke off"),
        (CHUNKED + b"ff\r\nabc\r\n", "broke off"),
        (CHUNKED + b"ZZ\r\nabc\r\n", PROPER),
        (CHUNKED + b"-1\r\nabc\r\n", PROPER),
        (CHUNKED + b"f" * 30 + b"\r\nabc\r\n", PROPER),
        (HEAD + b"Content-Length: -5\r\n\r\nabc", PROPER),
        (HEAD + b"Content-Length: abc\r\n\r\nabc", PROPER),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", PROPER),
        (HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\nabc", PROPER),
        (HEAD + b"X: y\r\n" * 1000 + b"\r\nabc", PROPER),
        (b"HTTP/1.1 200 " + b"a" * 100_000 + b"\r\n\r\nabc", PROPER),
        (HEAD + b"Content-Length: 3\r\n\r\nabcdef", PROPER),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"") * 1001, "damaged"),
        (b"hello\r\n\r\n", PROPER),
        (b"<html>hello</html>", PROPER),
        (b"\x00" * 1000, PROPER),
        (b"\x15\x03\x01\x00\x02\x02\x46", PROPER),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PROPER),
        (b"HTTP/1.1 1000 OK\r\n\r\n", PROPER),
        (b"HTTP/1.1 999 OK\r\n\r\n", "status 999"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc", "status 101"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "closed the connection"),
        (b"HTTP/1.1 302 Found\r\nLocation: //[\r\n\r\n", "is no address"),
    ],
)
async def test_an_answer_that_is_none_is_said(web: WebServer, sent: bytes, words: str) -> None:
    web.raw("/a", sent)
    assert words in await refusal(web, SLOW)


async def test_a_server_that_hangs_up_is_asked_once(web: WebServer) -> None:
    web.raw("/a", b"")
    await refusal(web)
    assert web.paths == ["/a"]


async def test_the_policy_header_of_a_publisher_may_be_long(web: WebServer) -> None:
    web.serve("/a", "<p>Words.</p>", headers={"Content-Security-Policy": "x" * 30_000})
    async with Fetcher(web.rules, user_agent="Test") as fetcher:
        assert await fetcher.fetch(web.url("/a")) is not None


# --- answers that do not come, or do not end


def drip(head: bytes, byte: bytes) -> Rude:
    """Send a head at once, then one byte again and again."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(byte)
            await writer.drain()
            await asyncio.sleep(0.01)

    return behave


@pytest.mark.parametrize(
    ("head", "byte"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"x"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n", b""),
        (b"", b""),
    ],
)
async def test_an_answer_in_drops_is_given_up(web: WebServer, head: bytes, byte: bytes) -> None:
    web.rude("/a", drip(head, byte))
    assert await refusal(web, SLOW) == "127.0.0.1 took longer than 0.3 seconds, so I gave up."


async def test_the_time_is_that_of_the_whole_chain(web: WebServer) -> None:
    async def late(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.12)
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /%d\r\n\r\n" % len(web.paths))

    for step in range(9):
        web.rude(f"/{step}", late)
    assert "took longer" in await refusal(web, SLOW, "/0")
    assert len(web.paths) <= 3


async def test_a_robots_file_in_drops_keeps_us_out(web: WebServer) -> None:
    web.rude("/robots.txt", drip(HEAD + b"\r\n", b"#"))
    assert "gave no proper answer about what programs" in await refusal(web, SLOW)
    assert web.paths == []


async def test_one_who_gives_up_closes_the_connection(web: WebServer) -> None:
    closed = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()

    web.rude("/a", wait)
    await refusal(web, SLOW)
    await asyncio.wait_for(closed.wait(), 5)


# --- answers that are too large


def flood(head: bytes, block: bytes) -> Rude:
    """Send a head, then a block for ever."""

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(block)
            await writer.drain()

    return behave


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (HEAD + b"\r\n", b"x" * 1000),
        (CHUNKED, b"3e8\r\n" + b"x" * 1000 + b"\r\n"),
        (CHUNKED, b"1\r\nx\r\n" * 100),
        (HEAD + b"Content-Length: 99999999999999\r\n\r\n", b"x" * 1000),
    ],
)
async def test_an_endless_body_is_stopped(web: WebServer, head: bytes, block: bytes) -> None:
    web.rude("/a", flood(head, block))
    said = await refusal(web, SMALL)
    assert said == "What 127.0.0.1 sent is larger than 0.01 MB, which is too much."


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (CHUNKED + b"1;a=", b"b" * 1000),
        (CHUNKED, b"1;a=b" + b"b" * 1000 + b"\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        (b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n" * 100),
    ],
)
async def test_what_is_no_part_of_a_body_does_not_go_on_for_ever(
    web: WebServer, head: bytes, block: bytes
) -> None:
    sent = 0

    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head)
        while True:
            writer.write(block)
            await writer.drain()
            sent += len(block)

    web.rude("/a", behave)
    assert "took longer" not in await refusal(web, SMALL)
    assert sent < 10_000_000  # the buffers of the machine are in it


@pytest.mark.parametrize("size", [10_000, 10_001])
@pytest.mark.parametrize("packed", [True, False])
async def test_the_limit_is_sharp(web: WebServer, size: int, packed: bool) -> None:
    web.serve("/a", b"x" * size, packed=packed)
    async with Fetcher(web.rules, user_agent="Test", limits=SMALL) as fetcher:
        if size > SMALL.size:
            with pytest.raises(FetchError, match="larger than"):
                await fetcher.fetch(web.url("/a"))
        else:
            page = await fetcher.fetch(web.url("/a"))
            assert page is not None
            assert len(page.body) == size


async def test_a_page_of_ten_megabytes_is_refused(web: WebServer) -> None:
    web.serve("/a", b"x" * 10_000_000)
    assert "larger than 5 MB" in await refusal(web)


async def test_a_large_robots_file_is_read_as_far_as_its_limit(web: WebServer) -> None:
    rules = b"User-agent: *\nDisallow: /no\n"
    web.rude("/robots.txt", flood(HEAD + b"\r\n" + rules, b"Disallow: /other\n" * 100))
    web.serve("/a", "<p>Words.</p>")
    async with Fetcher(web.rules, user_agent="Test", host_delay=0) as fetcher:
        assert await fetcher.fetch(web.url("/a")) is not None
        with pytest.raises(FetchError, match="asks programs not to read"):
            await fetcher.fetch(web.url("/no"))


@pytest.mark.parametrize("path", ["/a", "/robots.txt"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_stopped_before_it_fills_the_memory(
    web: WebServer, path: str, encoding: str
) -> None:
    zeros = b"\0" * 20_000_000
    bomb = gzip.compress(zeros, 1) if encoding == "gzip" else zlib.compress(zeros, 1)
    del zeros
    web.serve(path, bomb, headers={"Content-Encoding": encoding})
    async with Fetcher(web.rules, user_agent="Test", host_delay=0, limits=SMALL) as fetcher:
        tracemalloc.start()
        with pytest.raises(FetchError, match="larger than" if path == "/a" else "no page"):
            await fetcher.fetch(web.url("/a"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 8_000_000  # what the server itself copies for sending is in it


async def test_the_body_of_a_kind_that_is_not_taken_is_not_read(web: WebServer) -> None:
    web.rude("/a", flood(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", b"\0" * 1000))
    assert "video/mp4" in await refusal(web)


# --- secure connections


CERTIFICATE = Path(__file__).parent / "tls.example.pem"


@pytest.fixture
async def secure() -> AsyncIterator[WebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    async with WebServer(tls=context) as server:
        server.serve("/a", "<p>Words.</p>")
        yield server


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the certificate of the secure server, which is made out to tls.example."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", context)


async def fetch_from(server: WebServer, host: str) -> bytes:
    names = Names()
    names.know(host, ["127.0.0.1"])
    rules = HostRules(allowed=(host,))
    async with Fetcher(rules, user_agent="Test", resolver=names) as fetcher:
        page = await fetcher.fetch(f"https://{host}:{server.port}/a")
    assert page is not None
    return page.body


@pytest.mark.usefixtures("trusted")
async def test_a_page_comes_over_a_secure_connection(secure: WebServer) -> None:
    assert await fetch_from(secure, "tls.example") == b"<p>Words.</p>"


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_has_to_be_made_out_to_the_host(secure: WebServer) -> None:
    with pytest.raises(FetchError, match="The certificate of other.example cannot be trusted"):
        await fetch_from(secure, "other.example")
    assert secure.requests == []


async def test_a_certificate_has_to_be_vouched_for(secure: WebServer) -> None:
    with pytest.raises(FetchError, match="The certificate of tls.example cannot be trusted"):
        await fetch_from(secure, "tls.example")
    assert secure.requests == []


async def test_a_server_that_does_not_speak_tls_is_said() -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Fetcher(HostRules(allowed=("127.0.0.1",)), user_agent="Test") as fetcher:
        with pytest.raises(FetchError, match=r"No secure connection to 127\.0\.0\.1 could be made"):
            await fetcher.fetch(f"https://127.0.0.1:{port}/a")


async def test_many_fetches_of_a_slow_host_do_not_keep_others_waiting(web: WebServer) -> None:
    """A host's robots.txt and turns are its own: another host's page comes meanwhile."""
    web.rude("/robots.txt", drip(HEAD + b"\r\n", b"#"))
    async with WebServer("127.0.0.2") as other:
        other.serve("/a", "<p>Words.</p>")
        rules = HostRules(allowed=(web.host, other.host))
        async with Fetcher(rules, user_agent="Test", limits=SLOW) as fetcher:
            slow = [asyncio.create_task(fetcher.fetch(web.url("/a"))) for _ in range(40)]
            assert await fetcher.fetch(other.url("/a")) is not None
            assert not any(task.done() for task in slow)
            refused = await asyncio.gather(*slow, return_exceptions=True)
    assert all(isinstance(error, FetchError) for error in refused)
    assert len(web.asked("/robots.txt")) == 1
