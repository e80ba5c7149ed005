"""What goes on by the clock beside what is slow, broken or no longer wanted."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import discord
import pytest

from data.database import write
from data.errors import StorageError
from data.feeds import FeedStore
from data.web.fetch import FetchError
from data.webstories import draft_from_page
from handlers import schedule
from tests.data.web.server import WebServer
from tests.handlers.newsroom import FEED, page_html
from tests.simulated.newsstand import (
    BRIDGE,
    FERRY,
    LATER,
    Newsstand,
    Told,
    by_the_clock,
    feeds,
    follow,
    followed,
    last_words,
    make_due,
    mark,
    poll,
    publisher,
    written,
)
from tests.simulated.test_answer_buttons import ask
from tests.simulated.test_corrections import marks, now
from tests.simulated.test_stories import stories
from tests.simulated.world import Server, World, said

FERRIES = [
    replace(
        FERRY,
        slug=f"ferry-{number}",
        title=f"Ferry {number} sold",
        told=(f"Bob Ray sold ferry number {number} on Friday.", *FERRY.told[1:]),
    )
    for number in range(5)
]


@pytest.fixture(autouse=True)
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    """The publisher's server, there before the bot is."""
    async with publisher(monkeypatch) as server:
        yield server


@pytest.fixture
def stand(world: World, web: WebServer) -> Newsstand:
    """The publisher, with one story in its feed."""
    made = Newsstand(world, web)
    made.feed(made.item(made.publish(BRIDGE)))
    return made


def _with_the_next_page(
    world: World, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]
) -> None:
    """Let something happen while the next page that the bot asks for is on its way."""
    read, waiting = world.client._unhurried.page, [do]

    async def page(*given: Any) -> object:
        found = await read(*given)
        if waiting:
            waiting.pop()()
        return found

    monkeypatch.setattr(world.client._unhurried, "page", page)


@contextmanager
def _store(world: World, server: Server) -> Iterator[FeedStore]:
    with closing(world.session(None)) as session:
        yield FeedStore(session.memory, str(server.id))


def _make_pages_due(
    world: World, *servers: Server, of: str = "%", moment: str = "2024-01-01"
) -> None:
    for server in servers:
        with closing(world.session(server.id)) as session, write(session.writable.db):
            session.writable.db.execute(
                "UPDATE pages SET next_check_at = ? WHERE url LIKE ?", [moment, of]
            )


# --- feeds that are not wanted any more


