"""What a poll of a feed brought."""

from dataclasses import dataclass, field

from data.followed import FollowedFeed, Outcome


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an item at this poll; `reason` says why it is not among the stories."""

    title: str | None
    url: str | None
    outcome: Outcome
    reason: str | None = None
    article_id: str | None = None


@dataclass(slots=True)
class Poll:
    """What a poll of a feed brought.

    `unchanged` tells that the server said so; `problem` is a sentence where the feed could not be
    had; `paused` one where it is followed no longer for that; `waiting` counts items left for
    another day, `later` those left for the next poll, since time was up or their host wants to be
    left alone, `left_out` those beyond the most that are read of one feed. `stopped` tells that
    the feed was removed or paused meanwhile, or that nobody is there any more to be told.
    """

    feed: FollowedFeed
    taken: list[Taken] = field(default_factory=list)
    unchanged: bool = False
    problem: str | None = None
    paused: str | None = None
    waiting: int = 0
    later: int = 0
    left_out: int = 0
    stopped: bool = False

    def count(self, outcome: Outcome) -> int:
        """Return how many items had that outcome."""
        return sum(taken.outcome is outcome for taken in self.taken)
