"""What is fuzzed of the network: addresses, answers, robots.txt, unpacking."""

import asyncio
import math
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from yarl import URL

from data.addresses import HostRules, in_domain, is_ip, is_public, may_be_public, plain_host
from data.domains import domain_of
from data.errors import UserError
from data.pages import Page
from data.urls import is_web_address, lies_in, page_url, passage_url
from data.web.fetch import Accept, Fetcher, FetchError, Limits, Validators
from data.web.pacing import Turns
from data.web.robots import MAX_CRAWL_DELAY, Robots
from data.web.targets import target_of
from data.web.unpacking import DamagedError, Unpacker
from tests.data.web.server import Internet, Names, Reply, Rude, WebServer
from tests.fuzz import seeds
from tests.fuzz.holding import address_holds, holds, sentence_holds


def check_address(data: bytes) -> None:
    """Judge an address, and one that a redirect from there names, as the fetcher does."""
    rules = HostRules(("allowed.lan:81", "*.lan.example", "10.0.0.9"), ("refused.example",))
    # In a terminal, bytes that are no UTF-8 come as half characters.
    first, _, second = data.decode("utf-8", "surrogateescape").partition("\n")
    base = _target_holds(first, rules, None)
    following = _target_holds(second, rules, base)
    # urllib leaves empty parts of a path out, and an empty parameter, which browsers do not.
    plain = base is not None and not any(mark in base.raw_path + second for mark in ("//", ";"))
    if plain and following is not None:
        joined = URL(urljoin(str(base), second.strip()))
        holds(joined.raw_path == following.raw_path, "a redirect leads where it does in urllib")
    words = second.encode("utf-8", "replace").decode()
    for text in (first, first.strip()):
        if is_web_address(text):
            address_holds(text, "an address")
            for link in (page_url(text, limit=300), passage_url(text, words, limit=300)):
                holds(link is None or len(link) <= 300, "a link is within its limit")
    with suppress(UserError):
        holds(domain_of(first), "a domain is not empty")


def _target_holds(address: str, rules: HostRules, base: URL | None) -> URL | None:
    try:
        target = target_of(address, rules, ["taken.example"], base=base)
    except FetchError as error:
        sentence_holds(str(error), "a refusal")
        return None
    host = target.host
    holds(host == plain_host(target.url.raw_host or ""), "a target's host is its address's")
    again = URL(str(target.url))
    holds(host == again.raw_host and target.port == again.port, "a host survives its spelling")
    holds(again.raw_path_qs == target.url.raw_path_qs, "a path survives its spelling")
    holds(lies_in(str(target.url), host), "urllib reads the same host")
    holds(target.url.user is None and not target.url.fragment, "a target has no user")
    holds(str(target.url).isascii() and str(target.url).isprintable(), "a target is one line")
    holds(" " not in str(target.url), "a target is one word")
    holds(target.robots.startswith(target.origin), "robots.txt is of the same origin")
    if not target.allowed:
        holds(may_be_public(host), "a target's host may be public")
        holds(may_be_public(again.raw_host or ""), "the host that is asked may be public")
        holds(is_public(host) if is_ip(host) else not _is_number(host), "no inside address")
    for domain in ("refused.example", "taken.example"):
        holds(not in_domain(host, domain), "a host that was taken out is no target")
    return target.url


