"""One server never sees another's stories: every way in, with the other side's own ids."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.backend.serializers import message_payload
from simcord.builders import UserHandle
from simcord.enums import InteractionType

from handlers.layouts.layout import Action, text
from handlers.rebuilds import _Running
from tests.simulated.stage import (
    ALPHA,
    BETA,
    QUESTION,
    STORIES,
    Stage,
    assert_nothing_of_the_other_side,
    counts,
    everything,
    sent,
    set_stage,
    with_session,
    write_stories,
)
from tests.simulated.world import World, buttons, said

HERE = ("server",)
DIRECT = ("direct", "chosen", "left")
PLACES = HERE + DIRECT


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The other server's stories, written once."""
    return write_stories(tmp_path_factory.mktemp("alphaville"))


@pytest.fixture
async def stage(world: World, stories: tuple[Path, str], request: pytest.FixtureRequest) -> Stage:
    """The person in the place that the test names, in Betatown where it names none."""
    return await set_stage(world, stories, getattr(request, "param", "server"))


Entry = Callable[[Stage], Awaitable[Any]]


async def _thread(stage: Stage) -> None:
    assert isinstance(stage.who, MemberActor)
    await stage.say(stage.world.mention(QUESTION))
    answer = stage.channel.last_message
    assert answer is not None
    await stage.who.click(answer, label="Open a thread")
    (stage.channel,) = stage.channel.threads
    await stage.say(stage.world.mention(QUESTION))


async def _reply(stage: Stage) -> None:
    # The message replied to names filters; here the story of the other side.
    before = await stage.bot_says(text(f"### {QUESTION}"), text("Only stories from **2020** on"))
    await stage.say(stage.world.mention(QUESTION), reply_to=before)


async def _reply_to_forged_filter(stage: Stage) -> None:
    before = await stage.bot_says(
        text(f"### {QUESTION}"), text(f"Only the story **{stage.story}**")
    )
    await stage.say(stage.world.mention(QUESTION), reply_to=before)


async def _own_context(stage: Stage) -> None:
    await stage.say(stage.world.mention(QUESTION))
    answer = stage.channel.last_message
    assert answer is not None
    await stage.who.click(answer, custom_id=buttons(answer, Action.CONTEXT)[0])


async def _press(
    action: Action, values: Callable[[Stage], tuple[str | int, ...]], stage: Stage
) -> None:
    await stage.press(action, *values(stage))


async def _context_menu(stage: Stage) -> None:
    message = await stage.say_as_author("Nobody opened anything in Betaland, said nobody.")
    root = stage.world.env.backend.find_command("Add story", None, type=3)
    assert root is not None
    stored = stage.world.env.backend.get_message(stage.channel.id, message.id)
    shown = dict(message_payload(stage.world.env.backend, stored))
    data = {"id": root["id"], "name": "Add story", "type": 3, "target_id": str(message.id)}
    stage.world.env.http_requests.clear()
    await stage.interact(
        InteractionType.APPLICATION_COMMAND,
        {**data, "resolved": {"messages": {str(message.id): shown}}},
    )


async def _do(work: Callable[[], Any]) -> None:
    work()


async def _forget(stage: Stage, user: UserHandle) -> None:
    await user.click((await user.slash("dm")).response, label="No longer")


async def _own_history(stage: Stage) -> None:
    own = stage.story if stage.home else "Berta opens harbour bridge"
    await stage.command("article history", article=own)


def _typed(path: str, option: str, value: str, **others: Any) -> Entry:
    return lambda s: s.command(path, option, **{**others, option: value})


