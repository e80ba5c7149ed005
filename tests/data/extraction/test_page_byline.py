import pytest

from data.extraction.extract import extract
from data.extraction.html_tree import parse_html
from data.extraction.page_byline import byline_names, under_headline
from data.pages import Extracted, Page
from tests.data.extraction.made_pages import STORY, json_ld, page, paragraphs

TITLE = "The bridge is open"
TEXT = "\n\n".join(STORY)


def _read(top: str, *, head: str = "", lang: str = "", heading: str = "h1") -> Extracted:
    body = f"<div id='content'><{heading}>{TITLE}</{heading}>{top}{paragraphs()}</div>"
    html = page(body, head=head).replace("<html>", f"<html lang='{lang}'>")
    url = "https://www.larkmoor-herald.example/news/bridge"
    return extract(Page(body=html.encode(), url=url, media_type="text/html"))


@pytest.mark.parametrize(
    ("line", "language", "names"),
    [
        ("By Ann Lee", "en-GB", ["Ann Lee"]),
        ("By Ann Lee", "is", ["Ann Lee"]),
        ("BY: ANN LEE", "", ["ANN LEE"]),
        ("— By Ann Lee, Chief Reporter", "en", ["Ann Lee"]),
        ("By Ann Lee, Larkmoor Herald", "en", ["Ann Lee"]),
        ("Written by Ann Lee and Bo van der Roe", "en", ["Ann Lee", "Bo van der Roe"]),
        ("By Ann Lee, Bo Roe and Cy Poe", "en", ["Ann Lee", "Bo Roe", "Cy Poe"]),
        ("By Ann Lee, Business and Economics Editor", "en", ["Ann Lee"]),
        ("By Ann Lee & Bo O’Roe-Poe | 6 May 2024", "en", ["Ann Lee", "Bo O’Roe-Poe"]),
        ("By Ann Lee Monday, 6 May", "en", ["Ann Lee"]),
        ("By Ann Lee, 6 May 2024", "en", ["Ann Lee"]),
        ("Par Maëlle Guéguen et Zoé Petit", "fr", ["Maëlle Guéguen", "Zoé Petit"]),
        ("Von Jörg Wäßner | Stand: 05.11.2026, 06:30 Uhr", "de", ["Jörg Wäßner"]),
        ("Por José Ortega y Gasset", "es", ["José Ortega y Gasset"]),
        ("Por Ana Souza e Rui Melo", "pt-BR", ["Ana Souza", "Rui Melo"]),
        ("Di Anna Rossi", "it", ["Anna Rossi"]),
        ("Door Jan de Vries en Els Bakker", "nl", ["Jan de Vries", "Els Bakker"]),
        ("Av Kari Lund og Per Dahl", "nb", ["Kari Lund", "Per Dahl"]),
        ("Af Mette Holm", "da", ["Mette Holm"]),
    ],
)
def test_a_byline_names_its_writers(line: str, language: str, names: list[str]) -> None:
    assert byline_names(line, language) == names


@pytest.mark.parametrize(
    ("line", "language"),
    [
        *(("By the river", "en"), ("By Monday", "en"), ("By The Numbers", "en"), ("By", "en")),
        *(("By Ann", "en"), ("By far the longest bridge", "en"), ("By Ann Lee?", "en")),
        *(("By Our Own Reporter", "en"), ("By 2030 Larkmoor has Two Bridges", "en")),
        *(("Ann Lee", "en"), ("Bye Ann Lee", "en"), ("Photo by Ann Lee", "en")),
        ("By Wednesday Buses Cross The Bridge", "en"),
        *(("Von Mallorca nach Ibiza", "de"), ("Von der Leyen Besucht Larkmoor", "de")),
        *(("Von Trapp Family", "en"), ("Door County Pulse", "en"), ("Di Stefano Returns", "es")),
        ("Par Avion", "fr"),
        ("By Ann Lee " + "and Bo Roe " * 20, "en"),
    ],
)
def test_what_may_be_something_else_is_no_byline(line: str, language: str) -> None:
    assert byline_names(line, language) == []


@pytest.mark.parametrize(
    ("top", "lang", "author"),
    [
        ("<p>By Ann Lee</p>", "en", "Ann Lee"),
        ("<div>By Morag Sinclair, Chief Reporter</div><div>3 May 2024</div>", "", "Morag Sinclair"),
        ("<p>Par Maëlle Guéguen</p>", "fr", "Maëlle Guéguen"),
        ("<p class='meta'>Von Jörg Wäßner | Stand: 05.11.2024</p>", "de", "Jörg Wäßner"),
        ("<span itemprop='author'>Dana Orr</span><time>8 Nov</time>", "en", "Dana Orr"),
        ("<p>Local news</p><p>By <a href='/a'>Ann Lee</a></p>", "en", "Ann Lee"),
    ],
)
@pytest.mark.parametrize("heading", ["h1", "h2"])
def test_a_byline_above_the_story_is_its_author_and_not_its_text(
    top: str, lang: str, author: str, heading: str
) -> None:
    found = _read(top, lang=lang, heading=heading)
    assert found.author == author
    assert found.text is not None
    assert found.text.removeprefix("Local news\n\n") == TEXT


def test_the_stated_author_counts_and_the_byline_goes_all_the_same() -> None:
    linked = json_ld(
        '{"@type": "NewsArticle", "headline": "The bridge is open", "author": "A Lee"}'
    )
    for head in (linked, '<meta name="author" content="A Lee">'):
        found = _read("<p>By Ann Lee-Roe</p>", head=head)
        assert (found.author, found.text) == ("A Lee", TEXT)


def test_the_name_alone_is_no_text_where_the_page_states_it() -> None:
    head = '<meta name="author" content="Ann Lee and Bo Roe">'
    assert _read("<div>Ann Lee</div><div>Bo Roe</div>", head=head).text == TEXT
    assert _read("<div>Cy Poe</div>", head=head).text != TEXT


def test_a_byline_within_or_behind_the_story_is_none() -> None:
    html = page(f"<article><h1>{TITLE}</h1>{paragraphs()}<p>By Ann Lee</p></article>")
    found = extract(Page(body=html.encode(), media_type="text/html"))
    assert found.author is None


def test_the_lines_under_the_headline_end_where_the_story_begins() -> None:
    body = f"<h1>Herald</h1><p>Town</p><h2>{TITLE}</h2><p>By Ann Lee</p><p>6 May</p>{paragraphs()}"
    tree = parse_html(page(body))
    assert tree is not None
    assert [line.text for line in under_headline(tree, [TITLE])] == ["By Ann Lee", "6 May"]
    assert [line.text for line in under_headline(tree, [])][:2] == ["Town", TITLE]
    plain = parse_html(page(paragraphs()))
    assert plain is not None
    assert under_headline(plain, [TITLE]) == []
