"""The real `bot.py discord`, in a process of its own, on a fake Discord."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import bot
from handlers.layouts.layout import Action, parse_custom_id
from tests.e2e.fake_discord import FakeDiscord, Json, walk_components

LOADED = "models loaded"
T = TypeVar("T")


class BotProcess:
    """One home on one Discord: starts the program there, and reads what it logs.

    Its surroundings are this process's, without any setting of Pullquote's or token of Discord's.
    """

    def __init__(self, home: Path, fake: FakeDiscord) -> None:
        self.home = home
        self.fake = fake
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PULLQUOTE_", "DISCORD"))}
        self.environment = {
            **kept,
            "PULLQUOTE_HOME": str(home),
            "PULLQUOTE_DISCORD_API": fake.api,
            "PULLQUOTE_DISCORD_GATEWAY": fake.gateway,
            "PULLQUOTE_DISCORD_CDN": fake.cdn,
            "DISCORD_TOKEN": fake.token,
            "HF_HUB_OFFLINE": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = home.with_name(f"{home.name}.stderr")

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def stderr(self) -> str:
        """What the process started last has written on standard error so far."""
        return self._errors.read_text("utf-8")

    @property
    def log(self) -> list[Json]:
        """The lines in the home's log file, of all processes so far."""
        lines = (self.home / "discord.log").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def logged(self, event: str) -> list[Json]:
        """The whole lines about that event on standard error of the process started last."""
        lines = self.stderr.split("\n")[:-1]  # the last one may still be growing
        return [json.loads(line) for line in lines if f'"event": "{event}"' in line]

    def launch(self, *words: str) -> None:
        """Start `bot.py` with these words, by default `discord`, and wait for nothing."""
        self._process = self._popen(words or ("discord",), stderr=self._errors.open("wb"))

    async def start(self, *words: str) -> None:
        """Start the bot; wait until it is connected and has its models."""
        before = self.fake.identifies
        self.launch(*words)
        await self.until(lambda: self.fake.identifies > before and self.logged(LOADED))

    async def until(self, predicate: Callable[[], T | None], timeout: float = 60) -> T:
        """The first true value; an error where the process ends before."""

        def alive() -> T | None:
            assert self._process is not None
            assert self._process.poll() is None, self.stderr
            return predicate()

        return await self.fake.until(alive, timeout)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal; the exit code."""
        os.kill(self.pid, number)
        return await self.ended()

    async def ended(self) -> int:
        """The exit code, as soon as the process has ended by itself."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, 60)

    async def close(self) -> None:
        """Leave no process behind, whatever went wrong."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            await self.ended()

    async def command(self, *words: str, stdin: str = "") -> str:
        """Run another command on the same home, with the same surroundings; what it wrote."""
        pipe = subprocess.PIPE
        process = self._popen(words, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = await asyncio.to_thread(process.communicate, stdin.encode())
        assert process.returncode == 0, err.decode()
        return out.decode()

    def _popen(self, words: tuple[str, ...], **streams: Any) -> subprocess.Popen[bytes]:
        # Whoever runs the tests in the background may have had SIGINT ignored for all children.
        return subprocess.Popen(
            [sys.executable, str(bot.ROOT / "bot.py"), *words],
            env=self.environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **streams,
        )


def said(message: Json) -> str:
    """Everything that a message, or the body of a request that sends one, says in words."""
    parts = walk_components(message.get("components", ()))
    return "\n".join(
        [message.get("content", ""), *(p["content"] for p in parts if p["type"] == 10)]
    )


def buttons(message: Json, action: Action) -> list[str]:
    """The custom ids of a message's buttons that do this."""
    ids = [part.get("custom_id", "") for part in walk_components(message["components"])]
    return [i for i in ids if (pressed := parse_custom_id(i)) and pressed.action is action]
