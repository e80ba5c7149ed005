"""One running bot, the real program with the real encoder, in its daily work on a fake Discord."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from handlers.layouts.layout import Action
from handlers.terminal.cli import cli
from tests.e2e.bot_process import BotProcess, buttons, said
from tests.e2e.fake_discord import ADMINISTRATOR, FakeDiscord, Interaction, Json

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

MANAGE_MESSAGES = 1 << 13
DEFERRED = 5


@dataclass
class Newsroom:
    """A server with a channel, its administrator, and the bot that all tests here share."""

    fake: FakeDiscord
    bot: BotProcess
    guild: str
    channel: str
    admin: str

    def person(self, permissions: int = 0) -> str:
        """A new member: nobody's cooldown is another test's."""
        role = self.fake.add_role(self.guild, "Role", permissions)
        return self.fake.add_member(self.guild, self.fake.add_user("someone"), role)

    async def add(self, text: str, **details: str) -> Json:
        """Give the server a story, as a file; the message that says so."""
        options = {"file": ("story.txt", text.encode()), **details}
        person = self.person(MANAGE_MESSAGES)
        added = await self.fake.slash(self.channel, person, "article add", options)
        return await self.bot.until(lambda: added.original)

    async def mention(self, question: str) -> Json:
        """Ask by mentioning the bot; its reply."""
        asked = await self.fake.say(self.channel, self.person(), question, mention_bot=True)
        return (await self.bot.until(lambda: self.fake.replies(asked)))[0]

    async def ask(self, question: str) -> Interaction:
        """Ask by /ask; what the bot did with it."""
        asked = await self.fake.slash(self.channel, self.person(), "ask", {"question": question})
        await self.bot.until(lambda: asked.original)
        return asked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def newsroom(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Newsroom]:
    async with FakeDiscord() as fake:
        guild = fake.add_guild("Newsroom")
        channel = fake.add_channel(guild, "general")
        admin = fake.add_member(
            guild, fake.add_user("admin"), fake.add_role(guild, "A", ADMINISTRATOR)
        )
        bot = BotProcess(tmp_path_factory.mktemp("discord") / "home", fake)
        try:
            await bot.start()
            yield Newsroom(fake, bot, guild, channel, admin)
        finally:
            await bot.close()
        # Whatever the bot asked of Discord in all these tests is part of what the fake speaks.
        assert fake.unknown_routes == []


async def test_it_logs_in_and_registers_its_commands_once(newsroom: Newsroom) -> None:
    called = [(call.method, call.path) for call in newsroom.fake.requests]
    registered = ("PUT", f"/applications/{newsroom.fake.bot}/commands")
    assert called.count(("GET", "/users/@me")) == 1
    assert called.count(registered) == 1
    names = {command["name"] for command in newsroom.fake.commands[""]}
    assert names >= {"ask", "article", "index", "help", "about", "Add story"}
    assert newsroom.fake.identifies == 1


async def test_a_story_added_as_a_file_answers_a_mention_word_for_word(newsroom: Newsroom) -> None:
    sentence = "Captain Imke Dahl steered the freighter through the strait at dawn."
    added = await newsroom.add(f"{sentence} Fog lay over the water.", source="Herald")
    reply = await newsroom.mention("Who steered the freighter through the strait?")
    assert "Captain Imke Dahl steered the freighter" in said(added)
    assert f"> {sentence}" in said(reply).replace("**", "")
    assert "**Herald**" in said(reply)
    # Its story came with a message, so the quote leads there.
    assert f"/{newsroom.guild}/{newsroom.channel}/{added['id']})" in said(reply)


async def test_a_command_is_deferred_and_then_answered_in_the_same_message(
    newsroom: Newsroom,
) -> None:
    sentence = "The observatory on Mount Tarrow sold its telescope for nine thousand crowns."
    await newsroom.add(sentence)
    asked = await newsroom.ask("What did the observatory on Mount Tarrow sell?")
    assert [kind for kind, _ in asked.callbacks] == [DEFERRED]
    assert asked.original is not None
    assert f"> {sentence}" in said(asked.original).replace("**", "")
    assert asked.followups == []


async def test_a_question_that_nothing_answers_is_refused_in_words(newsroom: Newsroom) -> None:
    reply = await newsroom.mention("Which violinist recorded the sonatas in Lisbon?")
    assert ">" not in said(reply).split("The nearest stories")[0]
    assert buttons(reply, Action.ADD_STORY)


async def test_a_button_shows_the_presser_alone_what_stands_around_a_quote(
    newsroom: Newsroom,
) -> None:
    before = "Nobody had expected the vote to be close."
    await newsroom.add(f"{before} The council of Brindle rejected the tram by one vote.")
    reply = await newsroom.mention("What did the council of Brindle reject?")
    pressed = await newsroom.fake.click(
        reply["id"], newsroom.person(), buttons(reply, Action.CONTEXT)[0]
    )
    shown = await newsroom.bot.until(lambda: pressed.original)
    assert before in said(shown)
    assert shown["flags"] & 1 << 6


async def test_a_rebuild_shows_its_progress_in_one_message_that_ends_as_done(
    newsroom: Newsroom,
) -> None:
    fake, channel, admin = newsroom.fake, newsroom.channel, newsroom.admin
    sentence = "The bakery in Fennel Street burned down on Sunday."
    await newsroom.add(sentence)
    asked = await fake.slash(channel, admin, "index rebuild")
    question = await newsroom.bot.until(lambda: asked.original)
    before = fake.messages_in(channel)
    pressed = await fake.click(question["id"], admin, buttons(question, Action.REBUILD)[0])
    message = (await newsroom.bot.until(lambda: pressed.followups))[0]
    begun = next(call.body for call in fake.requests[::-1] if call.method == "POST")
    await newsroom.bot.until(lambda: "The index was rebuilt" in said(message))
    assert "Rebuilding the index" in said(begun)
    assert "stor" in said(message)
    assert [m["id"] for m in fake.messages_in(channel) if m not in before] == [message["id"]]
    reply = await newsroom.mention("What burned down in Fennel Street?")
    assert sentence in said(reply).replace("**", "")


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_an_answer_that_discord_does_not_take_at_first_is_sent_again(
    newsroom: Newsroom, status: int
) -> None:
    fake = newsroom.fake
    sentence = f"Gate {status} of the Ossel barrage was closed by engineer Pia Holm."
    await newsroom.add(sentence)
    asked = len(fake.requests)
    fake.fail_next("POST", r"/messages$", status)
    reply = await newsroom.mention(f"Who closed gate {status} of the Ossel barrage?")
    fake.fail_next("PATCH", r"^/webhooks/.*/@original$", status)
    command = await newsroom.ask(f"Who closed gate {status} of the Ossel barrage?")
    assert command.original is not None
    for answer, ending in ((reply, "/messages"), (command.original, "/@original")):
        assert sentence in said(answer).replace("**", "")
        sent = [call.status for call in fake.requests[asked:] if call.path.endswith(ending)]
        assert sent == [status, 200]


async def test_what_is_asked_while_the_socket_is_cut_is_answered_after_the_resume(
    newsroom: Newsroom,
) -> None:
    fake = newsroom.fake
    sentence = "Judge Rowan Tell freed the smugglers of Wexcombe."
    await newsroom.add(sentence)
    before = (fake.identifies, fake.resumes)
    fake.drop_connections()
    reply = await newsroom.mention("Who freed the smugglers of Wexcombe?")
    assert sentence in said(reply).replace("**", "")
    await newsroom.bot.until(lambda: fake.resumes > before[1])
    assert (fake.identifies, fake.resumes) == (before[0], before[1] + 1)


async def test_the_command_line_works_beside_the_bot_and_ignores_the_token(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    bot, here = newsroom.bot, ("--collection", newsroom.guild)
    sentence = "Sculptor Odile Marr unveiled a bronze heron in Quillhaven."
    question = "Who unveiled a bronze heron in Quillhaven?"
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "r", "text": "The Orrick mill reopened in spring."}))
    page = tmp_path / "page.txt"
    page.write_text("The Orrick ferry was sold.\n\nNobody bought the pier.")
    before = newsroom.fake.identifies, len(newsroom.fake.requests)

    story = json.loads(await bot.command("add", "-", "--json", *here, stdin=sentence))["id"]
    answer = json.loads(await bot.command("ask", question, "--json", *here))
    told = {"add": story, "ask": answer["citations"][0]["quote"]}
    for some in (
        (["import", str(rows)], ["articles"], ["show", story], ["search", question], ["chat"]),
        (["feed", "list"], ["check"]),
        (["edit", story, "--source", "Ledger"], ["status"], ["verify"]),
        (["history", story],),
        (["rebuild"],),
        (["undo"],),
    ):
        # Side by side as well: whoever reads need not wait for whoever writes.
        runs = [bot.command(*words, *here, stdin=f"{question}\n") for words in some]
        told.update(zip((words[0] for words in some), await asyncio.gather(*runs), strict=True))
    told["extract"] = await bot.command("extract", str(page))
    told["domain"] = await bot.command("domain", "list")
    asked = newsroom.fake.identifies, len(newsroom.fake.requests)
    reply = await newsroom.mention(question)
    told["remove"] = await bot.command("remove", story, *here)
    gone = await newsroom.mention(question)

    assert told.keys() == cli.commands.keys() - {"discord", "run"}
    assert answer["citations"][0]["quote"] == sentence
    assert sentence in " ".join(told["chat"].split())
    assert "The Orrick ferry was sold." in told["extract"]
    assert "Ledger" in told["history"]
    assert sentence in said(reply).replace("**", "")
    assert "**Ledger**" in said(reply)
    assert sentence not in said(gone).replace("**", "")
    assert asked == before


async def test_the_log_is_json_with_request_ids_and_holds_no_word_and_no_token(
    newsroom: Newsroom,
) -> None:
    fake, bot = newsroom.fake, newsroom.bot
    await newsroom.add("The zeppelin Aurelia crossed the Skerrin sound.")
    written_before = len(bot.log)
    reply = await newsroom.mention("Did the zeppelin cross?")
    await fake.click(reply["id"], newsroom.person(), buttons(reply, Action.HELPFUL)[0])
    fake.fail_next("PATCH", r"^/webhooks/.*/@original$", 429)
    asked = await newsroom.ask("Which zeppelin crossed the sound?")

    def ended() -> dict[str, Json]:
        """The requests, by kind, that have ended."""
        lines = bot.log[written_before:]
        return {line["kind"]: line for line in lines if line["event"] == "request"}

    await bot.until(lambda: ended().keys() >= {"message", "button helpful", "/ask"})
    requests = ended()
    assert all(line["outcome"] == "ok" for line in requests.values())
    assert all(line["guild"] == int(newsroom.guild) for line in requests.values())
    assert requests["/ask"]["user"] == int(asked.user)
    assert len({line["request"] for line in requests.values()}) == len(requests)
    # What discord.py logs meanwhile belongs to the request too.
    limited = [line for line in bot.log[written_before:] if "rate limited" in line["event"]]
    assert [line["request"] for line in limited] == [requests["/ask"]["request"]]
    written = bot.stderr + (bot.home / "discord.log").read_text("utf-8")
    assert all(json.loads(line) for line in written.splitlines())
    for secret in ("eppelin", "Aurelia", fake.token, asked.payload["token"]):
        assert secret not in written


async def test_a_form_is_a_request_of_its_own_in_the_log(newsroom: Newsroom) -> None:
    fake, bot, person = newsroom.fake, newsroom.bot, newsroom.person()
    await newsroom.add("The Ledger was printed in Dunmere until the flood.")
    reply = await newsroom.mention("Where was the Ledger printed?")
    pressed = await fake.click(reply["id"], person, buttons(reply, Action.FOLLOW_UP)[0])
    await bot.until(lambda: pressed.modal)
    sent = await fake.submit_modal(pressed, {"question": "Until when was the Ledger printed?"})
    answer = await bot.until(lambda: sent.original)

    def outcomes() -> list[str]:
        """How what this person asked for ended, as the log has it."""
        return [r["outcome"] for r in bot.logged("request") if r["user"] == int(person)]

    assert "until the flood" in said(answer)
    await bot.until(lambda: outcomes() == ["ok", "ok"], timeout=5)
