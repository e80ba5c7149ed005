import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from data.errors import StoryRefusedError
from data.extraction.charsets import decode_page
from data.extraction.feed_items import RawItem, feed_item, web_address
from data.extraction.json_feed import parse_json_feed
from data.extraction.markup import one_line, plain_text, storable, text_of_html
from data.pages import Feed, Page

MAX_FEED_BYTES = 5_000_000  # as many as are fetched
MAX_ITEMS = 500  # of a feed that are read: a paper's output of some days; feeds mostly hold 10-100

_EMPTY = "There is nothing at this address: the feed is empty."
_TOO_LARGE = f"The feed is larger than {MAX_FEED_BYTES // 1_000_000} MB, too large to be read."
_ENTITIES = (
    "The feed declares entities of its own in a DOCTYPE. That is a way to do harm, so it is not "
    "read."
)
_DAMAGED = "The feed is too damaged to be read."
_NOTHING = "The feed is empty: it has neither a name nor entries."
_NO_FEED = "This is not a feed: it is neither RSS nor Atom nor JSON Feed."
_WEB_PAGE = "This is a web page, not a feed."

# What matters in a feed's markup before it is parsed. A name may have a prefix.
_NAME = r"(?:[\w.-]{1,50}:)?"
_MARK = re.compile(
    r"<!--|<!\[CDATA\[|<!ENTITY|"
    rf"<{_NAME}(?P<root>rss|feed|rdf)(?=[\s/>])|"
    rf"<{_NAME}(?P<item>item|entry)(?=[\s/>])|"
    rf"</{_NAME}(?P<end>item|entry)\s*>",
    re.IGNORECASE,
)
_CLOSED_BY = {"<!--": "-->", "<![cdata[": "]]>"}
_REFERENCE = re.compile(r"&#(x?)([0-9a-f]+);", re.IGNORECASE)
_LONGEST_REFERENCE = 10  # digits
_WEB_ROOT = re.compile(r"<(?:html|body)\b", re.IGNORECASE)
_FIRST_TAG = re.compile(r"<(!doctype\s+html|[a-z][\w:]{0,50})", re.IGNORECASE)
_HTML_TAGS = re.compile(
    r"!doctype.*|html|head|meta|title|link|script|body|h[1-6]|p|div|span|img|a|br|b|table|ul",
    re.IGNORECASE,
)
_LOOKED_AT = 100_000  # characters of a web page in which the feeds that it names are looked for
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")
_HTML_TYPES = ("text/html", "application/xhtml+xml")


def parse_feed(page: Page) -> Feed:
    """Return the feed in a page: RSS, RDF, Atom or JSON Feed, its first 500 entries.

    A DOCTYPE without declarations of its own (RSS 0.91 has one) is passed over; what it points to
    is never read. What declares entities is refused before anything is expanded.

    Raises:
        StoryRefusedError: if it is no feed, or empty, too large or damaged; the text says which.
    """
    if len(page.body) > MAX_FEED_BYTES:
        raise StoryRefusedError(_TOO_LARGE)
    text = storable(decode_page(page.body, declared=page.charset)).strip()
    if not text:
        raise StoryRefusedError(_EMPTY)
    if text[0] in "{[":
        return parse_json_feed(text, base=page.url, most=MAX_ITEMS)
    outline = _outline(text)
    if outline is None:
        raise StoryRefusedError(_no_feed(text, page))
    return _xml_feed(outline, page.url)


def feed_links(page: Page) -> tuple[str, ...]:
    """Return the absolute addresses of the feeds that a web page names, each once, in its order."""
    from lxml import etree

    text = storable(decode_page(page.body[: 4 * _LOOKED_AT], declared=page.charset)[:_LOOKED_AT])
    parser = etree.HTMLParser(recover=True, no_network=True, remove_comments=True)
    # With a tag in front it cannot begin with a declaration of an encoding, which lxml refuses.
    root = etree.fromstring(f"<html>{text}", parser)
    if root is None:
        return ()
    base = page.url or ""
    found: dict[str, None] = {}
    for element in root.iter("base", "link"):
        href = (element.get("href") or "").strip()
        if element.tag == "base":
            base = web_address(href, base) or base
        elif (element.get("type") or "").strip().lower() in _FEED_TYPES:
            relation = (element.get("rel") or "").lower().split()
            address = web_address(href, base) if href and "alternate" in relation else None
            if address:
                found.setdefault(address)
    return tuple(found)


def _no_feed(text: str, page: Page) -> str:
    first = _FIRST_TAG.search(text[:_LOOKED_AT])
    if first is None or not _HTML_TAGS.fullmatch(first[1]):
        return _NO_FEED
    links = feed_links(page)
    return f"{_WEB_PAGE} It names a feed: {links[0]}" if links else _WEB_PAGE


@dataclass(frozen=True, slots=True)
class _Outline:
    """A feed from its root element on, cut behind its first 500 entries."""

    text: str
    entries: int


