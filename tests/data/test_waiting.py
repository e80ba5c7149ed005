"""Items of feeds that wait: kept as they were, by feed, and gone without a trace."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.answers import open_memory
from data.database import Database, scalar
from data.feeds import FeedStore
from data.followed import FollowedFeed, Outcome
from data.pages import FeedItem
from data.waiting import Waiting, WaitingStore
from tests.index.test_deleting import traces

WHOLE = FeedItem(
    guid="1",
    url="https://example.org/1",
    title="Brücke “offen”",
    author="Ann Reed",
    published_at="2025-03-04",
    modified_at="2025-03-05",
    text="The mayor spoke.\n\nRain fell. \U0001f327",
    is_summary=False,
)
BARE = FeedItem(guid="2")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(open_memory(tmp_path)) as connection:
        yield connection


@pytest.fixture
def feed(db: Database) -> FollowedFeed:
    return FeedStore(db, "10").add("https://example.org/feed")


@pytest.fixture
def waiting(db: Database) -> WaitingStore:
    return WaitingStore(db, "10")


def test_an_item_is_kept_as_it_was_and_in_the_order_of_its_feed(
    feed: FollowedFeed, waiting: WaitingStore
) -> None:
    kept = [Waiting(BARE, "f2"), Waiting(WHOLE, "f1")]
    waiting.replace(feed.id, kept)
    assert waiting.of(feed.id) == kept


def test_what_is_no_longer_in_a_feed_waits_no_longer(
    feed: FollowedFeed, waiting: WaitingStore
) -> None:
    waiting.replace(feed.id, [Waiting(WHOLE, "f1"), Waiting(BARE, "f2")])
    waiting.replace(feed.id, [Waiting(BARE, "f3")])
    assert waiting.of(feed.id) == [Waiting(BARE, "f3")]


@pytest.mark.parametrize("outcome", Outcome)
def test_an_item_that_was_dealt_with_waits_no_longer(
    db: Database, feed: FollowedFeed, waiting: WaitingStore, outcome: Outcome
) -> None:
    waiting.replace(feed.id, [Waiting(WHOLE, "f1"), Waiting(BARE, "f2")])
    FeedStore(db, "10").see(feed.id, WHOLE.guid, "f1", outcome)
    still = {w.item.guid for w in waiting.of(feed.id)}
    assert still == ({"1", "2"} if outcome is Outcome.FAILED else {"2"})


def test_another_collection_neither_sees_nor_changes_what_waits(
    db: Database, feed: FollowedFeed, waiting: WaitingStore
) -> None:
    waiting.replace(feed.id, [Waiting(WHOLE, "f1")])
    others = WaitingStore(db, "11")
    assert others.of(feed.id) == []
    others.replace(feed.id, [Waiting(BARE, "f2")])
    FeedStore(db, "11").see(feed.id, WHOLE.guid, "f1", Outcome.NEW)
    assert waiting.of(feed.id) == [Waiting(WHOLE, "f1")]


def test_nothing_waits_of_a_feed_that_was_removed_meanwhile(
    db: Database, feed: FollowedFeed, waiting: WaitingStore
) -> None:
    waiting.replace(feed.id, [Waiting(WHOLE, "f1")])
    FeedStore(db, "10").remove(feed.id)
    waiting.replace(feed.id, [Waiting(BARE, "f2")])
    assert scalar(db, "SELECT count(*) FROM feed_waiting") == 0


@pytest.mark.parametrize("how", ["removed", "dealt with"])
def test_of_what_waited_nothing_is_left_in_any_file(tmp_path: Path, how: str) -> None:
    words = [f"Vlonkerwick{number:04}" for number in range(60)]
    items = [
        FeedItem(guid=f"{n}", title=word, text=f"{word} spoke. " * (1 + 13 * (n % 7) ** 2))
        for n, word in enumerate(words)
    ]
    pieces = [word.encode() for word in words]
    with closing(open_memory(tmp_path)) as db:
        feeds = FeedStore(db, "10")
        feed, kept = (feeds.add(f"https://example.org/{n}") for n in range(2))
        waiting = WaitingStore(db, "10")
        waiting.replace(feed.id, [Waiting(item, "f") for item in items])
        waiting.replace(kept.id, [Waiting(BARE, "f")])
        assert traces(tmp_path, pieces) != {}
        if how == "removed":
            feeds.remove(feed.id)
        else:
            for item in items[::-1]:
                feeds.see(feed.id, item.guid, "f", Outcome.NEW, article_id="abc")
    assert traces(tmp_path, pieces) == {}
