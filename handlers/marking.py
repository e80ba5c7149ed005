"""Earlier answers say what became of their stories, as long as Discord lets them be edited."""

import asyncio
import logging
from collections.abc import Mapping

import discord

from data.answers import AnswerStore, Standing
from data.database import read
from data.errors import StorageError
from data.web.network import CONNECTION_ERRORS
from handlers.asking import NOBODY
from handlers.layouts.marks import Marked, marked_layout
from handlers.runner import WorkerRunner
from handlers.services import Services
from index.corrections import correction

log = logging.getLogger(__name__)

# Answers that are edited in one go; the rest follows at the next, so that Discord's limits hold.
_MOST_EDITS = 20
_TOO_MANY, _THEIR_TROUBLE = 429, 500  # HTTP statuses of what may work later


class Marking:
    """Edits the answers whose stories changed, were withdrawn or removed since."""

    def __init__(self, *, client: discord.Client, runner: WorkerRunner) -> None:
        self._client = client
        self._runner = runner
        self._looked: dict[str, tuple[int, int, str]] = {}
        self._failed: set[str] = set()
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Bring every message up to date that is not."""
        async with self._lock:
            names = await self._runner.memory(lambda db: AnswerStore(db).quoted_collections())
            for name in names:
                try:
                    await self._collection(name)
                except StorageError as error:
                    log.warning("answers from %s were not looked at: %s", name, error)

    async def _collection(self, name: str) -> None:
        standing = await self._runner.memory(lambda db: AnswerStore(db).standing(name))
        if not standing or not self._runner.has(name):
            return
        state = await self._runner.look(name, lambda s: s.articles.generation())
        looked = (state, len(standing), standing[-1].answer_id)
        if self._looked.get(name) == looked:
            return
        changed = await self._runner.look(name, lambda s: _changed(s, standing))
        # Those that failed last come last, so that they do not hold up the others.
        queue = sorted(changed, key=lambda answer_id: answer_id in self._failed)[:_MOST_EDITS]
        done = [await self._edit(answer_id, changed[answer_id]) for answer_id in queue]
        self._failed -= set(queue)
        self._failed |= {a for a, is_done in zip(queue, done, strict=True) if not is_done}
        if len(changed) <= _MOST_EDITS and all(done):
            self._looked[name] = looked

    async def _edit(self, answer_id: str, marks: list[Marked]) -> bool:
        """Edit one message; return whether that is settled.

        Where it is not possible any more, the message is left alone from then on.
        """
        place = marks[0].standing
        channel = self._client.get_partial_messageable(place.channel_id)
        try:
            message = await channel.fetch_message(place.message_id)
            layout = marked_layout(message, answer_id, marks)
            if layout is not None:
                await message.edit(view=layout, allowed_mentions=NOBODY)
        except discord.HTTPException as error:
            if error.status == _TOO_MANY or error.status >= _THEIR_TROUBLE:
                log.warning("an answer was not corrected yet", extra={"status": error.status})
                return False
            log.info("an answer cannot be corrected", extra={"code": error.code})
            await self._runner.memory(lambda db: AnswerStore(db).lose(answer_id))
            return True
        except (discord.DiscordException, *CONNECTION_ERRORS) as error:
            log.warning("an answer was not corrected yet: %s", type(error).__name__)
            return False
        numbers: Mapping[int, str] = {m.standing.citation.number: m.correction.mark for m in marks}
        await self._runner.memory(lambda db: AnswerStore(db).marked(answer_id, numbers))
        log.info("an answer was corrected", extra={"quotes": len(numbers)})
        return True


def _changed(services: Services, standing: list[Standing]) -> dict[str, list[Marked]]:
    """Return the quotes whose messages say something else than what is so, by answer."""
    found: dict[str, list[Marked]] = {}
    with read(services.db):
        for quote in standing:
            now = correction(services.articles, services.standing, quote.citation)
            if now.mark != quote.marked:
                article_id = quote.citation.article_id
                origin = services.origins.of([article_id]).get(article_id)
                found.setdefault(quote.answer_id, []).append(Marked(quote, now, origin))
    return found
