"""What the bot says of itself, where it says hello, and how Discord knows its commands."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.backend import serializers
from simcord.builders import ChannelHandle, GuildHandle
from simcord.results import InteractionResult

from handlers.help import about_layout
from tests.simulated.test_rights import command
from tests.simulated.test_stories import TEXT, answered
from tests.simulated.world import Server, World, labels, said

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
QUESTION = "Who opened the bridge?"
QUOTE = "> **Ann Lee** opened the bridge on Monday."
MUTE = discord.PermissionOverwrite(send_messages=False)
UNSEEN = discord.PermissionOverwrite(view_channel=False)


# --- joining


def bots_role(guild: GuildHandle) -> Any:
    """Return the role that Discord gives to the bot when it is invited."""
    return next(role for role in guild.roles.values() if role._role.managed)


def channel_of(
    guild: GuildHandle, name: str, overwrite: discord.PermissionOverwrite | None = None
) -> ChannelHandle:
    """Return a new channel, with what the bot may not do there."""
    return guild.create_text_channel(
        name, overwrites=None if overwrite is None else {bots_role(guild): overwrite}
    )


async def invited(world: World, guild: GuildHandle, system: ChannelHandle | None = None) -> None:
    """Let the bot join a server that has channels already: it is removed, and invited again."""
    backend = world.env.backend
    await world.env.settle()
    backend.emit("GUILD_DELETE", {"id": str(guild.id)})
    if system is not None:
        backend.edit_guild(guild.id, {"system_channel_id": system.id})
    payload = dict(serializers.guild_create_payload(backend, backend.get_guild(guild.id)))
    del payload["unavailable"]  # what tells a new server from one that is back after an outage
    backend.emit("GUILD_CREATE", payload)
    await world.env.settle()


def welcomed(channel: ChannelHandle) -> bool:
    """Return whether the bot said hello there, once."""
    said_there = [said(m) for m in channel.history()]
    assert len(said_there) <= 1
    return any("Hello, I am Pullquote" in words for words in said_there)


async def test_the_welcome_says_what_it_does_how_to_begin_and_who_may(world: World) -> None:
    server = world.server()
    await invited(world, server.guild)
    message = server.channel.last_message
    assert message is not None
    words = said(message)
    assert "word-for-word quotes" in words
    assert "Whoever may manage messages can use `/article add`" in words
    assert "Apps → **Add story**" in words
    assert "/help" in words
    assert labels(message) == ["Add the first story"]


async def test_the_first_story_can_be_added_from_the_welcome_also_after_a_restart(
    world: World,
) -> None:
    server = world.server()
    await invited(world, server.guild)
    await world.restart()
    message = server.channel.last_message
    assert message is not None
    form = await server.contributor.click(message, label="Add the first story")
    await server.contributor.submit_modal(form, {"text": TEXT})
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert QUOTE in said(answered(result))
    refusal = await server.member.click(message, label="Add the first story")
    assert refusal.modal is None
    assert "Only people who may manage messages" in said(answered(refusal))


async def test_the_welcome_goes_to_the_system_channel(world: World) -> None:
    guild = world.env.create_guild("News")
    first, system = channel_of(guild, "first"), channel_of(guild, "system")
    await invited(world, guild, system)
    assert welcomed(system)
    assert not welcomed(first)


@pytest.mark.parametrize("overwrite", [MUTE, UNSEEN])
async def test_the_welcome_goes_to_the_first_channel_where_it_may_speak(
    world: World, overwrite: discord.PermissionOverwrite
) -> None:
    guild = world.env.create_guild("News")
    system, second = channel_of(guild, "a", overwrite), channel_of(guild, "b", overwrite)
    third, fourth = channel_of(guild, "c"), channel_of(guild, "d")
    await invited(world, guild, system)
    assert [welcomed(c) for c in (system, second, third, fourth)] == [False, False, True, False]


async def test_a_channel_that_takes_nothing_after_all_is_passed_over(world: World) -> None:
    guild = world.env.create_guild("News")
    first, second = channel_of(guild, "a"), channel_of(guild, "b")
    path = f"/channels/{first.id}/messages"
    world.env.inject_error("POST", path, status=403, code=50013, message="Missing Permissions")
    await invited(world, guild)
    assert [welcomed(c) for c in (first, second)] == [False, True]


@pytest.mark.parametrize("channels", [0, 2])
async def test_where_it_may_not_speak_it_is_silent_and_nothing_breaks(
    world: World, channels: int
) -> None:
    guild = world.env.create_guild("News")
    made = [channel_of(guild, f"c{n}", MUTE) for n in range(channels)]
    await invited(world, guild)
    assert not any(welcomed(channel) for channel in made)
    assert world.env.errors == []


async def test_a_restart_is_no_reason_for_another_welcome(world: World) -> None:
    server = world.server()
    await invited(world, server.guild)
    await world.restart()
    assert welcomed(server.channel)


# --- /help and /about


async def test_help_names_every_command_and_stays_with_the_person(world: World) -> None:
    server = world.server()
    result = await server.member.slash(server.channel, "help")
    assert answered(result).ephemeral
    words = said(answered(result))
    leaves = set(server.admin.available_commands(server.channel)) - {"help", "ask"}
    for path in leaves:
        assert f"/{path}" in words
    assert "**Add story**" in words
    assert "/ask" in words


async def test_help_and_about_work_in_direct_messages(world: World) -> None:
    person = world.env.create_user("reader")
    assert "### How to ask" in said(answered(await person.slash("help")))
    assert "### Pullquote" in said(answered(await person.slash("about")))


async def test_about_tells_the_version_of_the_project_and_who_to_ask_for_the_source(
    world: World,
) -> None:
    server = world.server()
    result = await server.member.slash(server.channel, "about")
    assert answered(result).ephemeral
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    words = said(answered(result))
    assert f"### Pullquote {version}\n" in words
    assert "**Up for:** 0 minutes, since <t:" in words
    assert "**Source:** ask the operator (MIT licence)" in words


async def test_about_names_the_source_that_the_operator_set(world: World) -> None:
    server = world.server()
    settings = world.home / "pullquote.toml"
    settings.write_text('source_url = "https://example.org/pullquote"')
    await world.restart()
    words = said(answered(await server.member.slash(server.channel, "about")))
    assert "**Source:** https://example.org/pullquote (MIT licence)" in words


@pytest.mark.parametrize(
    ("up", "words"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute"),
        (timedelta(hours=23, minutes=59), "23 hours 59 minutes"),
        (timedelta(days=1), "1 day 0 hours"),
        (timedelta(days=12, hours=3, minutes=5), "12 days 3 hours"),
    ],
)
def test_the_uptime_is_told_in_words(up: timedelta, words: str) -> None:
    started = datetime(2025, 1, 1, tzinfo=UTC)
    layout = about_layout(started, started + up, None)
    shown = [i.content for i in layout.walk_children() if isinstance(i, discord.ui.TextDisplay)]
    assert f"**Up for:** {words}, since <t:1735689600:f>" in shown[0]


# --- /dm


def bridge(world: World, name: str = "News") -> Server:
    server = world.server(name)
    world.add(server.id, TEXT, title="Bridge")
    return server


async def directly(server: Server) -> str:
    """Return what the bot answers to the member in a direct message."""
    await server.member.send_dm(QUESTION)
    answer = server.member.user.dm_channel.last_message
    assert answer is not None
    return said(answer)


async def test_direct_messages_read_a_servers_stories_once_somebody_chose_it(world: World) -> None:
    server = bridge(world)
    assert QUOTE not in await directly(server)
    result = await server.member.slash(server.channel, "dm")
    assert answered(result).ephemeral
    assert "I read the stories of **News**, as long as you are a member" in said(answered(result))
    assert QUOTE in await directly(server)
    await server.contributor.send_dm(QUESTION)  # the choice is one person's
    theirs = server.contributor.user.dm_channel.last_message
    assert theirs is not None
    assert QUOTE not in said(theirs)


async def test_a_choice_can_be_taken_back_and_outlives_a_restart(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "dm")
    await world.restart()
    assert QUOTE in await directly(server)
    await server.member.click(answered(result), label="No longer")
    assert "only what the operator shares" in said(answered(result))
    assert labels(answered(result)) == []
    assert QUOTE not in await directly(server)


async def test_the_latest_choice_counts(world: World) -> None:
    server, other = bridge(world), world.server("Other")
    world.add(other.id, "Bo Ek closed the museum on Friday.")
    other_member = other.guild.add_member(server.member.user)
    await server.member.slash(server.channel, "dm")
    result = await other_member.slash(other.channel, "dm")
    assert "**Other**" in said(answered(result))
    assert QUOTE not in await directly(server)


async def test_in_a_direct_message_it_shows_what_is_chosen(world: World) -> None:
    server = bridge(world)
    before = await server.member.user.slash("dm")
    assert "Use `/dm` in a server" in said(answered(before))
    assert labels(answered(before)) == []
    await server.member.slash(server.channel, "dm")
    after = await server.member.user.slash("dm")
    assert "the stories of **News**" in said(answered(after))
    await server.member.user.click(answered(after), label="No longer")
    assert QUOTE not in await directly(server)


async def test_who_left_the_server_reads_its_stories_no_longer(world: World) -> None:
    server = bridge(world)
    await server.member.slash(server.channel, "dm")
    server.guild.remove_member(server.member)
    assert QUOTE not in await directly(server)
    shown = await server.member.user.slash("dm")
    assert "News" not in said(answered(shown))


async def test_a_server_that_the_bot_left_is_read_no_longer(world: World) -> None:
    server = bridge(world)
    await server.member.slash(server.channel, "dm")
    world.env.backend.emit("GUILD_DELETE", {"id": str(server.id)})
    assert QUOTE not in await directly(server)


async def test_a_server_that_has_the_commands_alone_cannot_be_chosen(world: World) -> None:
    server = bridge(world)
    world.env.backend.emit("GUILD_DELETE", {"id": str(server.id)})
    await world.env.settle()
    result: InteractionResult = await command(server.member, server.channel, "dm")
    assert said(answered(result)).startswith("I am not a member of this server")


async def test_a_name_of_a_server_cannot_write_markup(world: World) -> None:
    server = bridge(world, "**[x](http://e.vil)** @everyone")
    words = said(answered(await server.member.slash(server.channel, "dm")))
    assert "\\*\\*\\[x\\](http\\://e.vil)\\*\\* \\@everyone" in words


# --- how Discord knows the commands


def registered(world: World) -> dict[str, dict[str, Any]]:
    """Return the commands as Discord has them, by name."""
    commands = world.env.backend.commands[None].values()
    return {str(c["name"]): dict(c) for c in commands}


async def test_discord_knows_these_commands_and_no_others(world: World) -> None:
    found = registered(world)
    assert sorted(found) == ["Add story", "about", "article", "ask", "dm", "feed", "help", "index"]
    parts = {
        n: sorted(o["name"] for o in found[n]["options"]) for n in ("article", "feed", "index")
    }
    assert parts["article"] == [
        *("add", "check", "edit", "history", "list", "remove", "search", "show"),
    ]
    assert parts["feed"] == ["add", "list", "pause", "remove", "test"]
    assert parts["index"] == ["rebuild", "status", "undo", "verify"]


async def test_commands_ask_for_the_rights_that_the_code_checks(world: World) -> None:
    needed = {
        name: c["default_member_permissions"] and int(c["default_member_permissions"])
        for name, c in registered(world).items()
    }
    administrator = discord.Permissions(administrator=True).value
    manage_messages = discord.Permissions(manage_messages=True).value
    assert needed.pop("index") == administrator
    assert needed.pop("Add story") == manage_messages
    assert needed.pop("feed") == manage_messages
    assert set(needed.values()) == {None}


async def test_commands_for_servers_are_to_be_had_there_alone(world: World) -> None:
    in_servers, in_direct_messages = 0, 1
    for name, found in registered(world).items():
        wanted = [in_servers]
        if name in ("ask", "help", "about", "dm"):
            wanted.append(in_direct_messages)
        contexts = found.get("contexts")
        if contexts is None:  # the older way to say it
            contexts = [in_servers, *([in_direct_messages] if found["dm_permission"] else [])]
        assert sorted(contexts) == wanted, name
        assert found["integration_types"] == [0], name  # invited to servers, not by one person


async def test_each_command_and_option_is_described(world: World) -> None:
    def described(part: dict[str, Any]) -> Iterator[str]:
        yield part["description"]
        for option in part.get("options", []):
            yield from described(option)

    for name, found in registered(world).items():
        if name != "Add story":  # a menu has a name alone
            texts = list(described(found))
            assert all(1 < len(text) <= 100 for text in texts)
            assert "…" not in texts  # what the library writes where nothing was
