import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from data.dates import is_future, parse_date
from data.extraction.pdf_layout import Line, paragraphs, without_running_heads
from data.ingestion import MAX_FIELD_LENGTH, MAX_TEXT_LENGTH

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MAX_PAGES = 200  # of a PDF that are read: longer than any story, a long report's worth

# Shares of a page's height at its top and bottom that no margin leaves to the text.
_OUTER_EDGE = 0.04
# Times the usual size from which letters are a title's.
_LARGE = 1.15
_MARK_WITHIN = 1024  # bytes in which readers look for "%PDF-"
_CHARACTERS = {
    **dict.fromkeys((*range(9), *range(14, 32), *range(127, 160))),  # control characters go
    **{0xFB00 + place: text for place, text in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st"))},
    0xFB06: "st",
    0x00AD: "-",  # a soft hyphen is seen at a line's end alone, and is one there
}

_FILE_NAME = re.compile(r"\.(?:docx?|indd|qxp|qxd|pdf|rtf|odt|pages|tex|html?)$", re.I)
_NO_TITLE = ("", "untitled", "unknown", "document")

_PASSWORD = "This PDF is protected by a password, so it cannot be read. Add a copy without one."  # noqa: S105
_ENCRYPTED = (
    "This PDF is encrypted in a way that cannot be opened here. Add a copy without encryption."
)
_DAMAGED = "This PDF is damaged and cannot be read."
_PICTURES = (
    "This PDF holds only pictures of its pages, as a scan does, and writing in pictures is not "
    "read. Add the text itself."
)
_NO_TEXT = "There is no text in this PDF."


@dataclass(frozen=True, slots=True)
class PdfText:
    """What a PDF says: its text with a blank line between paragraphs, and whose it is.

    `reason` is None where there is text; else it is a sentence that says why there is none.
    `created` is ISO 8601, the time at which the file was made. `pages` counts all of its pages.
    `notes` are sentences about what was left out.
    """

    text: str | None = None
    title: str | None = None
    author: str | None = None
    created: str | None = None
    pages: int = 0
    reason: str | None = None
    notes: tuple[str, ...] = ()


def pdf_text(body: bytes) -> PdfText:
    """Return the text of a PDF's first 200 pages, or the reason why there is none.

    Line breaks that are only layout go, words that were hyphenated at a line's end are put
    together, running heads and page numbers are left out. Scripts and attachments are ignored.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    if b"%PDF-" not in body[:_MARK_WITHIN]:
        return PdfText(reason=_DAMAGED)
    try:
        reader = PdfReader(BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            return PdfText(reason=_PASSWORD)
        return _read(reader, len(reader.pages))
    except (DependencyError, NotImplementedError):
        return PdfText(reason=_ENCRYPTED)
    except _errors():
        return PdfText(reason=_DAMAGED)


def _errors() -> tuple[type[Exception], ...]:
    """Return what pypdf raises for a damaged file: its own errors, and those of its slips."""
    import struct
    import zlib

    from pypdf.errors import PyPdfError

    # NotImplementedError, a kind of RuntimeError, means encryption and is looked for first.
    return (
        *(PyPdfError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
        *(AssertionError, RuntimeError, OSError, struct.error, zlib.error),
    )


def _read(reader: "PdfReader", count: int) -> PdfText:
    pages: list[list[Line]] = []
    failed: list[int] = []
    pictures = False
    length = 0
    for number in range(min(count, MAX_PAGES)):
        try:
            page = reader.pages[number]
            lines = _inner(list(_lines(page)), page)
            pictures = pictures or _has_picture(page)
        except _errors():
            failed.append(number + 1)
            continue
        pages.append(lines)
        length += sum(len(line.text) for line in lines)
        if length > MAX_TEXT_LENGTH:
            break
    title, author, created = _about(reader)
    text = "\n\n".join(paragraphs(without_running_heads(pages)))
    reason = None
    if not any(character.isalnum() for character in text):
        reason = _DAMAGED if failed else _PICTURES if pictures else _NO_TEXT
    return PdfText(
        text=text if reason is None else None,
        title=title,
        author=author,
        created=created,
        pages=count,
        reason=reason,
        notes=tuple(_notes(count, len(pages) + len(failed), failed)) if reason is None else (),
    )


def _notes(count: int, read: int, failed: Sequence[int]) -> Iterator[str]:
    if read < count:
        yield f"Only the first {read} of the PDF's {count} pages were read."
    if failed:
        several = len(failed) > 1
        numbers = ", ".join(map(str, failed[:10])) + (" ..." if len(failed) > 10 else "")
        yield (
            f"Page{'s' if several else ''} {numbers} of the PDF {'are' if several else 'is'} "
            "damaged and left out."
        )


def _lines(page: "PageObject") -> Iterator[Line]:
    """Yield the lines of a page in the order in which the page draws them."""
    pieces: list[tuple[str, float, float, float]] = []

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], _: Any, size: float) -> None:
        # Text space to page space: the text matrix times the current one (ISO 32000-1, 9.4.4).
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        rise = tm[2] * cm[1] + tm[3] * cm[3]
        run = tm[2] * cm[0] + tm[3] * cm[2]
        place = x, y, float(size or 0) * math.hypot(rise, run)
        pieces.append((text, *(place if all(map(math.isfinite, place)) else (0.0, 0.0, 0.0))))

    page.extract_text(visitor_text=visit)
    line: Line | None = None
    for text, x, y, size in pieces:
        for place, part in enumerate(_clean(text).split("\n")):
            if place and line is not None:
                yield line
                line = None
            if line is None and part.strip():
                line = Line("", x, y, size)
            if line is not None:
                line.add(part, size)
    if line is not None:
        yield line


def _clean(text: str) -> str:
    """Return the text without control characters, ligatures as letters, no half characters."""
    return text.translate(_CHARACTERS).encode("utf-8", "replace").decode("utf-8")


def _inner(lines: list[Line], page: "PageObject") -> list[Line]:
    """Return the lines without those at a page's outermost edge, where browsers print theirs."""
    bottom, top = float(page.mediabox.bottom), float(page.mediabox.top)
    edge = _OUTER_EDGE * (top - bottom)
    usual = statistics.median(line.size for line in lines) if lines else 0
    for line in lines:
        line.text = " ".join(line.text.split())
    return [
        line
        for line in lines
        if line.text and (bottom + edge <= line.y <= top - edge or line.size > _LARGE * usual)
    ]


def _has_picture(page: "PageObject") -> bool:
    resources = page.get("/Resources")
    found = resources.get_object().get("/XObject") if resources is not None else None
    return bool(found and found.get_object())


def _about(reader: "PdfReader") -> tuple[str | None, str | None, str | None]:
    """Return the title, the author and the time of making that the file itself names."""
    values: list[str] = []
    for name in ("title", "author"):
        try:
            value = getattr(reader.metadata, name, None)
        except _errors():
            value = None
        values.append(" ".join(_clean(str(value or "")).split()))
    title, author = (value if len(value) <= MAX_FIELD_LENGTH else "" for value in values)
    if title.lower() in _NO_TITLE or _FILE_NAME.search(title):
        title = ""
    try:
        made = getattr(reader.metadata, "creation_date", None)
    except _errors():
        made = None
    return title or None, author or None, _time(made)


def _time(made: datetime | None) -> str | None:
    found = parse_date(made.isoformat()) if isinstance(made, datetime) else None
    return None if found is None or is_future(found) else found
