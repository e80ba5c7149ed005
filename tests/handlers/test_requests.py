import asyncio
import logging

import pytest

from data.errors import UserError
from handlers.requests import Requests


class Person:
    """Somebody who is told things."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, words: str) -> None:
        self.told.append(words)


async def _ask(requests: Requests, person: Person, work: asyncio.Event) -> None:
    async def wait() -> None:
        await work.wait()

    await requests.run("test", wait, guild_id=1, user_id=2, tell_them=person.tell)


async def test_a_request_that_fails_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    person = Person()

    async def fail() -> None:
        raise UserError("No.")

    await Requests().run("test", fail, guild_id=1, user_id=2, tell_them=person.tell)
    assert person.told == ["No."]
    (record,) = [r for r in caplog.records if r.getMessage() == "request"]
    assert (vars(record)["kind"], vars(record)["outcome"]) == ("test", "UserError")


async def test_requests_under_way_are_waited_for() -> None:
    requests, person, work = Requests(), Person(), asyncio.Event()
    task = asyncio.create_task(_ask(requests, person, work))
    await asyncio.sleep(0)
    finish = asyncio.create_task(requests.finish(60))
    await asyncio.sleep(0)
    assert not finish.done()
    work.set()
    await finish
    assert task.done()
    assert person.told == []


async def test_who_is_not_done_in_time_is_told() -> None:
    requests, person, work = Requests(), Person(), asyncio.Event()
    task = asyncio.create_task(_ask(requests, person, work))
    await asyncio.sleep(0)
    await requests.finish(0)
    assert [w for w in person.told if "before this was done" in w]
    work.set()
    await task


async def test_none_is_taken_while_the_bot_stops() -> None:
    requests, person = Requests(), Person()
    requests.refuse_further()

    async def never() -> None:
        raise AssertionError("it was taken")

    await requests.run("test", never, guild_id=None, user_id=2, tell_them=person.tell)
    assert [w for w in person.told if "being restarted" in w]
