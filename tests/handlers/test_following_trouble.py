"""What becomes of a feed that cannot be had: when it is asked again, and when no longer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from data.errors import StoryRefusedError
from data.feeds import INTERVAL, due_feeds
from data.followed import FollowedFeed, Outcome
from data.web.fetch import FetchError
from handlers.following import MAX_FAILURES
from handlers.polls import Poll
from tests.data.web.server import WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import (
    FEED,
    PUBLISHER,
    Bench,
    Story,
    bench,
    is_conditional,
    page_html,
    served,
)

FERRY = Story("ferry")
BRIDGE = Story("bridge", "Bridge opened")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)  # by which the clock may go on during a test


@pytest.fixture
def server() -> Iterator[WebServer]:
    with served() as running:
        yield running


@pytest.fixture
def room(terminal: Terminal, server: WebServer) -> Iterator[Bench]:
    """A follower of the server's feeds, with an empty collection."""
    with bench(terminal.home, server) as opened:
        yield opened


@pytest.fixture
async def feed(room: Bench) -> FollowedFeed:
    """A feed that was polled once and brought one story."""
    room.newsroom.publish(FERRY)
    followed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)))
    assert (await _poll(room, followed)).count(Outcome.NEW) == 1
    return room.now(followed)


async def _poll(room: Bench, feed: FollowedFeed) -> Poll:
    return await room.follower.poll(room.now(feed))


def _wait(room: Bench, feed: FollowedFeed) -> timedelta:
    """Return how long the feed is left alone from now on."""
    return datetime.fromisoformat(room.now(feed).next_poll_at) - datetime.now(UTC)


def _about(found: timedelta, wanted: timedelta) -> bool:
    return abs(found - wanted) < MINUTE


# --- where it is


@pytest.mark.parametrize("status", [301, 308])
async def test_a_feed_that_moved_for_good_is_asked_at_its_new_address(
    room: Bench, feed: FollowedFeed, server: WebServer, status: int
) -> None:
    new = room.newsroom.feed(room.newsroom.item(FERRY), path="/new", title="Another name")
    server.redirect(FEED, "/new", status)
    await _poll(room, feed)
    assert (room.now(feed).url, room.now(feed).title) == (new, "Another name")
    assert (await _poll(room, feed)).unchanged
    assert len(server.asked(FEED)) == 2
    assert [is_conditional(request) for request in server.asked("/new")] == [True, True]
    assert len(room.stories()) == 1


@pytest.mark.parametrize("steps", [(302,), (307,), (301, 302)], ids=str)
async def test_a_feed_that_is_elsewhere_for_now_keeps_its_address(
    room: Bench, feed: FollowedFeed, server: WebServer, steps: tuple[int, ...]
) -> None:
    room.newsroom.feed(room.newsroom.item(FERRY), path=f"/{len(steps)}")
    for number, status in enumerate(steps):
        server.redirect(f"/{number}" if number else FEED, f"/{number + 1}", status)
    await _poll(room, feed)
    await _poll(room, feed)
    assert room.now(feed).url == feed.url
    assert len(server.asked(FEED)) == 3


