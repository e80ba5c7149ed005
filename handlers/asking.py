"""From a question in Discord to the message with its answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

import discord

from data.answers import Carrier, GivenCitation, Place
from data.errors import UserError
from data.models import Filters
from handlers.layouts.layout import notice
from handlers.layouts.render import MAX_QUESTION, Shown, answer_layout
from handlers.limits import Limits
from handlers.scope import place_of, readable_server
from handlers.services import Session
from handlers.worker import Lane, Worker
from index.answerer import checked_answer, clean_question
from index.citations import MAX_CITATIONS
from index.models import Answer, Reason

log = logging.getLogger(__name__)

T = TypeVar("T")

NOBODY = discord.AllowedMentions.none()
_STARTING = "I am just starting up. Your answer follows in a moment."
_RETRY_AFTER = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with who asks it where, and how the answer will stand there."""

    question: str
    filters: Filters
    place: Place
    user_id: int
    private: bool = False
    threads: bool = False


class Asking:
    """Takes questions, finds their answers and sends them; each ends in one message or an error."""

    def __init__(
        self, *, client: discord.Client, worker: Worker, limits: Limits, ready: asyncio.Event
    ) -> None:
        self._client = client
        self._worker = worker
        self._limits = limits
        self._ready = ready

    async def by_interaction(
        self,
        interaction: discord.Interaction,
        question: str,
        filters: Filters,
        *,
        private: bool = False,
    ) -> None:
        """Answer a command, button or form with a new message.

        Raises:
            UserError: if it cannot be asked, or too much is asked; nothing was sent then.
        """
        asked = Asked(
            question=_fitting(question),
            filters=filters,
            place=place_of(interaction),
            user_id=interaction.user.id,
            private=private,
            threads=_can_thread(interaction.channel),
        )
        with self._limits.question(asked.user_id, asked.place.guild_id or asked.place.channel_id):
            await interaction.response.defer(ephemeral=private, thinking=True)
            if not self._ready.is_set():
                await interaction.edit_original_response(view=notice(_STARTING))
                await self._ready.wait()

            async def send(layout: discord.ui.LayoutView) -> discord.Message:
                return await interaction.edit_original_response(
                    view=layout, allowed_mentions=NOBODY
                )

            await self._answer(asked, send)

    async def by_message(self, message: discord.Message, question: str, filters: Filters) -> None:
        """Answer a message with a reply to it.

        Raises:
            UserError: if it cannot be asked, or too much is asked; nothing was sent then.
        """
        guild_id = guild_of(message)
        asked = Asked(
            question=_fitting(question),
            filters=filters,
            place=Place(guild_id, message.channel.id),
            user_id=message.author.id,
            threads=_can_thread(message.channel),
        )
        waiting: discord.Message | None = None

        async def send(layout: discord.ui.LayoutView) -> discord.Message:
            if waiting is not None:
                return await waiting.edit(view=layout, allowed_mentions=NOBODY)
            return await reply(message, layout)

        with self._limits.question(asked.user_id, guild_id or message.channel.id):
            async with AsyncExitStack() as stack:
                try:
                    await stack.enter_async_context(message.channel.typing())
                except discord.DiscordServerError:
                    log.info("no typing indicator")  # the answer may get through all the same
                if not self._ready.is_set():
                    waiting = await reply(message, notice(_STARTING))
                    await self._ready.wait()
                await self._answer(asked, send)

    async def further(
        self, interaction: discord.Interaction, question: str, filters: Filters, *, limit: int
    ) -> Answer:
        """Return a longer answer to a question that was answered before; nothing is sent.

        Raises:
            UserError: if too much is asked.
        """
        place = place_of(interaction)
        with self._limits.question(interaction.user.id, place.guild_id or place.channel_id):
            await self._ready.wait()
            readable = await readable_server(
                self._client, self._worker, place.guild_id, interaction.user.id
            )
            return await self._worker.run(
                readable,
                lambda session: checked_answer(session.answerer, question, filters, limit=limit),
                lane=Lane.ASK,
            )

    async def _answer(
        self, asked: Asked, send: Callable[[discord.ui.LayoutView], Awaitable[discord.Message]]
    ) -> None:
        readable = await readable_server(
            self._client, self._worker, asked.place.guild_id, asked.user_id
        )
        shown = await self._worker.run(
            readable, lambda session: _prepared(session, asked), lane=Lane.ASK
        )
        try:
            message = await persistent(lambda: send(answer_layout(shown)))
        except BaseException:
            await self._worker.run(None, lambda session: session.answers.remove(shown.answer_id))
            raise
        await self._worker.run(
            None,
            lambda session: session.answers.sent(shown.answer_id, message.id, message.channel.id),
        )


