import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from simcord import Env

import bot
from data.errors import UserError
from handlers import schedule
from handlers.client import PullquoteClient
from index.encoder import Encoder
from tests.fakes import HashEncoder
from tests.simulated.world import World, new_client


def _fake_encoder(name: str, *, cache: Path | None, fast: bool) -> Encoder:
    return HashEncoder(name)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PullquoteClient:
    """The bot as bot.py makes it, on an empty home, around a fast fake encoder."""
    monkeypatch.setattr(bot, "load_encoder", _fake_encoder)
    # simcord would wait for a tick that falls due while a test runs.
    monkeypatch.setattr(schedule, "_TICK", 600.0)
    warnings.simplefilter("error", RuntimeWarning)  # a coroutine that nobody awaits
    return new_client(tmp_path)


@pytest.fixture
async def env(client: PullquoteClient) -> AsyncIterator[Env]:
    """A simulated Discord with the bot in it; an error that it swallows fails the test."""
    env = Env(client, settle_timeout=20.0)
    await env.start()
    try:
        await env.settle()
        yield env
    finally:
        await env.shutdown()
        # What a person is told in words is no error of the bot's.
        bugs = [e for e in env.errors if not isinstance(getattr(e, "original", e), UserError)]
        assert bugs == []


@pytest.fixture
async def world(env: Env, client: PullquoteClient, tmp_path: Path) -> AsyncIterator[World]:
    """Servers and people, the bot, and its home."""
    made = World(env, client, tmp_path)
    yield made
    made.client._worker.close()
