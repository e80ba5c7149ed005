"""What is fuzzed: functions that take any bytes, and what must hold whatever the bytes are."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from data.addresses import HostRules
from data.dates import days_covered, parse_date
from data.errors import StoryRefusedError
from data.extraction.charsets import decode_page
from data.extraction.extract import extract
from data.extraction.feed_items import item_date
from data.extraction.feed_parsing import MAX_ITEMS, feed_links, parse_feed
from data.extraction.html_tree import parse_html
from data.extraction.page_dates import standard_date
from data.extraction.page_metadata import page_metadata
from data.extraction.pdf import pdf_text
from data.extraction.reading import _checked
from data.extraction.reading_frames import (
    BadFrameError,
    extracted,
    feed,
    read_reply,
    read_request,
    request,
)
from data.ingestion import MAX_FILE_BYTES, parse_story
from data.page_files import page_of
from data.pages import Extracted, Feed, FeedItem, Page
from data.web.fetch import FetchError
from data.web.media_types import split_content_type
from data.web.replies import MAX_RETRY_AFTER, retry_after
from data.web.targets import target_of
from data.webstories import draft_from_item, draft_from_page
from index.corrections import changes
from index.sentences import paragraph_spans, sentence_spans
from tests.fuzz import seeds
from tests.fuzz.holding import (
    address_holds,
    alone,
    crosses,
    date_holds,
    draft_holds,
    holds,
    sentence_holds,
    text_holds,
)
from tests.fuzz.network import check_address, check_fetching, check_robots, check_unpacking


@dataclass(frozen=True, slots=True)
class FuzzTarget:
    """A function that must hold for any bytes.

    `words` are what changes are made of. `modules` are those of libraries that are watched beside
    our own; `share` is the target's part of the time, as a weight.
    """

    name: str
    check: Callable[[bytes], object]
    seeds: Sequence[bytes]
    words: Sequence[bytes]
    modules: Sequence[str] = ()
    share: int = 1
    longest: int = 4000  # bytes


# --- pages, files, feeds


def page_from(data: bytes) -> Page:
    """Return a page: the Content-Type and the address on the first two lines, then the body.

    They go through what reads them of an answer, so that nothing is met that cannot come.
    """
    kind, _, rest = data.partition(b"\n")
    address, _, body = rest.partition(b"\n")
    media_type, charset = split_content_type(kind.decode("latin-1"))
    try:
        url = str(target_of(address.decode("utf-8", "replace"), HostRules(), ()).url)
    except FetchError:
        url = None
    return Page(body, url=url, media_type=media_type, charset=charset)


def check_page(data: bytes) -> None:
    """Extract a page: whatever stands there, what comes can be stored, or is refused in words."""
    _extracted_holds(page_from(data))


def check_pdf(data: bytes) -> None:
    """Read a PDF, whole and as a page."""
    found = pdf_text(data)
    holds((found.text is None) == (found.reason is not None), "a PDF has a text or a reason")
    for name in ("text", "title", "author"):
        text_holds(getattr(found, name), f"a PDF's {name}")
    date_holds(found.created, "a PDF's date")
    _extracted_holds(Page(data, media_type="application/pdf"))


def _extracted_holds(page: Page) -> None:
    found = extract(page)
    for name in ("title", "author", "source", "text"):
        text_holds(getattr(found, name), f"a page's {name}")
    for name in ("published_at", "modified_at"):
        date_holds(getattr(found, name), f"a page's {name}")
    address_holds(found.url, "a page's address")
    for sentence in filter(None, (found.reason, *found.notes)):
        sentence_holds(sentence, "a page's reason or note")
    crosses("a page", found, extracted)
    draft_holds(lambda: draft_from_page(found))


def check_decoding(data: bytes) -> None:
    """Decode bytes under any label."""
    page = page_from(data)
    text = decode_page(page.body, declared=page.charset)
    holds("\x00" not in text, "a decoded page has no NUL")
    holds(not any("\ud800" <= c <= "\udfff" for c in text), "a decoded page can be encoded")


def check_metadata(data: bytes) -> None:
    """Read what a page says of itself in JSON-LD of any shape."""
    text = data.decode("utf-8", "replace")
    if data[:1] not in (b"{", b"["):
        text = json.dumps(shape(data), ensure_ascii=bool(len(data) & 1))
    text = text.encode("utf-8", "replace").decode()  # no half characters, as of any decoded page
    source = f'<script type="application/ld+json">{text}</script><title>Bridge</title>'
    tree = parse_html(source)
    if tree is None:
        return
    about = page_metadata(tree, source, "https://news.example/2024/05/bridge")
    for name in ("title", "author", "source"):
        text_holds(getattr(about, name), f"a page's {name}")
    date_holds(about.published_at, "a page's published_at")
    date_holds(about.modified_at, "a page's modified_at")
    address_holds(about.url, "a page's address")


def check_file(data: bytes) -> None:
    """Take an uploaded file in: its name on the first line, then its bytes."""
    first, _, raw = data.partition(b"\n")
    name = "".join(filter(str.isprintable, first.decode("utf-8", "replace")))
    draft_holds(lambda: parse_story(raw, name=name))
    try:
        page = page_of(raw, name=name)
    except StoryRefusedError:
        return
    holds(len(page.body) <= MAX_FILE_BYTES, "an unpacked file is within the limit")


def check_feed(data: bytes) -> None:
    """Parse a feed, make stories of its entries, and look for the feeds that it names."""
    page = page_from(data)
    for link in feed_links(page):
        address_holds(link, "a named feed")
    try:
        found = parse_feed(page)
    except StoryRefusedError as error:
        holds(str(error).isprintable(), "a feed's refusal is printable")
        return
    holds(len(found.items) <= MAX_ITEMS and found.left_out >= 0, "a feed has 500 entries at most")
    text_holds(found.title, "a feed's title")
    address_holds(found.url, "a feed's address")
    for item in found.items:
        _item_holds(item)
        if item.text:
            draft_holds(
                lambda item=item: draft_from_item(  # type: ignore[misc]
                    item, feed_url="https://news.example/feed", source=found.title
                )
            )
    crosses("a feed", found, feed)


def _item_holds(item: FeedItem) -> None:
    holds(item.guid, "an entry has a name")
    for name in ("guid", "title", "author", "text"):
        text_holds(getattr(item, name), f"an entry's {name}")
    date_holds(item.published_at, "an entry's published_at")
    date_holds(item.modified_at, "an entry's modified_at")
    address_holds(item.url, "an entry's address")
    holds((item.refused is None) == bool(item.url or item.text), "an empty entry is refused")


def check_dates(data: bytes) -> None:
    """Read a text as a date in each of the ways."""
    text = data.decode("utf-8", "replace")
    for read in (parse_date, standard_date, item_date):
        if (date := read(text)) is not None:
            holds(days_covered(date), f"{read.__name__} gives ISO 8601")
            holds(parse_date(date) == date, f"what {read.__name__} gives is read as it stands")
    date_holds(item_date(text), "an entry's date")
    seconds = retry_after(text)
    holds(seconds is None or 0 <= seconds <= MAX_RETRY_AFTER, "a wait is at most a day")


# --- between the processes, and between two versions


def check_reply(data: bytes) -> None:
    """Read what a child process that was taken over may answer; the first byte says in what form.

    0: the stream itself; 1: the JSON of a frame; else an answer with fields of any shape.
    """
    form, rest = data[:1], data[1:]
    if form == b"\x00":
        frame = rest
    elif form == b"\x01":
        frame = _framed(rest)
    else:
        frame = _framed(json.dumps(["ok", _misshapen(rest)]).encode())
    try:
        kind, value = read_reply(BytesIO(frame))
    except BadFrameError:
        return
    for job in ("extract", "parse_feed"):
        try:
            _, checked = _checked(job, kind, value)
        except BadFrameError:
            continue
        if isinstance(checked, Extracted | Feed):
            read = extracted if isinstance(checked, Extracted) else feed
            crosses(job, checked, read)
    page = Page(rest, url="https://news.example/", charset=rest[:9].decode("latin-1"))
    again = read_request(BytesIO(request("extract", page)))
    holds(again == ("extract", page), "a request crosses the pipe unchanged")


def _framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


def _misshapen(data: bytes) -> dict[str, Any]:
    found = shape(data)
    stranger = found if isinstance(found, dict) else {"items": found, "notes": found, "text": found}
    item = asdict(FeedItem("1"))
    values = asdict(Feed(None, None, ()) if len(data) & 1 else Extracted())
    values = {name: stranger.get(name, value) for name, value in values.items()}
    if "items" in values and not values["items"]:
        values["items"] = [{name: stranger.get(name, value) for name, value in item.items()}]
    return values


def check_changes(data: bytes) -> None:
    """Compare two versions of a text, and divide one into its sentences."""
    first, _, second = data.partition(seeds.PART)
    old, new = first.decode("utf-8", "replace"), second.decode("utf-8", "replace")
    found = list(changes(old, new))
    for text, parts in ((old, [c.old for c in found]), (new, [c.new for c in found])):
        spans = paragraph_spans(text)
        kept = [part for part in parts if part is not None]
        holds(kept == [span.slice(text) for span in spans], "changes hold every paragraph")
        holds("".join("".join(kept).split()) == "".join(text.split()), "no character is lost")
    holds(all(c.old == c.new for c in found if c.kept), "what is kept is the same")
    sentences = [span.slice(old) for span in sentence_spans(old)]
    holds("".join("".join(sentences).split()) == "".join(old.split()), "sentences hold all")


# --- values of any shape

_NAMES = seeds.NAMES
_VALUES: tuple[Any, ...] = (*seeds.VALUES, None, True, False, 0, -1, 10**30, 1.5, math.inf)


def shape(data: bytes) -> Any:
    """Return a JSON value that the bytes describe: each puts something into what is open.

    Its lowest three bits open a dict or list, close one, or put a value in; the others choose
    the name or value.
    """
    root: list[Any] = []
    waiting: list[Any] = [root]
    bytes_left = iter(data)
    for byte in bytes_left:
        kind, choice = byte & 7, byte >> 3
        if kind == 0:
            waiting = waiting[:-1] or waiting
            continue
        value: Any = _VALUES[choice % len(_VALUES)]
        if kind in (1, 2):
            value = {} if kind == 1 else []
        top = waiting[-1]
        if isinstance(top, dict):
            top[_NAMES[next(bytes_left, 0) % len(_NAMES)]] = value
        else:
            top.append(value)
        if kind in (1, 2):
            waiting.append(value)
    return root[0] if len(root) == 1 else root


TARGETS = (
    FuzzTarget(
        "page",
        alone(check_page),
        seeds.PAGES,
        seeds.TAGS,
        ("trafilatura", "trafilatura.metadata", "htmldate"),
        share=8,
        longest=12_000,
    ),
    FuzzTarget("text", alone(check_page), seeds.TEXTS, seeds.TEXT_WORDS),
    FuzzTarget(
        "pdf", alone(check_pdf), seeds.PDFS, seeds.PDF_WORDS, ("pypdf",), share=5, longest=8000
    ),
    FuzzTarget("decoding", check_decoding, seeds.PAGES, seeds.TAGS),
    FuzzTarget("metadata", alone(check_metadata), seeds.SHAPES, seeds.TAGS, ("htmldate",), share=3),
    FuzzTarget("file", alone(check_file), seeds.FILES, seeds.TEXT_WORDS),
    FuzzTarget("feed", alone(check_feed), seeds.FEEDS, seeds.FEED_TAGS, ("feedparser",), 6, 8000),
    FuzzTarget("dates", alone(check_dates), seeds.DATES, seeds.DATE_WORDS, longest=200),
    FuzzTarget("fetching", check_fetching, seeds.ANSWERS, seeds.HTTP_WORDS, share=4),
    FuzzTarget("address", check_address, seeds.ADDRESSES, seeds.ADDRESS_WORDS, longest=300),
    FuzzTarget("robots", check_robots, seeds.ROBOTS, seeds.LINES, ("protego",)),
    FuzzTarget("unpacking", check_unpacking, seeds.PACKED, seeds.HTTP_WORDS),
    FuzzTarget("reply", check_reply, seeds.REPLIES, seeds.TAGS),
    FuzzTarget("changes", check_changes, seeds.TEXT_PAIRS, seeds.TEXT_WORDS),
)
BY_NAME = {target.name: target for target in TARGETS}
