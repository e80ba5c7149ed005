"""Feeds that are none, that fail, that go away, and servers that the bot left."""

import logging
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from data.database import write
from data.feeds import MAX_FEEDS
from handlers.following import MAX_FAILURES
from handlers.layouts.layout import Action, Layout, button, row
from tests.data.web.server import WebServer
from tests.handlers.newsroom import FEED, PUBLISHER
from tests.simulated.newsstand import (
    BRIDGE,
    FERRY,
    Newsstand,
    by_the_clock,
    feeds,
    follow,
    followed,
    last_words,
    poll,
    publisher,
    written,
)
from tests.simulated.test_stories import answered, stories
from tests.simulated.world import World, labels, said, texts


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


# --- what is no feed, and how many there may be


@pytest.mark.parametrize("command", ["feed add", "feed test"])
@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/news/bridge", "."),
        ("/missing", "127.0.0.1 has no page at this address (404)."),
        ("http://10.0.0.1/feed", "is not to be found on the public web"),
        ("The Larkmoor Ledger", "A feed’s address begins with https:// or http://."),
    ],
)
async def test_what_is_no_feed_is_refused_in_a_sentence(
    world: World, stand: Newsstand, command: str, address: str, why: str
) -> None:
    server = world.server()
    url = stand.url(address) if address.startswith("/") else address
    result = await server.contributor.slash(server.channel, command, url=url)
    words = last_words(result)
    assert why in words
    assert words.endswith(".")
    assert not [untold for untold in ("Traceback", "incident", "Error") if untold in words]
    assert feeds(world, server) == []


async def test_a_feed_is_followed_once_in_a_server_and_by_each_server_for_itself(
    world: World, stand: Newsstand
) -> None:
    server, other = world.server(), world.server("Other")
    await follow(server, stand)
    again = await follow(server, stand)
    assert last_words(again) == "That feed is followed already."
    assert "Following" in said((await follow(other, stand, daily_limit=7)).response)
    assert [f.daily_limit for s in (server, other) for f in feeds(world, s)] == [50, 7]
    assert [len(stories(world, s.id)) for s in (server, other)] == [1, 1]


async def test_there_is_a_most_of_feeds(world: World, stand: Newsstand) -> None:
    server = world.server()
    for number in range(MAX_FEEDS):
        followed(world, server, f"https://example.org/{number}")
    result = await follow(server, stand)
    assert last_words(result) == "There are 50 feeds already, and more is not possible."


# --- feeds that fail


async def test_a_feed_that_keeps_failing_is_paused_and_its_server_told_once(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    news = server.guild.create_text_channel("news")
    await follow(server, stand, announce=news)
    stand.server.serve(FEED, status=500)
    before = len(written(server.channel))
    for failures in range(1, MAX_FAILURES):
        await poll(world)
        (feed,) = feeds(world, server)
        assert (feed.failures, feed.paused) == (failures, None)
    assert len(written(server.channel)) == before
    listed = await server.contributor.slash(server.channel, "feed list")
    assert "0.0.1 has trouble of its own (500)." in said(listed.response)

    world.env.http_requests.clear()
    for _ in range(3):
        await poll(world)
    assert len(stand.asked(FEED)) == 1 + MAX_FAILURES, "it is asked no more"
    (told,) = written(server.channel)[before:]
    assert texts(told) == [
        f"I no longer ask the feed **{PUBLISHER}**. It failed 10 times in a row. The last time: "
        "127.0.0.1 has trouble of its own (500). Try again later.",
        "-# Its stories stay. `/feed pause` with *resume* begins again.",
    ]
    (sent,) = [r.json or {} for r in world.env.http_requests if r.method == "POST"]
    assert sent["allowed_mentions"] == {"parse": []}
    assert len(written(news)) == 1, "there is nothing new in it"
    listed = await server.contributor.slash(server.channel, "feed list")
    assert "⏸️ Paused: It failed 10 times in a row." in said(listed.response)

    stand.feed(stand.item(stand.publish(FERRY)), stand.item(BRIDGE))
    await server.contributor.slash(server.channel, "feed pause", feed=PUBLISHER, resume=True)
    await by_the_clock(world, world.client.schedule.poll_due)
    assert len(stories(world, server.id)) == 2
    (feed,) = feeds(world, server)
    assert (feed.failures, feed.paused, feed.problem) == (0, None, None)


async def test_a_feed_that_is_gone_for_good_is_paused_at_once(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await follow(server, stand)
    stand.server.serve(FEED, status=410)
    await poll(world)
    await poll(world)
    told = written(server.channel)[-1]
    assert texts(told)[0] == (
        f"I no longer ask the feed **{PUBLISHER}**. The feed is gone for good (410)."
    )
    assert labels(told) == []
    assert len(stand.asked(FEED)) == 2
    assert len(stories(world, server.id)) == 1


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (500, 0)])
async def test_where_a_server_cannot_be_told_the_feed_is_paused_all_the_same(
    world: World, stand: Newsstand, caplog: pytest.LogCaptureFixture, status: int, code: int
) -> None:
    server = world.server()
    await follow(server, stand)
    stand.server.serve(FEED, status=410)
    path = f"/channels/{server.channel.id}/messages"
    world.env.inject_error("POST", path, status=status, code=code)
    with caplog.at_level(logging.WARNING):
        await poll(world)
    assert "a server could not be told" in caplog.text
    assert "incident" not in caplog.text
    assert feeds(world, server)[0].paused == "The feed is gone for good (410)."


