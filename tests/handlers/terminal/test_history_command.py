"""`history` and `check`: what a story said before, and what its page says now."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from data.collections import Collections
from data.database import write
from tests.data.web.server import WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import (
    Newsroom,
    Story,
    is_conditional,
    on_the_web,
    page_html,
    served,
    walled_html,
)
from tests.handlers.terminal.test_records import ARTICLE_KEYS

FERRY = Story("ferry")
CHANGED = replace(FERRY, version=2, modified_at="2025-03-05T09:00:00+00:00")
RENAMED = replace(CHANGED, title="Ferry leaves harbour")
BRIDGE = Story("bridge", "Bridge opened")
VERSION_KEYS = [
    *ARTICLE_KEYS,
    "revision_id",
    "stored_at",
    "modified_at",
    "sha256",
    "changes",
    "details",
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with served() as running:
        on_the_web(monkeypatch, running)
        yield running


@pytest.fixture
def newsroom(server: WebServer) -> Newsroom:
    return Newsroom(server)


@pytest.fixture
def ferry(terminal: Terminal, newsroom: Newsroom) -> str:
    """The id of a story that was added from its page."""
    return _added(terminal, newsroom, FERRY)


def _added(terminal: Terminal, newsroom: Newsroom, story: Story) -> str:
    newsroom.publish(story)
    return str(terminal("add", newsroom.url(story), "--json").json["id"])


def _changed_twice(terminal: Terminal, newsroom: Newsroom, article_id: str) -> None:
    for story in (CHANGED, RENAMED):
        newsroom.publish(story)
        terminal("check", article_id)


# --- history


def test_a_story_has_one_version_at_first(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    found = terminal("history", ferry, "--json").json
    assert list(found) == ["id", "withdrawn_at", "page", "versions"]
    assert (found["id"], found["withdrawn_at"]) == (ferry, None)
    assert list(found["page"]) == ["url", "checked_at", "problem"]
    assert (found["page"]["url"], found["page"]["problem"]) == (newsroom.url(FERRY), None)
    (version,) = found["versions"]
    assert list(version) == VERSION_KEYS
    assert version["changes"] == []
    assert version["stored_at"] <= found["page"]["checked_at"]
    shown = terminal("show", ferry, "--json").json
    assert {name: version[name] for name in (*ARTICLE_KEYS, "revision_id", "sha256")} == {
        name: shown[name] for name in (*ARTICLE_KEYS, "revision_id", "sha256")
    }


def test_each_version_says_what_it_changed(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    _changed_twice(terminal, newsroom, ferry)
    first, second, third = terminal("history", ferry, "--json").json["versions"]
    assert [v["title"] for v in (first, second, third)] == [FERRY.title] * 2 + [RENAMED.title]
    assert first["revision_id"] < second["revision_id"] < third["revision_id"]
    assert second["changes"] == [
        {"removed": FERRY.paragraphs[1]},
        {"added": CHANGED.paragraphs[1]},
    ]
    assert (third["changes"], third["sha256"]) == ([], second["sha256"])
    assert (first["details"], second["details"]) == ([], [])
    assert third["details"] == [{"name": "headline", "before": FERRY.title, "after": RENAMED.title}]
    assert (first["modified_at"], second["modified_at"]) == (None, CHANGED.modified_at)


def test_words_show_the_difference(terminal: Terminal, newsroom: Newsroom, ferry: str) -> None:
    _changed_twice(terminal, newsroom, ferry)
    lines = terminal("history", ferry).out.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("Version ")]
    first, second, third = (
        lines[a:b] for a, b in zip(heads, [*heads[1:], len(lines)], strict=True)
    )
    assert not any(line.startswith(("  - ", "  + ")) for line in first)
    assert f"changed by its publisher {CHANGED.modified_at}" in second[0]
    assert f"  - {FERRY.paragraphs[1]}" in second
    assert f"  + {CHANGED.paragraphs[1]}" in second
    assert "  3 paragraphs are the same." in second
    assert f"  headline: {FERRY.title} → {RENAMED.title}" in third
    assert "  The text is the same." in third
    assert f": {newsroom.url(FERRY)}" in lines[-1]


def test_a_withdrawn_story_says_so(terminal: Terminal, newsroom: Newsroom, ferry: str) -> None:
    newsroom.server.serve(FERRY.path, "Gone.", status=410)
    terminal("check", ferry)
    found = terminal("history", ferry, "--json").json
    assert found["withdrawn_at"] is not None
    assert terminal("show", ferry, "--json").json["withdrawn_at"] == found["withdrawn_at"]
    assert f"{found['withdrawn_at']}, not quoted any more" in terminal("show", ferry).out
    assert f"{FERRY.title} (withdrawn)" in " ".join(terminal("articles").out.split())
    (listed,) = terminal("articles", "--json").json
    assert listed["withdrawn_at"] == found["withdrawn_at"]
    assert "1 of them" in terminal("status").out
    assert terminal("status", "--json").json["withdrawn"] == 1
    assert "410" in found["page"]["problem"]
    assert len(found["versions"]) == 1
    words = terminal("history", ferry).out
    assert f"Withdrawn by its publisher, seen {found['withdrawn_at']}: no longer quoted." in words


def test_a_story_that_came_from_no_page_has_a_history_too(terminal: Terminal) -> None:
    terminal("add", "-", "--title", "Bridge", stdin="The mayor opened the bridge.")
    article_id = terminal("articles", "--json").json[0]["id"]
    terminal("edit", article_id, "--author", "Ann Reed")
    found = terminal("history", article_id, "--json").json
    assert (found["page"], len(found["versions"])) == (None, 2)
    words = terminal("history", article_id).out
    assert "  author: unknown → Ann Reed" in words
    assert "Page last looked at" not in words


def test_the_id_that_a_story_was_imported_with_names_it(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "x-1", "title": "Bridge", "text": "The mayor opened the bridge."}\n')
    terminal("import", file)
    found = terminal("history", "x-1", "--json").json
    assert found["versions"][0]["external_id"] == "x-1"
    assert found["id"] != "x-1"


def test_what_steers_a_terminal_is_not_shown(terminal: Terminal, newsroom: Newsroom) -> None:
    title = "Ferry \x1b[2J\u202estays"
    article_id = _added(terminal, newsroom, replace(FERRY, title=title))
    newsroom.publish(replace(CHANGED, title=f"{title} here"))
    assert not {"\x1b", "\u202e"} & set(terminal("check", article_id).out)
    assert not {"\x1b", "\u202e"} & set(terminal("history", article_id).out)


# --- check


def test_a_look_at_a_page_says_what_it_found(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    said = []
    url = newsroom.url(FERRY)
    assert terminal("check", ferry).out == f"{ferry} {url}: unchanged\n"
    newsroom.publish(CHANGED)
    said.append(terminal("check", ferry, "--json").json)
    newsroom.publish(FERRY, walled_html(FERRY))
    said.append(terminal("check", ferry, "--json").json)
    newsroom.server.serve(FERRY.path, "Gone.", status=410)
    said.append(terminal("check", ferry, "--json").json)
    assert [list(line) for line in said] == [["id", "url", "result", "problem"]] * 3
    assert [line["result"] for line in said] == ["changed", "problem", "withdrawn"]
    assert [(line["id"], line["url"]) for line in said] == [(ferry, url)] * 3
    assert "subscribers" in said[1]["problem"]
    assert "left as it is. The page shows only" in _check_walled(terminal, newsroom, ferry)
    assert terminal("show", ferry, "--json").json["text"] == CHANGED.text
    # What comes back after it was withdrawn is read whole, even where it is the same as before.
    conditional = [is_conditional(request) for request in newsroom.asked(FERRY)]
    assert conditional == [False, True, True, True, True, False]


def _check_walled(terminal: Terminal, newsroom: Newsroom, article_id: str) -> str:
    newsroom.publish(FERRY, walled_html(FERRY))
    return terminal("check", article_id).out


def test_without_an_id_those_are_looked_at_that_are_due(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    _added(terminal, newsroom, BRIDGE)
    assert "No page is due" in terminal("check").err  # none of them is due so soon
    with closing(Collections(terminal.home).get("shared").connect()) as db, write(db):
        past = "2025-01-01T00:00:00+00:00"
        db.execute("UPDATE pages SET next_check_at = ? WHERE article_id = ?", [past, ferry])
    assert [line["id"] for line in terminal("check", "--json").lines] == [ferry]
    assert terminal("check", "--json").out == ""
    assert [len(newsroom.asked(story)) for story in (FERRY, BRIDGE)] == [2, 1]


def test_several_stories_are_looked_at_in_the_order_in_which_they_are_named(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    bridge = _added(terminal, newsroom, BRIDGE)
    newsroom.server.remove(BRIDGE.path)
    newsroom.publish(CHANGED)
    lines = terminal("check", bridge, ferry, "--json").lines
    assert [(line["id"], line["result"]) for line in lines] == [
        (bridge, "problem"),
        (ferry, "changed"),
    ]


def test_a_withdrawn_story_is_no_longer_quoted_until_its_page_is_back(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    question = f"{FERRY.paragraphs[0].split('.')[0]}?"
    assert terminal("ask", question, "--json").json["answered"]
    newsroom.server.serve(FERRY.path, "Gone.", status=410)
    assert "no longer quoted" in terminal("check", ferry).out
    assert terminal("search", question, "--json").json == []
    newsroom.publish(CHANGED)
    terminal("check", ferry)
    assert terminal("ask", question, "--json").json["answered"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["history"], 2, "ID"),
        (["history", "nope"], 1, "no story with the id 'nope'"),
        (["history", ""], 1, "no story with the id"),
        (["history", "x", "--collection", "No/Name"], 1, "collection"),
        (["check", "nope"], 1, "no story with the id 'nope'"),
        (["check", "--nope"], 2, "--nope"),
        (["check", "--collection", "samples"], 1, "stay as they are"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_ends_in_a_sentence(
    terminal: Terminal, server: WebServer, words: list[str], code: int, said: str
) -> None:
    found = terminal(*words, code=code)
    assert said in found.err
    assert (found.out, "incident" in found.err) == ("", False)


def test_a_page_that_leads_inside_the_network_is_not_followed(
    terminal: Terminal, newsroom: Newsroom, ferry: str
) -> None:
    with served() as canary:
        canary.serve("/", page_html(CHANGED))
        newsroom.server.redirect(FERRY.path, canary.url("/"), 301)
        assert "public web" in terminal("check", ferry, "--json").json["problem"]
        assert canary.connections == 0
