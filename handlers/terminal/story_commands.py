import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from data.errors import UserError
from data.extraction.reading import Reading
from data.ingestion import (
    MAX_FILE_BYTES,
    Given,
    Row,
    amended,
    parse_story,
    read_rows,
    read_story,
)
from data.models import Draft
from data.page_files import is_address, is_page_file, page_in_file
from data.pages import Page
from data.webstories import draft_from_page
from handlers.app import App, attribution_options, pass_app, place_options, write_json
from handlers.console import articles_view, saved_line, story_view
from handlers.terminal.records import article_record, story_record
from handlers.web import terminal_web
from index.models import Imported

_JSONL = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


@click.command(short_help="Add one story: a file, a web address, or - for standard input.")
@click.argument("file", metavar="FILE|URL|-")
@attribution_options
@click.option("--json", "as_json", is_flag=True, help="Write what became of it as JSON.")
@place_options
@pass_app
def add(
    app: App,
    file: str,
    given: Given,
    as_json: bool,
) -> None:
    """Add the story in FILE, at an address, or on standard input with -.

    A file is .txt, .md, .html or .pdf; .jsonl adds many. Of a page only a story is added: `extract`
    shows what would be.
    """
    if file.lower().endswith(_JSONL):
        if given != Given():
            raise UserError("A .jsonl file says title, source and date of each story itself.")
        _import(app, Path(file), as_json=as_json)
        return
    page, draft = _brought(app, file, given)
    with closing(app.writing_services()) as services:
        saved = services.indexer.add(
            draft,
            along=lambda r: services.rechecks.record(r.article_id, page) if page else None,
        )
    for note in draft.notes:
        app.screen.warn(note)
    if as_json:
        record = {"status": saved.status.value, **article_record(saved.revision)}
        write_json({**record, "revision_id": saved.revision.id, "notes": list(draft.notes)})
    else:
        app.screen.say(saved_line(saved))


@click.command(name="import", short_help="Add all stories of a .jsonl file.")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE.jsonl[.gz]")
@click.option("--json", "as_json", is_flag=True, help="Write the counts as JSON.")
@place_options
@pass_app
def import_(app: App, file: Path, as_json: bool) -> None:
    """Add every story of a file with one JSON object a line.

    Fields: id, title, source, author, published_at, url, text. Others are ignored. A bad row is
    told and left out; a second import of the same file changes nothing.
    """
    _import(app, Path("/dev/stdin") if str(file) == "-" else file, as_json=as_json)


@click.command(short_help="List the stories.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON list.")
@place_options
@pass_app
def articles(app: App, as_json: bool) -> None:
    """List the stories, the newest first."""
    with closing(app.services()) as services:
        stories, withdrawn = services.articles.current(), services.standing.withdrawn()
    if as_json:
        whole = [(article_record(s), withdrawn.get(s.article_id)) for s in stories]
        write_json([{**record, "withdrawn_at": at} for record, at in whole])
    elif stories:
        app.screen.show(articles_view(stories, withdrawn))
    else:
        app.screen.note("There are no stories here yet. Add one with: python bot.py add FILE")


@click.command(short_help="Show one story.")
@click.argument("article_id", metavar="ID")
@click.option("--text", is_flag=True, help="Show the whole text too.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object, text included.")
@place_options
@pass_app
def show(app: App, article_id: str, text: bool, as_json: bool) -> None:
    """Show the story with this id (ours, or the one it was imported with)."""
    with closing(app.services()) as services:
        story = services.articles.get(article_id)
        withdrawn_at = services.standing.withdrawn_at(story.article_id)
    if as_json:
        write_json(story_record(story, withdrawn_at))
    else:
        app.screen.show(story_view(story, text=text, withdrawn_at=withdrawn_at))


