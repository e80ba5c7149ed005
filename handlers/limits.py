from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data.errors import UserError

# A person may ask this many questions in this many seconds.
QUESTIONS, SECONDS = 5, 20.0
# Questions of one server (or one person's direct messages) that may be under way at once.
WAITING = 8
_PRUNE_ABOVE = 10_000  # people whose last questions are remembered


class BusyError(UserError):
    """Somebody asks faster than can be answered; the text says when to try again.

    `told` tells that they were told so already, in the same short while.
    """

    def __init__(self, words: str, *, told: bool = False) -> None:
        super().__init__(words)
        self.told = told


class Limits:
    """How fast one person and one server may ask, so that nobody keeps the others waiting.

    `clock` returns seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: dict[int, deque[float]] = {}
        self._told: dict[int, float] = {}
        self._waiting: Counter[int] = Counter()

    @contextmanager
    def question(self, user_id: int, place_id: int) -> Iterator[None]:
        """Count a question while the block runs; `place_id` is a server's id, or a channel's.

        Raises:
            BusyError: if the person asked too many just now, or the server has too many waiting.
        """
        if self._waiting[place_id] >= WAITING:
            raise BusyError(
                f"I am busy with {WAITING} questions from here already. Ask again in a moment."
            )
        self._admit(user_id)
        self._waiting[place_id] += 1
        try:
            yield
        finally:
            self._waiting[place_id] -= 1
            if not self._waiting[place_id]:
                del self._waiting[place_id]

    def _admit(self, user_id: int) -> None:
        now = self._clock()
        if len(self._asked) > _PRUNE_ABOVE:
            self._asked = {u: a for u, a in self._asked.items() if a and a[-1] > now - SECONDS}
            self._told = {u: until for u, until in self._told.items() if until > now}
        asked = self._asked.setdefault(user_id, deque())
        while asked and asked[0] <= now - SECONDS:
            asked.popleft()
        if len(asked) >= QUESTIONS:
            wait = max(1, round(asked[0] + SECONDS - now))
            seconds = "1 second" if wait == 1 else f"{wait} seconds"
            told = self._told.get(user_id, now) > now
            self._told[user_id] = asked[0] + SECONDS
            raise BusyError(
                f"That is a lot of questions at once. Ask again in {seconds}.", told=told
            )
        asked.append(now)
