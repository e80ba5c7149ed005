"""The process in which pages are read: it can fail in any way, and the next page is read."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.errors import StoryRefusedError
from data.extraction.reading import Reading
from data.extraction.reading_frames import MAX_REPLY_BYTES
from data.pages import Page

# A worker that does what the body of the page says, most of it wrong.
WORKER = r"""
import json, os, signal, subprocess, sys, time
import data.extraction.reading_worker as reading_worker
from data.pages import Extracted
from data.extraction.reading_frames import reply

FIELDS = dict(title=None, author=None, source=None, published_at=None, modified_at=None, url=None,
              text="x", reason=None, notes=[])
RAW = {
    "nothing": b"",
    "nonsense": b"nonsense" * 10,
    "a huge length": b"\xff\xff\xff\xff" + b"x" * 1000,
    "half an answer": b"\0\0\1\0[",
    "no JSON": b"\0\0\0\4\x80\4K.",
    "deep JSON": (200_000).to_bytes(4, "big") + b"[" * 200_000,
    "another shape": reply("ok", [1, 2]),
    "too few fields": reply("ok", {"text": "x"}),
    "too many fields": reply("ok", FIELDS | {"more": 1}),
    "a number for a text": reply("ok", FIELDS | {"text": 3}),
    "a text for a list": reply("ok", FIELDS | {"notes": "x"}),
    "half a character": b"\0\0\0\x0c" + b'["\\ud800",1]',
    "half a character inside": (lambda b: len(b).to_bytes(4, "big") + b)(
        json.dumps(["ok", FIELDS | {"text": "\ud800"}]).encode()),
    "an unknown kind": reply("pickle", "x"),
    "a list for a sentence": reply("refused", ["x"]),
    "control characters": reply("refused", "x\x1b[2J"),
}

def job(name):
    def act(page):
        command, _, rest = page.body.decode().partition(" ")
        if command == "raw":
            reading_worker._write = lambda replies, frame: (replies.write(RAW[rest]), os._exit(0)
                                                            if replies.flush() is None else None)
        elif command == "hang":
            time.sleep(600)
        elif command == "spin":
            while True:
                pass
        elif command == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif command == "exit":
            os._exit(3)
        elif command == "bug":
            raise KeyError("what nobody foresaw")
        elif command == "allocate":
            return [bytearray(10_000_000) for _ in range(100_000)]
        elif command == "fail":
            taken = []
            try:
                while True:
                    taken.append(b"x" * 1_000_000 + bytes([len(taken) % 256]))
            except MemoryError as error:
                raise ValueError("unknown error") from error
        elif command == "nest":
            return act(page)
        elif command == "long":
            return Extracted(text="x" * int(rest))
        elif command == "print":
            print("x" * 100_000)
            sys.stdout.flush()
            os.write(2, b"x" * 100_000)
            return Extracted(text=repr(sys.stdin.read()))
        elif command == "write":
            try:
                with open(rest, "wb") as file:
                    file.write(b"x")
            except OSError as error:
                return Extracted(text=type(error).__name__)
        elif command == "environment":
            return Extracted(text="\n".join(os.environ))
        elif command == "fork":
            return Extracted(text=str(subprocess.Popen(["sleep", "600"]).pid))
        elif command == "pid":
            return Extracted(text=str(os.getpid()))
        return Extracted(text=page.body.decode())
    return act

