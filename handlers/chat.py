"""Questions that are asked by talking: mentions, replies, direct messages, threads, and /ask."""

import re
from dataclasses import dataclass
from typing import Any

import discord
from discord import app_commands

from data.errors import UserError
from data.models import Filters
from handlers.asking import guild_of, reply_in_words
from handlers.desk import Desk
from handlers.errors import completing
from handlers.layouts.render import MAX_QUESTION, MAX_SOURCE, filters_of
from handlers.limits import BusyError
from handlers.parameters import day_of
from handlers.scope import readable_server

HINT = "Ask me something about the stories here, such as: who reported it? `/help` tells more."
_THREAD_HINT = (
    "I can read messages only when you mention me or reply to me, here too. `/help` tells more."
)
_MAX_CHOICES = 25


@dataclass(frozen=True, slots=True)
class Heard:
    """What decides whether a message is for the bot.

    `mentions_me` counts a reply that pings the bot, but neither @everyone nor a role.
    """

    content: str
    from_person: bool
    direct: bool
    mentions_me: bool
    in_own_thread: bool


@dataclass(frozen=True, slots=True)
class Question:
    """The message asks this."""

    text: str


@dataclass(frozen=True, slots=True)
class Hint:
    """The message is for the bot but asks nothing; the text says how to ask."""

    text: str


def decide(heard: Heard, bot_id: int) -> Question | Hint | None:
    """Return what to do about a message; None where it is not for the bot."""
    if not heard.from_person:
        return None
    if not (heard.direct or heard.mentions_me or heard.in_own_thread):
        return None
    asked = re.sub(rf"<@!?{bot_id}>", " ", heard.content).strip()
    if asked:
        return Question(asked)
    if heard.in_own_thread and not heard.mentions_me:
        return Hint(_THREAD_HINT)
    return Hint(HINT)


def heard(message: discord.Message, me: discord.abc.User) -> Heard:
    """Return what decides about a message of discord.py's."""
    kinds = (discord.MessageType.default, discord.MessageType.reply)
    thread = message.channel if isinstance(message.channel, discord.Thread) else None
    return Heard(
        content=message.content,
        from_person=not message.author.bot and message.webhook_id is None and message.type in kinds,
        direct=guild_of(message) is None,
        mentions_me=any(user.id == me.id for user in message.mentions),
        in_own_thread=thread is not None and thread.owner_id == me.id,
    )


async def act(desk: Desk, message: discord.Message, decision: Question | Hint) -> None:
    """Answer a message that asks, and tell one that does not how to.

    Raises:
        UserError: if it cannot be answered; the text says why.
    """
    try:
        if isinstance(decision, Question):
            filters = _filters_before(message, desk.client.user)
            await desk.asking.by_message(message, decision.text, filters)
        elif decision.text is HINT:
            with desk.limits.question(message.author.id, message.channel.id):
                await reply_in_words(message, decision.text)
        elif desk.hints.first(message.channel.id):
            await reply_in_words(message, decision.text)
    except BusyError as error:
        if not error.told:  # once is enough: nobody can make the bot flood a channel
            raise


def _filters_before(message: discord.Message, me: discord.ClientUser | None) -> Filters:
    """Return the filters of the answer that a message replies to: a follow-up keeps them."""
    resolved = message.reference.resolved if message.reference else None
    if me and isinstance(resolved, discord.Message) and resolved.author.id == me.id:
        return filters_of(resolved)
    return Filters()


def chat_commands(desk: Desk) -> list[app_commands.Command[Any, ..., None]]:
    """Return /ask."""

    @app_commands.command(description="Answer a question with word-for-word quotes.")
    @app_commands.describe(
        question="What you want to know, in a sentence.",
        source="Only stories of this publisher.",
        after="Only stories of this day or later, such as 2024-10-25 or 2024-10.",
        before="Only stories of this day or earlier.",
        private="Show the answer to you alone.",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def ask(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, MAX_QUESTION],
        source: app_commands.Range[str, 1, MAX_SOURCE] | None = None,
        after: app_commands.Range[str, 1, 40] | None = None,
        before: app_commands.Range[str, 1, 40] | None = None,
        private: bool = False,
    ) -> None:
        filters = Filters(
            source=source.strip() or None if source else None,
            after=_day(after, last=False),
            before=_day(before, last=True),
        )
        if filters.after and filters.before and filters.after > filters.before:
            raise UserError("No day is both after the one and before the other; swap the dates.")
        await desk.asking.by_interaction(interaction, question, filters, private=private)

    @ask.autocomplete("source")
    @completing
    async def sources(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        readable = await readable_server(
            desk.client, desk.worker, interaction.guild_id, interaction.user.id
        )
        known = await desk.worker.run(
            readable,
            lambda session: {s for part in session.readable for s in part.articles.sources()},
        )
        wanted = typed.strip().casefold()
        fitting = sorted(
            (s for s in known if wanted in s.casefold() and len(s) <= MAX_SOURCE),
            key=str.casefold,
        )
        return [app_commands.Choice(name=s, value=s) for s in fitting[:_MAX_CHOICES]]

    return [ask]


def _day(typed: str | None, *, last: bool) -> str | None:
    if typed is None or not typed.strip():
        return None
    day = day_of(typed, last=last)
    if day is None:
        raise UserError(f"“{typed}” is no date that I can read for certain; write 2024-10-25.")
    return day
