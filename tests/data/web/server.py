"""A web of one's own on loopback: a server that answers as it is told, and names for it."""

import asyncio
import errno
import gzip
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import TracebackType
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from data.addresses import HostRules

Rude = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A request as it came in; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What is sent for a path: the head as it stands, then the body.

    A reply with an ETag or Last-Modified turns into a 304 where the request names the same.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def sent_for(self, request: Request) -> bytes:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        said = (headers.get("etag"), headers.get("last-modified"))
        same = any(a is not None and a == s for a, s in zip(asked, said, strict=True))
        if same and self.status == 200:
            return _head(304, headers)
        return _head(self.status, {"content-length": str(len(self.body)), **headers}) + self.body


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Words"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("utf-8", "surrogateescape")


class WebServer:
    """A web server on loopback; whatever it was not told to serve is not found (404).

    `requests` are those that came, in order, robots.txt included; `connections` counts every
    connection, even one on which nothing was asked.
    """

    def __init__(self, host: str = "127.0.0.1", *, tls: Any = None) -> None:
        self._ip = host
        self._tls = tls
        self._replies: dict[str, Reply | Rude] = {}
        self._answering: set[asyncio.Task[Any]] = set()
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0

    @property
    def host(self) -> str:
        """Return `ip:port`, as it stands in an address and in a list of allowed hosts."""
        return f"[{self._ip}]:{self.port}" if ":" in self._ip else f"{self._ip}:{self.port}"

    @property
    def rules(self) -> HostRules:
        """Return rules that allow this server."""
        return HostRules(allowed=(self.host,))

    def url(self, path: str = "/") -> str:
        """Return the address of a path."""
        return f"{'https' if self._tls else 'http'}://{self.host}{path}"

    def serve(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        type: str | None = "text/html; charset=utf-8",  # noqa: A002
        etag: str | None = None,
        last_modified: str | None = None,
        packed: bool = False,
    ) -> None:
        """Answer a path so from now on; `packed` sends the body as gzip."""
        raw = body.encode() if isinstance(body, str) else body
        said = {
            "content-type": type,
            "etag": etag,
            "last-modified": last_modified,
            "content-encoding": "gzip" if packed else None,
        }
        sent = {name: value for name, value in said.items() if value is not None}
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        self._replies[path] = Reply(status, gzip.compress(raw) if packed else raw, sent)

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """Send whoever asks for a path to another address."""
        self.serve(path, status=status, headers={"location": to})

    def rude(self, path: str, behave: Rude) -> None:
        """Leave the connection of whoever asks for a path to a function, head and all."""
        self._replies[path] = behave

    def raw(self, path: str, sent: bytes) -> None:
        """Answer a path with these very bytes, and hang up."""

        async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(sent)

        self.rude(path, send)

    def remove(self, path: str) -> None:
        """Answer a path with 404 from now on."""
        self._replies.pop(path, None)

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path."""
        return [request for request in self.requests if request.path == path]

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order, robots.txt left out."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    async def __aenter__(self) -> "WebServer":
        self._server = await asyncio.start_server(
            self._answer, self._ip, 0, ssl=self._tls, family=socket.AF_UNSPEC
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering)
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if task := asyncio.current_task():
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        try:
            request = _parsed(await reader.readuntil(b"\r\n\r\n"))
            self.requests.append(request)
            reply = self._replies.get(request.path) or self._replies.get(_bare(request.path))
            if isinstance(reply, Reply) or reply is None:
                writer.write((reply or Reply(404)).sent_for(request))
            else:
                await reply(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # whoever asked has hung up, or the server stops
        finally:
            writer.close()


def _parsed(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Request(method, path, {name.lower(): value.strip() for name, _, value in pairs})


def _bare(path: str) -> str:
    return path.partition("?")[0]


class Names(AbstractResolver):
    """A resolver that knows what it was told: a host's answers, one after the other.

    The last one stays. Who is not known does not exist. `asked` are the hosts that were looked up.
    """

    def __init__(self, **hosts: list[list[str]]) -> None:
        self.answers: dict[str, list[list[str]]] = dict(hosts)
        self.asked: list[str] = []

    def know(self, host: str, *answers: list[str]) -> None:
        """Answer a host's look-ups so, in turn."""
        self.answers[host] = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None: ...


class Internet:
    """What lies behind public addresses: servers of this test; all else has no way there.

    Loopback stays what it is, so that a request that should not have got there does get there.
    `connected` are the addresses to which a connection was begun.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.servers: dict[str, WebServer] = {}
        self.connected: list[str] = []
        loop = asyncio.get_running_loop()
        self._connect = loop.sock_connect
        monkeypatch.setattr(loop, "sock_connect", self._connect_there)

    async def _connect_there(self, sock: socket.socket, address: tuple[Any, ...]) -> None:
        ip = str(address[0])
        self.connected.append(ip)
        if ip in self.servers:
            await self._connect(sock, ("127.0.0.1", self.servers[ip].port))
        elif ip_address(ip).is_loopback:
            await self._connect(sock, address)
        else:
            raise OSError(errno.ENETUNREACH, "no way there")
