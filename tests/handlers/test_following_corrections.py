"""What a feed's item does to a story that is here: corrected, gone, back, and whose text counts."""

from dataclasses import replace

import pytest

from data.database import write
from data.followed import FollowedFeed, Outcome
from data.ingestion import Given
from data.models import Revision
from handlers.polls import Poll
from handlers.rechecking import Look, look_again
from tests.data.web.server import WebServer
from tests.fakes import story
from tests.handlers.newsroom import (
    FEED,
    Bench,
    Story,
    is_conditional,
    page_html,
    paragraph,
)

FERRY = Story("ferry")
BRIDGE = Story("bridge", "Bridge opened")
CHANGED = replace(FERRY, version=2)
MOVED_DATE = "2025-06-01T08:00:00+00:00"
# What a page has beside the text that its feed carries.
CAPTION = f"<p>{paragraph('caption', words=20)}</p>"


async def _poll(room: Bench, feed: FollowedFeed) -> Poll:
    return await room.follower.poll(room.now(feed))


def _outcomes(poll: Poll) -> list[Outcome]:
    return [taken.outcome for taken in poll.taken]


async def _follow(room: Bench, *stories: Story, whole: bool = False) -> FollowedFeed:
    """Publish stories, and follow the feed with them."""
    for one in stories:
        room.newsroom.publish(one)
    items = [room.newsroom.item(one, whole=whole) for one in stories]
    feed = room.follow(room.newsroom.feed(*items))
    await _poll(room, feed)
    return feed


async def _add(room: Bench, one: Story, body: str | None = None) -> Revision:
    """Publish a story and add it by its address, as a person does."""
    room.newsroom.publish(one, body)
    page, draft = await room.web.story(room.newsroom.url(one), Given())
    rechecks = room.services.rechecks
    saved = room.services.indexer.add(draft, along=lambda r: rechecks.record(r.article_id, page))
    return saved.revision


def _withdrawn(room: Bench, article_id: str) -> bool:
    return room.services.standing.withdrawn_at(article_id) is not None


def _texts(room: Bench, article_id: str) -> list[str]:
    return [version.text for version in room.versions(article_id)]


# --- gone


async def test_an_item_whose_page_is_gone_takes_its_story_out_of_the_index(room: Bench) -> None:
    feed = await _follow(room, FERRY)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    room.newsroom.feed(room.newsroom.item(FERRY, published_at=MOVED_DATE))
    poll = await _poll(room, feed)
    assert [(t.outcome, t.article_id) for t in poll.taken] == [(Outcome.REFUSED, stored.article_id)]
    assert _withdrawn(room, stored.article_id)
    assert "410" in (room.page(stored).problem or "")
    assert room.seen(feed)["tag:ferry"].article_id == stored.article_id


async def test_an_item_whose_page_is_only_missing_leaves_its_story_as_it_is(room: Bench) -> None:
    feed = await _follow(room, FERRY)
    (stored,) = room.stories()
    room.newsroom.server.remove(FERRY.path)
    room.newsroom.feed(room.newsroom.item(FERRY, published_at=MOVED_DATE))
    assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    assert not _withdrawn(room, stored.article_id)
    assert "404" in (room.page(stored).problem or "")


async def test_a_new_address_that_is_gone_takes_the_story_out_too(room: Bench) -> None:
    feed = await _follow(room, FERRY)
    (stored,) = room.stories()
    room.newsroom.server.serve("/news/new", "Gone.", status=410)
    room.newsroom.feed(room.newsroom.item(FERRY, url=room.newsroom.url("/news/new")))
    await _poll(room, feed)
    assert not _withdrawn(room, stored.article_id), "it stands where it stood"
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    room.newsroom.feed(
        room.newsroom.item(FERRY, url=room.newsroom.url("/news/new"), published_at=MOVED_DATE)
    )
    await _poll(room, feed)
    assert _withdrawn(room, stored.article_id)


# --- whose text counts


async def test_a_feeds_text_is_no_correction_of_a_text_that_was_read_from_the_page(
    room: Bench,
) -> None:
    stored = await _add(room, FERRY, page_html(FERRY, below=CAPTION))
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY, whole=True)))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    room.newsroom.feed(room.newsroom.item(FERRY, whole=True, title="Ferry stays"))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    assert room.versions(stored.article_id) == (stored,)
    assert [is_conditional(r) for r in room.newsroom.asked(FERRY)] == [False, True, True]


async def test_an_item_with_a_whole_text_is_a_reason_to_look_at_the_page(room: Bench) -> None:
    stored = await _add(room, FERRY, page_html(FERRY, below=CAPTION))
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY, whole=True)))
    await _poll(room, feed)
    room.newsroom.publish(CHANGED, page_html(CHANGED, below=CAPTION))
    room.newsroom.feed(room.newsroom.item(CHANGED, whole=True))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    assert len(_texts(room, stored.article_id)) == 2
    (now,) = room.stories()
    assert now.text.startswith(CHANGED.text)
    assert now.text != CHANGED.text, "it has what stands on the page alone"


