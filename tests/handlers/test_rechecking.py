"""A second look at a story's page: unchanged, changed, withdrawn, or not to be judged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data.database import write
from data.ingestion import Given
from data.models import Attribution, Revision
from handlers.rechecking import Look, Looked, look_again
from tests.data.web.server import WebServer
from tests.fakes import story
from tests.handlers.newsroom import (
    PAYWALL,
    Bench,
    Story,
    is_conditional,
    page_html,
    paragraph,
    walled_html,
)

FERRY = Story("ferry")
BRIDGE = Story("bridge", "Bridge opened")
CHANGED = replace(FERRY, version=2, modified_at="2025-03-05T09:00:00+00:00")


class _Shorter(Story):
    """A story that is shown without its last paragraph."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return super().paragraphs[:-1]


@pytest.fixture
async def stored(room: Bench) -> Revision:
    """The story on the ferry, as it was read from its page."""
    room.newsroom.publish(FERRY)
    return await _add(room, FERRY)


async def _add(room: Bench, story: Story, given: Given | None = None) -> Revision:
    page, draft = await room.web.story(room.newsroom.url(story), given or Given())
    indexer, rechecks = room.services.indexer, room.services.rechecks
    saved = indexer.add(draft, along=lambda r: rechecks.record(r.article_id, page))
    return saved.revision


async def _look(room: Bench, story: Revision) -> Looked:
    return await look_again(room.web, room.runner, "shared", room.page(story))


def _current(room: Bench, story: Revision) -> Revision:
    return room.services.articles.get(story.article_id)


def _withdrawn(room: Bench, story: Revision) -> bool:
    return room.services.standing.withdrawn_at(story.article_id) is not None


def _found(room: Bench, text: str) -> set[int]:
    """Return the revisions in which a search finds something."""
    return {passage.revision.id for passage in room.services.retriever.retrieve(text)}


def _edit(room: Bench, story: Revision, **corrected: str) -> Attribution:
    attribution = replace(_current(room, story).attribution, **corrected)
    room.services.indexer.edit(story.article_id, attribution)
    return attribution


# --- unchanged


async def test_a_page_is_asked_for_with_what_its_server_said_of_it(
    room: Bench, stored: Revision
) -> None:
    before = room.services.articles.token()
    assert await _look(room, stored) == Looked(stored.article_id, Look.SAME)
    assert [is_conditional(request) for request in room.newsroom.asked(FERRY)] == [False, True]
    assert room.services.articles.token() == before
    assert _current(room, stored) == stored


@pytest.mark.parametrize(
    "body",
    [
        page_html(FERRY, head="<meta name='build' content='2'>"),
        page_html(replace(FERRY, published_at="2025-06-01T08:00:00+00:00")),
        page_html(replace(FERRY, modified_at="2025-06-01T08:00:00+00:00")),
        page_html(replace(FERRY, author=None)),
    ],
    ids=["other markup", "later date", "touched", "byline gone"],
)
async def test_another_page_with_the_same_story_makes_no_version(
    room: Bench, stored: Revision, body: str
) -> None:
    room.newsroom.publish(FERRY, body)
    assert (await _look(room, stored)).look is Look.SAME
    assert room.versions(stored.article_id) == (stored,)
    etag = room.page(stored).etag
    assert (await _look(room, stored)).look is Look.SAME
    assert [r.headers.get("if-none-match") for r in room.newsroom.asked(FERRY)][2] == etag


async def test_a_look_is_remembered_and_the_next_one_is_later(
    room: Bench, stored: Revision
) -> None:
    rechecks = room.services.rechecks
    with write(room.services.db):
        room.services.db.execute("UPDATE pages SET next_check_at = '2025-01-01T00:00:00+00:00'")
    assert [page.article_id for page in rechecks.due(limit=5)] == [stored.article_id]
    await _look(room, stored)
    assert rechecks.due(limit=5) == []
    later = datetime.now(UTC) + timedelta(days=31)
    assert [page.article_id for page in rechecks.due(limit=5, now=later)] == [stored.article_id]


# --- changed


