"""A made-up publisher on a server of this test, and what follows it on one thread.

Its pages and feeds are written here, so that a test knows to the letter what is to be stored.
"""

import asyncio
import atexit
import hashlib
import html
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import pytest

import bot
from data.answers import open_memory
from data.database import Database
from data.extraction.reading import Reading
from data.feeds import FeedStore
from data.followed import FollowedFeed, SeenItem
from data.models import Revision
from data.rechecks import Recheck
from data.web.fetch import Fetcher, Limits
from handlers import web as web_module
from handlers.following import Follower
from handlers.services import Services
from handlers.terminal import story_commands
from handlers.web import Web
from tests.data.web.server import Request, WebServer

T = TypeVar("T")

PUBLISHER = "The Larkmoor Ledger"
AUTHOR = "Ann Reed"
DATE = "2025-03-04T08:00:00+00:00"
FEED = "/feed"
_WORDS = """
    harbour council engineer bridge river morning report county school market winter ferry budget
    signal railway weather station orchard theatre painter quarry village lantern timber granite
    meadow captain library teacher furnace copper barley harvest window garden mountain valley
"""


def paragraph(seed: object, words: int = 45) -> str:
    """Return a paragraph of made-up sentences, the same for the same seed."""
    rng, known = random.Random(str(seed)), _WORDS.split()
    sentences = []
    while words > 0:
        length = min(rng.randint(9, 14), words)
        sentences.append(" ".join(rng.choice(known) for _ in range(length)).capitalize() + ".")
        words -= length
    return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Story:
    """A story as its publisher has it now; `version` tells its texts apart."""

    slug: str
    title: str = "Ferry stays in harbour"
    author: str | None = AUTHOR
    published_at: str | None = DATE
    modified_at: str | None = None
    version: int = 1

    @property
    def path(self) -> str:
        """Return the path of its page."""
        return f"/news/{self.slug}"

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Return its paragraphs; the second one is another in each version."""
        parts = (0, f"version {self.version}", 2, 3)
        return tuple(paragraph(f"{self.slug} {part}") for part in parts)

    @property
    def text(self) -> str:
        """Return the text that is to be stored of it."""
        return "\n\n".join(self.paragraphs)


def page_html(
    story: Story, *, canonical: str | None = None, head: str = "", below: str = ""
) -> str:
    """Return the page of a story; `head` and `below` are put into its head and under its text."""
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "publisher": {"@type": "Organization", "name": PUBLISHER},
        "datePublished": story.published_at,
        "dateModified": story.modified_at,
        "author": story.author and {"@type": "Person", "name": story.author},
    }
    stated = json.dumps({name: value for name, value in about.items() if value})
    link = f'<link rel="canonical" href="{html.escape(canonical)}">' if canonical else ""
    title = html.escape(story.title)
    text = "".join(f"<p>{html.escape(part)}</p>\n" for part in story.paragraphs)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{link}'
        f'<script type="application/ld+json">{stated}</script>{head}</head>'
        f"<body><main><article><h1>{title}</h1>\n{text}{below}</article></main></body></html>"
    )


PAYWALL = "<div><p>Subscribe to continue reading this story.</p></div>"


def walled_html(story: Story) -> str:
    """Return the page of a story that shows its beginning only."""
    beginning, title = paragraph(f"{story.slug} 0"), html.escape(story.title)
    about = {"@type": "NewsArticle", "headline": story.title, "isAccessibleForFree": False}
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>'
        f'<script type="application/ld+json">{json.dumps(about)}</script></head>'
        f"<body><main><article><h1>{title}</h1><p>{beginning}</p>{PAYWALL}</article></main></body>"
        "</html>"
    )


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed; `paragraphs` are the whole text, None where there is only a summary."""

    guid: str
    url: str | None
    title: str = "Ferry stays in harbour"
    author: str | None = AUTHOR
    published_at: str | None = DATE
    modified_at: str | None = None
    summary: str = "What happened in the harbour."
    paragraphs: tuple[str, ...] | None = None

    @property
    def markup(self) -> str:
        """Return the whole text as HTML."""
        return "".join(f"<p>{html.escape(part)}</p>" for part in self.paragraphs or ())


