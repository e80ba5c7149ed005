"""The commands for the web's stories: extract, history, check, domain."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click

from data.answers import open_memory
from data.collections import Collections
from data.domains import DomainStore, domain_of
from data.errors import UserError
from data.page_files import is_address, page_in_file
from data.pages import Extracted
from data.rechecks import Recheck
from handlers.app import App, home_option, pass_app, place_options, write_json
from handlers.console import counted, printable
from handlers.rechecking import Look, look_again
from handlers.runner import TerminalRunner
from handlers.terminal.history_view import history_view
from handlers.terminal.records import extracted_record, history_record
from handlers.web import Web, terminal_web

_LOOKS = {
    Look.SAME: "unchanged",
    Look.CHANGED: "changed: a new version is stored",
    Look.WITHDRAWN: "withdrawn: the page is gone, and the story is no longer quoted",
    Look.PROBLEM: "left as it is",
}


@click.command(short_help="Show what a page would be stored as; stores nothing.")
@click.argument("files", metavar="FILE|URL ...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@place_options
@pass_app
def extract(app: App, files: Sequence[str], as_json: bool) -> int:
    """Show what would be stored of each page (.html, .pdf, .txt, .md, packed or not, or a URL).

    Text that would not be added, such as the beginning of a story behind a paywall, is shown with
    the reason. Exits with 1 where one of them could not be read at all.
    """
    return asyncio.run(_extract(app, files, as_json=as_json))


async def _extract(app: App, files: Sequence[str], *, as_json: bool) -> int:
    failed = 0
    async with terminal_web(app) as web:
        for file in files:
            try:
                found = await _extracted(web, file)
            except UserError as error:
                found = Extracted(reason=str(error))
            failed += found.text is None
            if as_json:
                write_json(extracted_record(file, found))
            else:
                _show(app, file, found)
    return 1 if failed else 0


async def _extracted(web: Web, file: str) -> Extracted:
    if not is_address(file):
        return (await web.read(page_in_file(Path(file)))).extracted
    read = await web.page(file)
    return Extracted(reason="The page sent nothing.") if read is None else read.extracted


def _show(app: App, file: str, found: Extracted) -> None:
    app.screen.say(f"File: {file}")
    if found.text is None:
        app.screen.warn(found.reason or "There is no text in it.")
        return
    for name in ("title", "author", "source", "published_at", "modified_at", "url"):
        app.screen.say(f"{name}: {getattr(found, name) or 'unknown'}")
    for note in found.notes:
        app.screen.warn(note)
    if found.reason is not None:
        app.screen.warn(f"It would not be added: {found.reason}")
    app.screen.say(f"\n{found.text}\n")


@click.command(short_help="Show a story's versions and what changed between them.")
@click.argument("article_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@place_options
@pass_app
def history(app: App, article_id: str, as_json: bool) -> None:
    """Show every version of a story, and what each changed, paragraph by paragraph."""
    with closing(app.services()) as services:
        current = services.articles.get(article_id)
        found = services.standing.history(current.article_id)
        page = services.rechecks.get(current.article_id)
    if as_json:
        write_json(history_record(found, page))
    else:
        app.screen.show(history_view(found, page))


@click.command(short_help="Look at stories' pages again: changed, unchanged, gone.")
@click.argument("article_ids", metavar="[ID ...]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
@place_options
@pass_app
def check(app: App, article_ids: Sequence[str], as_json: bool) -> None:
    """Fetch the pages of stories again and store what changed; without an ID those that are due.

    A page that is gone for good (410) withdraws its story: it is no longer quoted.
    """
    with closing(app.writing_services()) as services:
        if article_ids:
            ids = [services.articles.get(i).article_id for i in article_ids]
            pages = [page for i in ids if (page := services.rechecks.get(i)) is not None]
        else:
            pages = services.rechecks.due(limit=1000)
    asyncio.run(_check(app, pages, as_json=as_json))
    if not pages and not as_json:
        app.screen.note(
            "None of these stories came from a page on the web."
            if article_ids
            else "No page is due. Name a story's id to look at its page now."
        )


async def _check(app: App, pages: Sequence[Recheck], *, as_json: bool) -> None:
    runner = TerminalRunner(app)
    async with terminal_web(app) as web:
        for page in pages:
            looked = await look_again(web, runner, app.collection, page)
            if as_json:
                record = {"id": looked.article_id, "url": page.url, "result": looked.look.value}
                write_json({**record, "problem": looked.problem})
            else:
                why = f". {looked.problem}" if looked.problem else ""
                app.screen.say(f"{looked.article_id} {page.url}: {_LOOKS[looked.look]}{why}")


@click.group(short_help="Take a whole domain out of every collection.")
def domain() -> None:
    """Take a domain out of every collection, for good or until it is permitted again."""


@domain.command(name="refuse", short_help="Delete all its stories; take none in any more.")
@click.argument("name", metavar="DOMAIN")
@home_option
@pass_app
def refuse(app: App, name: str) -> None:
    """Delete every story from DOMAIN and its subdomains, in all collections, and take no more.

    Nothing is fetched from there either, and its feeds are followed no longer. Answers that quoted
    one are marked by the running bot.
    """
    wanted = domain_of(name)
    settings = app.settings_for(app.home)
    with closing(open_memory(settings.home)) as memory:
        feeds = DomainStore(memory).refuse(wanted)
    removed = 0
    collections = Collections(settings.home)
    for collection in collections.names():
        with closing(app.open_services(settings, collection)) as services:
            for article_id in services.articles.of_domain(wanted):
                services.indexer.remove(article_id, scrub=False)
                removed += 1
            services.indexer.scrub()
    stories = counted(removed, "story", "stories")
    also = f" and {counted(feeds, 'feed', 'feeds')}" if feeds else ""
    app.screen.say(f"Refused {wanted}; removed {stories}{also} from there.")


@domain.command(name="permit", short_help="Take stories from there again.")
@click.argument("name", metavar="DOMAIN")
@home_option
@pass_app
def permit(app: App, name: str) -> None:
    """Take stories from DOMAIN again; what was deleted stays deleted."""
    wanted = domain_of(name)
    with closing(open_memory(app.settings_for(app.home).home)) as memory:
        if not DomainStore(memory).permit(wanted):
            raise UserError(f"{wanted} was not refused.")
    app.screen.say(f"Permitted {wanted}.")


@domain.command(name="list", short_help="List the domains that were taken out.")
@home_option
@pass_app
def list_(app: App) -> None:
    """List the domains that were taken out, one a line."""
    with closing(open_memory(app.settings_for(app.home).home)) as memory:
        for name in DomainStore(memory).all():
            app.screen.say(printable(name))


COMMANDS = (extract, history, check, domain)