@pytest.mark.parametrize("how", ["removed", "paused", "left"])
async def test_a_feed_that_is_no_longer_wanted_stops_at_once_and_nobody_is_told(
    world: World, stand: Newsstand, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    server = world.server()
    await follow(server, stand, announce=server.channel)
    before = written(server.channel)
    stand.feed(*(stand.item(stand.publish(ferry)) for ferry in FERRIES))

    def stop() -> None:
        with _store(world, server) as store:
            (feed,) = store.all()
            if how == "removed":
                store.remove(feed.id)
            elif how == "paused":
                store.pause(feed.id, "Somebody paused it.")
        if how == "left":
            client = world.client
            monkeypatch.setattr(client, "get_guild", lambda guild_id: None)

    _with_the_next_page(world, monkeypatch, stop)
    await poll(world)
    assert [story.attribution.title for story in stories(world, server.id)] == ["Bridge opened"]
    assert written(server.channel) == before
    assert sum(path.startswith("/news/ferry") for path in stand.server.paths) == 1


async def test_a_server_is_not_told_of_a_pause_of_a_feed_that_it_removed(
    world: World, stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()
    await follow(server, stand)
    before = written(server.channel)
    stand.server.serve(FEED, status=410)
    read = world.client._unhurried.feed

    async def removed_meanwhile(*given: Any) -> object:
        with _store(world, server) as store:
            store.remove(store.all()[0].id)
        return await read(*given)

    monkeypatch.setattr(world.client._unhurried, "feed", removed_meanwhile)
    await poll(world)
    assert written(server.channel) == before


# --- what is slow


async def test_a_slow_page_of_a_feed_holds_up_neither_other_feeds_nor_second_looks(
    world: World, stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, other = world.server(), world.server("Other")
    await stand.add(other, BRIDGE)
    stand.feed(stand.item(FERRIES[0]), path="/slow")
    stand.feed(stand.item(stand.publish(FERRIES[1])), path="/fast")
    stand.feed(path="/behind")
    for path in ("/slow", "/behind"):
        followed(world, server, stand.url(path))
    make_due(world)
    gate, read = asyncio.Event(), world.client._unhurried.page

    async def page(url: str, *given: Any) -> object:
        if "ferry-0" in url:
            await gate.wait()
            raise FetchError("It is slow.")
        return await read(url, *given)

    monkeypatch.setattr(world.client._unhurried, "page", page)
    monkeypatch.setattr(schedule, "_TICK", 0.01)
    running: list[asyncio.Task[Any]] = []
    timed = world.client.schedule
    monkeypatch.setattr(
        timed, "_in_background", lambda work: running.append(asyncio.create_task(work))
    )
    try:
        timed.start()
        await _until(lambda: bool(stand.asked("/slow")))
        followed(world, other, stand.url("/fast"))
        make_due(world)
        _make_pages_due(world, other)
        await _until(lambda: bool(stand.asked("/fast")) and len(stand.asked(BRIDGE)) > 1)
        await _until(lambda: len(stories(world, other.id)) == 2)
        asked = [len(stand.asked(path)) for path in ("/slow", "/behind")]
        assert asked == [1, 0], "those of one collection take turns"
    finally:
        gate.set()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


# --- what is broken


async def test_a_broken_collection_holds_up_no_second_look_at_anothers_pages(
    world: World,
    stand: Newsstand,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, other = world.server(), world.server("Other")
    for one in (server, other):
        await stand.add(one, BRIDGE)
    _make_pages_due(world, server, other)
    runner = world.client.schedule._runner
    look, asked = runner.look, len(stand.asked(BRIDGE))

    async def broken(collection: str, job: Any) -> object:
        if collection == str(server.id):
            raise StorageError("It is no sound database.")
        return await look(collection, job)

    monkeypatch.setattr(runner, "look", broken)
    with caplog.at_level(logging.WARNING):
        await by_the_clock(world, world.client.schedule.look_at_due)
    assert len(stand.asked(BRIDGE)) == asked + 1
    assert "storage error" in caplog.text


async def test_a_page_that_ends_its_look_each_time_holds_up_no_other(
    world: World, stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    _make_pages_due(world, server, moment="2024-02-01")
    stand.feed(*(stand.item(stand.publish(ferry)) for ferry in FERRIES))
    await follow(server, stand)
    assert len(stories(world, server.id)) == 6
    _make_pages_due(world, server, of="%ferry%")
    for ferry in FERRIES:
        stand.publish(replace(ferry, modified_at="2025-03-06T09:00:00+00:00"))

    def draft(extracted: Any, *given: Any) -> object:
        if "ferry" in (extracted.url or ""):
            raise ValueError("a mistake of ours")
        return draft_from_page(extracted, *given)

    monkeypatch.setattr("handlers.rechecking.draft_from_page", draft)
    asked = len(stand.asked(BRIDGE))
    for _ in range(2):
        await by_the_clock(world, world.client.schedule.look_at_due)
    assert len(stand.asked(BRIDGE)) == asked + 1
    assert [len(stand.asked(ferry)) for ferry in FERRIES] == [2] * 5


async def test_a_page_whose_host_wants_to_be_left_alone_is_not_looked_at(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    stand.server.serve(BRIDGE.path, status=429, headers={"Retry-After": "7200"})
    asked = len(stand.asked(BRIDGE))
    for _ in range(3):
        await stand.look_again(server)
    assert len(stand.asked(BRIDGE)) == asked + 1


# --- what the answers say


async def test_an_item_whose_page_is_gone_marks_the_answers(world: World, stand: Newsstand) -> None:
    server = world.server()
    await follow(server, stand)
    answer = await ask(world, server)
    stand.withdraw(BRIDGE)
    stand.feed(stand.item(replace(BRIDGE, published_at="2025-03-06T08:00:00+00:00")))
    await poll(world)
    assert "withdrew" in (marks(now(world, answer))[0] or "")


async def test_a_feed_and_a_page_that_differ_a_little_mark_no_answer(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    whole = Told("bridge", title=BRIDGE.title, told=(BRIDGE.told[0], *FERRY.told[1:]))
    body = page_html(whole, below="<p>Ann Reed reports for the Ledger from Larkmoor.</p>")
    await stand.add(server, BRIDGE)
    stand.publish(whole, body)
    await stand.look_again(server)
    answer = await ask(world, server)
    stand.feed(stand.item(whole, whole=True))
    await follow(server, stand)
    await stand.look_again(server)
    await mark(world)
    assert marks(now(world, answer)) == [None]


async def test_a_story_from_a_feed_is_withdrawn_when_its_page_is_gone(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    whole = replace(LATER, told=(LATER.told[0], *FERRY.told[1:]))
    stand.publish(whole)
    stand.feed(stand.item(whole, whole=True))
    await follow(server, stand)
    answer = await ask(world, server)
    told = await server.contributor.slash(server.channel, "article check", article="Bridge")
    assert last_words(told).startswith("The page is still there.")
    stand.withdraw(whole)
    await stand.look_again(server)
    await mark(world)
    assert "withdrew" in (marks(now(world, answer))[0] or "")


# --- who may let something be announced


@pytest.mark.parametrize("may_write", [True, False])
async def test_stories_are_announced_only_where_the_person_may_write(
    world: World, stand: Newsstand, may_write: bool
) -> None:
    server = world.server()
    everybody, bot = server.guild.default_role, server.guild.roles["TestBot"]
    mods = server.guild.roles["Moderators"]
    overwrites: dict[Any, discord.PermissionOverwrite] = {
        everybody: discord.PermissionOverwrite(send_messages=False),
        bot: discord.PermissionOverwrite(send_messages=True),
        mods: discord.PermissionOverwrite(send_messages=may_write),
    }
    board = server.guild.create_text_channel("board", overwrites=overwrites)
    result = await follow(server, stand, announce=board)
    if may_write:
        assert "Following" in said(result.response)
        assert len(written(board)) == 1
    else:
        assert last_words(result) == (
            f"You may not write in {board.mention}, so you cannot have stories announced there. "
            "Choose another one."
        )
        assert (feeds(world, server), written(board)) == ([], [])
        assert stand.server.requests == []


async def test_a_removal_that_a_killed_process_left_half_done_is_finished(world: World) -> None:
    server = world.server()
    doomed = world.add(server.id, "Ann Lee opened the bridge on Monday.")
    with closing(world.session(server.id)) as session:
        session.writable.indexer.remove(doomed.article_id, scrub=False)
        assert session.writable.standing.owes_scrub()
    await by_the_clock(world, world.client.schedule.look_at_due)
    with closing(world.session(server.id)) as session:
        assert not session.writable.standing.owes_scrub()