async def test_a_page_is_not_compared_with_the_text_that_a_feed_brought(room: Bench) -> None:
    feed = await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.publish(FERRY, page_html(FERRY, below=CAPTION))
    looked = await look_again(room.web, room.runner, "shared", room.page(stored))
    assert looked.look is Look.PROBLEM
    assert "not read from it" in (looked.problem or "")
    assert room.page(stored).problem is None
    assert room.versions(stored.article_id) == (stored,)
    room.newsroom.feed(room.newsroom.item(CHANGED, whole=True))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    assert _texts(room, stored.article_id) == [FERRY.text, CHANGED.text]


async def test_a_story_from_a_feed_is_withdrawn_when_its_page_is_gone(room: Bench) -> None:
    await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    looked = await look_again(room.web, room.runner, "shared", room.page(stored))
    assert looked.look is Look.WITHDRAWN
    assert _withdrawn(room, stored.article_id)


@pytest.mark.parametrize("status", [404, 500])
async def test_a_story_from_a_feed_stays_where_its_page_only_fails(
    room: Bench, status: int
) -> None:
    await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Trouble.", status=status)
    looked = await look_again(room.web, room.runner, "shared", room.page(stored))
    assert looked.look is Look.PROBLEM
    assert str(status) in (room.page(stored).problem or "")
    assert not _withdrawn(room, stored.article_id)


async def test_what_a_person_adds_by_its_address_is_read_from_the_page_from_then_on(
    room: Bench,
) -> None:
    feed = await _follow(room, FERRY, whole=True)
    added = await _add(room, FERRY, page_html(FERRY, below=CAPTION))
    assert room.page(added).was_read
    room.newsroom.feed(room.newsroom.item(FERRY, whole=True, title="Ferry stays"))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    (now,) = room.stories()
    assert now.text == added.text


async def test_what_a_page_said_of_itself_is_not_sent_for_a_text_from_elsewhere(
    room: Bench,
) -> None:
    """Else the page would be told to be unchanged for ever, whatever is stored."""
    stored = await _add(room, FERRY)
    url = room.newsroom.url(FERRY)
    pasted = story("Bob Ray sold the ferry.", title=FERRY.title, url=url)
    assert room.services.indexer.add(pasted).revision.article_id == stored.article_id
    page = room.page(stored)
    assert (page.was_read, page.etag, page.last_modified) == (False, None, None)
    looked = await look_again(room.web, room.runner, "shared", page)
    assert looked.look is Look.PROBLEM
    assert [r for r in room.newsroom.asked(FERRY) if is_conditional(r)] == []


# --- addresses


async def test_validators_are_not_sent_to_another_address(room: Bench, server: WebServer) -> None:
    """Many servers count versions, so that two pages have the same ETag."""
    server.serve(FERRY.path, page_html(FERRY), etag='"1"')
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)))
    await _poll(room, feed)
    server.serve("/news/corrected", page_html(CHANGED), etag='"1"')
    room.newsroom.feed(room.newsroom.item(FERRY, url=server.url("/news/corrected")))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    (stored,) = room.stories()
    assert stored.text == CHANGED.text
    assert room.page(stored).url == server.url("/news/corrected")
    assert [is_conditional(r) for r in server.asked("/news/corrected")] == [False]


async def test_a_story_that_was_read_from_its_page_is_read_at_its_new_address_too(
    room: Bench,
) -> None:
    stored = await _add(room, FERRY)
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY, whole=True)))
    await _poll(room, feed)
    url = room.newsroom.url("/news/new")
    body = page_html(CHANGED, canonical=url, below=CAPTION)
    room.newsroom.publish(CHANGED, body, path="/news/new")
    room.newsroom.feed(room.newsroom.item(CHANGED, whole=True, url=url))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    (now,) = room.stories()
    assert now.article_id == stored.article_id
    assert now.text != CHANGED.text, "it has what stands on the page alone"
    assert (room.page(now).url, room.page(now).was_read) == (url, True)


async def test_an_item_that_leads_to_another_story_does_not_overwrite_its_own(
    room: Bench,
) -> None:
    feed = await _follow(room, FERRY, BRIDGE)
    stored = room.stories()
    url = room.newsroom.url(BRIDGE)
    room.newsroom.feed(room.newsroom.item(FERRY, url=url), room.newsroom.item(BRIDGE))
    poll = await _poll(room, feed)
    assert _outcomes(poll) == [Outcome.REFUSED]
    assert "another story" in (poll.taken[0].reason or "")
    assert room.stories() == stored


async def test_an_item_whose_page_was_sent_on_to_another_story_changes_nothing(
    room: Bench, server: WebServer
) -> None:
    feed = await _follow(room, FERRY)
    stored = room.stories()
    room.newsroom.publish(BRIDGE)
    server.redirect(FERRY.path, BRIDGE.path, 301)
    room.newsroom.feed(room.newsroom.item(FERRY, published_at=MOVED_DATE))
    assert _outcomes(await _poll(room, feed)) == [Outcome.REFUSED]
    assert room.stories() == stored