# What reads: it has to show something of one's own side, and nothing of the other.
READS: dict[str, Entry] = {
    "a mention": lambda s: s.say(s.world.mention(QUESTION)),
    "the other story's words": lambda s: s.say(s.world.mention(f"{QUESTION} With a trombone?")),
    "a reply": _reply,
    "/ask": lambda s: s.command("ask", question=QUESTION),
    "/ask private": lambda s: s.command("ask", question=QUESTION, private=True),
    "/ask source, typing": _typed("ask", "source", "", question="x"),
    "context of an own answer": _own_context,
}
READS_HERE: dict[str, Entry] = {
    "a thread": _thread,
    "/article list": lambda s: s.command("article list"),
    "/article search": lambda s: s.command("article search", query="harbour bridge"),
    "/article search for it": lambda s: s.command("article search", query="trombone"),
    "/article show, typing": _typed("article show", "article", ""),
    "/article edit, typing": _typed("article edit", "article", ""),
    "/article remove, typing": _typed("article remove", "article", ""),
    "/article history": _own_history,
    "/article history, typing": _typed("article history", "article", ""),
    "/article check, typing": _typed("article check", "article", ""),
    "/feed list": lambda s: s.command("feed list"),
    "/feed pause, typing": _typed("feed pause", "feed", ""),
    "/feed remove, typing": _typed("feed remove", "feed", ""),
    "the first page of feeds": lambda s: s.press(Action.LIST_FEEDS, 0),
    "the list's first page": lambda s: s.press(Action.LIST_STORIES, 0),
    "the list's last page": lambda s: s.press(Action.LIST_STORIES, 999_999_999),
    "/index status": lambda s: s.command("index status"),
}
# Every button, with the other side's ids: it may do nothing to them and show nothing of them.
PRESSED: dict[Action, tuple[Callable[[Stage], tuple[str | int, ...]], ...]] = {
    Action.CONTEXT: (
        lambda s: (s.answer, 1),
        lambda s: (s.unsent, 1),
        lambda s: (s.mixed, 1),
        lambda s: (s.mixed, 99),
    ),
    Action.MORE: (lambda s: (s.answer,), lambda s: (s.unsent,), lambda s: (s.mixed,)),
    Action.FOLLOW_UP: (lambda s: (s.answer,), lambda s: (s.unsent,)),
    Action.THREAD: (lambda s: (s.answer,),),
    Action.HELPFUL: (lambda s: (s.answer,), lambda s: (s.unsent,)),
    Action.UNHELPFUL: (lambda s: (s.answer,), lambda s: (s.unsent,)),
    Action.REMOVE_ANSWER: (lambda s: (s.answer,), lambda s: (s.unsent,)),
    Action.DROP_FILTER: (lambda s: (s.answer, "article"), lambda s: (s.answer, "source")),
    Action.ADD_STORY: (lambda s: (s.story,),),
    Action.ADD_ANYWAY: (lambda s: (s.key,),),
    Action.LIST_STORIES: (lambda s: (1,), lambda s: (s.story,)),
    Action.SHOW_STORY: (lambda s: (s.story, 0), lambda s: (s.story, 999_999_999)),
    Action.EDIT_STORY: (lambda s: (s.story,),),
    Action.REMOVE_STORY: (lambda s: (s.story,), lambda s: (s.story, "yes")),
    Action.KEEP: (lambda s: (s.story,),),
    Action.HISTORY: (lambda s: (s.story, 0), lambda s: (s.story, 999_999_999)),
    Action.LIST_FEEDS: (lambda s: (s.feed,), lambda s: (999_999_999,)),
    Action.REBUILD: (lambda s: (s.alpha.id,),),
    Action.UNDO: (lambda s: (s.alpha.id,),),
    Action.CANCEL_REBUILD: (lambda s: (s.alpha.id,),),
    Action.FORGET_DIRECT: (lambda s: (s.alpha.member.id,),),
}
FORGED: dict[str, Entry] = {
    f"{action.name} {number}": partial(_press, action, values)
    for action, ways in PRESSED.items()
    for number, values in enumerate(ways)
} | {
    "a reply to a forged filter": _reply_to_forged_filter,
    "/ask source": lambda s: s.command("ask", question=QUESTION, source="zanzibar post 0"),
    "/ask source, typed": _typed("ask", "source", "post", question="x"),
    "/article show": lambda s: s.command("article show", article=s.story),
    "/article show by title": lambda s: s.command("article show", article="number 3"),
    "/article show, typed": _typed("article show", "article", "number"),
    "/article edit": lambda s: s.command("article edit", article=s.story),
    "/article edit to": lambda s: s.command("article edit", article=s.story, title="Mine"),
    "/article edit by title": lambda s: s.command("article edit", article="number 3", title="Mine"),
    "/article edit, typed": _typed("article edit", "article", "number"),
    "/article remove": lambda s: s.command("article remove", article=s.story),
    "/article remove, typed": _typed("article remove", "article", "number"),
    "/article history by id": lambda s: s.command("article history", article=s.story),
    "/article history by title": lambda s: s.command("article history", article="number 3"),
    "/article history, typed": _typed("article history", "article", "number"),
    "/article check": lambda s: s.command("article check", article=s.story),
    "/article check by title": lambda s: s.command("article check", article="number 3"),
    "/article check, typed": _typed("article check", "article", "number"),
    "/feed list": lambda s: s.command("feed list"),
    "/feed add": lambda s: s.command("feed add", url="http://10.0.0.1/feed"),
    "/feed test": lambda s: s.command("feed test", url="http://10.0.0.1/feed"),
    "/feed pause": lambda s: s.command("feed pause", feed=s.feed),
    "/feed pause by title": lambda s: s.command("feed pause", feed="Quaxley’s wire of Zanzibar"),
    "/feed pause, again": lambda s: s.command("feed pause", feed=s.feed, resume=True),
    "/feed pause, typed": _typed("feed pause", "feed", "wire"),
    "/feed remove": lambda s: s.command("feed remove", feed=s.feed),
    "/feed remove by address": lambda s: s.command("feed remove", feed="http://10.0.0.1/Zanzibar"),
    "/feed remove, typed": _typed("feed remove", "feed", "wire"),
    "/article search": lambda s: s.command("article search", query="trombone"),
    "/article list": lambda s: s.command("article list"),
    "/article add": lambda s: s.command("article add"),
    "/index status": lambda s: s.command("index status"),
    "/index verify": lambda s: s.command("index verify"),
    "/index rebuild": lambda s: s.command("index rebuild"),
    "/index undo": lambda s: s.command("index undo"),
    "/dm": lambda s: s.command("dm"),
    "/help": lambda s: s.command("help"),
    "/about": lambda s: s.command("about"),
    "Add story": _context_menu,
}