async def test_where_the_channel_of_trouble_is_gone_the_one_of_news_is_told(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    news = server.guild.create_text_channel("news")
    await follow(server, stand, announce=news)
    world.env.backend.delete_channel(server.channel.id)
    await world.env.settle()
    stand.server.serve(FEED, status=410)
    await poll(world)
    assert "gone for good (410)" in said(written(news)[-1])


async def test_one_broken_feed_does_not_hold_up_the_others(world: World, stand: Newsstand) -> None:
    server, other = world.server(), world.server("Other")
    for one, path in ((server, "/missing"), (server, FEED), (other, "/news/bridge"), (other, FEED)):
        followed(world, one, stand.url(path))
    await poll(world)
    for one in (server, other):
        assert [s.attribution.title for s in stories(world, one.id)] == ["Bridge opened"]
        broken, whole = feeds(world, one)
        assert broken.failures == 1
        assert (broken.problem or "").endswith(".")
        assert (whole.failures, whole.problem) == (0, None)


# --- servers that the bot left, and what happens meanwhile


async def test_a_server_that_the_bot_left_is_not_polled(world: World, stand: Newsstand) -> None:
    server, other = world.server(), world.server("Other")
    await follow(server, stand)
    stand.feed(stand.item(stand.publish(FERRY)), stand.item(BRIDGE), path="/second")
    followed(world, other, stand.url("/second"))
    world.env.backend.remove_guild(server.id)
    await world.env.settle()
    stand.server.requests.clear()
    await poll(world)
    await stand.look_again(server)
    assert stand.asked(FEED) == []
    assert len(stand.asked("/second")) == 1
    assert len(stories(world, other.id)) == 2
    assert len(stand.asked(BRIDGE)) == 1, "for the other server, in whose feed it is"


async def test_a_feed_that_is_removed_while_it_is_read_comes_to_an_end(
    world: World, stand: Newsstand, caplog: pytest.LogCaptureFixture
) -> None:
    server = world.server()
    await follow(server, stand)
    ferries = [replace(FERRY, slug=f"ferry-{number}") for number in range(3)]
    stand.feed(*(stand.item(stand.publish(ferry)) for ferry in ferries), stand.item(BRIDGE))
    read = world.client._unhurried.page

    async def removed_meanwhile(*given: Any) -> object:
        with closing(world.session(None)) as session, write(session.memory):
            session.memory.execute("DELETE FROM feeds")
        return await read(*given)

    world.client._unhurried.page = removed_meanwhile  # type: ignore[method-assign, assignment]
    with caplog.at_level(logging.WARNING):
        await poll(world)
    assert "incident" not in caplog.text
    assert feeds(world, server) == []
    assert [story.text for story in stories(world, server.id)] == [BRIDGE.text]
    await poll(world)
    assert len(stand.asked(FEED)) == 2


async def test_a_button_of_the_list_checks_who_presses_it(world: World) -> None:
    server = world.server()
    followed(world, server, "https://example.org/1", title="Secret feed")
    channel = world.client.get_partial_messageable(server.channel.id)
    message = await channel.send(view=Layout(row(button("Back", Action.LIST_FEEDS, 0))))
    await world.env.settle()
    refused = await server.member.click(message, label="Back")
    assert answered(refused).ephemeral
    assert "Only people who may manage messages here" in last_words(refused)
    shown = await server.contributor.click(message, label="Back")
    assert answered(shown).ephemeral
    assert "Secret feed" in said(shown.response)
