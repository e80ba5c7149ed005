import json
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import IO, Any

import click

from data.errors import UserError
from data.models import Filters
from handlers.app import App, filter_options, pass_app, place_options, write_json
from handlers.console import passages_view
from handlers.parameters import day_of, whole
from handlers.services import Services
from handlers.terminal.chat_loop import chat_loop, show_answer
from handlers.terminal.records import Record, answer_record, invalid_record, passage_record
from index.answerer import checked_answer, clean_question

_MAX_RESULTS = 100


@click.command(short_help="Answer a question with quotes.")
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write the answer as one JSON object.")
@click.option(
    "--jsonl",
    type=click.File("rb"),
    metavar="FILE|-",
    help='Answer a file of {"id", "question", "article"?, "source"?, "after"?, "before"?} lines.',
)
@filter_options
@place_options
@pass_app
def ask(
    app: App,
    question: str | None,
    as_json: bool,
    jsonl: IO[bytes] | None,
    filters: Filters,
) -> None:
    """Ask QUESTION and get quotes, or the reason why there are none."""
    _one_of(question, jsonl, filters)
    with closing(app.services()) as services:
        if jsonl is not None:
            for record in _questions(jsonl):
                write_json(_answer_line(services, record))
            return
        answer = checked_answer(services.answerer, question or "", filters)
        if as_json:
            write_json(answer_record(answer))
        else:
            show_answer(app, services, answer)


@click.command(short_help="Show the passages a question is looked up in.")
@click.argument("question", required=False)
@click.option(
    "-k", "top_k", type=click.IntRange(1, _MAX_RESULTS), default=10, help="How many (default: 10)."
)
@click.option("--json", "as_json", is_flag=True, help="Write the passages as one JSON list.")
@click.option(
    "--jsonl",
    type=click.File("rb"),
    metavar="FILE|-",
    help="Search for every question of a file, as with ask --jsonl.",
)
@filter_options
@place_options
@pass_app
def search(
    app: App,
    question: str | None,
    top_k: int,
    as_json: bool,
    jsonl: IO[bytes] | None,
    filters: Filters,
) -> None:
    """Show the passages that QUESTION is looked up in, without choosing quotes."""
    _one_of(question, jsonl, filters)
    with closing(app.services()) as services:
        if jsonl is not None:
            for record in _questions(jsonl):
                write_json(_search_line(services, record, top_k))
            return
        passages = _search(services, question or "", top_k, filters)
        if as_json:
            write_json([passage_record(passage) for passage in passages])
        elif passages:
            app.screen.show(passages_view(passages))
        else:
            app.screen.note("Nothing was found.")


@click.command(short_help="Ask question after question.")
@place_options
@pass_app
def chat(app: App) -> None:
    """Ask question after question. A pipe is answered line by line."""
    chat_loop(app, sys.stdin)


COMMANDS = (ask, search, chat)


def _one_of(question: str | None, jsonl: IO[bytes] | None, filters: Filters) -> None:
    if (question is None) == (jsonl is None):
        raise click.UsageError("Give either a QUESTION or --jsonl FILE.")
    if jsonl is not None and filters:
        raise click.UsageError("With --jsonl each line has filters of its own.")


def _questions(stream: IO[bytes]) -> Iterator[Record]:
    """Yield the object of each line; a broken line yields one with an `error`."""
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig"), parse_constant=_no_json)
        except (ValueError, RecursionError):
            yield {"error": f"Line {number} is not valid JSON."}
            continue
        if isinstance(record, dict) and isinstance(record.get("question"), str):
            yield record
        else:
            query_id = record.get("id") if isinstance(record, dict) else None
            yield {"id": query_id, "error": f"Line {number} has no question."}


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _line_filters(record: Record) -> Filters:
    values: dict[str, str | None] = {}
    for name in ("article", "source", "after", "before"):
        value = record.get(name)
        if name == "article" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # as `import` takes ids
        if value is not None and not isinstance(value, str):
            raise UserError(f"The field {name!r} is not text.")
        values[name] = whole(value) or None
    for name in ("after", "before"):
        if given := values[name]:
            values[name] = day_of(given, last=name == "before")
            if values[name] is None:
                raise UserError(f"{given!r} is no date that can be read for certain.")
    return Filters(**values)


def _answer_line(services: Services, record: Record) -> Record:
    query_id, question = record.get("id"), record.get("question")
    try:
        if "error" in record and question is None:
            raise UserError(record["error"])
        answer = checked_answer(services.answerer, str(question), _line_filters(record))
        return answer_record(answer, query_id=query_id)
    except UserError as error:
        return invalid_record(query_id, question, str(error))


def _search_line(services: Services, record: Record, top_k: int) -> Record:
    query_id, question = record.get("id"), record.get("question")
    try:
        if "error" in record and question is None:
            raise UserError(record["error"])
        passages = _search(services, str(question), top_k, _line_filters(record))
        return {"id": query_id, "passages": [passage_record(passage) for passage in passages]}
    except UserError as error:
        return {"id": query_id, "passages": [], "error": str(error)}


def _search(services: Services, question: str, top_k: int, filters: Filters) -> list[Any]:
    filters = services.answerer.resolved(filters)
    return services.retriever.retrieve(clean_question(question), top_k=top_k, filters=filters)
