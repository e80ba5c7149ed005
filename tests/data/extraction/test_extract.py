from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.extraction.extract import BINARY, MAX_ELEMENTS, TOO_MANY_PARTS, extract
from data.extraction.page_checks import NO_TEXT
from data.extraction.pdf import PdfText
from data.pages import Extracted, Page
from tests.data.extraction.made_pages import STORY, json_ld, page, paragraphs

URL = "https://www.herald.example/news/bridge"
TEXT = "\n\n".join(STORY)
AHEAD = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()


def _read(body: str | bytes, media_type: str = "text/html", url: str | None = URL) -> Extracted:
    raw = body if isinstance(body, bytes) else body.encode()
    return extract(Page(body=raw, url=url, media_type=media_type))


def test_a_page_gives_its_story_and_whose_it_is() -> None:
    linked = json_ld(
        '{"@type": "NewsArticle", "headline": "The bridge is open", "author": {"name": "Ann Lee"},'
        ' "publisher": {"name": "Larkmoor Herald"}, "datePublished": "2024-05-06T08:00:00+0100",'
        ' "dateModified": "2024-05-06T09:00:00+0100"}'
    )
    canonical = "<link rel='canonical' href='https://herald.example/n/1'>"
    assert _read(page(head=linked + canonical)) == Extracted(
        title="The bridge is open",
        author="Ann Lee",
        source="Larkmoor Herald",
        published_at="2024-05-06T08:00:00+01:00",
        modified_at="2024-05-06T09:00:00+01:00",
        url="https://herald.example/n/1",
        text=TEXT,
    )


def test_a_date_in_the_future_is_unknown_and_said() -> None:
    head = f'<meta property="article:published_time" content="{AHEAD}">'
    found = _read(page(head=head))
    assert found.published_at is None
    assert found.reason is None
    assert len(found.notes) == 1
    assert "in the future" in found.notes[0]


def test_a_file_has_no_address_but_the_one_that_it_names() -> None:
    found = _read(page(), url=None)
    assert (found.url, found.source, found.text) == (None, None, TEXT)


@pytest.mark.parametrize(
    "html",
    [
        page(),
        page().replace("</p>", ""),
        page() + page("<p>The end.</p>"),
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n" + page(),
        page().replace("<p>", "<p>\x00"),
        page().replace("\n", " "),
        page(head="<base href='http://['>"),
        page().replace("<body>", "<body style='visibility: hidden'>"),
        page().replace("<article>", "<article><table><tr><td><form><center>"),
    ],
)
def test_a_story_survives_how_its_page_is_written(html: str) -> None:
    found = _read(html)
    assert found.text is not None
    assert found.text.startswith(TEXT)
    assert found.reason is None


def test_the_charset_that_was_declared_beside_the_page_counts() -> None:
    html = page(f"<article>{paragraphs(*STORY, 'Café Łódź')}</article>").replace("utf-8", "x")
    raw = Page(body=html.encode("iso8859-2", "replace"), url=URL, charset="iso-8859-2")
    assert "Café Łódź" in (extract(raw).text or "")


@pytest.mark.parametrize(
    ("body", "media_type", "text"),
    [
        (page(), "text/plain", TEXT),
        (page(), "", TEXT),
        (page(), "application/xhtml+xml", TEXT),
        ("<div>" + paragraphs() + "</div>", "", TEXT),
        (TEXT, "text/plain", TEXT),
        (TEXT, "", TEXT),
        (f"# The bridge\n\n{TEXT}", "text/markdown", TEXT),
        ("1 < 2 and <b> is a mark.", "text/plain", "1 < 2 and <b> is a mark."),
        (TEXT.encode("utf-16"), "text/plain", TEXT),
        (page().encode("utf-16"), "", TEXT),
    ],
)
def test_the_bytes_say_what_a_page_is(body: str | bytes, media_type: str, text: str) -> None:
    assert _read(body, media_type).text == text


@pytest.mark.parametrize("head", ["# \t", "#", "---\ntitle: ' '\nauthor: \u200b\n---"])
def test_what_says_nothing_of_a_text_is_unknown(head: str) -> None:
    found = _read(f"{head}\n\n{TEXT}", "text/plain", None)
    assert (found.title or None, found.author or None) == (found.title, found.author)


