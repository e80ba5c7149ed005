"""Earlier answers when their stories change, are withdrawn or removed: edited where they stand."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import discord
import pytest

from handlers.layouts.layout import Action
from handlers.layouts.marks import TAKEN_OUT
from tests.data.web.server import WebServer
from tests.simulated.newsstand import (
    BRIDGE,
    DEARER,
    LATER,
    REST,
    Newsstand,
    Told,
    mark,
    publisher,
)
from tests.simulated.test_answer_buttons import (
    FIRST,
    QUESTION,
    TEXT,
    answer_id,
    ask,
    press,
    replayed,
)
from tests.simulated.test_stories import answered
from tests.simulated.world import World, buttons, components, labels, said

CHANGED = r"⚠️ The story changed on or before <t:\d+:f>; the quoted sentence is "
STILL, NO_LONGER = CHANGED + r"still in it\.", CHANGED + r"no longer in it\."
WITHDRAWN = r"⚠️ Its publisher withdrew the story; seen on <t:\d+:f>\. It is no longer quoted\."
REMOVED = r"⚠️ The story was removed on <t:\d+:f>, so it is no longer quoted\."
CORRECTED = r"-# The story’s details were corrected on <t:\d+:f>\."


@pytest.fixture(autouse=True)
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    """The publisher's server, there before the bot is."""
    async with publisher(monkeypatch) as server:
        yield server


@pytest.fixture
def stand(world: World, web: WebServer) -> Newsstand:
    return Newsstand(world, web)


def now(world: World, message: discord.Message) -> Any:
    """Return a message as everybody sees it now."""
    return world.env.backend.get_message(message.channel.id, message.id)


def parts(message: Any) -> list[dict[str, Any]]:
    """Return the components of a message, without the numbers that Discord gives them."""

    def plain(part: Any) -> Any:
        if isinstance(part, list):
            return [plain(one) for one in part]
        if isinstance(part, dict):
            return {name: plain(value) for name, value in part.items() if name != "id"}
        return part

    found: list[dict[str, Any]] = plain(components(message))
    return found


def sections(message: Any) -> list[list[str]]:
    """Return the texts of each quote."""
    (frame,) = [part for part in parts(message) if part["type"] == 17]
    found = [[t["content"] for t in s["components"]] for s in frame["components"] if s["type"] == 9]
    return [texts for texts in found if texts[0].startswith("**")]


def marks(message: Any) -> list[str | None]:
    """Return what stands under each quote, behind whose it is."""
    assert all(len(texts) <= 3 for texts in sections(message))
    return [texts[2] if len(texts) > 2 else None for texts in sections(message)]


def edits(world: World) -> list[Any]:
    """Return the requests with which messages in channels were changed."""
    found = world.env.http_requests
    return [r for r in found if r.method == "PATCH" and r.path.startswith("/channels/")]


# --- end to end: the page changes, the answer says so