async def test_a_changed_text_is_a_new_version_and_the_old_one_is_found_no_more(
    room: Bench, stored: Revision
) -> None:
    room.newsroom.publish(CHANGED)
    assert await _look(room, stored) == Looked(stored.article_id, Look.CHANGED)
    old, new = room.versions(stored.article_id)
    assert (old, new.text) == (stored, CHANGED.text)
    assert new.modified_at == CHANGED.modified_at
    assert _found(room, FERRY.paragraphs[1]) == {new.id}
    assert (await _look(room, stored)).look is Look.SAME
    assert is_conditional(room.newsroom.asked(FERRY)[-1])


async def test_a_changed_headline_is_a_new_version(room: Bench, stored: Revision) -> None:
    room.newsroom.publish(replace(FERRY, title="Ferry leaves harbour"))
    assert (await _look(room, stored)).look is Look.CHANGED
    assert _current(room, stored).attribution.title == "Ferry leaves harbour"
    assert _current(room, stored).text == stored.text


async def test_a_page_that_moved_is_looked_at_where_it_is_now(
    room: Bench, stored: Revision, server: WebServer
) -> None:
    room.newsroom.publish(CHANGED, path="/moved")
    server.redirect(FERRY.path, "/moved", 301)
    assert (await _look(room, stored)).look is Look.CHANGED
    assert room.page(stored).url == server.url("/moved")
    assert (await _look(room, stored)).look is Look.SAME
    assert [is_conditional(request) for request in server.asked("/moved")] == [True, True]


async def test_a_page_that_moved_to_another_story_here_changes_nothing(
    room: Bench, stored: Revision, server: WebServer
) -> None:
    room.newsroom.publish(BRIDGE)
    bridge = await _add(room, BRIDGE)
    server.redirect(FERRY.path, BRIDGE.path, 301)
    looked = await _look(room, stored)
    assert (looked.look, looked.problem) == (Look.PROBLEM, "The page shows another story now.")
    assert room.page(stored).problem == looked.problem
    assert (_current(room, stored), _current(room, bridge)) == (stored, bridge)
    assert room.page(stored).url == server.url(FERRY.path)


@pytest.mark.parametrize("same", ["text", "title"])
async def test_a_page_that_moved_to_where_another_story_is_kept_stays_out_of_it(
    room: Bench, stored: Revision, server: WebServer, same: str
) -> None:
    """Whatever the two have in common: else one page would be the page of two stories."""
    other = Story("other", FERRY.title if same == "title" else "Other")
    told = FERRY if same == "text" else other
    room.newsroom.publish(other, page_html(told))
    kept = story(told.text, title="Kept", url=server.url(other.path))
    room.services.indexer.add(kept)
    server.redirect(FERRY.path, other.path, 301)
    assert (await _look(room, stored)).look is Look.PROBLEM
    assert room.versions(stored.article_id) == (stored,)


@pytest.mark.parametrize("same", ["text", "title", "most of the text", "nothing"])
async def test_a_page_that_moved_is_the_storys_where_it_shows_the_same_story(
    room: Bench, stored: Revision, server: WebServer, same: str
) -> None:
    unlike = replace(FERRY, slug="unlike", title="Another headline")
    now = {
        "text": replace(FERRY, title="Another headline"),
        "title": replace(unlike, title="FERRY stays in harbour "),
        "most of the text": _Shorter(FERRY.slug, "Another headline"),
    }.get(same, unlike)
    server.serve("/moved", page_html(now))
    server.redirect(FERRY.path, "/moved", 308)
    looked = await _look(room, stored)
    if same == "nothing":
        assert (looked.look, room.page(stored).url) == (Look.PROBLEM, server.url(FERRY.path))
        assert room.versions(stored.article_id) == (stored,)
    else:
        assert (looked.look, room.page(stored).url) == (Look.CHANGED, server.url("/moved"))
        assert _current(room, stored).text == now.text


# --- withdrawn


async def _withdraw(room: Bench, stored: Revision) -> None:
    room.newsroom.server.serve(FERRY.path, "Gone.", status=410)
    assert await _look(room, stored) == Looked(stored.article_id, Look.WITHDRAWN)
    assert _withdrawn(room, stored)
    assert _found(room, FERRY.paragraphs[1]) == set()
    assert _current(room, stored) == stored
    assert "410" in (room.page(stored).problem or "")


async def test_a_page_that_stays_away_stays_withdrawn(room: Bench, stored: Revision) -> None:
    await _withdraw(room, stored)
    since = room.services.standing.withdrawn_at(stored.article_id)
    await _withdraw(room, stored)
    assert room.services.standing.withdrawn_at(stored.article_id) == since
    room.newsroom.server.remove(FERRY.path)
    assert (await _look(room, stored)).look is Look.PROBLEM
    assert _withdrawn(room, stored)


