"""Earlier answers that cannot be edited, or not yet: what is tried again, and what is let be."""

import logging
import math
import re
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import discord
import pytest

from data.answers import StandingQuote
from data.database import write
from handlers import marking, schedule
from handlers.layouts import marks as marks_module
from handlers.layouts.layout import Action
from handlers.services import Services
from tests.simulated.newsstand import mark
from tests.simulated.test_answer_buttons import (
    FIRST,
    QUESTION,
    TEXT,
    answer_id,
    ask,
    is_remembered,
    press,
)
from tests.simulated.test_corrections import NO_LONGER, STILL, edits, marks, now, parts
from tests.simulated.world import Server, World, said

URL = "https://example.org/bridge"
LATER = TEXT.replace("Monday", "Friday")


async def answered(world: World) -> tuple[Server, discord.Message]:
    """Return a server, and an answer there to a question about its story."""
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    return server, await ask(world, server)


def change(world: World, server: Server, text: str = LATER) -> None:
    """Store another version, as the command line beside the bot does."""
    world.add(server.id, text, url=URL)
    world.env.http_requests.clear()


def asked(world: World) -> int:
    """Return the number of requests since the story changed, and count anew."""
    number = len(world.env.http_requests)
    world.env.http_requests.clear()
    return number


def is_lost(world: World, answer: Any) -> bool:
    """Return whether the bot knows that it can no longer edit an answer."""
    with closing(world.session(None)) as session:
        found = session.memory.query("SELECT lost FROM answers WHERE id = ?", [answer_id(answer)])
        return bool(next(iter(found))["lost"])


async def test_what_another_process_changed_is_noticed_at_the_next_tick(world: World) -> None:
    server, answer = await answered(world)
    change(world, server)
    assert marks(now(world, answer)) == [None]
    await world.env.advance_time(schedule._TICK + 1)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert asked(world) == 2
    await world.env.advance_time(3 * schedule._TICK)
    assert asked(world) == 0, "it is said once"


async def test_what_changed_while_the_bot_was_away_is_said_when_it_is_back(world: World) -> None:
    server, answer = await answered(world)
    change(world, server)
    await world.restart()
    await world.env.advance_time(schedule._TICK + 1)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


async def test_a_private_answer_stays_and_its_button_tells(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, private=True)
    answer = result.response
    assert answer is not None
    # Discord does not hand out what one person alone sees.
    world.env.inject_error("GET", "*/messages/*", status=404, code=10008, times=None)
    change(world, server)
    await mark(world)
    assert is_lost(world, answer)
    assert FIRST in said(answer).replace("*", "")
    assert re.search(NO_LONGER, said(await press(server.member, answer, Action.CONTEXT)))
    change(world, server, f"{TEXT} And more.")
    await mark(world)
    assert asked(world) == 0
    assert re.search(STILL, said(await press(server.member, answer, Action.CONTEXT)))


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        pytest.param("GET", 404, 10008, id="the message is gone"),
        pytest.param("GET", 404, 10003, id="the channel is gone"),
        pytest.param("GET", 403, 50001, id="the channel is hidden from the bot"),
        pytest.param("PATCH", 404, 10008, id="gone between the two requests"),
        pytest.param("PATCH", 403, 50013, id="may not be edited"),
        pytest.param("PATCH", 403, 50005, id="is not the bot's own"),
    ],
)
async def test_an_answer_that_is_out_of_reach_is_let_be(
    world: World, method: str, status: int, code: int
) -> None:
    server, answer = await answered(world)
    second = await ask(world, server)
    path = f"/channels/*/messages/{answer.id}"
    world.env.inject_error(method, path, status=status, code=code, times=None)
    change(world, server)
    await mark(world)
    assert is_lost(world, answer)
    assert marks(now(world, second)) != [None], "the other one is edited all the same"
    asked(world)
    change(world, server, f"{TEXT} And more.")
    await mark(world)
    assert {r.path for r in world.env.http_requests} == {
        f"/channels/{server.channel.id}/messages/{second.id}"
    }
    assert re.search(STILL, said(await press(server.member, answer, Action.CONTEXT)))


