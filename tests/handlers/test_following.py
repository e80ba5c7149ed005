"""What a poll of a feed does: what it takes, what it refuses and why, and when it asks again."""

from contextlib import suppress
from dataclasses import replace

import pytest

from data.database import write
from data.errors import StorageError, UnavailableError
from data.extraction.reading import Reading
from data.followed import FollowedFeed, Outcome
from handlers.entries import MAX_TRIES_OF_TROUBLE
from handlers.polls import Poll
from tests.handlers.newsroom import (
    FEED,
    PUBLISHER,
    Bench,
    Item,
    Newsroom,
    Story,
    is_conditional,
    paragraph,
    walled_html,
)

FERRY = Story("ferry")
BRIDGE = Story("bridge", "Bridge opened")
FACTS = [Story(f"fact-{number}", f"Fact number {number}") for number in range(5)]
KINDS = [pytest.param(False, id="a summary"), pytest.param(True, id="whole text")]


async def _poll(room: Bench, feed: FollowedFeed) -> Poll:
    return await room.follower.poll(room.now(feed))


def _outcomes(poll: Poll) -> list[Outcome]:
    return [taken.outcome for taken in poll.taken]


def _listed(newsroom: Newsroom, *stories: Story, whole: bool = False) -> str:
    """Publish stories on their pages and in the feed."""
    for story in stories:
        newsroom.publish(story)
    return newsroom.feed(*(newsroom.item(story, whole=whole) for story in stories))


# --- what is taken


@pytest.mark.parametrize("whole", KINDS)
async def test_an_entry_becomes_a_story_with_all_that_is_known_of_it(
    room: Bench, whole: bool
) -> None:
    feed = room.follow(_listed(room.newsroom, FERRY, whole=whole))
    poll = await _poll(room, feed)
    (story,) = room.stories()
    a = story.attribution
    assert story.text == FERRY.text
    assert (a.title, a.source, a.author) == (FERRY.title, PUBLISHER, FERRY.author)
    assert (a.published_at, a.url) == (FERRY.published_at, room.newsroom.url(FERRY))
    assert [(t.outcome, t.article_id, t.reason) for t in poll.taken] == [
        (Outcome.NEW, story.article_id, None)
    ]
    assert len(room.newsroom.asked(FERRY)) == (0 if whole else 1)
    assert (room.now(feed).title, room.now(feed).problem) == (PUBLISHER, None)


@pytest.mark.parametrize("whole", KINDS)
async def test_a_change_makes_a_version_that_says_when_its_publisher_made_it(
    room: Bench, whole: bool
) -> None:
    feed = room.follow(_listed(room.newsroom, FERRY, whole=whole))
    await _poll(room, feed)
    changed = replace(FERRY, version=2, modified_at="2025-03-05T09:00:00+00:00")
    room.newsroom.publish(changed)
    room.newsroom.feed(room.newsroom.item(changed, whole=whole), kind="atom")
    poll = await _poll(room, feed)
    (story,) = room.stories()
    assert [(t.outcome, t.article_id) for t in poll.taken] == [(Outcome.CHANGED, story.article_id)]
    assert [v.text for v in room.versions(story.article_id)] == [FERRY.text, changed.text]
    assert story.modified_at == changed.modified_at
    assert [is_conditional(r) for r in room.newsroom.asked(FERRY)] == ([] if whole else [0, 1])


async def test_an_unchanged_feed_stores_nothing(room: Bench) -> None:
    feed = room.follow(_listed(room.newsroom, FERRY, BRIDGE))
    await _poll(room, feed)
    before, seen = room.services.articles.token(), room.seen(feed)
    poll = await _poll(room, feed)
    assert (poll.unchanged, poll.taken, poll.problem) == (True, [], None)
    assert (room.services.articles.token(), room.seen(feed)) == (before, seen)
    assert [is_conditional(r) for r in room.newsroom.asked(FEED)] == [False, True]
    assert len(room.newsroom.asked(FERRY)) == len(room.newsroom.asked(BRIDGE)) == 1


async def test_an_entry_without_a_link_is_known_by_its_name_in_its_feed(room: Bench) -> None:
    def item(version: int) -> Item:
        story = replace(FERRY, version=version)
        return room.newsroom.item(story, whole=True, guid="1", url=None)

    first = room.follow(room.newsroom.feed(item(1)))
    second = room.follow(room.newsroom.feed(item(3), path="/other"))
    await _poll(room, first)
    await _poll(room, second)
    room.newsroom.feed(item(2))
    poll = await _poll(room, first)
    assert _outcomes(poll) == [Outcome.CHANGED]
    texts = [[v.text for v in room.versions(s.article_id)] for s in room.stories()]
    wanted = [replace(FERRY, version=version).text for version in (1, 2, 3)]
    assert sorted(texts) == sorted([wanted[:2], wanted[2:]])


