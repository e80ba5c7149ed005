"""/index: what is stored, rebuilding beside the questions, checking, and going back."""

import asyncio
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any

import discord
import pytest
from filelock import FileLock
from simcord.results import InteractionResult

from bot import Opener
from data.builds import Build, BuildState, BuildStore
from data.database import write
from data.guilds import RunningRebuild
from handlers.layouts.layout import Action
from handlers.services import Session
from handlers.worker import Lane, Worker
from index.encoders import DEFAULT_ENCODER
from tests.fakes import HashEncoder
from tests.simulated.test_rights import press
from tests.simulated.test_stories import TEXT, answered, refused, stories
from tests.simulated.world import Server, World, buttons, labels, said

QUESTION = "Who opened the bridge?"
QUOTE = "> **Ann Lee** opened the bridge on Monday."
# Longer than the simulation waits for a timer by itself, so that a test says when it is time.
EDIT_SECONDS = 60.0


def encoder_of(world: World) -> HashEncoder:
    opener = world.client._opening
    assert isinstance(opener, Opener)
    encoder = opener.encoders.get(DEFAULT_ENCODER)
    assert isinstance(encoder, HashEncoder)
    return encoder


class Hold:
    """Stops rebuilds each time before they encode, until they are let go on.

    The simulation waits for the bot's threads, and would for ever for one that is held: so the
    lane of rebuilds runs out of its sight meanwhile, and `ended` waits for it instead.
    """

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self._reached = threading.Semaphore(0)
        self._let_go = threading.Semaphore(0)
        self._open = False
        self._running: set[asyncio.Future[Any]] = set()
        real = Worker.run

        async def run(
            worker: Worker,
            guild_id: int | None,
            job: Callable[[Session], Any],
            *,
            lane: Lane = Lane.QUICK,
        ) -> Any:
            if lane is not Lane.REBUILD:
                return await real(worker, guild_id, job, lane=lane)

            def work() -> Any:
                with closing(worker._open(guild_id)) as session:
                    return job(session)

            loop = asyncio.get_running_loop()
            future = contextvars.Context().run(loop.run_in_executor, worker._lanes[lane], work)
            self._running.add(future)
            return await world.env.external_wait(future, reason="a rebuild that a test holds")

        monkeypatch.setattr(Worker, "run", run)

    def attach(self) -> None:
        """Hold what the present bot encodes, too, after a restart."""
        encoder_of(self.world).before_encoding = self._hold

    def _hold(self) -> None:
        if threading.current_thread().name.startswith("rebuild") and not self._open:
            self._reached.release()
            self._let_go.acquire()

    async def reached(self) -> None:
        """Wait until a rebuild is about to encode."""
        await asyncio.to_thread(self._reached.acquire)

    async def step(self) -> None:
        """Let it encode what is at hand, and wait until it is about to go on."""
        self._let_go.release()
        await self.reached()

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._open = True
        self._let_go.release(1000)

    def again(self) -> None:
        """Hold what is encoded from now on."""
        self._let_go = threading.Semaphore(0)
        self._reached = threading.Semaphore(0)
        self._open = False

    async def ended(self) -> None:
        """Let it go on to its end, and wait until the bot has told everybody."""
        self.let_go()
        while self._running:
            await asyncio.wait({self._running.pop()})
        await self.world.env.settle()


@pytest.fixture
async def hold(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hold]:
    """Rebuilds that go story by story and only as far as a test lets them."""
    monkeypatch.setattr("index.building.BATCH_STORIES", 1)
    monkeypatch.setattr("handlers.rebuilds._EDIT_SECONDS", EDIT_SECONDS)
    made = Hold(world, monkeypatch)
    made.attach()
    yield made
    await made.ended()


def build_of(
    world: World, guild_id: int | None, state: BuildState = BuildState.LIVE
) -> Build | None:
    session = world.session(guild_id)
    with closing(session):
        return BuildStore((session.own or session.shared).db).get(state)


def live_id(world: World, guild_id: int | None) -> int:
    build = build_of(world, guild_id)
    assert build is not None
    return build.id


