import gzip
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from data.dates import is_future, parse_date
from data.errors import StoryRefusedError, UserError
from data.models import Attribution, Draft, normalise
from data.plaintext import decode, split_story, title_from
from data.urls import is_web_address

MAX_FILE_BYTES = 5_000_000
MAX_TEXT_LENGTH = 1_000_000  # code points: longer than any news story, a book's worth
MAX_FIELD_LENGTH = 500
MAX_ID_LENGTH = 200
STORY_SUFFIXES = (".txt", ".md", ".markdown", "")
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # fillers that count as letters
_TIDY = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


_GIVEN_FIELDS = ("title", "source", "author", "published_at", "url")


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says about a story beside its text; None leaves it to the text."""

    title: str | None = None
    source: str | None = None
    author: str | None = None
    published_at: str | None = None
    url: str | None = None


def _without_end(note: str) -> str:
    """Return what a note says is wrong, without what becomes of it in a new story."""
    return note.rsplit(", so ", 1)[0]


def read_story(path: Path, given: Given | None = None) -> Draft:
    """Return the story in a .txt or .md file.

    Raises:
        StoryRefusedError: if the file is too large, binary, empty, or in no known encoding.
        UserError: if it cannot be read, or has a suffix of another kind.
    """
    if path.suffix.lower() not in STORY_SUFFIXES:
        raise UserError(
            f"{path.name} is not a kind of file that holds a story: use .txt, .md, .html or .pdf, "
            "or .jsonl for many."
        )
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder; name a file.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StoryRefusedError(_too_large(path.name))
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse_story(raw, name=path.name, given=given)


def parse_story(raw: bytes, *, name: str, given: Given | None = None) -> Draft:
    """Return the story in the bytes of a text or Markdown file; `name` is for messages.

    What a person gives wins over YAML front matter, which wins over what the text itself shows
    (a first line that begins `date YYYY-MM-DD`, a first Markdown heading).

    Raises:
        StoryRefusedError: if there is no story in it, or it cannot be decoded.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise StoryRefusedError(_too_large(name))
    parts = split_story(decode(raw, name))
    given = given or Given()
    fields = {
        "title": given.title or parts.fields.get("title"),
        "source": given.source or parts.fields.get("source"),
        "author": given.author or parts.fields.get("author"),
        "published_at": given.published_at or parts.fields.get("published_at"),
        "url": given.url or parts.fields.get("url"),
        "id": parts.fields.get("id"),
        "text": parts.text,
    }
    try:
        return draft_from_fields(fields)
    except StoryRefusedError as error:
        raise StoryRefusedError(f"{name} cannot be added: {error}.") from error


