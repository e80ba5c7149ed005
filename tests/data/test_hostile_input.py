"""Input that was made to do harm, read as the program reads it: each ends, and the next works."""

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from data.errors import StoryRefusedError
from data.extraction.reading import Reading
from data.pages import Extracted, Feed, Page
from tests.data.extraction.test_feed_parsing import rss
from tests.data.extraction.test_pdf import add_picture, pdf

STORY = (
    "<html><head><meta charset='utf-8'><title>Council opens the bridge</title></head><body>"
    "<article><h1>Council opens the bridge</h1>"
    + "".join(
        f"<p>The mayor opened bridge number {number} on Monday morning, and told the crowd of "
        "three thousand people that the work had taken nine years and cost forty million.</p>"
        for number in ("one", "two", "three", "four", "five", "six")
    )
    + "EXTRA</article></body></html>"
)
URL = "https://news.example/story"
SECRET = "what-only-this-file-says"


@pytest.fixture(scope="module")
def reading() -> Iterator[Reading]:
    with closing(Reading(seconds=10)) as started:
        yield started


@pytest.fixture(autouse=True)
def the_next_page_is_read(reading: Reading) -> Iterator[None]:
    yield
    assert reading.parse_feed(Page(rss("<title>A</title>").encode())).items[0].title == "A"
    assert "bridge number six" in (extract(reading, STORY).text or "")


def extract(reading: Reading, text: str | bytes, **about: str) -> Extracted:
    body = text if isinstance(text, bytes) else text.encode()
    return reading.extract(Page(body, url=URL, **{"media_type": "text/html"} | about))


def feed(reading: Reading, text: str | bytes) -> Feed:
    return reading.parse_feed(Page(text if isinstance(text, bytes) else text.encode(), url=URL))


def is_an_end(reading: Reading, body: str | bytes) -> bool:
    """Return whether a page comes to a text, a reason, or a refusal in whole sentences."""
    try:
        found = extract(reading, body)
    except StoryRefusedError as error:
        return str(error).endswith(".")
    return bool(found.text) or bool(found.reason)


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server on loopback, and the list of what it was asked for."""
    asked: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<div>" * 990_000, id="div"),
        pytest.param("<b>" * 1_600_000, id="b"),
        pytest.param("<p>" * 1_000_000, id="p"),
        pytest.param("<table><tr><td>" * 200_000, id="tables"),
        pytest.param("<!--" * 1_000_000, id="comments"),
        pytest.param("<a " * 1_000_000, id="unfinished"),
        pytest.param("<" * 4_000_000, id="less-than", marks=SLOW),
        pytest.param("&" * 3_000_000, id="ampersands", marks=SLOW),
        pytest.param('<p a="' + "x" * 4_000_000, id="an attribute"),
    ],
)
def test_a_million_tags_come_to_an_end(reading: Reading, inside: str) -> None:
    assert is_an_end(reading, STORY.replace("EXTRA", inside))


def test_a_page_of_10_mb_is_refused_unread(reading: Reading) -> None:
    with pytest.raises(StoryRefusedError, match=r"^This page is larger than 5 MB"):
        extract(reading, b"<p>" + b"x" * 10_000_000)
    with pytest.raises(StoryRefusedError, match=r"^This feed is larger than 5 MB"):
        feed(reading, rss("<title>" + "x" * 10_000_000 + "</title>"))


@pytest.mark.parametrize(("encoding", "charset"), [("cp1252", "utf-8"), ("utf-8", "iso-8859-1")])
def test_a_wrong_charset_is_seen_through(reading: Reading, encoding: str, charset: str) -> None:
    story = STORY.replace("three thousand", "größere Mengen für Brücken über Flüsse – “dreißig”")
    found = extract(reading, story.encode(encoding), charset=charset)
    assert "größere Mengen für Brücken über Flüsse – “dreißig” people" in (found.text or "")


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def test_a_billion_laughs_are_not_laughed(reading: Reading) -> None:
    doctype = f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>'
    with pytest.raises(StoryRefusedError, match="declares entities"):
        feed(reading, rss("<title>&l9;</title>", before=doctype))
    found = extract(reading, doctype + STORY.replace("EXTRA", "<p>&l9;</p>"))
    assert "hahaha" not in (found.text or "")


def test_no_file_is_read_and_nobody_is_asked(
    reading: Reading, canary: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = canary
    (tmp_path / "secret").write_text(SECRET)
    for target in ((tmp_path / "secret").as_uri(), f"{address}/x"):
        outside = f'<!DOCTYPE rss SYSTEM "{target}">'
        inside = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{target}">]>'
        include = f'<xi:include href="{target}" parse="text"/><content src="{target}"/>&x;'
        with pytest.raises(StoryRefusedError, match="declares entities"):
            feed(reading, rss("<title>&x;</title>", before=inside))
        linked = rss(f"<title>A</title>{include}<link>{target}</link>", before=outside)
        assert SECRET not in str(feed(reading, linked))
        asks = (
            f'{include}<iframe src="{target}"></iframe><img src="{target}"><object data="{target}">'
            f'</object><link rel="stylesheet" href="{target}"><meta http-equiv="refresh" '
            f'content="0;url={target}"><link rel="canonical" href="{target}">'
        )
        for doctype in (outside, inside, f'<?xml version="1.0"?>{inside}'):
            found = extract(reading, doctype + STORY.replace("EXTRA", asks))
            assert SECRET not in str(found)
        with pytest.raises(StoryRefusedError):
            feed(reading, target)
    assert asked == []


def test_of_100_000_entries_500_are_read(reading: Reading) -> None:
    found = feed(reading, rss(*(f"<title>{n}</title>" for n in range(100_000))))
    assert (len(found.items), found.left_out) == (500, 99_500)


@pytest.mark.parametrize("year", ["0000", "0001", "9999", "10000"])
def test_dates_of_impossible_years_are_unknown(reading: Reading, year: str) -> None:
    date = f"<pubDate>Mon, 01 Jan {year} 00:00:00 GMT</pubDate><dc:date>{year}-01-01</dc:date>"
    (item,) = feed(reading, rss(f"<title>A</title>{date}")).items
    assert (item.published_at, item.modified_at) == (None, None)
    meta = f'<meta property="article:published_time" content="{year}-01-01T00:00:00Z">'
    assert extract(reading, STORY.replace("<title>", f"{meta}<title>")).published_at is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (pdf(["Text."], change=lambda w: w.encrypt("secret", algorithm="RC4-128")), "password"),
        (pdf([], change=add_picture), "pictures"),
        (pdf([]), "no text"),
        (pdf(["Text."])[:200], "damaged"),
        (b"%PDF-1.7\n" + b"<<" * 1_000_000, "damaged"),
        (b"%PDF-1.7\n" + b"1 0 obj [" * 400_000, "damaged"),
    ],
    ids=["encrypted", "pictures", "empty", "cut off", "nested", "objects"],
)
def test_a_pdf_without_text_says_why(reading: Reading, body: bytes, word: str) -> None:
    found = extract(reading, body, media_type="application/pdf")
    assert found.text is None
    assert word in (found.reason or "")
