"""Whatever feeds say of themselves, messages about them keep Discord's limits and show as text."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.feeds import MAX_DAILY_LIMIT, MAX_FEEDS
from data.followed import FollowedFeed, NotTaken, Outcome, SeenItem
from data.pages import Feed, FeedItem
from handlers.layouts.feed_views import (
    feed_name,
    feeds_layout,
    followed_layout,
    news_layout,
    paused_layout,
    removed_words,
    trial_layout,
)
from handlers.layouts.layout import Action, Layout, custom_id, notice
from handlers.layouts.markdown import one_line
from handlers.polls import Poll, Taken
from tests.handlers.layouts.test_layout import broken_limits, payload, walk
from tests.handlers.layouts.test_markdown import hostile, read
from tests.handlers.layouts.test_render import contents

some = settings(deadline=None, max_examples=60)
ID = 10**19  # of a user or channel, as long as may be
NOW = "2026-01-02T03:04:05+00:00"
STAMP = "<t:1767323045:f>"
FEED = FollowedFeed(
    id=1,
    collection="1",
    url="https://ledger.example/feed",
    title="The Larkmoor Ledger",
    added_by=None,
    channel_id=None,
    announce_id=None,
    daily_limit=50,
    paused=None,
    etag=None,
    last_modified=None,
    failures=0,
    problem=None,
    polled_at=None,
    next_poll_at=NOW,
    created_at=NOW,
)
# Of which the longest texts are made: what is escaped, what counts twice, what ends a line.
UNITS = ("a", "*", "😀", "\\", "é", "1. ", "a\n", "-\n", "<@1>", "\u202e", "https://a.example ")

titles = hostile.filter(lambda t: bool(one_line(t, 100)))
feeds = st.builds(
    replace,
    st.just(FEED),
    url=hostile.map(lambda t: f"https://ledger.example/{t}"),
    title=st.none() | titles,
    added_by=st.sampled_from((None, ID)),
    announce_id=st.sampled_from((None, ID)),
    paused=st.none() | titles,
    problem=st.none() | titles,
    polled_at=st.sampled_from((None, NOW)),
)


def longest(unit: str, **changes: Any) -> FollowedFeed:
    """Return a feed that says as much of itself as may be."""
    field = (unit * 1000)[:1000]
    made = replace(
        FEED,
        url=f"https://ledger.example/{field}",
        title=field[:300],
        added_by=ID,
        announce_id=ID,
        daily_limit=MAX_DAILY_LIMIT,
        problem=field,
        polled_at=NOW,
    )
    return replace(made, **changes)


def taken(title: str | None, outcome: Outcome = Outcome.NEW, number: int = 0) -> Taken:
    article_id = f"abcdefgh23{number:02}" if outcome is Outcome.NEW else None
    return Taken(title, "https://ledger.example/a", outcome, None, article_id)


def item(title: str | None = "Bridge opened", **fields: Any) -> FeedItem:
    given = {"guid": "1", "url": "https://ledger.example/a", "published_at": NOW, **fields}
    return FeedItem(title=title, **given)


def not_taken(words: str, count: int = 2) -> NotTaken:
    """Return what of a feed was refused: one item by its headline, one by its guid."""
    seen = SeenItem(words, "", Outcome.REFUSED, words, words, None, 1, NOW)
    return NotTaken(count, (seen, replace(seen, title=None), replace(seen, reason=None)))


def made(make: Callable[[], Layout]) -> list[dict[str, Any]]:
    """Return the components of a message, which are within Discord's limits."""
    components = payload(make)
    assert broken_limits(components) == []
    return components


def shown(make: Callable[[], Layout]) -> list[str]:
    return contents(made(make))


# --- limits


