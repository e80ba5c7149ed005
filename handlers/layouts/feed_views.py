"""How feeds look in Discord: a list, a trial, news, trouble; pure."""

from collections.abc import Mapping, Sequence

import discord

from data.followed import FollowedFeed, NotTaken, Outcome, SeenItem
from data.pages import Feed
from handlers.console import counted
from handlers.entries import is_own
from handlers.layouts.layout import Action, Item, Layout, button, panel, row, section, text
from handlers.layouts.markdown import escaped, one_line, shortened, size, when
from handlers.layouts.stories import STORY_COLOUR
from handlers.polls import Poll

TROUBLE_COLOUR = discord.Colour(0xB3592E)
PAGE_FEEDS = 8
NEWEST_NOT_TAKEN = 3  # items of each feed that are shown with the reason
_SHOWN = 8  # stories in one announcement, or items of a trial
_MAX_URL = 150
_MAX_PAGE = 3500  # characters, markup included


def feed_name(feed: FollowedFeed) -> str:
    """Return what a feed calls itself, else its address, on one line."""
    return one_line(feed.title or "", 100) or one_line(feed.url, 100)


def feeds_layout(
    feeds: Sequence[FollowedFeed], not_taken: Mapping[int, NotTaken], *, page: int
) -> Layout:
    """Return one page of a server's feeds, each with its state; `page` counts from 0."""
    if not feeds:
        words = "No feed is followed here yet. Follow one with `/feed add`."
        return Layout(panel(text(words), colour=STORY_COLOUR))
    entries = _pages([_entry(feed, not_taken.get(feed.id)) for feed in feeds])
    pages = len(entries)
    page = min(page, pages - 1)
    items: list[Item] = [text(f"### {counted(len(feeds), 'feed', 'feeds')}")]
    items += [text(entry) for entry in entries[page]]
    if pages > 1:
        items.append(text(f"-# Page {page + 1} of {pages}"))
    buttons = []
    if page > 0:
        buttons.append(button("Back", Action.LIST_FEEDS, page - 1, emoji="◀️"))
    if page + 1 < pages:
        buttons.append(button("Further", Action.LIST_FEEDS, page + 1, emoji="▶️"))
    return Layout(panel(*items, colour=STORY_COLOUR), *([row(*buttons)] if buttons else []))


def _entry(feed: FollowedFeed, not_taken: NotTaken | None) -> str:
    lines = [f"**{feed_name(feed)}**", f"-# {_state(feed)}"]
    if not_taken is not None:
        lines.append(f"-# Not taken: {counted(not_taken.count, 'item', 'items')}")
        lines += [f"-# • {_why(item)}" for item in not_taken.newest]
    return "\n".join(lines)


def _why(item: SeenItem) -> str:
    """Return an item's headline, else its address, and why it is no story."""
    name = one_line(item.title or "", 60) or one_line(item.guid, 60) or "untitled"
    return f"“{name}” – {one_line(item.reason or 'Nobody knows why.', 150)}"


def _pages(entries: Sequence[str]) -> list[list[str]]:
    """Return the entries in pages that fit a message each."""
    pages: list[list[str]] = [[]]
    for entry in entries:
        full = sum(map(size, pages[-1])) + size(entry) > _MAX_PAGE
        if pages[-1] and (full or len(pages[-1]) == PAGE_FEEDS):
            pages.append([])
        pages[-1].append(entry)
    return pages


def _state(feed: FollowedFeed) -> str:
    parts = [
        escaped(shortened(feed.url, _MAX_URL)),
        f"at most {counted(feed.daily_limit, 'story', 'stories')} a day",
    ]
    if feed.announce_id is not None:
        parts.append(f"announced in <#{feed.announce_id}>")
    if feed.added_by is not None:
        parts.append(f"added by <@{feed.added_by}>")
    if feed.polled_at is None:
        parts.append("not asked yet")
    else:
        parts.append(f"asked {when(feed.polled_at)}")
    line = " · ".join(parts)
    if feed.paused is not None:
        return f"{line}\n-# ⏸️ Paused: {escaped(shortened(feed.paused, 200))}"
    if feed.problem is not None:
        return f"{line}\n-# ⚠️ {escaped(shortened(feed.problem, 200))}"
    return line


def followed_layout(feed: FollowedFeed, items: int) -> Layout:
    """Return what everybody is told about a feed that is followed from now on."""
    count = counted(items, "item", "items")
    return Layout(
        panel(
            text(f"Following **{feed_name(feed)}**, with {count} in it now."),
            text(f"-# {_state(feed)}"),
            text("-# Its stories come in now, one by one. `/feed list` shows how it goes."),
            colour=STORY_COLOUR,
        )
    )


def trial_layout(url: str, feed: Feed) -> Layout:
    """Return what is in a feed, and how each item would come in."""
    name = one_line(feed.title or url, 100)
    items: list[Item] = [
        text(f"### {name}\n{counted(len(feed.items), 'item', 'items')}; nothing was stored.")
    ]
    for item in feed.items[:_SHOWN]:
        how = "read from its page" if item.url else "refused: a summary without a link"
        how = "the whole text is in the feed" if not item.is_summary and is_own(item, url) else how
        how = escaped(item.refused) if item.refused else how
        title = one_line(item.title or "untitled", 120)
        items.append(text(f"**{title}**\n-# {when(item.published_at)} · {how}"))
    if len(feed.items) > _SHOWN:
        items.append(text(f"-# and {len(feed.items) - _SHOWN} more"))
    return Layout(panel(*items, colour=STORY_COLOUR))


def news_layout(poll: Poll) -> Layout:
    """Return the announcement of what a feed brought."""
    new = [taken for taken in poll.taken if taken.outcome is Outcome.NEW]
    items: list[Item] = [text(f"### New from {feed_name(poll.feed)}")]
    for taken in new[:_SHOWN]:
        title = one_line(taken.title or "untitled", 200)
        if taken.article_id is not None:
            show = button("Show", Action.SHOW_STORY, taken.article_id, 0)
            items.append(section(f"**“{title}”**", beside=show))
    if len(new) > _SHOWN:
        items.append(text(f"-# and {len(new) - _SHOWN} more; `/article list` has them all"))
    return Layout(panel(*items, colour=STORY_COLOUR))


def paused_layout(poll: Poll) -> Layout:
    """Return the word to a server about a feed that is not asked any more."""
    why = escaped(shortened(poll.paused or "", 400))
    return Layout(
        panel(
            text(f"I no longer ask the feed **{feed_name(poll.feed)}**. {why}"),
            text("-# Its stories stay. `/feed pause` with *resume* begins again."),
            colour=TROUBLE_COLOUR,
        )
    )


def removed_words(feed: FollowedFeed) -> str:
    """Return what is said about a feed that is followed no longer."""
    return f"No longer following **{feed_name(feed)}**. The stories that it brought stay."
