"""What people are told when something goes wrong, and what the log has of it."""

import logging
import re
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord.http.client
from simcord import Env
from simcord.backend.errors import BackendError
from simcord.interactions import base_payload

import bot
from data.errors import UserError
from handlers import asking
from handlers.client import PullquoteClient
from handlers.layouts.layout import Action
from handlers.limits import QUESTIONS, WAITING
from handlers.logs import JsonLines
from index.answerer import Answerer
from index.encoder import Encoder
from index.encoders import Encoders
from tests.simulated.world import Server, World, buttons, said, walk

TEXT = "Ann Lee opened the bridge on Monday."
QUESTION = "Who opened the bridge?"
QUOTE = "> **Ann Lee** opened the bridge on Monday."
MESSAGES = "/channels/*/messages"
CALLBACK = "/interactions/*/callback"
ORIGINAL = "/webhooks/*/messages/@original"
STARTING = "I am just starting up. Your answer follows in a moment."
TROUBLE = "Discord has trouble at the moment. Please try again in a minute."


@pytest.fixture
def broken_gateways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers of 500 and more be what discord.py makes of them; the simulator does not.

    Nobody waits before the second attempt.
    """
    raise_for = simcord.http.client._raise_for

    def as_the_library_does(error: BackendError) -> None:
        if error.status >= 500:
            response: Any = simcord.http.client._FakeResponse(error.status)
            raise discord.DiscordServerError(response, error.to_json())
        raise_for(error)

    monkeypatch.setattr(simcord.http.client, "_raise_for", as_the_library_does)
    monkeypatch.setattr(asking, "_RETRY_AFTER", 0.0)


def bridge(world: World) -> Server:
    """Return a server with one story."""
    server = world.server()
    world.add(server.id, TEXT, source="Herald")
    return server


def written(server: Server, viewer: Any = None) -> list[str]:
    """Return what the bot said in the channel, message by message."""
    return [said(m) for m in server.channel.history(viewer=viewer) if m.author.bot]


def answers(world: World) -> int:
    """Return how many answers are remembered."""
    session = world.session(None)
    try:
        return session.memory["answers"].count
    finally:
        session.close()


def raised(world: World) -> list[BaseException]:
    """Return, and take away, what the simulator keeps of the commands that failed."""
    errors = [getattr(e, "original", e) for e in world.env._errors]
    world.env._errors.clear()
    return errors


async def test_the_author_is_told_directly_where_the_bot_may_not_write(world: World) -> None:
    server = bridge(world)
    world.env.inject_error(
        "POST", f"/channels/{server.channel.id}/messages", status=403, times=None
    )
    await server.member.send(server.channel, world.mention(QUESTION))
    assert written(server) == []
    told = server.member.user.dm_channel.last_message
    assert told is not None
    assert told.content == "Discord does not let me do that here; a permission is missing."
    assert answers(world) == 0


async def test_the_author_is_told_directly_where_the_channel_forbids_it(world: World) -> None:
    server = bridge(world)
    silent = discord.PermissionOverwrite(send_messages=False)
    channel = server.guild.create_text_channel("silent")
    bot_role = server.guild.roles["TestBot"]
    muted = server.guild.create_text_channel("muted", overwrites={bot_role: silent})
    await server.member.send(channel, world.mention(QUESTION))
    assert QUOTE in said(channel.last_message)
    await server.member.send(muted, world.mention(QUESTION))
    told = server.member.user.dm_channel.last_message
    assert told is not None
    assert "a permission is missing" in told.content


async def test_an_author_who_takes_no_direct_messages_ends_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(world)
    world.env.inject_error("POST", MESSAGES, status=403, code=50007, times=None)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert written(server) == []
    assert "nobody could be told: Forbidden" in caplog.text
    assert answers(world) == 0


async def test_a_channel_that_is_gone_ends_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(world)
    world.env.inject_error("POST", MESSAGES, status=404, code=10003, times=None)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert "nobody could be told: NotFound" in caplog.text
    assert "incident" not in caplog.text
    assert answers(world) == 0


async def test_a_question_that_is_deleted_meanwhile_is_answered_all_the_same(
    world: World,
) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    sent = [r.json for r in world.env.http_requests if r.path.endswith("/messages")]
    assert sent[-1] is not None
    assert sent[-1]["message_reference"]["fail_if_not_exists"] is False


async def test_a_command_that_discord_dropped_is_told_to_the_channel(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(world)
    world.env.inject_error("POST", CALLBACK, status=404, code=10062, times=None)
    await server.member.slash(server.channel, "ask", question=QUESTION)
    assert written(server) == [
        f"{server.member.mention} I was too late for that, and Discord has dropped it. "
        "Please try again."
    ]
    sent = world.env.http_requests[-1].json
    assert sent is not None
    assert sent["allowed_mentions"]["parse"] == []
    assert "incident" not in caplog.text
    assert answers(world) == 0
    assert len(raised(world)) == 1


async def test_a_button_that_discord_dropped_is_told_to_the_channel(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    answer = server.channel.last_message
    assert answer is not None
    world.env.inject_error("POST", CALLBACK, status=404, code=10062, times=None)
    await server.member.click(answer, label="Context")
    assert "I was too late for that" in written(server)[-1]


async def test_a_token_that_ran_out_before_the_answer_is_told_to_the_channel(
    world: World,
) -> None:
    server = bridge(world)
    world.env.inject_error("*", "/webhooks/*", status=401, code=50027, times=None)
    await server.member.slash(server.channel, "ask", question=QUESTION)
    assert "I was too late for that" in written(server)[-1]
    assert answers(world) == 0
    raised(world)


async def test_a_placeholder_that_somebody_deleted_is_told(world: World) -> None:
    server = bridge(world)
    world.env.inject_error("PATCH", ORIGINAL, status=404, code=10008, times=None)
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert result.response is not None
    assert result.response.content == "That message is no longer there."
    assert answers(world) == 0
    assert len(raised(world)) == 1


@pytest.mark.usefixtures("broken_gateways")
async def test_a_moment_of_trouble_is_waited_out(world: World) -> None:
    server = bridge(world)
    world.env.inject_error("POST", MESSAGES, status=502, times=1)
    await server.member.send(server.channel, world.mention(QUESTION))
    (answer,) = written(server)
    assert QUOTE in answer
    world.env.inject_error("PATCH", ORIGINAL, status=503, times=1)
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert QUOTE in said(result.response)
    assert answers(world) == 2


@pytest.mark.usefixtures("broken_gateways")
async def test_trouble_that_lasts_is_told_as_soon_as_anything_can_be_said(world: World) -> None:
    server = bridge(world)
    world.env.inject_error("POST", MESSAGES, status=500, times=2)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert written(server) == [TROUBLE]
    world.env.inject_error("PATCH", ORIGINAL, status=500, times=None)
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert result.response is not None
    assert result.response.content == TROUBLE  # in place of "is thinking"
    assert answers(world) == 0
    assert len(raised(world)) == 1


@pytest.mark.usefixtures("broken_gateways")
async def test_trouble_without_end_ends_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(world)
    world.env.inject_error("POST", MESSAGES, status=500, times=None)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert "nobody could be told: DiscordServerError" in caplog.text
    assert answers(world) == 0


@pytest.mark.usefixtures("broken_gateways")
async def test_typing_that_does_not_work_does_not_cost_the_answer(world: World) -> None:
    server = bridge(world)
    world.env.inject_error("POST", "/channels/*/typing", status=500, times=None)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert QUOTE in "".join(written(server))


@pytest.mark.parametrize("way", ["mention", "direct", "command", "button", "form"])
async def test_a_bug_is_told_with_the_incident_that_is_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    server = bridge(world)
    asked = await server.member.slash(server.channel, "ask", question=QUESTION, source="Herald")
    sound = asked.response
    assert sound is not None

    def broken(self: Answerer, *args: Any, **options: Any) -> None:
        raise RuntimeError("the answerer is broken")

    monkeypatch.setattr(Answerer, "answer", broken)
    result: Any = None
    if way == "mention":
        await server.member.send(server.channel, world.mention(QUESTION))
    elif way == "direct":
        await server.member.user.send_dm(QUESTION)
    elif way == "command":
        result = await server.member.slash(server.channel, "ask", question=QUESTION)
    elif way == "button":
        result = await server.member.click(sound, label="Drop")
    else:
        form = await server.member.click(sound, label="Ask a follow-up")
        result = await server.member.submit_modal(form, {"question": QUESTION})
    told = result.response if result else server.channel.last_message
    words = said(server.member.user.dm_channel.last_message if way == "direct" else told)
    found = re.fullmatch(
        r"Something went wrong inside Pullquote\. Its log has this as incident ([0-9a-f]{8})\.",
        words,
    )
    assert found is not None
    (record,) = [r for r in caplog.records if r.getMessage() == f"incident {found[1]}"]
    assert record.levelno == logging.ERROR
    line = JsonLines().format(record)
    assert "Traceback" in line
    assert "RuntimeError: the answerer is broken" in line
    assert answers(world) == 1  # the sound one
    assert {type(e) for e in raised(world)} <= {RuntimeError}


async def test_who_asks_too_fast_is_told_when_to_go_on(world: World) -> None:
    server = bridge(world)
    for _ in range(QUESTIONS):
        await server.member.send(server.channel, world.mention(QUESTION))
    assert all(QUOTE in words for words in written(server))
    await server.member.send(server.channel, world.mention(QUESTION))
    too_many = r"That is a lot of questions at once\. Ask again in \d+ seconds?\."
    assert re.fullmatch(too_many, written(server)[-1])
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert result.response is not None
    assert result.response.ephemeral
    assert re.fullmatch(too_many, result.response.content)
    assert len(raised(world)) == 1
    # Others are not kept waiting.
    await server.contributor.send(server.channel, world.mention(QUESTION))
    assert QUOTE in written(server)[-1]


async def test_a_server_with_too_many_questions_under_way_is_told_to_wait(world: World) -> None:
    server, other = bridge(world), bridge(world)
    with ExitStack() as under_way:
        for user in range(WAITING):
            under_way.enter_context(world.client.desk.limits.question(user, server.id))
        busy = "I am busy with 8 questions from here already. Ask again in a moment."
        await server.member.send(server.channel, world.mention(QUESTION))
        assert written(server) == [busy]
        result = await server.admin.slash(server.channel, "ask", question=QUESTION)
        assert result.response is not None
        assert result.response.content == busy
        assert len(raised(world)) == 1
        await other.member.send(other.channel, world.mention(QUESTION))
        assert QUOTE in written(other)[-1]
    await server.member.send(server.channel, world.mention(QUESTION))
    assert QUOTE in written(server)[-1]


async def test_more_quotes_count_as_a_question(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    answer = server.channel.last_message
    assert answer is not None
    more = buttons(answer, Action.MORE)[0]
    for _ in range(QUESTIONS - 1):
        await server.member.click(answer, custom_id=more)
    refused = await server.member.click(answer, custom_id=more)
    assert refused.response is not None
    assert "a lot of questions" in refused.response.content


async def test_an_error_while_completing_a_publisher_offers_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(world)

    def broken(guild_id: int | None) -> Any:
        raise RuntimeError("no session")

    monkeypatch.setattr(world.client._worker, "_open", broken)
    before = len(world.env.http_requests)
    choices = await server.member.autocomplete(
        server.channel, "ask", "source", "her", question=QUESTION
    )
    assert choices == []
    # Said to Discord, which would show "loading failed" otherwise.
    sent = [r.json for r in world.env.http_requests[before:]]
    kind = discord.InteractionResponseType.autocomplete_result.value
    assert sent == [{"type": kind, "data": {"choices": []}}]
    assert "RuntimeError: no session" in caplog.text


async def test_the_first_questions_of_a_new_server_may_come_all_at_once(world: World) -> None:
    # Each opens the server's databases, which are made on that occasion.
    together = threading.Barrier(4)

    def first(guild_id: int) -> None:
        together.wait()
        world.session(guild_id).close()

    with ThreadPoolExecutor(4) as people:
        for guild_id in range(900, 940):
            for asked in [people.submit(first, guild_id) for _ in range(4)]:
                asked.result()


class Loading:
    """A bot whose models are loaded once a question waits for them, and not before.

    Somebody asks as soon as the gateway is there.
    """

    def __init__(
        self,
        env: Env,
        client: PullquoteClient,
        monkeypatch: pytest.MonkeyPatch,
        asks: Callable[[], None],
    ) -> None:
        self.questions = 0
        self._env = env
        self._loaded = threading.Event()
        ready, warm_up = client._ready_to_answer, bot.Opener.warm_up
        wait = ready.wait

        def slowly(opener: bot.Opener) -> None:
            self._loaded.wait(timeout=30)
            warm_up(opener)

        async def waiting() -> Any:
            self.questions += 1
            assert not ready.is_set()
            self._loaded.set()
            return await wait()

        async def connected() -> None:
            asks()

        monkeypatch.setattr(bot.Opener, "warm_up", slowly)
        monkeypatch.setattr(ready, "wait", waiting)
        monkeypatch.setattr(client, "on_ready", connected)

    async def run(self) -> None:
        """Start the bot, and come back when everything is done that was asked of it."""
        try:
            await self._env.start()
            await self._env.settle()
        finally:
            self._loaded.set()


@pytest.fixture
async def unstarted(client: PullquoteClient, tmp_path: Path) -> AsyncIterator[World]:
    """A server with people in it, and a bot that is not there yet."""
    env = Env(client, settle_timeout=20.0)
    yield World(env, client, tmp_path)
    await env.shutdown()
    client._worker.close()
    env.raise_errors()


def sent_words(world: World) -> list[str]:
    """Return which messages were sent or changed, in order, each as one text."""
    requests = [r.json for r in world.env.http_requests if r.json and "components" in r.json]
    return [
        "\n".join(c["content"] for c in walk(r["components"]) if "content" in c) for r in requests
    ]


@pytest.mark.parametrize("direct", [False, True], ids=["mention", "direct"])
async def test_a_message_before_the_models_are_loaded_waits_and_is_told_so(
    unstarted: World, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    server, backend = unstarted.server(), unstarted.env.backend
    unstarted.add(None, TEXT)
    channel = server.member.user.dm_channel if direct else server.channel
    asked = f"<@{backend.bot_user.id}> {QUESTION}"

    def ask() -> None:
        backend.create_message(channel.id, server.member.id, asked)

    loading = Loading(unstarted.env, unstarted.client, monkeypatch, ask)
    await loading.run()
    assert loading.questions == 1
    told, answered = sent_words(unstarted)
    assert told == STARTING
    assert QUOTE in answered
    # The answer takes the place of the notice.
    assert [QUOTE in said(m) for m in channel.history()] == [False, True]


async def test_a_command_before_the_models_are_loaded_waits_and_is_told_so(
    unstarted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, backend = unstarted.server(), unstarted.env.backend
    unstarted.add(server.id, TEXT)

    def ask() -> None:
        command = backend.find_command("ask", server.id, type=1)
        assert command is not None
        option = {"name": "question", "type": 3, "value": QUESTION}
        _, payload = base_payload(
            backend,
            type=2,
            channel_id=server.channel.id,
            guild_id=server.id,
            user_id=server.member.id,
            data={"id": command["id"], "name": "ask", "type": 1, "options": [option]},
        )
        backend.emit("INTERACTION_CREATE", payload)

    loading = Loading(unstarted.env, unstarted.client, monkeypatch, ask)
    await loading.run()
    assert loading.questions == 1
    told, answered = sent_words(unstarted)
    assert told == STARTING
    assert QUOTE in answered
    assert [QUOTE in words for words in written(server)] == [True]


async def test_models_that_cannot_be_loaded_leave_no_question_waiting(
    unstarted: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = bridge(unstarted)

    def broken(self: Encoders, name: str) -> Encoder:
        raise UserError("The encoder's weights are not there.")

    monkeypatch.setattr(Encoders, "get", broken)
    await unstarted.env.start()
    await server.member.send(server.channel, unstarted.mention(QUESTION))
    assert written(server) == ["The encoder's weights are not there."]
    assert "background work failed" in caplog.text
    assert {type(e) for e in raised(unstarted)} <= {UserError}
