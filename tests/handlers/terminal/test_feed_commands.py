"""`feed add|list|test|poll|pause|resume|remove`, in words and in JSON."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.data.web.server import WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import (
    DATE,
    FEED,
    PUBLISHER,
    Newsroom,
    Story,
    is_conditional,
    on_the_web,
    page_html,
    served,
    walled_html,
)

FERRY = Story("ferry")
BRIDGE = Story("bridge", "Bridge opened")
WALLED = Story("walled", "Mine to close")
FEED_KEYS = [
    *("id", "url", "title", "daily_limit", "paused", "problem", "failures", "polled_at"),
    *("next_poll_at", "not_taken", "newest_not_taken"),
]
POLL_KEYS = [
    *("feed", "url", "unchanged", "problem", "paused", "new", "changed", "same", "refused"),
    *("failed", "waiting", "later", "left_out", "items"),
]
ITEM_KEYS = ["title", "url", "outcome", "reason", "article_id"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with served() as running:
        on_the_web(monkeypatch, running)
        yield running


@pytest.fixture
def newsroom(server: WebServer) -> Newsroom:
    """A publisher with a feed of two stories and one that is not free."""
    made = Newsroom(server)
    made.publish(WALLED, walled_html(WALLED))
    for story in (FERRY, BRIDGE):
        made.publish(story)
    made.feed(*(made.item(story) for story in (FERRY, BRIDGE, WALLED)))
    return made


@pytest.fixture
def url(newsroom: Newsroom) -> str:
    return newsroom.url(FEED)


def _titles(terminal: Terminal, *words: str) -> set[str]:
    return {story["title"] for story in terminal("articles", "--json", *words).json}


def _feeds(terminal: Terminal, *words: str) -> list[Any]:
    found: list[Any] = terminal("feed", "list", "--json", *words).json
    return found


def _say_something_new(newsroom: Newsroom) -> None:
    """Publish a correction, another story, and a second one of the two in the feed."""
    changed = newsroom.publish(replace(FERRY, version=2, title="Ferry leaves"))
    opera = newsroom.publish(Story("opera", "Opera sold out"))
    newsroom.feed(*(newsroom.item(story) for story in (opera, changed, BRIDGE, WALLED)))


# --- add


def test_a_feed_that_is_added_brings_its_stories(terminal: Terminal, url: str) -> None:
    found = terminal("feed", "add", url)
    assert f"Following 1: {PUBLISHER}" in found.out
    assert f"{PUBLISHER}: 2 new, 0 changed, 0 same, 1 refused, 0 failed." in found.out
    assert f"{WALLED.title}: The page shows only the beginning of its story" in found.err
    assert _titles(terminal) == {FERRY.title, BRIDGE.title}


def test_json_says_what_became_of_each_item(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    found = terminal("feed", "add", url, "--json").json
    assert list(found) == POLL_KEYS
    counts = ("new", "changed", "same", "refused", "failed", "waiting", "left_out")
    assert [found[name] for name in counts] == [2, 0, 0, 1, 0, 0, 0]
    assert (found["feed"], found["url"]) == (1, url)
    assert (found["unchanged"], found["problem"], found["paused"]) == (False, None, None)
    assert [list(item) for item in found["items"]] == [ITEM_KEYS] * 3
    assert [item["outcome"] for item in found["items"]] == ["new", "new", "refused"]
    assert [item["url"] for item in found["items"]] == [
        newsroom.url(story) for story in (FERRY, BRIDGE, WALLED)
    ]
    ids = {story["id"] for story in terminal("articles", "--json").json}
    assert {item["article_id"] for item in found["items"]} == {*ids, None}


def test_a_feed_is_followed_once(terminal: Terminal, url: str) -> None:
    terminal("feed", "add", url)
    found = terminal("feed", "add", url, code=1)
    assert found.err == "That feed is followed already.\n"
    assert len(_feeds(terminal)) == 1


def test_the_daily_limit_leaves_the_rest_for_tomorrow(terminal: Terminal, url: str) -> None:
    found = terminal("feed", "add", url, "--daily-limit", "1")
    assert ": 1 new," in found.out
    assert "2 items wait for tomorrow: its limit of 1 a day." in found.err
    assert terminal("feed", "poll", "--json").json["waiting"] == 2
    assert _feeds(terminal)[0]["daily_limit"] == 1


def test_no_request_but_the_first_one_is_without_conditions(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    terminal("feed", "add", url)
    terminal("feed", "poll")
    terminal("feed", "poll", url)
    conditional = [is_conditional(request) for request in newsroom.asked(FEED)]
    assert conditional == [False] + [True] * (len(conditional) - 1)
    assert len(newsroom.asked(FERRY)) == 1


def test_a_feed_that_moved_is_followed_where_it_is(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    newsroom.server.redirect("/old", FEED, 301)
    newsroom.server.redirect("/for-now", FEED, 302)
    terminal("feed", "add", newsroom.url("/old"))
    terminal("feed", "add", newsroom.url("/for-now"))
    assert [feed["url"] for feed in _feeds(terminal)] == [url, newsroom.url("/for-now")]


# --- list, test


def test_the_list_says_where_feeds_are_and_how_they_do(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    terminal("feed", "add", url)
    newsroom.server.serve(FEED, "Trouble.", status=500)
    terminal("feed", "poll", code=1)
    (feed,) = _feeds(terminal)
    assert list(feed) == FEED_KEYS
    assert (feed["id"], feed["url"], feed["title"]) == (1, url, PUBLISHER)
    assert (feed["failures"], feed["paused"]) == (1, None)
    assert feed["polled_at"] < feed["next_poll_at"]
    found = terminal("feed", "list")
    assert f"1  {PUBLISHER}  {url}  (polled {feed['polled_at']})" in found.out
    assert "500" in found.err


def test_the_list_says_which_items_were_not_taken_and_why(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    lost = newsroom.item(WALLED, url=None, summary="", guid="lost")
    newsroom.feed(newsroom.item(FERRY), lost)
    terminal("feed", "add", url)
    (feed,) = _feeds(terminal)
    (item,) = feed["newest_not_taken"]
    assert feed["not_taken"] == 1
    assert (item["guid"], item["outcome"]) == ("lost", "refused")
    assert item["reason"]
    told = " ".join(terminal("feed", "list").out.split())
    assert f"not taken: 1 item • {item['title'] or 'lost'}: {item['reason']}" in told


def test_an_empty_list_says_how_to_follow_one(terminal: Terminal) -> None:
    found = terminal("feed", "list")
    assert (found.out, "feed add URL" in found.err) == ("", True)
    assert _feeds(terminal) == []
    assert "feed add URL" in terminal("feed", "poll").err
    assert terminal("feed", "poll", "--json").out == ""


def test_trying_one_out_shows_its_items_and_stores_nothing(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    whole = newsroom.item(BRIDGE, whole=True, published_at=None)
    lost = newsroom.item(WALLED, url=None, summary="", guid="lost")
    newsroom.feed(newsroom.item(FERRY), whole, lost)
    found = terminal("feed", "test", url, "--json").json
    assert (found["title"], found["left_out"]) == (PUBLISHER, 0)
    assert found["items"][0] == {
        "title": FERRY.title,
        "url": newsroom.url(FERRY),
        "published_at": DATE,
        "text": "summary",
        "reason": None,
    }
    assert [item["text"] for item in found["items"]] == ["summary", "full", "summary"]
    assert "neither a link nor a text" in found["items"][2]["reason"]
    words = terminal("feed", "test", url).out
    assert f"{PUBLISHER}: 3 items" in words
    assert f"{DATE}  {FERRY.title}  (from its page)" in words
    assert f"no date  {BRIDGE.title}  (whole text)" in words
    assert (_feeds(terminal), newsroom.asked(FERRY)) == ([], [])
    assert not (terminal.home / "collections").exists()


# --- poll


def test_a_poll_brings_what_is_new_and_what_changed(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    terminal("feed", "add", url)
    _say_something_new(newsroom)
    assert ": 1 new, 1 changed, 0 same, 0 refused, 0 failed." in terminal("feed", "poll").out
    assert terminal("feed", "poll").out == f"{PUBLISHER}: nothing new.\n"
    found = terminal("feed", "poll", "--json").json
    assert (found["unchanged"], found["items"]) == (True, [])
    assert _titles(terminal) == {"Ferry leaves", BRIDGE.title, "Opera sold out"}


def test_feeds_are_polled_by_name_or_all(terminal: Terminal, newsroom: Newsroom, url: str) -> None:
    newsroom.feed(path="/other", title="The Gazette")
    other = newsroom.url("/other")
    for each in (url, other):
        terminal("feed", "add", each)
    assert [line["feed"] for line in terminal("feed", "poll", "--json").lines] == [1, 2]
    assert [line["feed"] for line in terminal("feed", "poll", other, "1", "--json").lines] == [2, 1]


def test_a_failing_feed_does_not_keep_the_others_back(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    newsroom.feed(path="/other", title="The Gazette")
    terminal("feed", "add", newsroom.url("/other"))
    terminal("feed", "add", url)
    newsroom.server.serve("/other", page_html(FERRY))
    _say_something_new(newsroom)
    found = terminal("feed", "poll", code=1)
    assert "The Gazette: This is a web page, not a feed." in found.err
    assert ": 1 new," in found.out
    lines = terminal("feed", "poll", "--json", code=1).lines
    assert [line["problem"] for line in lines] == ["This is a web page, not a feed.", None]


def test_a_feed_that_is_gone_is_paused_and_told(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    terminal("feed", "add", url)
    newsroom.server.serve(FEED, "Gone.", status=410)
    assert "gone for good (410)" in terminal("feed", "poll", code=1).err
    assert "(paused)" in terminal("feed", "list").out
    assert _titles(terminal) == {FERRY.title, BRIDGE.title}


# --- pause, resume, remove


@pytest.mark.parametrize("by_url", [False, True])
def test_a_paused_feed_is_polled_when_it_is_named_or_resumed(
    terminal: Terminal, newsroom: Newsroom, url: str, by_url: bool
) -> None:
    name = url if by_url else "1"
    terminal("feed", "add", url)
    assert terminal("feed", "pause", name).out == f"Paused {PUBLISHER}.\n"
    assert "Somebody paused it." in terminal("feed", "list").err
    requests = len(newsroom.asked(FEED))
    assert terminal("feed", "poll", "--json").out == ""
    assert len(newsroom.asked(FEED)) == requests
    assert terminal("feed", "poll", name, "--json").json["unchanged"]
    assert _feeds(terminal)[0]["paused"] == "Somebody paused it."
    assert terminal("feed", "resume", name).out == f"Resumed {PUBLISHER}.\n"
    assert _feeds(terminal)[0]["paused"] is None
    assert terminal("feed", "poll", "--json").json["unchanged"]


def test_a_removed_feed_leaves_its_stories(
    terminal: Terminal, newsroom: Newsroom, url: str
) -> None:
    terminal("feed", "add", url)
    found = terminal("feed", "remove", "1")
    assert found.out == f"No longer following {PUBLISHER}. Its stories stay.\n"
    assert _feeds(terminal) == []
    assert _titles(terminal) == {FERRY.title, BRIDGE.title}
    again = terminal("feed", "add", url, "--json").json
    assert (again["feed"], again["same"], again["new"]) == (2, 2, 0)
    assert [is_conditional(request) for request in newsroom.asked(FERRY)] == [False, True]


def test_each_collection_has_feeds_of_its_own(terminal: Terminal, url: str) -> None:
    terminal("feed", "add", url)
    other = ("--collection", "other")
    assert _feeds(terminal, *other) == []
    for words in (["poll", "1"], ["pause", "1"], ["resume", url], ["remove", url]):
        assert "is followed here" in terminal("feed", *words, *other, code=1).err
    terminal("feed", "add", url, *other)
    assert [feed["id"] for feed in _feeds(terminal)] == [1]
    assert [feed["id"] for feed in _feeds(terminal, *other)] == [2]
    assert _titles(terminal, *other) == _titles(terminal) == {FERRY.title, BRIDGE.title}


# --- what is wrong


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add"], 2, "URL"),
        (["add", "{feed}", "--daily-limit", "many"], 2, "--daily-limit"),
        (["add", "{feed}", "--daily-limit", "0"], 1, "1 to 500 stories a day"),
        (["add", "{feed}", "--daily-limit", "501"], 1, "1 to 500 stories a day"),
        (["add", "{feed}", "--collection", "samples"], 1, "stay as they are"),
        (["add", "{feed}", "--collection", "No/Name"], 1, "collection"),
        (["add", "{page}"], 1, "web page, not a feed. It names a feed: {feed}"),
        (["add", "{away}"], 1, "404"),
        (["add", "feed.xml"], 1, "no address of a web page"),
        (["add", "http://127.0.0.1:1/feed"], 1, "port 1"),
        (["add", "http://192.168.0.1/feed"], 1, "public web"),
        (["test", "{page}"], 1, "web page, not a feed"),
        (["test", "http://[::1]/feed"], 1, "public web"),
        (["poll", "7"], 1, "No feed '7' is followed here."),
        (["pause", "{feed}"], 1, "is followed here"),
        (["resume", ""], 1, "is followed here"),
        (["remove", "1"], 1, "is followed here"),
        (["remove"], 2, "ID|URL"),
        (["nope"], 2, "nope"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_ends_in_a_sentence(
    terminal: Terminal, newsroom: Newsroom, url: str, words: list[str], code: int, said: str
) -> None:
    link = f'<link rel="alternate" type="application/rss+xml" href="{FEED}">'
    newsroom.server.serve("/page", page_html(FERRY, head=link))
    places = {"feed": url, "page": newsroom.url("/page"), "away": newsroom.url("/away")}
    found = terminal("feed", *(word.format_map(places) for word in words), code=code)
    assert said.format_map(places) in found.err
    assert (found.out, "incident" in found.err) == ("", False)
    assert _feeds(terminal) == []
    assert _titles(terminal) == set()


def test_nothing_inside_the_network_is_reached(terminal: Terminal, newsroom: Newsroom) -> None:
    with served() as canary:
        canary.serve("/", "<rss version='2.0'><channel><title>Inside</title></channel></rss>")
        newsroom.server.redirect("/inside", canary.url("/"), 301)
        for address in (canary.url("/"), newsroom.url("/inside")):
            for command in ("add", "test"):
                assert "public web" in terminal("feed", command, address, code=1).err
        newsroom.feed(newsroom.item(FERRY, url=canary.url("/")))
        found = terminal("feed", "add", newsroom.url(FEED), "--json").json
        assert found["items"][0]["outcome"] == "failed"
        assert "public web" in found["items"][0]["reason"]
        assert canary.connections == 0
