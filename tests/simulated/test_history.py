"""/article history and its buttons, and /article check: what became of a story's page."""

import re
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from data.domains import DomainStore
from data.pages import Page
from tests.data.web.server import WebServer
from tests.handlers.newsroom import page_html, walled_html
from tests.simulated.newsstand import BRIDGE, DEARER, FERRY, LATER, Newsstand, last_words, publisher
from tests.simulated.test_answer_buttons import FIRST, ask
from tests.simulated.test_corrections import NO_LONGER, STILL, marks, now
from tests.simulated.test_stories import answered, only_story, stories
from tests.simulated.world import Server, World, labels, said, texts

OPERATORS = "That story is the operator's, who shares it with every server. It stays as it is."
NONE_HERE = "There is no such story here. Choose one from the list."
SAME = "The page says what is stored."


@pytest.fixture(autouse=True)
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    """The publisher's server, there before the bot is."""
    async with publisher(monkeypatch) as server:
        yield server


@pytest.fixture
def stand(world: World, web: WebServer) -> Newsstand:
    return Newsstand(world, web)


async def history(server: Server, article: str) -> Any:
    """Return what a member is shown of a story's versions."""
    result = await server.member.slash(server.channel, "article history", article=article)
    return result.response


async def check(server: Server, article: str = "bridge") -> str:
    """Return what a contributor is told who lets a story's page be looked at."""
    result = await server.contributor.slash(server.channel, "article check", article=article)
    last = (result.followups or [answered(result)])[-1]
    assert last.ephemeral
    return last_words(result)


# --- /article history


async def test_a_story_of_one_version_says_so(world: World, stand: Newsstand) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    shown = await history(server, "bridge")
    assert shown.ephemeral
    head, difference = texts(shown)
    assert head.startswith(
        "### Bridge opened\n**The Larkmoor Ledger** · Ann Reed · <t:1741075200:f>"
    )
    assert re.search(r"-# Version 1 of 1, stored <t:\d+:f>$", head)
    assert difference == "The first version that was stored."
    assert labels(shown) == ["Show the story"]