@pytest.mark.parametrize("paused", [True, False])
@pytest.mark.parametrize("unit", UNITS)
def test_a_page_of_the_longest_feeds_keeps_discords_limits(unit: str, paused: bool) -> None:
    why = (unit * 1000)[:1000] if paused else None
    many = [longest(unit, id=n, paused=why) for n in range(MAX_FEEDS)]
    refused = dict.fromkeys(range(MAX_FEEDS), not_taken((unit * 300)[:300], 10**6))
    for page in (0, 3, 6, 999):
        made(partial(feeds_layout, many, refused, page=page))


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_trial_keeps_discords_limits(unit: str) -> None:
    field = (unit * 2000)[:2000]
    refused = item(field, url=None, refused="The entry has neither a link nor a text.")
    items = (refused, item(field, is_summary=False), item(field)) * 20
    made(lambda: trial_layout(f"https://ledger.example/{field}", Feed(field, None, items)))
    made(lambda: trial_layout(f"https://ledger.example/{field}", Feed(None, None, items)))


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_news_keep_discords_limits(unit: str) -> None:
    poll = Poll(longest(unit), [taken((unit * 300)[:300], number=n) for n in range(50)])
    made(lambda: news_layout(poll))


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_words_of_trouble_keep_discords_limits(unit: str) -> None:
    made(lambda: paused_layout(Poll(longest(unit), paused=(unit * 3000)[:3000])))
    made(lambda: followed_layout(longest(unit), 10**6))
    made(lambda: notice(removed_words(longest(unit))))


@some
@given(st.lists(feeds, max_size=12), st.none() | titles, st.integers(0, 3))
def test_any_list_of_feeds_keeps_discords_limits_and_shows_no_more_than_text(
    many: list[FollowedFeed], why: str | None, page: int
) -> None:
    refused = {} if why is None else {feed.id: not_taken(why) for feed in many}
    for content in shown(lambda: feeds_layout(many, refused, page=page)):
        _only_text(content)


@some
@given(feeds, st.lists(st.none() | titles, min_size=1, max_size=12), titles)
def test_what_a_feed_says_becomes_no_mention_link_or_heading(
    feed: FollowedFeed, named: list[str | None], why: str
) -> None:
    items = tuple(item(name, refused=why if name is None else None) for name in named)
    news = Poll(feed, [taken(name, number=n) for n, name in enumerate(named)], paused=why)
    for make in (
        lambda: followed_layout(feed, 1),
        lambda: trial_layout(feed.url, Feed(feed.title, None, items)),
        lambda: news_layout(news),
        lambda: paused_layout(news),
        lambda: notice(removed_words(feed)),
    ):
        for content in shown(make):
            _only_text(content)


def _only_text(content: str) -> None:
    """Fail unless all that is more than characters in it is our own."""
    own = content.replace(f"<@{ID}>", "").replace(f"<#{ID}>", "")
    seen = read(own)
    assert seen.quote == ""
    assert seen.kinds <= {"bold", "italic", "small", "time", "heading", "code"}
    assert len(seen.of("heading")) == (1 if own.startswith("### ") else 0)


# --- what is said


def test_where_there_is_no_feed_it_says_how_to_begin() -> None:
    words = "No feed is followed here yet. Follow one with `/feed add`."
    assert shown(lambda: feeds_layout([], {}, page=0)) == [words]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "at most 50 stories a day · not asked yet"),
        ({"daily_limit": 1}, "at most 1 story a day · not asked yet"),
        ({"polled_at": NOW}, f"at most 50 stories a day · asked {STAMP}"),
        (
            {"added_by": 7, "announce_id": 9},
            "at most 50 stories a day · announced in <#9> · added by <@7> · not asked yet",
        ),
        (
            {"problem": "It is *down*."},
            "at most 50 stories a day · not asked yet\n-# ⚠️ It is \\*down\\*.",
        ),
        (
            {"problem": "It is down.", "paused": "It is gone."},
            "at most 50 stories a day · not asked yet\n-# ⏸️ Paused: It is gone.",
        ),
    ],
)
def test_the_list_tells_how_each_feed_goes(changes: dict[str, Any], state: str) -> None:
    feed = replace(FEED, **changes)
    assert shown(lambda: feeds_layout([feed], {}, page=0)) == [
        "### 1 feed",
        f"**The Larkmoor Ledger**\n-# https\\://ledger.example/feed · {state}",
    ]


