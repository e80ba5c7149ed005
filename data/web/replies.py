"""What an HTTP answer means: a page, the way to another address, or why there is nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import aiohttp

from data.pages import Page
from data.web.fetch_errors import FetchError, RedirectError, bad_status, shown, too_large
from data.web.media_types import Accept, split_content_type
from data.web.robots import MAX_ROBOTS_BYTES, Robots
from data.web.targets import Target
from data.web.unpacking import DamagedError, Unpacker

_OK = frozenset({200, 203})
_EMPTY = frozenset({204, 205})
_NOT_MODIFIED = 304
_PERMANENT = frozenset({301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
_MAX_VALIDATOR = 1000  # characters of an ETag or a date that is remembered and sent back
MAX_RETRY_AFTER = 86_400.0  # seconds: a day
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that names another address, as it stands in its header."""

    location: str
    permanent: bool


async def read_page(
    response: aiohttp.ClientResponse,
    *,
    target: Target,
    accept: Accept,
    limit: int,
    conditional: bool,
) -> Page | Redirect | None:
    """Return the page that an answer brings, or where it leads; None where nothing was modified.

    `limit` is the most bytes, packed and unpacked; `conditional` tells that "not modified" is an
    answer to what was asked.

    Raises:
        FetchError: if it brings no page, or one of another kind, or too large a one.
    """
    host, status = target.host, response.status
    if status in _REDIRECTS:
        return _redirect(response, host)
    if status == _NOT_MODIFIED and conditional:
        return None
    if status not in _OK | _EMPTY:
        raise bad_status(host, status, retry_after(response.headers.get("Retry-After")))
    media_type, charset = split_content_type(response.headers.get("Content-Type", ""))
    if refusal := accept.refusal(media_type):
        raise FetchError(refusal, lasting=True)
    body, whole = await _body(response, host, limit)
    if not whole:
        raise too_large(host, limit)
    if not body.strip():
        raise FetchError(f"{shown(host)} sent an empty page.")
    if not media_type and (refusal := accept.sniffed_refusal(body)):
        raise FetchError(refusal, lasting=True)
    return Page(
        body=body,
        url=str(target.url),
        media_type=media_type,
        charset=charset,
        etag=validator(response.headers.get("ETag")),
        last_modified=validator(response.headers.get("Last-Modified")),
    )


async def read_robots(response: aiohttp.ClientResponse, *, target: Target) -> Robots | Redirect:
    """Return what a robots.txt asks of us, or where it is to be found, after RFC 9309, 2.3.1.

    Raises:
        FetchError: if the answer is damaged.
    """
    host, status = target.host, response.status
    if status in _REDIRECTS:
        return _redirect(response, host)
    if 500 <= status < 600:
        return Robots(refusal=robots_refusal(host))
    if status not in _OK:
        return Robots()  # there is none, so all is allowed
    body, _ = await _body(response, host, MAX_ROBOTS_BYTES)
    return Robots.parsed(body)


def robots_refusal(host: str) -> str:
    """Return the sentence for a site whose robots.txt exists, maybe, and cannot be read now."""
    return (
        f"{shown(host)} gave no proper answer about what programs may read there (its robots.txt), "
        "so I leave it alone for now."
    )


def _redirect(response: aiohttp.ClientResponse, host: str) -> Redirect:
    location = response.headers.get("Location")
    if not location:
        raise RedirectError(f"{shown(host)} sends me to another address without naming it.")
    try:
        location.encode()
    except UnicodeEncodeError:  # raw bytes that are no UTF-8: as browsers, send them back as such
        location = quote(location.encode("utf-8", "surrogateescape"), safe=_ASCII)
    return Redirect(location, response.status in _PERMANENT)


async def _body(response: aiohttp.ClientResponse, host: str, limit: int) -> tuple[bytes, bool]:
    """Return an answer's body, unpacked, and whether that is all of it.

    Raises:
        FetchError: if it is packed in a way that we did not ask for, or damaged.
    """
    unpacker = Unpacker(_encoding(response, host), limit)
    try:
        async for chunk in response.content.iter_any():
            if not unpacker.feed(chunk):
                return unpacker.output, False
        unpacker.finish()
    except DamagedError as error:
        raise FetchError(f"What {shown(host)} sent is damaged and cannot be unpacked.") from error
    return unpacker.output, True


def _encoding(response: aiohttp.ClientResponse, host: str) -> str:
    named = ",".join(response.headers.getall("Content-Encoding", [])).lower().split(",")
    encodings = [name.strip() for name in named if name.strip() not in ("", "identity")]
    if not encodings:
        return ""
    if len(encodings) > 1 or encodings[0] not in _ENCODINGS:
        raise FetchError(f"{shown(host)} packed the page in a way that I cannot read.")
    return _ENCODINGS[encodings[0]]


def validator(header: str | None) -> str | None:
    """Return an ETag or a date as it can be sent back; None where it cannot."""
    if not header or len(header) > _MAX_VALIDATOR:
        return None
    return header if header.isascii() and header.isprintable() else None


def retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait: 0 to a day; None for no header.

    It is a number of seconds or a date. One that is neither is none.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
