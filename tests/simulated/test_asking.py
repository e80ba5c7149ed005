"""Every way to ask: mention, direct message, reply, thread, /ask and the form for a follow-up."""

from typing import Any

import discord
import pytest

from handlers.chat import HINT
from handlers.layouts.layout import Action
from tests.simulated.world import Server, World, buttons, labels, said

TEXT = "Ann Lee opened the bridge on Monday. It cost four million."
QUESTION = "Who opened the bridge?"
QUOTE = "> **Ann Lee** opened the bridge on Monday."


def bridge(world: World) -> Server:
    """Return a server with one story."""
    server = world.server()
    world.add(server.id, TEXT, source="Herald", date="2024-10-25")
    return server


def last(server: Server) -> discord.Message:
    found = server.channel.last_message
    assert found is not None
    return found


def written(server: Server) -> list[discord.Message]:
    """Return what the bot wrote into the channel."""
    return [m for m in server.channel.history() if m.author.bot]


def refused(world: World) -> str:
    """Return with what words the last command was refused; the simulator keeps it as an error."""
    error = world.env._errors.pop()
    return str(getattr(error, "original", error))


async def test_a_mention_is_answered_with_a_quote(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="Herald", date="2024-10-25")
    asked = await server.member.send(server.channel, world.mention("Who opened the bridge?"))
    answer = server.channel.last_message
    assert answer is not None
    assert "> **Ann Lee** opened the bridge on Monday." in said(answer)
    assert "**Herald** · 25 October 2024" in said(answer)
    assert answer.reference is not None
    assert answer.reference.message_id == asked.id
    assert len(buttons(answer, Action.CONTEXT)) == 1