@pytest.mark.parametrize("tail", ["", "?utm_source=rss", "#top"])
@pytest.mark.parametrize("whole", KINDS)
async def test_two_entries_with_one_address_are_one_story(
    room: Bench, whole: bool, tail: str
) -> None:
    room.newsroom.publish(FERRY)
    one = room.newsroom.item(FERRY, whole=whole)
    other = replace(one, guid="other", url=f"{one.url}{tail}")
    feed = room.follow(room.newsroom.feed(one, other))
    poll = await _poll(room, feed)
    assert _outcomes(poll) == [Outcome.NEW, Outcome.SAME]
    (story,) = room.stories()
    assert len(room.versions(story.article_id)) == 1
    assert {seen.article_id for seen in room.seen(feed).values()} == {story.article_id}


@pytest.mark.parametrize("whole", KINDS)
async def test_a_story_in_two_feeds_is_one_story(room: Bench, whole: bool) -> None:
    url = _listed(room.newsroom, FERRY, whole=whole)
    room.newsroom.feed(room.newsroom.item(FERRY, whole=whole, guid="7"), path="/other")
    feeds = [room.follow(url), room.follow(room.newsroom.url("/other"))]
    outcomes = [_outcomes(await _poll(room, feed)) for feed in feeds]
    assert outcomes == [[Outcome.NEW], [Outcome.SAME]]
    assert len(room.stories()) == 1
    assert [is_conditional(r) for r in room.newsroom.asked(FERRY)] == ([] if whole else [0, 1])


@pytest.mark.parametrize("whole", KINDS)
async def test_a_story_whose_link_somebody_corrected_is_not_taken_twice(
    room: Bench, whole: bool
) -> None:
    feed = room.follow(_listed(room.newsroom, FERRY, whole=whole))
    await _poll(room, feed)
    (story,) = room.stories()
    corrected = replace(story.attribution, url="https://ledger.example/ferry")
    room.services.indexer.edit(story.article_id, corrected)
    changed = replace(FERRY, version=2, title="Ferry leaves")
    _listed(room.newsroom, changed, whole=whole)
    await _poll(room, feed)
    (now,) = room.stories()
    assert (now.article_id, now.text) == (story.article_id, changed.text)
    assert now.attribution == replace(corrected, title=changed.title)


async def test_a_page_that_the_feed_links_to_by_a_detour_is_asked_for_with_conditions_again(
    room: Bench,
) -> None:
    """Many feeds link to a counter, which answers with a permanent redirect."""
    room.newsroom.publish(FERRY)
    room.newsroom.server.redirect("/count/1", FERRY.path, 301)
    item = room.newsroom.item(FERRY, url=room.newsroom.url("/count/1"))
    feed = room.follow(room.newsroom.feed(item))
    await _poll(room, feed)
    room.newsroom.feed(replace(item, summary="In other words."))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    assert [is_conditional(r) for r in room.newsroom.asked(FERRY)] == [False, True]


# --- what is not taken, and why


def _refuse(room: Bench, case: str) -> tuple[Item, str]:
    """Publish an entry that cannot be taken; return it with a part of the reason."""
    newsroom, server, item = room.newsroom, room.newsroom.server, room.newsroom.item(FERRY)
    page = "<!doctype html><title>{}</title><body><main>{}</main>"
    long = "".join(f"<p>{paragraph(number)}</p>" for number in range(400))
    bodies = {
        "a paywall": (walled_html(FERRY), "subscribers"),
        "no text": (page.format("Ferry", '<img src="ferry.jpg">'), "no text"),
        "hardly any": (page.format("Ferry", "<p>The ferry sank.</p>"), "hardly any text"),
        "too long": (page.format("Ferry", long), "longer than 100,000"),
    }
    if case in bodies:
        body, reason = bodies[case]
        newsroom.publish(FERRY, body)
        return item, reason
    if case == "a picture":
        server.serve(FERRY.path, b"\xff\xd8", type="image/jpeg")
        return item, "image/jpeg"
    if case in ("404", "410"):
        server.serve(FERRY.path, "Away.", status=int(case))
        return item, f"({case})"
    if case == "robots.txt":
        server.serve("/robots.txt", "User-agent: *\nDisallow: /news/ferry", type="text/plain")
        newsroom.publish(FERRY)
        return item, "robots.txt"
    if case == "inside the network":
        return replace(item, url="http://192.168.1.1/ferry"), "public web"
    if case == "no link":
        return replace(item, url=None), "without a link to the whole story"
    return replace(item, url=None, summary=""), "neither a link nor a text"