# --- corrections first


def _many(count: int) -> list[Story]:
    return [Story(f"fact-{number}", f"Fact number {number}") for number in range(count)]


async def test_corrections_do_not_wait_behind_the_daily_limit(room: Bench) -> None:
    room.newsroom.publish(FERRY)
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)), daily_limit=1)
    await _poll(room, feed)
    (stored,) = room.stories()
    facts = [room.newsroom.publish(fact) for fact in _many(3)]
    room.newsroom.publish(CHANGED)
    corrected = room.newsroom.item(CHANGED, published_at=MOVED_DATE)
    room.newsroom.feed(*(room.newsroom.item(fact) for fact in facts), corrected)
    poll = await _poll(room, feed)
    assert (_outcomes(poll), poll.waiting) == ([Outcome.CHANGED], 3)
    assert _texts(room, stored.article_id) == [FERRY.text, CHANGED.text]


async def test_a_correction_takes_no_new_storys_place(room: Bench) -> None:
    feed = await _follow(room, FERRY)
    with write(room.memory):
        room.memory.execute("UPDATE feed_items SET taken_at = '2024-01-01T00:00:00+00:00'")
        room.memory.execute("UPDATE feeds SET daily_limit = 1")
    (fact,) = _many(1)
    stories = [room.newsroom.publish(one) for one in (fact, CHANGED)]
    room.newsroom.feed(*(room.newsroom.item(one, published_at=MOVED_DATE) for one in stories))
    poll = await _poll(room, feed)
    assert (_outcomes(poll), poll.waiting) == ([Outcome.CHANGED, Outcome.NEW], 0)


# --- withdrawn, removed, and back


async def test_a_feed_does_not_bring_a_withdrawn_story_back_while_its_page_is_gone(
    room: Bench,
) -> None:
    feed = await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    await look_again(room.web, room.runner, "shared", room.page(stored))
    for one in (replace(FERRY, published_at=MOVED_DATE), CHANGED):
        room.newsroom.feed(room.newsroom.item(one, whole=True))
        assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
        assert _withdrawn(room, stored.article_id)
    assert _texts(room, stored.article_id) == [FERRY.text]
    room.newsroom.publish(CHANGED)
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED], "it waited for the page"
    assert not _withdrawn(room, stored.article_id)
    assert room.page(stored).problem is None
    assert _texts(room, stored.article_id) == [FERRY.text, CHANGED.text]


async def test_a_story_from_a_feed_is_back_with_its_page(room: Bench) -> None:
    await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Gone by mistake.", status=410)
    await look_again(room.web, room.runner, "shared", room.page(stored))
    assert _withdrawn(room, stored.article_id)
    room.newsroom.publish(FERRY)
    looked = await look_again(room.web, room.runner, "shared", room.page(stored))
    assert looked.look is Look.CHANGED
    assert not _withdrawn(room, stored.article_id)
    assert set(_texts(room, stored.article_id)) == {FERRY.text}


async def test_a_withdrawn_story_waits_for_its_page_where_that_fails(room: Bench) -> None:
    feed = await _follow(room, FERRY, whole=True)
    (stored,) = room.stories()
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    await look_again(room.web, room.runner, "shared", room.page(stored))
    room.newsroom.server.serve(FERRY.path, "Trouble.", status=500)
    room.newsroom.feed(room.newsroom.item(CHANGED, whole=True))
    assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    assert _withdrawn(room, stored.article_id)
    room.newsroom.publish(CHANGED, page_html(CHANGED, below=CAPTION))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    assert _texts(room, stored.article_id) == [FERRY.text, CHANGED.text]


@pytest.mark.parametrize("how", ["by its address", "as a text"])
async def test_a_removed_story_that_somebody_added_again_is_its_items_story_again(
    room: Bench, how: str
) -> None:
    feed = await _follow(room, FERRY)
    room.services.indexer.remove(room.stories()[0].article_id)
    room.newsroom.feed(room.newsroom.item(FERRY, published_at=MOVED_DATE))
    (taken,) = (await _poll(room, feed)).taken
    assert "removed here" in (taken.reason or "")
    if how == "by its address":
        added = await _add(room, FERRY)
    else:
        url = room.newsroom.url(FERRY)
        added = room.services.indexer.add(story("It stays.", url=url)).revision
    room.newsroom.publish(BRIDGE)
    items = [room.newsroom.item(FERRY, published_at=MOVED_DATE), room.newsroom.item(BRIDGE)]
    room.newsroom.feed(*items)
    await _poll(room, feed)
    seen = room.seen(feed)["tag:ferry"]
    assert (seen.article_id, seen.reason) == (added.article_id, None)
    assert len(room.stories()) == 2
    assert len(room.newsroom.asked(FEED)) == 3