async def test_an_answer_is_one_message_and_the_bot_is_seen_typing(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    assert len(written(server)) == 1
    sent = [(r.method, r.path.rsplit("/", 1)[-1]) for r in world.env.http_requests]
    assert sent[-2:] == [("POST", "typing"), ("POST", "messages")]


async def test_nothing_that_is_sent_may_ping_anybody(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention("@everyone who opened the bridge?"))
    await server.member.send(server.channel, world.mention(""))
    sent = [r.json for r in world.env.http_requests if r.path.endswith("/messages")]
    assert len(sent) == 2
    assert all(s is not None and s["allowed_mentions"]["parse"] == [] for s in sent)
    assert not any(s["allowed_mentions"].get("replied_user") for s in sent if s is not None)


async def test_a_mention_without_a_question_gets_one_line_of_help(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(""))
    assert [m.content for m in written(server)] == [HINT]


async def test_a_direct_message_is_answered_from_the_shared_stories(world: World) -> None:
    world.add(None, TEXT, source="Herald")
    asker = world.env.create_user("reader")
    await asker.send_dm(QUESTION)
    answer = asker.dm_channel.last_message
    assert answer is not None
    assert QUOTE in said(answer)
    assert "Add a story" not in labels(answer)
    assert "Open a thread" not in labels(answer)


async def test_a_message_that_mentions_nobody_is_left_alone(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, QUESTION)
    await server.admin.send(server.channel, "@everyone " + QUESTION)
    await server.member.send(server.channel, f"{server.contributor.mention} {QUESTION}")
    assert written(server) == []


async def test_other_bots_and_webhooks_are_left_alone(world: World) -> None:
    server = bridge(world)
    other = server.guild.add_member(world.env.create_user("robot", bot=True))
    hook = server.guild.create_webhook(server.channel)
    await other.send(server.channel, world.mention(QUESTION))
    await hook.send(world.mention(QUESTION))
    assert len(server.channel.history()) == 2


async def test_a_reply_to_an_answer_asks_on(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    await server.member.send(server.channel, "What did it cost?", reply_to=last(server))
    assert "### What did it cost?" in said(last(server))
    assert "> It cost four million." in said(last(server))


async def test_a_reply_keeps_the_filters_of_the_answer(world: World) -> None:
    server = bridge(world)
    world.add(server.id, "Bob Ray closed the bridge on Friday.", source="Gazette")
    result = await server.member.slash(
        server.channel, "ask", question=QUESTION, source="Herald", before="2024"
    )
    assert result.response is not None
    follow = world.mention("Who closed the bridge?")
    await server.member.send(server.channel, follow, reply_to=result.response.message)
    answer = said(last(server))
    assert "### Who closed the bridge?" in answer
    assert "Only stories published by **Herald**" in answer
    assert "Only stories up to **2024-12-31**" in answer
    assert "Bob Ray" not in answer


async def test_a_reply_to_a_person_has_no_filters_even_where_their_words_look_like_it(
    world: World,
) -> None:
    server = bridge(world)
    other = await server.contributor.send(server.channel, "Only stories published by **Gazette**")
    await server.member.send(server.channel, world.mention(QUESTION), reply_to=other)
    assert QUOTE in said(last(server))
    assert "Only stories" not in said(last(server))


async def test_a_thread_opened_by_its_button_can_be_asked_in(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    opened = await server.member.click(last(server), label="Open a thread")
    (thread,) = server.channel.threads
    assert opened.response is not None
    assert opened.response.ephemeral
    assert said(opened.response) == f"Here it is: <#{thread.id}>"
    assert thread.name == QUESTION
    assert "Mention me or reply to me" in said(thread.last_message)

    await server.contributor.send(thread, world.mention("What did it cost?"))
    answer = thread.last_message
    assert answer is not None
    assert "> It cost four million." in said(answer)
    assert "Open a thread" not in labels(answer)


async def test_talk_in_the_bots_thread_is_told_once_to_mention_it(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    await server.member.click(last(server), label="Open a thread")
    (thread,) = server.channel.threads
    await server.member.send(thread, "What did it cost?")
    hint = thread.last_message
    assert hint is not None
    assert hint.content.startswith("I can read messages only when you mention me")
    said_before = len(thread.history())
    await server.contributor.send(thread, "Nobody asked you.")
    assert len(thread.history()) == said_before + 1


async def test_a_thread_can_be_opened_once(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    answer = last(server)
    await server.member.click(answer, label="Open a thread")
    (thread,) = server.channel.threads
    # As Discord refuses the second one, which the simulator would let through.
    world.env.inject_error(
        "POST",
        "/channels/*/messages/*/threads",
        status=400,
        code=160004,
        message="A thread has already been created for this message",
    )
    again = await server.member.click(answer, label="Open a thread")
    assert again.response is not None
    assert "incident" not in said(again.response)
    assert thread.mention in said(again.response)


async def test_a_thread_needs_the_right_to_open_one(world: World) -> None:
    server = world.server()
    no_threads = discord.PermissionOverwrite(create_public_threads=False)
    quiet = server.guild.create_text_channel(
        "quiet", overwrites={server.guild.default_role: no_threads}
    )
    await server.member.send(quiet, world.mention(QUESTION))
    world.add(server.id, TEXT)
    await server.member.send(quiet, world.mention(QUESTION))
    answer = quiet.last_message
    assert answer is not None
    result = await server.member.click(answer, label="Open a thread")
    assert result.response is not None
    assert result.response.content == "You may not open threads here."
    assert quiet.threads == []


async def test_ask_answers_for_everybody_to_see(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=QUESTION)
    assert result.response is not None
    assert not result.response.ephemeral
    assert QUOTE in said(result.response)
    assert {"Open a thread", "Remove"} <= set(labels(result.response))


async def test_ask_defers_before_anything_else(world: World) -> None:
    server = bridge(world)
    before = len(world.env.http_requests)
    await server.member.slash(server.channel, "ask", question=QUESTION)
    first, second = world.env.http_requests[before:]
    assert first.path.endswith("/callback")
    assert first.json is not None
    assert first.json["type"] == discord.InteractionResponseType.deferred_channel_message.value
    assert (second.method, second.path.rsplit("/", 1)[-1]) == ("PATCH", "@original")


async def test_ask_in_private_shows_the_answer_to_the_asker_alone(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, private=True)
    assert result.response is not None
    assert result.response.ephemeral
    assert QUOTE in said(result.response)
    assert not {"Open a thread", "Remove"} & set(labels(result.response))
    assert server.channel.history(viewer=server.contributor) == []


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"source": " the HERALD "}, "Only stories published by **the HERALD**"),
        ({"after": "2024-10"}, "Only stories from **2024-10-01** on"),
        ({"before": "2024-10"}, "Only stories up to **2024-10-31**"),
    ],
    ids=["source", "after", "before"],
)
async def test_ask_shows_each_filter_with_a_button_that_drops_it(
    world: World, options: dict[str, Any], shown: str
) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="The Herald", date="2024-10-25")
    world.add(server.id, "Bob Ray opened the bridge again.", source="Gazette", date="2020-01-01")
    world.add(server.id, "Cy Fox opened the bridge at last.", source="Echo", date="2026-01-01")
    result = await server.member.slash(server.channel, "ask", question=QUESTION, **options)
    assert result.response is not None
    assert QUOTE in said(result.response)
    assert shown in said(result.response)
    assert labels(result.response).count("Drop") == 1
    assert ("Bob Ray" in said(result.response)) == ("before" in options)
    assert ("Cy Fox" in said(result.response)) == ("after" in options)

    dropped = await server.member.click(result.response, label="Drop")
    assert dropped.response is not None
    assert "Only stories" not in said(dropped.response)
    assert "Drop" not in labels(dropped.response)
    assert f"### {QUESTION}" in said(dropped.response)
    # Dropped for who pressed it, in a message of its own: others may still read the first.
    assert shown in said(result.response)