@click.command(short_help="Correct a story's title, publisher, author, date or link.")
@click.argument("article_id", metavar="ID")
@attribution_options
@click.option("--json", "as_json", is_flag=True, help="Write the story as JSON.")
@place_options
@pass_app
def edit(
    app: App,
    article_id: str,
    given: Given,
    as_json: bool,
) -> None:
    """Correct who published a story, who wrote it, when, or where. Its text never changes.

    An empty text, as in --author '', makes it unknown.
    """
    if given == Given():
        raise click.UsageError("Name at least one of --title --source --author --date --url.")
    with closing(app.writing_services()) as services:
        current = services.articles.get(article_id).attribution
        attribution = amended(current, given)
        saved = services.indexer.edit(article_id, attribution)
    if as_json:
        write_json({"status": saved.status.value, **article_record(saved.revision)})
    else:
        app.screen.say(saved_line(saved))


@click.command(short_help="Delete a story.")
@click.argument("article_id", metavar="ID")
@place_options
@pass_app
def remove(app: App, article_id: str) -> None:
    """Delete a story with all its versions, for good."""
    with closing(app.writing_services()) as services:
        removed = services.indexer.remove(article_id)
    app.screen.say(f"Removed story {removed.article_id}: {removed.attribution.title.strip()}")


COMMANDS = (add, import_, articles, show, edit, remove)


def _read_standard_input(given: Given) -> Draft:
    # Standard input can be closed.
    raw = sys.stdin.buffer.read(MAX_FILE_BYTES + 1) if sys.stdin else b""
    return parse_story(raw, name="The text", given=given)


def _brought(app: App, file: str, given: Given) -> tuple[Page | None, Draft]:
    """Return the story that somebody names, with the page that it stands on in the web."""
    if file == "-":
        return None, _read_standard_input(given)
    if is_address(file):
        return asyncio.run(_fetched(app, file, given))
    path = Path(file)
    if not is_page_file(path.name):
        return None, read_story(path, given)
    with closing(Reading()) as reading:
        return None, draft_from_page(reading.extract(page_in_file(path)), given)


async def _fetched(app: App, url: str, given: Given) -> tuple[Page, Draft]:
    async with terminal_web(app) as web:
        return await web.story(url, given)


def _import(app: App, path: Path, *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    refused: list[dict[str, object]] = []
    size = path.stat().st_size if path.is_file() else 0
    quiet = not app.screen.err.is_terminal
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[stories]} stories"),
        TimeRemainingColumn(),
    )
    with (
        closing(app.writing_services()) as services,
        Progress(*columns, console=app.screen.err, transient=True, disable=quiet) as bar,
    ):
        task = bar.add_task("Importing", total=None if path.suffix == ".gz" else size, stories=0)
        rows = _measured(read_rows(path), bar, task)
        for outcome in services.indexer.add_rows(rows):
            _count(app, outcome, counts, refused)
            bar.update(task, stories=sum(counts.values()))
    summary = {name: counts[name] for name in ("new", "changed", "same", "refused")}
    if as_json:
        write_json({**summary, "refusals": refused})
    else:
        words = ", ".join(f"{count:,} {name}" for name, count in summary.items())
        app.screen.say(f"Imported {path.name}: {words}.")
    if not sum(counts.values()) - counts["refused"]:
        raise UserError(f"No story could be read from {path}.")


def _measured(rows: Iterator[Row], bar: Progress, task: TaskID) -> Iterator[Row]:
    for row in rows:
        bar.advance(task, row.size)
        yield row


def _count(
    app: App, outcome: Imported, counts: Counter[str], refused: list[dict[str, object]]
) -> None:
    """Count one row's outcome, and tell at once what is wrong with a bad row."""
    if outcome.saved is None:
        counts["refused"] += 1
        refused.append({"line": outcome.line, "reason": outcome.refused})
        app.screen.warn(f"Line {outcome.line} is refused: {outcome.refused}.")
        return
    counts[outcome.saved.status.value] += 1
    for note in outcome.notes:
        app.screen.note(f"Line {outcome.line}: {note}")
