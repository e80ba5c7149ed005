import pytest

from data.extraction.html_tree import parse_html
from data.extraction.page_authors import MAX_AUTHORS, author_names, first_name_first, joined_names
from tests.data.extraction.made_pages import page


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Ann Lee", "Ann Lee"),
        ("By Ann Lee", "Ann Lee"),
        ("BY: ANN LEE", "ANN LEE"),
        ("Von Anna Berg", "Anna Berg"),
        ("Par Zoé Petit", "Zoé Petit"),
        ("Por José Ortega y Gasset", "José Ortega y Gasset"),
        ("Written by Ann Lee and Bo Roe", "Ann Lee, Bo Roe"),
        ("Ann Lee & Bo Roe; Cy Poe", "Ann Lee, Bo Roe, Cy Poe"),
        ("Ann Lee | Bo Roe", "Ann Lee, Bo Roe"),
        ("Ann Lee, Chief Political Correspondent", "Ann Lee"),
        ("Ann Lee Staff Writer", "Ann Lee"),
        ("Ann Lee ann.lee@herald.example", "Ann Lee"),
        ("Ann Lee (https://herald.example/ann) @annlee", "Ann Lee"),
        ("Martin Roe, Jr.", "Martin Roe Jr"),
        ("Ann Lee, ann lee", "Ann Lee"),
        ("<a href='/x'>Ann&nbsp;Lee</a>", "Ann Lee"),
        ("Dr. Ann O’Lee-Roe", "Dr. Ann O’Lee-Roe"),
        ("Анна Ли", "Анна Ли"),
        ("Reporter: Ann Lee", "Ann Lee"),
        ("Journalistes : Ann Lee, Bo Roe", "Ann Lee, Bo Roe"),
        ("Text: Anna Berg", "Anna Berg"),
        ("Writer Ann Lee", "Writer Ann Lee"),
    ],
)
def test_names_are_taken_out_of_what_pages_write(written: str, names: str) -> None:
    assert joined_names([written]) == names


@pytest.mark.parametrize(
    "written",
    [
        *("", "https://www.facebook.com/ann.lee", "ann@herald.example", "admin", "Staff Writer"),
        *("By", "Unknown", "12345", "6 May 2024", "Editorial Staff", "@annlee", "null"),
        "A line of text that somebody wrote into the place of the author of a story",
        ", ".join(f"Ann {chr(65 + n)}ee" for n in range(MAX_AUTHORS + 1)),
    ],
)
def test_what_is_no_name_is_left_out(written: str) -> None:
    assert joined_names([written]) is None


def _authors(*stated: list[str], body: str = "<p>Text.</p>") -> str | None:
    tree = parse_html(page(body))
    assert tree is not None
    return author_names(stated, tree, ["Larkmoor Herald", "herald.example"])


def test_the_first_statement_that_names_somebody_counts() -> None:
    assert _authors([], ["https://x.example"], ["Ann Lee"], ["Bo Roe"]) == "Ann Lee"


def test_the_publisher_is_no_author() -> None:
    assert _authors(["Larkmoor Herald"]) is None
    assert _authors(["Larkmoor Herald Staff", "Ann Lee"]) == "Ann Lee"


def test_a_byline_is_found_where_nobody_is_stated() -> None:
    assert _authors(body="<p class='byline'>By Ann Lee</p><p>Text.</p>") == "Ann Lee"
    assert _authors(body="<p class='byline'>By Ann Lee Published Monday</p>") == "Ann Lee"
    assert _authors(body="<p class='byline'>Wednesday, 3 May 2023</p>") is None


def test_a_name_of_a_catalogue_is_turned_round() -> None:
    assert first_name_first("Lee, Ann") == "Ann Lee"
    assert first_name_first("Ann Lee") == "Ann Lee"
    assert first_name_first("Lee, Ann, Roe, Bo") == "Lee, Ann, Roe, Bo"