def damage(world: World, guild_id: int, sql: str) -> None:
    """Change a server's database behind the bot's back."""
    with closing(world.session(guild_id)) as session, write(session.writable.db):
        session.writable.db.execute(sql)


def full(world: World, count: int = 3) -> Server:
    """Return a server with some stories."""
    server = world.server()
    world.add(server.id, TEXT, title="Bridge", source="Herald")
    for number in range(1, count):
        world.add(server.id, f"The toll of road {number} was raised.", title=f"Toll {number}")
    return server


async def confirmed(server: Server, kind: str = "rebuild") -> InteractionResult:
    """Ask for a rebuild and say yes."""
    asked = await server.admin.slash(server.channel, f"index {kind}")
    label = {"rebuild": "Rebuild", "undo": "Go back"}[kind]
    return await server.admin.click(answered(asked), label=label)


def progress(server: Server) -> discord.Message:
    """Return the message that shows the progress, which everybody in the channel sees."""
    message = server.channel.last_message
    assert message is not None
    return message


async def asked(world: World, server: Server, question: str = QUESTION) -> str:
    """Return what the bot answers to a question."""
    result = await server.member.slash(server.channel, "ask", question=question, private=True)
    return said(answered(result))


# --- status


async def test_status_tells_what_is_stored_and_how_it_is(world: World) -> None:
    server = full(world)
    world.add(server.id, "The mayor spoke.", title="Mayor", source="Post", date="2025-06-01")
    result = await server.admin.slash(server.channel, "index status")
    assert answered(result).ephemeral
    words = said(answered(result))
    assert "**Stories:** 4, in 4 versions and 4 passages" in words
    assert "**Newest story:** **“Mayor”**\n-# Post · 1 June 2025" in words
    assert " kB stories, " in words
    assert f"**Encoder:** {DEFAULT_ENCODER} (hashed words)" in words.replace("\\", "")
    assert "**Votes:** 0 helpful, 0 not helpful" in words
    assert "**Health:** everything is in order" in words


async def test_status_of_an_empty_server_is_no_error(world: World) -> None:
    server = world.server()
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "**Stories:** 0, in 0 versions and 0 passages" in words
    assert "none yet" in words
    assert "**Index made:** not yet" in words
    assert "Newest story" not in words


async def test_status_says_when_the_index_was_made_last(world: World) -> None:
    server = full(world)
    damage(world, server.id, "UPDATE builds SET created_at = '2024-10-25T12:00:00+00:00'")
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "**Index made:** <t:1729857600:f>" in words
    await confirmed(server)
    damage(world, server.id, "UPDATE builds SET finished_at = '2025-10-25T12:00:00+00:00'")
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "**Index made:** <t:1761393600:f>" in words


async def test_status_counts_the_votes_of_this_server_alone(world: World) -> None:
    server, other = full(world), world.server("Other")
    world.add(other.id, TEXT)
    for place, label in ((server, "Helpful"), (other, "Not helpful")):
        await place.member.send(place.channel, world.mention(QUESTION))
        await place.member.click(progress(place), label=label)
        await place.contributor.click(progress(place), label=label)
    await server.contributor.click(progress(server), label="Not helpful")  # a change of mind
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "**Votes:** 1 helpful, 1 not helpful" in words


async def test_status_tells_what_is_not_in_order(world: World) -> None:
    server = full(world)
    with closing(world.session(server.id)) as session:
        session.writable.collection.index_file.write_bytes(b"no index")
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "The index file is not usable" in words
    assert "everything is in order" not in words


# --- rebuilding


async def test_a_rebuild_is_asked_about_and_can_be_left(world: World) -> None:
    server = full(world)
    before = live_id(world, server.id)
    result = await server.admin.slash(server.channel, "index rebuild")
    assert answered(result).ephemeral
    assert "Rebuild the index of 3 stories?" in said(answered(result))
    await server.admin.click(answered(result), label="Leave it")
    assert said(answered(result)) == "Nothing was changed."
    assert live_id(world, server.id) == before


