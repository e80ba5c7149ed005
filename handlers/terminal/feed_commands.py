"""The commands for following feeds: feed add, list, test, poll, pause, resume, remove."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import click

from data.answers import open_memory
from data.collections import Collections
from data.errors import NotFoundError, UserError
from data.feeds import DAILY_LIMIT, FeedStore
from data.followed import FollowedFeed, NotTaken, Outcome
from handlers.app import App, pass_app, place_options, write_json
from handlers.console import counted
from handlers.entries import is_own
from handlers.following import Follower
from handlers.polls import Poll
from handlers.runner import TerminalRunner
from handlers.samples import SAMPLES
from handlers.terminal.records import feed_record, poll_record
from handlers.web import terminal_web

_SHOWN = 20


@click.group(short_help="Follow RSS, Atom and JSON feeds.")
def feed() -> None:
    """Follow feeds: what is new in one becomes stories.

    The running bot polls the feeds of its collections by itself; `feed poll` does it once.
    """


@feed.command(name="add", short_help="Follow a feed, and take in what is in it.")
@click.argument("url", metavar="URL")
@click.option(
    "--daily-limit", type=int, default=DAILY_LIMIT, show_default=True, help="Stories a day."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@place_options
@pass_app
def add(app: App, url: str, daily_limit: int, as_json: bool) -> None:
    """Follow the feed at URL. It is read once first, so that a wrong address is told at once."""
    _require_writable(app)
    asyncio.run(_add(app, url, daily_limit, as_json=as_json))


async def _add(app: App, url: str, daily_limit: int, *, as_json: bool) -> None:
    runner = TerminalRunner(app)
    async with terminal_web(app) as web:
        follower = Follower(web=web, runner=runner)
        page, contents = found = await follower.try_out(url)

        def follow(feeds: FeedStore) -> FollowedFeed:
            address = page.moved_to or url
            return feeds.add(address, title=contents.title, daily_limit=daily_limit)

        added = await runner.memory(lambda db: follow(FeedStore(db, app.collection)))
        if not as_json:
            app.screen.say(f"Following {added.id}: {added.title or added.url}")
        _show(app, await follower.poll(added, found), as_json=as_json)


@feed.command(name="list", short_help="List the feeds that are followed.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON list.")
@place_options
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the feeds of the collection, with what went wrong with each."""
    with _feeds(app) as store:
        feeds, not_taken = store.all(), store.not_taken(newest=_SHOWN)
    if as_json:
        write_json([feed_record(followed, not_taken.get(followed.id)) for followed in feeds])
        return
    for followed in feeds:
        state = "paused" if followed.paused else f"polled {followed.polled_at or 'never'}"
        app.screen.say(f"{followed.id}  {followed.title or 'untitled'}  {followed.url}  ({state})")
        for trouble in (followed.paused, followed.problem):
            if trouble:
                app.screen.warn(f"   {trouble}")
        _show_not_taken(app, not_taken.get(followed.id))
    if not feeds:
        app.screen.note("No feed is followed here. Follow one: python bot.py feed add URL")


