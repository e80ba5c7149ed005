"""A second look at a story's page, asked for in Discord."""

import discord

from data.errors import UserError
from data.rechecks import Recheck
from handlers.asking import NOBODY
from handlers.desk import Desk
from handlers.layouts.layout import Layout, notice
from handlers.layouts.markdown import escaped
from handlers.library import history_page, own_story
from handlers.rechecking import Look, look_again
from handlers.scope import require_contributor
from handlers.services import Session

_WORDS = {
    Look.SAME: "The page says what is stored.",
    Look.WITHDRAWN: "The page is gone for good, so the story is withdrawn: it is no longer quoted.",
}


async def check_story(desk: Desk, interaction: discord.Interaction, article: str) -> None:
    """Fetch a story's page again, store what changed, and say what came of it.

    Raises:
        UserError: if the person may not, or the story did not come from a page.
    """
    guild_id = require_contributor(interaction)

    def known(session: Session) -> Recheck | None:
        revision = own_story(session, article)
        return session.writable.rechecks.get(revision.article_id)

    page = await desk.worker.run(guild_id, known)
    if page is None:
        raise UserError("That story was not read from a page, so there is nothing to look at.")
    with desk.limits.question(interaction.user.id, guild_id):
        await interaction.response.defer(ephemeral=True, thinking=True)
        looked = await look_again(desk.web, desk.runner, str(guild_id), page)
    desk.nudge()
    if looked.look is Look.CHANGED:
        layout: Layout = await desk.worker.run(
            guild_id, lambda s: history_page(s, looked.article_id, 0, words=False)
        )
    else:
        layout = notice(_WORDS.get(looked.look) or escaped(looked.problem or ""))
    await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)