async def test_an_answer_in_a_channel_that_was_deleted_is_let_be(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    doomed = server.guild.create_text_channel("doomed")
    await server.member.send(doomed, world.mention(QUESTION))
    answer = doomed.last_message
    assert answer is not None
    world.env.backend.delete_channel(doomed.id)
    await world.env.settle()
    change(world, server)
    await mark(world)
    assert is_lost(world, answer)


async def test_an_answer_in_a_channel_that_the_bot_may_not_read_is_let_be(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    blind = discord.PermissionOverwrite(read_message_history=False)
    channel = server.guild.create_text_channel(
        "blind", overwrites={server.guild.roles["TestBot"]: blind}
    )
    await server.member.send(channel, world.mention(QUESTION))
    answer = channel.last_message
    assert answer is not None
    assert FIRST in said(answer).replace("*", "")
    change(world, server)
    await mark(world)
    assert is_lost(world, answer)
    assert edits(world) == []


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_trouble_at_discords_end_is_tried_again_at_the_next_tick(
    world: World, method: str, status: int
) -> None:
    server, answer = await answered(world)
    world.env.inject_error(method, f"/channels/*/messages/{answer.id}", status=status)
    change(world, server)
    await mark(world)
    assert marks(now(world, answer)) == [None]
    assert not is_lost(world, answer)
    assert asked(world) <= 2, "not again at once"
    await world.env.advance_time(schedule._TICK + 1)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


async def test_an_answer_that_is_removed_meanwhile_comes_to_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server, answer = await answered(world)

    def removed_meanwhile(*given: Any) -> Any:
        world.env.backend.delete_message(server.channel.id, answer.id)
        return marks_module.marked_layout(*given)

    monkeypatch.setattr(marking, "marked_layout", removed_meanwhile)
    change(world, server)
    with caplog.at_level(logging.WARNING):
        await mark(world)
    assert not is_remembered(world, answer_id(answer))
    assert caplog.text == ""
    assert answer.id not in [m.id for m in server.channel.history()]
    asked(world)
    await mark(world)
    assert asked(world) == 0


async def test_of_very_many_answers_some_are_edited_at_each_tick(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    people = [server.guild.add_member(world.env.create_user(f"reader{n}")) for n in range(5)]
    answers = []
    for person in people * 5:
        await person.send(server.channel, world.mention(QUESTION))
        answers.append(server.channel.last_message)
    assert all(answer is not None and answer.author.bot for answer in answers)
    change(world, server)
    counts = []
    for _ in range(3):
        await mark(world)
        counts.append(len(edits(world)))
        world.env.http_requests.clear()
    assert counts == [20, 5, 0]
    for answer in answers:
        assert answer is not None
        assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(400, 50083, id="in a thread that was archived"),
        pytest.param(400, 50035, id="refused by its form"),
        pytest.param(500, 0, id="trouble that stays"),
    ],
)
async def test_an_answer_that_cannot_be_edited_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    monkeypatch.setattr(marking, "_MOST_EDITS", 2)
    server, first = await answered(world)
    stuck = [first, await ask(world, server)]
    free = await ask(world, server)
    for answer in stuck:
        path = f"/channels/*/messages/{answer.id}"
        world.env.inject_error("PATCH", path, status=status, code=code, times=None)
    change(world, server)
    for _ in range(4):
        await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, free))[0] or "")


async def test_an_answer_that_discord_refuses_is_not_tried_again_for_ever(world: World) -> None:
    server, answer = await answered(world)
    path = f"/channels/*/messages/{answer.id}"
    world.env.inject_error("PATCH", path, status=400, code=50083, times=None)
    change(world, server)
    for _ in range(3):
        await mark(world)
    asked(world)
    await world.env.advance_time(3 * schedule._TICK + 1)
    assert asked(world) == 0