async def test_the_versions_are_turned_over_and_show_what_each_changed(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    stand.publish(replace(DEARER, modified_at="2025-03-05T09:00:00+00:00"))
    await stand.look_again(server)
    article = only_story(world, server).article_id
    await server.contributor.slash(
        server.channel, "article edit", article=article, source="The Gazette"
    )
    shown = await history(server, article)
    assert "Version 3 of 3" in said(shown)
    assert texts(shown)[1] == (
        "**publisher**: The Larkmoor Ledger → The Gazette\n-# The text is the same."
    )
    assert labels(shown) == ["Version before", "Show the story"]

    await server.member.click(shown, label="Version before")
    assert "Version 2 of 3" in said(shown)
    assert "Changed by its publisher <t:1741165200:f>" in said(shown)
    assert texts(shown)[1] == (
        f"➖ taken out\n> {FIRST} It cost four million crowns.\n\n"
        f"➕ put in\n> {FIRST} It cost five million crowns.\n\n"
        "-# 2 paragraphs are the same."
    )
    assert labels(shown) == ["Version before", "Version after", "Show the story"]

    await world.restart()
    await server.member.click(shown, label="Version before")
    assert "Version 1 of 3" in said(shown)
    assert labels(shown) == ["Version after", "Show the story"]
    await server.member.click(shown, label="Version after")
    await server.member.click(shown, label="Version after")
    assert "Version 3 of 3" in said(shown)
    await server.member.click(shown, label="Show the story")
    assert "3 versions, this one stored" in said(shown)
    assert f"> {FIRST} It cost five million crowns." in said(shown)


async def test_a_page_of_the_history_that_is_gone_shows_the_oldest(world: World) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    for day in ("Monday", "Tuesday", "Friday"):
        story = world.add(server.id, f"Ann Lee opened the bridge on {day}.", url=url)
    shown = await history(server, story.article_id)
    await server.member.click(shown, label="Version before")
    with closing(world.session(server.id)) as session:
        session.writable.indexer.remove(story.article_id)
    late = await server.member.click(shown, label="Version before")
    assert last_words(late) == NONE_HERE


async def test_a_withdrawn_story_says_so_in_its_history(world: World, stand: Newsstand) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    stand.withdraw(BRIDGE)
    await stand.look_again(server)
    shown = await history(server, only_story_even_withdrawn(world, server))
    assert re.search(r"⚠️ Its publisher withdrew it; seen <t:\d+:f>\.", said(shown))
    assert "Version 1 of 1" in said(shown)


def only_story_even_withdrawn(world: World, server: Server) -> str:
    with closing(world.session(server.id)) as session:
        rows = list(session.writable.db.query("SELECT id FROM articles"))
        assert len(rows) == 1
        return str(rows[0]["id"])


async def test_what_stood_in_a_story_cannot_become_a_mention_or_a_link(world: World) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    world.add(server.id, "@everyone [win](https://evil.example)", url=url, title="Bridge")
    world.add(server.id, "<@&1> ||now||", url=url, title="*Bridge*")
    shown = said(await history(server, "bridge"))
    assert r"> \@everyone \[win\](https\://evil.example)" in shown
    assert r"> \<\@&1\> \|\|now\|\|" in shown
    assert r"**headline**: Bridge → \*Bridge\*" in shown


async def test_the_history_of_an_operators_story_is_open_to_every_server(world: World) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    world.add(None, "Ann Lee opened the bridge.", url=url, title="Shared")
    world.add(None, "Bob Ray opened the bridge.", url=url, title="Shared")
    shown = await history(server, "shared")
    assert "Version 2 of 2" in said(shown)
    await server.member.click(shown, label="Version before")
    assert "Version 1 of 2" in said(shown)


@pytest.mark.parametrize("command", ["article history", "article check"])
async def test_another_servers_story_and_none_at_all_are_not_there(
    world: World, command: str
) -> None:
    server, other = world.server(), world.server("Other")
    theirs = world.add(other.id, FIRST, title="Theirs")
    for name in (theirs.article_id, "theirs", "zoo", " "):
        result = await server.contributor.slash(server.channel, command, article=name)
        assert last_words(result) == NONE_HERE
    found = await server.contributor.autocomplete(server.channel, command, "article", "")
    assert found == []


async def test_titles_are_completed_for_those_who_may_use_them(world: World) -> None:
    server = world.server()
    own = world.add(server.id, FIRST, title="Bridge opened")
    shared = world.add(None, FIRST, title="Bridge shared")
    for who, command, expected in (
        (server.member, "article history", [own, shared]),
        (server.contributor, "article check", [own]),
        (server.member, "article check", []),
    ):
        found = await who.autocomplete(server.channel, command, "article", "bridge")
        assert [c["value"] for c in found] == [story.article_id for story in expected]


# --- /article check


async def test_a_page_that_is_as_it_was_is_said(world: World, stand: Newsstand) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    before = only_story(world, server)
    assert await check(server) == SAME
    assert "if-none-match" in stand.asked(BRIDGE)[-1].headers
    stand.publish(BRIDGE, page_html(BRIDGE, below="<!-- printed anew -->"))
    assert await check(server) == SAME
    assert only_story(world, server).id == before.id


@pytest.mark.parametrize(("later", "mark"), [(DEARER, STILL), (LATER, NO_LONGER)])
async def test_a_page_that_changed_is_stored_shown_and_said_in_earlier_answers(
    world: World, stand: Newsstand, later: Any, mark: str
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    stand.publish(later)
    words = await check(server)
    assert "Version 2 of 2" in words
    assert "➖ taken out" in words
    assert f"➕ put in\n> {later.told[0]}" in words
    assert re.fullmatch(mark, marks(now(world, answer))[0] or "")
    assert only_story(world, server).text == later.text


async def test_a_page_that_is_gone_for_good_withdraws_its_story(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    stand.withdraw(BRIDGE)
    article = only_story(world, server).article_id
    assert await check(server, article) == (
        "The page is gone for good, so the story is withdrawn: it is no longer quoted."
    )
    assert "withdrew the story" in (marks(now(world, answer))[0] or "")
    assert "Its publisher withdrew it" in said(await history(server, article))
    assert FIRST not in said(await ask(world, server)).replace("*", "")

    stand.publish(LATER)
    assert "Version 2 of 2" in await check(server, article)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert "Tuesday" in said(await ask(world, server))


@pytest.mark.parametrize(
    ("page", "status", "why"),
    [
        (None, 404, "has no page at this address (404)."),
        (None, 500, "has trouble of its own (500). Try again later."),
        (walled_html(BRIDGE), 200, "The page shows only the beginning of its story"),
        (page_html(FERRY, canonical="/news/ferry"), 200, "The page shows another story now."),
        ("", 200, "."),
    ],
)
async def test_a_page_that_cannot_be_judged_leaves_the_story_as_it_is(
    world: World, stand: Newsstand, page: str | None, status: int, why: str
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    before = only_story(world, server)
    answer = await ask(world, server)
    stand.server.serve(BRIDGE.path, page or "", status=status)
    words = await check(server)
    assert why in words
    assert words.endswith(".")
    assert not [untold for untold in ("Traceback", "incident", "Error") if untold in words]
    assert only_story(world, server).id == before.id
    assert marks(now(world, answer)) == [None]


async def test_a_story_that_came_from_no_page_has_nothing_to_look_at(world: World) -> None:
    server = world.server()
    world.add(server.id, FIRST, title="Bridge", url="https://example.org/bridge")
    assert await check(server) == (
        "That story was not read from a page, so there is nothing to look at."
    )


async def test_an_operators_story_is_not_looked_at_for_a_server(world: World) -> None:
    server = world.server()
    shared = world.add(None, FIRST, title="Shared")
    assert await check(server, shared.article_id) == OPERATORS


async def test_an_operators_page_is_looked_at_by_the_clock(world: World, stand: Newsstand) -> None:
    server, other = world.server(), world.server("Other")
    await stand.add(server, BRIDGE)
    with closing(world.session(server.id)) as session:
        own = session.writable
        page = own.rechecks.get(only_story(world, server).article_id)
        assert page is not None
        shared = world.add(None, BRIDGE.text, title=BRIDGE.title, url=page.url)
        session.shared.rechecks.record(shared.article_id, Page(b"", page.url, page.url))
    answer = await ask(world, other)
    stand.publish(LATER)
    await stand.look_again(None)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    assert stories(world, server.id)[0].text == BRIDGE.text, "the server's own is due by itself"


async def test_a_story_that_is_removed_while_its_page_is_read_stays_removed(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    article = only_story(world, server).article_id
    stand.publish(LATER)
    read = world.client._web.page

    async def removed_meanwhile(*given: Any) -> Any:
        with closing(world.session(server.id)) as session:
            session.writable.indexer.remove(article)
        return await read(*given)

    world.client._web.page = removed_meanwhile  # type: ignore[method-assign, assignment]
    assert "incident" not in await check(server)
    assert stories(world, server.id) == []


async def test_a_domain_that_the_operator_took_out_is_not_asked(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    world.add(server.id, FIRST, title="Bridge", url="https://example.org/a")
    with closing(world.session(server.id)) as session:
        (article,) = [s.article_id for s in session.writable.articles.current()]
        url = "https://example.org/a"
        session.writable.rechecks.record(article, Page(b"", url, url))
        DomainStore(session.memory).refuse("example.org")
    words = await check(server)
    assert "example.org" in words
    assert words.endswith(".")
    assert "incident" not in words
