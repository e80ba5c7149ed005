from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from handlers.layouts.layout import Action
from tests.simulated.test_rights import press
from tests.simulated.test_stories import (
    FILE,
    LONG_AGO,
    TEXT,
    answered,
    only_story,
    refused,
    stories,
)
from tests.simulated.world import Server, World, buttons, labels, said, walk

LONG_TEXT = "\n".join(f"Line {n} says that the bridge is open to everybody." for n in range(100))
WARNING = "Not everybody sees this channel"


def moderators_only(server: Server) -> ChannelHandle:
    """Return a channel that only moderators, administrators and the bot can see."""
    overwrites: dict[Any, discord.PermissionOverwrite] = {
        role: discord.PermissionOverwrite(view_channel=name != "@everyone")
        for name, role in server.guild.roles.items()
        if name != "Administrators"  # who see everything anyway
    }
    return server.guild.create_text_channel("moderators", overwrites=overwrites)


def prefilled(form: InteractionResult) -> dict[str, str | None]:
    """Return what stands in the fields of a form."""
    assert form.modal is not None
    fields = [c for c in walk(form.modal["components"]) if c.get("custom_id")]
    return {c["custom_id"]: c.get("value") for c in fields}


def descriptions(form: InteractionResult) -> str:
    """Return the small print of a form."""
    assert form.modal is not None
    return "\n".join(c.get("description") or "" for c in form.modal["components"])


# --- the form for a new story


async def test_a_text_is_pasted_into_the_form(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    assert prefilled(form) == dict.fromkeys(["text", "file", "title", "source", "date"])
    values = {"text": TEXT, "title": "Bridge opened", "source": "Herald", "date": LONG_AGO}
    result = await server.contributor.submit_modal(form, values)
    message = answered(result)
    assert not message.ephemeral
    assert "Added **“Bridge opened”**\n-# Herald · 25 October 2024" in said(message)
    assert only_story(world, server).text == TEXT
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    assert f"/{server.channel.id}/{message.id})" in said(answered(shown))


async def test_a_file_in_the_form_takes_texts_longer_than_the_field(world: World) -> None:
    assert len(LONG_TEXT) > 4000
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    assert "more than 4,000 characters" in descriptions(form)
    result = await server.contributor.submit_modal(form, {"file": ("a.md", LONG_TEXT.encode())})
    assert "Added **“" in said(answered(result))
    assert only_story(world, server).text == LONG_TEXT


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"text": TEXT, "file": FILE}, "There is a text and a file."),
        ({}, "There is no text in it."),
        ({"text": " \n "}, "There is no text in it."),
        ({"text": "---\ntitle: Nothing more\n---\n"}, "it has no text"),
        ({"file": ("photo.png", b"PNG")}, "photo.png is not a kind of file"),
        ({"file": ("a.txt", b"\x00\x01" * 100)}, "a.txt"),
    ],
)
async def test_a_form_without_one_story_in_it_is_refused(
    world: World, values: dict[str, object], why: str
) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    result = await server.contributor.submit_modal(form, values)
    assert why in refused(result)
    assert "incident" not in refused(result)
    assert stories(world, server.id) == []