async def test_a_rebuild_ends_in_a_new_index_and_a_message_that_says_so(world: World) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
    assert labels(progress(server)) == []
    assert live_id(world, server.id) > before
    assert QUOTE in await asked(world, server)
    with closing(world.session(server.id)) as session:
        assert session.guilds.rebuilds() == []


async def test_the_progress_is_shown_in_one_message_that_is_edited(
    world: World, hold: Hold
) -> None:
    server = full(world)
    await confirmed(server)
    await hold.reached()
    message = progress(server)
    assert "### Rebuilding the index\n`░░░░░░░░░░░░░░░░` 0 of 3 stories" in said(message)
    assert labels(message) == ["Cancel"]
    for done, bar in ((1, "█████░░░░░░░░░░░"), (2, "███████████░░░░░")):
        await hold.step()
        await world.env.advance_time(EDIT_SECONDS)
        assert progress(server).id == message.id
        assert f"`{bar}` {done} of 3 stories" in said(progress(server))
    await hold.ended()
    assert progress(server).id == message.id
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))


async def test_questions_are_answered_from_the_old_index_meanwhile(
    world: World, hold: Hold
) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    await hold.reached()
    assert QUOTE in await asked(world, server)
    assert live_id(world, server.id) == before
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "A rebuild is under way" in words
    await hold.ended()
    assert live_id(world, server.id) > before


async def test_what_changes_during_a_rebuild_is_in_the_new_index(world: World, hold: Hold) -> None:
    server = full(world)
    await confirmed(server)
    await hold.reached()
    world.add(server.id, "Bo Ek closed the museum on Friday.", title="Museum")
    removed = next(s for s in stories(world, server.id) if s.attribution.title == "Toll 1")
    with closing(world.session(server.id)) as session:
        session.writable.indexer.remove(removed.article_id)
    await hold.ended()
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
    assert "> **Bo Ek** closed the museum" in await asked(world, server, "Who closed the museum?")
    words = said(answered(await server.admin.slash(server.channel, "index verify")))
    assert "Everything is in order" in words


async def test_one_rebuild_at_a_time(world: World, hold: Hold) -> None:
    server = full(world)
    early = await server.admin.slash(server.channel, "index rebuild")
    await confirmed(server)
    await hold.reached()
    message = progress(server)
    words = "The index is being rebuilt already; one at a time."
    for kind in ("rebuild", "undo"):
        assert refused(await server.admin.slash(server.channel, f"index {kind}")) == words
    late = await server.admin.click(answered(early), label="Rebuild")
    assert refused(late) == words
    assert progress(server).id == message.id
    await hold.ended()
    assert "was rebuilt" in said(progress(server))


async def test_two_who_say_yes_at_once_start_one_rebuild_and_leave_no_dead_message(
    world: World, hold: Hold
) -> None:
    server = full(world)
    dialogs = [await server.admin.slash(server.channel, "index rebuild") for _ in range(2)]
    clicks = []
    for dialog in dialogs:  # both arrive before either is answered
        [forged] = buttons(answered(dialog), Action.REBUILD)
        clicks.append(
            asyncio.ensure_future(press(server.admin, server.channel, answered(dialog), forged))
        )
    await asyncio.gather(*clicks)
    await hold.reached()
    await hold.ended()
    shown = [said(m) for m in server.channel.history()]
    assert [words for words in shown if "### Rebuilding the index" in words] == []
    assert len([words for words in shown if "was rebuilt" in words]) == 1


async def test_a_cancelled_rebuild_leaves_the_old_index_in_use(world: World, hold: Hold) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    await hold.reached()
    await hold.step()
    pressed = await server.admin.click(progress(server), label="Cancel")
    assert "I stop after the stories at hand." in said(answered(pressed))
    await hold.ended()
    assert "**Cancelled.** The old index stays in use." in said(progress(server))
    assert labels(progress(server)) == []
    assert live_id(world, server.id) == before
    assert QUOTE in await asked(world, server)
    with closing(world.session(server.id)) as session:
        assert session.guilds.rebuilds() == []


