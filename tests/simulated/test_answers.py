"""What an answer or a refusal says, and what is remembered and logged of it."""

import logging
import sqlite3
from contextlib import closing
from typing import Any

import discord
import pytest

from data.models import Filters
from handlers.layouts.layout import Action
from handlers.logs import JsonLines
from index.models import Passage
from index.retriever import Retriever
from tests.simulated.world import Server, World, buttons, components, labels, said, walk

TEXT = "Ann Lee opened the bridge on Monday. It cost four million."
QUESTION = "Who opened the bridge?"


async def ask(world: World, server: Server, question: str = QUESTION) -> discord.Message:
    """Return the message that a mention is answered with."""
    await server.member.send(server.channel, world.mention(question))
    answer = server.channel.last_message
    assert answer is not None
    assert answer.author.bot
    return answer


async def test_each_quote_is_numbered_and_attributed_with_a_button_for_its_context(
    world: World,
) -> None:
    server = world.server()
    world.add(
        server.id,
        "Ann Lee opened the bridge on Monday.",
        title="A bridge for all",
        source="Herald",
        author="Joe Poe",
        date="2024-10-25",
    )
    world.add(server.id, "Bob Ray opened the bridge on Friday.", title="Again", source="Gazette")
    answer = await ask(world, server)
    shown = said(answer)
    assert "**1.**\n> " in shown
    assert "**2.**\n> " in shown
    assert "> **Ann Lee** opened the bridge on Monday." in shown
    assert "**Herald** · Joe Poe · 25 October 2024" in shown
    assert "“A bridge for all”" in shown
    assert "> **Bob Ray** opened the bridge on Friday." in shown
    assert "**Gazette** · date unknown" in shown
    numbers = [i.rsplit(":", 1)[-1] for i in buttons(answer, Action.CONTEXT)]
    assert numbers == ["1", "2"]


