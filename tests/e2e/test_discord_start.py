"""How the real bot starts, stops, and says why it cannot start."""

import json
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from handlers.layouts.layout import Action
from tests.e2e.bot_process import BotProcess, buttons, said
from tests.e2e.crash import story_text
from tests.e2e.fake_discord import ADMINISTRATOR, FakeDiscord, Interaction, Json

pytestmark = pytest.mark.slow

CANNOT_START = 2
STORIES = 48  # which take seconds to rebuild, in several transactions
SENTENCE = "Captain Imke Dahl steered the freighter through the strait at dawn."
QUESTION = "Who steered the freighter through the strait?"


@pytest_asyncio.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotProcess]:
    """A bot that is not started yet, on a Discord without any server."""
    async with FakeDiscord() as fake:
        process = BotProcess(tmp_path / "home", fake)
        try:
            yield process
        finally:
            await process.close()


def synced(fake: FakeDiscord) -> int:
    """How often the commands were registered."""
    return sum(call.method == "PUT" and call.path.endswith("/commands") for call in fake.requests)


async def status(bot: BotProcess, guild: str) -> Json:
    """What the command line says about the index of that server."""
    told: Json = json.loads(await bot.command("status", "--json", "--collection", guild))
    return told


async def test_a_second_start_knows_its_commands_buttons_and_stories(bot: BotProcess) -> None:
    fake = bot.fake
    guild = fake.add_guild("Newsroom")
    channel = fake.add_channel(guild, "general")
    person = fake.add_member(guild, fake.add_user("alice"))
    await bot.command("add", "-", "--collection", guild, stdin=f"Fog lay about. {SENTENCE}")
    await bot.start()
    asked = await fake.say(channel, person, QUESTION, mention_bot=True)
    answer = (await bot.until(lambda: fake.replies(asked)))[0]
    assert SENTENCE in said(answer).replace("**", "")
    assert await bot.stop(signal.SIGTERM) == 0
    assert synced(fake) == 1

    (bot.home / "discord_token").write_text(f"{fake.token}\n")
    del bot.environment["DISCORD_TOKEN"]
    bot.launch("run")
    await bot.until(lambda: fake.identifies == 2)
    # Before the models are there: it has to wait, but in time and not for nothing.
    early = await fake.slash(channel, person, "ask", {"question": QUESTION})
    await bot.until(lambda: early.original and SENTENCE in said(early.original).replace("**", ""))
    pressed = await fake.click(answer["id"], person, buttons(answer, Action.CONTEXT)[0])
    context = await bot.until(lambda: pressed.original)
    assert "Fog lay about." in said(context)
    assert await bot.stop(signal.SIGINT) == 0
    assert synced(fake) == 1
    assert "There is a Discord token" in bot.stderr
    assert "Traceback" not in bot.stderr
    assert fake.token not in bot.stderr
    assert fake.unknown_routes == []


async def test_a_stop_lets_questions_under_way_end_in_their_answers(bot: BotProcess) -> None:
    fake = bot.fake
    guild = fake.add_guild("Newsroom")
    channel = fake.add_channel(guild, "general")
    person = fake.add_member(guild, fake.add_user("alice"))
    await bot.command("add", "-", "--collection", guild, stdin=SENTENCE)
    await bot.start()
    asked = await fake.say(channel, person, QUESTION, mention_bot=True)
    answer = (await bot.until(lambda: fake.replies(asked)))[0]
    pressed = await fake.click(answer["id"], person, buttons(answer, Action.FOLLOW_UP)[0])
    await bot.until(lambda: pressed.modal)
    # Discord stumbles, so that each answer takes a second or more, and that to the form longest.
    by_form = await fake.submit_modal(pressed, {"question": QUESTION})
    fake.fail_next("PATCH", f"/{by_form.payload['token']}/", 502, times=2)
    by_command = await fake.slash(channel, person, "ask", {"question": QUESTION})
    fake.fail_next("PATCH", f"/{by_command.payload['token']}/", 502)
    by_mention = await fake.say(channel, person, QUESTION, mention_bot=True)
    fake.fail_next("POST", "/messages$", 502)
    await bot.until(lambda: sum(call.status == 502 for call in fake.requests) == 3)
    assert await bot.stop() == 0
    told = [*fake.replies(by_mention), by_command.original, by_form.original]
    assert len(told) == 3
    assert [SENTENCE in said(reply or {}).replace("**", "") for reply in told] == [True] * 3


@dataclass
class Rebuild:
    """A server with stories, and the message of the rebuild that its administrator begins."""

    bot: BotProcess
    guild: str
    channel: str
    admin: str

    async def begin(self) -> Interaction:
        """Ask for the rebuild and press the button; what the bot does with that."""
        fake = self.bot.fake
        asked = await fake.slash(self.channel, self.admin, "index rebuild")
        question = await self.bot.until(lambda: asked.original)
        return await fake.click(question["id"], self.admin, buttons(question, Action.REBUILD)[0])

    async def ends_in(self, message: Json) -> None:
        """Start the bot again; the rebuild goes on by itself, and in that message."""
        sent = len(self.bot.fake.messages)
        await self.bot.start()
        await self.bot.until(lambda: "The index was rebuilt" in said(message))
        assert f"{STORIES} stories" in said(message)
        assert len(self.bot.fake.messages) == sent
        assert await self.bot.stop() == 0


