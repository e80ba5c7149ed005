import logging
from typing import Any
from unittest import mock

import aiohttp
import discord
import pytest
from discord import app_commands

from data.errors import UserError
from handlers.errors import message_for, report, reported


def _refusal(kind: type[discord.HTTPException], status: int, code: int) -> discord.HTTPException:
    response: Any = mock.Mock(spec=aiohttp.ClientResponse, status=status, reason="")
    return kind(response, {"code": code, "message": "words of Discord's own"})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (_refusal(discord.NotFound, 404, 10003), "That channel is no longer there."),
        (_refusal(discord.NotFound, 404, 10008), "That message is no longer there."),
        (_refusal(discord.NotFound, 404, 10015), "Discord no longer knows that."),
        (_refusal(discord.Forbidden, 403, 50013), "a permission is missing"),
        (_refusal(discord.DiscordServerError, 503, 0), "Discord has trouble"),
        (_refusal(discord.HTTPException, 429, 0), "Discord has trouble"),
        (aiohttp.ServerDisconnectedError(), "Discord has trouble"),
        (ConnectionResetError(104, "Connection reset by peer"), "Discord has trouble"),
        (TimeoutError(), "Discord has trouble"),
    ],
)
def test_what_discord_does_not_let_us_do_is_told_in_words_and_is_no_bug(
    error: Exception, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    shown = message_for(error)
    assert sentence in shown
    assert "incident" not in shown
    assert "words of Discord" not in shown
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_message_that_discord_finds_malformed_is_a_bug_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shown = message_for(_refusal(discord.HTTPException, 400, 50035))
    assert "incident" in shown
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_what_a_command_raised_is_looked_at_instead_of_its_wrapping() -> None:
    command = mock.Mock(spec=app_commands.Command)
    command.name = "ask"
    error = app_commands.CommandInvokeError(command, UserError("Ask in a sentence."))
    assert message_for(error) == "Ask in a sentence."


def test_a_refusal_of_the_commands_own_is_a_sentence() -> None:
    assert message_for(app_commands.NoPrivateMessage()).endswith(".")


async def test_whatever_a_block_raises_is_told_once() -> None:
    told: list[str] = []

    async def tell(words: str) -> None:
        told.append(words)

    async with reported(tell):
        raise UserError("No.")
    assert told == ["No."]


async def test_nothing_is_told_where_nothing_went_wrong() -> None:
    async def tell(words: str) -> None:
        raise AssertionError(words)

    async with reported(tell):
        pass


@pytest.mark.parametrize(
    "again",
    [_refusal(discord.Forbidden, 403, 50007), aiohttp.ClientConnectionError(), OSError("x")],
)
async def test_where_nobody_can_be_told_the_log_has_it(
    again: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell(words: str) -> None:
        raise again

    await report(UserError("secret words"), tell)
    assert "nobody could be told" in caplog.text
    assert "secret words" not in caplog.text
