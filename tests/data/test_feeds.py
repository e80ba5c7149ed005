from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import data.feeds
from data.answers import open_memory
from data.database import Database
from data.errors import NotFoundError, UserError
from data.feeds import DAILY_LIMIT, INTERVAL, MAX_DAILY_LIMIT, FeedStore, due_feeds
from data.followed import Outcome

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL = "https://example.org/feed"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = open_memory(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def feeds(db: Database) -> FeedStore:
    return FeedStore(db, "10")


@pytest.fixture
def others(db: Database) -> FeedStore:
    """The feeds of another collection in the same memory."""
    return FeedStore(db, "11")


def _everything(db: Database) -> list[object]:
    return [
        *db.execute("SELECT * FROM feeds ORDER BY id").fetchall(),
        *db.execute("SELECT * FROM feed_items ORDER BY feed_id, guid").fetchall(),
    ]


def test_a_feed_is_followed_from_now_on_with_all_that_was_said(
    db: Database, feeds: FeedStore
) -> None:
    feed = feeds.add(
        URL, title="Herald", added_by=1, channel_id=2**63 - 1, announce_id=3, daily_limit=7
    )
    assert feeds.get(feed.id) == feed
    assert feeds.all() == [feed]
    assert (feed.collection, feed.url, feed.title, feed.added_by) == ("10", URL, "Herald", 1)
    assert (feed.channel_id, feed.announce_id, feed.daily_limit) == (2**63 - 1, 3, 7)
    assert (feed.paused, feed.problem, feed.polled_at, feed.failures) == (None, None, None, 0)
    assert due_feeds(db) == []  # what is in it now is taken in by whoever added it


def test_a_new_feed_is_due_after_the_usual_pause(db: Database, feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    added = datetime.fromisoformat(feed.created_at)
    assert due_feeds(db, now=added + INTERVAL - timedelta(seconds=1)) == []
    assert due_feeds(db, now=added + INTERVAL) == [feed]


def test_nothing_but_the_address_has_to_be_said(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    assert (feed.title, feed.added_by, feed.channel_id, feed.announce_id) == (None,) * 4
    assert feed.daily_limit == DAILY_LIMIT


def test_feeds_are_listed_in_the_order_in_which_they_were_added(feeds: FeedStore) -> None:
    added = [feeds.add(f"{URL}{name}").id for name in "cab"]
    assert [feed.id for feed in feeds.all()] == added


def test_a_feed_is_followed_once_in_a_collection_and_by_each_that_wants_it(
    feeds: FeedStore, others: FeedStore
) -> None:
    feed = feeds.add(URL)
    with pytest.raises(UserError, match="followed already"):
        feeds.add(URL)
    assert feeds.all() == [feed]
    assert others.add(URL).id != feed.id


@pytest.mark.parametrize("limit", [0, -1, MAX_DAILY_LIMIT + 1])
def test_refuses_a_daily_limit_that_is_none(feeds: FeedStore, limit: int) -> None:
    with pytest.raises(UserError, match=f"1 to {MAX_DAILY_LIMIT} stories a day"):
        feeds.add(URL, daily_limit=limit)
    assert feeds.all() == []


@pytest.mark.parametrize("limit", [1, MAX_DAILY_LIMIT])
def test_the_limits_themselves_are_possible(feeds: FeedStore, limit: int) -> None:
    assert feeds.add(URL, daily_limit=limit).daily_limit == limit


def test_a_collection_follows_so_many_feeds_and_no_more(
    feeds: FeedStore, others: FeedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.feeds, "MAX_FEEDS", 2)
    feeds.add(f"{URL}1")
    second = feeds.add(f"{URL}2")
    with pytest.raises(UserError, match="2 feeds already"):
        feeds.add(f"{URL}3")
    others.add(f"{URL}3")
    feeds.remove(second.id)
    feeds.add(f"{URL}3")
    assert (len(feeds.all()), len(others.all())) == (2, 1)


def test_a_removed_feed_is_forgotten_with_its_items_and_its_number(
    db: Database, feeds: FeedStore
) -> None:
    gone, kept = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    for feed in (gone, kept):
        feeds.see(feed.id, "g", "f", Outcome.NEW)
    assert feeds.remove(gone.id) == gone
    assert feeds.all() == [kept]
    assert [tuple(row[:2]) for row in db.execute("SELECT * FROM feed_items").fetchall()] == [
        (kept.id, "g")
    ]
    feeds.remove(kept.id)
    assert feeds.add(f"{URL}1").id > kept.id  # what knew the old number finds no other feed


def test_what_is_not_followed_cannot_be_had_or_removed(feeds: FeedStore) -> None:
    for action in (feeds.get, feeds.remove):
        with pytest.raises(NotFoundError, match="no such feed here"):
            action(99)


# --- one collection never reaches another's feeds

_ACTIONS: dict[str, Callable[[FeedStore, int], object]] = {
    "get": lambda store, feed_id: store.get(feed_id),
    "remove": lambda store, feed_id: store.remove(feed_id),
    "pause": lambda store, feed_id: store.pause(feed_id, "Stop."),
    "resume": lambda store, feed_id: store.pause(feed_id, None),
    "find": lambda store, feed_id: store.find(feed_id),
    "begin": lambda store, feed_id: store.begin(feed_id, next_poll_at=NOW),
    "polled": lambda store, feed_id: store.polled(
        feed_id, next_poll_at=NOW, failures=5, problem="It failed."
    ),
    "known_as": lambda store, feed_id: store.known_as(
        feed_id, url=f"{URL}9", title="Mine", etag="e", last_modified="m"
    ),
    "see": lambda store, feed_id: store.see(feed_id, "g", "other", Outcome.CHANGED, title="Mine"),
    "see a new one": lambda store, feed_id: store.see(feed_id, "new", "f", Outcome.NEW),
    "still_there": lambda store, feed_id: store.still_there(feed_id, ["g"], now=NOW + 9000 * HOUR),
}


@pytest.mark.parametrize("action", _ACTIONS)
def test_a_collection_changes_nothing_of_anothers_feed(
    db: Database, feeds: FeedStore, others: FeedStore, action: str
) -> None:
    theirs = others.add(URL, title="Theirs")
    others.pause(theirs.id, "They wanted a rest.")
    others.see(theirs.id, "g", "f", Outcome.NEW, title="Bridge", article_id="abc", now=NOW)
    before = _everything(db)
    with suppress(NotFoundError):
        _ACTIONS[action](feeds, theirs.id)
    assert _everything(db) == before


def test_a_collection_sees_nothing_of_anothers_feed(feeds: FeedStore, others: FeedStore) -> None:
    theirs = others.add(URL)
    others.see(theirs.id, "g", "f", Outcome.NEW, title="Bridge", now=NOW)
    with pytest.raises(NotFoundError):
        feeds.get(theirs.id)
    assert feeds.all() == []
    assert feeds.seen(theirs.id) == {}
    with suppress(NotFoundError):
        assert feeds.taken_today(theirs.id, now=NOW) == 0
    assert others.taken_today(theirs.id, now=NOW) == 1


# --- polling


def test_the_feeds_that_are_due_come_the_longest_overdue_first_whosever_they_are(
    db: Database, feeds: FeedStore, others: FeedStore
) -> None:
    stores = {"a": feeds, "b": others, "c": feeds, "d": others}
    ids = {name: store.add(URL + name).id for name, store in stores.items()}
    for name, hours in (("a", 2), ("b", 1), ("c", 3), ("d", 5)):
        stores[name].polled(ids[name], next_poll_at=NOW + hours * HOUR, now=NOW)

    def due(hours: float) -> list[int]:
        return [feed.id for feed in due_feeds(db, now=NOW + hours * HOUR)]

    assert due(0.99) == []
    assert due(1) == [ids["b"]]  # at that very second
    assert due(4) == [ids["b"], ids["a"], ids["c"]]


def test_moments_of_other_time_zones_are_the_same_moments(db: Database, feeds: FeedStore) -> None:
    east = timezone(timedelta(hours=9))
    feed = feeds.add(URL)
    feeds.polled(feed.id, next_poll_at=(NOW + HOUR).astimezone(east), now=NOW.astimezone(east))
    assert feeds.get(feed.id).polled_at == "2026-03-10T12:00:00+00:00"
    assert feeds.get(feed.id).next_poll_at == "2026-03-10T13:00:00+00:00"
    assert due_feeds(db, now=NOW + HOUR / 2) == []
    assert len(due_feeds(db, now=(NOW + HOUR).astimezone(east))) == 1


def test_a_poll_that_begins_is_due_no_more_and_gets_the_feed_as_it_is_now(
    db: Database, feeds: FeedStore, others: FeedStore
) -> None:
    feed = feeds.add(URL)
    feeds.known_as(feed.id, url=URL, title="Herald", etag='"e"', last_modified=None)
    begun = feeds.begin(feed.id, next_poll_at=NOW + HOUR)
    assert begun == feeds.find(feed.id) == feeds.get(feed.id)
    assert (begun.etag, begun.next_poll_at) == ('"e"', "2026-03-10T13:00:00+00:00")
    assert due_feeds(db, now=NOW) == []
    assert others.begin(feed.id, next_poll_at=NOW) is others.find(feed.id) is None
    feeds.remove(feed.id)
    assert feeds.begin(feed.id, next_poll_at=NOW) is feeds.find(feed.id) is None


def test_how_a_poll_went_is_remembered_until_the_next_one(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    feeds.polled(feed.id, next_poll_at=NOW + HOUR, failures=3, problem="No answer.", now=NOW)
    failed = feeds.get(feed.id)
    assert (failed.failures, failed.problem) == (3, "No answer.")
    feeds.polled(feed.id, next_poll_at=NOW + 2 * HOUR, now=NOW + HOUR)
    well = feeds.get(feed.id)
    assert (well.failures, well.problem, well.polled_at) == (0, None, "2026-03-10T13:00:00+00:00")


def test_a_paused_feed_is_not_due_and_says_why(db: Database, feeds: FeedStore) -> None:
    feed, other = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    feeds.pause(feed.id, "It failed 10 times in a row.")
    assert feeds.get(feed.id).paused == "It failed 10 times in a row."
    assert [due.id for due in due_feeds(db, now=datetime.now(UTC) + 9000 * HOUR)] == [other.id]


def test_a_poll_that_was_under_way_does_not_take_a_pause_back(
    db: Database, feeds: FeedStore
) -> None:
    feed = feeds.add(URL)
    feeds.pause(feed.id, "Somebody paused it.")
    feeds.polled(feed.id, next_poll_at=NOW, now=NOW)
    feeds.known_as(feed.id, url=f"{URL}2", title="T", etag=None, last_modified=None)
    assert feeds.get(feed.id).paused == "Somebody paused it."
    assert due_feeds(db, now=NOW + HOUR) == []


def test_a_resumed_feed_is_due_at_once_and_begins_afresh(db: Database, feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    far = datetime.now(UTC) + timedelta(days=300)
    feeds.polled(feed.id, next_poll_at=far, failures=9, problem="No answer.")
    feeds.pause(feed.id, "It failed 10 times in a row.")
    feeds.pause(feed.id, None)
    resumed = feeds.get(feed.id)
    assert (resumed.paused, resumed.failures) == (None, 0)
    assert [due.id for due in due_feeds(db)] == [feed.id]


# --- what a feed is called


def test_a_feed_is_known_by_what_it_calls_itself_and_where_it_moved_to(feeds: FeedStore) -> None:
    feed = feeds.add(URL, title="Old")
    feeds.known_as(feed.id, url=f"{URL}2", title="New", etag='"e"', last_modified="m")
    known = feeds.get(feed.id)
    assert (known.url, known.title) == (f"{URL}2", "New")
    assert (known.etag, known.last_modified) == ('"e"', "m")


def test_a_feed_that_no_longer_names_itself_keeps_its_name_but_not_its_validators(
    feeds: FeedStore,
) -> None:
    feed = feeds.add(URL)
    feeds.known_as(feed.id, url=URL, title="Herald", etag='"e"', last_modified="m")
    feeds.known_as(feed.id, url=URL, title=None, etag=None, last_modified=None)
    known = feeds.get(feed.id)
    assert (known.title, known.etag, known.last_modified) == ("Herald", None, None)


def test_a_feed_that_moved_to_where_another_is_stays_where_it_was(feeds: FeedStore) -> None:
    first, second = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    feeds.known_as(second.id, url=first.url, title="Second", etag='"e"', last_modified=None)
    assert feeds.get(first.id) == first
    known = feeds.get(second.id)
    assert (known.url, known.title, known.etag) == (second.url, "Second", '"e"')


def test_a_feed_may_move_to_where_another_collections_is(
    feeds: FeedStore, others: FeedStore
) -> None:
    theirs, ours = others.add(f"{URL}1"), feeds.add(f"{URL}2")
    feeds.known_as(ours.id, url=theirs.url, title=None, etag=None, last_modified=None)
    assert feeds.get(ours.id).url == theirs.url
    assert others.get(theirs.id) == theirs


# --- items


def test_an_item_is_remembered_as_it_was_when_it_was_looked_at(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    feeds.see(feed.id, "g1", "f1", Outcome.NEW, title="Bridge", article_id="abc", now=NOW)
    feeds.see(feed.id, "g2", "f2", Outcome.REFUSED, reason="It is a list.", title="Ferry", now=NOW)
    seen = feeds.seen(feed.id)
    assert set(seen) == {"g1", "g2"}
    first, second = seen["g1"], seen["g2"]
    assert (first.guid, first.fingerprint, first.outcome) == ("g1", "f1", Outcome.NEW)
    assert (first.title, first.article_id, first.reason) == (
        None,
        "abc",
        None,
    )  # a title goes with its story
    assert (first.tries, first.seen_at) == (1, "2026-03-10T12:00:00+00:00")
    assert (second.outcome, second.reason) == (Outcome.REFUSED, "It is a list.")


def test_the_items_that_were_looked_at_last_come_first(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    for minutes, guid in enumerate("abc"):
        feeds.see(feed.id, guid, "f", Outcome.SAME, now=NOW + timedelta(minutes=minutes))
    assert list(feeds.seen(feed.id)) == ["c", "b", "a"]


def test_the_newest_of_what_was_not_taken_is_given_with_the_reason(
    feeds: FeedStore, others: FeedStore
) -> None:
    feed, whole, theirs = feeds.add(URL), feeds.add(f"{URL}/2"), others.add(URL)
    for number, outcome in enumerate((Outcome.REFUSED, Outcome.NEW, Outcome.FAILED, *Outcome)):
        moment = NOW + number * HOUR
        feeds.see(feed.id, f"g{number}", "f", outcome, reason=f"Why {number}.", now=moment)
    feeds.see(whole.id, "g", "f", Outcome.SAME)
    others.see(theirs.id, "g", "f", Outcome.REFUSED, reason="Theirs.")
    found = feeds.not_taken(newest=2)
    assert found.keys() == {feed.id}
    assert found[feed.id].count == 4
    assert [(item.guid, item.reason) for item in found[feed.id].newest] == [
        ("g7", "Why 7."),
        ("g6", "Why 6."),
    ]


def test_two_feeds_may_have_an_item_of_one_name(feeds: FeedStore) -> None:
    one, two = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    feeds.see(one.id, "g", "f1", Outcome.NEW)
    feeds.see(two.id, "g", "f2", Outcome.REFUSED)
    assert feeds.seen(one.id)["g"].fingerprint == "f1"
    assert feeds.seen(two.id)["g"].fingerprint == "f2"


def test_tries_are_counted_at_one_state_of_an_item(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    tries = []
    for fingerprint in ("f1", "f1", "f1", "f2", "f2", "f1"):
        feeds.see(feed.id, "g", fingerprint, Outcome.FAILED, reason="No answer.")
        tries.append(feeds.seen(feed.id)["g"].tries)
    assert tries == [1, 2, 3, 1, 2, 1]


def test_which_story_an_item_became_stays_known_when_a_later_look_fails(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    feeds.see(feed.id, "g", "f1", Outcome.NEW, title="Old", article_id="abc", reason=None)
    feeds.see(feed.id, "g", "f2", Outcome.FAILED, title="New", reason="No answer.")
    item = feeds.seen(feed.id)["g"]
    assert (item.article_id, item.title, item.reason) == ("abc", "New", "No answer.")
    assert (item.outcome, item.fingerprint) == (Outcome.FAILED, "f2")
    feeds.see(feed.id, "g", "f2", Outcome.SAME, title="New", article_id="def")
    item = feeds.seen(feed.id)["g"]
    assert (item.article_id, item.reason, item.outcome) == ("def", None, Outcome.SAME)


def test_a_long_title_and_reason_are_cut(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    feeds.see(feed.id, "g", "f", Outcome.REFUSED, reason="r" * 5000, title="t" * 5000)
    item = feeds.seen(feed.id)["g"]
    assert (item.reason, item.title) == ("r" * 300, "t" * 300)


def test_what_a_poll_finds_of_a_feed_that_was_removed_meanwhile_is_nobodys(
    db: Database, feeds: FeedStore
) -> None:
    feed = feeds.add(URL)
    feeds.remove(feed.id)
    with suppress(NotFoundError):
        feeds.see(feed.id, "g", "f", Outcome.NEW)
    feeds.polled(feed.id, next_poll_at=NOW)
    feeds.known_as(feed.id, url=URL, title=None, etag=None, last_modified=None)
    feeds.still_there(feed.id, [])
    assert _everything(db) == []


# --- the daily limit


@pytest.mark.parametrize("outcome", Outcome)
def test_only_new_stories_count_towards_the_daily_limit(feeds: FeedStore, outcome: Outcome) -> None:
    feed = feeds.add(URL)
    feeds.see(feed.id, "g", "f", outcome, now=NOW)
    assert feeds.taken_today(feed.id, now=NOW) == int(outcome is Outcome.NEW)


def test_a_day_ends_at_midnight_in_utc(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    last = datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC)
    feeds.see(feed.id, "g", "f", Outcome.NEW, now=last)
    assert feeds.taken_today(feed.id, now=last) == 1
    assert feeds.taken_today(feed.id, now=last + timedelta(seconds=1)) == 0
    feeds.see(feed.id, "h", "f", Outcome.NEW, now=last + timedelta(seconds=1))
    assert feeds.taken_today(feed.id, now=last + timedelta(seconds=1)) == 1


def test_a_day_is_that_of_utc_wherever_the_clock_stands(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    # Half past midnight in Helsinki is still the day before in UTC.
    helsinki = datetime(2026, 3, 11, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    feeds.see(feed.id, "g", "f", Outcome.NEW, now=helsinki)
    assert feeds.taken_today(feed.id, now=datetime(2026, 3, 10, 23, tzinfo=UTC)) == 1
    assert feeds.taken_today(feed.id, now=datetime(2026, 3, 11, 0, tzinfo=UTC)) == 0


def test_a_look_that_brings_nothing_does_not_give_its_place_back(feeds: FeedStore) -> None:
    feed = feeds.add(URL)
    feeds.see(feed.id, "g", "f1", Outcome.NEW, now=NOW)
    for outcome in (Outcome.SAME, Outcome.REFUSED, Outcome.FAILED):
        feeds.see(feed.id, "g", "f2", outcome, now=NOW + HOUR)
        assert feeds.taken_today(feed.id, now=NOW + HOUR) == 1


def test_a_new_version_leaves_the_day_on_which_its_story_counted(feeds: FeedStore) -> None:
    feed, other = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    feeds.see(feed.id, "g", "f1", Outcome.NEW, now=NOW - 24 * HOUR)
    feeds.see(feed.id, "g", "f2", Outcome.CHANGED, now=NOW)
    assert feeds.taken_today(feed.id, now=NOW) == 0
    feeds.see(feed.id, "h", "f", Outcome.NEW, now=NOW)
    feeds.see(feed.id, "h", "f2", Outcome.CHANGED, now=NOW)
    assert feeds.taken_today(feed.id, now=NOW) == 1
    assert feeds.taken_today(other.id, now=NOW) == 0


def test_an_item_that_nobody_looked_at_for_half_a_year_is_forgotten(feeds: FeedStore) -> None:
    feed, other = feeds.add(f"{URL}1"), feeds.add(f"{URL}2")
    for store_id in (feed.id, other.id):
        feeds.see(store_id, "old", "f", Outcome.NEW, now=NOW - timedelta(days=181))
        feeds.see(store_id, "young", "f", Outcome.NEW, now=NOW - timedelta(days=179))
    feeds.still_there(feed.id, [], now=NOW)
    assert set(feeds.seen(feed.id)) == {"young"}
    assert set(feeds.seen(other.id)) == {"old", "young"}
