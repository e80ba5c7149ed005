"""Pages in files: what a file's name says about its kind, and what is read of it."""

import zlib
from pathlib import Path, PurePath

from data.errors import StoryRefusedError, UserError
from data.ingestion import MAX_FILE_BYTES
from data.pages import Page

# Suffix -> media type. What a file holds is judged by its bytes as well.
_MEDIA_TYPES = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".pdf": "application/pdf",
}
PAGE_SUFFIXES = tuple(_MEDIA_TYPES)
_TEXT_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".txt": "text/plain"}
_GZIP = b"\x1f\x8b"


def is_address(text: str) -> bool:
    """Return whether somebody means a web address and not a file."""
    return text.strip().lower().startswith(("http://", "https://"))


def is_page_file(name: str) -> bool:
    """Return whether a file's name is one of a page or PDF, packed or not."""
    return _suffix(name) in _MEDIA_TYPES


def page_in_file(path: Path) -> Page:
    """Return the page in a file, .html, .pdf, .txt or .md, packed with gzip or not.

    Raises:
        StoryRefusedError: if it is too large or its packing is damaged.
        UserError: if it cannot be read.
    """
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder; name a file.")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    return page_of(raw, name=path.name)


def page_of(raw: bytes, *, name: str) -> Page:
    """Return the page in the bytes of a file; its name says its kind and is used for nothing else.

    Raises:
        StoryRefusedError: if it is too large or its packing is damaged.
    """
    if raw.startswith(_GZIP):
        raw = _unpacked(raw, name)
    if len(raw) > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1_000_000
        raise StoryRefusedError(f"{name} is larger than {limit} MB, too large for one story.")
    suffix = _suffix(name)
    return Page(body=raw, media_type=_MEDIA_TYPES.get(suffix) or _TEXT_TYPES.get(suffix, ""))


def _unpacked(raw: bytes, name: str) -> bytes:
    """Return what is packed, of several parts all, up to one byte more than may be read.

    Raises:
        StoryRefusedError: if it is damaged or cut off.
    """
    found = b""
    while raw and len(found) <= MAX_FILE_BYTES:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found += unpacker.decompress(raw, MAX_FILE_BYTES + 1 - len(found))
        except zlib.error as error:
            raise StoryRefusedError(f"{name} is damaged: it cannot be unpacked.") from error
        if not unpacker.eof and len(found) <= MAX_FILE_BYTES:
            raise StoryRefusedError(f"{name} is cut off: its end is missing.")
        raw = unpacker.unused_data.lstrip(b"\x00")  # which tapes fill up with
    return found


def _suffix(name: str) -> str:
    return PurePath(name.lower().removesuffix(".gz")).suffix