@pytest.mark.parametrize(
    "back",
    [CHANGED, FERRY, replace(FERRY, modified_at=CHANGED.modified_at)],
    ids=["changed", "as it was", "touched"],
)
async def test_a_page_that_comes_back_puts_its_story_back(
    room: Bench, stored: Revision, back: Story
) -> None:
    """Some servers answer 410 by mistake, and have the very same page again a little later."""
    await _withdraw(room, stored)
    room.newsroom.publish(back)
    assert (await _look(room, stored)).look is Look.CHANGED
    assert not _withdrawn(room, stored)
    current = _current(room, stored)
    assert current.text == back.text
    assert _found(room, FERRY.paragraphs[0]) == {current.id}
    assert room.page(stored).problem is None


async def test_a_page_that_comes_back_by_way_of_a_feed_puts_its_story_back(
    room: Bench, stored: Revision
) -> None:
    await _withdraw(room, stored)
    room.newsroom.publish(FERRY)
    feed = room.follow(room.newsroom.feed(room.newsroom.item(FERRY)))
    await room.follower.poll(feed)
    assert not _withdrawn(room, stored)
    assert _found(room, FERRY.paragraphs[0]) == {_current(room, stored).id}


# --- not to be judged


def _spoil(room: Bench, server: WebServer, case: str) -> str:
    """Let a page be something else than its story; return a part of what is to be said."""
    other = page_html(CHANGED, canonical=server.url("/news/another"))
    bodies = {
        "paywall": (walled_html(FERRY), "subscribers"),
        "beginning and paywall": (
            page_html(FERRY).partition(f"<p>{FERRY.paragraphs[1]}")[0] + PAYWALL,
            "subscribers",
        ),
        "another story": (other, "another story"),
        "no text": ("<!doctype html><title>Ferry</title><body></body>", "no text"),
        "list": (_list_of_stories(server), "list of stories"),
    }
    if case in bodies:
        body, problem = bodies[case]
        room.newsroom.publish(FERRY, body)
        return problem
    if case == "redirect to the home page":
        server.redirect(FERRY.path, "/", 301)
        server.serve("/", _list_of_stories(server))
        return "home page"
    if case == "inside the network":
        server.redirect(FERRY.path, "http://10.0.0.1/", 301)
        return "public web"
    server.serve(FERRY.path, "Trouble.", status=int(case))
    return case


def _list_of_stories(server: WebServer) -> str:
    links = "".join(
        f'<li><a href="{server.url(f"/news/{n}")}">{paragraph(n, words=12)}</a></li>'
        for n in range(20)
    )
    head = '<title>News</title><meta property="og:type" content="website">'
    return f"<!doctype html><html><head>{head}</head><body><ul>{links}</ul></body></html>"


@pytest.mark.parametrize(
    "case",
    [
        *("404", "403", "451", "500", "503", "paywall", "beginning and paywall"),
        *("another story", "no text", "list", "redirect to the home page", "inside the network"),
    ],
)
async def test_a_page_that_cannot_be_judged_changes_nothing(
    room: Bench, stored: Revision, server: WebServer, case: str
) -> None:
    problem = _spoil(room, server, case)
    before = room.services.articles.token()
    looked = await _look(room, stored)
    assert (looked.article_id, looked.look) == (stored.article_id, Look.PROBLEM)
    assert problem in (looked.problem or "")
    assert room.page(stored).problem == looked.problem
    assert room.services.articles.token() == before
    assert room.versions(stored.article_id) == (stored,)
    room.newsroom.publish(CHANGED)
    assert (await _look(room, stored)).look is Look.CHANGED
    assert room.page(stored).problem is None


async def test_a_story_that_is_removed_while_its_page_is_looked_at_stays_removed(
    room: Bench, stored: Revision
) -> None:
    known = room.page(stored)
    room.newsroom.publish(CHANGED)
    room.services.indexer.remove(stored.article_id)
    looked = await look_again(room.web, room.runner, "shared", known)
    assert looked.look is Look.PROBLEM
    assert room.stories() == []


# --- what a person corrected


CORRECTIONS = {
    "title": "Ferry stays",
    "author": "A. Reed",
    "source": "The Ledger",
    "published_at": "2025-03-03",
}