@pytest.mark.parametrize("media_type", ["", "text/plain", "image/png"])
def test_what_is_no_text_is_refused(media_type: str) -> None:
    found = _read(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", media_type)
    assert (found.reason, found.text) == (BINARY, None)


@pytest.mark.parametrize("media_type", ["", "text/plain", "text/html"])
@pytest.mark.parametrize(
    "body",
    [
        bytes(range(256)) * 40,
        bytes(range(1, 256)) * 40,
        b"<!DOCTYPE html><html><body>" + bytes(range(1, 256)) * 40,
        Random(5).randbytes(20_000),
    ],
)
def test_what_is_mostly_no_characters_is_refused(body: bytes, media_type: str) -> None:
    found = _read(body, media_type)
    assert (found.reason, found.text) == (BINARY, None)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_a_page_in_wide_characters_is_not_taken_for_binary_data(encoding: str) -> None:
    assert _read(page().encode(encoding)).text == TEXT


def test_a_few_stray_control_characters_do_no_harm() -> None:
    assert _read(page().replace(". ", ".\x02 ").replace("<p>", "<p>\x1f")).text == TEXT


def test_the_front_matter_of_a_text_counts() -> None:
    front = (
        "---\ntitle: The bridge is open\nauthor: [Ann Lee, Bo Roe]\nsource: Herald\n"
        "date: 6 May 2024\nurl: https://herald.example/n/1\n---\n"
    )
    assert _read(front + TEXT, "text/markdown", None) == Extracted(
        title="The bridge is open",
        author="Ann Lee, Bo Roe",
        source="Herald",
        published_at="2024-05-06",
        url="https://herald.example/n/1",
        text=TEXT,
    )


@pytest.mark.parametrize(
    ("day", "word"), [(AHEAD, "in the future"), ("03/04/2024", "cannot be read for certain")]
)
def test_a_date_of_a_text_that_cannot_count_is_said(day: str, word: str) -> None:
    found = _read(f"---\ntitle: T\ndate: {day}\n---\n{TEXT}", "text/plain")
    assert found.published_at is None
    assert word in found.notes[0]


def test_front_matter_that_cannot_be_read_is_a_reason() -> None:
    found = _read("---\ntitle: [\n- x\n---\nText.", "text/markdown")
    assert found.reason is not None
    assert "YAML" in found.reason


@pytest.mark.parametrize("body", ["", "   \n", "---\ntitle: T\n---\n", "...\n"])
def test_an_empty_text_holds_no_story(body: str) -> None:
    found = _read(body, "text/plain")
    assert (found.text, found.reason) == (None, NO_TEXT)


def test_a_pdf_gives_its_text_and_no_date_of_publication(monkeypatch: pytest.MonkeyPatch) -> None:
    read = PdfText(
        text=TEXT, title="The  bridge", author="Ann Lee and Bo Roe", created="2024-05-06"
    )
    monkeypatch.setattr("data.extraction.extract.pdf_text", lambda body: read)
    found = _read(b"%PDF-1.7\n", "")
    assert (found.text, found.title, found.author) == (TEXT, "The bridge", "Ann Lee, Bo Roe")
    assert (found.published_at, found.source, found.url) == (None, "herald.example", URL)
    assert "2024-05-06" in found.notes[0]


def test_a_pdf_that_cannot_be_read_has_a_reason() -> None:
    found = _read(b"%PDF-1.7\nnothing", "application/pdf")
    assert found.reason is not None
    assert found.text is None


def test_a_text_that_stands_in_json_ld_alone_is_taken_where_the_page_is_free() -> None:
    body = "\\n\\n".join(STORY)
    linked = json_ld(f'{{"@type": "NewsArticle", "headline": "T", "articleBody": "{body}"}}')
    found = _read(page("<div id='root'></div><script>run()</script>", head=linked))
    assert (found.text, found.reason) == (TEXT, None)


def test_a_page_of_too_many_parts_is_not_read() -> None:
    found = _read("<p>a</p>" * MAX_ELEMENTS)
    assert (found.reason, found.text) == (TOO_MANY_PARTS, None)


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 1_000_000 + "The bridge",
        "<html><body>" + "<p>" * 20_000,
        "<title>" + "a | " * 100_000,
        '<meta name="author" content="' + "and " * 200_000 + '"><p>x</p>',
        "<p style='" + "x:y;" * 200_000 + "'>x</p>",
        "<p>" + "&amp;" * 200_000,
        json_ld("[" * 200_000) + "<p>x</p>",
        "<link rel='canonical' href='" + "/a" * 200_000 + "'><p>x</p>",
        "\x00" * 1000,
    ],
)
def test_a_hostile_page_ends_in_a_reason(body: str) -> None:
    assert _read(body).reason is not None


_PIECES = st.sampled_from(
    [
        *("<", ">", "</div>", "<div>", "<table><tr><td>", "</table>", "<p>", "<br>", "<article>"),
        *(
            "<h1>The bridge</h1>",
            "<title>T</title>",
            "<li>",
            "<base href='//'>",
            "&#0;",
            "&#xd800;",
        ),
        *("<a href='http://['>x</a>", "<!--", "-->", "<![CDATA[", "<svg>", "<frameset>", "<html>"),
        *('<meta name="date" content="2024-05-06">', '<time datetime="0000-00-00">', "<form>"),
        *('<script type="application/ld+json">', "</script>", '{"@type":"Article"}', "<template>"),
        *(
            STORY[0],
            f"<p>{STORY[1]}</p>",
            "\x00",
            "\r\n",
            "“",
            "<details><summary>",
            "<q>",
            "<pre>",
        ),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=8), max_size=30))
def test_any_page_gives_text_or_a_reason(pieces: list[str]) -> None:
    found = _read("".join(pieces).encode("utf-8", "surrogatepass"))
    assert found.text or found.reason
    for text in (found.title, found.author, found.source, found.text):
        assert text is None or "\x00" not in text
        assert text is None or text.encode() is not None
