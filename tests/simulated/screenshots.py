"""Draws the bot's screens into docs/img, as Discord shows them: wide, and 400 px like a phone.

Runs the real bot with the real encoder on the bundled sample stories, over a simulated Discord.
Needs Chromium (Debian: `apt install chromium fonts-noto-color-emoji`).
"""

import asyncio
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserType
from simcord import Env

import bot
from data.ingestion import read_story
from data.settings import load_settings
from handlers import schedule
from handlers.client import PullquoteClient
from handlers.help import welcome_layout
from handlers.layouts.admin_views import progress_layout
from handlers.layouts.layout import Action
from tests.data.web.server import WebServer
from tests.simulated.newsstand import Newsstand, publisher
from tests.simulated.web_screens import web_screens
from tests.simulated.world import Server, World, buttons

OUT = bot.ROOT / "docs" / "img"
WIDE, PHONE = (760, 1000), (400, 860)


def _use_system_chromium() -> None:
    """Let Playwright start the Chromium that the system has."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        return  # then Playwright's own has to be there
    launch = BrowserType.launch
    root = ["--no-sandbox"] if os.geteuid() == 0 else []

    @functools.wraps(launch)
    async def with_chromium(self: BrowserType, **options: Any) -> Any:
        return await launch(self, executable_path=found, args=root, **options)

    BrowserType.launch = with_chromium  # type: ignore[method-assign]


class Camera:
    """Takes each screen twice."""

    def __init__(self, env: Env, server: Server) -> None:
        self._env = env
        self._server = server

    async def take(self, name: str, target: Any, viewer: Any = None, height: int = 1000) -> None:
        """Write NAME.png and NAME-phone.png."""
        viewer = viewer or self._server.member
        for suffix, (width, tall) in (("", WIDE), ("-phone", PHONE)):
            async with self._env.preview(
                self._server.channel, viewers=[viewer], width=width, height=max(tall, height)
            ) as preview:
                await preview.show(target)
                path = OUT / f"{name}{suffix}.png"
                await preview.screenshot(path, target=target, allow_incomplete=True)
                print(path.relative_to(bot.ROOT), flush=True)  # noqa: T201


async def _draw(home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # simcord would wait for a tick that falls due meanwhile.
        patch.setattr(schedule, "_TICK", 600.0)
        async with publisher(patch) as server:
            await _draw_with(home, server)


async def _draw_with(home: Path, web: WebServer) -> None:
    settings = load_settings(home, root=bot.ROOT, environment={})
    client = PullquoteClient(opening=bot.Opener(settings), settings=settings)
    env = Env(client, settle_timeout=120.0)
    env.backend.bot_user.name = "Pullquote"
    await env.start()
    try:
        await env.settle()
        world = World(env, client, home)
        with env.time_context():
            await _screens(world, Camera(env, server := world.server("Harbour News")), server)
            paper = world.server("Larkmoor News")
            await web_screens(world, Camera(env, paper), paper, Newsstand(world, web))
    finally:
        await client.stop()
        await env.shutdown()


async def _screens(world: World, camera: Camera, server: Server) -> None:
    channel, member, admin = server.channel, server.member, server.admin
    empty = await member.slash(channel, "ask", question="Who reported it?")
    await camera.take("empty", empty.response)
    target = world.client.get_channel(channel.id)
    welcome = await target.send(view=welcome_layout())  # type: ignore[union-attr]
    await camera.take("welcome", welcome)

    session = world.session(server.id)
    for path in sorted((bot.ROOT / "data/samples").glob("*.md")):
        session.writable.indexer.add(read_story(path))
    session.close()

    one = await member.slash(channel, "ask", question="When will the Stobbing factory close?")
    await camera.take("answer", one.response)
    question = "How many people were aboard the Merrow Lass?"
    three = await member.slash(channel, "ask", question=question, after="2025")
    await camera.take("answers", three.response, height=1250)
    if three.response is None:
        raise RuntimeError("there is no answer to draw")
    context = await member.click(
        three.response, custom_id=buttons(three.response, Action.CONTEXT)[0]
    )
    await camera.take("context", context.response)
    await member.send(channel, world.mention("Who won the World Cup?"))
    await camera.take("refusal", channel.last_message)
    listed = await member.slash(channel, "article list")
    await camera.take("list", listed.response, height=1200)
    form = await server.contributor.slash(channel, "article add")
    await camera.take("add", form, viewer=server.contributor)
    text = b"The lighthouse on Gull Point was lit again on Sunday after nine dark years."
    added = await server.contributor.slash(
        channel, "article add", file=("lighthouse.txt", text), source="The Larkmoor Ledger"
    )
    await camera.take("added", added.response)
    status = await admin.slash(channel, "index status")
    await camera.take("status", status.response, viewer=admin)
    helped = await member.slash(channel, "help")
    await camera.take("help", helped.response)
    asked = await admin.slash(channel, "index rebuild")
    await camera.take("rebuild-ask", asked.response, viewer=admin)
    progress = await target.send(view=progress_layout("rebuild", 7, 11))  # type: ignore[union-attr]
    await camera.take("rebuild", progress, viewer=admin)


def main() -> None:
    """Draw all screens."""
    OUT.mkdir(parents=True, exist_ok=True)
    _use_system_chromium()
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(_draw(Path(home)))


if __name__ == "__main__":
    main()