async def test_a_blank_text_beside_a_file_does_not_count(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    await server.contributor.submit_modal(form, {"text": " \n", "file": FILE})
    assert only_story(world, server).text == TEXT


async def test_options_stand_in_the_form_and_those_it_has_no_field_for_are_kept(
    world: World,
) -> None:
    server = world.server()
    form = await server.contributor.slash(
        server.channel,
        "article add",
        title="Bridge",
        source="Herald",
        date=LONG_AGO,
        author="Bo Ek",
        link="https://example.org/a",
    )
    filled = prefilled(form)
    assert (filled["title"], filled["source"], filled["date"]) == ("Bridge", "Herald", LONG_AGO)
    await server.contributor.submit_modal(
        form, {"text": TEXT, "title": "Bridge opened", "source": "", "date": LONG_AGO}
    )
    found = only_story(world, server).attribution
    assert (found.title, found.source, found.published_at) == ("Bridge opened", None, LONG_AGO)
    assert (found.author, found.url) == ("Bo Ek", "https://example.org/a")


async def test_a_bad_date_in_the_form_is_told_and_the_story_added(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    result = await server.contributor.submit_modal(form, {"text": TEXT, "date": "next week"})
    assert "⚠️ The date 'next week' cannot be read for certain" in said(answered(result))
    assert only_story(world, server).attribution.published_at is None


async def test_a_form_of_before_a_restart_is_told_to_be_opened_again(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    await world.restart()
    result = await server.contributor.submit_modal(form, {"text": TEXT})
    assert "I was restarted" in refused(result)
    assert stories(world, server.id) == []


async def test_a_form_that_was_open_for_long_never_ends_in_silence(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    await world.env.advance_time(15 * 60 + 1)
    result = await server.contributor.submit_modal(form, {"text": TEXT})
    assert result.acknowledged
    assert result.response is not None


# --- channels that not everybody sees


async def test_a_file_from_a_hidden_channel_is_asked_about_first(world: World) -> None:
    server = world.server()
    hidden = moderators_only(server)
    result = await server.contributor.slash(hidden, "article add", file=FILE, title="Bridge")
    question = answered(result)
    assert question.ephemeral
    assert WARNING not in said(question)
    assert "Not everybody in this server sees this channel. If “Bridge” is added" in said(question)
    assert "**the whole server can read quotes from it**" in said(question)
    assert labels(question) == ["Add it", "Do not add it"]
    assert stories(world, server.id) == []
    await server.contributor.click(question, label="Add it")
    assert "Added **“Bridge”**" in said(answered(result))
    assert WARNING in said(answered(result))
    assert only_story(world, server).text == TEXT
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    assert f"added by {server.contributor.mention}\n" in said(answered(shown))  # and no link


async def test_a_file_from_a_hidden_channel_can_be_left_out(world: World) -> None:
    server = world.server()
    result = await server.contributor.slash(moderators_only(server), "article add", file=FILE)
    await server.contributor.click(answered(result), label="Do not add it")
    assert said(answered(result)) == "Nothing was changed."
    assert stories(world, server.id) == []


async def test_nobody_else_can_add_what_one_person_was_asked_about(world: World) -> None:
    server = world.server()
    hidden = moderators_only(server)
    result = await server.contributor.slash(hidden, "article add", file=FILE)
    [custom_id] = buttons(answered(result), Action.ADD_ANYWAY)
    stolen = await press(server.admin, hidden, answered(result), custom_id)
    assert refused(stolen) == "Somebody else is adding that story."
    assert stories(world, server.id) == []
    await server.contributor.click(answered(result), custom_id=custom_id)  # it is still there
    assert only_story(world, server).text == TEXT


async def test_a_story_waits_for_a_quarter_of_an_hour(world: World) -> None:
    server = world.server()
    hidden = moderators_only(server)
    late, in_time = [
        await server.contributor.slash(hidden, "article add", file=file)
        for file in (FILE, ("b.txt", b"The museum bought a chart."))
    ]
    await world.env.advance_time(14 * 60)
    await server.contributor.click(answered(in_time), label="Add it")
    assert "museum" in only_story(world, server).text
    await world.env.advance_time(61)
    again = await server.contributor.click(answered(late), label="Add it")
    assert refused(again) == "I no longer have that story. Please add it again."
    assert "museum" in only_story(world, server).text


async def test_a_waiting_story_is_lost_in_a_restart_and_that_is_said(world: World) -> None:
    server = world.server()
    result = await server.contributor.slash(moderators_only(server), "article add", file=FILE)
    await world.restart()
    again = await server.contributor.click(answered(result), label="Add it")
    assert refused(again) == "I no longer have that story. Please add it again."
    assert stories(world, server.id) == []


async def test_the_form_warns_in_a_hidden_channel_and_there_alone(world: World) -> None:
    server = world.server()
    hidden = moderators_only(server)
    assert WARNING not in descriptions(
        await server.contributor.slash(server.channel, "article add")
    )
    form = await server.contributor.slash(hidden, "article add")
    assert f"{WARNING}, but the whole server will read quotes." in descriptions(form)
    result = await server.contributor.submit_modal(form, {"text": TEXT})
    assert WARNING in said(answered(result))  # warned before, so it is not asked again
    assert only_story(world, server).text == TEXT


async def test_a_private_thread_counts_as_hidden_and_a_public_one_does_not(world: World) -> None:
    server = world.server()
    channel = world.client.get_channel(server.channel.id)
    assert isinstance(channel, discord.TextChannel)
    start = await server.member.send(server.channel, "Let us talk.")
    public = await channel.create_thread(name="public", message=discord.Object(start.id))
    private = await channel.create_thread(name="private", type=discord.ChannelType.private_thread)
    await private.add_user(discord.Object(server.contributor.id))
    await world.env.settle()
    threads = {thread.name: thread for thread in server.channel.threads}
    asked = await server.contributor.slash(threads[private.name], "article add", file=FILE)
    assert labels(answered(asked)) == ["Add it", "Do not add it"]
    added = await server.contributor.slash(threads[public.name], "article add", file=FILE)
    assert "Added **“" in said(answered(added))


async def test_a_message_of_a_hidden_channel_is_asked_about_first(world: World) -> None:
    server = world.server()
    hidden = moderators_only(server)
    message = await server.contributor.send(hidden, TEXT)
    result = await server.contributor.context_menu(hidden, "Add story", message)
    assert labels(answered(result)) == ["Add it", "Do not add it"]
    assert stories(world, server.id) == []
    await server.contributor.click(answered(result), label="Add it")
    assert only_story(world, server).text == TEXT


# --- the form for a story's details


async def test_details_are_corrected_in_a_form_and_an_emptied_field_is_unknown(
    world: World,
) -> None:
    server = world.server()
    link = "https://example.org/a"
    story = world.add(
        server.id, TEXT, title="Bridge", source="Herald", author="Bo Ek", date=LONG_AGO, url=link
    )
    form = await server.contributor.slash(server.channel, "article edit", article=story.article_id)
    expected = {"title": "Bridge", "source": "Herald", "author": "Bo Ek", "date": LONG_AGO}
    assert prefilled(form) == expected
    values = {"title": "Bridge opened", "source": "Herald", "author": "", "date": "2024-10"}
    result = await server.contributor.submit_modal(form, values)
    assert answered(result).ephemeral
    assert "Now: **“Bridge opened”**\n-# Herald · October 2024" in said(answered(result))
    found = only_story(world, server)
    assert found.attribution.author is None
    assert found.attribution.url == link
    assert found.text == TEXT


async def test_the_details_form_opens_from_a_button_too(world: World) -> None:
    server = world.server()
    added = await server.contributor.slash(server.channel, "article add", file=FILE, title="Bridge")
    form = await server.admin.click(answered(added), label="Edit details")
    await server.admin.submit_modal(form, {"title": "Bridge", "source": "Herald"})
    assert only_story(world, server).attribution.source == "Herald"
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    assert f"added by {server.contributor.mention}" in said(answered(shown))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"title": " "}, "A story needs a title"),
        ({"title": "Bridge", "date": "03/04/2024"}, "cannot be read for certain"),
    ],
)
async def test_details_that_cannot_be_right_change_nothing(
    world: World, values: dict[str, str], why: str
) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge", source="Herald")
    form = await server.contributor.slash(server.channel, "article edit", article="bridge")
    result = await server.contributor.submit_modal(form, values)
    assert why in refused(result)
    assert only_story(world, server).id == story.id


