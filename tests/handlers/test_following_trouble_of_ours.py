"""A poll that is broken off, held up or done twice: what it stores, whom it asks, what waits."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.answers import open_memory
from data.database import write
from data.errors import StorageError
from data.feeds import INTERVAL, FeedStore, due_feeds
from data.followed import FollowedFeed, Outcome
from data.locks import held_alone, poll_lock_file
from data.waiting import WaitingStore
from data.webstories import draft_from_page
from handlers import following, patience
from handlers.polls import Poll
from tests.data.web.server import WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import FEED, Bench, Story, is_conditional, served
from tests.index.test_deleting import traces

FACTS = [Story(f"fact-{number}", f"Fact number {number}") for number in range(6)]
MINUTE = timedelta(minutes=1)  # by which the clock may go on during a test


async def _poll(room: Bench, feed: FollowedFeed) -> Poll:
    return await room.follower.poll(room.now(feed))


def _listed(room: Bench, *stories: Story, whole: bool = False) -> str:
    for one in stories:
        room.newsroom.publish(one)
    return room.newsroom.feed(*(room.newsroom.item(one, whole=whole) for one in stories))


def _titles(room: Bench) -> list[str]:
    return [one.attribution.title for one in room.stories()]


def _waiting(room: Bench, feed: FollowedFeed) -> list[str]:
    found = WaitingStore(room.memory, "shared").of(feed.id)
    return [one.item.guid for one in found]


def _meanwhile(room: Bench, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let something happen while the third page of a poll is on its way."""
    read, asked = room.web.page, 0

    async def page(*given: Any) -> object:
        nonlocal asked
        asked += 1
        found = await read(*given)
        if asked == 3:
            do()
        return found

    monkeypatch.setattr(room.web, "page", page)


def _pages_asked(server: WebServer) -> int:
    return sum(path.startswith("/news/") for path in server.paths)


# --- a feed that is not wanted any more