async def test_a_feed_that_moves_to_where_another_one_is_keeps_its_address(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    other = room.follow(room.newsroom.feed(room.newsroom.item(FERRY), path="/new"))
    server.redirect(FEED, "/new", 301)
    poll = await _poll(room, feed)
    assert poll.problem is None
    assert (room.now(feed).url, room.now(other).url) == (feed.url, other.url)


# --- when it is asked again


async def test_a_feed_is_asked_every_half_hour(room: Bench, feed: FollowedFeed) -> None:
    assert _about(_wait(room, feed), INTERVAL)
    await _poll(room, feed)
    assert _about(_wait(room, feed), INTERVAL)
    assert due_feeds(room.memory) == []
    later = datetime.now(UTC) + INTERVAL + MINUTE
    assert due_feeds(room.memory, now=later) == [room.now(feed)]


async def test_a_feed_that_fails_is_asked_less_and_less_and_in_the_end_no_longer(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    server.serve(FEED, "Trouble.", status=500)
    waits = []
    for failures in range(1, MAX_FAILURES):
        poll = await _poll(room, feed)
        now = room.now(feed)
        assert (poll.paused, poll.taken, now.paused, now.failures) == (None, [], None, failures)
        assert poll.problem == now.problem
        assert "500" in (poll.problem or "")
        waits.append(_wait(room, feed))
    assert all(_about(wait, min(HOUR * 2**n, DAY)) for n, wait in enumerate(waits))
    poll = await _poll(room, feed)
    assert poll.paused == room.now(feed).paused
    assert (poll.paused or "").startswith("It failed 10 times in a row.")
    assert due_feeds(room.memory, now=datetime.now(UTC) + 9 * DAY) == []
    assert all(is_conditional(request) for request in server.asked(FEED)[1:])
    assert [story.text for story in room.stories()] == [FERRY.text]


async def test_a_paused_feed_that_is_resumed_begins_anew(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    server.serve(FEED, "Trouble.", status=500)
    for _ in range(MAX_FAILURES):
        await _poll(room, feed)
    room.feeds.pause(feed.id, None)
    assert [due.id for due in due_feeds(room.memory)] == [feed.id]
    poll = await _poll(room, feed)
    assert (poll.paused, room.now(feed).paused, room.now(feed).failures) == (None, None, 1)
    assert _about(_wait(room, feed), HOUR)


async def test_a_feed_that_recovers_is_asked_as_before(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    server.serve(FEED, "Trouble.", status=500)
    for _ in range(3):
        await _poll(room, feed)
    room.newsroom.publish(BRIDGE)
    room.newsroom.feed(*(room.newsroom.item(story) for story in (BRIDGE, FERRY)))
    poll = await _poll(room, feed)
    assert (poll.problem, poll.count(Outcome.NEW)) == (None, 1)
    assert (room.now(feed).failures, room.now(feed).problem) == (0, None)
    assert _about(_wait(room, feed), INTERVAL)


LATER = 5 * HOUR


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        (None, HOUR),
        ("60", HOUR),  # never sooner than after any other failure
        (str(LATER.seconds), LATER),
        ("date", LATER),
        ("9999999", DAY),
        ("soon", HOUR),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_to_be_left_alone_is_left_alone(
    room: Bench,
    feed: FollowedFeed,
    server: WebServer,
    status: int,
    retry_after: str | None,
    wait: timedelta,
) -> None:
    if retry_after == "date":
        retry_after = format_datetime(datetime.now(UTC) + LATER, usegmt=True)
    headers = {"Retry-After": retry_after} if retry_after else {}
    server.serve(FEED, "Busy.", status=status, headers=headers)
    await _poll(room, feed)
    assert _about(_wait(room, feed), wait)


async def test_a_feed_that_is_gone_for_good_is_paused_at_once(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    server.serve(FEED, "Gone.", status=410)
    poll = await _poll(room, feed)
    assert poll.paused == room.now(feed).paused == "The feed is gone for good (410)."
    assert "410" in (poll.problem or "")
    assert due_feeds(room.memory, now=datetime.now(UTC) + 9 * DAY) == []
    assert len(room.stories()) == 1


# --- what is no feed


@pytest.mark.parametrize(
    ("body", "media_type", "problem"),
    [
        (page_html(FERRY), "text/html", "This is a web page, not a feed."),
        ('{"error": "login"}', "application/json", "not a JSON Feed"),
        ("<?xml version='1.0'?><notes><note/></notes>", "text/xml", "not a feed"),
        ("<rss version='2.0'><channel><ti", "text/xml", "neither a name nor entries"),
        (" \n", "text/xml", "empty"),
        ("%PDF-1.4", "application/pdf", "A feed is RSS, Atom or JSON Feed."),
    ],
    ids=["web page", "other JSON", "other XML", "cut off", "empty", "PDF"],
)
async def test_a_feed_that_turns_into_something_else_has_failed(
    room: Bench, feed: FollowedFeed, server: WebServer, body: str, media_type: str, problem: str
) -> None:
    server.serve(FEED, body, type=media_type)
    poll = await _poll(room, feed)
    assert problem in (poll.problem or "")
    assert (room.now(feed).failures, room.now(feed).title) == (1, PUBLISHER)
    assert _about(_wait(room, feed), HOUR)
    assert [story.text for story in room.stories()] == [FERRY.text]
    room.newsroom.feed(room.newsroom.item(FERRY))
    assert (await _poll(room, feed)).unchanged


async def test_a_feed_without_entries_is_no_trouble(room: Bench, feed: FollowedFeed) -> None:
    room.newsroom.feed()
    poll = await _poll(room, feed)
    assert (poll.problem, poll.taken, poll.unchanged) == (None, [], False)
    assert [story.text for story in room.stories()] == [FERRY.text]


async def test_a_feed_that_leads_inside_the_network_is_not_followed_there(
    room: Bench, feed: FollowedFeed, server: WebServer
) -> None:
    with served() as canary:
        canary.serve("/", "<rss version='2.0'><channel><title>Inside</title></channel></rss>")
        server.redirect(FEED, canary.url("/"), 301)
        poll = await _poll(room, feed)
        assert "public web" in (poll.problem or "")
        assert canary.connections == 0
    assert room.now(feed).url == feed.url


async def test_a_feed_that_was_removed_in_the_meantime_brings_nothing(
    room: Bench, feed: FollowedFeed
) -> None:
    room.newsroom.publish(BRIDGE)
    room.newsroom.feed(*(room.newsroom.item(story) for story in (BRIDGE, FERRY)))
    known = room.now(feed)
    room.feeds.remove(feed.id)
    await room.follower.poll(known)
    assert [story.text for story in room.stories()] == [FERRY.text]
    assert room.feeds.all() == []


# --- trying one out


async def test_trying_a_feed_out_stores_nothing(room: Bench) -> None:
    room.newsroom.publish(FERRY)
    url = room.newsroom.feed(room.newsroom.item(FERRY))
    before = room.services.articles.token()
    page, contents = await room.follower.try_out(url)
    assert (page.url, contents.title, len(contents.items)) == (url, PUBLISHER, 1)
    assert (room.services.articles.token(), room.feeds.all()) == (before, [])
    assert room.newsroom.asked(FERRY) == []


async def test_trying_out_says_what_is_wrong(room: Bench, server: WebServer) -> None:
    with pytest.raises(FetchError, match="404"):
        await room.follower.try_out(server.url("/nowhere"))
    server.serve("/page", page_html(FERRY))
    with pytest.raises(StoryRefusedError, match="web page, not a feed"):
        await room.follower.try_out(server.url("/page"))
