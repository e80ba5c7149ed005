"""What the bot says about itself: /help, /about, /dm, and a word of welcome."""

import logging
from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands

from data.version import VERSION
from handlers.asking import NOBODY
from handlers.console import counted
from handlers.desk import Desk
from handlers.layouts.layout import Action, Layout, Pressed, button, notice, panel, row, text
from handlers.layouts.markdown import one_line
from handlers.scope import readable_server, server_of

log = logging.getLogger(__name__)


_COLOUR = discord.Colour(0x3B7A57)
_WELCOME = """### Hello, I am Pullquote
I answer questions about news stories with **word-for-word quotes**, each with who published it, \
who wrote it, when, and where to read it. I never write a sentence about the news myself: I quote, \
or I say that I have nothing.

**First, give me a story.** Whoever may manage messages can use `/article add` with its address, \
a file or the text itself, or the menu of a message → Apps → **Add story**. `/feed add` follows a \
feed.
**Then ask:** mention me with a question, or use `/ask`. `/help` tells more."""
_HELP = """### How to ask
Mention me with a question, reply to one of my answers, write to me directly, or use `/ask`, which \
can also narrow it down to a publisher or to dates, and show the answer to you alone.
**Under each answer:** *Context* shows the paragraph around a quote, *More quotes* what else there \
is, *Ask a follow-up* asks on. Say whether it was helpful. Whoever asked can remove it.
### Stories
`/article list`, `/article show`, `/article search` and `/article history` are for everybody. \
Whoever may manage messages can `/article add` (an address, a file or a text), `/article edit`, \
`/article remove` and `/article check` (look at its page again), or use a message’s menu → Apps → \
**Add story**. What is added here is quoted in this server alone. When a story changes or is \
withdrawn, my earlier answers say so.
**Feeds:** `/feed add`, `/feed list`, `/feed test`, `/feed pause`, `/feed remove`.
### Direct messages
There I read what the operator shares. Use `/dm` in a server and I read its stories there too.
### For administrators
`/index status`, `/index rebuild`, `/index verify`, `/index undo`.
-# I quote or I say that I have nothing. `/about` tells who I am."""


def help_layout() -> Layout:
    """Return what the bot can do."""
    return Layout(panel(text(_HELP), colour=_COLOUR))


def welcome_layout() -> Layout:
    """Return what a server is told when the bot joins it."""
    return Layout(
        panel(text(_WELCOME), colour=_COLOUR),
        row(
            button(
                "Add the first story",
                Action.ADD_STORY,
                style=discord.ButtonStyle.primary,
                emoji="📰",
            )
        ),
    )


def about_layout(started: datetime, now: datetime, source: str | None) -> Layout:
    """Return what the bot is, since when it runs, and where its source is."""
    return Layout(
        panel(
            text(
                f"### Pullquote {VERSION}\n"
                "Answers with word-for-word quotes; never writes a sentence about the news itself. "
                "No language model, no key; what is asked never leaves the operator’s machine.\n"
                f"**Up for:** {_uptime(started, now)}, since <t:{int(started.timestamp())}:f>\n"
                f"**Source:** {source or 'ask the operator'} (MIT licence)"
            ),
            colour=_COLOUR,
        )
    )


def _uptime(started: datetime, now: datetime) -> str:
    minutes = max(0, int((now - started).total_seconds() // 60))
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{counted(days, 'day', 'days')} {counted(hours, 'hour', 'hours')}"
    left = counted(minutes % 60, "minute", "minutes")
    return f"{counted(hours, 'hour', 'hours')} {left}" if hours else left


async def welcome(guild: discord.Guild) -> None:
    """Say hello where the bot may speak: in the system channel, else in the first that it may."""
    candidates = [c for c in (guild.system_channel, *guild.text_channels) if c is not None]
    for channel in candidates:
        allowed = channel.permissions_for(guild.me)
        if allowed.view_channel and allowed.send_messages:
            try:
                await channel.send(view=welcome_layout(), allowed_mentions=NOBODY)
            except discord.HTTPException as error:
                log.info("no welcome", extra={"guild": guild.id, "status": error.status})
                continue
            return


def help_commands(desk: Desk) -> list[app_commands.Command[Any, ..., None]]:
    """Return /help, /about and /dm."""

    @app_commands.command(name="help", description="What I can do, and how to ask.")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def help_(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=help_layout(), ephemeral=True)

    @app_commands.command(description="Who I am: version, uptime, source.")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def about(interaction: discord.Interaction) -> None:
        layout = about_layout(desk.started, datetime.now(UTC), desk.source_url)
        await interaction.response.send_message(view=layout, ephemeral=True)

    @app_commands.command(description="Let our direct messages read this server's stories too.")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def dm(interaction: discord.Interaction) -> None:
        user_id = interaction.user.id
        if interaction.guild_id is not None:
            guild_id = server_of(interaction)
            await desk.worker.run(None, lambda s: s.guilds.choose_for_direct(user_id, guild_id))
        await interaction.response.send_message(
            view=await _direct_layout(desk, user_id), ephemeral=True, allowed_mentions=NOBODY
        )

    return [help_, about, dm]


async def _direct_layout(desk: Desk, user_id: int) -> Layout:
    """Return whose stories a person reads in direct messages."""
    readable = await readable_server(desk.client, desk.worker, None, user_id)
    guild = None if readable is None else desk.client.get_guild(readable)
    if guild is None:
        return notice(
            "In our direct messages I read what the operator shares. Use `/dm` in a server, and I "
            "read its stories there too."
        )
    return Layout(
        text(
            f"In our direct messages I read the stories of **{one_line(guild.name, 100)}**, as "
            "long as you are a member there."
        ),
        row(button("No longer", Action.FORGET_DIRECT)),
    )


async def _forget(desk: Desk, interaction: discord.Interaction, _: Pressed) -> None:
    user_id = interaction.user.id
    await desk.worker.run(None, lambda s: s.guilds.choose_for_direct(user_id, None))
    await interaction.response.edit_message(
        view=notice("From now on I read only what the operator shares, in our direct messages.")
    )


BUTTONS = {Action.FORGET_DIRECT: _forget}