@pytest_asyncio.fixture
async def rebuild(bot: BotProcess, tmp_path: Path) -> Rebuild:
    fake = bot.fake
    guild = fake.add_guild("Newsroom")
    channel = fake.add_channel(guild, "general")
    admin = fake.add_member(guild, fake.add_user("admin"), fake.add_role(guild, "A", ADMINISTRATOR))
    rows = tmp_path / "rows.jsonl"
    texts = [{"id": f"s{n}", "text": story_text(n, 1)} for n in range(STORIES)]
    rows.write_text("".join(json.dumps(row) + "\n" for row in texts))
    await bot.command("import", str(rows), "--collection", guild)
    await bot.start()
    return Rebuild(bot, guild, channel, admin)


async def test_a_rebuild_that_a_stop_interrupts_goes_on_in_its_message_at_the_next_start(
    rebuild: Rebuild,
) -> None:
    bot, fake = rebuild.bot, rebuild.bot.fake
    pressed = await rebuild.begin()
    message = (await bot.until(lambda: pressed.followups))[0]
    assert f"0 of {STORIES} stories" in said(message)
    await bot.until(lambda: any(r["kind"] == "button rebuild" for r in bot.logged("request")))
    assert await bot.stop(signal.SIGTERM) == 0
    assert "Interrupted" in said(message)
    before = await status(bot, rebuild.guild)

    # A stop while a question still waits for the models: what answers it must begin no rebuild.
    bot.launch()
    await bot.until(lambda: fake.identifies == 2)
    early = await fake.slash(rebuild.channel, rebuild.admin, "ask", {"question": "Who bought it?"})
    await bot.until(lambda: early.message)
    assert await bot.stop(signal.SIGTERM) == 0
    assert (await status(bot, rebuild.guild))["built_at"] == before["built_at"]

    await rebuild.ends_in(message)
    after = await status(bot, rebuild.guild)
    assert (after["stories"], after["stale"]) == (STORIES, [])
    assert after["built_at"] != before["built_at"]


async def test_a_rebuild_that_is_just_beginning_at_a_stop_begins_at_the_next_start(
    rebuild: Rebuild,
) -> None:
    bot, fake = rebuild.bot, rebuild.bot.fake
    before = await status(bot, rebuild.guild)
    fake.fail_next("POST", "^/webhooks/", 502)  # its message takes a second to be there
    pressed = await rebuild.begin()
    await bot.until(lambda: fake.requests[-1].status == 502)
    assert await bot.stop(signal.SIGTERM) == 0
    assert "Interrupted" in said(pressed.followups[0])
    assert (await status(bot, rebuild.guild))["built_at"] == before["built_at"]
    await rebuild.ends_in(pressed.followups[0])


async def test_a_stop_while_discord_keeps_it_waiting_at_the_door_is_exit_code_0(
    bot: BotProcess,
) -> None:
    bot.fake.fail_next("PUT", "/commands$", 502, times=5)  # for some 25 seconds
    bot.launch()
    await bot.until(lambda: synced(bot.fake))
    assert await bot.stop(signal.SIGTERM) == 0
    assert synced(bot.fake) == 1
    assert "Traceback" not in bot.stderr


async def refused(bot: BotProcess, **environment: str) -> str:
    """Start the bot, which cannot; the one line that it says about it."""
    bot.environment |= environment
    bot.launch()
    assert await bot.ended() == CANNOT_START
    assert bot.stderr.count("\n") == 1, bot.stderr
    assert not bot.stderr.startswith("{")
    token = bot.environment["DISCORD_TOKEN"]
    assert not token or token not in bot.stderr
    return bot.stderr


async def test_a_wrong_token_is_one_clear_line_and_exit_code_2(bot: BotProcess) -> None:
    line = await refused(bot, DISCORD_TOKEN="a-wrong-one")
    assert "does not accept the token" in line
    assert [(call.path, call.status) for call in bot.fake.requests] == [("/users/@me", 401)]


async def test_a_token_that_is_reset_while_the_bot_runs_ends_it_in_words(bot: BotProcess) -> None:
    await bot.start()
    bot.fake.token = "another-one"
    bot.fake.drop_connections()
    assert await bot.ended() == CANNOT_START
    assert "does not accept the token" in bot.stderr.splitlines()[-1]
    assert "Traceback" not in bot.stderr


async def test_an_unreachable_discord_is_one_clear_line_and_exit_code_2(bot: BotProcess) -> None:
    nowhere = "http://127.0.0.1:9/api/v10"  # where nothing listens
    line = await refused(bot, PULLQUOTE_DISCORD_API=nowhere)
    assert "cannot be reached" in line
    assert nowhere in line


async def test_a_discord_that_is_down_is_one_clear_line_and_exit_code_2(bot: BotProcess) -> None:
    bot.fake.fail_next("GET", "^/users/@me$", 503)
    assert "cannot be reached" in await refused(bot)


async def test_commands_that_may_not_be_registered_are_one_clear_line_and_exit_code_2(
    bot: BotProcess,
) -> None:
    bot.fake.fail_next("PUT", "/commands$", 403, body={"message": "Missing Access", "code": 50001})
    line = await refused(bot)
    assert re.search(r"\bscopes\b", line)
    assert "applications.commands" in line


async def test_no_token_at_all_is_one_clear_line_and_exit_code_2(bot: BotProcess) -> None:
    line = await refused(bot, DISCORD_TOKEN="")
    assert "DISCORD_TOKEN" in line
    assert bot.fake.requests == []
