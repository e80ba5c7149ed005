"""Earlier answers say who else carries a quote, as it is now; and whose words a quote is."""

import re
from contextlib import closing
from typing import Any

import discord
import pytest

from data.database import write
from data.errors import StorageError
from data.models import Revision
from handlers.layouts.layout import Action
from index.carriers import standing_stories
from tests.simulated.newsstand import mark
from tests.simulated.test_answer_buttons import TEXT, ask, press
from tests.simulated.test_corrections import NO_LONGER, marks, now, sections
from tests.simulated.world import Server, World, said

COPY = (
    "Ann Lee opened the bridge on Monday morning before several hundred people who had waited "
    "since dawn. The bridge cost four million crowns and took three years to build, the council "
    "said in a statement. Lorries are banned from it until the second lane has been finished next "
    "spring. The old ferry will go on running for another month, so that farmers get used to it."
)
URLS = {"Alpha Post": "https://alpha.example/1", "Beta Gazette": "https://beta.example/1"}
LINE = "also carried by "
URL = "https://example.org/bridge"


async def carried(
    world: World, server: Server, *, shared: str = ""
) -> tuple[discord.Message, Revision]:
    """Return an answer that quotes one of two copies, and the other one, which it names.

    The copy of the publisher that is named `shared` is in the operator's collection.
    """
    copies = [
        world.add(None if name == shared else server.id, COPY, url=url, source=name, title=name)
        for name, url in URLS.items()
    ]
    answer = await ask(world, server)
    (other,) = [c for c in copies if f"{LINE}{c.attribution.source}" in said(answer)]
    return answer, other


def change(world: World, server: Server, other: Revision, what: str) -> None:
    """Let something become of a story."""
    source, url = other.attribution.source, other.attribution.url
    if what in ("removed", "withdrawn"):
        shared = other.collection == "shared"
        with closing(world.session(server.id)) as session:
            indexer = (session.shared if shared else session.writable).indexer
            if what == "removed":
                indexer.remove(other.article_id)
            else:
                indexer.withdraw(other.article_id)
        return
    texts = {
        "corrected": "Retraction: what we wrote about the bridge was wrong.",
        "denied": COPY.replace("Ann Lee", "It is not true that Ann Lee"),
    }
    world.add(
        None if other.collection == "shared" else server.id,
        texts[what],
        url=url,
        source=source,
        title=source or "",
    )


@pytest.mark.parametrize("what", ["removed", "withdrawn", "corrected", "denied"])
async def test_who_no_longer_carries_a_quote_is_no_longer_named(world: World, what: str) -> None:
    server = world.server()
    answer, other = await carried(world, server)
    before = sections(answer)
    change(world, server, other, what)
    await mark(world)
    assert LINE not in said(now(world, answer))
    ((quote, whose),) = sections(now(world, answer))
    assert quote == before[0][0]
    assert whose == before[0][1].split(f"\n-# {LINE}")[0], "nothing else is touched"
    assert LINE not in said(await press(server.member, answer, Action.CONTEXT))


async def test_who_carries_a_quote_again_is_named_again(world: World) -> None:
    server = world.server()
    answer, other = await carried(world, server)
    before = sections(answer)
    change(world, server, other, "withdrawn")
    await mark(world)
    world.add(
        server.id,
        COPY,
        url=other.attribution.url,
        source=other.attribution.source,
        title=other.attribution.title,
    )
    await mark(world)
    assert sections(now(world, answer)) == before
    assert f"{LINE}{other.attribution.source}" in said(
        await press(server.member, answer, Action.CONTEXT)
    )


@pytest.mark.parametrize("shared", URLS)
async def test_who_carries_a_quote_in_the_other_collection_is_looked_at_too(
    world: World, shared: str
) -> None:
    server = world.server()
    answer, other = await carried(world, server, shared=shared)
    await mark(world)
    change(world, server, other, "removed")
    await mark(world)
    assert LINE not in said(now(world, answer))


