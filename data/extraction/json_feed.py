import json
from collections.abc import Iterator
from typing import Any

from data.errors import StoryRefusedError
from data.extraction.feed_items import RawItem, feed_item, web_address
from data.extraction.markup import one_line, plain_text, text_of_html
from data.pages import Feed

_VERSION = "jsonfeed.org/version/"
_DAMAGED = "The feed is too damaged to be read: its JSON is not valid."
_NO_JSON_FEED = "This is JSON, but not a JSON Feed."
_RECORDINGS = ("audio/", "video/")


def parse_json_feed(text: str, *, base: str | None, most: int) -> Feed:
    """Return the JSON Feed (version 1 or 1.1) in a text, its first `most` entries.

    See https://www.jsonfeed.org/version/1.1/. What is of the wrong type counts as not there.

    Raises:
        StoryRefusedError: if it is none, or no valid JSON.
    """
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoryRefusedError(_DAMAGED) from error
    if not isinstance(feed, dict) or _VERSION not in _text(feed, "version"):
        raise StoryRefusedError(_NO_JSON_FEED)
    items = feed.get("items")
    items = items if isinstance(items, list) else []
    default = list(_authors(feed))
    read = [item for item in items[:most] if isinstance(item, dict)]
    return Feed(
        title=one_line(_text(feed, "title")) or None,
        url=web_address(_text(feed, "home_page_url"), base),
        items=tuple(feed_item(_raw_item(item, default), base=base) for item in read),
        left_out=max(0, len(items) - most),
    )


def _raw_item(item: dict[str, Any], default: list[str]) -> RawItem:
    full = [text_of_html(_text(item, "content_html")), plain_text(_text(item, "content_text"))]
    short = [plain_text(_text(item, "summary"))]
    # What goes with a recording are notes on it, however long.
    attachments = item.get("attachments")
    is_episode = isinstance(attachments, list) and any(
        _text(attachment, "mime_type").startswith(_RECORDINGS) for attachment in attachments
    )
    return RawItem(
        guid=_text(item, "id"),
        links=(_text(item, "url"), _text(item, "external_url")),
        title=_text(item, "title"),
        authors=list(_authors(item)) or default,
        published=_text(item, "date_published"),
        modified=_text(item, "date_modified"),
        full=() if is_episode else full,
        short=(*full, *short) if is_episode else short,
    )


def _text(values: Any, key: str) -> str:
    """Return a value as text; a number counts, since some feeds have numbers for ids."""
    value = values.get(key) if isinstance(values, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _authors(values: dict[str, Any]) -> Iterator[str]:
    people = values.get("authors")
    for person in people if isinstance(people, list) else [values.get("author")]:
        if name := _text(person, "name"):
            yield name