reading_worker._job = job
reading_worker.main(sys.argv[1:])
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Reading]]:
    """Return what starts a Reading whose process obeys the page's body."""
    (tmp_path / "obedient_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(str(tmp_path))
    started: list[Reading] = []

    def begin(**options: float) -> Reading:
        started.append(Reading(worker="obedient_worker", **options))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for reading in started:
        reading.close()


def ask(reading: Reading, command: str) -> str:
    return reading.extract(Page(command.encode())).text or ""


def refusal(reading: Reading, command: str) -> str:
    with pytest.raises(StoryRefusedError) as refused:
        ask(reading, command)
    return str(refused.value)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(done: Callable[[], bool]) -> None:
    for _ in range(500):
        if done():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about")


TOO_LONG = "This page cannot be read: reading it takes too long."
BREAKS_OFF = (
    "This page cannot be read: the program that reads it breaks off at it. "
    "It may be damaged, or made to do harm."
)


def test_a_process_is_kept_for_the_next_page(start: Callable[..., Reading]) -> None:
    reading = start()
    assert ask(reading, "pid") == ask(reading, "pid") != str(os.getpid())


@pytest.mark.parametrize("command", ["hang", "spin"])
def test_a_job_that_takes_too_long_is_ended(start: Callable[..., Reading], command: str) -> None:
    reading = start()
    first = ask(reading, "pid")
    reading._seconds = 0.1
    assert refusal(reading, command) == TOO_LONG
    reading._seconds = 30
    assert not is_running(int(first))
    assert ask(reading, "pid") != first


def test_what_a_job_started_is_ended_with_it(start: Callable[..., Reading]) -> None:
    reading = start()
    pid = int(ask(reading, "fork"))
    assert is_running(pid)
    reading._seconds = 0.1
    refusal(reading, "hang")
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize("command", ["die", "exit"])
def test_a_process_that_ends_is_a_reason(
    start: Callable[..., Reading], command: str, caplog: pytest.LogCaptureFixture
) -> None:
    reading = start()
    assert refusal(reading, command) == BREAKS_OFF
    assert f"ended with {-9 if command == 'die' else 3}" in caplog.text
    assert ask(reading, "next") == "next"


def test_a_process_that_is_killed_between_two_pages_is_replaced(
    start: Callable[..., Reading],
) -> None:
    reading = start()
    pid = int(ask(reading, "pid"))
    os.kill(pid, 9)
    wait_until(lambda: not is_running(pid))
    assert ask(reading, "next") == "next"


@pytest.mark.parametrize(
    "answer",
    [
        *("nothing", "nonsense", "a huge length", "half an answer", "no JSON", "deep JSON"),
        *("another shape", "too few fields", "too many fields", "a number for a text"),
        *("a text for a list", "half a character", "half a character inside", "an unknown kind"),
        *("a list for a sentence", "control characters"),
    ],
)
def test_nonsense_for_an_answer_is_not_believed(
    start: Callable[..., Reading], answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    reading = start()
    assert refusal(reading, f"raw {answer}") == BREAKS_OFF
    assert "the process that reads a page ended" in caplog.text
    assert ask(reading, "next") == "next"


def test_a_bug_is_one_however_much_memory_the_caller_has_taken(
    start: Callable[..., Reading], caplog: pytest.LogCaptureFixture
) -> None:
    taken = b"x" * 200_000_000
    reading = start(megabytes=240)
    assert "an error that was not foreseen came up" in refusal(reading, "bug")
    assert len(taken) == 200_000_000


def test_a_bug_is_logged_and_not_shown(
    start: Callable[..., Reading], caplog: pytest.LogCaptureFixture
) -> None:
    reading = start()
    text = refusal(reading, "bug")
    assert text == (
        "This page cannot be read: an error that was not foreseen came up. "
        "It was logged for the operator."
    )
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "KeyError: 'what nobody foresaw'" in record.getMessage()
    assert ask(reading, "next") == "next"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("allocate", "reading it takes too much memory."),
        ("fail", "reading it takes too much memory."),
        ("nest", "its parts are nested too deeply."),
        (f"long {MAX_REPLY_BYTES}", "there is too much text in it."),
    ],
)
def test_a_limit_is_a_reason(start: Callable[..., Reading], command: str, reason: str) -> None:
    reading = start(megabytes=300)
    assert refusal(reading, command) == f"This page cannot be read: {reason}"
    assert ask(reading, "next") == "next"


def test_a_long_text_comes_over_whole(start: Callable[..., Reading]) -> None:
    assert len(ask(start(), "long 10000000")) == 10_000_000


def test_what_a_library_prints_is_no_answer(start: Callable[..., Reading]) -> None:
    assert ask(start(), "print") == "''"


def test_no_file_is_written(start: Callable[..., Reading], tmp_path: Path) -> None:
    path = tmp_path / "written"
    assert ask(start(), f"write {path}") == "OSError"
    assert not path.exists() or path.stat().st_size == 0


def test_nothing_of_the_environment_is_known(
    start: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    names = ask(start(), "environment").split()
    assert set(names) - {"LC_CTYPE"} == {"PATH", "PYTHONPATH", "LANG"}


def test_two_threads_get_their_own_answers(start: Callable[..., Reading]) -> None:
    reading = start()
    wrong: list[str] = []

    def work(name: str) -> None:
        for number in range(30):
            said = f"{name} {number} " + "x" * 100_000
            if ask(reading, said) != said:
                wrong.append(said[:20])

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_idle_process_ends_and_the_next_page_starts_another(
    start: Callable[..., Reading],
) -> None:
    reading = start(idle_seconds=0.01)
    pid = int(ask(reading, "pid"))
    wait_until(lambda: not Path(f"/proc/{pid}").exists())  # and is no zombie
    assert ask(reading, "next") == "next"


def test_closing_ends_the_process_and_leaves_no_zombie(start: Callable[..., Reading]) -> None:
    reading = start()
    pid = int(ask(reading, "pid"))
    reading.close()
    assert not Path(f"/proc/{pid}").exists()
    assert refusal(reading, "next") == "This page cannot be read: the program is being stopped."
    reading.close()


def test_closing_ends_a_job(start: Callable[..., Reading]) -> None:
    reading = start()
    pid = ask(reading, "pid")
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(refusal(reading, "hang")))
    thread.start()
    wait_until(reading._lock.locked)
    reading.close()
    thread.join()
    assert found == ["This page cannot be read: the program is being stopped."]
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_cannot_be_started_is_a_reason(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with closing(Reading()) as reading:
        assert refusal(reading, "x") == (
            "This page cannot be read: the program that reads it cannot be started."
        )
    assert "cannot be started" in caplog.text


def test_what_is_too_large_is_not_looked_at(start: Callable[..., Reading]) -> None:
    body = b"<p>" * 3_400_000
    with pytest.raises(StoryRefusedError, match=r"^This page is larger than 5 MB, too large"):
        start().extract(Page(body))


def test_the_process_ends_when_its_parent_is_killed(start: Callable[..., Reading]) -> None:
    start()  # makes the module that is run
    code = (
        "from data.pages import Page; from data.extraction.reading import Reading; import time;"
        "r = Reading(worker='obedient_worker');"
        "print(r.extract(Page(b'pid')).text, flush=True); time.sleep(600)"
    )
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), *sys.path]))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": path, "PATH": os.defpath},
    ) as parent:
        pid = int(parent.stdout.readline()) if parent.stdout else 0
        assert is_running(pid)
        parent.kill()
    wait_until(lambda: not is_running(pid))
