"""What the buttons under stories do."""

import discord

from data.ingestion import Given
from data.models import Revision
from handlers.adding import store
from handlers.articles import ask_to_remove, open_details_form, open_story_form
from handlers.desk import Desk
from handlers.layouts.layout import Action, Pressed, notice
from handlers.layouts.markdown import one_line
from handlers.library import history_page, list_page, own_story, show_page, story_page
from handlers.scope import may_add, require_contributor, server_of
from handlers.services import Session
from handlers.worker import Lane


async def _list_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    guild_id = server_of(interaction)
    layout = await desk.worker.run(guild_id, lambda s: list_page(s, pressed.number(0)))
    await show_page(interaction, layout)


async def _show_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    guild_id = server_of(interaction)
    page = pressed.number(1)
    layout = await desk.worker.run(
        guild_id,
        lambda s: story_page(s, pressed.first, page, words=False, may_edit=may_add(interaction)),
    )
    await show_page(interaction, layout)


async def _add_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await open_story_form(desk, interaction, Given())


async def _add_anyway(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    guild_id = require_contributor(interaction)
    waiting = desk.pending.take(pressed.first, guild_id=guild_id, user_id=interaction.user.id)
    try:
        await interaction.response.defer()
        await store(desk, interaction, waiting)
    except BaseException:
        desk.pending.put(waiting, key=pressed.first)  # it can be tried again
        raise


async def _edit_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await open_details_form(desk, interaction, pressed.first, words=False)


async def _remove_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    if pressed.values[1:] != ("yes",):
        await ask_to_remove(desk, interaction, pressed.first, words=False)
        return
    guild_id = require_contributor(interaction)
    await interaction.response.defer()

    def delete(session: Session) -> Revision:
        return session.writable.indexer.remove(
            own_story(session, pressed.first, words=False).article_id
        )

    removed = await desk.worker.run(guild_id, delete, lane=Lane.WRITE)
    desk.nudge()
    title = one_line(removed.attribution.title, 150)
    await interaction.edit_original_response(view=notice(f"Removed “{title}”."))


async def _keep(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await interaction.response.edit_message(view=notice("Nothing was changed."))


async def _history_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    guild_id = server_of(interaction)
    layout = await desk.worker.run(
        guild_id, lambda s: history_page(s, pressed.first, pressed.number(1), words=False)
    )
    await show_page(interaction, layout)


BUTTONS = {
    Action.LIST_STORIES: _list_pressed,
    Action.SHOW_STORY: _show_pressed,
    Action.ADD_STORY: _add_pressed,
    Action.ADD_ANYWAY: _add_anyway,
    Action.EDIT_STORY: _edit_pressed,
    Action.REMOVE_STORY: _remove_pressed,
    Action.KEEP: _keep,
    Action.HISTORY: _history_pressed,
}
