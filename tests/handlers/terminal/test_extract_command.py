"""`extract`: what would be stored of files and addresses, and nothing is."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.extraction.test_pdf import pdf
from tests.data.web.server import WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import (
    AUTHOR,
    DATE,
    PUBLISHER,
    Newsroom,
    Story,
    on_the_web,
    page_html,
    served,
    walled_html,
)

KEYS = [
    *("file", "title", "author", "source", "published_at", "modified_at", "url", "text", "reason")
]
CHANGE = "2025-03-05T09:00:00+00:00"
FERRY = Story("ferry", modified_at=CHANGE)
URL = "https://ledger.example/ferry"
NOTHING = "<!doctype html><title>Ferry</title><body></body>"


@pytest.fixture
def server(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with served() as running:
        on_the_web(monkeypatch, running)
        yield running


@pytest.fixture
def newsroom(server: WebServer) -> Newsroom:
    return Newsroom(server)


def _written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _pdf(text: str) -> bytes:
    words, lines = text.split(), []
    while words:
        lines.append(" ".join(words[:12]))
        words = words[12:]
    return pdf(lines, about={"/Title": FERRY.title})


FRONT_MATTER = (
    f"---\ntitle: {FERRY.title}\nsource: {PUBLISHER}\ndate: 2025-03-04\nurl: {URL}\n---\n"
)


# --- what it says


def test_an_address_gives_what_its_page_says(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY)
    url = newsroom.url(FERRY)
    found = terminal("extract", url, "--json").json
    assert list(found) == KEYS
    assert found == {
        "file": url,
        "title": FERRY.title,
        "author": AUTHOR,
        "source": PUBLISHER,
        "published_at": DATE,
        "modified_at": CHANGE,
        "url": url,
        "text": FERRY.text,
        "reason": None,
    }


def test_files_give_one_object_a_line_in_their_order(
    terminal: Terminal, newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.publish(FERRY)
    page = page_html(FERRY, canonical=URL)
    files: list[str | Path] = [
        _written(tmp_path, "a.html", page),
        _written(tmp_path, "b.HTM", page.encode("utf-16")),
        _written(tmp_path, "c.html.gz", gzip.compress(page.encode())),
        _written(tmp_path, "d.md", FRONT_MATTER + FERRY.text),
        _written(tmp_path, "e.txt", FERRY.text),
        _written(tmp_path, "f.pdf", _pdf(FERRY.paragraphs[0])),
        newsroom.url(FERRY),
    ]
    found = terminal("extract", *files, "--json").lines
    assert [line["file"] for line in found] == [str(file) for file in files]
    assert all(list(line) == KEYS for line in found)
    assert [line["reason"] for line in found] == [None] * len(files)
    texts = [" ".join(line["text"].split()) for line in found]
    whole, first = " ".join(FERRY.text.split()), FERRY.paragraphs[0]
    assert texts == [*[whole] * 5, first, whole]
    assert [line["url"] for line in found[:4]] == [URL] * 4
    assert [line["title"] for line in found] == [*[FERRY.title] * 4, None, *[FERRY.title] * 2]
    assert [line["published_at"] for line in found] == [*[DATE] * 3, DATE[:10], None, None, DATE]


def test_words_say_the_same(terminal: Terminal, newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.publish(FERRY)
    file = _written(tmp_path, "walled.html", walled_html(FERRY))
    found = terminal("extract", newsroom.url(FERRY), file)
    for wanted in (f"File: {newsroom.url(FERRY)}", f"title: {FERRY.title}", f"source: {PUBLISHER}"):
        assert wanted in found.out.splitlines()
    assert FERRY.text in found.out
    assert FERRY.paragraphs[0] in found.out.split(f"File: {file}")[1]
    assert "published_at: unknown" in found.out
    assert "It would not be added: The page shows only the beginning of its story" in found.err


def test_what_steers_a_terminal_is_not_shown(terminal: Terminal, tmp_path: Path) -> None:
    story = Story("ferry", title="Ferry \x1b[2J\u202estays")
    file = _written(tmp_path, "a.html", page_html(story) + "\x1b]0;owned\x07")
    found = terminal("extract", file)
    assert not {"\x1b", "\x07", "\u202e"} & set(found.out + found.err)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", page_html(FERRY, canonical=URL)),
        ("a.html", page_html(Story("ferry", author=None, published_at="2999-01-01"))),
        ("a.md", FRONT_MATTER + FERRY.text),
        ("a.md", f"---\ntitle: Ferry\nurl: {URL}\n---\n{FERRY.text}"),
        ("a.md", f"---\ntitle: Ferry\ndate: 3/4/2025\n---\n{FERRY.text}"),
        ("a.txt", FERRY.text),
        ("a.pdf", _pdf(FERRY.text)),
    ],
    ids=["page", "no author, no date", "front matter", "no publisher", "no date", "bare", "PDF"],
)
def test_it_says_what_would_be_stored(
    terminal: Terminal, tmp_path: Path, name: str, content: str | bytes
) -> None:
    file = _written(tmp_path, name, content)
    said = terminal("extract", file, "--json").json
    added = terminal("add", file, "--json").json["id"]
    stored = terminal("show", added, "--json").json
    names = ("author", "source", "published_at", "url", "text")
    assert {n: stored[n] for n in names} == {n: said[n] for n in names}
    assert said["title"] in (stored["title"], None)


# --- what it stores


def test_it_stores_nothing(terminal: Terminal, newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.publish(FERRY)
    file = _written(tmp_path, "a.html", page_html(FERRY))
    terminal("extract", file, "--json")
    assert not terminal.home.exists()
    terminal("extract", newsroom.url(FERRY), file, "--collection", "other")
    assert not (terminal.home / "collections").exists()
    assert terminal("articles", "--json").json == []
    assert list(tmp_path.glob("*.html*")) == [file]


# --- what is wrong


def test_a_flagged_page_keeps_its_text(terminal: Terminal, newsroom: Newsroom) -> None:
    newsroom.publish(FERRY, walled_html(FERRY))
    found = terminal("extract", newsroom.url(FERRY), "--json").json
    assert FERRY.paragraphs[0] in found["text"]
    assert "subscribers" in found["reason"]
    assert found["title"] == FERRY.title


def test_what_cannot_be_read_does_not_keep_the_others_back(
    terminal: Terminal, newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.publish(FERRY)
    good = _written(tmp_path, "a.html", page_html(FERRY))
    missing = tmp_path / "missing.html"
    away = newsroom.url("/away")
    files = (missing, good, away, newsroom.url(FERRY))
    found = terminal("extract", *files, "--json", code=1).lines
    assert [line["file"] for line in found] == [str(file) for file in files]
    assert [line["text"] for line in found] == [None, FERRY.text, None, FERRY.text]
    assert str(missing) in found[0]["reason"]
    assert "404" in found[2]["reason"]
    empty = {name: None for name in KEYS if name not in ("file", "reason")}
    assert found[0] == {"file": str(missing), **empty, "reason": found[0]["reason"]}


PACKED = gzip.compress(page_html(FERRY).encode())
LARGE = b"<html><body>" + b"<p>words and words</p>" * 250_000


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.html", b"", "no text"),
        ("a.html", NOTHING, "no text"),
        ("a.html", LARGE, "larger than 5 MB"),
        ("a.html.gz", gzip.compress(b" " * 60_000_000), "larger than 5 MB"),
        ("a.html.gz", PACKED[:-8] + b"damaged!", "damaged"),
        ("a.html.gz", PACKED[: len(PACKED) // 2], "cut off"),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00" * 9, "neither a web page"),
        ("a.pdf", b"%PDF-1.7\nnothing", "PDF"),
        ("a.pdf", pdf([]), "PDF"),
        ("a.txt", b"", "no text"),
    ],
    ids=[
        *(
            "empty",
            "nothing",
            "large",
            "bomb",
            "damaged packing",
            "cut off",
            "a picture",
            "damaged PDF",
        ),
        *("empty PDF", "empty text"),
    ],
)
def test_a_bad_file_ends_in_a_reason(
    terminal: Terminal,
    server: WebServer,
    tmp_path: Path,
    name: str,
    content: str | bytes,
    reason: str,
) -> None:
    found = terminal("extract", _written(tmp_path, name, content), "--json", code=1).json
    assert found["text"] is None
    assert reason in found["reason"]
    assert found["reason"].endswith(".")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["extract"], 2, "FILE|URL"),
        (["extract", "--nope", "a.html"], 2, "--nope"),
        (["extract", "{folder}"], 1, "is a folder"),
        (["extract", "{folder}/no/such.pdf"], 1, "cannot be read"),
        (["extract", "ftp://ledger.example/a"], 1, "cannot be read"),
        (["extract", "https://"], 1, "no address of a web page"),
        (["extract", "https://user:word@ledger.example/"], 1, "user name or password"),
        (["extract", "\udcff.html"], 1, "cannot be read"),  # bytes of a name that is no UTF-8
    ],
)
def test_wrong_usage_ends_in_a_sentence(
    terminal: Terminal, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    found = terminal(*(word.replace("{folder}", str(tmp_path)) for word in words), code=code)
    assert said in found.err
    assert "incident" not in found.err


# --- where it does not go


def test_nothing_inside_the_network_is_reached(
    terminal: Terminal, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as canary:
        port = canary.port
        inside = [
            f"http://{host}:{port}/"
            for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]")
        ]
        newsroom.server.redirect("/inside", inside[0])
        inside.append(newsroom.url("/inside"))
        found = terminal("extract", *inside, "--json", code=1).lines
        assert [line["text"] for line in found] == [None] * len(inside)
        assert all("is not to be found on the public web" in line["reason"] for line in found)
        assert len(newsroom.asked("/inside")) == 1
        assert canary.connections == 0
        on_the_web(monkeypatch, canary)  # the canary is alive
        terminal("extract", inside[0], "--json", code=1)
        assert canary.connections > 0


def test_hosts_can_be_allowed_and_refused_in_the_settings_file(
    terminal: Terminal, newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom.publish(FERRY)
    monkeypatch.delenv("PULLQUOTE_ALLOWED_HOSTS")
    terminal.home.mkdir()
    settings = terminal.home / "pullquote.toml"
    settings.write_text(f'allowed_hosts = ["{newsroom.server.host}"]')
    assert terminal("extract", newsroom.url(FERRY), "--json").json["text"] == FERRY.text
    settings.write_text(settings.read_text() + '\nrefused_hosts = ["127.0.0.1"]')
    found = terminal("extract", newsroom.url(FERRY), "--json", code=1).json
    assert "taken 127.0.0.1 out" in found["reason"]