async def test_a_damaged_collection_does_not_hold_up_another(world: World) -> None:
    server, answer = await answered(world)
    other = world.server("Other")
    world.add(other.id, TEXT, url=URL)
    theirs = await ask(world, other)
    with closing(world.session(server.id)) as session:
        db = session.writable.db
        db.conn.execute("UPDATE revisions SET text = text || '!'")
        db.conn.commit()
    world.add(other.id, LATER, url=URL)
    await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, theirs))[0] or "")
    assert parts(now(world, answer)) == parts(answer)


# --- one quote or answer that makes trouble


MISSING = "⚠️ I no longer have the version that was quoted, so I cannot check the quote."


def restore(world: World, server: Server) -> None:
    """Put a collection back to its first version, as a backup of then does."""
    with closing(world.session(server.id)) as session:
        db = session.writable.db
        with write(db):
            db.execute("UPDATE articles SET revision_id = 1")
            db.execute("DELETE FROM revisions WHERE id > 1")
            db.execute("DELETE FROM sqlite_sequence WHERE name = 'revisions'")
            db.execute("UPDATE state SET value = value + 1")


async def two_servers(world: World) -> list[tuple[Server, discord.Message]]:
    """Return two servers, the second one's story quoted in its second version in both."""
    made = []
    for server in (world.server("A"), world.server("B")):
        world.add(server.id, "Rain fell all day long.", url=URL)
        world.add(server.id, TEXT, url=URL)
        made.append((server, await ask(world, server)))
    return made


async def test_a_backup_without_the_quoted_version_does_not_hold_up_another_server(
    world: World,
) -> None:
    (server, answer), (other, theirs) = await two_servers(world)
    restore(world, server)
    change(world, other)
    await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, theirs))[0] or "")
    assert marks(now(world, answer)) == [MISSING]
    assert FIRST in said(now(world, answer)).replace("*", "")
    assert said(await press(server.member, answer, Action.CONTEXT)) == MISSING


async def test_another_text_with_the_number_of_the_quoted_one_is_never_shown_as_the_quote(
    world: World,
) -> None:
    server = world.server()
    world.add(server.id, "Rain fell all day long.", url=URL)
    world.add(server.id, TEXT, url=URL)
    answer = await ask(world, server)
    restore(world, server)
    change(world, server, "Ann Lee was never at the bridge on Monday. Nobody opened it.")
    await mark(world)
    assert marks(now(world, answer)) == [MISSING]
    assert FIRST in said(now(world, answer)).replace("*", "")
    assert said(await press(server.member, answer, Action.CONTEXT)) == MISSING


async def test_a_message_that_brings_up_a_mistake_of_ours_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (server, answer), (other, theirs) = await two_servers(world)
    second = await ask(world, server)

    def mistaken(message: discord.Message, *rest: Any) -> Any:
        if message.id == answer.id:
            raise IndexError("a mistake")
        return marks_module.marked_layout(message, *rest)

    monkeypatch.setattr(marking, "marked_layout", mistaken)
    change(world, server)
    change(world, other)
    await mark(world)
    for message in (second, theirs):
        assert re.fullmatch(NO_LONGER, marks(now(world, message))[0] or "")
    assert marks(now(world, answer)) == [None]
    assert not is_lost(world, answer)
    monkeypatch.setattr(marking, "marked_layout", marks_module.marked_layout)
    await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


async def test_a_quote_that_brings_up_a_mistake_of_ours_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, first = await answered(world)
    answers = [first, *[await ask(world, server) for _ in range(4)]]
    real, bad = marking._marked, answer_id(answers[2])

    def mistaken(services: Services, quote: StandingQuote, *rest: Any) -> Any:
        if quote.answer_id == bad:
            raise IndexError("a mistake")
        return real(services, quote, *rest)

    monkeypatch.setattr(marking, "_marked", mistaken)
    change(world, server)
    await mark(world)
    assert [marks(now(world, a)) == [None] for a in answers] == [False, False, True, False, False]
    asked(world)
    await mark(world)
    assert asked(world) == 0


