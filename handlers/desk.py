from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import discord

from data.followed import FollowedFeed
from data.pages import Feed, Page
from handlers.asking import Asking
from handlers.following import Follower
from handlers.forms import OpenForms
from handlers.limits import Limits
from handlers.pending import Pending
from handlers.rebuilds import Rebuilds
from handlers.requests import Requests
from handlers.runner import WorkerRunner
from handlers.web import Web
from handlers.worker import Worker

_REMEMBERED = 10_000


class Hints:
    """Which channels were told once how to ask, so that a chat among people is not disturbed."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, None] = OrderedDict()

    def first(self, channel_id: int) -> bool:
        """Return whether this is the first time for a channel, and remember it."""
        if channel_id in self._told:
            return False
        self._told[channel_id] = None
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands and buttons work with, handed to each of them.

    `nudge` says that stories changed, so that earlier answers are looked at soon; `take_in` stores
    what was found in a feed that is followed from now on.
    """

    client: discord.Client
    worker: Worker
    limits: Limits
    asking: Asking
    rebuilds: Rebuilds
    pending: Pending
    requests: Requests
    forms: OpenForms
    runner: WorkerRunner
    web: Web
    follower: Follower
    nudge: Callable[[], None]
    take_in: Callable[[FollowedFeed, tuple[Page, Feed]], None]
    source_url: str | None = None
    hints: Hints = field(default_factory=Hints)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
