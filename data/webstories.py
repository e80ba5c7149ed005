"""From what was read out of a page or a feed's entry to a story that can be stored."""

import hashlib
from dataclasses import replace

from data.errors import StoryRefusedError
from data.ingestion import (
    MAX_FIELD_LENGTH,
    MAX_ID_LENGTH,
    Given,
    draft_from_fields,
    says_something,
)
from data.models import Draft
from data.pages import Extracted, FeedItem
from data.urls import MAX_URL_LENGTH

_GIVEN = ("title", "source", "author", "published_at", "url")


def draft_from_page(extracted: Extracted, given: Given | None = None) -> Draft:
    """Return the story in a page; what a person says about it wins over what the page says.

    Raises:
        StoryRefusedError: if there is no story in it; the text says why.
    """
    if extracted.reason is not None:
        raise StoryRefusedError(extracted.reason)
    fields = {name: getattr(extracted, name) for name in (*_GIVEN, "text")}
    read = _draft(fields)
    wanted = {name: value for name in _GIVEN if (value := _named(given, name))}
    draft = _draft({**fields, **wanted})
    return replace(
        draft,
        said=read.attribution,
        given=frozenset(wanted),
        modified_at=extracted.modified_at,
        notes=(*extracted.notes, *draft.notes),
    )


def draft_from_item(item: FeedItem, *, feed_url: str, source: str | None) -> Draft:
    """Return the story that a feed's entry holds in full; `source` is what the feed calls itself.

    An entry without a link is known again by its name within the feed.

    Raises:
        StoryRefusedError: if there is no story in it.
    """
    fields = {
        "id": None if item.url else _external_id(feed_url, item.guid),
        "title": item.title,
        "source": source,
        "author": item.author,
        "published_at": item.published_at,
        "url": item.url,
        "text": item.text,
    }
    draft = _draft(fields)
    return replace(draft, said=draft.attribution, modified_at=item.modified_at)


def _named(given: Given | None, name: str) -> str:
    """Return what a person says about a detail; blanks say nothing."""
    value = (getattr(given, name, None) or "").strip()
    return value if says_something(value) else ""


def _draft(fields: dict[str, str | None]) -> Draft:
    """Return the draft of these fields; what a machine wrote too long is cut or left out.

    Raises:
        StoryRefusedError: if it has no text.
    """
    for name in ("title", "source", "author"):
        value = fields.get(name)
        if value is not None and len(value) > MAX_FIELD_LENGTH:
            fields[name] = value[: MAX_FIELD_LENGTH - 1].rstrip() + "…" if name == "title" else None
    for name, limit in (("url", MAX_URL_LENGTH), ("published_at", MAX_FIELD_LENGTH)):
        if len(fields.get(name) or "") > limit:
            fields[name] = None
    try:
        return draft_from_fields(fields)
    except StoryRefusedError as error:
        raise StoryRefusedError(f"It cannot be added: {error}.") from error


def _external_id(feed_url: str, guid: str) -> str:
    """Return an id that no other feed's entry has, within the length of one."""
    name = f"{feed_url}#{guid}"
    if len(name) <= MAX_ID_LENGTH:
        return name
    return f"feed:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"