async def test_an_altered_quote_does_not_hold_up_another_one_of_its_collection(
    world: World,
) -> None:
    server, answer = await answered(world)
    world.add(server.id, "Cid Moe sank the ferry on Sunday.", url="https://example.org/ferry")
    altered = await ask(world, server, "Who sank the ferry on Sunday?")
    with closing(world.session(server.id)) as session:
        db = session.writable.db
        with write(db):
            db.execute("UPDATE revisions SET text = text || '!' WHERE text LIKE '%ferry%'")
    change(world, server)
    await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert parts(now(world, altered)) == parts(altered)


# --- what is tried again, and when


class Clock:
    """The time by which the bot waits before it tries again; a test moves it on."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._world = world
        monkeypatch.setattr(world.client.schedule._marking, "_clock", lambda: self.now)

    async def tries(self, waits: Sequence[float]) -> list[int]:
        """Return how many requests each look at the answers makes, after waiting that long."""
        found = []
        for seconds in waits:
            self.now += seconds
            asked(self._world)
            await mark(self._world)
            found.append(asked(self._world))
        return found


async def test_an_answer_in_an_archived_thread_is_marked_when_the_thread_is_open_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(world, monkeypatch)
    server, first = await answered(world)
    await server.member.click(first, label="Open a thread")
    (thread,) = server.channel.threads
    await server.member.send(thread, world.mention(QUESTION))
    answer = thread.last_message
    assert answer is not None
    path = f"/channels/*/messages/{answer.id}"
    world.env.inject_error("PATCH", path, status=400, code=50083, times=2)
    change(world, server)
    assert await clock.tries([0, 30, 30, 1200]) == [4, 0, 0, 2]
    assert marks(now(world, answer)) == [None]
    assert not is_lost(world, answer)
    assert await clock.tries([600, 1800, 6 * 3600]) == [0, 2, 0]
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert not [r for r in world.env.http_requests if r.path == f"/channels/{thread.id}"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 0), (403, 0), (404, 0), (403, 40333), (409, 0), (418, 0)],
)
async def test_what_does_not_say_that_an_answer_is_gone_is_tried_again_with_longer_waits(
    world: World, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    clock = Clock(world, monkeypatch)
    server, answer = await answered(world)
    path = f"/channels/*/messages/{answer.id}"
    world.env.inject_error("GET", path, status=status, code=code, times=4)
    change(world, server)
    # once more at once, then after one minute, two, four, ...
    assert await clock.tries([0, 1, 1, 60, 60, 61]) == [1, 1, 0, 1, 0, 1]
    assert not is_lost(world, answer)
    assert await clock.tries([120, 121]) == [0, 2]
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


async def test_a_message_that_discord_does_not_take_is_let_be_until_there_is_another_mark(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(world, monkeypatch)
    server, answer = await answered(world)
    path = f"/channels/*/messages/{answer.id}"
    world.env.inject_error("PATCH", path, status=400, code=50035, times=marking._MOST_REFUSALS)
    change(world, server)
    tries = await clock.tries([0.0, *[24 * 3600.0] * (marking._MOST_REFUSALS + 3)])
    assert tries == [2] * marking._MOST_REFUSALS + [0] * 4
    assert not is_lost(world, answer)
    change(world, server, f"{TEXT} And more.")
    assert await clock.tries([0]) == [2]
    assert re.fullmatch(STILL, marks(now(world, answer))[0] or "")


@pytest.mark.parametrize("outcome", [o for o in marking._Outcome if o.value])
def test_waits_grow_to_a_bound(outcome: marking._Outcome) -> None:
    waits = [marking._next_try(0.0, outcome, times) for times in range(1, 40)]
    assert waits == sorted(waits)
    longest = waits[-1]
    refused = outcome is marking._Outcome.REFUSED
    assert longest == (math.inf if refused else marking._LONGEST_WAIT)


@pytest.mark.parametrize("late", [0.0, 1.0, 500.0, 600.0])
def test_long_waits_end_together(late: float) -> None:
    ends = [marking._next_try(late, marking._Outcome.ARCHIVED, times) for times in (1, 2, 3)]
    assert all(end % marking._TOGETHER == 0 for end in ends)
    assert all(end >= late + 600 * 2**n for n, end in enumerate(ends))
