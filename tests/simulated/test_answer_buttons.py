"""The buttons under an answer: what they do, after a restart too, and where they refuse."""

import re
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor

from data.answers import Votes
from handlers.layouts.layout import Action, Layout, button, custom_id, parse_custom_id, row, text
from tests.simulated.world import Server, World, buttons, labels, said

FIRST = "Ann Lee opened the bridge on Monday."
TEXT = f"{FIRST} It cost four million.\n\nThe mayor was not there."
QUESTION = "Who opened the bridge?"
GONE = "I no longer know this answer. Ask again."


async def ask(world: World, server: Server, question: str = QUESTION) -> discord.Message:
    """Return the message that a member's mention is answered with."""
    await server.member.send(server.channel, world.mention(question))
    answer = server.channel.last_message
    assert answer is not None
    assert answer.author.bot
    return answer


async def press(who: MemberActor, message: Any, action: Action, index: int = 0) -> Any:
    """Return what everybody or the person is told who presses a button."""
    result = await who.click(message, custom_id=buttons(message, action)[index])
    assert result.acknowledged
    return result.response


def votes(world: World, server: Server) -> Votes:
    session = world.session(server.id)
    try:
        return session.answers.votes(server.id)
    finally:
        session.close()


def answer_id(message: Any) -> str:
    pressed = parse_custom_id(buttons(message, Action.HELPFUL)[0])
    assert pressed is not None
    return pressed.first


def is_remembered(world: World, answer: str) -> bool:
    session = world.session(None)
    try:
        return session.answers.get(answer) is not None
    finally:
        session.close()


async def test_context_shows_the_paragraph_to_who_asks_for_it_alone(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="Herald", date="2024-10-25")
    answer = await ask(world, server)
    context = await press(server.contributor, answer, Action.CONTEXT)
    assert context.ephemeral
    shown = said(context)
    assert f"> **{FIRST}** It cost four million." in shown
    assert "> The mayor was not there." in shown
    assert "**Herald** · 25 October 2024" in shown
    assert "changed" not in shown
    assert len(server.channel.history(viewer=server.member)) == 2


async def test_each_quote_has_a_context_of_its_own(world: World) -> None:
    server = world.server()
    world.add(server.id, f"{FIRST} The sun shone.", source="Herald")
    world.add(server.id, "Bob Ray opened the bridge on Friday. Rain fell.", source="Gazette")
    answer = await ask(world, server)
    shown = [said(await press(server.member, answer, Action.CONTEXT, n)) for n in (0, 1)]
    assert sorted("The sun shone." in s for s in shown) == [False, True]
    assert sorted("Rain fell." in s for s in shown) == [False, True]


async def test_context_of_a_story_that_changed_since_says_so(world: World) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    world.add(server.id, TEXT, url=url)
    answer = await ask(world, server)
    world.add(server.id, TEXT + "\n\nUpdate: it is closed again.", url=url)
    shown = said(await press(server.member, answer, Action.CONTEXT))
    assert "⚠️ The story changed on or before" in shown
    assert "the quoted sentence is still in it." in shown
    assert "closed again" not in shown  # the text that was quoted, as it was then

    world.add(server.id, TEXT.replace("Monday", "Tuesday"), url=url)
    shown = said(await press(server.member, answer, Action.CONTEXT))
    assert "the quoted sentence is no longer in it." in shown
    assert f"> **{FIRST}**" in shown


