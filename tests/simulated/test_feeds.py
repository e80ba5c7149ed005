"""Following feeds from Discord: /feed, what it brings, what is announced, and what goes wrong."""

import re
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace

import discord
import pytest

from data.database import write
from data.feeds import FeedStore
from handlers import schedule
from tests.data.web.server import WebServer
from tests.handlers.newsroom import FEED, PUBLISHER
from tests.simulated.newsstand import (
    BRIDGE,
    FERRY,
    LATER,
    Newsstand,
    by_the_clock,
    feeds,
    follow,
    followed,
    last_words,
    make_due,
    poll,
    publisher,
    written,
)
from tests.simulated.test_answer_buttons import FIRST, ask
from tests.simulated.test_corrections import NO_LONGER, marks, now
from tests.simulated.test_stories import answered, stories
from tests.simulated.world import World, labels, said, texts

NO_SUCH_FEED = "There is no such feed here. Choose one from the list."


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


# --- /feed add, and what it brings


async def test_a_feed_is_followed_and_its_stories_come_in(world: World, stand: Newsstand) -> None:
    server = world.server()
    message = answered(await follow(server, stand))
    assert not message.ephemeral
    words = said(message)
    assert f"Following **{PUBLISHER}**, with 1 item in it now." in words
    assert f"at most 50 stories a day · added by {server.contributor.mention}" in words
    assert "Its stories come in now" in words
    (story,) = stories(world, server.id)
    assert story.text == BRIDGE.text
    assert FIRST in said(await ask(world, server)).replace("*", "")
    listed = await server.contributor.slash(server.channel, "feed list")
    assert answered(listed).ephemeral
    assert texts(listed.response)[0] == "### 1 feed"
    assert re.search(r" · asked <t:\d+:f>$", said(listed.response))
    assert len(written(server.channel)) == 2, "nothing was announced"
    assert [r.path for r in stand.server.requests] == ["/robots.txt", FEED, BRIDGE.path]


async def test_what_is_new_in_a_feed_comes_in_by_the_clock(world: World, stand: Newsstand) -> None:
    server = world.server()
    await follow(server, stand)
    stand.feed(stand.item(stand.publish(FERRY)), stand.item(BRIDGE))
    await world.env.advance_time(schedule._TICK + 1)
    assert len(stories(world, server.id)) == 1, "it is not due yet"
    make_due(world)
    await world.restart()
    await world.env.advance_time(schedule._TICK + 1)
    assert sorted(s.attribution.title for s in stories(world, server.id)) == [
        "Bridge opened",
        "Ferry sold",
    ]