def rss(items: Sequence[Item], title: str) -> str:
    """Return an RSS 2.0 feed; it knows no date of a change."""
    entries = []
    for item in items:
        date = item.published_at
        tags = {
            "title": item.title,
            "description": item.summary,
            "link": item.url,
            "dc:creator": item.author,
            "pubDate": date and format_datetime(datetime.fromisoformat(date)),
            "content:encoded": item.markup,
        }
        parts = [f"<{tag}>{escape(text)}</{tag}>" for tag, text in tags.items() if text]
        name = f'<guid isPermaLink="false">{escape(item.guid)}</guid>'
        entries.append(f"<item>{name}{''.join(parts)}</item>")
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{escape(title)}</title>{''.join(entries)}</channel></rss>"
    )


def atom(items: Sequence[Item], title: str) -> str:
    """Return an Atom feed."""
    entries = []
    for item in items:
        tags = {
            '<link href="{}"/>': item.url,
            "<author><name>{}</name></author>": item.author,
            "<published>{}</published>": item.published_at,
            "<updated>{}</updated>": item.modified_at,
            '<content type="html">{}</content>': item.markup,
        }
        parts = [tag.format(escape(text)) for tag, text in tags.items() if text]
        head = f"<id>{escape(item.guid)}</id><title>{escape(item.title)}</title>"
        summary = f"<summary>{escape(item.summary)}</summary>"
        entries.append(f"<entry>{head}{summary}{''.join(parts)}</entry>")
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{escape(title)}</title>{''.join(entries)}</feed>"
    )


def json_feed(items: Sequence[Item], title: str) -> str:
    """Return a JSON Feed."""
    entries = [
        {
            "id": item.guid,
            "url": item.url,
            "title": item.title,
            "authors": [{"name": item.author}] if item.author else None,
            "date_published": item.published_at,
            "date_modified": item.modified_at,
            "summary": item.summary,
            "content_html": item.markup or None,
        }
        for item in items
    ]
    kept = [{name: value for name, value in entry.items() if value} for entry in entries]
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": title, "items": kept}
    )


_KINDS: dict[str, tuple[str, Callable[[Sequence[Item], str], str]]] = {
    "rss": ("application/rss+xml", rss),
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}


class Newsroom:
    """What the publisher has on its server: pages, each with an ETag, and feeds of them."""

    def __init__(self, server: WebServer) -> None:
        self.server = server

    def url(self, story: Story | str) -> str:
        """Return the address of a story's page, or of a path."""
        return self.server.url(story if isinstance(story, str) else story.path)

    def publish(self, story: Story, body: str | None = None, *, path: str | None = None) -> Story:
        """Put a story on its page, as `body` where that is given."""
        written = page_html(story, canonical=self.url(story)) if body is None else body
        self.server.serve(path or story.path, written, etag=_etag(written))
        return story

    def item(self, story: Story, *, whole: bool = False, **changes: Any) -> Item:
        """Return the entry of a story, with its text or a summary."""
        entry = Item(
            guid=f"tag:{story.slug}",
            url=self.url(story),
            title=story.title,
            author=story.author,
            published_at=story.published_at,
            modified_at=story.modified_at,
            paragraphs=story.paragraphs if whole else None,
        )
        return replace(entry, **changes)

    def feed(
        self, *items: Item, kind: str = "rss", path: str = FEED, title: str = PUBLISHER
    ) -> str:
        """Serve a feed of these entries from now on; return its address."""
        media_type, write = _KINDS[kind]
        written = write(items, title)
        self.server.serve(path, written, type=media_type, etag=_etag(written))
        return self.server.url(path)

    def asked(self, story: Story | str) -> list[Request]:
        """Return the requests for a story's page, or for a path."""
        return self.server.asked(story if isinstance(story, str) else story.path)


def _etag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'


def is_conditional(request: Request) -> bool:
    """Return whether a request asks for what has changed only."""
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