def _outline(text: str) -> _Outline | None:
    """Return the feed in a text, cut to 500 entries, or None where it has no feed's root.

    The cut takes out what stands between the last entry that is read and what follows the last
    one, so that the elements around them are still closed.

    Raises:
        StoryRefusedError: if entities are declared.
    """
    root: re.Match[str] | None = None
    entries, last_end, cut = 0, 0, None
    position = 0
    while match := _MARK.search(text, position):
        position = match.end()
        if closing := _CLOSED_BY.get(match[0].lower()):
            end = text.find(closing, position)
            if end < 0:  # nothing behind it can be read
                text = text[: match.start()]
                break
            position = end + len(closing)
        elif match["end"]:
            last_end = match.end()
        elif match["root"]:
            root = root or match
        elif match["item"] is None:
            raise StoryRefusedError(_ENTITIES)
        elif root is not None:
            entries += 1
            cut = match.start() if entries == MAX_ITEMS + 1 else cut
    if root is None:
        return None
    start = root.start()
    # A web page may describe a picture in RDF; one that is wrapped around a feed has its entries.
    if _WEB_ROOT.search(text, 0, start) and (root["root"].lower() == "rdf" or not entries):
        return None
    if cut is None:
        return _Outline(text[start:], entries)
    return _Outline(text[start:cut] + (text[last_end:] if last_end > cut else ""), entries)


def _xml_feed(outline: _Outline, base: str | None) -> Feed:
    parsed = _parsed(outline.text, base)
    about, entries = parsed["feed"], parsed["entries"][:MAX_ITEMS]
    title = _title(about)
    if not entries and (outline.entries or not title):
        raise StoryRefusedError(_DAMAGED if outline.entries else _NOTHING)
    is_atom = str(parsed.get("version") or "").startswith("atom")
    # In Atom the feed's author wrote what names no other (RFC 4287, 4.2.1).
    default = [name for name in _authors(about) if is_atom and name != title]
    return Feed(
        title=title or None,
        url=web_address(_text(about, "link"), base),
        items=tuple(
            feed_item(_raw_item(entry, is_atom=is_atom, default=default), base=base)
            for entry in entries
        ),
        left_out=max(0, outline.entries - MAX_ITEMS),
    )


def _parsed(text: str, base: str | None) -> Any:
    """Return what feedparser makes of a feed. It is given bytes alone, so it fetches nothing.

    Raises:
        StoryRefusedError: if it fails, as its parser of damaged feeds may.
    """
    import feedparser

    headers = {"content-type": "application/xml; charset=utf-8"}
    if base:
        headers["content-location"] = base
    text = _REFERENCE.sub(_sound_reference, text)
    body = f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()
    try:
        return feedparser.parse(
            BytesIO(body),
            response_headers=headers,
            sanitize_html=False,  # only plain text leaves this module
            resolve_relative_uris=False,
        )
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
        raise StoryRefusedError(_DAMAGED) from error


def _sound_reference(match: re.Match[str]) -> str:
    """Return a numeric reference, or "" where there is no such character that text can hold."""
    digits = match[2]
    if len(digits) > _LONGEST_REFERENCE:
        return ""
    number = int(digits, 16 if match[1] else 10)
    return match[0] if number <= sys.maxunicode and storable(chr(number)) else ""


def _raw_item(entry: Any, *, is_atom: bool, default: Sequence[str]) -> RawItem:
    links = [link for link in entry.get("links", ()) if isinstance(link, Mapping)]
    is_episode = any(_is_recording(_text(link, "type")) for link in links)
    pieces = [piece for piece in entry.get("content", ()) if _text(piece, "value")]
    full = [_plain(piece) for piece in pieces if _text(piece, "type") in _HTML_TYPES]
    short = [_plain(piece) for piece in pieces if _text(piece, "type") == "text/plain"]
    summary = _text(entry, "summary")
    if summary not in (_text(piece, "value") for piece in pieces):
        short.append(_plain({"type": "text/html", **_detail(entry, "summary"), "value": summary}))
    published, updated = _text(entry, "published"), _text(entry, "updated")
    if not is_atom and not published:  # dc:date, which alone says when a story appeared
        published, updated = updated, ""
    return RawItem(
        guid=_text(entry, "id"),
        links=(
            _text(entry, "feedburner_origlink"),
            _text(entry, "link"),
            *(_text(link, "href") for link in links if _text(link, "rel") == "alternate"),
        ),
        title=_title(entry),
        authors=_authors(entry) or default,
        published=published or _text(entry, "created"),
        modified=updated,
        # What goes with a recording are notes on it, however long.
        full=() if is_episode else full,
        short=(*full, *short) if is_episode else short,
    )


def _is_recording(media_type: str) -> bool:
    return media_type.startswith(("audio/", "video/"))


def _text(values: Any, key: str) -> str:
    """Return a value that is text, or "". Read past feedparser, which answers with other keys'."""
    value = dict.get(values, key)
    return value if isinstance(value, str) else ""


def _detail(values: Any, key: str) -> dict[str, Any]:
    found = dict.get(values, f"{key}_detail")
    return dict(found) if isinstance(found, dict) else {}


def _title(values: Any) -> str:
    return one_line(_plain({**_detail(values, "title"), "value": _text(values, "title")}))


def _plain(piece: Mapping[str, Any]) -> str:
    """Return the plain text of a value of feedparser's with its type."""
    value = piece["value"]
    return text_of_html(value) if piece.get("type") in _HTML_TYPES else plain_text(value)


def _authors(values: Any) -> list[str]:
    people = [person for person in values.get("authors", ()) if isinstance(person, Mapping)]
    names = [_text(person, "name") for person in people]
    last = _text(values, "author")
    if "@" in last or not names:  # feedparser takes only some e-mail addresses out of a name
        names = [*names[:-1], last]
    return [name for name in names if name]
