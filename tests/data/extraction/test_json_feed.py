"""JSON Feed, as it should be and as it comes."""

import json
from typing import Any

import pytest

from data.errors import StoryRefusedError
from data.extraction.feed_parsing import MAX_ITEMS, parse_feed
from data.pages import Feed, FeedItem, Page

VERSION = "https://jsonfeed.org/version/1.1"
LONG = "The council met on Monday. " * 50


def parse(body: str | bytes) -> Feed:
    raw = body if isinstance(body, bytes) else body.encode()
    return parse_feed(Page(raw, url="https://news.example/feed.json"))


def feed(*items: Any, **about: Any) -> Feed:
    return parse(json.dumps({"version": VERSION, "title": "News", "items": items, **about}))


@pytest.mark.parametrize("version", ["https://jsonfeed.org/version/1", VERSION])
def test_a_json_feed_is_read(version: str) -> None:
    item = {
        "id": "n1",
        "url": "/1",
        "external_url": "https://other.example/",
        "title": "Bridge & road",
        "content_html": f"<p>{LONG}</p><p>End.</p>",
        "summary": "It opened.",
        "date_published": "2024-05-03T10:15:00+02:00",
        "date_modified": "2024-05-04T08:00:00+02:00",
        "authors": [{"name": "Jane Doe"}, {"name": "John Roe"}],
    }
    found = feed(item, version=version, home_page_url="https://news.example/")
    assert (found.title, found.url, found.left_out) == ("News", "https://news.example/", 0)
    assert found.items == (
        FeedItem(
            guid="n1",
            url="https://news.example/1",
            title="Bridge & road",
            author="Jane Doe, John Roe",
            published_at="2024-05-03T10:15:00+02:00",
            modified_at="2024-05-04T08:00:00+02:00",
            text=f"{LONG.strip()}\n\nEnd.",
            is_summary=False,
        ),
    )


@pytest.mark.parametrize(
    ("item", "text", "is_summary"),
    [
        ({"content_text": f"One\n\n{LONG}"}, f"One\n\n{LONG.strip()}", False),
        ({"content_text": "Short."}, "Short.", True),
        ({"summary": LONG}, LONG.strip(), True),
        ({"content_html": f"<p>{LONG}<a>Continue reading</a>"}, f"{LONG}Continue reading", True),
        ({"content_html": LONG, "attachments": [{"mime_type": "audio/mpeg"}]}, LONG.strip(), True),
    ],
)
def test_the_whole_is_told_from_a_summary(
    item: dict[str, Any], text: str, is_summary: bool
) -> None:
    (found,) = feed({"id": "1", **item}).items
    assert (found.text, found.is_summary) == (text, is_summary)


def test_an_item_without_authors_has_the_feeds() -> None:
    (old, new) = feed(
        {"id": 1, "author": {"name": "Jane Doe"}}, {"id": 2}, author={"name": "Ed"}
    ).items
    assert (old.guid, old.author) == ("1", "Jane Doe")
    assert (new.guid, new.author) == ("2", "Ed")


@pytest.mark.parametrize("wrong", [None, 1.5, True, [], {}, ["x"], {"name": 3}, "\ud800"])
def test_a_value_of_the_wrong_type_counts_as_not_there(wrong: Any) -> None:
    names = ("id", "title", "content_html", "date_published", "authors", "author", "attachments")
    found = feed({"url": "https://news.example/1", **dict.fromkeys(names, wrong)}, title=wrong)
    (item,) = found.items
    assert item.url == "https://news.example/1"
    assert item.guid
    assert (found.title, item.title, item.text, item.published_at) == (None, None, None, None)


def test_items_that_are_none_are_passed_over() -> None:
    assert [item.guid for item in feed(None, 3, "x", {"id": "1"}, []).items] == ["1"]
    assert feed(items={"id": "1"}).items == ()


def test_at_most_500_items_are_read() -> None:
    found = feed(*({"id": str(number), "url": "/1"} for number in range(100_000)))
    assert len(found.items) == MAX_ITEMS
    assert found.left_out == 100_000 - MAX_ITEMS


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{}", "This is JSON, but not a JSON Feed."),
        ("[1, 2]", "This is JSON, but not a JSON Feed."),
        ('{"version": 1, "items": []}', "This is JSON, but not a JSON Feed."),
        ('{"version": "2.0"', "The feed is too damaged to be read: its JSON is not valid."),
        ('{"a":' * 500_000, "The feed is too damaged to be read: its JSON is not valid."),
        ("[" * 1_000_000, "The feed is too damaged to be read: its JSON is not valid."),
        (f"[{'9' * 10_000}]", "The feed is too damaged to be read: its JSON is not valid."),
    ],
    ids=["an object", "a list", "a number", "cut off", "deep", "deep lists", "a huge number"],
)
def test_what_is_no_json_feed_is_refused(body: str, reason: str) -> None:
    with pytest.raises(StoryRefusedError) as refused:
        parse(body)
    assert str(refused.value) == reason