REFUSED = [
    *("a paywall", "no text", "hardly any", "too long", "a picture", "404", "410"),
    *("inside the network", "robots.txt", "no link", "nothing at all"),
]


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_story_is_refused_with_the_reason_and_left_alone(
    room: Bench, case: str
) -> None:
    item, reason = _refuse(room, case)
    room.newsroom.publish(BRIDGE)
    feed = room.follow(room.newsroom.feed(item, room.newsroom.item(BRIDGE)))
    for _ in range(3):  # robots.txt and addresses inside may be read otherwise a little later
        poll = await _poll(room, feed)
        if poll.unchanged:
            break
    seen = room.seen(feed)[item.guid]
    assert (seen.outcome, seen.article_id) == (Outcome.REFUSED, None)
    assert reason in (seen.reason or "")
    assert [story.text for story in room.stories()] == [BRIDGE.text]
    requests = len(room.newsroom.asked(FERRY))
    assert (await _poll(room, feed)).unchanged
    assert len(room.newsroom.asked(FERRY)) == requests <= 3


async def test_a_refused_entry_that_changes_is_looked_at_again(room: Bench) -> None:
    room.newsroom.publish(FERRY, walled_html(FERRY))
    item = room.newsroom.item(FERRY)
    feed = room.follow(room.newsroom.feed(item))
    assert _outcomes(await _poll(room, feed)) == [Outcome.REFUSED]
    room.newsroom.publish(FERRY)
    room.newsroom.feed(replace(item, summary="Free to read now."))
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]
    assert room.seen(feed)[item.guid].reason is None


async def test_a_page_that_is_not_there_is_tried_three_times_and_then_given_up(
    room: Bench,
) -> None:
    room.newsroom.server.serve(FERRY.path, "Not yet.", status=404)
    room.newsroom.publish(BRIDGE)
    items = [room.newsroom.item(story) for story in (FERRY, BRIDGE)]
    feed = room.follow(room.newsroom.feed(*items))
    outcomes = [_outcomes(await _poll(room, feed)) for _ in range(4)]
    failed = [Outcome.FAILED]
    assert outcomes == [[*failed, Outcome.NEW], failed, [Outcome.REFUSED], []]
    assert len(room.newsroom.asked(FERRY)) == 3
    assert len(room.newsroom.asked(BRIDGE)) == 1
    assert "404" in (room.seen(feed)[items[0].guid].reason or "")
    assert (await _poll(room, feed)).unchanged


async def test_a_sites_own_trouble_is_waited_for_about_a_day(room: Bench) -> None:
    room.newsroom.server.serve(FERRY.path, "Trouble.", status=500)
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)))
    outcomes = [_outcomes(await _poll(room, feed)) for _ in range(MAX_TRIES_OF_TROUBLE)]
    assert outcomes == [[Outcome.FAILED]] * (MAX_TRIES_OF_TROUBLE - 1) + [[Outcome.REFUSED]]
    assert (await _poll(room, feed)).unchanged
    assert len(room.newsroom.asked(FERRY)) == MAX_TRIES_OF_TROUBLE


async def test_what_a_site_does_not_want_read_is_asked_for_once(room: Bench) -> None:
    room.newsroom.server.serve("/robots.txt", "User-agent: *\nDisallow: /news", type="text/plain")
    feed = room.follow(_listed(room.newsroom, FERRY))
    assert _outcomes(await _poll(room, feed)) == [Outcome.REFUSED]


async def test_a_page_that_recovers_is_taken(room: Bench) -> None:
    room.newsroom.server.serve(FERRY.path, "Trouble.", status=503)
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)))
    assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    room.newsroom.publish(FERRY)
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]


async def test_an_entry_that_changed_has_three_tries_of_its_own(room: Bench) -> None:
    room.newsroom.server.serve(FERRY.path, "Not yet.", status=404)
    item = room.newsroom.item(FERRY)
    feed = room.follow(room.newsroom.feed(item))
    await _poll(room, feed)
    await _poll(room, feed)
    room.newsroom.feed(replace(item, summary="In other words."))
    outcomes = [_outcomes(await _poll(room, feed)) for _ in range(3)]
    assert outcomes == [[Outcome.FAILED], [Outcome.FAILED], [Outcome.REFUSED]]


