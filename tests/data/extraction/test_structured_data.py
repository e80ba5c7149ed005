import json
from typing import Any

import pytest

from data.extraction.html_tree import parse_html
from data.extraction.structured_data import StructuredData, structured_data
from tests.data.extraction.made_pages import json_ld, page

STORY: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "The bridge is open",
    "datePublished": "2024-05-06T08:00:00+01:00",
    "author": {"@type": "Person", "name": "Ann Lee"},
    "publisher": {"@type": "Organization", "name": "Larkmoor Herald"},
}


def _read(*blocks: str, title: str | None = "The bridge is open") -> StructuredData:
    tree = parse_html(page(head="".join(json_ld(block) for block in blocks)))
    assert tree is not None
    return structured_data(tree, title)


@pytest.mark.parametrize(
    "block",
    [
        json.dumps(STORY),
        json.dumps([{"@type": "BreadcrumbList"}, STORY]),
        json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, STORY]}),
        json.dumps({"@type": "WebPage", "mainEntity": STORY}),
        json.dumps(STORY | {"@type": ["NewsArticle", "Thing"]}),
        json.dumps(STORY | {"@type": "http://schema.org/ReportageNewsArticle"}),
        json.dumps(STORY | {"@type": "schema:BlogPosting"}),
        f"<!--\n{json.dumps(STORY)}\n-->",
        f"//<![CDATA[\n{json.dumps(STORY)}\n//]]>",
        json.dumps(STORY).replace("The bridge is", "The bridge\n\tis"),
        json.dumps(STORY)[:-1] + ",}",
        json.dumps(STORY) + ";",
        json.dumps(STORY).replace('"', "&quot;"),
        json.dumps({"@type": "Organization"}) + json.dumps(STORY) + "{broken",
    ],
)
def test_the_story_is_found_however_the_block_is_written(block: str) -> None:
    data = _read(block)
    assert " ".join((data.text("headline") or "").split()) == "The bridge is open"
    assert data.names("author") == ["Ann Lee"]
    assert data.names("publisher") == ["Larkmoor Herald"]


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("Ann Lee", ["Ann Lee"]),
        (["Ann Lee", {"name": "Bo Roe"}], ["Ann Lee", "Bo Roe"]),
        ({"@type": "Person", "name": ["Ann Lee", "Bo Roe"]}, ["Ann Lee", "Bo Roe"]),
        ({"@id": "#ann"}, ["Ann Lee"]),
        ({"Name": "Ann &amp; Bo"}, ["Ann & Bo"]),
        ([None, 7, {}, {"name": None}, ""], []),
    ],
)
def test_authors_are_read_in_every_shape(author: object, names: list[str]) -> None:
    person = {"@id": "#ann", "@type": "Person", "name": "Ann Lee"}
    data = _read(json.dumps({"@graph": [STORY | {"author": author}, person]}))
    assert data.names("author") == names


def test_the_story_is_the_one_with_the_page_s_headline() -> None:
    other = STORY | {"headline": "A ferry sinks"}
    assert _read(json.dumps([other, STORY])).text("headline") == "The bridge is open"
    assert _read(json.dumps(other), json.dumps(STORY)).text("headline") == "The bridge is open"


def test_stories_that_a_page_only_lists_are_not_its_own() -> None:
    block = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": STORY}]}
    assert _read(json.dumps(block)).story == {}
    assert _read(json.dumps({"@type": "WebPage", "mentions": [STORY]})).story == {}


@pytest.mark.parametrize(
    ("said", "free"),
    [(False, False), ("False", False), ("http://schema.org/False", False), (True, True)],
)
def test_whether_it_is_free_is_read_in_every_spelling(said: object, free: bool) -> None:
    assert _read(json.dumps(STORY | {"isAccessibleForFree": said})).free is free


def test_what_is_said_of_a_part_is_not_said_of_the_story() -> None:
    part = {"@type": "WebPageElement", "isAccessibleForFree": False}
    assert _read(json.dumps(STORY | {"hasPart": part})).free is None
    assert _read(json.dumps(STORY)).free is None


@pytest.mark.parametrize(
    "block",
    [
        *("", "{", "[" * 100_000, "null", "7", '"text"', "{}" * 1000, '{"@type": 3}'),
        *('{"@type": "NewsArticle", "headline": [{}, [], null]}', '{"@id": {}, "a": 1}'),
        *('{"@type": "NewsArticle", "author": {"@id": ["x"]}}', "[" + "[{}]," * 30_000 + "[]]"),
        '{"@type": "NewsArticle", "isAccessibleForFree": {}, "datePublished": 12}',
    ],
)
def test_a_hostile_block_says_nothing(block: str) -> None:
    data = _read(block)
    assert data.text("headline") is None
    assert data.text("datePublished") is None
    assert data.names("author") == []