async def test_a_story_that_changed_in_a_feed_marks_the_answers(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await follow(server, stand, announce=server.channel)
    answer = await ask(world, server)
    before = len(written(server.channel))
    changed = stand.publish(replace(LATER, modified_at="2025-03-05T09:00:00+00:00"))
    stand.feed(stand.item(changed), kind="atom")
    await poll(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert len(written(server.channel)) == before, "a change is not announced as new"


async def test_an_operators_feed_is_polled_and_nobody_is_told(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    followed(world, None, stand.url(FEED))
    await poll(world)
    assert [s.attribution.title for s in stories(world, None)] == ["Bridge opened"]
    stand.server.serve(FEED, status=410)
    await poll(world)
    assert feeds(world, None)[0].paused
    assert written(server.channel) == []


# --- announcing


async def test_what_is_new_is_announced_once_and_pings_nobody(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    news = server.guild.create_text_channel("news")
    result = await follow(server, stand, announce=news)
    assert f"announced in {news.mention}" in said(result.response)
    (message,) = written(news)
    assert texts(message) == [f"### New from {PUBLISHER}", "**“Bridge opened”**"]
    shown = await server.member.click(message, label="Show")
    assert answered(shown).ephemeral
    assert "### Bridge opened" in said(shown.response)

    shout = replace(FERRY, title="@everyone: <@&1> sold the ferry")
    stand.feed(stand.item(stand.publish(shout)), stand.item(BRIDGE))
    world.env.http_requests.clear()
    await poll(world)
    await poll(world)
    assert len(written(news)) == 2
    assert r"“\@everyone: \<\@&1\> sold the ferry”" in said(written(news)[-1])
    assert "Bridge" not in said(written(news)[-1])
    (sent,) = [r.json or {} for r in world.env.http_requests if r.method == "POST"]
    assert sent["allowed_mentions"] == {"parse": []}


async def test_of_many_new_stories_the_first_are_named_and_the_rest_counted(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    many = [replace(FERRY, slug=f"ferry-{n}", title=f"Ferry {n} sold") for n in range(11)]
    stand.feed(*(stand.item(story, whole=True) for story in many))
    await follow(server, stand, announce=server.channel)
    message = written(server.channel)[-1]
    assert labels(message) == ["Show"] * 8
    assert texts(message)[-1] == "-# and 3 more; `/article list` has them all"
    assert len(stories(world, server.id)) == 11


@pytest.mark.parametrize(
    "forbidden",
    [
        discord.PermissionOverwrite(send_messages=False),
        discord.PermissionOverwrite(view_channel=False),
    ],
)
async def test_a_channel_where_the_bot_may_not_write_is_refused_at_once(
    world: World, stand: Newsstand, forbidden: discord.PermissionOverwrite
) -> None:
    server = world.server()
    role = server.guild.roles["TestBot"]
    quiet = server.guild.create_text_channel("quiet", overwrites={role: forbidden})
    result = await follow(server, stand, announce=quiet)
    assert last_words(result) == (
        f"I may not write in {quiet.mention}. Let me, or choose another one."
    )
    assert feeds(world, server) == []
    assert stand.server.requests == []


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (500, 0)])
async def test_where_nothing_can_be_announced_any_more_stories_still_come_in(
    world: World, stand: Newsstand, status: int, code: int
) -> None:
    server = world.server()
    path = f"/channels/{server.channel.id}/messages"
    world.env.inject_error("POST", path, status=status, code=code)
    await follow(server, stand, announce=server.channel)
    assert len(stories(world, server.id)) == 1
    assert len(written(server.channel)) == 1
    await poll(world)
    assert len(written(server.channel)) == 1


# --- /feed test, list, pause, remove


async def test_a_trial_shows_what_is_in_it_and_stores_nothing(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    refused = stand.item(BRIDGE, url=None, guid="no-link", title="Nowhere")
    stand.feed(stand.item(FERRY, whole=True), stand.item(BRIDGE), refused)
    result = await server.contributor.slash(server.channel, "feed test", url=stand.url(FEED))
    shown = answered(result)
    assert shown.ephemeral
    assert texts(shown)[0] == f"### {PUBLISHER}\n3 items; nothing was stored."
    assert texts(shown)[1].startswith("**Ferry sold**\n-# <t:1741075200:f> · the whole text is")
    assert texts(shown)[2].endswith("· read from its page")
    assert "read from its page" not in texts(shown)[3], "it has no page"
    assert feeds(world, server) == []
    assert stories(world, server.id) == []
    assert stand.server.paths == [FEED]


async def test_the_list_has_pages_and_tells_how_each_feed_goes(world: World) -> None:
    server = world.server()
    empty = await server.contributor.slash(server.channel, "feed list")
    assert said(empty.response) == "No feed is followed here yet. Follow one with `/feed add`."
    for number in range(10):
        followed(world, server, f"https://example.org/{number}", title=f"Feed {number}")
    with closing(world.session(None)) as session:
        store = FeedStore(session.memory, str(server.id))
        paused, failing, *_ = store.all()
        store.pause(paused.id, "It was too loud.")
        with write(session.memory):
            problem = "UPDATE feeds SET problem = 'It is *down*.' WHERE id = ?"
            session.memory.execute(problem, [failing.id])
    result = await server.contributor.slash(server.channel, "feed list")
    page = texts(result.response)
    assert page[0] == "### 10 feeds"
    assert [line.split("\n")[0] for line in page[1:9]] == [f"**Feed {n}**" for n in range(8)]
    assert page[1].endswith("\n-# ⏸️ Paused: It was too loud.")
    assert page[2].endswith("\n-# ⚠️ It is \\*down\\*.")
    assert page[3].endswith(r"https\://example.org/2 · at most 50 stories a day · not asked yet")
    assert page[9] == "-# Page 1 of 2"
    assert labels(result.response) == ["Further"]
    await server.contributor.click(answered(result), label="Further")
    assert "**Feed 8**" in said(result.response)
    assert labels(result.response) == ["Back"]
    await server.contributor.click(answered(result), label="Back")
    assert "-# Page 1 of 2" in said(result.response)


async def test_a_paused_feed_is_not_asked_until_somebody_resumes_it(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await follow(server, stand)
    (feed,) = feeds(world, server)
    told = await server.contributor.slash(server.channel, "feed pause", feed=str(feed.id))
    assert answered(told).ephemeral
    assert said(told.response) == f"**{PUBLISHER}**: I no longer ask it."
    listed = await server.contributor.slash(server.channel, "feed list")
    assert "⏸️ Paused: Somebody paused it with \\`/feed pause\\`." in said(listed.response)
    await poll(world)
    assert len(stand.asked(FEED)) == 1
    stand.feed(stand.item(stand.publish(FERRY)), stand.item(BRIDGE))
    told = await server.contributor.slash(
        server.channel, "feed pause", feed=str(feed.id), resume=True
    )
    assert said(told.response) == f"**{PUBLISHER}**: I ask it again."
    await by_the_clock(world, world.client.schedule.poll_due)
    assert len(stand.asked(FEED)) == 2
    assert len(stories(world, server.id)) == 2


async def test_a_removed_feed_is_not_asked_and_its_stories_stay(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await follow(server, stand)
    told = await server.contributor.slash(server.channel, "feed remove", feed=PUBLISHER.upper())
    assert said(told.response) == (
        f"No longer following **{PUBLISHER}**. The stories that it brought stay."
    )
    await poll(world)
    assert len(stand.asked(FEED)) == 1
    assert len(stories(world, server.id)) == 1
    assert feeds(world, server) == []


@pytest.mark.parametrize("command", ["feed pause", "feed remove"])
async def test_a_feed_is_named_by_a_choice_or_by_what_it_is_called(
    world: World, command: str
) -> None:
    server, other = world.server(), world.server("Other")
    site = "https://example.org"
    own = followed(world, server, f"{site}/1", title="Ledger")
    followed(world, server, f"{site}/2", title="Gazette, " + "long " * 40)
    untitled = followed(world, server, f"{site}/3")
    theirs = followed(world, other, f"{site}/4", title="Ledger of the others")
    complete = server.contributor.autocomplete
    found = await complete(server.channel, command, "feed", "LED")
    assert [(c["name"], c["value"]) for c in found] == [("Ledger", str(own.id))]
    found = await complete(server.channel, command, "feed", "")
    assert [c["name"] for c in found][::2] == ["Ledger", untitled.url]
    assert all(len(c["name"]) <= 100 for c in found)
    for name in (str(theirs.id), theirs.title, "led", "0", " "):
        result = await server.contributor.slash(server.channel, command, feed=name)
        assert last_words(result) == NO_SUCH_FEED
    assert feeds(world, other) == [theirs]
    for name, words in ((" ledger ", "Ledger"), (untitled.url, r"https\://example.org/3")):
        result = await server.contributor.slash(server.channel, command, feed=name)
        assert f"**{words}**" in last_words(result)


async def test_choices_stay_within_what_discord_takes(world: World) -> None:
    server = world.server()
    for number in range(30):
        followed(world, server, f"https://example.org/{number}", title=f"Feed {number}")
    complete = server.contributor.autocomplete
    assert len(await complete(server.channel, "feed pause", "feed", "feed")) == 25
    assert len(await complete(server.channel, "feed pause", "feed", "feed 29")) == 1
