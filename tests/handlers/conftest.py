import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import bot
from handlers.app import App
from handlers.terminal.cli import run
from index.encoder import Encoder
from tests.data.web.server import WebServer
from tests.fakes import HashEncoder
from tests.handlers.newsroom import Bench, bench, served


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON value that standard output holds, alone on one line."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Return the JSON values of standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class _TypedInto(io.TextIOWrapper):
    """Standard input that says it is a keyboard."""

    def isatty(self) -> bool:
        return True


class Terminal:
    """Runs commands in this process, as `python bot.py` would with `PULLQUOTE_HOME` = `home`."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(
        self, *words: str | Path, stdin: str | bytes = b"", keyboard: bool = False, code: int = 0
    ) -> Result:
        """Run one command with what it reads; it must end with `code` and without a traceback.

        With `keyboard`, what is typed comes from prompt_toolkit's input of the current session.
        """
        raw = io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin)
        source = (_TypedInto if keyboard else io.TextIOWrapper)(raw, "utf-8")
        self._monkeypatch.setattr(sys, "stdin", source)
        self._capsys.readouterr()
        app = App(
            settings_for=bot.settings_for,
            open_services=bot.open_services,
            opener=bot.Opener,
            samples=bot.ROOT / "data/samples",
        )
        found = run(app, [str(word) for word in words])
        result = Result(found, *self._capsys.readouterr())
        assert "Traceback" not in result.out + result.err, result.err
        assert result.code == code, result
        return result

    def add(self, text: str, *options: str) -> str:
        """Add one story from standard input; return its id."""
        return str(self("add", "-", "--json", *options, stdin=text).json["id"])


def _fake_encoder(name: str, *, cache: Path | None, fast: bool) -> Encoder:
    return HashEncoder(name)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the machine's settings out, and give logging back as it was."""
    for name in list(os.environ):
        if name.startswith("PULLQUOTE_") or name in ("DISCORD_TOKEN", "FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in ("index", "data", "handlers"))]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, its_handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = its_handlers


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """Commands on an empty home, with services wired by bot.py around a fast fake encoder."""
    monkeypatch.setattr(bot, "load_encoder", _fake_encoder)
    monkeypatch.setenv("PULLQUOTE_HOME", str(tmp_path / "home"))
    return Terminal(tmp_path / "home", monkeypatch, capsys)


@pytest.fixture
def server() -> Iterator[WebServer]:
    """A web server in a thread of its own."""
    with served() as running:
        yield running


@pytest.fixture
def room(terminal: Terminal, server: WebServer) -> Iterator[Bench]:
    """A publisher, and a follower on the terminal's home."""
    with bench(terminal.home, server) as opened:
        yield opened
