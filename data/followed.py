"""A feed that is followed, and what became of its items."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a feed's item."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"
    FAILED = "failed"  # it is tried again


@dataclass(frozen=True, slots=True)
class FollowedFeed:
    """A feed that a collection follows.

    `paused` is a sentence why it is not polled, or None while it is; `problem` is what went wrong
    at the last poll. `channel_id` is where the server is told of trouble, `announce_id` where new
    stories are announced. Times are ISO 8601 in UTC.
    """

    id: int
    collection: str
    url: str
    title: str | None
    added_by: int | None
    channel_id: int | None
    announce_id: int | None
    daily_limit: int
    paused: str | None
    etag: str | None
    last_modified: str | None
    failures: int
    problem: str | None
    polled_at: str | None
    next_poll_at: str
    created_at: str


@dataclass(frozen=True, slots=True)
class SeenItem:
    """An item of a feed, as it was when it was last looked at; `reason` says why it is not in."""

    guid: str
    fingerprint: str
    outcome: Outcome
    reason: str | None
    title: str | None
    article_id: str | None
    tries: int
    seen_at: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """How many of a feed's items are no stories now, and the newest few of them."""

    count: int
    newest: tuple[SeenItem, ...]
