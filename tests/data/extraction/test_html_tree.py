import pytest

from data.extraction.html_tree import letters, lines_of, one_line, parse_html, text_of


def _lines(html: str) -> list[str]:
    tree = parse_html(html)
    return [] if tree is None else [line.text for line in lines_of(tree)]


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<p>One <b>and</b> <i>two</i>.</p>", ["One and two."]),
        ("<p>One</p>two<div>three</div>four", ["One", "two", "three", "four"]),
        ("<p>One<br>two<br/><br/>three</p>", ["One", "two", "three"]),
        ("<div>loose <p>inner</p> after</div>", ["loose", "inner", "after"]),
        ("<p>One<script>two()</script> three</p>", ["One three"]),
        ("<p>One<!-- two --> three</p>", ["One three"]),
        ("<noscript><p>no</p></noscript><p>One</p><template><p>no</p></template>", ["One"]),
        (
            "<table><tr><th>Team</th><th>Won</th></tr><tr><td>Orrick</td><td><b>3</b></td></tr>",
            ["Team\tWon", "Orrick\t3"],
        ),
        ("<ul><li>One<li>two</ul>", ["One", "two"]),
        ("<p>* * *</p><p>&nbsp;</p><p>One</p>", ["One"]),
        ("<p>caf&eacute; &amp;amp; tea</p>", ["café &amp; tea"]),
        ("<p>One\n  two\t three</p>", ["One two three"]),
    ],
)
def test_the_lines_are_those_that_a_browser_shows(html: str, lines: list[str]) -> None:
    assert _lines(html) == lines


@pytest.mark.parametrize(
    "html",
    [
        '<?xml version="1.0" encoding="iso-8859-1"?><html xmlns="http://www.w3.org/1999/xhtml">'
        "<body><p>déjà vu</p></body></html>",
        '\ufeff<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "about:legacy"><p>déjà vu',
        '<html><head><meta charset="latin-1"></head><body><p>déjà vu</body>',
        "<p>déjà\x00 vu\ud800</p>",
        "<p>déjà vu",
        "</div></p><p>déjà vu</b></p></html><p></p>",
    ],
)
def test_pages_are_read_however_they_declare_themselves(html: str) -> None:
    assert _lines(html) == ["déjà vu"]


@pytest.mark.parametrize("html", ["", "  \n", "<!-- x -->", "<!DOCTYPE html>"])
def test_nothing_is_no_page(html: str) -> None:
    assert _lines(html) == []


def test_a_line_knows_its_links_its_element_and_its_break() -> None:
    tree = parse_html("<div><p>ab <a href='/x'>cd</a><br>ef</p><p><a name='x'>gh</a></p></div>")
    assert tree is not None
    first, second, third = lines_of(tree)
    assert (first.linked, second.linked, third.linked) == (0.5, 0.0, 0.0)
    assert (first.broken, second.broken, third.broken) == (False, True, False)
    assert first.block is second.block
    assert [element.tag for element in third.ancestors()] == ["p", "div", "body", "html"]
    assert [line.number for line in (first, second, third)] == [0, 1, 2]


def test_a_million_nested_elements_end_in_what_can_be_read() -> None:
    assert _lines("<div>" * 1_000_000 + "deep") == []
    assert _lines("<p>first</p>" + "<b>" * 1_000_000) == ["first"]


def test_letters_are_what_two_spellings_share() -> None:
    assert letters("“Cafe\u0301” – 3, A_b!") == letters("Café 3 A_b") == "Café3A_b"
    assert one_line(" a\n b\u00a0 ") == "a b"


def test_the_text_of_an_element_is_one_line() -> None:
    tree = parse_html("<h1>The <em>bridge</em>\n is <br>open</h1>")
    assert tree is not None
    assert text_of(tree.find(".//h1")) == "The bridge is open"