def cells(*parts: tuple[dict[str, Entry], tuple[str, ...]]) -> list[Any]:
    """Return each entry point with each place, as parameters of a test."""
    return [
        pytest.param(place, entry, id=f"{place}: {name}")
        for entries, places in parts
        for place in places
        for name, entry in entries.items()
    ]


@pytest.mark.parametrize(
    ("stage", "entry"),
    cells((READS, (*PLACES, "expelled")), (READS_HERE, HERE)),
    indirect=["stage"],
)
async def test_what_reads_shows_ones_own_side_and_nothing_of_the_other(
    stage: Stage, entry: Entry
) -> None:
    before = everything(stage)
    await entry(stage)
    assert any(word in body for word in stage.known for body in sent(stage))
    assert_nothing_of_the_other_side(stage)
    assert everything(stage) == before


@pytest.mark.parametrize(("stage", "entry"), cells((FORGED, PLACES)), indirect=["stage"])
async def test_the_other_sides_ids_open_and_change_nothing(stage: Stage, entry: Entry) -> None:
    before = everything(stage)
    await entry(stage)
    assert sent(stage), "the person is told something"
    assert_nothing_of_the_other_side(stage)
    assert everything(stage) == before
    waiting = stage.world.client.desk.pending._waiting
    assert stage.key in waiting, "what waits in the other server still waits there"


def test_every_button_there_is_stands_in_the_matrix() -> None:
    assert set(PRESSED) == set(Action)


@pytest.mark.parametrize(
    ("stage", "entry"), cells((READS | READS_HERE, ("home",))), indirect=["stage"]
)
async def test_the_same_ways_show_the_stories_to_those_whose_they_are(
    stage: Stage, entry: Entry
) -> None:
    await entry(stage)
    assert any(word in body for word in ALPHA for body in sent(stage))
    assert not [word for body in sent(stage) for word in BETA if word in body]


CHANGES = [Action.HELPFUL, Action.UNHELPFUL, Action.REMOVE_ANSWER, Action.REMOVE_STORY]
SHOWS = [
    *(Action.CONTEXT, Action.MORE, Action.DROP_FILTER),
    *(Action.SHOW_STORY, Action.EDIT_STORY, Action.ADD_ANYWAY, Action.HISTORY, Action.LIST_FEEDS),
]


@pytest.mark.parametrize("stage", ["home"], indirect=True)
@pytest.mark.parametrize("action", [*CHANGES, *SHOWS])
async def test_the_same_ids_work_where_they_belong(stage: Stage, action: Action) -> None:
    before = everything(stage)
    await stage.press(action, *PRESSED[action][-1 if action is Action.REMOVE_STORY else 0](stage))
    if action in SHOWS:
        assert any("Quaxley" in body for body in sent(stage))
    else:
        assert everything(stage) != before


@pytest.mark.parametrize("stage", ["home"], indirect=True)
@pytest.mark.parametrize("options", [{"resume": True}, {}])
async def test_the_same_feed_is_changed_where_it_belongs(
    stage: Stage, options: dict[str, Any]
) -> None:
    before = everything(stage)
    await stage.command("feed pause" if options else "feed remove", feed=stage.feed, **options)
    assert everything(stage) != before