async def test_context_of_a_story_whose_details_changed_says_so(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge", source="Herald")
    answer = await ask(world, server)
    await server.contributor.slash(
        server.channel, "article edit", article=story.article_id, source="Gazette"
    )
    shown = said(await press(server.member, answer, Action.CONTEXT))
    assert "changed" not in shown
    assert "The story’s details were corrected" in shown


async def test_context_of_a_story_that_was_removed_quotes_nothing(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT)
    answer = await ask(world, server)
    session = world.session(server.id)
    session.writable.indexer.remove(story.article_id)
    session.close()
    told = await press(server.member, answer, Action.CONTEXT)
    assert told.ephemeral
    assert re.fullmatch(
        r"⚠️ The story was removed on <t:\d+:f>, so it is no longer quoted\.", said(told)
    )


async def test_more_quotes_are_others_numbered_on_and_have_their_context(world: World) -> None:
    server = world.server()
    for number, name in enumerate(("Ann", "Bob", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal")):
        world.add(server.id, f"{name} opened the bridge in {2001 + number}.")
    answer = await ask(world, server)
    shown_first = {line for line in said(answer).split("\n") if line.startswith("> ")}
    assert len(shown_first) == 3
    more = await press(server.contributor, answer, Action.MORE)
    assert more.ephemeral
    assert f"More quotes for “{QUESTION}”" in said(more)
    shown_more = {line for line in said(more).split("\n") if line.startswith("> ")}
    assert len(shown_more) == 5
    assert not shown_more & shown_first
    numbers = [i.rsplit(":", 1)[-1] for i in buttons(more, Action.CONTEXT)]
    assert numbers == ["4", "5", "6", "7", "8"]
    context = await press(server.contributor, more, Action.CONTEXT, 1)
    assert "opened the bridge in" in said(context)


async def test_more_quotes_keep_the_filters(world: World) -> None:
    server = world.server()
    for number, name in enumerate(("Ann", "Bob", "Cy", "Dee", "Eve")):
        world.add(server.id, f"{name} opened the bridge in {2001 + number}.", source="Herald")
        world.add(server.id, f"{name} opened the bridge in {1801 + number}.", source="Gazette")
    result = await server.member.slash(server.channel, "ask", question=QUESTION, source="Herald")
    more = await press(server.member, result.response, Action.MORE)
    assert "opened the bridge in 200" in said(more)
    assert "opened the bridge in 180" not in said(more)


async def test_where_there_are_no_more_quotes_it_says_so(world: World) -> None:
    server = world.server()
    world.add(server.id, FIRST)
    more = await press(server.member, await ask(world, server), Action.MORE)
    assert more.ephemeral
    assert said(more) == "There is nothing more here that answers it well enough to quote."


async def test_a_person_has_one_vote_and_may_change_it(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    noted = await press(server.member, answer, Action.HELPFUL)
    assert noted.ephemeral
    assert noted.content.startswith("Noted: helpful.")
    await press(server.member, answer, Action.HELPFUL)
    assert votes(world, server) == Votes(helpful=1, unhelpful=0)
    noted = await press(server.member, answer, Action.UNHELPFUL)
    assert noted.content.startswith("Noted: not helpful.")
    assert votes(world, server) == Votes(helpful=0, unhelpful=1)
    await press(server.contributor, answer, Action.HELPFUL)
    assert votes(world, server) == Votes(helpful=1, unhelpful=1)


@pytest.mark.parametrize("who", ["member", "contributor", "admin"])
async def test_the_asker_and_moderators_can_remove_an_answer(world: World, who: str) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    known = answer_id(answer)
    await press(server.member, answer, Action.HELPFUL)
    result = await getattr(server, who).click(answer, label="Remove")
    assert result.acknowledged
    assert [m.author.id for m in server.channel.history(viewer=server.admin)] == [server.member.id]
    assert not is_remembered(world, known)
    assert votes(world, server) == Votes(helpful=0, unhelpful=0)


async def test_nobody_else_can_remove_an_answer(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    other = server.guild.add_member(world.env.create_user("other"))
    refused = await press(other, answer, Action.REMOVE_ANSWER)
    assert refused.ephemeral
    assert refused.content == ("Only the person who asked, or a moderator, can remove an answer.")
    assert answer.id in [m.id for m in server.channel.history()]
    assert is_remembered(world, answer_id(answer))


async def test_a_refusal_and_a_direct_answer_can_be_removed_by_the_asker(world: World) -> None:
    server = world.server()
    refusal = await ask(world, server)
    await server.member.click(refusal, label="Remove")
    assert len(server.channel.history()) == 1
    world.add(None, TEXT)
    asker = world.env.create_user("reader")
    await asker.send_dm(QUESTION)
    direct = asker.dm_channel.last_message
    assert direct is not None
    await asker.click(direct, label="Remove")
    assert len(asker.dm_channel.history()) == 1


async def test_an_answer_that_is_deleted_by_hand_is_forgotten(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    known = answer_id(answer)
    await server.contributor.delete(answer)
    assert not is_remembered(world, known)


async def test_buttons_work_in_direct_messages(world: World) -> None:
    world.add(None, TEXT)
    asker = world.env.create_user("reader")
    await asker.send_dm(QUESTION)
    answer = asker.dm_channel.last_message
    assert answer is not None
    context = await asker.click(answer, label="Context")
    assert f"> **{FIRST}**" in said(context.response)
    noted = await asker.click(answer, label="Helpful")
    assert noted.response.content.startswith("Noted: helpful.")


async def test_all_buttons_work_after_a_restart(world: World) -> None:
    server = world.server()
    for number, name in enumerate(("Ann", "Bob", "Cy", "Dee", "Eve")):
        world.add(server.id, f"{name} opened the bridge in {2001 + number}.", source="Herald")
    result = await server.member.slash(server.channel, "ask", question=QUESTION, source="Herald")
    answer = result.response
    assert answer is not None
    before = {action: buttons(answer, action) for action in Action}
    await world.restart()

    async def pressed(action: Action) -> Any:
        return await server.member.click(answer, custom_id=before[action][0])

    assert "opened the bridge in" in said((await pressed(Action.CONTEXT)).response)
    assert "More quotes for" in said((await pressed(Action.MORE)).response)
    form = await pressed(Action.FOLLOW_UP)
    asked = await server.member.submit_modal(form, {"question": "When did Bob open it?"})
    assert "Bob opened the bridge" in said(asked.response)
    dropped = await pressed(Action.DROP_FILTER)
    assert "Only stories" not in said(dropped.response)
    assert f"### {QUESTION}" in said(dropped.response)
    await pressed(Action.THREAD)
    assert [t.name for t in server.channel.threads] == [QUESTION]
    await pressed(Action.HELPFUL)
    assert votes(world, server) == Votes(helpful=1, unhelpful=0)
    await pressed(Action.UNHELPFUL)
    assert votes(world, server) == Votes(helpful=0, unhelpful=1)
    await pressed(Action.REMOVE_ANSWER)
    assert answer.id not in [m.id for m in server.channel.history()]


async def test_more_quotes_and_their_context_work_after_a_restart(world: World) -> None:
    server = world.server()
    for number, name in enumerate(("Ann", "Bob", "Cy", "Dee", "Eve")):
        world.add(server.id, f"{name} opened the bridge in {2001 + number}.")
    more = await press(server.member, await ask(world, server), Action.MORE)
    await world.restart()
    assert "opened the bridge in" in said(await press(server.member, more, Action.CONTEXT))


async def test_a_form_of_before_a_restart_says_that_it_is_too_old(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    form = await server.member.click(await ask(world, server), label="Ask a follow-up")
    await world.restart()
    sent = await server.member.submit_modal(form, {"question": "What did it cost?"})
    assert sent.response is not None
    assert sent.response.ephemeral
    assert "Please open it again" in sent.response.content


def copied(known: str) -> Layout:
    """Return a message that carries the buttons of somebody else's answer, and its question."""
    return Layout(
        text(f"### {QUESTION}"),
        row(
            button("Context", Action.CONTEXT, known, 1),
            button("More quotes", Action.MORE, known),
            button("Helpful", Action.HELPFUL, known),
            button("Not helpful", Action.UNHELPFUL, known),
            button("Remove", Action.REMOVE_ANSWER, known),
        ),
        row(
            button("Ask a follow-up", Action.FOLLOW_UP, known),
            button("Drop", Action.DROP_FILTER, known, "source"),
            button("Open a thread", Action.THREAD, known),
        ),
    )


async def replayed(world: World, known: str, channel_id: int) -> discord.Message:
    """Return a message of the bot's own with an answer's buttons, in some channel."""
    channel = world.client.get_partial_messageable(channel_id)
    message = await channel.send(view=copied(known))
    await world.env.settle()
    return message


BOUND = [
    Action.CONTEXT,
    Action.MORE,
    Action.HELPFUL,
    Action.UNHELPFUL,
    Action.REMOVE_ANSWER,
]


@pytest.mark.parametrize("action", BOUND)
@pytest.mark.parametrize("place", ["message", "channel", "server", "direct"])
async def test_the_buttons_of_an_answer_work_under_that_answer_alone(
    world: World, action: Action, place: str
) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="Herald")
    answer = await ask(world, server)
    known = answer_id(answer)
    other = world.server("Elsewhere")
    asker: Any = server.member
    channel_id = server.channel.id
    if place == "channel":
        channel_id = server.guild.create_text_channel("second").id
    elif place == "server":
        asker, channel_id = other.admin, other.channel.id
    elif place == "direct":
        asker = server.member.user
        await asker.send_dm("Hello?")  # opens the channel
        channel_id = asker.dm_channel.id
    copy = await replayed(world, known, channel_id)
    told = await press(asker, copy, action)
    assert told.ephemeral
    assert said(told) == GONE
    assert votes(world, server) == Votes(helpful=0, unhelpful=0)
    assert is_remembered(world, known)
    assert copy.id in world.env.backend.messages[channel_id]


@pytest.mark.parametrize("action", [Action.FOLLOW_UP, Action.DROP_FILTER, Action.THREAD])
async def test_the_other_buttons_tell_nothing_of_another_servers_stories(
    world: World, action: Action
) -> None:
    server, other = world.server(), world.server("Elsewhere")
    world.add(server.id, TEXT, title="Secret title", source="Herald")
    known = answer_id(await ask(world, server))
    copy = await replayed(world, known, other.channel.id)
    result = await other.admin.click(copy, custom_id=buttons(copy, action)[0])
    if result.modal is not None:
        result = await other.admin.submit_modal(result, {"question": QUESTION})
    shown = said(result.response) + "".join(
        said(m)
        for c in (other.channel, *other.channel.threads)
        for m in c.history()
        if m.id != copy.id
    )
    assert shown
    assert not [word for word in ("Ann Lee", "Secret", "Herald", known) if word in shown]


async def test_an_answer_that_is_asked_on_from_a_thread_stays_bound_to_its_channel(
    world: World,
) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    await server.member.click(answer, label="Open a thread")
    (thread,) = server.channel.threads
    await server.member.send(thread, world.mention(QUESTION))
    inside = thread.last_message
    assert inside is not None
    assert f"> **{FIRST}**" in said(await press(server.member, inside, Action.CONTEXT))
    copy = await replayed(world, answer_id(inside), server.channel.id)
    assert said(await press(server.member, copy, Action.CONTEXT)) == GONE


@pytest.mark.parametrize(
    "forged",
    [
        custom_id(Action.CONTEXT),
        custom_id(Action.CONTEXT, "nobody-knows", 1),
        custom_id(Action.HELPFUL, "x"),
        custom_id(Action.MORE),
        custom_id(Action.REMOVE_ANSWER),
        custom_id(Action.FOLLOW_UP),
        custom_id(Action.DROP_FILTER, "x", "title"),
        custom_id(Action.THREAD),
        "pq:never_was:1",
        "something else",
    ],
)
async def test_an_id_that_was_never_given_out_is_refused_in_words(
    world: World, forged: str
) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    channel = world.client.get_partial_messageable(server.channel.id)
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(row(discord.ui.Button(label="Forged", custom_id=forged)))
    view.stop()
    message = await channel.send(view=view)
    await world.env.settle()
    result = await server.member.click(message, label="Forged")
    assert result.response is not None
    assert result.response.ephemeral
    assert result.response.content
    assert "incident" not in result.response.content


async def test_the_number_of_a_quote_that_the_answer_has_not_is_refused(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    answer = await ask(world, server)
    context = buttons(answer, Action.CONTEXT)[0]
    stored = world.env.backend.get_message(server.channel.id, answer.id)
    for part in stored.components[0]["components"]:
        if part.get("accessory", {}).get("custom_id") == context:
            part["accessory"]["custom_id"] = context.removesuffix(":1") + ":9"
    result = await server.member.click(answer, label="Context")
    assert said(result.response) == GONE


async def test_a_private_answer_has_the_buttons_that_work_in_private(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    result = await server.member.slash(server.channel, "ask", question=QUESTION, private=True)
    answer = result.response
    assert answer is not None
    assert labels(answer) == [
        "Context",
        "More quotes",
        "Ask a follow-up",
        "Helpful",
        "Not helpful",
    ]
    assert f"> **{FIRST}**" in said(await press(server.member, answer, Action.CONTEXT))
    await press(server.member, answer, Action.UNHELPFUL)
    assert votes(world, server) == Votes(helpful=0, unhelpful=1)
