"""What holds for the values that are handed on, wherever they come from."""

import sys
from collections.abc import Callable
from functools import cache, wraps
from io import BytesIO
from typing import Any

from data.dates import days_covered, is_future, parse_date
from data.errors import StoryRefusedError
from data.extraction.reading_frames import read_reply, reply
from data.models import Draft
from data.pages import Extracted, Feed
from data.urls import canonical_url, is_web_address, lies_in


class BrokenError(AssertionError):
    """An invariant that does not hold; the text names it, the same for every input."""


def holds(condition: object, invariant: str) -> None:
    """Return if an invariant holds.

    Raises:
        BrokenError: if it does not.
    """
    if not condition:
        raise BrokenError(invariant)


def text_holds(text: str | None, name: str) -> None:
    """Return if a text can be stored, or is unknown."""
    holds(text is None or isinstance(text, str), f"{name} is text or unknown")
    if text is not None:
        holds(text, f"{name} is not empty")
        holds("\x00" not in text, f"{name} has no NUL")
        holds(not any("\ud800" <= c <= "\udfff" for c in text), f"{name} has no half characters")


def date_holds(date: str | None, name: str) -> None:
    """Return if a date is ISO 8601 and not in the future, or unknown."""
    if date is not None:
        holds(days_covered(date), f"{name} is ISO 8601")
        holds(parse_date(date) == date, f"{name} is read as it stands")
        holds(not is_future(date), f"{name} is not in the future")


def address_holds(url: str | None, name: str) -> None:
    """Return if an address is one of the web, or unknown, and nothing stumbles over it."""
    if url is not None:
        holds(is_web_address(url), f"{name} is a web address")
        canonical_url(url)
        lies_in(url, "news.example")


def sentence_holds(text: str, name: str) -> None:
    """Return if a text can be shown to people."""
    text_holds(text, name)
    holds(text.isprintable() and text.endswith("."), f"{name} is a whole sentence")


def draft_holds(make: Callable[[], Draft]) -> None:
    """Return if a story comes that can be stored, or a refusal."""
    try:
        draft = make()
    except StoryRefusedError as error:
        text_holds(str(error), "a refusal")
        return
    holds(any(c.isalnum() or not c.isspace() for c in draft.text), "a draft has a text")
    said = draft.attribution
    text_holds(said.title, "a draft's title")
    for name in ("source", "author"):
        text_holds(getattr(said, name), f"a draft's {name}")
    date_holds(said.published_at, "a draft's date")
    address_holds(said.url, "a draft's address")


def crosses(kind: str, value: Extracted | Feed, read: Callable[[Any], Any]) -> None:
    """Return if a value comes through the pipe between the processes as it is."""
    answer = read_reply(BytesIO(reply("ok", value)))
    holds(read(answer[1]) == value, f"{kind} crosses the pipe unchanged")


# What Python tells of (https://docs.python.org/3/library/audit_events.html) that reading a page
# never leads to. Files are opened, since modules and tables are loaded late, but not to write.
_OUTSIDE = (
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"),
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"),
)


class _Guard:
    """Refuses, while it is on duty, what leads outside, and remembers what was tried."""

    def __init__(self) -> None:
        self.on_duty = False
        self.tried: list[str] = []
        sys.addaudithook(self._judge)  # for good: hooks cannot be taken away

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on_duty and (event in _OUTSIDE or (event == "open" and _writes(arguments))):
            self.tried.append(event)
            raise PermissionError(f"{event} while hostile input is read")


def _writes(arguments: tuple[Any, ...]) -> bool:
    return isinstance(arguments[1], str) and any(letter in arguments[1] for letter in "wax+")


@cache
def _guard() -> _Guard:
    return _Guard()


def alone(check: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Return a check in which nobody may be asked for anything, and no file written."""

    @wraps(check)
    def guarded(data: bytes) -> None:
        guard = _guard()
        guard.tried.clear()
        guard.on_duty = True
        try:
            check(data)
        finally:
            guard.on_duty = False
            holds(not guard.tried, "nobody outside is asked, and no file written")

    return guarded