async def test_the_next_rebuild_goes_on_where_a_cancelled_one_stopped(
    world: World, hold: Hold
) -> None:
    server = full(world)
    await confirmed(server)
    await hold.reached()
    await hold.step()
    await server.admin.click(progress(server), label="Cancel")
    await hold.ended()
    encoded = len(encoder_of(world).encoded)
    await confirmed(server)
    await hold.ended()
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
    assert len(encoder_of(world).encoded) - encoded == 1


async def test_there_may_be_nothing_to_cancel(world: World) -> None:
    server = full(world)
    await confirmed(server)
    [message] = [m for m in (progress(server),) if "was rebuilt" in said(m)]
    pressed = await press(server.admin, server.channel, message, "pq:cancel")
    assert said(answered(pressed)) == "Nothing is being rebuilt now."


async def test_a_rebuild_that_waits_for_another_servers_can_be_cancelled(
    world: World, hold: Hold
) -> None:
    server, other = full(world), world.server("Other")
    world.add(other.id, TEXT)
    await confirmed(server)
    await hold.reached()
    await confirmed(other)
    assert "0 of 1 story" in said(progress(other))
    await other.admin.click(progress(other), label="Cancel")
    assert "**Cancelled.**" in said(progress(other))
    await hold.ended()
    assert "was rebuilt" in said(progress(server))


async def test_checking_does_not_wait_for_a_rebuild(world: World, hold: Hold) -> None:
    server, other = full(world), world.server("Other")
    await confirmed(server)
    await hold.reached()
    for place in (server, other):
        result = await place.admin.slash(place.channel, "index verify")
        assert not result.deferred
    await hold.ended()


async def test_a_rebuild_whose_message_is_gone_goes_on_all_the_same(
    world: World, hold: Hold
) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    await hold.reached()
    await server.admin.delete(progress(server))
    await hold.step()
    await world.env.advance_time(EDIT_SECONDS)
    await hold.ended()
    assert live_id(world, server.id) > before
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "everything is in order" in words


async def test_the_end_is_told_in_a_channel_that_the_bot_cannot_see(world: World) -> None:
    """Commands work there, but Discord lets the bot edit its message only by the command."""
    server = full(world)
    unseen = discord.PermissionOverwrite(view_channel=False)
    hidden = server.guild.create_text_channel(
        "board", overwrites={server.guild.default_role: unseen}
    )
    asked = await server.admin.slash(hidden, "index rebuild")
    await server.admin.click(answered(asked), label="Rebuild")
    shown = "\n".join(said(m) for m in hidden.history(viewer=server.admin))
    assert "was rebuilt" in shown


async def test_another_process_that_rebuilds_is_told_about(world: World) -> None:
    server = full(world)
    before = live_id(world, server.id)
    with closing(world.session(server.id)) as session:
        lock = FileLock(session.writable.collection.rebuild_lock_file)
    with lock:
        await confirmed(server)
    assert "This collection is being rebuilt already" in said(progress(server))
    assert "The old index stays in use." in said(progress(server))
    assert live_id(world, server.id) == before


async def test_a_rebuild_that_fails_gives_an_incident_that_is_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the encoder broke")

    server = full(world)
    before = live_id(world, server.id)
    encoder_of(world).before_encoding = fail
    with caplog.at_level(logging.ERROR):
        await confirmed(server)
    words = said(progress(server))
    assert "Something went wrong inside Pullquote." in words
    assert "the encoder broke" not in words
    assert "The old index stays in use." in words
    incident = words.split("incident ")[1].split(".")[0]
    assert f"incident {incident}" in caplog.text
    assert live_id(world, server.id) == before
    encoder_of(world).before_encoding = None
    await confirmed(server)  # and nothing is left behind that is in the way of the next
    assert "was rebuilt" in said(progress(server))


# --- restarts


async def stopped(world: World, hold: Hold) -> None:
    """Stop the bot as SIGTERM does, while a rebuild is held, and start it again."""
    stopping = asyncio.ensure_future(world.client.stop())
    while not world.client.desk.requests._stopping:
        await asyncio.sleep(0)
    hold.let_go()
    await stopping
    await world.restart()


