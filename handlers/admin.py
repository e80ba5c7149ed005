"""Running a server's index from Discord: /index, for administrators."""

import discord
from discord import app_commands

from data.errors import UserError
from handlers.asking import NOBODY
from handlers.desk import Desk
from handlers.layouts.admin_views import (
    ask_layout,
    report_layout,
    status_layout,
)
from handlers.layouts.layout import Action, Layout, Pressed, notice
from handlers.scope import require_administrator
from handlers.services import Session
from handlers.worker import Lane
from index.status import index_status


def index_commands(desk: Desk) -> app_commands.Group:
    """Return /index."""
    group = app_commands.Group(
        name="index",
        description="What this server's answers are looked up in.",
        guild_only=True,
        default_permissions=discord.Permissions(administrator=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    @group.command(description="Show what is stored, what the index was made with, and votes.")
    async def status(interaction: discord.Interaction) -> None:
        guild_id = require_administrator(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        running = desk.rebuilds.is_running(guild_id)

        def look(session: Session) -> Layout:
            services = session.writable
            found = index_status(services.collection, services.db, services.encoders)
            runtime = services.encoders.get(found.encoder or services.encoders.default).runtime
            votes = session.answers.votes(guild_id)
            return status_layout(found, runtime=runtime, votes=votes, running=running)

        # The encoder may still have to be loaded, which takes seconds.
        layout = await desk.worker.run(guild_id, look, lane=Lane.CHECK)
        await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)

    @group.command(description="Make the index anew; the old one answers meanwhile.")
    async def rebuild(interaction: discord.Interaction) -> None:
        await _ask(desk, interaction, "rebuild")

    @group.command(description="Go back to the index before the last rebuild.")
    async def undo(interaction: discord.Interaction) -> None:
        await _ask(desk, interaction, "undo")

    @group.command(description="Check everything that is stored; changes nothing.")
    async def verify(interaction: discord.Interaction) -> None:
        guild_id = require_administrator(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        report = await desk.worker.run(
            guild_id, lambda session: session.writable.verifier.verify(), lane=Lane.CHECK
        )
        await interaction.edit_original_response(
            view=report_layout(report), allowed_mentions=NOBODY
        )

    return group


async def _ask(desk: Desk, interaction: discord.Interaction, kind: str) -> None:
    guild_id = require_administrator(interaction)
    desk.rebuilds.require_idle(guild_id)

    def look(session: Session) -> int:
        if kind == "undo" and not session.writable.indexer.can_undo:
            raise UserError("There is no earlier index to go back to: none was rebuilt.")
        if not (count := session.writable.articles.count()):
            raise UserError("There are no stories here yet, so there is nothing to do.")
        return count

    count = await desk.worker.run(guild_id, look)
    await interaction.response.send_message(
        view=ask_layout(kind, count), ephemeral=True, allowed_mentions=NOBODY
    )


async def _begin(desk: Desk, interaction: discord.Interaction, kind: str) -> None:
    guild_id = require_administrator(interaction)

    async def show(layout: Layout) -> discord.WebhookMessage:
        await interaction.response.edit_message(view=notice("It begins; see below."))
        return await interaction.followup.send(view=layout, allowed_mentions=NOBODY, wait=True)

    await desk.rebuilds.start(guild_id, kind, show)


async def _rebuild_pressed(desk: Desk, interaction: discord.Interaction, _: Pressed) -> None:
    await _begin(desk, interaction, "rebuild")


async def _undo_pressed(desk: Desk, interaction: discord.Interaction, _: Pressed) -> None:
    await _begin(desk, interaction, "undo")


async def _cancel_pressed(desk: Desk, interaction: discord.Interaction, _: Pressed) -> None:
    guild_id = require_administrator(interaction)
    words = "I stop after the stories at hand." if desk.rebuilds.cancel(guild_id) else None
    await interaction.response.send_message(
        words or "Nothing is being rebuilt now.", ephemeral=True, allowed_mentions=NOBODY
    )


BUTTONS = {
    Action.REBUILD: _rebuild_pressed,
    Action.UNDO: _undo_pressed,
    Action.CANCEL_REBUILD: _cancel_pressed,
}
