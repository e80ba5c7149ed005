"""One request over a connection that leads nowhere but where it may."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from data.addresses import is_ip, is_public
from data.web.fetch_errors import FAILURES, failure, not_on_the_web
from data.web.targets import Target

T = TypeVar("T")
log = logging.getLogger(__name__)

# A look-up cannot be called off, so those of slow name servers get threads of their own.
_LOOKUP_THREADS = 8
# Content-Security-Policy alone passes aiohttp's 8 KB at some publishers; browsers take 256 KB.
_MAX_HEADER_BYTES = 32_768
_MAX_HEADERS = 128
# aiohttp tries the rest anew after each that fails, so a name with a thousand addresses would make
# us knock on as many doors half a million times.
_MAX_ADDRESSES = 2  # of IPv4, and of IPv6
_LAN_BITS = 64  # of an IPv6 address: the network that a machine shares with its neighbours
_PROBED_PORT = 9  # "discard"; nothing is sent


class SystemResolver(AbstractResolver):
    """Looks names up as the operating system does."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            OSError: if there are none.
        """
        look_up = partial(
            socket.getaddrinfo,
            *(host, port),
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Let go of the threads; those that still wait for an answer end with it."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _CountedSocket(socket.socket):
    """A socket that brings no more than `most` bytes, whatever they are.

    Headers of chunks and answers that only tell to wait are none of a body's bytes, and can go
    on for ever.
    """

    def __init__(self, most: int, **options: int) -> None:
        super().__init__(**options)
        self._left = most

    def recv(self, *args: Any) -> bytes:
        data = super().recv(*args)
        self._count(len(data))
        return data

    def recv_into(self, *args: Any, **options: Any) -> int:
        size = super().recv_into(*args, **options)
        self._count(size)
        return size

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ConnectionResetError("more than an answer can be")


class Door(AbstractResolver):
    """Decides where the connection of one request may lead.

    aiohttp asks it for the addresses of the host, and connects to the very ones that it returns.
    It also makes the sockets, and refuses again there, since an address that stands in the URL
    itself is never looked up. `barred` tells that it refused.
    """

    def __init__(self, target: Target, resolver: AbstractResolver, most: int) -> None:
        self._target = target
        self._resolver = resolver
        self._most = most
        self._allowed: set[str] = set()
        self.barred = False
        if target.allowed and is_ip(target.host):
            self._allowed.add(target.host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of the target's host.

        Raises:
            OSError: if there are none, or if any of them must not be asked.
        """
        found = await self._resolver.resolve(host, port, family)
        if not found:
            raise OSError("no address")
        if self._target.allowed:
            self._allowed.update(result["host"] for result in found)
        for result in found:
            self._check(result["host"], result["port"])
        v4 = [result for result in found if ":" not in result["host"]]
        v6 = [result for result in found if ":" in result["host"]]
        return v6[:_MAX_ADDRESSES] + v4[:_MAX_ADDRESSES]

    def socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Return a socket for a connection.

        Raises:
            OSError: if it would lead where it must not.
        """
        family, kind, proto, _, address = info
        self._check(str(address[0]), int(address[1]))
        return _CountedSocket(self._most, family=family, type=kind, proto=proto)

    async def close(self) -> None:
        """Leave the resolver open: it is not this request's own."""

    def _check(self, address: str, port: int) -> None:
        if port == self._target.port:
            if address in self._allowed:
                return
            if is_public(address) and not leads_home(address):
                return
        self.barred = True
        log.info("a host that leads inside was not asked", extra={"host": self._target.host})
        raise PermissionError("not a public address")


def leads_home(address: str) -> bool:
    """Return whether a public address is this machine's own, or its neighbour's.

    In IPv6 the machines of a network have public addresses too, which a router's firewall guards
    from outside only.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, _PROBED_PORT))  # of UDP: picks the way and sends nothing
            own = probe.getsockname()[0]
        except OSError:
            return False  # there is no way there, so nothing is reached
    return is_near(address, own)


def is_near(address: str, own: str) -> bool:
    """Return whether an address is the machine's `own` one or lies in the same IPv6 network."""
    ip, ours = ip_address(address), ip_address(own)
    if isinstance(ip, IPv4Address) or isinstance(ours, IPv4Address):
        return ip == ours
    return ip in IPv6Network((ours, _LAN_BITS), strict=False)


async def exchange(
    target: Target,
    headers: dict[str, str],
    resolver: AbstractResolver,
    read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
    *,
    most: int,
) -> T:
    """Return what `read` makes of the answer to a request, over a connection of its own.

    Nothing is kept between two requests: no connection, no looked-up name, no cookie. The
    environment's proxies are not used, and redirects are not followed. `most` are the bytes
    that may come over the wire, of whatever kind.

    Raises:
        FetchError: if the host may not be asked, or does not do its part.
        TimeoutError: as the caller's own limit.
    """
    door = Door(target, resolver, most)
    try:
        async with (
            _session(door) as session,
            session.get(target.url, headers=headers, allow_redirects=False) as response,
        ):
            return await read(response)
    except TimeoutError:
        raise
    except FAILURES as error:
        raise (not_on_the_web if door.barred else partial(failure, error))(target.host) from error


def _session(door: Door) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=door,
        socket_factory=door.socket,
        use_dns_cache=False,
        force_close=True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        trust_env=False,
        max_field_size=_MAX_HEADER_BYTES,
        max_headers=_MAX_HEADERS,
        middlewares=[_once],
    )


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Ask once: aiohttp would at once ask a second time where a server hangs up."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError("hung up") from error
