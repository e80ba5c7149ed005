import asyncio
import io
import json
import logging
import threading
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from data.database import Database
from handlers import logs
from handlers.logs import JsonLines
from handlers.services import Session
from handlers.worker import Lane, Worker

SECRET = "a-bot.token-that_is-secret"
INTERACTION = "aW50ZXJhY3Rpb246MTIz.token"


class Lines:
    """A log and what was written into it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def written(self) -> str:
        return self.stream.getvalue()

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.all[-1]


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("handlers.test_logs")


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What all loggers write, as the running bot's log has it."""
    made, root = Lines(), logging.getLogger()
    handler = logging.StreamHandler(made.stream)
    handler.setFormatter(JsonLines(secret=SECRET))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield made
    root.setLevel(level)
    root.removeHandler(handler)


def test_a_line_is_one_json_object_with_moment_level_logger_and_event(
    lines: Lines, log: logging.Logger
) -> None:
    log.warning("the index of %s stories\nis “old”", 3)
    assert lines.written.count("\n") == 1
    line = lines.last
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line == {
        "level": "warning",
        "logger": "handlers.test_logs",
        "event": "the index of 3 stories\nis “old”",
    }


def test_what_else_is_known_stands_in_the_line_whatever_its_type(
    lines: Lines, log: logging.Logger
) -> None:
    log.info("ready", extra={"servers": 2, "where": ValueError("x"), "nothing": None})
    assert lines.last["servers"] == 2
    assert lines.last["where"] == "x"
    assert "nothing" not in lines.last


def test_a_traceback_is_part_of_its_line(lines: Lines, log: logging.Logger) -> None:
    try:
        raise ValueError("nobody caught it")
    except ValueError:
        log.exception("incident %s", "ab12")
    assert lines.written.count("\n") == 1
    assert lines.last["event"] == "incident ab12"
    assert "ValueError: nobody caught it" in lines.last["traceback"]
    assert "test_logs.py" in lines.last["traceback"]


def test_the_bots_token_reaches_no_line_by_whatever_way(lines: Lines, log: logging.Logger) -> None:
    log.warning("logging in with %s", SECRET)
    log.warning("headers", extra={"sent": {"Authorization": f"Bot {SECRET}"}})
    try:
        raise ValueError(SECRET)
    except ValueError:
        log.exception("failed")
    assert len(lines.all) == 3
    assert SECRET not in lines.written
    assert lines.all[0]["event"] == "logging in with ***"


@pytest.mark.parametrize(
    "address",
    [
        f"/interactions/12345/{INTERACTION}/callback",
        f"https://discord.com/api/v10/webhooks/12345/{INTERACTION}/messages/@original",
        f"https://discord.com/api/v10/webhooks/12345/{INTERACTION}?wait=true",
        f"https://discord.com/api/v10/webhooks/12345/{INTERACTION}",
    ],
)
def test_the_token_of_an_interaction_is_left_out_of_its_address(
    lines: Lines, log: logging.Logger, address: str
) -> None:
    log.warning('PATCH "%s" responded with 429', address)
    log.warning("refused", extra={"url": address})
    try:
        raise ValueError(address)
    except ValueError:
        log.exception("failed")
    assert INTERACTION not in lines.written
    assert lines.all[0]["event"] == f'PATCH "{address}" responded with 429'.replace(
        INTERACTION, "***"
    )


def test_without_a_secret_a_line_is_left_as_it_is(log: logging.Logger) -> None:
    record = log.makeRecord(log.name, logging.INFO, "here", 1, "models loaded", (), None)
    assert json.loads(JsonLines().format(record))["event"] == "models loaded"


def test_a_request_is_logged_by_its_ids_with_its_outcome(lines: Lines, log: logging.Logger) -> None:
    with logs.request("/ask", guild_id=7, user_id=8):
        log.info("working")
    during, ended = lines.all
    assert during["request"] == ended["request"]
    assert ended.pop("ms") >= 0
    assert {k: ended[k] for k in ("event", "kind", "guild", "user", "outcome")} == {
        "event": "request",
        "kind": "/ask",
        "guild": 7,
        "user": 8,
        "outcome": "ok",
    }


def test_a_request_in_a_direct_message_has_no_server(lines: Lines) -> None:
    with logs.request("message", guild_id=None, user_id=8):
        pass
    assert "guild" not in lines.last


def test_a_request_that_fails_is_logged_by_the_kind_of_error_and_not_its_words(
    lines: Lines,
) -> None:
    with (
        pytest.raises(ValueError, match="what somebody wrote"),
        logs.request("message", guild_id=7, user_id=8),
    ):
        raise ValueError("what somebody wrote")
    assert lines.last["outcome"] == "ValueError"
    assert "somebody" not in lines.written


async def test_each_of_many_requests_at_once_has_an_id_of_its_own(
    lines: Lines, log: logging.Logger
) -> None:
    met = asyncio.Barrier(2)

    async def work(user: int) -> None:
        with logs.request("message", guild_id=7, user_id=user):
            await met.wait()
            log.info("working", extra={"user": user})
            await met.wait()

    await asyncio.gather(work(1), work(2))
    ids = {user: {r["request"] for r in lines.all if r["user"] == user} for user in (1, 2)}
    assert [len(found) for found in ids.values()] == [1, 1]
    assert ids[1] != ids[2]


@pytest.mark.parametrize("through", ["run", "call"])
async def test_the_id_of_a_request_goes_along_into_the_threads_that_work_for_it(
    lines: Lines, log: logging.Logger, through: str
) -> None:
    session = cast(Session, SimpleNamespace(close=lambda: None))
    worker = Worker(lambda _: session, _no_memory)

    def work(*_: object) -> str:
        log.info("working")
        return threading.current_thread().name

    try:
        with logs.request("/ask", guild_id=7, user_id=8):
            if through == "run":
                thread = await worker.run(7, work, lane=Lane.ASK)
            else:
                thread = await worker.call(work, lane=Lane.ASK)
        await worker.run(7, work, lane=Lane.ASK)
    finally:
        worker.close()
    first, ended, _ = lines.all
    assert thread != threading.current_thread().name
    assert first.get("request") == ended["request"]


async def test_a_thread_that_worked_for_a_request_has_forgotten_it_at_its_next_job(
    lines: Lines, log: logging.Logger
) -> None:
    worker = Worker(lambda _: cast(Session, SimpleNamespace(close=lambda: None)), _no_memory)

    async def ask(user: int) -> None:
        with logs.request("/ask", guild_id=7, user_id=user):
            await worker.run(7, lambda _: log.info("working"), lane=Lane.WRITE)

    try:
        await asyncio.gather(ask(1))
        await asyncio.create_task(ask(2))
    finally:
        worker.close()
    first, first_end, second, second_end = lines.all
    assert first["request"] == first_end["request"]
    assert second["request"] == second_end["request"]
    assert first["request"] != second["request"]


def _no_memory() -> Database:
    raise AssertionError("nothing of the bot's memory is needed here")