@feed.command(name="test", short_help="Show what is in a feed; stores nothing.")
@click.argument("url", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@place_options
@pass_app
def test(app: App, url: str, as_json: bool) -> None:
    """Show what a feed holds now, and where the text of each item would come from."""
    asyncio.run(_test(app, url, as_json=as_json))


async def _test(app: App, url: str, *, as_json: bool) -> None:
    async with terminal_web(app) as web:
        _, contents = await Follower(web=web, runner=TerminalRunner(app)).try_out(url)
    items = [
        {
            "title": item.title,
            "url": item.url,
            "published_at": item.published_at,
            "text": "full" if not item.is_summary and is_own(item, url) else "summary",
            "reason": item.refused,
        }
        for item in contents.items
    ]
    if as_json:
        write_json({"title": contents.title, "items": items, "left_out": contents.left_out})
        return
    app.screen.say(f"{contents.title or 'untitled'}: {counted(len(items), 'item', 'items')}")
    for item in items[:_SHOWN]:
        how = item["reason"] or ("from its page" if item["text"] == "summary" else "whole text")
        app.screen.say(f"  {item['published_at'] or 'no date'}  {item['title'] or '?'}  ({how})")
    if len(items) > _SHOWN:
        app.screen.note(f"  and {len(items) - _SHOWN} more")
    if contents.left_out:
        app.screen.note(f"  {contents.left_out:,} further ones are left out: there are too many.")


@feed.command(name="poll", short_help="Ask feeds for what is new, now.")
@click.argument("names", metavar="[ID|URL ...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a feed and line.")
@place_options
@pass_app
def poll(app: App, names: Sequence[str], as_json: bool) -> int:
    """Poll the named feeds, or all that are not paused; exits with 1 where one failed."""
    _require_writable(app)
    with _feeds(app) as feeds:
        every = feeds.all()
        wanted = [_named(feeds, n) for n in names] or [f for f in every if not f.paused]
    if not wanted and not as_json:
        app.screen.note(
            "All feeds here are paused. Name one to poll it all the same."
            if every
            else "No feed is followed here. Follow one: python bot.py feed add URL"
        )
    return asyncio.run(_poll(app, wanted, as_json=as_json))


async def _poll(app: App, feeds: Sequence[FollowedFeed], *, as_json: bool) -> int:
    failed = 0
    async with terminal_web(app) as web:
        follower = Follower(web=web, runner=TerminalRunner(app))
        for followed in feeds:
            done = await follower.poll(followed)
            failed += done.problem is not None
            _show(app, done, as_json=as_json)
    return 1 if failed else 0


@feed.command(name="pause", short_help="Poll a feed no longer, until it is resumed.")
@click.argument("name", metavar="ID|URL")
@place_options
@pass_app
def pause(app: App, name: str) -> None:
    """Poll a feed no longer; what it brought stays."""
    with _feeds(app) as feeds:
        followed = _named(feeds, name)
        feeds.pause(followed.id, "Somebody paused it.")
    app.screen.say(f"Paused {followed.title or followed.url}.")


@feed.command(name="resume", short_help="Poll a paused feed again.")
@click.argument("name", metavar="ID|URL")
@place_options
@pass_app
def resume(app: App, name: str) -> None:
    """Poll a paused feed again."""
    with _feeds(app) as feeds:
        followed = _named(feeds, name)
        feeds.pause(followed.id, None)
    app.screen.say(f"Resumed {followed.title or followed.url}.")


@feed.command(name="remove", short_help="Follow a feed no longer; its stories stay.")
@click.argument("name", metavar="ID|URL")
@place_options
@pass_app
def remove(app: App, name: str) -> None:
    """Follow a feed no longer. The stories that it brought stay."""
    with _feeds(app) as feeds:
        removed = feeds.remove(_named(feeds, name).id)
    app.screen.say(f"No longer following {removed.title or removed.url}. Its stories stay.")


def _named(feeds: FeedStore, name: str) -> FollowedFeed:
    """Return the feed of that number or address.

    Raises:
        NotFoundError: if none is.
    """
    for followed in feeds.all():
        if name in (str(followed.id), followed.url):
            return followed
    raise NotFoundError(f"No feed {name!r} is followed here. `feed list` lists them.")


@contextmanager
def _feeds(app: App) -> Iterator[FeedStore]:
    """Give the feeds of the named collection.

    Raises:
        UserError: if the name is none.
    """
    home = app.settings_for(app.home).home
    Collections(home).get(app.collection)
    with closing(open_memory(home)) as memory:
        yield FeedStore(memory, app.collection)


def _require_writable(app: App) -> None:
    Collections(app.settings_for(app.home).home).get(app.collection)
    if app.collection == SAMPLES:
        raise UserError(f"The stories in {SAMPLES} come with Pullquote and stay as they are.")


def _show_not_taken(app: App, not_taken: NotTaken | None) -> None:
    if not_taken is None:
        return
    app.screen.say(f"   not taken: {counted(not_taken.count, 'item', 'items')}")
    for item in not_taken.newest:
        app.screen.say(f"   • {item.title or item.guid}: {item.reason}")
    if not_taken.count > len(not_taken.newest):
        app.screen.say(f"   and {not_taken.count - len(not_taken.newest)} more")


def _show(app: App, done: Poll, *, as_json: bool) -> None:
    if as_json:
        write_json(poll_record(done))
        return
    name = done.feed.title or done.feed.url
    if done.stopped:
        app.screen.note(f"{name}: removed or paused meanwhile, so the poll ended there.")
    if done.problem is not None:
        app.screen.warn(f"{name}: {done.paused or done.problem}")
        return
    if done.unchanged:
        app.screen.say(f"{name}: nothing new.")
        return
    words = ", ".join(f"{done.count(outcome)} {outcome.value}" for outcome in Outcome)
    app.screen.say(f"{name}: {words}.")
    for taken in done.taken:
        if taken.reason is not None:
            app.screen.note(f"  {taken.title or taken.url or 'an item'}: {taken.reason}")
    if done.waiting:
        limit = f"its limit of {done.feed.daily_limit} a day"
        app.screen.note(
            f"  {counted(done.waiting, 'item waits', 'items wait')} for tomorrow: {limit}."
        )
    if done.later:
        words = counted(done.later, "item waits", "items wait")
        app.screen.note(f"  {words} for the next poll, since time is up or a site wants a rest.")
    if done.left_out:
        app.screen.note(f"  {done.left_out:,} older items were not looked at.")


COMMANDS = (feed,)