async def test_a_story_that_was_removed_while_its_form_was_open_is_told(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge")
    form = await server.contributor.slash(server.channel, "article edit", article="bridge")
    session = world.session(server.id)
    session.writable.indexer.remove(story.article_id)
    session.close()
    result = await server.contributor.submit_modal(form, {"title": "Bridge opened"})
    assert "There is no such story here" in refused(result)


# --- the message menu


async def test_the_text_of_a_message_is_added_and_linked_to_it(world: World) -> None:
    server = world.server()
    message = await server.member.send(server.channel, TEXT)
    result = await server.contributor.context_menu(server.channel, "Add story", message)
    assert "Added **“" in said(answered(result))
    assert answered(result).ephemeral
    assert only_story(world, server).text == TEXT
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    address = f"https://discord.com/channels/{server.id}/{server.channel.id}/{message.id}"
    expected = f"added by {server.contributor.mention} · [the message]({address})"
    assert expected in said(answered(shown))


async def test_the_first_file_that_may_hold_a_story_is_taken_from_a_message(world: World) -> None:
    server = world.server()
    message = await server.member.send(
        server.channel, "Look at this!", attachments=[("photo.png", b"\x89PNG"), FILE]
    )
    await server.contributor.context_menu(server.channel, "Add story", message)
    assert only_story(world, server).text == TEXT


async def test_a_message_with_no_story_in_it_is_refused(world: World) -> None:
    server = world.server()
    message = await server.member.send(server.channel, "", attachments=[("photo.png", b"PNG")])
    result = await server.contributor.context_menu(server.channel, "Add story", message)
    assert "There is no text in it" in refused(result)
    assert stories(world, server.id) == []


async def test_an_answer_of_the_bot_is_no_story(world: World) -> None:
    server = world.server()
    await server.contributor.slash(server.channel, "article add", file=FILE)
    before = only_story(world, server)
    message = server.channel.last_message
    assert message is not None
    result = await server.contributor.context_menu(server.channel, "Add story", message)
    assert "There is no text in it" in refused(result)
    assert only_story(world, server).id == before.id
