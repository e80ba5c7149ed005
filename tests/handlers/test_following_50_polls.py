"""Fifty polls of a feed that a publisher changes at random, held against a plain model of it."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from data.followed import FollowedFeed, Outcome
from tests.data.web.server import Request, WebServer
from tests.handlers.conftest import Terminal
from tests.handlers.newsroom import (
    AUTHOR,
    FEED,
    PUBLISHER,
    Bench,
    CrashError,
    Item,
    Newsroom,
    Story,
    bench,
    is_conditional,
    served,
)

POLLS = 50
_START = datetime.fromisoformat("2025-03-04T08:00:00+00:00")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with served() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Stored:
    """What one version of a story is to be: everything but its date, which never moves."""

    title: str
    author: str | None
    text: str


@dataclass
class Publisher:
    """A newsroom at work: what is on its pages and in its feed, in the feed's order.

    `whole` tells which stories are in the feed with all their text. A page can be `ahead` of its
    entry: changed in silence.
    """

    newsroom: Newsroom
    rng: random.Random
    kind: str
    whole: Callable[[int], bool]
    stories: dict[str, Story] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    taken_out: list[Item] = field(default_factory=list)
    clock: datetime = _START
    done: set[str] = field(default_factory=set)

    def work(self) -> None:
        """Do a few things between two polls, or nothing, and put the feed online."""
        if len(self.stories) < 3:
            self.add()
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            name = self.rng.choice((*_DEEDS, "change", "add"))
            if name == "add" or self.items:
                getattr(self, name)()
                self.done.add(name)
        self.newsroom.feed(*self.items, kind=self.kind)

    def add(self) -> None:
        number = len(self.stories)
        story = Story(f"story-{number}", f"Headline number {number}", published_at=self._now())
        self._publish(story)
        self.items.insert(0, self.newsroom.item(story, whole=self.whole(number)))

    def change(self) -> None:
        """Correct a text, and say so in the feed."""
        item = self._any()
        story = self._of(item)
        self._again(item, replace(story, version=story.version + 1, modified_at=self._now()))

    def change_back(self) -> None:
        item = self._any()
        self._again(item, replace(self._of(item), version=1, modified_at=self._now()))

    def rename(self) -> None:
        item = self._any()
        title = f"{self._of(item).title.split(':')[0]}: {self._now()[11:16]} o'clock"
        self._again(item, replace(self._of(item), title=title))

    def sign(self) -> None:
        """Change the byline."""
        item = self._any()
        self._again(item, replace(self._of(item), author=self.rng.choice((AUTHOR, "Tom Marsh"))))

    def change_in_silence(self) -> None:
        """Change a page and nothing in the feed."""
        story = self._of(self._any())
        self._publish(replace(story, version=story.version + 1))

    def move_date(self) -> None:
        """Say another date, in the feed alone."""
        item = self._any()
        self._put(item, replace(item, published_at=self._now()))

    def move_both_dates(self) -> None:
        item = self._any()
        self._again(item, replace(self._of(item), published_at=self._now()))

    def repeat(self) -> None:
        """List an entry twice, or two of them with one name."""
        item = self._any()
        other = replace(item, summary="Said in other words.") if self.rng.random() < 0.5 else item
        self.items.insert(self.rng.randint(0, len(self.items)), other)

    def list_under_another_name(self) -> None:
        item = self._any()
        self.items.insert(0, replace(item, guid=f"{item.guid}#{self.rng.randint(1, 3)}"))

    def take_out(self) -> None:
        """Take an entry out of the feed, or the page away as well."""
        item = self._any()
        self.items.remove(item)
        self.taken_out.append(item)
        still_listed = any(other.url == item.url for other in self.items)
        if not still_listed and self.rng.random() < 0.5:
            self.newsroom.server.remove(self._of(item).path)

    def bring_back(self) -> None:
        if self.taken_out:
            item = self.taken_out.pop(self.rng.randrange(len(self.taken_out)))
            self._publish(self._of(item))
            self.items.append(item)

    def shuffle(self) -> None:
        self.rng.shuffle(self.items)

    def _any(self) -> Item:
        return self.rng.choice(self.items)

    def _of(self, item: Item) -> Story:
        return self.stories[item.guid.removeprefix("tag:").partition("#")[0]]

    def _again(self, item: Item, story: Story) -> None:
        """Publish a story as it is now, on its page and in one of its entries."""
        self._publish(story)
        whole = item.paragraphs is not None
        summary = f"What is said in version {story.version}."
        self._put(item, self.newsroom.item(story, whole=whole, guid=item.guid, summary=summary))

    def _put(self, old: Item, new: Item) -> None:
        self.items[self.items.index(old)] = new

    def _publish(self, story: Story) -> None:
        self.stories[story.slug] = story
        self.newsroom.publish(story)

    def _now(self) -> str:
        self.clock += timedelta(minutes=7)
        return self.clock.isoformat()


_DEEDS = (
    *("change", "change_back", "rename", "sign", "change_in_silence", "move_date"),
    *("move_both_dates", "repeat", "list_under_another_name", "take_out", "bring_back", "shuffle"),
)


@dataclass
class Model:
    """What a follower must have stored: for each story its versions, and its first date."""

    publisher: Publisher
    versions: dict[str, list[Stored]] = field(default_factory=dict)
    dates: dict[str, str | None] = field(default_factory=dict)
    looked_at: dict[str, Item] = field(default_factory=dict)

    def poll(self) -> None:
        first: dict[str, Item] = {}
        for item in self.publisher.items:
            first.setdefault(item.guid, item)
        for guid, item in first.items():
            if self.looked_at.get(guid) == self._shown(item):
                continue
            self.looked_at[guid] = self._shown(item)
            story = self.publisher._of(item)
            if item.paragraphs is not None:
                now = Stored(item.title, item.author, "\n\n".join(item.paragraphs))
                date = item.published_at
            else:
                now, date = Stored(story.title, story.author, story.text), story.published_at
            versions = self.versions.setdefault(story.slug, [])
            self.dates.setdefault(story.slug, date)
            if not versions or versions[-1] != now:
                versions.append(now)

    def _shown(self, item: Item) -> Item:
        """Return an entry without what its feed does not carry, or a reader passes over."""
        item = replace(item, modified_at=None) if self.publisher.kind == "rss" else item
        return replace(item, summary="") if item.paragraphs else item


def _stored(followed: Bench) -> dict[str, list[Stored]]:
    """Return the versions of all stories by the last part of their address."""
    found = {}
    for current in followed.stories():
        slug = (current.attribution.url or "").rpartition("/")[2]
        assert slug not in found, "one story is stored twice"
        found[slug] = [
            Stored(v.attribution.title, v.attribution.author, v.text)
            for v in followed.versions(current.article_id)
        ]
    return found


def _check(followed: Bench, feed: FollowedFeed, model: Model) -> None:
    assert _stored(followed) == model.versions
    for current in followed.stories():
        slug = (current.attribution.url or "").rpartition("/")[2]
        for version in followed.versions(current.article_id):
            assert version.attribution.published_at == model.dates[slug]
            assert version.attribution.source == PUBLISHER
    seen = followed.seen(feed)
    assert set(seen) == set(model.looked_at)
    assert {item.outcome for item in seen.values()} <= {Outcome.NEW, Outcome.CHANGED, Outcome.SAME}
    assert followed.now(feed).problem is None


FEEDS = [
    pytest.param("rss", lambda number: False, id="RSS of summaries"),
    pytest.param("atom", lambda number: True, id="Atom with whole texts"),
    pytest.param("json", lambda number: number % 2 == 0, id="JSON Feed with some of both"),
    pytest.param("rss", lambda number: True, id="RSS with whole texts"),
    pytest.param("atom", lambda number: False, id="Atom of summaries"),
]


@pytest.mark.parametrize(("kind", "whole"), FEEDS)
async def test_fifty_polls_bring_exactly_the_right_revisions(
    terminal: Terminal, server: WebServer, kind: str, whole: Callable[[int], bool]
) -> None:
    with bench(terminal.home, server) as followed:
        publisher = Publisher(
            followed.newsroom, random.Random(f"{kind} {whole(0)} {whole(1)}"), kind, whole
        )
        model = Model(publisher)
        feed = followed.follow(server.url(FEED), daily_limit=500)
        broken_off: list[Request] = []
        for number in range(1, POLLS + 1):
            publisher.work()
            if number % 7 == 3:
                broken_off += await _crash(followed, feed, publisher.rng)
            done = await followed.follower.poll(followed.now(feed))
            model.poll()
            assert (done.problem, done.waiting) == (None, 0)
            if number % 5 == 0:
                _check(followed, feed, model)
    assert publisher.done >= {*_DEEDS}, "the script does not do everything"
    assert sum(map(len, model.versions.values())) > 2 * len(model.versions)
    _check_requests(server, broken_off)


async def _crash(followed: Bench, feed: FollowedFeed, rng: random.Random) -> list[Request]:
    """Let a poll end anywhere, such as between a story and what is remembered of its entry.

    Return the requests that it made.
    """
    before = len(followed.newsroom.server.requests)
    followed.runner.crash_in = rng.randint(0, 8)
    with suppress(CrashError):
        await followed.follower.poll(followed.now(feed))
    followed.runner.crash_in = None
    return followed.newsroom.server.requests[before:]


def _check_requests(server: WebServer, broken_off: list[Request]) -> None:
    """No request but the first one asks for the feed without conditions, nor for a page.

    What a poll asked for that broke off may not have been stored, so it is left out.
    """
    first, *others = server.asked(FEED)
    assert len(others) >= POLLS
    assert not is_conditional(first)
    assert [request for request in others if not is_conditional(request)] == []
    left = [request for request in server.requests if not any(request is r for r in broken_off)]
    for path in {request.path for request in left} - {FEED, "/robots.txt"}:
        _, *again = (request for request in left if request.path == path)
        assert [request for request in again if not is_conditional(request)] == []
    assert len(server.asked("/robots.txt")) == 1


@pytest.mark.parametrize("whole", [False, True], ids=["summaries", "whole texts"])
async def test_the_next_poll_mends_one_that_broke_off_wherever_that_was(
    terminal: Terminal, server: WebServer, whole: bool
) -> None:
    with bench(terminal.home, server) as followed:
        newsroom = followed.newsroom
        feed = followed.follow(newsroom.url(FEED))
        stories = [Story(f"story-{number}", f"Headline {number}") for number in range(2)]
        ended = False
        while not ended:
            stories = [replace(story, version=story.version + 1) for story in stories]
            for story in stories:
                newsroom.publish(story)
            items = [newsroom.item(s, whole=whole, summary=f"{s.version}") for s in stories]
            newsroom.feed(*items)
            followed.runner.crash_in = stories[0].version - 2
            ended = await _ends(followed, feed)
            followed.runner.crash_in = None
            await followed.follower.poll(followed.now(feed))
            stored = [[v.text for v in followed.versions(s.article_id)] for s in followed.stories()]
            wanted = [
                [replace(story, version=n).text for n in range(2, story.version + 1)]
                for story in stories
            ]
            assert sorted(stored) == sorted(wanted)
            assert len(followed.seen(feed)) == 2
        assert stories[0].version > 6, "no poll broke off between story and feed"
        assert (await followed.follower.poll(followed.now(feed))).unchanged


async def _ends(followed: Bench, feed: FollowedFeed) -> bool:
    """Return whether a poll came to its end."""
    try:
        await followed.follower.poll(followed.now(feed))
    except CrashError:
        return False
    return True