def draft_from_fields(fields: Mapping[str, Any]) -> Draft:
    """Return the story in a row: `id, title, source, author, published_at, url, text`.

    Other keys are ignored. An unreadable or future date and a link that is no web address stay
    unknown, and the draft's notes say so.

    Raises:
        StoryRefusedError: if there is no text, a field is not text, or something is too long.
    """
    text = _text(fields.get("text"))
    notes: list[str] = []
    title = _field(fields, "title")
    external_id = fields.get("id")
    if isinstance(external_id, int) and not isinstance(external_id, bool):
        external_id = str(external_id)
    if external_id is not None and not isinstance(external_id, str):
        raise StoryRefusedError("its id is neither text nor a whole number")
    external_id = external_id and external_id.strip()
    if external_id is not None and len(external_id) > MAX_ID_LENGTH:
        raise StoryRefusedError(f"its id is longer than {MAX_ID_LENGTH} characters")
    attribution = Attribution(
        title=title or title_from(text),
        source=_field(fields, "source"),
        author=_field(fields, "author"),
        published_at=_date(_field(fields, "published_at"), notes),
        url=_url(_field(fields, "url"), notes),
    )
    return Draft(
        text=text,
        attribution=attribution,
        external_id=external_id if _encodable(external_id, "id") else None,
        title_given=title is not None,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an import file: its number from 1, its size in bytes, and a draft or a reason."""

    line: int
    size: int
    draft: Draft | None
    refused: str | None


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a .jsonl or .jsonl.gz file in order; a bad row is a reason, not an end.

    Blank lines are skipped. A row's size counts the (unpacked) bytes of its line, for progress.

    Where a file is damaged further on, the last row is the reason; what stood before it is kept.

    Raises:
        UserError: if the file cannot be opened.
    """
    number = 0
    try:
        with path.open("rb") as raw_stream, _unpacked(raw_stream) as stream:
            for number, raw in enumerate(_lines(stream), start=1):
                if raw.strip():
                    yield _row(number, raw)
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        if number == 0:
            raise UserError(f"{path} cannot be read: {reason.rstrip('.')}.") from error
        yield Row(number + 1, 0, None, f"the file is damaged from here on ({reason.rstrip('.')})")


def amended(current: Attribution, given: Given) -> Attribution:
    """Return the attribution with what is given put in; an empty text makes a field unknown.

    Raises:
        UserError: if the title is empty, or a date or link cannot be what it is meant to be.
    """
    values = {name: getattr(current, name) for name in _GIVEN_FIELDS}
    notes: list[str] = []
    for name in _GIVEN_FIELDS:
        value = getattr(given, name)
        if value is not None:
            try:
                values[name] = _field({name: value.strip()}, name)
            except StoryRefusedError as error:
                raise UserError(f"Nothing was changed: {error}.") from error
    if given.published_at is not None:
        values["published_at"] = _date(values["published_at"], notes)
    if given.url is not None:
        values["url"] = _url(values["url"], notes)
    if notes:
        raise UserError(f"{_without_end(notes[0])}. Nothing was changed.")
    if values["title"] is None:
        raise UserError("A story needs a title. Nothing was changed.")
    return Attribution(**values)


def _unpacked(stream: BufferedReader) -> IO[bytes]:
    if stream.peek(2)[:2] == b"\x1f\x8b":
        return gzip.open(stream)  # type: ignore[return-value]  # GzipFile reads like IO[bytes]
    return stream


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, each cut at one byte above the limit, so that memory stays bounded."""
    while raw := stream.readline(MAX_FILE_BYTES + 1):
        yield raw
        while len(raw) > MAX_FILE_BYTES and not raw.endswith(b"\n"):
            raw = stream.readline(MAX_FILE_BYTES + 1)


def _row(number: int, raw: bytes) -> Row:
    try:
        if len(raw) > MAX_FILE_BYTES:
            raise StoryRefusedError(f"the line is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        fields = json.loads(raw.decode("utf-8-sig"))
        if not isinstance(fields, dict):
            raise StoryRefusedError("it is not a JSON object")
        return Row(number, len(raw), draft_from_fields(fields), None)
    except UnicodeDecodeError:
        return Row(number, len(raw), None, "it is not UTF-8")
    except (json.JSONDecodeError, RecursionError):
        return Row(number, len(raw), None, "it is not valid JSON")
    except ValueError:  # an integer of more digits than Python converts
        return Row(number, len(raw), None, "it is not valid JSON")
    except StoryRefusedError as error:
        return Row(number, len(raw), None, str(error))


def _text(value: object) -> str:
    if value is None:
        raise StoryRefusedError("it has no text")
    if not isinstance(value, str):
        raise StoryRefusedError("its text is not text")
    _encodable(value, "text")
    if not any(unicodedata.category(c)[0] not in "CZ" for c in value):
        raise StoryRefusedError("it has no text")
    if "\x00" in value:
        raise StoryRefusedError("its text holds NUL bytes, so it is probably not a text")
    if len(value) > MAX_TEXT_LENGTH:
        raise StoryRefusedError(f"its text is longer than {MAX_TEXT_LENGTH:,} characters")
    return normalise(value)


def _encodable(value: str | None, name: str) -> str | None:
    """Return the value, if it can be stored at all: half a surrogate pair cannot.

    Raises:
        StoryRefusedError: if it cannot.
    """
    if value is not None:
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise StoryRefusedError(f"its {name} holds half of a character") from error
    return value


def _field(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise StoryRefusedError(f"its {name} is not text")
    value = _TIDY.sub(" ", _encodable(value, name) or "")
    limit = MAX_FIELD_LENGTH if name != "url" else MAX_FIELD_LENGTH * 4
    if len(value) > limit:
        raise StoryRefusedError(f"its {name} is longer than {limit} characters")
    # White space around it stays, as the story's own characters, but alone it says nothing.
    return value if says_something(value) else None


def says_something(value: str) -> bool:
    """Return whether a text has a character that can be seen."""
    return any(_is_seen(c) for c in value)


def _is_seen(character: str) -> bool:
    """Return whether a character shows: neither white space, nor control, nor a blank letter."""
    return unicodedata.category(character)[0] not in "CZ" and character not in _BLANKS


def _date(value: str | None, notes: list[str]) -> str | None:
    if value is None:
        return None
    parsed = parse_date(value)
    if parsed is None:
        notes.append(
            f"The date {value[:80]!r} cannot be read for certain, so the date stays unknown."
        )
        return None
    if is_future(parsed):
        notes.append(f"The date {value[:80]!r} is in the future, so the date stays unknown.")
        return None
    return parsed


def _url(value: str | None, notes: list[str]) -> str | None:
    if value is None or is_web_address(value.strip()):
        return value and value.strip()
    notes.append(f"The link {value[:80]!r} is no web address, so the link stays unknown.")
    return None


def _too_large(name: str) -> str:
    return f"{name} is larger than {MAX_FILE_BYTES // 1_000_000} MB, too large for one story."
