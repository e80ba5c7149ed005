"""Earlier answers say what became of their stories, as long as Discord lets them be edited."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

import discord

from data.answers import AnswerStore, StandingQuote
from data.database import read, storage_errors
from data.errors import NotFoundError, StorageError
from data.models import Revision
from data.web.network import CONNECTION_ERRORS
from handlers.asking import NOBODY
from handlers.errors import reported
from handlers.layouts.marks import Marked, marked_layout
from handlers.runner import WorkerRunner
from handlers.services import Services
from index.carriers import StoryKey, standing_stories, still_carried
from index.corrections import correction

log = logging.getLogger(__name__)

# Answers that are edited in one go; the rest follows at the next, so that Discord's limits hold.
_MOST_EDITS = 20
# Discord's numbers for what does not come back: the channel or message is gone (10003, 10008), the
# bot may not see or write there (50001, 50013), the message is not its own (50005).
_LOST = frozenset({10003, 10008, 50001, 50013, 50005})
_ARCHIVED = 50083  # Discord's number for an edit in a thread that is archived, for now
_BAD_REQUEST = 400  # HTTP status of what Discord does not take as it is


class _Outcome(Enum):
    """What became of an edit; where it is to be tried again, the seconds of its first wait.

    Each further wait is twice as long. What may be a moment's trouble is tried at once again first.
    """

    SETTLED = 0.0
    LATER = 30.0
    REFUSED = 60.0  # the message itself is the trouble
    ARCHIVED = 600.0


_LONGEST_WAIT = 6 * 3600.0  # seconds
_DOUBLINGS = 12  # at most, which is beyond the longest wait
_TOGETHER = 600.0  # seconds: waits that are longer end at multiples of it
_MOST_REFUSALS = 5  # of one message for the same marks, until the bot is started again


@dataclass(frozen=True, slots=True)
class _Failure:
    """An answer that could not be edited: to say what, how often, and until when it waits."""

    marks: tuple[str, ...]
    times: int
    until: float  # on the clock


class Marking:
    """Edits the answers whose stories changed, were withdrawn or removed since.

    `clock` returns seconds that only ever grow.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        runner: WorkerRunner,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._runner = runner
        self._clock = clock
        # By collection: what was looked at, and when something in it is to be tried again.
        self._looked: dict[str, tuple[object, float]] = {}
        self._failures: dict[tuple[str, str], _Failure] = {}
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Bring every message up to date that is not."""
        async with self._lock:
            names = await self._runner.memory(lambda db: AnswerStore(db).quoted_collections())
            tokens: dict[str, int] = {}
            for name in names:
                await _contained(partial(self._collection, name, tokens))

    async def _collection(self, name: str, tokens: dict[str, int]) -> None:
        standing = await self._runner.memory(lambda db: AnswerStore(db).standing(name))
        if not standing or not self._runner.has(name):
            return
        carriers = _carriers(standing)
        for collection in {name, *carriers} - set(tokens):
            await _contained(partial(self._look_at_token, collection, tokens))
        seen = [tokens.get(collection) for collection in (name, *sorted(carriers))]
        looked = (seen, len(standing), standing[-1].answer_id)
        before, due = self._looked.get(name, (None, 0.0))
        if name not in tokens or (before == looked and self._clock() < due):
            return
        stories: dict[StoryKey, Revision] = {}
        complete = True
        for collection, ids in carriers.items():
            look = partial(self._look_at_carriers, collection, ids, stories)
            complete = await _contained(look) and complete
        changed: dict[str, list[Marked]] = {}
        for marked in await self._changed(name, standing, stories):
            changed.setdefault(marked.standing.answer_id, []).append(marked)
        again = await self._edit_all(name, changed)
        if complete:
            self._looked[name] = (looked, again)

    async def _look_at_token(self, collection: str, tokens: dict[str, int]) -> None:
        tokens[collection] = await self._runner.look(collection, lambda s: s.articles.token())

    async def _look_at_carriers(
        self, collection: str, ids: set[str], stories: dict[StoryKey, Revision]
    ) -> None:
        """Add to the stories those of a collection that stand."""
        stories |= await self._runner.look(
            collection, lambda s: standing_stories(s.articles, s.standing, ids)
        )

    async def _changed(
        self, name: str, standing: Sequence[StandingQuote], stories: Mapping[StoryKey, Revision]
    ) -> list[Marked]:
        """Return the quotes whose messages say something else than what is so.

        Where an error is met that nobody thought of, the quote that brings it up is left out.

        Raises:
            StorageError: if the collection cannot be read at all.
        """
        found: list[Marked] = []
        unreadable: list[StorageError] = []

        async def look() -> None:
            try:
                found.extend(await self._runner.look(name, lambda s: _marks(s, standing, stories)))
            except StorageError as error:  # of the whole collection, not of one quote
                unreadable.append(error)

        done = await _contained(look)
        if unreadable:
            raise unreadable[0]
        if done or len(standing) == 1:
            return found
        half = len(standing) // 2
        first = await self._changed(name, standing[:half], stories)
        return first + await self._changed(name, standing[half:], stories)

    async def _edit_all(self, name: str, changed: Mapping[str, list[Marked]]) -> float:
        """Edit the messages that are due; return when one is due again, infinity for never."""
        self._failures = {
            (collection, answer_id): failure
            for (collection, answer_id), failure in self._failures.items()
            if collection != name
            or (answer_id in changed and failure.marks == _said(changed[answer_id]))
        }
        failed = {answer_id for collection, answer_id in self._failures if collection == name}
        now = self._clock()
        due = [a for a in changed if a not in failed or self._failures[name, a].until <= now]
        # Those that failed come last, so that they do not hold up the others.
        due.sort(key=lambda answer_id: answer_id in failed)
        for answer_id in due[:_MOST_EDITS]:
            await self._try(name, answer_id, changed[answer_id])
        if len(due) > _MOST_EDITS:
            return now
        waiting = [f.until for (collection, _), f in self._failures.items() if collection == name]
        return min(waiting, default=math.inf)

    async def _try(self, name: str, answer_id: str, marks: list[Marked]) -> None:
        """Edit one message, or remember when to try that again."""
        outcome = _Outcome.LATER  # also where an error of our own ends it

        async def edit() -> None:
            nonlocal outcome
            outcome = await self._edit(answer_id, marks)

        await _contained(edit)
        before = self._failures.pop((name, answer_id), None)
        if outcome is not _Outcome.SETTLED:
            times = before.times + 1 if before else 1
            until = _next_try(self._clock(), outcome, times)
            self._failures[name, answer_id] = _Failure(_said(marks), times, until)

    async def _edit(self, answer_id: str, marks: list[Marked]) -> _Outcome:
        """Edit one message; where that will never be possible, it is let be from then on."""
        place = marks[0].standing
        channel = self._client.get_partial_messageable(place.channel_id)
        try:
            message = await channel.fetch_message(place.message_id)
            layout = marked_layout(message, answer_id, marks)
            if layout is not None:
                await message.edit(view=layout, allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.code in _LOST:
                log.info("an answer cannot be corrected", extra={"code": error.code})
                await self._runner.memory(lambda db: AnswerStore(db).lose(answer_id))
                return _Outcome.SETTLED
            extra = {"status": error.status, "code": error.code}
            log.warning("an answer was not corrected yet", extra=extra)
            if error.code == _ARCHIVED:
                return _Outcome.ARCHIVED
            return _Outcome.REFUSED if error.status == _BAD_REQUEST else _Outcome.LATER
        except (discord.DiscordException, *CONNECTION_ERRORS) as error:
            log.warning("an answer was not corrected yet: %s", type(error).__name__)
            return _Outcome.LATER
        numbers = {marked.standing.citation.number: marked.mark for marked in marks}
        await self._runner.memory(lambda db: AnswerStore(db).marked(answer_id, numbers))
        log.info("an answer was corrected", extra={"quotes": len(numbers)})
        return _Outcome.SETTLED


def _next_try(now: float, outcome: _Outcome, times: int) -> float:
    """Return when to try again what failed that often, in seconds on the clock.

    Long waits end together, since each time all quotes of the collection are looked at.
    """
    if outcome is _Outcome.REFUSED and times >= _MOST_REFUSALS:
        return math.inf
    if outcome is _Outcome.LATER and times == 1:
        return now
    wait = min(outcome.value * 2.0 ** min(times - 1, _DOUBLINGS), _LONGEST_WAIT)
    return now + wait if wait < _TOGETHER else math.ceil((now + wait) / _TOGETHER) * _TOGETHER


def _said(marks: Sequence[Marked]) -> tuple[str, ...]:
    return tuple(marked.mark for marked in marks)


def _carriers(standing: Sequence[StandingQuote]) -> dict[str, set[str]]:
    """Return the ids of the stories that carried the quotes, by their collections."""
    found: dict[str, set[str]] = {}
    for quote in standing:
        for carrier in quote.citation.carriers:
            found.setdefault(carrier.collection, set()).add(carrier.article_id)
    return found


def _marks(
    services: Services, standing: Sequence[StandingQuote], stories: Mapping[StoryKey, Revision]
) -> list[Marked]:
    """Return the quotes whose messages say something else than what is so; runs in a thread.

    A quote whose story was altered in the database stays as it is until somebody mends that.
    """
    found = []
    with read(services.db):
        for quote in standing:
            try:
                with storage_errors(services.collection.folder):
                    marked = _marked(services, quote, stories)
            except (StorageError, NotFoundError) as error:
                log.warning(
                    "a quote of the answer %s was not looked at: %s", quote.answer_id, error
                )
                continue
            if marked.mark != quote.marked:
                found.append(marked)
    return found


def _marked(
    services: Services, quote: StandingQuote, stories: Mapping[StoryKey, Revision]
) -> Marked:
    citation = quote.citation
    now = correction(services.articles, services.standing, citation)
    origin = services.origins.of([citation.article_id]).get(citation.article_id)
    besides = now.attributed or now.current
    if besides is None:
        return Marked(quote, now, origin)
    carriers = still_carried(citation, stories, cited=now.cited, besides=besides)
    return Marked(quote, now, origin, carriers)


async def _contained(work: Callable[[], Awaitable[object]]) -> bool:
    """Do the work; return whether that went well: whatever it raises is logged and ends here."""

    async def log_it(words: str) -> None:
        log.warning("some answers were not looked at: %s", words)

    async with reported(log_it):
        try:
            await work()
            return True
        except StorageError as error:  # no bug, and it may come up at each tick
            await log_it(str(error))
    return False
