"""`domain refuse|list|permit`: a domain is taken out of every collection."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.answers import open_memory
from data.feeds import FeedStore
from data.pages import FeedItem
from data.waiting import Waiting, WaitingStore
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import Newsroom, Story, on_the_web, served

TEXT = "The {} was opened by the mayor on Friday, and nobody fell in."
# What each story is about, its link, and its collection.
STORIES = [
    ("bridge", "https://ledger.example/bridge", "shared"),
    ("ferry", "https://www.LEDGER.example:8443/ferry?page=2", "shared"),
    ("opera", "https://news.ledger.example/opera", "other"),
    ("school", "https://notledger.example/school", "shared"),
    ("tower", "https://ledger.example.org/tower", "other"),
    ("market", "https://gazette.example/ledger.example", "other"),
    ("orchard", None, "shared"),
]
FED = "https://ledger.example/feed#tag:1"
FERRY = Story("ferry")


@pytest.fixture
def stored(terminal: Terminal) -> None:
    for name, url, collection in STORIES:
        link = ["--url", url] if url else []
        terminal.add(TEXT.format(name), "--title", name, *link, "--collection", collection)


@pytest.fixture
def newsroom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsroom]:
    with served() as server:
        on_the_web(monkeypatch, server)
        yield Newsroom(server)


def _left(terminal: Terminal) -> set[str]:
    """Return the titles of the stories in both collections."""
    return {
        story["title"]
        for collection in ("shared", "other")
        for story in terminal("articles", "--json", "--collection", collection).json
    }


@pytest.mark.parametrize(
    ("name", "domain", "gone"),
    [
        ("ledger.example", "ledger.example", {"bridge", "ferry", "opera"}),
        (" Ledger.EXAMPLE. ", "ledger.example", {"bridge", "ferry", "opera"}),
        ("https://www.ledger.example/any?x=1", "ledger.example", {"bridge", "ferry", "opera"}),
        ("news.ledger.example", "news.ledger.example", {"opera"}),
        ("nowhere.example", "nowhere.example", set()),
    ],
)
@pytest.mark.usefixtures("stored")
def test_a_refused_domain_is_taken_out_of_every_collection(
    terminal: Terminal, name: str, domain: str, gone: set[str]
) -> None:
    found = terminal("domain", "refuse", name)
    stories = "1 story" if len(gone) == 1 else f"{len(gone)} stories"
    assert found.out == f"Refused {domain}; removed {stories} from there.\n"
    assert _left(terminal) == {title for title, _, _ in STORIES} - gone
    assert terminal("domain", "list").out == f"{domain}\n"


def test_a_story_without_a_link_from_a_feed_of_the_domain_goes_too(
    terminal: Terminal, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": FED, "text": "The bridge was opened.", "title": "Fed"}))
    terminal("import", str(rows))
    assert "removed 1 story" in terminal("domain", "refuse", "ledger.example").out


@pytest.mark.usefixtures("stored")
def test_nothing_of_a_refused_domain_is_found_or_left(terminal: Terminal) -> None:
    terminal("domain", "refuse", "ledger.example")
    passages = terminal("search", "bridge ferry opened", "--json").json
    assert {passage["title"] for passage in passages} == {"school", "orchard"}
    files = [path.read_bytes() for path in terminal.home.rglob("*") if path.is_file()]
    assert any(b"The school was opened" in content for content in files)
    assert not any(b"The bridge was opened" in content for content in files)
    for collection in ("shared", "other"):
        assert "in order" in terminal("verify", "--collection", collection).out


def test_nothing_of_a_refused_domain_comes_in(terminal: Terminal, tmp_path: Path) -> None:
    terminal("domain", "refuse", "ledger.example")
    link = ("--url", "https://news.ledger.example/bridge")
    found = terminal("add", "-", *link, stdin=TEXT, code=1)
    assert "the operator took ledger.example out" in found.err
    orchard = terminal.add(TEXT)
    assert "took ledger.example out" in terminal("edit", orchard, *link, code=1).err
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"text": "It opened.", "url": "https://ledger.example/bridge"}\n')
    assert "took ledger.example out" in terminal("import", rows, code=1).err
    assert len(terminal("articles", "--json").json) == 1


def test_nothing_is_asked_for_at_a_refused_domain(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as server:
        monkeypatch.setenv("PULLQUOTE_ALLOWED_HOSTS", f"ledger.example:{server.port}")
        terminal("domain", "refuse", "ledger.example")
        url = f"http://news.ledger.example:{server.port}/bridge"
        for words in (["add", url], ["extract", url], ["feed", "add", url], ["feed", "test", url]):
            found = terminal(*words, code=1)
            assert "taken news.ledger.example out" in found.err
        assert server.connections == 0


def test_a_page_is_not_taken_under_a_link_into_a_refused_domain(
    terminal: Terminal, newsroom: Newsroom
) -> None:
    newsroom.publish(FERRY)
    terminal("domain", "refuse", "ledger.example")
    link = ("--url", "https://ledger.example/1")
    assert "took ledger.example out" in terminal("add", newsroom.url(FERRY), *link, code=1).err
    assert terminal("articles", "--json").json == []


def test_the_feeds_of_a_refused_domain_and_what_waits_in_others_are_forgotten(
    terminal: Terminal,
) -> None:
    items = [
        FeedItem(guid=f"Guid {host}", url=f"https://{host}/1", title=f"Title {host}")
        for host in ("ledger.example", "herald.example")
    ]
    with closing(open_memory(terminal.home)) as memory:
        for collection in ("shared", "other"):
            feeds = FeedStore(memory, collection)
            feeds.add("https://news.ledger.example/feed", title="Ledger feed")
            kept = feeds.add("https://herald.example/feed", title="Herald feed")
            waiting = [Waiting(item, "f") for item in items]
            WaitingStore(memory, collection).replace(kept.id, waiting)
    said = terminal("domain", "refuse", "ledger.example").out
    assert said == "Refused ledger.example; removed 0 stories and 2 feeds from there.\n"
    for collection in ("shared", "other"):
        (feed,) = terminal("feed", "list", "--json", "--collection", collection).json
        assert feed["title"] == "Herald feed"
    files = b"".join(p.read_bytes() for p in terminal.home.rglob("*") if p.is_file())
    assert b"Title herald.example" in files
    assert b"Title ledger.example" not in files
    assert b"Ledger feed" not in files


def test_a_feed_does_not_bring_them_either(terminal: Terminal, newsroom: Newsroom) -> None:
    terminal("domain", "refuse", "ledger.example")
    here = newsroom.item(FERRY, whole=True)
    there = newsroom.item(FERRY, whole=True, guid="2", url="https://ledger.example/ferry")
    found = terminal("feed", "add", newsroom.feed(here, there), "--json").json
    assert [item["outcome"] for item in found["items"]] == ["new", "refused"]
    assert "has taken ledger.example out" in found["items"][1]["reason"]


@pytest.mark.usefixtures("stored")
def test_a_permitted_domain_may_come_in_again_and_what_was_deleted_stays_deleted(
    terminal: Terminal,
) -> None:
    terminal("domain", "refuse", "ledger.example")
    left = _left(terminal)
    assert terminal("domain", "permit", "LEDGER.example").out == "Permitted ledger.example.\n"
    assert (_left(terminal), terminal("domain", "list").out) == (left, "")
    terminal.add(TEXT, "--title", "bridge", "--url", "https://ledger.example/bridge")
    assert _left(terminal) == left | {"bridge"}


def test_the_list_is_sorted_and_each_domain_is_in_it_once(terminal: Terminal) -> None:
    assert terminal("domain", "list").out == ""
    for name in ("b.example", "a.example", "www.b.example"):
        terminal("domain", "refuse", name)
    assert terminal("domain", "list").out == "a.example\nb.example\n"


@pytest.mark.usefixtures("stored")
def test_a_refused_story_that_was_once_there_is_taken_out_by_its_earlier_link(
    terminal: Terminal,
) -> None:
    stories = terminal("articles", "--json").json
    bridge = next(story["id"] for story in stories if story["title"] == "bridge")
    terminal("edit", bridge, "--url", "https://gazette.example/bridge")
    terminal("domain", "refuse", "ledger.example")
    assert "bridge" not in _left(terminal)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["refuse"], 2, "DOMAIN"),
        (["refuse", ""], 1, "is no domain"),
        (["refuse", "example"], 1, "is no domain"),
        (["refuse", "127.0.0.1"], 1, "is no domain"),
        (["refuse", "http://[::1]/"], 1, "is no domain"),
        (["refuse", "http://["], 1, "is no domain"),
        (["refuse", "ledger..example"], 1, "is no domain"),
        (["refuse", "ledger example.com"], 1, "is no domain"),
        (["refuse", "\udcff.example"], 1, "is no domain"),
        (["permit", "ledger.example"], 1, "was not refused"),
        (["permit", "x"], 1, "is no domain"),
        (["nope"], 2, "nope"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, list) else "",
)
def test_a_wrong_command_ends_in_a_sentence(
    terminal: Terminal, words: list[str], code: int, said: str
) -> None:
    found = terminal("domain", *words, code=code)
    assert said in found.err
    assert (found.out, "incident" in found.err) == ("", False)
    assert terminal("domain", "list").out == ""