@pytest.mark.parametrize("how", ["removed", "paused"])
async def test_a_feed_that_is_removed_or_paused_while_it_is_polled_stops_at_once(
    room: Bench, monkeypatch: pytest.MonkeyPatch, server: WebServer, how: str
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    stop = {
        "removed": lambda: room.feeds.remove(feed.id),
        "paused": lambda: room.feeds.pause(feed.id, "Somebody paused it."),
    }[how]
    with monkeypatch.context() as patched:
        _meanwhile(room, patched, stop)
        poll = await _poll(room, feed)
    assert poll.stopped
    assert _titles(room) == [fact.title for fact in FACTS[:2]]
    assert _pages_asked(server) == 3
    if how == "paused":
        room.feeds.pause(feed.id, None)
        await _poll(room, feed)
        assert len(room.stories()) == len(FACTS)


async def test_a_poll_stops_as_soon_as_whoever_wanted_it_does_not(
    room: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []
    feed = room.follow(_listed(room, *FACTS))
    _meanwhile(room, monkeypatch, lambda: left.append(1))
    poll = await room.follower.poll(feed, wanted=lambda: not left)
    assert poll.stopped
    assert len(room.stories()) == 2


async def test_a_feed_that_was_paused_since_it_was_due_is_not_asked(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, FACTS[0]))
    room.feeds.pause(feed.id, "Somebody paused it.")
    assert (await room.follower.poll(feed)).stopped
    assert server.requests == []
    assert (await _poll(room, feed)).count(Outcome.NEW) == 1, "somebody polls it by name"


async def test_a_feed_that_is_gone_when_it_was_removed_is_not_told_to_be_paused(
    room: Bench, monkeypatch: pytest.MonkeyPatch, server: WebServer
) -> None:
    feed = room.follow(server.url(FEED))
    server.serve(FEED, "Gone.", status=410)
    read = room.web.feed

    async def removed_meanwhile(*given: Any) -> object:
        room.feeds.remove(feed.id)
        return await read(*given)

    monkeypatch.setattr(room.web, "feed", removed_meanwhile)
    poll = await _poll(room, feed)
    assert poll.stopped
    assert room.feeds.all() == []


# --- trouble of ours


async def test_a_mistake_in_one_item_is_logged_and_holds_up_no_other(
    room: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def draft(extracted: Any, *given: Any) -> object:
        if "fact-1" in (extracted.url or ""):
            raise ValueError("a mistake of ours")
        return draft_from_page(extracted, *given)

    monkeypatch.setattr("handlers.taking.draft_from_page", draft)
    feed = room.follow(_listed(room, *FACTS[:3]))
    poll = await _poll(room, feed)
    assert [taken.outcome for taken in poll.taken] == [
        Outcome.NEW,
        Outcome.FAILED,
        Outcome.NEW,
    ]
    assert "incident" in (room.seen(feed)["tag:fact-1"].reason or "")
    assert "a mistake of ours" in caplog.text
    assert not due_feeds(room.memory)
    outcomes = [[t.outcome for t in (await _poll(room, feed)).taken] for _ in range(3)]
    assert outcomes == [[Outcome.FAILED], [Outcome.REFUSED], []]


def _disk_is_full(*_: object, **__: object) -> None:
    raise StorageError("The disk is full.")


async def test_a_feed_is_not_asked_at_once_again_after_trouble_of_ours(
    room: Bench, monkeypatch: pytest.MonkeyPatch, server: WebServer
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    with monkeypatch.context() as patched:
        patched.setattr(room.services.indexer, "add", _disk_is_full)
        with pytest.raises(StorageError):
            await _poll(room, feed)
    assert _pages_asked(server) == 1, "the disk stays full for a while"
    assert due_feeds(room.memory, now=datetime.now(UTC) + INTERVAL - MINUTE) == []
    await _poll(room, feed)
    assert len(room.stories()) == len(FACTS)


async def test_a_story_that_was_altered_on_the_disk_holds_up_no_other_and_is_mended(
    room: Bench,
) -> None:
    feed = room.follow(_listed(room, FACTS[0]))
    await _poll(room, feed)
    with write(room.services.db):
        room.services.db.execute("UPDATE revisions SET text = 'Altered.'")
    changed = replace(FACTS[0], version=2)
    _listed(room, replace(changed, published_at="2025-06-01T08:00:00+00:00"), FACTS[1])
    poll = await _poll(room, feed)
    assert [taken.outcome for taken in poll.taken] == [Outcome.CHANGED, Outcome.NEW]
    assert [one.text for one in room.stories()] == [changed.text, FACTS[1].text]


# --- two at once


async def test_the_second_of_two_polls_of_a_feed_does_nothing_and_says_so(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, *FACTS), daily_limit=2)
    polls = await asyncio.gather(_poll(room, feed), _poll(room, feed))
    assert sorted(poll.problem or "" for poll in polls) == [
        "",
        "It is being asked already, here or by another process.",
    ]
    assert len(room.stories()) == 2
    assert len(server.asked(FEED)) == 1
    assert (room.now(feed).failures, room.now(feed).problem) == (0, None)


def test_the_command_line_says_that_the_bot_polls_the_feed_at_the_moment(
    room: Bench, terminal: Terminal
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    with held_alone(poll_lock_file(room.memory, feed.id)):
        told = terminal("feed", "poll", str(feed.id), code=1)
    assert "It is being asked already, here or by another process." in told.out + told.err
    assert room.stories() == []


# --- time


async def test_what_there_is_no_time_for_waits_for_the_next_poll(
    room: Bench, monkeypatch: pytest.MonkeyPatch, server: WebServer
) -> None:
    moments = iter([0.0, 1.0, 2.0, following.POLL_SECONDS + 1])
    feed = room.follow(_listed(room, *FACTS))
    with monkeypatch.context() as patched:
        patched.setattr(following, "_clock", lambda: next(moments, 10_000.0))
        poll = await _poll(room, feed)
    assert (poll.count(Outcome.NEW), poll.later, poll.waiting) == (2, 4, 0)
    poll = await _poll(room, feed)
    assert (poll.count(Outcome.NEW), poll.later) == (4, 0)
    assert [is_conditional(request) for request in server.asked(FEED)] == [False, True]


async def test_a_host_that_fails_again_and_again_is_asked_no_more_at_this_poll(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    for fact in FACTS:
        server.serve(fact.path, "Trouble.", status=500)
    poll = await _poll(room, feed)
    assert (poll.count(Outcome.FAILED), poll.later) == (patience.GIVE_UP_AFTER, 3)
    assert _pages_asked(server) == 3
    assert set(_waiting(room, feed)) == {f"tag:{fact.slug}" for fact in FACTS}
    _listed(room, *FACTS)
    assert (await _poll(room, feed)).count(Outcome.NEW) == len(FACTS)


async def test_a_page_that_is_missing_says_nothing_about_its_host(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    for fact in FACTS[:5]:
        server.remove(fact.path)
    poll = await _poll(room, feed)
    assert (poll.count(Outcome.FAILED), poll.count(Outcome.NEW), poll.later) == (5, 1, 0)


async def test_a_host_that_fails_now_and_then_is_asked_on(room: Bench, server: WebServer) -> None:
    feed = room.follow(_listed(room, *FACTS))
    for fact in FACTS[::2]:
        server.serve(fact.path, "Trouble.", status=500)
    poll = await _poll(room, feed)
    assert (poll.count(Outcome.FAILED), poll.count(Outcome.NEW), poll.later) == (3, 3, 0)


# --- hosts that ask to be left alone


@pytest.mark.parametrize("status", [429, 503])
async def test_a_host_that_asks_to_be_left_alone_is_asked_for_no_further_page(
    room: Bench, server: WebServer, status: int
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    for fact in FACTS:
        server.serve(fact.path, "Busy.", status=status)
    poll = await _poll(room, feed)
    assert (poll.count(Outcome.FAILED), poll.later) == (1, 5)
    assert _pages_asked(server) == 1


async def test_it_is_left_alone_at_later_polls_as_long_as_it_said(
    room: Bench, server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(room.web._rests, "_clock", lambda: now[0])
    with served() as elsewhere:
        monkeypatch.setattr(
            room.web._fetcher, "_rules", replace(server.rules, allowed=("127.0.0.1",))
        )
        for fact in FACTS:
            server.serve(fact.path, "Busy.", status=429, headers={"Retry-After": "7200"})
        items = [room.newsroom.item(fact) for fact in FACTS]
        url = room.newsroom.feed(*items)
        elsewhere._replies[FEED] = server._replies[FEED]
        feed = room.follow(url.replace(server.host, elsewhere.host))
        for _ in range(3):
            await _poll(room, feed)
        assert _pages_asked(server) == 1
        assert room.seen(feed).keys() == {"tag:fact-0"}, "what is not asked for has not failed"
        for fact in FACTS:
            room.newsroom.publish(fact)
        now[0] += 7201.0
        assert (await _poll(room, feed)).count(Outcome.NEW) == len(FACTS)
        assert [is_conditional(r) for r in elsewhere.asked(FEED)] == [False, True, True, True]


async def test_a_feed_at_a_host_that_wants_to_be_left_alone_is_asked_later(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, *FACTS))
    server.serve(FACTS[0].path, "Busy.", status=429, headers={"Retry-After": "7200"})
    await _poll(room, feed)
    poll = await _poll(room, feed)
    assert "left alone" in (poll.problem or "")
    assert len(server.asked(FEED)) == 1
    assert (room.now(feed).failures, room.now(feed).paused) == (0, None)
    wait = datetime.fromisoformat(room.now(feed).next_poll_at) - datetime.now(UTC)
    assert abs(wait - timedelta(hours=2)) < MINUTE


# --- what waits


@pytest.mark.parametrize("whole", [False, True])
async def test_a_feed_with_waiting_items_is_asked_with_conditions_all_the_same(
    room: Bench, server: WebServer, whole: bool
) -> None:
    feed = room.follow(_listed(room, *FACTS[:5], whole=whole), daily_limit=2)
    polls = []
    for _ in range(3):
        polls.append(await _poll(room, feed))
        again = await _poll(room, feed)
        assert (again.taken, again.unchanged) == ([], polls[-1].waiting == 0)
        assert len(_waiting(room, feed)) == polls[-1].waiting
        with write(room.memory):
            room.memory.execute("UPDATE feed_items SET taken_at = datetime(taken_at, '-1 day')")
    assert [poll.waiting for poll in polls] == [3, 1, 0]
    assert _titles(room) == [fact.title for fact in FACTS[:5]]
    assert [one.text for one in room.stories()] == [fact.text for fact in FACTS[:5]]
    assert [is_conditional(request) for request in server.asked(FEED)] == [False] + 5 * [True]


async def test_what_left_a_feed_while_it_waited_is_not_taken(room: Bench) -> None:
    feed = room.follow(_listed(room, *FACTS[:3]), daily_limit=1)
    await _poll(room, feed)
    assert _waiting(room, feed) == ["tag:fact-1", "tag:fact-2"]
    _listed(room, FACTS[0], FACTS[2])
    await _poll(room, feed)
    assert _waiting(room, feed) == ["tag:fact-2"]


async def test_a_waiting_correction_keeps_none_of_its_storys_words(
    room: Bench, server: WebServer, terminal: Terminal
) -> None:
    titled = [replace(fact, title=f"{fact.title} Vlonkerwick") for fact in FACTS[:2]]
    feed = room.follow(_listed(room, *titled))
    await _poll(room, feed)
    changed = [replace(one, version=2) for one in titled]
    items = [room.newsroom.item(one, summary="Xantoquibb spoke.") for one in changed]
    for one in changed:
        server.serve(one.path, "Trouble.", status=500)
    room.newsroom.feed(*items)
    await _poll(room, feed)
    assert len(_waiting(room, feed)) == 2
    for stored in room.stories():
        room.services.indexer.remove(stored.article_id)
    assert traces(terminal.home, [b"Vlonkerwick", b"Xantoquibb"]) == {}
    poll = await _poll(room, feed)
    assert [taken.reason for taken in poll.taken] == ["It was removed here."] * 2
    assert _waiting(room, feed) == []


async def test_a_waiting_correction_is_taken_in_from_its_page(
    room: Bench, server: WebServer
) -> None:
    feed = room.follow(_listed(room, FACTS[0]))
    await _poll(room, feed)
    changed = replace(FACTS[0], version=2)
    room.newsroom.feed(room.newsroom.item(changed, summary="In other words."))
    server.serve(changed.path, "Trouble.", status=500)
    assert (await _poll(room, feed)).count(Outcome.FAILED) == 1
    room.newsroom.publish(changed)
    assert (await _poll(room, feed)).count(Outcome.CHANGED) == 1
    assert [is_conditional(r) for r in server.asked(FEED)] == [False, True, True]
    assert (await _poll(room, feed)).unchanged


async def test_a_feed_that_is_removed_leaves_nothing_of_what_waited(
    room: Bench, terminal: Terminal
) -> None:
    titled = [replace(fact, title=f"{fact.title} Vlonkerwick") for fact in FACTS]
    feed = room.follow(_listed(room, *titled, whole=True), daily_limit=1)
    await _poll(room, feed)
    assert len(_waiting(room, feed)) == 5
    room.services.indexer.remove(room.stories()[0].article_id)
    room.memory.close()
    with closing(open_memory(terminal.home)) as memory:
        assert traces(terminal.home, [b"Vlonkerwick"]).keys() == {"pullquote.db"}
        FeedStore(memory, "shared").remove(feed.id)
    assert traces(terminal.home, [b"Vlonkerwick"]) == {}
