import json
from typing import Any

import pytest

from data.extraction.html_tree import parse_html
from data.extraction.page_fields import tidied
from data.extraction.page_metadata import PageMetadata, page_metadata
from tests.data.extraction.made_pages import json_ld, page, paragraphs

URL = "https://www.larkmoor-herald.example/news/bridge"
LINKED: dict[str, Any] = {
    "@type": "NewsArticle",
    "headline": "From JSON-LD",
    "author": "Ann Lee",
    "publisher": {"name": "JSON Herald"},
    "datePublished": "2024-05-06T08:00:00+01:00",
    "dateModified": "2024-05-07T08:00:00+01:00",
}
METAS = (
    '<meta property="og:title" content="From meta"><meta name="author" content="Bo Roe">'
    '<meta property="og:site_name" content="Meta Herald">'
    '<meta property="article:published_time" content="2023-05-06">'
    '<meta property="article:modified_time" content="2023-05-07">'
)
SEEN = (
    "<article><h1>From the text</h1><p class='byline'>By Cy Poe</p>"
    f"<time datetime='2022-05-06' class='published'>6 May 2022</time>{paragraphs()}</article>"
)


def _read(
    head: str = "", *, body: str = SEEN, title: str = "", url: str | None = URL
) -> PageMetadata:
    html = page(body, title=title, head=head)
    tree = parse_html(html)
    assert tree is not None
    return page_metadata(tree, html, url)


def _facts(found: PageMetadata) -> tuple[str | None, ...]:
    return (found.title, found.author, found.source, found.published_at, found.modified_at)


def test_json_ld_comes_before_meta_and_meta_before_the_text() -> None:
    linked = json_ld(json.dumps(LINKED))
    assert _facts(_read(METAS + linked)) == (
        *("From JSON-LD", "Ann Lee", "JSON Herald"),
        *("2024-05-06T08:00:00+01:00", "2024-05-07T08:00:00+01:00"),
    )
    assert _facts(_read(METAS)) == (
        *("From meta", "Bo Roe", "Meta Herald", "2023-05-06", "2023-05-07"),
    )
    assert _facts(_read()) == (
        *("From the text", "Cy Poe", "larkmoor-herald.example", "2022-05-06", None),
    )


def test_each_field_falls_through_by_itself() -> None:
    linked = json_ld(json.dumps({"@type": "Article", "headline": "From JSON-LD"}))
    assert _facts(_read(METAS + linked)) == (
        *("From JSON-LD", "Bo Roe", "Meta Herald", "2023-05-06", "2023-05-07"),
    )


def test_nothing_is_made_up() -> None:
    found = _read(body="<p>Text.</p>", url=None)
    assert _facts(found) == (None, None, None, None, None)
    assert (found.url, found.notes) == (None, ())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The bridge is open | Larkmoor Herald", "The bridge is open"),
        ("The bridge is open - Larkmoor Herald", "The bridge is open"),
        ("The bridge is open – News – Larkmoor Herald", "The bridge is open – News"),
        ("Larkmoor Herald | The bridge is open", "The bridge is open"),
        ("The bridge - a history", "The bridge - a history"),
        ("Who reads the Larkmoor Herald?", "Who reads the Larkmoor Herald?"),
        ("A half-open bridge", "A half-open bridge"),
        ("The bridge is open | larkmoor-herald.example", "The bridge is open"),
        ("Tom &amp;amp; Ida&#39;s  bridge\n is open", "Tom & Ida's bridge is open"),
    ],
)
@pytest.mark.parametrize("head", ["", '<meta property="og:site_name" content="Larkmoor Herald">'])
def test_a_title_loses_the_name_of_its_site(title: str, expected: str, head: str) -> None:
    assert _read(head, title=title, body="<p>Text.</p>").title == expected


def test_a_title_that_is_but_the_site_s_name_gives_way() -> None:
    head = '<meta property="og:title" content="Larkmoor Herald">'
    assert _read(head, title="Larkmoor Herald").title == "From the text"


def test_a_title_that_was_cut_short_or_grew_a_tail_gives_way_to_the_whole_one() -> None:
    body = "<h1>The bridge is open to all who walk</h1><p>Text.</p>"
    cut = '<meta property="og:title" content="The bridge is open to …">'
    assert _read(cut, body=body).title == "The bridge is open to all who walk"
    tail = '<meta property="og:title" content="The bridge is open to all who walk | Town | Region">'
    assert _read(tail, body=body).title == "The bridge is open to all who walk"


@pytest.mark.parametrize(
    ("head", "source"),
    [
        (json_ld('{"@type": "Article", "publisher": [{"name": "A &amp; B"}]}'), "A & B"),
        (json_ld('{"@type": "Article", "publisher": "Herald"}'), "Herald"),
        ('<meta name="application-name" content="Herald">', "Herald"),
        ('<meta property="og:site_name" content="https://x.example">', "larkmoor-herald.example"),
        ('<meta property="og:site_name" content="@herald">', "herald"),
        (json_ld('{"@type": "Article", "publisher": "Blogger"}'), "larkmoor-herald.example"),
    ],
)
def test_the_publisher_is_a_name_or_else_the_host(head: str, source: str) -> None:
    assert _read(head).source == source


@pytest.mark.parametrize(
    ("title", "url", "source"),
    [
        ("The bridge is open - Larkmoor Herald", URL, "Larkmoor Herald"),
        ("The bridge | LARKMOOR HERALD", "https://news.larkmoorherald.co.uk/a", "LARKMOOR HERALD"),
        ("The bridge is open - Herald", URL, "larkmoor-herald.example"),
        ("The bridge is open - Larkmoor", URL, "larkmoor-herald.example"),
        ("Larkmoor Herald - the bridge is open", URL, "larkmoor-herald.example"),
        ("The bridge is open - Larkmoor Herald", None, None),
    ],
)
def test_what_a_title_ends_in_is_the_publisher_where_it_is_the_name_of_its_domain(
    title: str, url: str | None, source: str | None
) -> None:
    found = _read(title=title, body="<p>Text.</p>", url=url)
    assert found.source == source
    if source and " " in source:
        assert found.title is not None
        assert source not in found.title


def test_a_stated_publisher_comes_before_the_title_s_end() -> None:
    head = '<meta property="og:site_name" content="Herald Group">'
    assert _read(head, title="The bridge is open - Larkmoor Herald").source == "Herald Group"


def test_a_chinese_date_under_the_headline_counts_where_none_is_stated() -> None:
    body = "<h1>江南小镇举办首届灯笼节</h1><p>2023年10月21日</p><p>2022年5月3日，镇长李文说。</p>"
    assert _read(body=body).published_at == "2023-10-21"
    stated = '<meta name="date" content="2023-10-22">'
    assert _read(stated, body=body).published_at == "2023-10-22"


def test_fields_are_one_line_of_at_most_500_characters() -> None:
    found = _read(title="The \u202ebridge\u0000 is\t<b>open</b> " + "and long " * 200, body="<p>x")
    assert found.title is not None
    assert found.title.startswith("The bridge is open and long")
    assert len(found.title) <= 500
    assert found.title.endswith("long…")


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("a\u00adb", "ab"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("&lt;i&gt;a&lt;/i&gt;", "a"),
        (" \u200b a\r\n b ", "a b"),
        ("x" * 501, "x" * 499 + "…"),
    ],
)
def test_tidying_keeps_what_is_seen(text: str, tidy: str) -> None:
    assert tidied(text) == tidy
