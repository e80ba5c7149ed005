import functools
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands

from data.database import explain_storage_error, is_storage_error
from data.errors import StorageError, UserError
from data.web.network import CONNECTION_ERRORS, is_connection_error

log = logging.getLogger(__name__)

Complete = Callable[[discord.Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
Tell = Callable[[str], Awaitable[object]]
"""Shows a person a sentence."""

# Discord's own numbers for what is no bug of ours.
_EXPIRED = frozenset({10062, 10015, 50027})  # interaction or its token
_TROUBLE = "Discord has trouble at the moment. Please try again in a minute."
_TOO_LATE = "I was too late for that, and Discord has dropped it. Please try again."
_GONE = {10003: "channel", 10008: "message", 10004: "server"}


def message_for(error: Exception) -> str:
    """Return what a person is told about an error; the only place that decides it.

    A UserError is shown as written, and a full or read-only disk in words, as is what Discord does
    not let us do. Everything else is a bug: it is logged with its traceback under an incident id,
    and the person is given that id.
    """
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, app_commands.AppCommandError) and not isinstance(
        error, app_commands.CommandSignatureMismatch | app_commands.CommandNotFound
    ):
        return f"{str(error).rstrip('.')}."
    if isinstance(error, discord.RateLimited):
        return _TROUBLE
    if isinstance(error, discord.HTTPException) and (words := _discord_words(error)):
        log.warning("discord refused", extra={"status": error.status, "code": error.code})
        return words
    if is_connection_error(error):
        log.warning("no connection: %s", type(error).__name__)
        return _TROUBLE
    if is_storage_error(error):
        log.info("storage error", exc_info=error)
        return explain_storage_error(error)
    incident = secrets.token_hex(4)
    log.error("incident %s", incident, exc_info=error)
    return f"Something went wrong inside Pullquote. Its log has this as incident {incident}."


def _discord_words(error: discord.HTTPException) -> str | None:
    """Return what Discord's refusal means for a person, or None where it is our own mistake."""
    if error.code in _GONE:
        return f"That {_GONE[error.code]} is no longer there."
    if isinstance(error, discord.Forbidden):
        return "Discord does not let me do that here; a permission is missing."
    if isinstance(error, discord.NotFound):
        return "Discord no longer knows that. Please start again."
    if isinstance(error, discord.DiscordServerError) or error.status == 429:
        return _TROUBLE
    return None


def _without_places(error: Exception) -> str | None:
    """Return what people on Discord are told about the operator's disk: not where it is."""
    ours = isinstance(error, StorageError)
    if not ours and (is_connection_error(error) or not is_storage_error(error)):
        return None
    log.error("storage error", exc_info=error)
    return "I cannot read or write my stories at the moment. The operator’s log says why."


async def report(error: Exception, tell: Tell) -> None:
    """Tell a person about an error; where even that is not possible, the log has it."""
    words = _without_places(error) or message_for(error)
    try:
        await tell(words)
    except (discord.DiscordException, *CONNECTION_ERRORS, OSError) as again:
        log.warning("nobody could be told: %s", type(again).__name__)


@asynccontextmanager
async def reported(tell: Tell) -> AsyncIterator[None]:
    """Run the block; whatever it raises ends in a sentence for the person who asked for it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # the place where it becomes a message
        await report(error, tell)


def completing(complete: Complete) -> Complete:
    """Return what completes an option, so that whatever goes wrong in it offers nothing.

    Nobody can be told in words there; the log has it.
    """

    @functools.wraps(complete)
    async def completed(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        async def nothing(words: str) -> None:
            log.info("nothing to offer")

        async with reported(nothing):
            return await complete(interaction, typed)
        return []

    return completed


async def tell(interaction: discord.Interaction, words: str) -> None:
    """Show one person a sentence, as the answer to what they just did.

    Where Discord no longer knows what they did, the channel is told that it came too late.
    """
    none = discord.AllowedMentions.none()
    try:
        if interaction.response.is_done():
            await interaction.followup.send(words, ephemeral=True, allowed_mentions=none)
        else:
            await interaction.response.send_message(words, ephemeral=True, allowed_mentions=none)
    except discord.HTTPException as error:
        if error.code not in _EXPIRED or not isinstance(
            interaction.channel, discord.abc.Messageable
        ):
            raise
        log.warning("interaction expired", extra={"code": error.code})
        await interaction.channel.send(
            f"{interaction.user.mention} {_TOO_LATE}", allowed_mentions=none
        )