def _fitting(question: str) -> str:
    cleaned = clean_question(question)
    if len(cleaned) > MAX_QUESTION:
        raise UserError(
            f"The question has {len(cleaned):,} characters; ask in at most {MAX_QUESTION} here."
        )
    return cleaned


def _can_thread(channel: object) -> bool:
    return isinstance(channel, discord.TextChannel)


def _prepared(session: Session, asked: Asked) -> Shown:
    """Return the answer, stored and ready to be shown; runs in a thread."""
    answer = checked_answer(session.answerer, asked.question, asked.filters, limit=MAX_CITATIONS)
    answer_id = session.answers.add(asked.place, asked.user_id, given_citations(answer))
    quoted = {c.revision.article_id for c in answer.citations}
    sources: set[str] = set()
    if answer.reason is Reason.FILTERED_OUT:
        sources.update(s for services in session.readable for s in services.articles.sources())
    return Shown(
        answer=answer,
        answer_id=answer_id,
        origins={k: v for s in session.readable for k, v in s.origins.of(quoted).items()},
        sources=sorted(sources, key=str.casefold),
        private=asked.private,
        in_server=asked.place.guild_id is not None,
        threads=asked.threads,
    )


def given_citations(answer: Answer) -> list[GivenCitation]:
    """Return the citations of an answer as they are remembered."""
    return [
        GivenCitation(
            number=c.number,
            collection=c.revision.collection,
            article_id=c.revision.article_id,
            revision_id=c.revision.id,
            span=c.span,
            highlight=c.highlight,
            sha256=c.revision.sha256,
            carriers=tuple(Carrier(r.collection, r.article_id, r.id, r.sha256) for r in c.carriers),
        )
        for c in answer.citations
    ]


def guild_of(message: discord.Message) -> int | None:
    """Return the id of the server that a message was written in, also of one not heard of yet."""
    if message.guild is not None:
        return message.guild.id
    if isinstance(message.channel, discord.PartialMessageable):
        return message.channel.guild_id
    return None


async def reply(message: discord.Message, layout: discord.ui.LayoutView) -> discord.Message:
    """Send a message as a reply, also where the one it replies to was deleted meanwhile."""
    return await message.channel.send(
        view=layout,
        reference=message.to_reference(fail_if_not_exists=False),
        allowed_mentions=NOBODY,
    )


async def reply_in_words(message: discord.Message, words: str) -> None:
    """Reply to a message with a sentence."""
    await message.channel.send(
        words,
        reference=message.to_reference(fail_if_not_exists=False),
        allowed_mentions=NOBODY,
    )


async def tell_author(message: discord.Message, words: str) -> None:
    """Tell the author of a message something; directly where the bot may not write there."""
    try:
        await reply_in_words(message, words)
    except discord.Forbidden:
        await message.author.send(words, allowed_mentions=NOBODY)


async def persistent(send: Callable[[], Awaitable[T]]) -> T:
    """Return what was sent; a moment of trouble at Discord's end is waited out once.

    The library itself repeats what was rate limited or met a broken gateway.
    """
    try:
        return await send()
    except discord.DiscordServerError:
        await asyncio.sleep(_RETRY_AFTER)
        return await send()