@pytest.mark.parametrize(("later", "words"), [(DEARER, STILL), (LATER, NO_LONGER)])
async def test_a_changed_page_leads_to_the_edited_answer(
    world: World, stand: Newsstand, later: Told, words: str
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    assert marks(answer) == [None]
    stand.publish(later)
    world.env.http_requests.clear()
    await stand.look_again(server)

    edited = now(world, answer)
    (word,) = marks(edited)
    assert re.fullmatch(words, word or "")
    assert "> **Ann Lee** opened the bridge on Monday." in sections(edited)[0][0]
    rest = parts(edited)
    quote = next(part for part in rest[0]["components"] if part["type"] == 9)
    quote["components"].pop()
    assert rest == parts(answer), "nothing else is touched"
    (edit,) = edits(world)
    assert edit.path == f"/channels/{server.channel.id}/messages/{answer.id}"
    assert edit.json["allowed_mentions"] == {"parse": []}
    assert [r.method for r in world.env.http_requests] == ["GET", "PATCH"], "and nothing is said"


async def test_a_second_change_edits_again_and_going_back_takes_the_mark_away(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    for later, words in ((DEARER, STILL), (LATER, NO_LONGER), (DEARER, STILL)):
        stand.publish(later)
        await stand.look_again(server)
        (word,) = marks(now(world, answer))
        assert re.fullmatch(words, word or "")
    stand.publish(BRIDGE)
    await stand.look_again(server)
    assert parts(now(world, answer)) == parts(answer)


async def test_a_page_that_stays_the_same_edits_nothing(world: World, stand: Newsstand) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    await stand.look_again(server)
    assert len(stand.asked(BRIDGE)) == 2
    assert edits(world) == []
    assert parts(now(world, answer)) == parts(answer)


async def test_a_withdrawn_page_is_said_and_taken_back_when_it_is_there_again(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    stand.withdraw(BRIDGE)
    await stand.look_again(server)
    (word,) = marks(now(world, answer))
    assert re.fullmatch(WITHDRAWN, word or "")
    assert FIRST not in said(await ask(world, server)).replace("*", "")
    told = said(await press(server.member, answer, Action.CONTEXT))
    assert re.search(WITHDRAWN, told)

    stand.publish(BRIDGE)  # to the letter what it was, its ETag too
    await stand.look_again(server)
    assert parts(now(world, answer)) == parts(answer)
    assert FIRST in said(await ask(world, server)).replace("*", "")


async def test_after_an_edit_everything_works_as_before_also_after_a_restart(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    result = await server.member.slash(
        server.channel, "ask", question=QUESTION, source="The Larkmoor Ledger"
    )
    assert result.response is not None
    answer = result.response.message
    stand.publish(DEARER)
    await stand.look_again(server)
    await world.restart()
    edited = now(world, answer)
    assert f"### {QUESTION}" in said(edited)
    assert "Only stories published by **The Larkmoor Ledger**" in said(edited)
    assert labels(edited) == labels(answer)

    async def pressed(action: Action) -> Any:
        return await server.member.click(answer, custom_id=buttons(edited, action)[0])

    assert re.search(STILL, said((await pressed(Action.CONTEXT)).response))
    assert "More quotes for" in said((await pressed(Action.MORE)).response)
    form = await pressed(Action.FOLLOW_UP)
    asked = await server.member.submit_modal(form, {"question": QUESTION})
    assert "> **Ann Lee** opened" in said(asked.response)
    assert "Only stories" not in said((await pressed(Action.DROP_FILTER)).response)
    await pressed(Action.THREAD)
    assert [t.name for t in server.channel.threads] == [QUESTION]
    assert "Noted" in said((await pressed(Action.HELPFUL)).response)

    stand.publish(LATER)
    await stand.look_again(server)
    (word,) = marks(now(world, answer))
    assert re.fullmatch(NO_LONGER, word or "")
    await pressed(Action.REMOVE_ANSWER)
    assert answer.id not in [m.id for m in server.channel.history()]


# --- removed and corrected by an editor


async def test_a_removed_story_leaves_every_answer_that_quoted_it(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    second = server.guild.create_text_channel("second")
    user = server.member.user
    with closing(world.session(server.id)) as session:
        session.guilds.choose_for_direct(user.id, server.id)
    first = await ask(world, server)
    await server.member.send(second, world.mention(QUESTION))
    await user.send_dm(QUESTION)
    await server.member.click(first, label="Open a thread")
    (thread,) = server.channel.threads
    await server.member.send(thread, world.mention(QUESTION))
    answers = [first, *(c.last_message for c in (second, thread, user.dm_channel))]
    assert all(answer is not None and FIRST in said(answer).replace("*", "") for answer in answers)

    asked = await server.contributor.slash(server.channel, "article remove", article="Bridge")
    await server.contributor.click(answered(asked), label="Remove for good")
    for answer in answers:
        assert answer is not None
        edited = now(world, answer)
        assert not re.search("Ann|Larkmoor|Reed|127.0.0.1", json.dumps(parts(edited)))
        ((quote, whose),) = sections(edited)
        assert quote == f"**1.**\n{TAKEN_OUT}"
        assert re.fullmatch(REMOVED, whose)
        assert f"### {QUESTION}" in said(edited)
        assert labels(edited) == labels(answer)
    told = await press(server.member, first, Action.CONTEXT)
    assert re.fullmatch(REMOVED, said(told))


async def test_corrected_details_stand_in_the_answer(world: World, stand: Newsstand) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    await server.contributor.slash(
        server.channel, "article edit", article="Bridge", source="The Gazette", title="At last"
    )
    ((quote, whose, word),) = sections(now(world, answer))
    assert quote == sections(answer)[0][0]
    assert whose.startswith("**The Gazette** · Ann Reed · <t:")
    assert "“At last” · [Read it there](" in whose
    assert re.fullmatch(CORRECTED, word)
    await server.contributor.slash(
        server.channel,
        "article edit",
        article="At last",
        source="The Larkmoor Ledger",
        title="Bridge opened",
    )
    assert parts(now(world, answer)) == parts(answer)


@pytest.mark.parametrize("text_changed", ["before", "after"])
async def test_corrected_details_stand_in_the_answer_also_where_the_text_changed(
    world: World, stand: Newsstand, text_changed: str
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    answer = await ask(world, server)
    stand.publish(DEARER)
    if text_changed == "before":
        await stand.look_again(server)
    await server.contributor.slash(
        server.channel, "article edit", article="Bridge", source="The Gazette"
    )
    if text_changed == "after":
        await stand.look_again(server)
    ((_, whose, word),) = sections(now(world, answer))
    assert re.fullmatch(STILL, word)
    assert whose.startswith("**The Gazette** · Ann Reed")
    shown = await server.member.slash(server.channel, "article show", article="Bridge")
    assert "**The Gazette** · Ann Reed" in said(shown.response), "the page does not undo it"


async def test_a_story_of_the_operators_is_marked_in_every_server(
    world: World, stand: Newsstand
) -> None:
    url = "https://example.org/bridge"
    world.add(None, TEXT, url=url)
    answers = [await ask(world, world.server(name)) for name in ("News", "Sports")]
    world.add(None, TEXT.replace("Monday", "Friday"), url=url)
    await mark(world)
    for answer in answers:
        assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


# --- which quote, and which message


async def test_of_two_quotes_the_one_whose_story_changed_is_marked(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    for name, day, rest in (("Ann Lee", "Monday", REST[0]), ("Bob Ray", "Friday", REST[1])):
        url = f"https://example.org/{day}"
        world.add(server.id, f"{name} opened the bridge on {day}.\n\n{rest}", url=url)
    answer = await ask(world, server)
    assert len(sections(answer)) == 2
    world.add(server.id, "Nobody opened anything.", url="https://example.org/Monday")
    await mark(world)
    edited = now(world, answer)
    for (quote, *_), word in zip(sections(edited), marks(edited), strict=True):
        assert (word is not None) == ("Monday" in quote)
    world.add(server.id, "Nothing was opened.", url="https://example.org/Friday")
    await mark(world)
    assert all(re.fullmatch(NO_LONGER, word or "") for word in marks(now(world, answer)))


async def test_two_quotes_of_one_story_are_each_judged_by_their_own_words(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    first = "Ann Lee of Larkmoor opened the first bridge in 1901."
    second = "Bob Ray opened the bridge in 2001."
    world.add(server.id, f"{first}\n\n{second}", url=url)
    answer = await ask(world, server)
    assert len(sections(answer)) == 2
    world.add(server.id, f"{first}\n\nIt was never closed.", url=url)
    await mark(world)
    edited = now(world, answer)
    for (quote, *_), word in zip(sections(edited), marks(edited), strict=True):
        assert re.fullmatch(STILL if "1901" in quote else NO_LONGER, word or "")


async def test_only_the_answers_own_message_is_edited(world: World, stand: Newsstand) -> None:
    server = world.server()
    url = "https://example.org/bridge"
    world.add(server.id, TEXT, url=url)
    answer = await ask(world, server)
    copy = await replayed(world, answer_id(answer), server.channel.id)
    theirs = await server.member.send(server.channel, said(answer))
    webhook = server.guild.create_webhook(server.channel)
    forged = await webhook.send(said(answer))
    before = [said(m) for m in (copy, theirs, forged)]
    world.add(server.id, TEXT.replace("Monday", "Friday"), url=url)
    await mark(world)
    assert [e.path for e in edits(world)] == [f"/channels/{server.channel.id}/messages/{answer.id}"]
    assert [said(now(world, m)) for m in (copy, theirs, forged)] == before
