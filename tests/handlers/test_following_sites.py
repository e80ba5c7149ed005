"""Whose word counts where a feed links to another site: that site's, as long as there is one."""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp.abc import ResolveResult

from data.addresses import HostRules
from data.followed import FollowedFeed, Outcome
from data.ingestion import Given
from data.web.connecting import SystemResolver
from handlers.polls import Poll
from tests.data.web.server import WebServer
from tests.handlers.newsroom import FEED, Bench, Newsroom, Story, is_conditional

FERRY = Story("ferry")
CHANGED = replace(FERRY, version=2)


async def _poll(room: Bench, feed: FollowedFeed) -> Poll:
    return await room.follower.poll(room.now(feed))


def _outcomes(poll: Poll) -> list[Outcome]:
    return [taken.outcome for taken in poll.taken]


def _texts(room: Bench, article_id: str) -> list[str]:
    return [version.text for version in room.versions(article_id)]


@pytest.fixture
async def elsewhere(room: Bench) -> AsyncIterator[Newsroom]:
    """Another publisher, on a site of its own."""
    async with WebServer("127.0.0.2") as other:
        hosts = (room.newsroom.server.host, other.host)
        room.web._fetcher._rules = HostRules(allowed=hosts)
        yield Newsroom(other)


async def test_a_feed_puts_no_words_under_another_sites_link(
    room: Bench, elsewhere: Newsroom
) -> None:
    elsewhere.publish(FERRY)
    forged = room.newsroom.item(
        FERRY, whole=True, url=elsewhere.url(FERRY), paragraphs=CHANGED.paragraphs
    )
    feed = room.follow(room.newsroom.feed(forged))
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]
    (stored,) = room.stories()
    assert (stored.text, stored.attribution.url) == (FERRY.text, elsewhere.url(FERRY))
    room.newsroom.feed(replace(forged, title="The truth at last"))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    assert _texts(room, stored.article_id) == [FERRY.text]


async def test_a_feed_changes_no_story_of_another_site(room: Bench, elsewhere: Newsroom) -> None:
    elsewhere.publish(FERRY)
    page, draft = await room.web.story(elsewhere.url(FERRY), Given())
    services = room.services
    services.indexer.add(draft, along=lambda r: services.rechecks.record(r.article_id, page))
    forged = room.newsroom.item(
        FERRY, whole=True, url=elsewhere.url(FERRY), paragraphs=CHANGED.paragraphs
    )
    feed = room.follow(room.newsroom.feed(forged))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    assert [story.text for story in room.stories()] == [FERRY.text]


async def test_a_page_of_another_site_that_is_missing_is_not_made_up_for(
    room: Bench, elsewhere: Newsroom
) -> None:
    item = room.newsroom.item(FERRY, whole=True, url=elsewhere.url(FERRY))
    feed = room.follow(room.newsroom.feed(item))
    assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    assert room.stories() == []


async def test_a_link_that_leads_nowhere_is_no_reason_to_leave_a_whole_text_out(
    room: Bench,
) -> None:
    item = room.newsroom.item(FERRY, whole=True, url="http://192.168.1.1/ferry")
    feed = room.follow(room.newsroom.feed(item))
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]
    room.newsroom.feed(replace(item, paragraphs=CHANGED.paragraphs))
    assert _outcomes(await _poll(room, feed)) == [Outcome.CHANGED]
    (stored,) = room.stories()
    assert _texts(room, stored.article_id) == [FERRY.text, CHANGED.text]


@pytest.mark.parametrize("way", ["the page", "robots.txt"])
async def test_a_site_that_sends_elsewhere_is_there_all_the_same(
    room: Bench, elsewhere: Newsroom, way: str
) -> None:
    """The host to which it sends does not exist; the one that is named does."""
    elsewhere.publish(FERRY)
    path = FERRY.path if way == "the page" else "/robots.txt"
    elsewhere.server.redirect(path, "http://192.168.1.1/out")
    item = room.newsroom.item(FERRY, whole=True, url=elsewhere.url(FERRY))
    feed = room.follow(room.newsroom.feed(item))
    assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    assert room.stories() == []


class Hiccup(SystemResolver):
    """Name servers that cannot be asked for one host for a while."""

    down = True

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host == "other.example":
            if self.down:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = "127.0.0.2"
        return await super().resolve(host, port, family)


@pytest.fixture
def hiccup(room: Bench, elsewhere: Newsroom) -> Hiccup:
    """The other site under a name that is not to be had now."""
    port, resolver = elsewhere.server.port, Hiccup()
    hosts = (room.newsroom.server.host, f"other.example:{port}")
    room.web._fetcher._rules = HostRules(allowed=hosts)
    room.web._fetcher._resolver = resolver
    elsewhere.publish(FERRY)
    return resolver


async def test_a_name_that_cannot_be_looked_up_is_waited_for(
    room: Bench, elsewhere: Newsroom, hiccup: Hiccup
) -> None:
    url = f"http://other.example:{elsewhere.server.port}{FERRY.path}"
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY, url=url)))
    for _ in range(5):
        assert _outcomes(await _poll(room, feed)) == [Outcome.FAILED]
    hiccup.down = False
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]


async def test_a_text_that_came_from_the_feed_stays_the_feeds(
    room: Bench, elsewhere: Newsroom, hiccup: Hiccup
) -> None:
    """The two differ a little, which is no change of the publisher's."""
    url = f"http://other.example:{elsewhere.server.port}{FERRY.path}"
    item = room.newsroom.item(FERRY, whole=True, url=url, paragraphs=CHANGED.paragraphs)
    feed = room.follow(room.newsroom.feed(item))
    assert _outcomes(await _poll(room, feed)) == [Outcome.NEW]
    hiccup.down = False
    room.newsroom.feed(replace(item, published_at="2025-03-05T08:00:00+00:00"))
    assert _outcomes(await _poll(room, feed)) == [Outcome.SAME]
    (stored,) = room.stories()
    assert _texts(room, stored.article_id) == [CHANGED.text]


async def test_a_feed_is_not_asked_whole_for_a_text_that_counts_on_its_page_only(
    room: Bench, elsewhere: Newsroom
) -> None:
    elsewhere.publish(FERRY)
    item = room.newsroom.item(FERRY, whole=True, url=elsewhere.url(FERRY))
    feed = room.follow(room.newsroom.feed(item))
    await _poll(room, feed)
    elsewhere.server.serve(FERRY.path, "Trouble.", status=500)
    room.newsroom.feed(replace(item, title="New"))
    for _ in range(4):
        await _poll(room, feed)
    assert [is_conditional(r) for r in room.newsroom.asked(FEED)] == [False] + [True] * 4