async def test_a_carrier_that_stays_as_it_was_edits_nothing(world: World) -> None:
    server = world.server()
    await carried(world, server)
    world.env.http_requests.clear()
    world.add(server.id, "Something else happened in another town.", title="Other")
    await mark(world)
    assert world.env.http_requests == []


async def test_an_answer_of_before_carriers_were_remembered_keeps_its_line(world: World) -> None:
    server = world.server()
    answer, other = await carried(world, server)
    with closing(world.session(None)) as session, write(session.memory):
        session.memory.execute("UPDATE citations SET sha256 = NULL, carriers = '[]'")
    with closing(world.session(server.id)) as session:
        quoted = next(r for r in session.writable.articles.current() if r.id != other.id)
    world.add(
        server.id,
        f"{COPY} More.",
        url=quoted.attribution.url,
        source=quoted.attribution.source,
        title=quoted.attribution.title,
    )
    await mark(world)
    ((_, whose, word),) = sections(now(world, answer))
    assert word.endswith("still in it.")
    assert f"{LINE}{other.attribution.source}" in whose


# --- whose words


async def test_an_old_quote_is_not_put_under_the_name_of_who_wrote_the_new_text(
    world: World,
) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL, source="Post", author="First Writer", title="Bridge open")
    answer = await ask(world, server)
    ((_, whose),) = sections(answer)
    later: dict[str, Any] = {"author": "Second Writer", "title": "Bridge stays shut"}
    world.add(server.id, "Nobody opened anything.", url=URL, source="Post", **later)
    await mark(world)
    assert sections(now(world, answer))[0][1] == whose
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")
    context = said(await press(server.member, answer, Action.CONTEXT))
    assert "First Writer" in context
    assert "Second Writer" not in context


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("151 people were aboard the ferry.", "2,151 people were aboard the ferry."),
        ("Ann Lee opened the bridge.", "It is not true that Ann Lee opened the bridge."),
    ],
)
async def test_a_sentence_inside_of_another_one_is_no_longer_in_the_story(
    world: World, text: str, later: str
) -> None:
    server = world.server()
    world.add(server.id, f"{text}\n\nRain fell.", url=URL)
    answer = await ask(world, server, "How many people were aboard? Who opened the bridge?")
    world.add(server.id, f"{later}\n\nRain fell.", url=URL)
    await mark(world)
    assert re.fullmatch(NO_LONGER, marks(now(world, answer))[0] or "")


async def test_a_change_has_the_publishers_own_date_where_it_is_known(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    answer = await ask(world, server)
    changed = world.add(server.id, TEXT.replace("Monday", "Friday"), url=URL)
    with closing(world.session(server.id)) as session, write(session.writable.db):
        db = session.writable.db
        db.execute("UPDATE revisions SET created_at = '2026-03-01T00:00:00+00:00'")
        db.execute(
            "UPDATE revisions SET created_at = '2026-04-01T00:00:00+00:00',"
            " modified_at = '2026-03-11' WHERE id = ?",
            [changed.id],
        )
    await mark(world)
    words = "⚠️ The story changed on 11 March 2026; the quoted sentence is no longer in it."
    assert marks(now(world, answer)) == [words]


# --- more quotes


async def test_a_sentence_that_was_quoted_is_not_offered_again_in_a_later_version(
    world: World,
) -> None:
    server = world.server()
    world.add(server.id, TEXT, url=URL)
    answer = await ask(world, server)
    world.add(server.id, f"{TEXT}\n\nBob Ray opened the bridge on Friday, too.", url=URL)
    more = said(await press(server.member, answer, Action.MORE)).replace("*", "")
    assert "Bob Ray opened the bridge" in more
    assert "Ann Lee opened the bridge" not in more


async def test_a_collection_that_cannot_be_read_for_a_moment_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()
    answer, other = await carried(world, server)
    name = "handlers.marking.standing_stories"

    def unreadable(*_: Any) -> Any:
        raise StorageError("The disk is away.")

    monkeypatch.setattr(name, unreadable)
    await mark(world)
    monkeypatch.setattr(name, standing_stories)
    await mark(world)
    assert f"{LINE}{other.attribution.source}" in said(now(world, answer))
