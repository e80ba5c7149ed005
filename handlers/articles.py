"""The stories of a server: /article and what its buttons do."""

from collections.abc import Callable
from typing import Any, TypeVar

import discord
from discord import app_commands

from data.articles import Saved
from data.headlines import Headline
from data.ingestion import Given, amended
from data.models import Attribution
from handlers.adding import Brought, add_story, brought_by
from handlers.asking import NOBODY
from handlers.checking import check_story
from handlers.desk import Desk
from handlers.errors import Complete, completing
from handlers.forms import DetailsForm, StoryForm
from handlers.layouts.layout import notice
from handlers.layouts.render import MAX_SOURCE, story_line
from handlers.layouts.stories import choice_name, found_layout, remove_layout
from handlers.library import (
    found_stories,
    history_page,
    list_page,
    own_story,
    show_page,
    story_page,
)
from handlers.scope import everybody_sees, may_add, require_contributor, server_of
from handlers.services import Session
from handlers.worker import Lane
from index.answerer import clean_question

_MAX_CHOICES = 25
F = TypeVar("F", bound=Callable[..., Any])
Title = app_commands.Range[str, 1, 300]
Name = app_commands.Range[str, 1, MAX_SOURCE]
Day = app_commands.Range[str, 1, 40]
Link = app_commands.Range[str, 1, 1000]
StoryOption = app_commands.Range[str, 1, 200]