def test_the_list_says_which_items_were_not_taken_and_why() -> None:
    why = "The rest is for *subscribers*."
    named = SeenItem("g1", "", Outcome.REFUSED, why, "Rail # fares", None, 1, NOW)
    nameless = replace(named, guid="https://e.org/2", title=None, reason="It is empty.")
    (_, entry) = shown(lambda: feeds_layout([FEED], {1: NotTaken(7, (named, nameless))}, page=0))
    assert entry.split("\n")[2:] == [
        "-# Not taken: 7 items",
        "-# • “Rail \\# fares” – The rest is for \\*subscribers\\*.",
        r"-# • “https\://e.org/2” – It is empty.",
    ]


@pytest.mark.parametrize(
    ("page", "buttons"),
    [
        (0, [("Further", 1)]),
        (1, [("Back", 0), ("Further", 2)]),
        (2, [("Back", 1)]),
        (999_999_999, [("Back", 1)]),
    ],
)
def test_the_pages_of_the_list_are_turned_by_buttons(
    page: int, buttons: list[tuple[str, int]]
) -> None:
    many = [replace(FEED, id=n, title=f"Feed {n}") for n in range(17)]
    components = made(lambda: feeds_layout(many, {}, page=page))
    found = [(p["label"], p["custom_id"]) for p in walk(components) if p["type"] == 2]
    assert found == [(label, custom_id(Action.LIST_FEEDS, to)) for label, to in buttons]
    assert contents(components)[-1] == f"-# Page {min(page, 2) + 1} of 3"


@pytest.mark.parametrize("title", [None, "", " ", "\u202e"])
def test_a_feed_without_a_title_is_called_by_its_address(title: str | None) -> None:
    assert feed_name(replace(FEED, title=title)) == "https\\://ledger.example/feed"


@pytest.mark.parametrize(
    ("entry", "how"),
    [
        (item(is_summary=False, text="Long."), "the whole text is in the feed"),
        (item(is_summary=False, url="https://other.example/a"), "read from its page"),
        (item(is_summary=True), "read from its page"),
        (item(url=None, refused="It has *nothing*."), "It has \\*nothing\\*."),
    ],
)
def test_a_trial_says_how_each_item_would_come_in(entry: FeedItem, how: str) -> None:
    assert shown(lambda: trial_layout(FEED.url, Feed("Ledger", None, (entry,)))) == [
        "### Ledger\n1 item; nothing was stored.",
        f"**Bridge opened**\n-# {STAMP} · {how}",
    ]


def test_a_trial_shows_the_first_items_and_counts_the_rest() -> None:
    items = tuple(item(f"Story {n}") for n in range(11))
    found = shown(lambda: trial_layout("x", Feed(None, None, items)))
    assert len(found) == 10
    assert found[-1] == "-# and 3 more"
    assert "### x\n11 items" in found[0]


def test_an_item_of_unknown_date_and_title_is_said_so() -> None:
    entry = item(None, published_at=None)
    found = shown(lambda: trial_layout(FEED.url, Feed("Ledger", None, (entry,))))
    assert found[1] == "**untitled**\n-# date unknown · read from its page"


def test_only_what_is_new_is_news() -> None:
    outcomes = [o for o in Outcome if o is not Outcome.NEW]
    poll = Poll(FEED, [taken("Old", o) for o in outcomes] + [taken("Bridge opened", number=7)])
    components = made(lambda: news_layout(poll))
    assert contents(components) == ["### New from The Larkmoor Ledger", "**“Bridge opened”**"]
    (beside,) = [p for p in walk(components) if p["type"] == 2]
    assert beside["custom_id"] == custom_id(Action.SHOW_STORY, "abcdefgh2307", 0)


def test_a_paused_feed_is_told_with_why_and_how_to_go_on() -> None:
    poll = Poll(FEED, paused="The feed is gone for good (410).")
    assert shown(lambda: paused_layout(poll)) == [
        "I no longer ask the feed **The Larkmoor Ledger**. The feed is gone for good (410).",
        "-# Its stories stay. `/feed pause` with *resume* begins again.",
    ]