@pytest.mark.parametrize(("name", "value"), CORRECTIONS.items())
async def test_what_a_person_corrected_stays_as_long_as_the_page_says_nothing_new_of_it(
    room: Bench, stored: Revision, name: str, value: str
) -> None:
    corrected = _edit(room, stored, **{name: value})
    room.newsroom.publish(FERRY, page_html(FERRY, head="<meta name='build' content='2'>"))
    assert (await _look(room, stored)).look is Look.SAME
    room.newsroom.publish(CHANGED)
    assert (await _look(room, stored)).look is Look.CHANGED
    assert _current(room, stored).attribution == corrected
    assert _current(room, stored).text == CHANGED.text


async def test_a_link_that_a_person_corrected_does_not_keep_changes_out(
    room: Bench, stored: Revision
) -> None:
    corrected = _edit(room, stored, url="https://ledger.example/ferry")
    room.newsroom.publish(CHANGED)
    assert (await _look(room, stored)).look is Look.CHANGED
    assert _current(room, stored).attribution == corrected
    assert _current(room, stored).text == CHANGED.text


async def test_the_publishers_own_correction_counts_where_nobody_here_said_otherwise(
    room: Bench, stored: Revision
) -> None:
    _edit(room, stored, title="Ferry stays")
    room.newsroom.publish(replace(FERRY, author="Tom Marsh", title="Ferry goes"))
    assert (await _look(room, stored)).look is Look.CHANGED
    a = _current(room, stored).attribution
    assert (a.author, a.title) == ("Tom Marsh", "Ferry stays")


async def test_what_a_person_said_when_adding_stays(room: Bench) -> None:
    room.newsroom.publish(FERRY)
    given = Given(title="Ferry stays", source="The Ledger", published_at="2025-03-03")
    story = await _add(room, FERRY, given)
    room.newsroom.publish(CHANGED)
    assert (await _look(room, story)).look is Look.CHANGED
    assert _current(room, story).attribution == story.attribution
    a = story.attribution
    assert (a.title, a.source, a.published_at) == (given.title, given.source, given.published_at)


# --- a story with more than one address


@pytest.fixture
async def phones(room: Bench) -> Revision:
    """A story that was added by the address of its page for phones."""
    room.newsroom.publish(FERRY)
    own = page_html(FERRY, canonical=room.newsroom.url(FERRY))
    room.newsroom.publish(FERRY, own, path="/amp")
    url = room.newsroom.url("/amp")
    page, draft = await room.web.story(url, Given())
    indexer, rechecks = room.services.indexer, room.services.rechecks
    return indexer.add(draft, along=lambda r: rechecks.record(r.article_id, page)).revision


async def test_a_story_stays_while_it_stands_at_one_of_its_addresses(
    room: Bench, phones: Revision
) -> None:
    room.newsroom.server.serve("/amp", "Gone.", status=410)
    assert (await _look(room, phones)).look is Look.SAME
    assert not _withdrawn(room, phones)
    assert room.page(phones).url == room.newsroom.url(FERRY)
    room.newsroom.publish(CHANGED)
    assert (await _look(room, phones)).look is Look.CHANGED


async def test_a_story_that_is_gone_at_all_its_addresses_is_withdrawn(
    room: Bench, phones: Revision
) -> None:
    for path in ("/amp", FERRY.path):
        room.newsroom.server.serve(path, "Gone.", status=410)
    assert (await _look(room, phones)).look is Look.WITHDRAWN
    assert _withdrawn(room, phones)


async def test_nothing_is_withdrawn_while_one_of_its_addresses_cannot_be_judged(
    room: Bench, phones: Revision
) -> None:
    room.newsroom.server.serve("/amp", "Gone.", status=410)
    room.newsroom.server.serve(FERRY.path, "Trouble.", status=500)
    assert (await _look(room, phones)).look is Look.PROBLEM
    assert not _withdrawn(room, phones)
    assert "500" in (room.page(phones).problem or "")


@pytest.mark.parametrize("status", [404, 403])
async def test_a_story_that_is_gone_is_not_kept_by_an_address_where_it_is_not(
    room: Bench, phones: Revision, status: int
) -> None:
    room.newsroom.server.serve("/amp", "Gone.", status=410)
    room.newsroom.server.serve(FERRY.path, "Not here.", status=status)
    assert (await _look(room, phones)).look is Look.WITHDRAWN