async def test_a_restart_interrupts_a_rebuild_and_goes_on_in_the_same_message(
    world: World, hold: Hold
) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    await hold.reached()
    await hold.step()
    message = progress(server)
    await stopped(world, hold)
    await hold.ended()
    assert progress(server).id == message.id
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
    assert live_id(world, server.id) > before
    shown = [r for r in world.env.http_requests if r.path.endswith(f"/messages/{message.id}")]
    assert any("**Interrupted:**" in str(r.json) for r in shown)
    with closing(world.session(server.id)) as session:
        assert session.guilds.rebuilds() == []


async def test_a_rebuild_whose_process_was_killed_is_taken_up_by_the_next(world: World) -> None:
    server = full(world)
    before = live_id(world, server.id)
    await confirmed(server)
    message = progress(server)
    now = live_id(world, server.id)
    rebuild = RunningRebuild(server.id, server.channel.id, message.id, "rebuild", now)
    with closing(world.session(server.id)) as session:
        session.guilds.rebuild_begins(rebuild)
    await world.restart()
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
    assert progress(server).id == message.id
    assert live_id(world, server.id) > before + 1
    with closing(world.session(server.id)) as session:
        assert session.guilds.rebuilds() == []


async def test_an_undo_that_was_done_when_its_process_was_killed_is_not_done_again(
    world: World,
) -> None:
    server = full(world)
    first = live_id(world, server.id)
    await confirmed(server)
    rebuilt = live_id(world, server.id)
    await confirmed(server, "undo")
    message = progress(server)
    undo = RunningRebuild(server.id, server.channel.id, message.id, "undo", rebuilt)
    with closing(world.session(server.id)) as session:
        session.guilds.rebuild_begins(undo)
    await world.restart()
    assert live_id(world, server.id) == first
    assert "is in use again" in said(progress(server))