@pytest.mark.parametrize("stage", ["home"], indirect=True)
async def test_the_counts_of_the_other_side_would_be_noticed(stage: Stage) -> None:
    for way in ("article list", "index status"):
        stage.world.env.http_requests.clear()
        await stage.command(way)
        assert max(n for body in sent(stage) for n in counts(body)) >= STORIES


async def test_a_rebuild_of_another_server_is_neither_seen_nor_stopped(stage: Stage) -> None:
    theirs = _Running("rebuild", 0.0)
    stage.world.client.desk.rebuilds._running[stage.alpha.id] = theirs
    await stage.press(Action.CANCEL_REBUILD)
    assert "Nothing is being rebuilt now." in sent(stage)[0]
    await stage.command("index status")
    assert not [body for body in sent(stage) if "under way" in body]
    await stage.command("index rebuild")
    assert "Rebuild the index of 1 story?" in sent(stage)[-1]
    assert not theirs.cancelled
    assert not theirs.stop.is_set()
    del stage.world.client.desk.rebuilds._running[stage.alpha.id]


async def test_a_story_that_another_server_has_is_new_here(stage: Stage) -> None:
    text_of = with_session(stage, lambda s: s.own.articles.get(stage.story).text, stage.alpha.id)
    before = everything(stage)
    written = await stage.say_as_author(text_of)
    assert isinstance(stage.who, MemberActor)
    done = await stage.who.context_menu(stage.channel, "Add story", written)
    assert done.response is not None
    assert said(done.response).startswith("Added **“Quaxley")
    assert everything(stage) == before


@pytest.mark.parametrize("kind", ["edit", "add"])
async def test_a_form_that_was_opened_in_one_server_does_nothing_to_it_from_another(
    stage: Stage, kind: str
) -> None:
    in_alpha = stage.alpha.admin
    options = {"article": stage.story} if kind == "edit" else {}
    shown = await in_alpha.slash(stage.alpha.channel, f"article {kind}", **options)
    assert shown.modal is not None
    stage.world.env.http_requests.clear()
    before = everything(stage)
    values = {"title": "Taken", "text": "Taken over by another server."}
    filled = [
        {
            "type": label["type"],
            "id": label["id"],
            "component": {
                "type": (field := label["component"])["type"],
                "custom_id": field["custom_id"],
                **({"values": []} if field["type"] == 19 else {}),
                **({"value": values.get(field["custom_id"], "")} if field["type"] == 4 else {}),
            },
        }
        for label in shown.modal["components"]
    ]
    data = {"custom_id": shown.modal["custom_id"], "components": filled}
    await stage.interact(InteractionType.MODAL_SUBMIT, data)
    assert sent(stage)
    assert_nothing_of_the_other_side(stage)
    assert everything(stage) == before


WAYS_OUT: dict[str, Callable[[Stage, UserHandle], Awaitable[Any]]] = {
    "leaves the server": lambda s, u: _do(lambda: s.alpha.guild.remove_member(u)),
    "sees the bot leave": lambda s, u: _do(lambda: s.world.env.backend.remove_guild(s.alpha.id)),
    "chooses another": lambda s, u: s.who.slash(s.channel, "dm"),  # type: ignore[call-arg, arg-type]
    "chooses none": lambda s, u: _forget(s, u),
}


@pytest.mark.parametrize("then", ["Context", "More quotes", "Ask a follow-up", "a reply", "/ask"])
@pytest.mark.parametrize("way", WAYS_OUT)
async def test_an_old_direct_answer_shows_no_more_once_its_reader(
    stage: Stage, way: str, then: str
) -> None:
    assert isinstance(stage.who, MemberActor)
    user = stage.who.user
    await user.send_dm(QUESTION)
    old = user.dm_channel.last_message
    assert old is not None
    assert "Quaxley" in said(old), "the person had chosen that server"
    await WAYS_OUT[way](stage, user)
    stage.world.env.http_requests.clear()
    if then == "a reply":
        reference = {"message_id": str(old.id), "channel_id": str(user.dm_channel.id)}
        await user.send_dm(QUESTION, reference=reference)
    elif then == "/ask":
        await user.slash("ask", question=QUESTION)
    elif then == "Ask a follow-up":
        await user.submit_modal(await user.click(old, label=then), {"question": QUESTION})
    else:
        button_of = [i for i in buttons(old, Action.CONTEXT)][:1]
        await user.click(
            old, **({"custom_id": button_of[0]} if then == "Context" else {"label": then})
        )
    assert sent(stage)
    assert_nothing_of_the_other_side(stage)