@contextmanager
def served() -> Iterator[WebServer]:
    """Run a web server in a thread of its own, so that commands that block can ask it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="newsroom")
    thread.start()

    def wait_for(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=10)

    server = WebServer()
    try:
        wait_for(server.__aenter__())
        try:
            yield server
        finally:
            wait_for(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class CrashError(BaseException):
    """The process ended here."""


class StraightRunner:
    """Runs all work at once on this thread, on connections that stay open.

    With `crash_in` set to a number, that job from now on and all behind it do not take place.
    """

    def __init__(self, services: Services, memory: Database) -> None:
        self._services = services
        self._memory = memory
        self.crash_in: int | None = None

    async def stories(self, collection: str, job: Callable[[Services], T]) -> T:
        if collection != self._services.collection.name:
            raise LookupError(collection)
        return self._done(lambda: job(self._services))

    async def memory(self, job: Callable[[Database], T]) -> T:
        return self._done(lambda: job(self._memory))

    async def call(self, work: Callable[[], T]) -> T:
        return work()

    def _done(self, work: Callable[[], T]) -> T:
        if self.crash_in is not None:
            if self.crash_in <= 0:
                raise CrashError
            self.crash_in -= 1
        return work()


@dataclass(frozen=True, slots=True)
class Bench:
    """A follower on one thread, with the real services of one collection around it."""

    newsroom: Newsroom
    services: Services
    memory: Database
    runner: StraightRunner
    web: Web
    follower: Follower

    @property
    def feeds(self) -> FeedStore:
        """Return the feeds of the collection."""
        return FeedStore(self.memory, self.services.collection.name)

    def follow(self, url: str, **options: Any) -> FollowedFeed:
        """Follow a feed; it is not polled yet."""
        return self.feeds.add(url, **options)

    def now(self, feed: FollowedFeed) -> FollowedFeed:
        """Return what is known of a feed now."""
        return self.feeds.get(feed.id)

    def seen(self, feed: FollowedFeed) -> dict[str, SeenItem]:
        """Return what became of the items of a feed."""
        return self.feeds.seen(feed.id)

    def stories(self) -> list[Revision]:
        """Return the stories in the order in which they came in."""
        return sorted(self.services.articles.current(), key=lambda revision: revision.id)

    def versions(self, article_id: str) -> tuple[Revision, ...]:
        """Return the versions of a story."""
        return self.services.standing.history(article_id).revisions

    def page(self, revision: Revision) -> Recheck:
        """Return what is known of the page of a story."""
        found = self.services.rechecks.get(revision.article_id)
        assert found is not None
        return found


@contextmanager
def bench(home: Path, server: WebServer) -> Iterator[Bench]:
    """Open a bench on a home, for one event loop; nothing of it waits for its turn at a host."""
    fetcher = Fetcher(
        server.rules, user_agent="Pullquote/test", host_delay=0, limits=Limits(seconds=5)
    )
    services = bot.open_services(bot.settings_for(home), "shared")
    with closing(services), closing(open_memory(home)) as memory:
        runner = StraightRunner(services, memory)
        web = Web(fetcher=fetcher, reading=kept_reading(), call=runner.call)
        follower = Follower(web=web, runner=runner)
        yield Bench(Newsroom(server), services, memory, runner, web, follower)


class _KeptReading(Reading):
    """A reading process that outlives those who close it, since starting one takes a second."""

    def close(self) -> None: ...

    def end(self) -> None:
        super().close()


@cache
def kept_reading() -> Reading:
    """Return the reading process that all tests share."""
    reading = _KeptReading()
    atexit.register(reading.end)
    return reading


def on_the_web(monkeypatch: pytest.MonkeyPatch, *servers: WebServer) -> None:
    """Let commands reach servers of this test, without a wait between two requests."""
    monkeypatch.setenv("PULLQUOTE_ALLOWED_HOSTS", ",".join(server.host for server in servers))
    monkeypatch.setattr(bot, "Fetcher", partial(Fetcher, host_delay=0))
    for module in (web_module, story_commands):
        monkeypatch.setattr(module, "Reading", kept_reading)
