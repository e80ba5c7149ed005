"""What comes from the web, before anything of it is stored: pages, what is in them, feeds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """What stands at an address, or in a file: bytes, and what was said about them.

    `url` is where they came from in the end and `asked_url` what was asked for; both are None for
    a file. `moved_to` is set where every step between them was a permanent redirect. `media_type`
    is in lower case without parameters, "" where none was given; `charset` is the one that was
    declared beside the content. `etag` and `last_modified` are the header's own words.
    """

    body: bytes
    url: str | None = None
    asked_url: str | None = None
    moved_to: str | None = None
    media_type: str = ""
    charset: str | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a page says: its text, and whose it is; None is unknown, never a guess.

    `text` has its paragraphs separated by a blank line. `reason` is None for a story; else it is a
    sentence that says why this is none (a paywall, a list of links), and `text` is what there is
    all the same. Dates are ISO 8601 with the precision that they came with. `notes` are sentences
    for the person who adds the story.
    """

    title: str | None = None
    author: str | None = None
    source: str | None = None
    published_at: str | None = None
    modified_at: str | None = None
    url: str | None = None
    text: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An entry of a feed.

    `guid` names it within its feed and is never empty. `url` is None where it has no link of its
    own. `text` is what it holds of the story, as plain text with paragraphs separated by a blank
    line; `is_summary` tells that this is surely or probably not the whole. `refused` is a
    sentence where the entry cannot be used at all.
    """

    guid: str
    url: str | None = None
    title: str | None = None
    author: str | None = None
    published_at: str | None = None
    modified_at: str | None = None
    text: str | None = None
    is_summary: bool = True
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that was read: what it calls itself, and its entries in its own order.

    `left_out` is the number of entries beyond the most that are read of one feed.
    """

    title: str | None
    url: str | None
    items: tuple[FeedItem, ...]
    left_out: int = 0