def _is_number(host: str) -> bool:
    """Return whether the system takes a name for an IPv4 address, however it is spelt."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def check_robots(data: bytes) -> None:
    """Ask a robots.txt about an address: the first line, then the file."""
    first, _, raw = data.partition(b"\n")
    try:
        url = str(target_of(first.decode("utf-8", "replace"), HostRules(), ()).url)
    except FetchError:
        url = "https://news.example/world/a?b=c"
    allowed, delay = Robots.parsed(raw).asks(url)
    holds(isinstance(allowed, bool), "robots.txt says yes or no")
    holds(math.isfinite(delay) and 0 <= delay <= MAX_CRAWL_DELAY, "a delay is 0 to 30 s")


def check_unpacking(data: bytes) -> None:
    """Unpack bytes whole and in pieces; the first byte says in which form and how large ones."""
    encoding = ("gzip", "deflate", "deflate", "")[data[0] & 3] if data else ""
    size = 1 + (data[0] >> 4 if data else 0)
    packed = data[1:]
    whole = _unpacked(encoding, [packed])
    pieces = _unpacked(encoding, [packed[n : n + size] for n in range(0, len(packed), size)])
    if whole is not None and pieces is not None:
        holds(whole == pieces, "pieces make no difference")


def _unpacked(encoding: str, pieces: Iterable[bytes], limit: int = 20_000) -> bytes | None:
    """Return what is unpacked; b"" where it is damaged, None where it is over the limit."""
    unpacker = Unpacker(encoding, limit)
    try:
        for piece in pieces:
            within = unpacker.feed(piece)
            holds(len(unpacker.output) <= limit, "what is unpacked is within the limit")
            if not within:
                return None
        unpacker.finish()
    except DamagedError:
        return b""
    return unpacker.output


class _NoWaiting(Turns):
    """Turns that come at once, so that a Crawl-delay costs no time."""

    async def wait(self, host: str, delay: float) -> None:
        self.reserve(host, delay)


class _Setter:
    """What a monkeypatch does, for a loop that ends with the check."""

    def setattr(self, target: object, name: str, value: object) -> None:
        setattr(target, name, value)


class _Watched(Internet):
    """An internet in which nothing is but loopback; `places` are those that were knocked at."""

    def __init__(self) -> None:
        self.places: set[tuple[str, int]] = set()
        super().__init__(_Setter())  # type: ignore[arg-type]

    async def _connect_there(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        self.places.add((str(address[0]), int(address[1])))
        await super()._connect_there(sock, address)


class _InTurn(dict[str, Reply | Rude]):
    """The answers of a server, whatever is asked for; robots.txt has one of its own."""

    def __init__(self, robots: bytes, answers: list[bytes]) -> None:
        super().__init__({"/robots.txt": _sent(robots)})
        self._waiting = answers

    def get(self, path: str, default: Any = None) -> Any:
        if path in self:
            return self[path]
        return _sent(self._waiting.pop(0)) if self._waiting else default


def _sent(answer: bytes) -> Rude:
    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return send


def check_fetching(data: bytes) -> None:
    """Fetch from a server on loopback that answers with these bytes."""
    asyncio.run(_fetched(data))


async def _fetched(data: bytes) -> None:
    path, _, rest = data.partition(b"\n")
    robots, *answers = rest.split(seeds.PART)
    names = Names(**{"inside.example": [["10.0.0.7"]], "public.example": [["192.0.66.2"]]})
    internet = _Watched()
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: failures.append(about))
    async with WebServer() as server:
        server._replies = _InTurn(robots, answers)
        url = server.url("/" + path.decode("utf-8", "replace").lstrip("/"))
        limits = Limits(size=20_000, seconds=0.5)
        fetcher = Fetcher(server.rules, user_agent="Fuzz", resolver=names, limits=limits)
        fetcher._turns = _NoWaiting()
        accept = Accept.FEED if len(data) & 1 else Accept.STORY
        known = Validators('"1"', None) if len(data) & 2 else None
        async with fetcher:
            try:
                page = await fetcher.fetch(url, accept=accept, validators=known)
            except FetchError as error:
                sentence_holds(str(error), "a refusal")
            else:
                holds(page is not None or known is not None, "a page that was not known comes")
                if page is not None:
                    _page_holds(page, server, accept)
        inside = {place for place in internet.places if not is_public(place[0])}
        holds(inside <= {("127.0.0.1", server.port)}, "nothing else inside is knocked at")
    holds(not failures, "no request is malformed, and no task fails unseen")


def _page_holds(page: Page, server: WebServer, accept: Accept) -> None:
    holds(0 < len(page.body) <= 20_000, "a page is within the limit")
    url = page.url or ""
    holds(url.startswith(server.url("/")), "a page comes from where it was asked for")
    holds(url.isascii() and url.isprintable() and " " not in url, "a page's address is encoded")
    holds(accept.refusal(page.media_type) is None, "a page is of the kind that was asked for")
    for text in (page.etag, page.last_modified, page.charset):
        holds(text is None or (text.isascii() and text.isprintable()), "a header can be sent back")