@pytest.mark.parametrize("trouble", ["disk", "stop"])
async def test_trouble_of_our_own_is_no_reason_to_refuse_an_entry(
    room: Bench, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """The disk is full, or the bot is stopped while it reads the page."""
    feed = room.follow(_listed(room.newsroom, FERRY))
    with monkeypatch.context() as patched:
        if trouble == "disk":
            patched.setattr(room.services.indexer, "add", _disk_is_full)
        else:
            stopped = Reading()
            stopped.close()
            patched.setattr(room.web._reading, "extract", stopped.extract)
        with suppress(StorageError, UnavailableError):
            await _poll(room, feed)
    for _ in range(2):
        await _poll(room, feed)
    assert [story.text for story in room.stories()] == [FERRY.text]


def _disk_is_full(*_: object, **__: object) -> None:
    raise StorageError("The disk is full.")


# --- how many a day


async def test_what_exceeds_the_daily_limit_waits_for_the_next_day(room: Bench) -> None:
    room.newsroom.publish(FERRY, walled_html(FERRY))  # a refused one does not count
    for story in FACTS:
        room.newsroom.publish(story)
    stories = (FERRY, *FACTS)
    url = room.newsroom.feed(*(room.newsroom.item(story) for story in stories))
    feed = room.follow(url, daily_limit=2)
    counts = []
    for _ in range(3):
        poll = await _poll(room, feed)
        again = await _poll(room, feed)
        assert (again.waiting, again.taken) == (poll.waiting, [])
        counts.append((poll.count(Outcome.NEW), poll.count(Outcome.REFUSED), poll.waiting))
        _let_a_day_pass(room)
    assert counts == [(2, 1, 3), (2, 0, 1), (1, 0, 0)]
    assert [s.attribution.title for s in room.stories()] == [fact.title for fact in FACTS]
    assert (await _poll(room, feed)).unchanged
    assert all(len(room.newsroom.asked(story)) == 1 for story in stories)


async def test_the_limit_of_a_feed_is_its_own(room: Bench) -> None:
    one = room.follow(_listed(room.newsroom, *FACTS[:2], whole=True), daily_limit=1)
    items = [room.newsroom.item(story, whole=True) for story in FACTS[2:]]
    other = room.follow(room.newsroom.feed(*items, path="/other"), daily_limit=2)
    waiting = [(await _poll(room, feed)).waiting for feed in (one, other)]
    assert waiting == [1, 1]
    assert len(room.stories()) == 3


async def test_entries_beyond_the_most_that_are_read_are_counted(room: Bench) -> None:
    items = [Item(str(number), room.newsroom.url(f"/{number}")) for number in range(503)]
    room.newsroom.publish(FERRY)
    url = room.newsroom.feed(room.newsroom.item(FERRY), *items, kind="json")
    poll = await _poll(room, room.follow(url, daily_limit=1))
    assert (poll.count(Outcome.NEW), poll.waiting, poll.left_out) == (1, 499, 4)


def _let_a_day_pass(room: Bench) -> None:
    with write(room.memory):
        room.memory.execute("UPDATE feed_items SET taken_at = datetime(taken_at, '-1 day')")


# --- what was removed here


@pytest.mark.parametrize("whole", KINDS)
async def test_a_story_that_was_removed_here_does_not_come_back(room: Bench, whole: bool) -> None:
    feed = room.follow(_listed(room.newsroom, FERRY, BRIDGE, whole=whole))
    await _poll(room, feed)
    room.services.indexer.remove(room.stories()[0].article_id)
    for version in (1, 2, 3):
        changed = replace(FERRY, version=version, title=f"Ferry, part {version}")
        _listed(room.newsroom, BRIDGE, changed, whole=whole)
        poll = await _poll(room, feed)
        assert _outcomes(poll) in ([], [Outcome.REFUSED])
        assert all("removed here" in (taken.reason or "") for taken in poll.taken)
    assert [story.text for story in room.stories()] == [BRIDGE.text]
    assert room.seen(feed)[room.newsroom.item(FERRY).guid].outcome is Outcome.REFUSED


async def test_it_does_not_come_back_as_long_as_it_is_in_the_feed(room: Bench) -> None:
    """Some feeds list their entries for years."""
    feed = room.follow(_listed(room.newsroom, FERRY))
    await _poll(room, feed)
    room.services.indexer.remove(room.stories()[0].article_id)
    for stories in ((FERRY, FACTS[0]), (FERRY, FACTS[1]), (FERRY, FACTS[2])):
        with write(room.memory):
            room.memory.execute("UPDATE feed_items SET seen_at = datetime(seen_at, '-100 days')")
        _listed(room.newsroom, *stories)
        await _poll(room, feed)
    assert FERRY.title not in [story.attribution.title for story in room.stories()]