def article_commands(desk: Desk) -> list[app_commands.Group | app_commands.ContextMenu]:
    """Return /article and the message menu's "Add story"."""
    group = app_commands.Group(
        name="article",
        description="The stories that answers are quoted from.",
        guild_only=True,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    @group.command(description="Add a story: its address, a file, or a text in a form.")
    @app_commands.describe(
        url="Where the story stands in the web: I read it there.",
        file="A .txt, .md, .html or .pdf file.",
    )
    @_describe_details()
    async def add(
        interaction: discord.Interaction,
        url: Link | None = None,
        file: discord.Attachment | None = None,
        title: Title | None = None,
        source: Name | None = None,
        author: Name | None = None,
        date: Day | None = None,
        link: Link | None = None,
    ) -> None:
        given = Given(title, source, author, date, link)
        if file is None and url is None:
            await open_story_form(desk, interaction, given)
        else:
            urls = (url.strip(),) if url is not None else ()
            await add_story(desk, interaction, Brought(given, file=file, urls=urls), warned=False)

    @group.command(name="list", description="List the stories here, the newest first.")
    async def list_(interaction: discord.Interaction) -> None:
        guild_id = server_of(interaction)
        layout = await desk.worker.run(guild_id, lambda session: list_page(session, 0))
        await show_page(interaction, layout)

    @group.command(description="Show a story: its details, who added it, its text.")
    @app_commands.describe(article="A title from the list, or an id.")
    async def show(interaction: discord.Interaction, article: StoryOption) -> None:
        guild_id = server_of(interaction)
        layout = await desk.worker.run(
            guild_id, lambda s: story_page(s, article, 0, may_edit=may_add(interaction))
        )
        await show_page(interaction, layout)

    @group.command(description="Find stories by what they are about.")
    @app_commands.describe(query="Some words.")
    async def search(
        interaction: discord.Interaction, query: app_commands.Range[str, 1, 200]
    ) -> None:
        guild_id = server_of(interaction)
        words = clean_question(query)
        with desk.limits.question(interaction.user.id, guild_id):
            await interaction.response.defer(ephemeral=True, thinking=True)
            found = await desk.worker.run(
                guild_id, lambda session: found_stories(session, words), lane=Lane.ASK
            )
        await interaction.edit_original_response(
            view=found_layout(words, found), allowed_mentions=NOBODY
        )

    @group.command(description="Correct a story's headline, publisher, author, date or link.")
    @app_commands.describe(article="A title from the list, or an id.")
    @_describe_details()
    async def edit(
        interaction: discord.Interaction,
        article: StoryOption,
        title: Title | None = None,
        source: Name | None = None,
        author: Name | None = None,
        date: Day | None = None,
        link: Link | None = None,
    ) -> None:
        given = Given(title, source, author, date, link)
        if given == Given():
            await open_details_form(desk, interaction, article)
        else:
            await _edit(desk, interaction, article, given)

    @group.command(description="Delete a story with all its versions.")
    @app_commands.describe(article="A title from the list, or an id.")
    async def remove(interaction: discord.Interaction, article: StoryOption) -> None:
        await ask_to_remove(desk, interaction, article)

    @group.command(description="Show a story's versions, and what changed between them.")
    @app_commands.describe(article="A title from the list, or an id.")
    async def history(interaction: discord.Interaction, article: StoryOption) -> None:
        guild_id = server_of(interaction)
        layout = await desk.worker.run(guild_id, lambda s: history_page(s, article, 0))
        await show_page(interaction, layout)

    @group.command(description="Look at a story's page again: changed, unchanged, or gone.")
    @app_commands.describe(article="A title from the list, or an id.")
    async def check(interaction: discord.Interaction, article: StoryOption) -> None:
        await check_story(desk, interaction, article)

    history.autocomplete("article")(_titles(desk, own=False))
    check.autocomplete("article")(_titles(desk, own=True))
    show.autocomplete("article")(_titles(desk, own=False))
    edit.autocomplete("article")(_titles(desk, own=True))
    remove.autocomplete("article")(_titles(desk, own=True))

    @app_commands.context_menu(name="Add story")
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def add_message(interaction: discord.Interaction, message: discord.Message) -> None:
        await add_story(desk, interaction, brought_by(message), warned=False)

    return [group, add_message]


def _describe_details() -> Callable[[F], F]:
    """Return what describes the options for a story's details; each command needs its own."""
    return app_commands.describe(
        title="The headline.",
        source="Who published it.",
        author="Who wrote it.",
        date="When it was published, such as 2024-10-25 or 2024-10.",
        link="Where to read it.",
    )


def _titles(desk: Desk, *, own: bool) -> Complete:
    """Return what completes a title; `own` leaves out the stories that are not the server's."""

    @completing
    async def titles(
        interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        guild_id = interaction.guild_id
        if guild_id is None or (own and not may_add(interaction)):
            return []

        def look(session: Session) -> list[Headline]:
            parts = (session.writable,) if own else session.readable
            found = [h for s in parts for h in s.headlines.page(limit=_MAX_CHOICES, matching=typed)]
            return found[:_MAX_CHOICES]

        found = await desk.worker.run(guild_id, look)
        return [
            app_commands.Choice(
                name=choice_name(h.attribution),
                value=h.article_id,
            )
            for h in found
        ]

    return titles


async def open_story_form(desk: Desk, interaction: discord.Interaction, given: Given) -> None:
    """Open the form for a new story, for somebody who may add one."""
    require_contributor(interaction)

    async def then(
        sent: discord.Interaction, written: str, file: discord.Attachment | None, given: Given
    ) -> None:
        brought = Brought(given, written=written, file=file)
        await add_story(desk, sent, brought, warned=True)

    form = StoryForm(given, then, forms=desk.forms, seen_by_all=everybody_sees(interaction))
    await interaction.response.send_modal(form)


async def open_details_form(
    desk: Desk, interaction: discord.Interaction, article: str, *, words: bool = True
) -> None:
    """Open the form with a story's details, for somebody who may change them."""
    guild_id = require_contributor(interaction)
    current = await desk.worker.run(guild_id, lambda s: own_story(s, article, words=words))

    async def then(sent: discord.Interaction, given: Given) -> None:
        await _edit(desk, sent, current.article_id, given)

    await interaction.response.send_modal(DetailsForm(current.attribution, then, forms=desk.forms))


async def _edit(desk: Desk, interaction: discord.Interaction, article: str, given: Given) -> None:
    guild_id = require_contributor(interaction)
    await interaction.response.defer(ephemeral=True, thinking=True)

    def change(session: Session) -> Saved:
        current = own_story(session, article)
        attribution: Attribution = amended(current.attribution, given)
        return session.writable.indexer.edit(current.article_id, attribution)

    saved = await desk.worker.run(guild_id, change, lane=Lane.WRITE)
    desk.nudge()
    line = story_line(saved.revision.attribution, saved.revision.article_id)
    await interaction.edit_original_response(view=notice(f"Now: {line}"), allowed_mentions=NOBODY)


async def ask_to_remove(
    desk: Desk, interaction: discord.Interaction, article: str, *, words: bool = True
) -> None:
    """Ask before a story is deleted."""
    guild_id = require_contributor(interaction)
    revision = await desk.worker.run(guild_id, lambda s: own_story(s, article, words=words))
    await interaction.response.send_message(
        view=remove_layout(revision), ephemeral=True, allowed_mentions=NOBODY
    )
