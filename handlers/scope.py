"""Who asks, from where, and which server's stories they may therefore read or change."""

import discord

from data.answers import Place
from data.errors import UserError
from handlers.worker import Worker


class NotAllowedError(UserError):
    """Somebody wants to do what they have no right to; the text says who may."""


def place_of(interaction: discord.Interaction) -> Place:
    """Return where an interaction happens."""
    return Place(interaction.guild_id, interaction.channel_id or 0)


def server_of(interaction: discord.Interaction) -> int:
    """Return the server's id.

    Raises:
        NotAllowedError: in a direct message, which has no stories of its own, and in a server that
            has the commands but not the bot.
    """
    if interaction.guild_id is None:
        raise NotAllowedError("That works in a server only.")
    if interaction.client.get_guild(interaction.guild_id) is None:
        raise NotAllowedError(
            "I am not a member of this server, so I keep no stories for it. Whoever manages it can "
            "invite me with the scopes bot and applications.commands."
        )
    return interaction.guild_id


def may_add(interaction: discord.Interaction) -> bool:
    """Return whether the person may add, change and remove stories here, and remove answers."""
    permissions = interaction.permissions
    return interaction.guild_id is not None and (
        permissions.manage_messages or permissions.administrator
    )


def require_contributor(interaction: discord.Interaction) -> int:
    """Return the server's id, for somebody who may change its stories.

    Raises:
        NotAllowedError: for everybody else.
    """
    guild_id = server_of(interaction)
    if not may_add(interaction):
        raise NotAllowedError(
            "Only people who may manage messages here can add, change or remove stories."
        )
    return guild_id


def require_administrator(interaction: discord.Interaction) -> int:
    """Return the server's id, for one of its administrators.

    Raises:
        NotAllowedError: for everybody else.
    """
    guild_id = server_of(interaction)
    if not interaction.permissions.administrator:
        raise NotAllowedError("Only administrators of this server can do that.")
    return guild_id


async def readable_server(
    client: discord.Client, worker: Worker, guild_id: int | None, user_id: int
) -> int | None:
    """Return the server whose stories a person may read from where they are.

    In a server it is that one. In direct messages it is the server that they chose, as long as
    they and the bot are still in it, or None: then they read the shared stories alone.
    """
    if guild_id is not None:
        return guild_id
    chosen = await worker.run(None, lambda session: session.guilds.chosen_for_direct(user_id))
    guild = None if chosen is None else client.get_guild(chosen)
    if guild is None:
        return None
    try:
        await guild.fetch_member(user_id)
    except (discord.NotFound, discord.Forbidden):
        return None
    return guild.id


def everybody_sees(interaction: discord.Interaction) -> bool:
    """Return whether every member of the server can see the channel; False where unsure."""
    guild, channel = interaction.guild, interaction.channel
    if isinstance(channel, discord.Thread):
        if channel.is_private():
            return False
        channel = channel.parent
    if guild is None or not isinstance(channel, discord.abc.GuildChannel):
        return False
    return channel.permissions_for(guild.default_role).view_channel