async def test_a_stop_just_as_a_rebuild_is_done_does_not_begin_it_again(
    world: World, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back a second time would go forward again."""
    server = full(world)
    first = live_id(world, server.id)
    hold.let_go()
    await confirmed(server)
    await hold.ended()
    assert live_id(world, server.id) != first
    switched, go_on = threading.Event(), threading.Event()

    def hold_at_the_end(indexer: Any) -> None:
        switched.set()
        go_on.wait()

    monkeypatch.setattr("index.indexer.Indexer._refresh", hold_at_the_end)
    await confirmed(server, "undo")
    await asyncio.to_thread(switched.wait)
    stopping = asyncio.ensure_future(world.client.stop())
    while not world.client.desk.requests._stopping:
        await asyncio.sleep(0)
    go_on.set()
    await stopping
    await world.restart()
    await hold.ended()
    assert live_id(world, server.id) == first
    assert "is in use again" in said(progress(server))


# --- verify


async def test_verify_finds_everything_in_order(world: World) -> None:
    server = full(world)
    result = await server.admin.slash(server.channel, "index verify")
    assert answered(result).ephemeral
    words = said(answered(result))
    assert "3 stories, 3 passages; 3 vectors encoded again." in words
    assert "✅ Everything is in order." in words
    assert "⚠️" not in words


async def test_verify_names_damage_and_changes_nothing(world: World) -> None:
    server = full(world)
    damage(world, server.id, "UPDATE revisions SET text = text || '!' WHERE id = 1")
    for _ in range(2):
        words = said(answered(await server.admin.slash(server.channel, "index verify")))
        assert "⚠️ The text of revision(s) 1 no longer matches its hash." in words
        assert "Everything is in order" not in words


async def test_verify_of_an_empty_server_is_no_error(world: World) -> None:
    server = world.server()
    words = said(answered(await server.admin.slash(server.channel, "index verify")))
    assert "0 stories, 0 passages" in words
    assert "✅ Everything is in order." in words


# --- going back


async def test_undo_goes_back_without_what_was_removed_and_with_what_was_added(
    world: World,
) -> None:
    server = full(world)
    first = live_id(world, server.id)
    await confirmed(server)
    bridge = next(s for s in stories(world, server.id) if s.attribution.title == "Bridge")
    await server.contributor.slash(server.channel, "article remove", article=bridge.article_id)
    with closing(world.session(server.id)) as session:
        session.writable.indexer.remove(bridge.article_id)
    world.add(server.id, "Bo Ek closed the museum on Friday.", title="Museum")
    result = await server.admin.slash(server.channel, "index undo")
    assert "Go back to the index before the last rebuild? All 3 stories stay" in said(
        answered(result)
    )
    await server.admin.click(answered(result), label="Go back")
    assert "✅ **The index before is in use again:** 3 stories" in said(progress(server))
    assert live_id(world, server.id) == first
    assert "> **Bo Ek** closed the museum" in await asked(world, server, "Who closed the museum?")
    assert "Ann Lee" not in await asked(world, server)
    words = said(answered(await server.admin.slash(server.channel, "index verify")))
    assert "✅ Everything is in order." in words


async def test_undoing_twice_goes_forward_again(world: World) -> None:
    server = full(world)
    first = live_id(world, server.id)
    await confirmed(server)
    second = live_id(world, server.id)
    for expected in (first, second, first):
        await confirmed(server, "undo")
        assert live_id(world, server.id) == expected


async def test_going_back_can_be_cancelled_and_begun_again(world: World, hold: Hold) -> None:
    server = full(world)
    first = live_id(world, server.id)
    await confirmed(server)
    await hold.reached()
    await hold.ended()
    second = live_id(world, server.id)
    for number in range(2):
        world.add(server.id, f"Bridge {number} was closed.", title=f"Closed {number}")
    hold.again()
    await confirmed(server, "undo")
    await hold.reached()
    assert "### Going back to the index before" in said(progress(server))
    await server.admin.click(progress(server), label="Cancel")
    await hold.ended()
    assert "**Cancelled.**" in said(progress(server))
    assert live_id(world, server.id) == second
    await confirmed(server, "undo")
    await hold.ended()
    assert "is in use again:** 5 stories" in said(progress(server))
    assert live_id(world, server.id) == first


async def test_without_a_rebuild_there_is_nothing_to_go_back_to(world: World) -> None:
    server = full(world)
    before = live_id(world, server.id)
    result = await server.admin.slash(server.channel, "index undo")
    assert "There is no earlier index to go back to" in said(answered(result))
    assert answered(result).ephemeral
    assert live_id(world, server.id) == before
    assert QUOTE in await asked(world, server)


# --- each server by itself


async def test_administrators_act_on_their_own_servers_index_alone(world: World) -> None:
    server, other = full(world), world.server("Other")
    world.add(other.id, TEXT)
    world.add(None, TEXT)
    before = [live_id(world, guild_id) for guild_id in (other.id, None)]
    damage(world, other.id, "UPDATE revisions SET text = text || '!'")
    await confirmed(server)
    words = said(answered(await server.admin.slash(server.channel, "index verify")))
    assert "3 stories" in words
    assert "✅ Everything is in order." in words
    words = said(answered(await server.admin.slash(server.channel, "index status")))
    assert "**Stories:** 3," in words
    await confirmed(server, "undo")
    assert [live_id(world, guild_id) for guild_id in (other.id, None)] == before
    assert build_of(world, other.id, BuildState.PREVIOUS) is None
    assert build_of(world, None, BuildState.PREVIOUS) is None


async def test_another_servers_rebuild_is_neither_seen_nor_cancelled(
    world: World, hold: Hold
) -> None:
    server, other = full(world), world.server("Other")
    world.add(other.id, TEXT)
    await confirmed(server)
    await hold.reached()
    words = said(answered(await other.admin.slash(other.channel, "index status")))
    assert "under way" not in words
    message = await other.member.send(other.channel, world.mention(QUESTION))
    pressed = await press(other.admin, other.channel, message, "pq:cancel")
    assert said(answered(pressed)) == "Nothing is being rebuilt now."
    await hold.ended()
    assert "✅ **The index was rebuilt:** 3 stories" in said(progress(server))