async def test_an_answer_shows_the_question_and_how_sure_it_is(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    shown = said(await ask(world, server, "Who *opened* the `bridge`?"))
    assert shown.startswith("### Who \\*opened\\* the \\`bridge\\`?")
    assert shown.endswith(" sure that this answers the question.")


async def test_an_answer_has_all_its_buttons(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    assert labels(await ask(world, server)) == [
        "Context",
        "More quotes",
        "Ask a follow-up",
        "Open a thread",
        "Helpful",
        "Not helpful",
        "Remove",
    ]


async def test_what_is_not_known_about_a_story_is_said_to_be_unknown(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    assert "**publisher unknown** · date unknown" in said(await ask(world, server))


async def test_a_story_with_an_address_is_linked_at_the_passage(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url="https://example.org/bridge?a=(1)")
    assert (
        "[Read it there](https://example.org/bridge?a=%281%29"
        "#:~:text=Ann%20Lee%20opened%20the%20bridge%20on%20Monday.)"
    ) in said(await ask(world, server))


async def test_a_story_that_came_with_a_message_is_linked_to_it(world: World) -> None:
    server = world.server()
    told = await server.contributor.send(server.channel, TEXT)
    await server.contributor.context_menu(server.channel, "Add story", told)
    answer = await ask(world, server)
    assert f"[See the message it came with]({told.jump_url})" in said(answer)


async def test_a_story_that_came_as_a_file_is_linked_to_the_message_that_says_so(
    world: World,
) -> None:
    server = world.server()
    added = await server.contributor.slash(
        server.channel, "article add", file=("bridge.txt", TEXT.encode())
    )
    assert added.response is not None
    answer = await ask(world, server)
    link = f"https://discord.com/channels/{server.id}/{server.channel.id}/{added.response.id}"
    assert f"({link})" in said(answer)


async def test_an_answer_quotes_the_servers_own_and_the_shared_stories(world: World) -> None:
    server = world.server()
    world.add(server.id, "Ann Lee opened the bridge on Monday.", source="Own")
    world.add(None, "Bob Ray opened the bridge on Friday.", source="Shared")
    shown = said(await ask(world, server))
    assert "**Own**" in shown
    assert "**Shared**" in shown


async def test_a_story_that_is_removed_between_reading_and_sending_is_not_quoted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()
    doomed = world.add(server.id, TEXT)
    world.add(server.id, "The weather stays fine.", title="Weather")
    retrieve = Retriever.retrieve
    removed: set[str] = set()

    def meanwhile(self: Retriever, *args: Any, **options: Any) -> list[Passage]:
        # Another connection, as that of another process, takes the story away.
        found = retrieve(self, *args, **options)
        if not removed:
            removed.add(doomed.article_id)
            session = world.session(server.id)
            session.writable.indexer.remove(doomed.article_id)
            session.close()
        return found

    monkeypatch.setattr(Retriever, "retrieve", meanwhile)
    shown = said(await ask(world, server))
    assert removed
    assert "Ann Lee" not in shown


async def test_an_empty_server_is_shown_the_way_to_its_first_story(world: World) -> None:
    server = world.server()
    answer = await ask(world, server)
    shown = said(answer)
    assert "There are no stories here yet" in shown
    assert "`/article add`" in shown
    assert "**Add story**" in shown
    assert labels(answer) == ["Ask again", "Add a story", "Remove"]
    form = await server.contributor.click(answer, label="Add a story")
    assert form.modal is not None
    assert form.modal["title"] == "Add a story"
    refused = await server.member.click(answer, label="Add a story")
    assert refused.modal is None
    assert refused.response is not None
    assert "Only people who may manage messages here" in refused.response.content


async def test_a_direct_message_without_stories_is_told_where_stories_are(world: World) -> None:
    asker = world.env.create_user("reader")
    await asker.send_dm(QUESTION)
    answer = asker.dm_channel.last_message
    assert answer is not None
    assert "There are no stories here yet" in said(answer)
    assert "Use `/dm` in a server" in said(answer)
    assert labels(answer) == ["Ask again", "Remove"]


async def test_a_refusal_says_why_and_shows_what_is_nearest_and_newest(world: World) -> None:
    server = world.server()
    near = world.add(server.id, TEXT, title="Bridge", source="Herald", date="2024-10-25")
    world.add(server.id, "The weather stays fine.", title="Sun", date="2025-02-03")
    answer = await ask(world, server, "Which volcano erupted near Reykjavik?")
    shown = said(answer)
    assert "Nothing in the stories here answers that well enough to quote." in shown
    assert "The nearest stories:" in shown
    assert "“Bridge”" in shown
    assert f"`{near.article_id}`" in shown
    assert "The newest story here is of 3 February 2025." in shown
    assert "> " not in shown
    assert labels(answer) == ["Ask again", "Add a story", "Remove"]


async def test_a_refusal_shows_at_most_three_nearest_stories(world: World) -> None:
    server = world.server()
    for number in range(5):
        world.add(server.id, f"Bridge number {number} is open.", title=f"Story {number}")
    shown = said(await ask(world, server, "Which volcano erupted near Reykjavik?"))
    assert shown.count("“Story") == 3


async def test_a_refusal_where_no_story_has_a_date_does_not_speak_of_one(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT)
    shown = said(await ask(world, server, "Which volcano erupted near Reykjavik?"))
    assert "of date unknown" not in shown


async def test_a_question_that_no_passage_fits_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()
    world.add(server.id, TEXT, date="2024-10-25")

    def nothing(
        self: Retriever, question: str, *, top_k: int = 20, filters: Filters | None = None
    ) -> list[Passage]:
        return []

    monkeypatch.setattr(Retriever, "retrieve", nothing)
    answer = await ask(world, server)
    assert "Nothing in the stories here is about that." in said(answer)
    assert "The newest story here is of 25 October 2024." in said(answer)
    assert "Add a story" in labels(answer)


async def test_filters_that_no_story_passes_are_shown_with_what_would(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, title="Bridge", source="Herald")
    world.add(None, "Another story.", source="Gazette")
    result = await server.member.slash(
        server.channel, "ask", question=QUESTION, source="Echo", after="2030"
    )
    assert result.response is not None
    shown = said(result.response)
    assert "No story here passes these filters." in shown
    assert "Only stories published by **Echo**" in shown
    assert "Only stories from **2030-01-01** on" in shown
    assert "Publishers here: Gazette, Herald" in shown
    assert "“Bridge”" in shown
    assert labels(result.response).count("Drop") == 2
    source = next(i for i in buttons(result.response, Action.DROP_FILTER) if "source" in i)
    fewer = await server.member.click(result.response, custom_id=source)
    assert "Echo" not in said(fewer.response)
    assert "Only stories from **2030-01-01** on" in said(fewer.response)


async def test_a_private_refusal_cannot_be_removed_but_asked_again(world: World) -> None:
    server = world.server()
    result = await server.member.slash(server.channel, "ask", question=QUESTION, private=True)
    assert result.response is not None
    assert labels(result.response) == ["Ask again", "Add a story"]
    form = await server.member.click(result.response, label="Ask again")
    assert form.modal is not None
    assert form.modal["components"][0]["component"]["value"] == QUESTION


async def test_every_component_keeps_discords_limits(world: World) -> None:
    server = world.server()
    for number in range(4):
        text = f"Ann {number} opened the bridge " + "and the long long road " * 16 + "at once."
        world.add(server.id, text, title="T" * 400, source="S" * 300, author="A" * 300)
    result = await server.member.slash(
        server.channel, "ask", question=("bridge " * 80)[:500], after="2000", before="2030"
    )
    for answer in (result.response, await ask(world, server, "bridge " * 70)):
        found = list(walk(components(answer)))
        assert len(found) <= 40
        assert sum(len(c["content"]) for c in found if c["type"] == 10) <= 4000
        assert all(len(c.get("custom_id", "")) <= 100 for c in found)


def remembered(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables of what the bot remembers."""
    with closing(sqlite3.connect(world.home / "pullquote.db")) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608


async def test_ids_and_citations_of_an_answer_are_remembered(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT)
    answer = await ask(world, server)
    tables = remembered(world)
    (row,) = tables["answers"]
    assert row[1:5] == (server.id, server.channel.id, answer.id, server.member.id)
    ((answer_id, number, collection, article_id, revision_id, start, end, *rest),) = tables[
        "citations"
    ]
    bold, (mark, sha256, carriers) = rest[:2], rest[2:]
    assert (mark, sha256, carriers) == ("", story.sha256, "[]")
    assert (answer_id, number, collection) == (row[0], 1, str(server.id))
    assert (article_id, revision_id) == (story.article_id, story.id)
    assert TEXT[start:end] == "Ann Lee opened the bridge on Monday."
    assert TEXT[slice(*bold)] == "Ann Lee"


async def test_a_refusal_is_remembered_without_citations(world: World) -> None:
    server = world.server()
    answer = await ask(world, server)
    tables = remembered(world)
    assert [row[3] for row in tables["answers"]] == [answer.id]
    assert tables["citations"] == []


async def test_no_word_of_a_question_is_ever_stored(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, source="Herald")
    await ask(world, server, "Who opened the xylophonic bridge?")
    result = await server.member.slash(
        server.channel, "ask", question="Did xylophonic people cross?", source="Herald"
    )
    assert result.response is not None
    await server.member.click(result.response, label="Drop")
    (follow_up,) = buttons(result.response, Action.FOLLOW_UP)
    form = await server.member.click(result.response, custom_id=follow_up)
    await server.member.submit_modal(form, {"question": "And the xylophonic mayor?"})
    asker = world.env.create_user("reader")
    await asker.send_dm("Is a xylophonic message direct?")

    tables = remembered(world)
    assert len(tables["answers"]) == 5
    cells = [str(cell) for rows in tables.values() for row in rows for cell in row]
    assert not [cell for cell in cells if "xylophonic" in cell]
    # Nor in what a file keeps of deleted rows, a log beside it, or the stories' own index.
    files = [path for path in world.home.rglob("*") if path.is_file()]
    assert (world.home / "pullquote.db") in files
    assert not [path.name for path in files if b"xylophonic" in path.read_bytes().lower()]


async def test_no_log_line_has_a_word_of_what_people_or_stories_say(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = world.server()
    secret = ("xylophonic", "zanzibari", "quixotic")
    world.add(server.id, "The xylophonic bridge opened.", title="Quixotic", source="Zanzibari")
    world.env.inject_error("POST", "/channels/*/messages", status=500, times=1)
    for question in ("Is it xylophonic?", "Which quixotic volcano?", "quixotic " * 60):
        await server.member.send(server.channel, world.mention(question))
    result = await server.member.slash(
        server.channel, "ask", question="Is it xylophonic?", source="Zanzibari"
    )
    assert result.response is not None
    await server.member.click(result.response, label="Drop")
    await server.member.slash(server.channel, "ask", question="Is it xylophonic?", after="quixotic")
    world.env._errors.clear()  # the refused date, which the simulator keeps
    await server.admin.user.send_dm("A xylophonic secret?")
    lines = [JsonLines().format(record) for record in caplog.records]
    assert sum('"event": "request"' in line for line in lines) >= 5
    assert not [line for line in lines if any(word in line.lower() for word in secret)]


async def test_a_requests_log_line_says_who_asked_where_and_how_it_went(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="handlers")
    server = world.server()
    await server.member.send(server.channel, world.mention(QUESTION))
    await server.member.slash(server.channel, "ask", question=QUESTION, after="soon")
    world.env._errors.clear()  # the refused date, which the simulator keeps
    await server.member.slash(server.channel, "ask", question=QUESTION)
    ended = [r for r in caplog.records if r.getMessage() == "request"]
    assert [(vars(r)["kind"], vars(r)["outcome"]) for r in ended] == [
        ("message", "ok"),
        ("/ask", "UserError"),
        ("/ask", "ok"),
    ]
    assert {(vars(r)["guild"], vars(r)["user"]) for r in ended} == {(server.id, server.member.id)}
    assert len({vars(r)["request"] for r in ended}) == 3
