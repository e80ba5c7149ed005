import json
import struct
from dataclasses import asdict, fields
from typing import Any, BinaryIO

from data.pages import Extracted, Feed, FeedItem, Page

_LENGTH = struct.Struct(">I")
_MAX_HEADER_BYTES = 100_000  # addresses and the like
# The texts in the largest page or feed, with room for how JSON writes them.
MAX_REPLY_BYTES = 20_000_000
_PAGE_FIELDS = tuple(field.name for field in fields(Page) if field.name != "body")


class BadFrameError(ValueError):
    """What came is not what was agreed: cut off, too long, or of the wrong kind."""


def request(job: str, page: Page) -> bytes:
    """Return the bytes that ask for a job: a length, a JSON header, and the page's body."""
    about = {name: getattr(page, name) for name in _PAGE_FIELDS}
    header = json.dumps({"job": job, "body": len(page.body), "page": about}).encode()
    return _LENGTH.pack(len(header)) + header + page.body


def read_request(stream: BinaryIO) -> tuple[str, Page] | None:
    """Return the next job and its page; None where no more come.

    Raises:
        BadFrameError: if the stream ends within a request.
    """
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    header = json.loads(_exactly(stream, _length(start, _MAX_HEADER_BYTES)))
    return header["job"], Page(body=_exactly(stream, header["body"]), **header["page"])


def reply(kind: str, value: Any) -> bytes:
    """Return the bytes that answer a job: a length, and JSON with a kind and what goes with it.

    It is JSON and nothing that could run: whatever took the other process over must not come here.

    Raises:
        BadFrameError: if they would be more than are taken.
    """
    if isinstance(value, Extracted | Feed):
        value = asdict(value)
    body = json.dumps([kind, value], ensure_ascii=False).encode("utf-8", "replace")
    if len(body) > MAX_REPLY_BYTES:
        raise BadFrameError(f"{len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


def read_reply(stream: BinaryIO) -> tuple[str, Any]:
    """Return the kind of an answer and the value that goes with it, which nobody has checked.

    Raises:
        BadFrameError: if the stream ends too early, or something else stands in it.
    """
    body = _exactly(stream, _length(_exactly(stream, _LENGTH.size), MAX_REPLY_BYTES))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("no JSON") from error
    if not isinstance(answer, list) or len(answer) != 2 or not isinstance(answer[0], str):
        raise BadFrameError("no answer")
    return answer[0], answer[1]


def extracted(value: Any) -> Extracted:
    """Return the value as what a page says.

    Raises:
        BadFrameError: if it is not that.
    """
    values = _values(value, Extracted)
    notes = _list(values.pop("notes"))
    texts = {name: _text(text) for name, text in values.items()}
    return Extracted(**texts, notes=tuple(_text(note) or "" for note in notes))


def feed(value: Any) -> Feed:
    """Return the value as a feed.

    Raises:
        BadFrameError: if it is not that.
    """
    values = _values(value, Feed)
    left_out = values["left_out"]
    if type(left_out) is not int or left_out < 0:
        raise BadFrameError("not a number")
    return Feed(
        title=_text(values["title"]),
        url=_text(values["url"]),
        items=tuple(map(_item, _list(values["items"]))),
        left_out=left_out,
    )


def _item(value: Any) -> FeedItem:
    values = _values(value, FeedItem)
    is_summary, guid = values.pop("is_summary"), _text(values.pop("guid"))
    if not isinstance(is_summary, bool) or not guid:
        raise BadFrameError("not an entry")
    texts = {name: _text(text) for name, text in values.items()}
    return FeedItem(guid=guid, is_summary=is_summary, **texts)


def _values(value: Any, kind: type[Extracted] | type[Feed] | type[FeedItem]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != {field.name for field in fields(kind)}:
        raise BadFrameError(f"not the fields of {kind.__name__}")
    return dict(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadFrameError("not a list")
    return value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadFrameError("not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadFrameError("half of a character") from error
    return value


def _length(raw: bytes, most: int) -> int:
    if len(raw) != _LENGTH.size or (length := _LENGTH.unpack(raw)[0]) > most:
        raise BadFrameError("no length")
    return int(length)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    """Return so many bytes of a stream, which may give them in pieces."""
    pieces = []
    while count:
        piece = stream.read(count)
        if not piece:
            raise BadFrameError("cut off")
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
