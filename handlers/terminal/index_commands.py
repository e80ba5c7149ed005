from contextlib import closing

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from handlers.app import App, pass_app, place_options, write_json
from handlers.console import counted, report_view, status_view
from handlers.terminal.records import status_record
from index.status import index_status

PROBLEMS_FOUND = 1


def _progress(app: App) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=app.screen.err,
        transient=True,
        disable=not app.screen.err.is_terminal,
    )


@click.command(short_help="Make the index anew.")
@click.option("--encoder", metavar="NAME", help="Change over to this encoder: a folder or a name.")
@click.option("--rechunk", is_flag=True, help="Cut the stories anew as well.")
@place_options
@pass_app
def rebuild(app: App, encoder: str | None, rechunk: bool) -> None:
    """Make the index anew. Questions go on using the old one until the new one is complete."""
    with closing(app.services()) as services, _progress(app) as bar:
        task = bar.add_task("Rebuilding", total=services.articles.count())
        build = services.indexer.rebuild(
            encoder=encoder,
            rechunk=rechunk,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        count = services.articles.count()
    app.screen.say(
        f"Rebuilt the index of {counted(count, 'story', 'stories')} with {build.recipe.encoder}."
    )


@click.command(short_help="Go back to the index before the last rebuild.")
@place_options
@pass_app
def undo(app: App) -> None:
    """Go back to the index before the last rebuild. Stories that were removed stay removed."""
    with closing(app.services()) as services, _progress(app) as bar:
        task = bar.add_task("Going back", total=services.articles.count())
        build = services.indexer.undo(
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        count = services.articles.count()
    app.screen.say(
        f"Went back to the index before: {counted(count, 'story', 'stories')} with "
        f"{build.recipe.encoder}."
    )


@click.command(short_help="Show what is stored and what is stale.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@place_options
@pass_app
def status(app: App, as_json: bool) -> None:
    """Show what the collection holds, what its index was made with, and what is stale."""
    with closing(app.services()) as services:
        found = index_status(services.collection, services.db, services.encoders)
        name = found.encoder or services.encoders.default
        if as_json:
            write_json(status_record(found))
        else:
            runtime = services.encoders.get(name).runtime
            app.screen.show(status_view(found, runtime=runtime))


@click.command(short_help="Check everything that is stored.")
@click.option("--deep", is_flag=True, help="Encode every chunk again, not a sample of 64.")
@click.option("--json", "as_json", is_flag=True, help="Write a JSON object.")
@place_options
@pass_app
def verify(app: App, deep: bool, as_json: bool) -> None:
    """Check every offset, vector and full-text row, and the index file, against the stories.

    Exits with 1 and a list where something is off. Changes nothing.
    """
    with closing(app.services()) as services, _progress(app) as bar:
        task = bar.add_task("Encoding again", total=None)
        report = services.verifier.verify(
            deep=deep,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        record = {
            "clean": report.clean,
            "stories": report.stories,
            "chunks": report.chunks,
            "reencoded": report.reencoded,
            "problems": list(report.problems),
            "notes": list(report.notes),
        }
        write_json(record)
    else:
        app.screen.show(report_view(report))
    if not report.clean:
        click.get_current_context().exit(PROBLEMS_FOUND)


COMMANDS = (rebuild, undo, status, verify)
