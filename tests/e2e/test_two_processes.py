"""A command line that writes beside a program that asks, on one collection."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import bot
from data.collections import Collections
from data.database import write
from data.errors import UserError
from handlers.services import Services
from tests.fakes import HashEncoder, story

pytestmark = pytest.mark.slow

BRIDGE = "The mayor opened the bridge on Friday."
FERRY = "The ferry sank off Skerrin at noon."
HOLD = 0.5  # seconds that a writer keeps the lock


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Services]:
    """Services of this process, which stay open while others write."""
    services = bot.open_services(bot.settings_for(tmp_path), "shared")
    yield services
    services.close()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot, "load_encoder", lambda name, *, cache, fast: HashEncoder(name))


def _command(home: Path, *words: str) -> list[str]:
    return [sys.executable, str(bot.ROOT / "bot.py"), "--home", str(home), *words]


def _do(home: Path, *words: str, stdin: str = "") -> str:
    """Run a command in a process of its own; return what it wrote."""
    done = subprocess.run(
        _command(home, *words), input=stdin.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _first_quote(services: Services, question: str) -> str | None:
    answer = services.answerer.answer(question)
    return answer.citations[0].quote if answer.citations else None


def test_a_running_program_sees_what_another_process_did_at_its_next_question(
    tmp_path: Path, asking: Services
) -> None:
    assert _first_quote(asking, "What sank off Skerrin?") is None
    added = json.loads(_do(tmp_path, "add", "-", "--json", stdin=FERRY))
    assert _first_quote(asking, "What sank off Skerrin?") == FERRY
    _do(tmp_path, "edit", added["id"], "--source", "Ledger")
    citation = asking.answerer.answer("What sank off Skerrin?").citations[0]
    assert citation.revision.attribution.source == "Ledger"
    _do(tmp_path, "rebuild", "--rechunk")
    assert _first_quote(asking, "What sank off Skerrin?") == FERRY
    _do(tmp_path, "remove", added["id"])
    assert _first_quote(asking, "What sank off Skerrin?") is None
    assert asking.verifier.verify(deep=True).clean


def test_questions_are_answered_all_the_while_another_process_writes(
    tmp_path: Path, asking: Services
) -> None:
    asking.indexer.add(story(BRIDGE, title="Bridge"))
    rows = [
        {"id": f"s{n}", "title": f"Ferry {n}", "text": f"{FERRY} It was trip {n}."}
        for n in range(40)
    ]
    path = tmp_path / "stories.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for words in (["import", str(path)], ["rebuild", "--rechunk"], ["remove", "s0"]):
        writer = subprocess.Popen(
            _command(tmp_path, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        asked = 0
        while writer.poll() is None or not asked:
            assert _first_quote(asking, "Who opened the bridge?") == BRIDGE
            asked += 1
        _, err = writer.communicate()
        assert (writer.returncode, err) == (0, b"")
    assert asking.articles.count() == 40
    assert _first_quote(asking, "What sank off Skerrin?") is not None
    assert asking.verifier.verify(deep=True).clean


def test_two_processes_that_add_at_once_both_succeed(tmp_path: Path, asking: Services) -> None:
    texts = [f"{FERRY} It was trip number {n}." for n in range(3)]
    pipe = subprocess.PIPE
    writers = [
        subprocess.Popen(_command(tmp_path, "add", "-"), stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in texts
    ]
    for writer, text in zip(writers, texts, strict=True):
        assert writer.stdin is not None
        writer.stdin.write(text.encode())
        writer.stdin.close()
        writer.stdin = None
    for writer in writers:
        _, err = writer.communicate()
        assert (writer.returncode, err) == (0, b"")
    assert {revision.text for revision in asking.articles.current()} == set(texts)
    assert asking.verifier.verify().clean


class Writer:
    """Another connection that holds the write lock from `with` until `let_go`, then commits."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._holds = threading.Event()
        self._may_end = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> "Writer":
        self._thread.start()
        assert self._holds.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()
        self._thread.join()

    def let_go(self) -> None:
        """Commit and leave."""
        self._may_end.set()

    @property
    def holds_the_lock(self) -> bool:
        """Return whether the transaction is still open."""
        return self._thread.is_alive() and not self._may_end.is_set()

    def _hold(self) -> None:
        with closing(Collections(self._home).get("shared").connect()) as db, write(db):
            self._holds.set()
            self._may_end.wait(30)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("action", ["add", "edit", "remove", "rebuild"])
def test_a_writer_waits_for_another_that_holds_the_lock(
    asking: Services, tmp_path: Path, action: str
) -> None:
    first = asking.indexer.add(story(BRIDGE)).revision
    actions: dict[str, Callable[[], object]] = {
        "add": lambda: asking.indexer.add(story(FERRY)),
        "edit": lambda: asking.indexer.edit(first.article_id, story(source="L").attribution),
        "remove": lambda: asking.indexer.remove(first.article_id),
        "rebuild": lambda: asking.indexer.rebuild(rechunk=True),
    }
    with Writer(tmp_path) as other:
        timer = threading.Timer(HOLD, other.let_go)
        timer.start()
        actions[action]()
        assert not other.holds_the_lock
    assert asking.verifier.verify(deep=True).clean


@pytest.mark.usefixtures("_quick")
def test_a_question_waits_for_no_writer(asking: Services, tmp_path: Path) -> None:
    asking.indexer.add(story(BRIDGE))
    with Writer(tmp_path) as other:
        with closing(bot.open_services(asking.settings, "shared")) as fresh:
            for services in (asking, fresh):
                assert _first_quote(services, "Who opened the bridge?") == BRIDGE
        assert other.holds_the_lock


@pytest.mark.usefixtures("_quick")
def test_two_rebuilds_at_once_are_one_rebuild_and_a_clear_sentence(
    asking: Services, tmp_path: Path
) -> None:
    asking.indexer.add(story(BRIDGE))
    refused: list[str] = []

    def meddle(done: int, total: int) -> None:
        with closing(bot.open_services(asking.settings, "shared")) as other:
            try:
                other.indexer.rebuild()
            except UserError as error:
                refused.append(str(error))

    asking.indexer.rebuild(rechunk=True, on_progress=meddle)
    assert len(refused) == 1
    assert "rebuil" in refused[0]
    assert asking.verifier.verify(deep=True).clean
