"""Following feeds from Discord: /feed, for those who may add stories."""

import discord
from discord import app_commands

from data.errors import NotFoundError, UserError
from data.feeds import DAILY_LIMIT, MAX_DAILY_LIMIT, FeedStore
from data.followed import FollowedFeed, NotTaken
from data.page_files import is_address
from handlers.asking import NOBODY
from handlers.desk import Desk
from handlers.errors import Complete, completing
from handlers.layouts.feed_views import (
    NEWEST_NOT_TAKEN,
    feed_name,
    feeds_layout,
    followed_layout,
    removed_words,
    trial_layout,
)
from handlers.layouts.layout import Action, Pressed, notice
from handlers.layouts.markdown import shortened
from handlers.scope import may_add, require_contributor

_MAX_CHOICES = 25
_PAUSED_HERE = "Somebody paused it with `/feed pause`."
FeedOption = app_commands.Range[str, 1, 200]
Address = app_commands.Range[str, 1, 1000]
Limit = app_commands.Range[int, 1, MAX_DAILY_LIMIT]


def feed_commands(desk: Desk) -> app_commands.Group:
    """Return /feed."""
    group = app_commands.Group(
        name="feed",
        description="Feeds whose stories come in by themselves.",
        guild_only=True,
        default_permissions=discord.Permissions(manage_messages=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    @group.command(description="Follow an RSS, Atom or JSON feed.")
    @app_commands.describe(
        url="The feed's address.",
        announce="A channel in which new stories are announced.",
        daily_limit=f"How many stories it may bring in a day; {DAILY_LIMIT} if left out.",
    )
    async def add(
        interaction: discord.Interaction,
        url: Address,
        announce: discord.TextChannel | None = None,
        daily_limit: Limit = DAILY_LIMIT,
    ) -> None:
        await _add(desk, interaction, url, announce, daily_limit)

    @group.command(name="list", description="List the feeds, and what went wrong with each.")
    async def list_(interaction: discord.Interaction) -> None:
        await _list(desk, interaction, 0)

    @group.command(description="Show what is in a feed; nothing is stored.")
    @app_commands.describe(url="The feed's address.")
    async def test(interaction: discord.Interaction, url: Address) -> None:
        guild_id = require_contributor(interaction)
        _require_address(url)
        with desk.limits.question(interaction.user.id, guild_id):
            await interaction.response.defer(ephemeral=True, thinking=True)
            page, feed = await desk.follower.try_out(url.strip())
        await interaction.edit_original_response(
            view=trial_layout(page.url or url, feed), allowed_mentions=NOBODY
        )

    @group.command(description="Ask a feed no longer for now, or again.")
    @app_commands.describe(feed="A feed from the list.", resume="Ask it again.")
    async def pause(
        interaction: discord.Interaction, feed: FeedOption, resume: bool = False
    ) -> None:
        guild_id = require_contributor(interaction)

        def change(feeds: FeedStore) -> FollowedFeed:
            found = _named(feeds, feed)
            feeds.pause(found.id, None if resume else _PAUSED_HERE)
            return found

        changed = await desk.worker.remember(lambda db: change(FeedStore(db, str(guild_id))))
        words = "I ask it again" if resume else "I no longer ask it"
        await interaction.response.send_message(
            view=notice(f"**{feed_name(changed)}**: {words}."),
            ephemeral=True,
            allowed_mentions=NOBODY,
        )

    @group.command(description="Follow a feed no longer; the stories that it brought stay.")
    @app_commands.describe(feed="A feed from the list.")
    async def remove(interaction: discord.Interaction, feed: FeedOption) -> None:
        guild_id = require_contributor(interaction)

        def take_out(feeds: FeedStore) -> FollowedFeed:
            return feeds.remove(_named(feeds, feed).id)

        removed = await desk.worker.remember(lambda db: take_out(FeedStore(db, str(guild_id))))
        await interaction.response.send_message(
            view=notice(removed_words(removed)), ephemeral=True, allowed_mentions=NOBODY
        )

    pause.autocomplete("feed")(_names(desk))
    remove.autocomplete("feed")(_names(desk))
    return group


def _names(desk: Desk) -> Complete:
    @completing
    async def names(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        guild_id = interaction.guild_id
        if guild_id is None or not may_add(interaction):
            return []
        feeds = await desk.worker.remember(lambda db: FeedStore(db, str(guild_id)).all())
        wanted = typed.casefold()
        fitting = [f for f in feeds if wanted in f"{f.title or ''} {f.url}".casefold()]
        return [
            app_commands.Choice(name=shortened(feed.title or feed.url, 100), value=str(feed.id))
            for feed in fitting[:_MAX_CHOICES]
        ]

    return names


async def _add(
    desk: Desk,
    interaction: discord.Interaction,
    url: str,
    announce: discord.TextChannel | None,
    daily_limit: int,
) -> None:
    guild_id = require_contributor(interaction)
    _require_address(url)
    if announce is not None:
        _require_may_write(interaction, announce)
    with desk.limits.question(interaction.user.id, guild_id):
        await interaction.response.defer(thinking=True)
        page, contents = found = await desk.follower.try_out(url.strip())

    def follow(feeds: FeedStore) -> FollowedFeed:
        return feeds.add(
            page.moved_to or url.strip(),
            title=contents.title,
            added_by=interaction.user.id,
            channel_id=interaction.channel_id,
            announce_id=announce.id if announce else None,
            daily_limit=daily_limit,
        )

    feed = await desk.worker.remember(lambda db: follow(FeedStore(db, str(guild_id))))
    await interaction.edit_original_response(
        view=followed_layout(feed, len(contents.items)), allowed_mentions=NOBODY
    )
    desk.take_in(feed, found)


async def _list(desk: Desk, interaction: discord.Interaction, page: int) -> None:
    guild_id = require_contributor(interaction)

    def read(store: FeedStore) -> tuple[list[FollowedFeed], dict[int, NotTaken]]:
        return store.all(), store.not_taken(newest=NEWEST_NOT_TAKEN)

    feeds, not_taken = await desk.worker.remember(lambda db: read(FeedStore(db, str(guild_id))))
    layout = feeds_layout(feeds, not_taken, page=page)
    if interaction.message is not None and interaction.message.flags.ephemeral:
        await interaction.response.edit_message(view=layout, allowed_mentions=NOBODY)
    else:
        await interaction.response.send_message(
            view=layout, ephemeral=True, allowed_mentions=NOBODY
        )


def _require_may_write(interaction: discord.Interaction, channel: discord.TextChannel) -> None:
    """Return if the bot may announce in a channel, and the person who wants it may write there.

    Raises:
        UserError: if one of them may not.
    """
    if not channel.permissions_for(channel.guild.me).send_messages:
        raise UserError(f"I may not write in {channel.mention}. Let me, or choose another one.")
    person = interaction.user
    if not isinstance(person, discord.Member) or not channel.permissions_for(person).send_messages:
        raise UserError(
            f"You may not write in {channel.mention}, so you cannot have stories announced there. "
            "Choose another one."
        )


def _require_address(url: str) -> None:
    if not is_address(url):
        raise UserError("A feed’s address begins with https:// or http://.")


def _named(feeds: FeedStore, name: str) -> FollowedFeed:
    """Return the feed that somebody chose, or named by its number, address or title.

    Raises:
        NotFoundError: if none is, or more than one.
    """
    wanted = name.strip().casefold()
    found = [
        feed
        for feed in feeds.all()
        if wanted and wanted in (str(feed.id), feed.url.casefold(), (feed.title or "").casefold())
    ]
    if len(found) != 1:
        raise NotFoundError("There is no such feed here. Choose one from the list.")
    return found[0]


async def _list_pressed(desk: Desk, interaction: discord.Interaction, pressed: Pressed) -> None:
    await _list(desk, interaction, pressed.number(0))


BUTTONS = {Action.LIST_FEEDS: _list_pressed}