async def test_each_of_several_filters_is_dropped_alone(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(
        server.channel, "ask", question=QUESTION, source="Herald", after="2024", before="2025"
    )
    assert result.response is not None
    after = [i for i in buttons(result.response, Action.DROP_FILTER) if i.endswith(":after")]
    dropped = await server.member.click(result.response, custom_id=after[0])
    assert dropped.response is not None
    left = [i.rsplit(":", 1)[-1] for i in buttons(dropped.response, Action.DROP_FILTER)]
    assert left == ["source", "before"]
    assert QUOTE in said(dropped.response)


async def test_dropping_a_filter_of_a_private_answer_stays_private(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(
        server.channel, "ask", question=QUESTION, source="Herald", private=True
    )
    assert result.response is not None
    dropped = await server.member.click(result.response, label="Drop")
    assert dropped.response is not None
    assert dropped.response.ephemeral


async def test_sources_are_completed_from_what_may_be_read_here(world: World) -> None:
    server, other = bridge(world), world.server("Elsewhere")
    world.add(server.id, "Another story.", source="Morning Herald")
    world.add(server.id, "A third story.", source="Gazette")
    world.add(server.id, "A fourth, by nobody known.")
    world.add(None, "A shared story.", source="Heraldo")
    world.add(other.id, "A secret story.", source="Herald of the other side")

    async def offered(typed: str) -> list[str]:
        choices = await server.member.autocomplete(
            server.channel, "ask", "source", typed, question=QUESTION
        )
        return [choice["value"] for choice in choices]

    assert await offered("heRALD ") == ["Herald", "Heraldo", "Morning Herald"]
    assert await offered("") == ["Gazette", "Herald", "Heraldo", "Morning Herald"]
    assert await offered("nowhere") == []


async def test_sources_are_completed_within_discords_limits(world: World) -> None:
    server = world.server()
    for number in range(27):
        world.add(server.id, f"Story number {number}.", source=f"Paper {number:02}")
    world.add(server.id, "One more story.", source="Paper " + "x" * 100)
    choices = await server.member.autocomplete(
        server.channel, "ask", "source", "paper", question=QUESTION
    )
    assert [choice["name"] for choice in choices] == [f"Paper {n:02}" for n in range(25)]


async def test_sources_are_completed_in_direct_messages_from_the_shared_stories(
    world: World,
) -> None:
    bridge(world)
    world.add(None, "A shared story.", source="Gazette")
    asker = world.env.create_user("reader")
    choices = await asker.autocomplete("ask", "source", "", question=QUESTION)
    assert [choice["value"] for choice in choices] == ["Gazette"]


async def test_ask_works_in_direct_messages(world: World) -> None:
    world.add(None, TEXT)
    asker = world.env.create_user("reader")
    result = await asker.slash("ask", question=QUESTION)
    assert QUOTE in said(result.response)


@pytest.mark.parametrize("option", ["after", "before"])
@pytest.mark.parametrize("date", ["soon", "25/10/24", "2024-13"])
async def test_a_date_that_cannot_be_read_is_refused(world: World, option: str, date: str) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, **{option: date})
    assert result.response is not None
    assert result.response.ephemeral
    assert result.response.content == (
        f"“{date}” is no date that I can read for certain; write 2024-10-25."
    )
    assert refused(world) == result.response.content


@pytest.mark.parametrize("question", [" ", "\u200b", "?!"], ids=["space", "zero-width", "marks"])
async def test_a_question_without_words_is_refused(world: World, question: str) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=question)
    assert result.response is not None
    assert result.response.ephemeral
    assert "question" in result.response.content
    assert refused(world) == result.response.content


async def test_a_question_that_is_too_long_is_refused(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention("why " * 125 + "so?"))
    assert last(server).content == "The question has 503 characters; ask in at most 500 here."
    await server.member.send(server.channel, world.mention("why " * 124 + "so?"))
    assert "### why why" in said(last(server))


async def test_asking_again_after_a_refusal_begins_with_the_question(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention("Who sang zebra opera?"))
    form = await server.member.click(last(server), label="Ask again")
    assert form.modal is not None
    assert form.modal["components"][0]["component"]["value"] == "Who sang zebra opera?"


async def test_the_follow_up_form_is_empty_and_keeps_the_filters(
    world: World,
) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, source="Herald")
    assert result.response is not None
    # Anybody may ask on, not only who asked.
    form = await server.contributor.click(result.response, label="Ask a follow-up")
    assert form.modal is not None
    assert not form.modal["components"][0]["component"].get("value")
    sent = await server.contributor.submit_modal(form, {"question": "What did it cost?"})
    assert sent.response is not None
    assert not sent.response.ephemeral
    assert "### What did it cost?" in said(sent.response)
    assert "Only stories published by **Herald**" in said(sent.response)
    assert "> It cost four million." in said(sent.response)


async def test_a_follow_up_to_a_private_answer_is_private(world: World) -> None:
    server = bridge(world)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, private=True)
    assert result.response is not None
    form = await server.member.click(result.response, label="Ask a follow-up")
    sent = await server.member.submit_modal(form, {"question": "What did it cost?"})
    assert sent.response is not None
    assert sent.response.ephemeral


async def test_a_follow_up_without_words_is_refused(world: World) -> None:
    server = bridge(world)
    await server.member.send(server.channel, world.mention(QUESTION))
    form = await server.member.click(last(server), label="Ask a follow-up")
    sent = await server.member.submit_modal(form, {"question": "   "})
    assert sent.response is not None
    assert sent.response.ephemeral
    assert sent.response.content.startswith("There is no question.")
