import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from data.errors import UserError
from data.models import Draft
from data.pages import Page

_SECONDS = 15 * 60.0
_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class ReadStory:
    """A story that was read but not stored, with the page that it stands on in the web."""

    draft: Draft
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Stories that wait for the word of the person who wants to add them.

    `link` is the message that they came with; `refused` are sentences about what else was brought.
    """

    guild_id: int
    user_id: int
    stories: tuple[ReadStory, ...]
    link: str | None
    refused: tuple[str, ...] = ()


class Pending:
    """Stories that were read but not added yet, for a quarter of an hour, in memory alone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: OrderedDict[str, tuple[float, Waiting]] = OrderedDict()

    def put(self, waiting: Waiting, *, key: str | None = None) -> str:
        """Keep a story; return the key by which it is asked for, a new one unless it is given."""
        key = key or secrets.token_urlsafe(9)
        self._waiting[key] = (self._clock() + _SECONDS, waiting)
        while len(self._waiting) > _REMEMBERED:
            self._waiting.popitem(last=False)
        return key

    def take(self, key: str, *, guild_id: int, user_id: int) -> Waiting:
        """Return the story and forget it, for the person who brought it.

        Raises:
            UserError: if it waited too long, or is somebody else's.
        """
        until, waiting = self._waiting.get(key, (0.0, None))
        if waiting is None or until < self._clock():
            raise UserError("I no longer have that story. Please add it again.")
        if (waiting.guild_id, waiting.user_id) != (guild_id, user_id):
            raise UserError("Somebody else is adding that story.")
        del self._waiting[key]
        return waiting
