"""`add` with an address, a saved page or a PDF: what is stored, and what is refused and why."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.data.extraction.test_pdf import pdf
from tests.data.web.server import WebServer
from tests.handlers.conftest import Result, Terminal
from tests.handlers.newsroom import (
    AUTHOR,
    DATE,
    PUBLISHER,
    Newsroom,
    Story,
    on_the_web,
    page_html,
    paragraph,
    served,
    walled_html,
)

FERRY = Story("ferry")
CHANGED = replace(FERRY, version=2)
URL = "https://ledger.example/ferry"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with served() as running:
        on_the_web(monkeypatch, running)
        yield running


@pytest.fixture
def newsroom(server: WebServer) -> Newsroom:
    return Newsroom(server)


def _stored(terminal: Terminal) -> list[Any]:
    """Return the stories with their texts."""
    return [
        terminal("show", story["id"], "--json").json
        for story in terminal("articles", "--json").json
    ]


def _refused(terminal: Terminal, *words: str | Path, code: int = 1) -> Result:
    """Run a command that is to be refused in a sentence, with nothing stored."""
    found = terminal(*words, code=code)
    assert found.out == ""
    assert "incident" not in found.err
    assert found.err.rstrip().endswith(".")
    assert _stored(terminal) == []
    return found


# --- an address


def test_a_story_is_added_from_its_address(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    added = terminal("add", newsroom.url(FERRY), "--json").json
    (story,) = _stored(terminal)
    assert added["status"] == "new"
    assert added["notes"] == []
    assert {name: story[name] for name in ("title", "source", "author", "published_at")} == {
        "title": FERRY.title,
        "source": PUBLISHER,
        "author": AUTHOR,
        "published_at": DATE,
    }
    assert (story["id"], story["text"]) == (added["id"], FERRY.text)
    assert story["url"] == newsroom.url(FERRY)


def test_what_was_added_can_be_quoted_with_its_link(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    terminal("add", newsroom.url(FERRY))
    sentence = FERRY.paragraphs[2].split(".")[0]
    citation = terminal("ask", f"{sentence}?", "--json").json["citations"][0]
    assert citation["quote"] in FERRY.text
    assert (citation["url"], citation["source"]) == (newsroom.url(FERRY), PUBLISHER)


@pytest.mark.parametrize("tail", ["", "?utm_source=mail", "#top"])
def test_adding_it_again_changes_nothing(terminal: Terminal, newsroom: Newsroom, tail: str) -> None:
    newsroom.publish(FERRY)
    assert terminal("add", newsroom.url(FERRY)).out.startswith("Added story ")
    again = terminal("add", f"  {newsroom.url(FERRY)}{tail}")
    assert again.out.startswith("Nothing changed in story ")
    assert len(_stored(terminal)) == 1


def test_a_changed_page_is_a_new_version(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    first = terminal("add", newsroom.url(FERRY), "--json").json
    newsroom.publish(CHANGED)
    second = terminal("add", newsroom.url(FERRY), "--json").json
    assert (second["status"], second["id"]) == ("changed", first["id"])
    assert second["revision_id"] > first["revision_id"]
    assert [story["text"] for story in _stored(terminal)] == [CHANGED.text]


def test_what_a_person_says_wins_and_stays(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    given = {"title": "Ferry stays", "source": "The Ledger", "author": "A. Reed"}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    terminal("add", newsroom.url(FERRY), *words, "--date", "2025-03", "--url", URL)
    wanted = {**given, "published_at": "2025-03", "url": URL, "text": FERRY.text}
    (story,) = _stored(terminal)
    assert {name: story[name] for name in wanted} == wanted


def test_what_a_person_says_stays_when_the_page_changes(
    terminal: Terminal, newsroom: Newsroom
) -> None:
    newsroom.publish(FERRY)
    terminal("add", newsroom.url(FERRY), "--title", "Ferry stays", "--date", "2025-03")
    newsroom.publish(CHANGED)
    terminal("add", newsroom.url(FERRY))
    (story,) = _stored(terminal)
    assert (story["title"], story["published_at"]) == ("Ferry stays", "2025-03")
    assert story["text"] == CHANGED.text


def test_a_link_of_ones_own_does_not_make_a_second_story_of_the_same_page(
    terminal: Terminal, newsroom: Newsroom
) -> None:
    newsroom.publish(FERRY)
    first = terminal("add", newsroom.url(FERRY), "--json").json["id"]
    terminal("edit", first, "--url", URL)
    newsroom.publish(CHANGED)
    for words in (["--url", URL], []):
        again = terminal("add", newsroom.url(FERRY), *words, "--json").json
        assert again["id"] == first
    assert [(story["text"], story["url"]) for story in _stored(terminal)] == [(CHANGED.text, URL)]


def test_what_cannot_be_right_is_told_and_left_out(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(replace(FERRY, published_at="2999-01-01"))
    found = terminal("add", newsroom.url(FERRY), "--url", "ledger, page 3")
    assert "is no web address" in found.err
    assert "future" in found.err
    (story,) = _stored(terminal)
    assert story["published_at"] is None


def test_the_address_is_the_one_that_the_page_calls_its_own(
    terminal: Terminal, newsroom: Newsroom
) -> None:
    newsroom.publish(FERRY)
    newsroom.publish(FERRY, page_html(FERRY, canonical=newsroom.url(FERRY)), path="/print/ferry")
    newsroom.server.redirect("/short", "/print/ferry")
    for path in ("/short", "/print/ferry", FERRY.path):
        terminal("add", newsroom.url(path))
    assert [story["url"] for story in _stored(terminal)] == [newsroom.url(FERRY)]


# --- what is refused


def _form(field: str) -> str:
    return f"<form><label>Password</label><input type='{field}'></form>"


def _page(title: str, body: str) -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


LINKS = "".join(f'<li><a href="/news/{n}">{paragraph(n, words=12)}</a></li>' for n in range(25))
FLAGGED = {
    "paywall": (walled_html(FERRY), "subscribers"),
    "consent": (
        _page(
            "Before you continue",
            "<p>We and our 812 partners use cookies to store and access personal data. "
            "By clicking Accept all you agree to the use of cookies.</p><button>Accept</button>",
        ),
        "consent",
    ),
    "login": (_page("Log in", f"<h1>Log in</h1>{_form('password')}"), "log in"),
    "error page": (_page("Page not found", "<h1>404</h1><p>Page not found.</p>"), "error message"),
    "list": (_page("News", f"<h1>News</h1><ul>{LINKS}</ul>"), "list of stories"),
    "nothing": (_page("Ferry", ""), "no text"),
}


@pytest.mark.parametrize("kind", FLAGGED)
def test_a_page_that_is_no_story_is_refused_with_the_reason(
    terminal: Terminal, newsroom: Newsroom, kind: str
) -> None:
    body, reason = FLAGGED[kind]
    newsroom.publish(FERRY, body)
    found = _refused(terminal, "add", newsroom.url(FERRY), "--title", "Ferry", "--source", "Ledger")
    assert reason in found.err
    said = terminal("extract", newsroom.url(FERRY), "--json", code=1 if kind == "nothing" else 0)
    assert reason in said.json["reason"]


def test_a_page_that_is_no_story_any_more_leaves_the_story_as_it_is(
    terminal: Terminal, newsroom: Newsroom
) -> None:
    newsroom.publish(FERRY)
    terminal("add", newsroom.url(FERRY))
    newsroom.publish(FERRY, walled_html(FERRY))
    terminal("add", newsroom.url(FERRY), code=1)
    assert [story["text"] for story in _stored(terminal)] == [FERRY.text]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [("/away", 404, "404"), ("/gone", 410, "410"), ("/shut", 403, "403"), ("/sick", 500, "500")],
)
def test_a_page_that_cannot_be_had_is_refused(
    terminal: Terminal, server: WebServer, path: str, status: int, said: str
) -> None:
    server.serve(path, page_html(FERRY), status=status)
    assert said in _refused(terminal, "add", server.url(path)).err


def test_another_kind_of_file_is_refused(terminal: Terminal, server: WebServer) -> None:
    server.serve("/film", b"\0\0", type="video/mp4")
    assert "video/mp4" in _refused(terminal, "add", server.url("/film")).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://"], "no address of a web page"),
        (["http://["], "no address of a web page"),
        (["https://user:word@ledger.example/a"], "user name or password"),
        (["http://10.0.0.1/"], "public web"),
        (["http://169.254.169.254/latest/meta-data"], "public web"),
        (["http://localhost:8080/"], "public web"),
        (["https://ledger.example:22/"], "port 22"),
        (["ftp://ledger.example/a.html"], "cannot be read"),
        (["{folder}/missing.html"], "cannot be read"),
        (["{folder}/missing.pdf"], "cannot be read"),
        (["http://127.0.0.1:9/a.jsonl"], "jsonl"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_address_ends_in_a_sentence(
    terminal: Terminal, server: WebServer, tmp_path: Path, words: list[str], said: str
) -> None:
    found = _refused(terminal, "add", *(word.replace("{folder}", str(tmp_path)) for word in words))
    assert said in found.err


def test_nothing_inside_the_network_is_reached(terminal: Terminal, newsroom: Newsroom) -> None:
    with served() as canary:
        canary.serve("/", page_html(FERRY))
        newsroom.server.redirect("/inside", canary.url("/"), 301)
        for url in (canary.url("/"), newsroom.url("/inside")):
            assert "public web" in _refused(terminal, "add", url).err
        assert canary.connections == 0


def test_the_samples_stay_as_they_are(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    found = terminal("add", newsroom.url(FERRY), "--collection", "samples", code=1)
    assert "stay as they are" in found.err


# --- files


@pytest.mark.parametrize("name", ["a.html", "A.HTM", "b.html.gz", "../ferry 1/c;d é.xhtml"])
def test_a_saved_page_is_added(terminal: Terminal, tmp_path: Path, name: str) -> None:
    page = page_html(FERRY, canonical=URL).encode()
    (tmp_path / "ferry 1").mkdir()
    file = tmp_path / "ferry 1" / name
    file.write_bytes(gzip.compress(page) if name.endswith(".gz") else page)
    added = terminal("add", file, "--author", "A. Reed", "--json").json
    (story,) = _stored(terminal)
    assert (story["text"], story["title"], story["url"]) == (FERRY.text, FERRY.title, URL)
    assert (story["source"], story["author"]) == (PUBLISHER, "A. Reed")
    assert terminal("check", added["id"], "--json").out == ""  # it came from no address


def test_a_pdf_is_added(terminal: Terminal, tmp_path: Path) -> None:
    words = FERRY.text.split()
    lines = [" ".join(words[n : n + 12]) for n in range(0, len(words), 12)]
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf(lines))
    terminal("add", file, "--title", "Ferry", "--source", "Ledger")
    (story,) = _stored(terminal)
    assert story["text"].split() == words
    assert (story["title"], story["source"], story["url"]) == ("Ferry", "Ledger", None)


def test_a_pdf_is_added_from_its_address(terminal: Terminal, server: WebServer) -> None:
    words = FERRY.text.split()
    lines = [" ".join(words[n : n + 12]) for n in range(0, len(words), 12)]
    server.serve("/a.pdf", pdf(lines), type="application/pdf")
    added = terminal("add", server.url("/a.pdf"), "--title", "Ferry", "--json").json
    (story,) = _stored(terminal)
    assert story["text"].split() == words
    assert added["url"] == server.url("/a.pdf")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.html", walled_html(FERRY).encode(), "subscribers"),
        ("a.html", b"", "no text"),
        ("a.pdf", b"%PDF-1.7 cut", "PDF"),
        ("a.pdf", pdf([]), "PDF"),
        ("a.html.gz", gzip.compress(page_html(FERRY).encode())[:-300], "cut off"),
        ("a.html", b"<p>words</p>" * 500_000, "larger than 5 MB"),
        ("a.docx", b"PK", "is not a kind of file that holds a story"),
    ],
    ids=["paywall", "empty", "damaged PDF", "empty PDF", "cut off", "large", "another kind"],
)
def test_a_bad_file_is_refused(
    terminal: Terminal, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in _refused(terminal, "add", tmp_path / name).err
