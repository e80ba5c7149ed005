"""Who may do what: every way into the stories and the index, for each kind of person."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from simcord._modal import _modal_submit_nodes
from simcord.actors import MemberActor, MessageLike, _dispatch_actor_interaction
from simcord.backend import serializers
from simcord.backend.errors import SetupError
from simcord.builders import ChannelHandle, UserHandle
from simcord.components import validate_modal
from simcord.enums import AppCommandType, ComponentType, InteractionType
from simcord.interactions import build_options, nest_options, walk_to_subcommand
from simcord.results import InteractionResult

from data.builds import BuildState, BuildStore
from data.feeds import FeedStore
from data.models import Revision
from data.pages import Page
from handlers.layouts.layout import Action, custom_id
from handlers.pending import ReadStory, Waiting
from tests.fakes import story
from tests.simulated.test_stories import FILE, TEXT, answered
from tests.simulated.world import Server, World, labels, said

Actor = MemberActor | UserHandle

INSIDE = "http://10.0.0.1/feed"  # nothing is ever fetched from there
CONTRIBUTORS_ONLY = "Only people who may manage messages here can add, change or remove stories."
ADMINISTRATORS_ONLY = "Only administrators of this server can do that."
SERVERS_ONLY = "That works in a server only."


# --- what a client of somebody's own making could send, past all that Discord's would hide


async def press(
    who: Actor, channel: ChannelHandle, message: MessageLike, forged_id: str
) -> InteractionResult:
    """Press a button that need not stand in the message, nor the message be theirs to see."""
    backend = who._env.backend
    stored = backend.get_message(channel.id, message.id)
    return await _dispatch_actor_interaction(
        who,
        InteractionType.MESSAGE_COMPONENT,
        channel,
        {"custom_id": forged_id, "component_type": ComponentType.BUTTON},
        extra={"message": dict(serializers.message_payload(backend, stored))},
        source_message_id=stored.id,
    )


async def command(
    who: Actor, channel: ChannelHandle, path: str, *, focused: str | None = None, **options: Any
) -> InteractionResult:
    """Send a command that need not be offered to the person; `focused` asks to complete one."""
    backend = who._env.backend
    name, *rest = path.split()
    root = backend.find_command(name, None)
    assert root is not None
    leaf, nesting = walk_to_subcommand(root, rest)
    values, resolved = build_options(
        who, path, leaf, options, partial=focused is not None, channel_id=channel.id
    )
    if focused is not None:
        values = [{**value, "focused": value["name"] == focused} for value in values]
    data = {
        "id": root["id"],
        "name": name,
        "type": AppCommandType.CHAT_INPUT,
        "options": nest_options(root, nesting, values),
        "resolved": resolved,
    }
    kind = InteractionType.APPLICATION_COMMAND
    if focused is not None:
        kind = InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE
    return await _dispatch_actor_interaction(who, kind, channel, data)


async def message_menu(who: Actor, channel: ChannelHandle, message: MessageLike) -> Any:
    """Send the message menu's "Add story", which need not be offered to the person."""
    backend = who._env.backend
    root = backend.find_command("Add story", None, AppCommandType.MESSAGE)
    assert root is not None
    stored = backend.get_message(channel.id, message.id)
    payload = dict(serializers.message_payload(backend, stored))
    data = {
        "id": root["id"],
        "name": root["name"],
        "type": AppCommandType.MESSAGE,
        "target_id": str(message.id),
        "resolved": {"messages": {str(message.id): payload}},
    }
    return await _dispatch_actor_interaction(
        who, InteractionType.APPLICATION_COMMAND, channel, data
    )


async def submit(
    who: Actor, channel: ChannelHandle, form: InteractionResult, values: dict[str, Any]
) -> InteractionResult:
    """Send in a form that was opened for somebody else."""
    assert form.modal is not None
    spec = validate_modal(form.modal)
    components = _modal_submit_nodes(spec["components"], who, values, {}, channel.id, [])
    data = {"custom_id": spec["custom_id"], "components": components}
    return await _dispatch_actor_interaction(who, InteractionType.MODAL_SUBMIT, channel, data)


# --- the stage: one server, one story, and a person of each kind with a message of the bot's


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, the channel where they are, and a message of the bot's and a person's there."""

    actor: Actor
    channel: ChannelHandle
    answer: discord.Message
    message: discord.Message


@dataclass(frozen=True, slots=True)
class Stage:
    world: World
    server: Server
    story: Revision
    feed: int
    people: dict[str, Person]

    @property
    def state(self) -> tuple[object, ...]:
        """Return everything that somebody without the right must not have changed."""
        session = self.world.session(self.server.id)
        try:
            builds = BuildStore(session.writable.db)
            return (
                [(s.article_id, s.id) for s in session.writable.articles.current()],
                [s.id for s in session.shared.articles.current()],
                [build and build.id for build in map(builds.get, BuildState)],
                session.guilds.rebuilds(),
                [(f.id, f.paused) for f in FeedStore(session.memory, str(self.server.id)).all()],
                session.writable.rechecks.get(self.story.article_id),
                self.world.client.desk.rebuilds.is_running(self.server.id),
            )
        finally:
            session.close()


async def staged(world: World) -> Stage:
    server = world.server()
    added = world.add(server.id, TEXT, title="Bridge", source="Herald")
    session = world.session(server.id)
    session.writable.rechecks.record(added.article_id, Page(b"", INSIDE, INSIDE))
    feed = FeedStore(session.memory, str(server.id)).add(INSIDE, title="Wire")
    session.close()
    message = await server.member.send(server.channel, world.mention("Who opened the bridge?"))
    answer = server.channel.last_message
    assert answer is not None
    people: dict[str, Person] = {}
    for name in ("member", "contributor", "admin"):
        people[name] = Person(getattr(server, name), server.channel, answer, message)
    stranger = world.env.create_user("stranger")
    direct = await stranger.send_dm("Who opened the bridge?")
    answer = stranger.dm_channel.last_message
    assert answer is not None
    people["stranger"] = Person(stranger, stranger.dm_channel, answer, direct)
    return Stage(world, server, added, feed.id, people)


Way = Callable[[Stage, Person], Awaitable[InteractionResult]]


def _command(path: str, *, story: bool = False, **options: Any) -> Way:
    async def way(stage: Stage, person: Person) -> InteractionResult:
        named = {"article": stage.story.article_id} if story else {}
        return await command(person.actor, person.channel, path, **named, **options)

    return way


def _button(action: Action, *values: str | int, story: bool = False) -> Way:
    async def way(stage: Stage, person: Person) -> InteractionResult:
        named = (stage.story.article_id,) if story else ()
        forged = custom_id(action, *named, *values)
        return await press(person.actor, person.channel, person.answer, forged)

    return way


async def _add_message(stage: Stage, person: Person) -> InteractionResult:
    result: InteractionResult = await message_menu(person.actor, person.channel, person.message)
    return result


async def _add_anyway(stage: Stage, person: Person) -> InteractionResult:
    """Press "Add it" for a story of their own, so that nothing but the right is missing."""
    brought = (ReadStory(story("The toll was raised.")),)
    waiting = Waiting(stage.server.id, person.actor.id, brought, None)
    key = stage.world.client.desk.pending.put(waiting)
    forged = custom_id(Action.ADD_ANYWAY, key)
    return await press(person.actor, person.channel, person.answer, forged)


async def _story_form(stage: Stage, person: Person) -> InteractionResult:
    form = await command(stage.server.admin, stage.server.channel, "article add")
    return await submit(person.actor, person.channel, form, {"text": "The toll was raised."})


async def _details_form(stage: Stage, person: Person) -> InteractionResult:
    form = await command(
        stage.server.admin, stage.server.channel, "article edit", article=stage.story.article_id
    )
    return await submit(person.actor, person.channel, form, {"title": "Forged"})


def _feed(path: str, **options: Any) -> Way:
    async def way(stage: Stage, person: Person) -> InteractionResult:
        return await command(person.actor, person.channel, path, feed=str(stage.feed), **options)

    return way


FOR_CONTRIBUTORS: dict[str, Way] = {
    "/article add, a file": _command("article add", file=FILE),
    "/article add, the form": _command("article add"),
    "/article edit, options": _command("article edit", story=True, source="Gazette"),
    "/article edit, the form": _command("article edit", story=True),
    "/article remove": _command("article remove", story=True),
    "menu: Add story": _add_message,
    "button: add a story": _button(Action.ADD_STORY),
    "button: add it": _add_anyway,
    "button: edit details": _button(Action.EDIT_STORY, story=True),
    "button: remove": _button(Action.REMOVE_STORY, story=True),
    "button: remove for good": _button(Action.REMOVE_STORY, "yes", story=True),
    "form: a story": _story_form,
    "form: details": _details_form,
    "/article check": _command("article check", story=True),
    "/feed pause": _feed("feed pause"),
    "/feed remove": _feed("feed remove"),
}
# What changes nothing by itself, and is not for everybody all the same.
SHOWN_TO_CONTRIBUTORS: dict[str, tuple[Way, str]] = {
    "/article add, an address": (_command("article add", url=INSIDE), "10.0.0.1 is not"),
    "/feed add": (_command("feed add", url=INSIDE), "10.0.0.1 is not"),
    "/feed test": (_command("feed test", url=INSIDE), "10.0.0.1 is not"),
    "/feed list": (_command("feed list"), "**Wire**"),
    "button: a page of the feeds": (_button(Action.LIST_FEEDS, 0), "**Wire**"),
}
FOR_ADMINISTRATORS: dict[str, Way] = {
    "/index status": _command("index status"),
    "/index rebuild": _command("index rebuild"),
    "/index verify": _command("index verify"),
    "/index undo": _command("index undo"),
    "button: rebuild": _button(Action.REBUILD),
    "button: go back": _button(Action.UNDO),
    "button: cancel": _button(Action.CANCEL_REBUILD),
}
FOR_THE_SERVER: dict[str, Way] = {
    "/article list": _command("article list"),
    "/article show": _command("article show", story=True),
    "/article search": _command("article search", query="bridge"),
    "/article history": _command("article history", story=True),
    "button: a version of a story": _button(Action.HISTORY, 0, story=True),
    "button: a page of the list": _button(Action.LIST_STORIES, 0),
    "button: a page of a story": _button(Action.SHOW_STORY, 0, story=True),
}


def _told(result: InteractionResult) -> str:
    """Return what the person alone was told."""
    assert result.modal is None
    message = answered(result)
    assert message.ephemeral
    assert result.followups == []
    return said(message)


@pytest.mark.parametrize("way", [*FOR_CONTRIBUTORS, *SHOWN_TO_CONTRIBUTORS])
async def test_only_contributors_change_stories_and_follow_feeds(world: World, way: str) -> None:
    stage = await staged(world)
    before = stage.state
    shown = {name: use for name, (use, _) in SHOWN_TO_CONTRIBUTORS.items()}
    for name, words in (("member", CONTRIBUTORS_ONLY), ("stranger", SERVERS_ONLY)):
        result = await (FOR_CONTRIBUTORS | shown)[way](stage, stage.people[name])
        assert _told(result) == words
        assert stage.state == before


@pytest.mark.parametrize("way", FOR_ADMINISTRATORS)
async def test_only_administrators_run_the_index(world: World, way: str) -> None:
    stage = await staged(world)
    before = stage.state
    refusals = [
        ("member", ADMINISTRATORS_ONLY),
        ("contributor", ADMINISTRATORS_ONLY),
        ("stranger", SERVERS_ONLY),
    ]
    for name, words in refusals:
        result = await FOR_ADMINISTRATORS[way](stage, stage.people[name])
        assert _told(result) == words
        assert stage.state == before


@pytest.mark.parametrize("way", FOR_THE_SERVER)
async def test_the_stories_of_a_server_are_read_by_its_members_and_nobody_else(
    world: World, way: str
) -> None:
    stage = await staged(world)
    assert _told(await FOR_THE_SERVER[way](stage, stage.people["stranger"])) == SERVERS_ONLY
    for name in ("member", "contributor", "admin"):
        assert "Bridge" in _told(await FOR_THE_SERVER[way](stage, stage.people[name]))


@pytest.mark.parametrize("name", ["contributor", "admin"])
@pytest.mark.parametrize("way", FOR_CONTRIBUTORS)
async def test_who_may_change_stories_is_let_through_by_every_way(
    world: World, way: str, name: str
) -> None:
    stage = await staged(world)
    before = stage.state
    result = await FOR_CONTRIBUTORS[way](stage, stage.people[name])
    if result.modal is not None:  # a form was opened
        assert result.modal["title"] in ("Add a story", "Edit a story’s details")
    elif "Remove for good" in labels(answered(result)):  # it is asked first
        assert stage.state == before
    else:
        assert stage.state != before


@pytest.mark.parametrize("name", ["contributor", "admin"])
@pytest.mark.parametrize("way", SHOWN_TO_CONTRIBUTORS)
async def test_who_may_change_stories_is_shown_what_others_are_not(
    world: World, way: str, name: str
) -> None:
    stage = await staged(world)
    use, words = SHOWN_TO_CONTRIBUTORS[way]
    result = await use(stage, stage.people[name])
    assert words in said((result.followups or [answered(result)])[-1])


@pytest.mark.parametrize("way", FOR_ADMINISTRATORS)
async def test_administrators_are_let_through_by_every_way(world: World, way: str) -> None:
    stage = await staged(world)
    result = await FOR_ADMINISTRATORS[way](stage, stage.people["admin"])
    words = said(answered(result))
    assert words
    assert ADMINISTRATORS_ONLY not in words
    assert "incident" not in words


@pytest.mark.parametrize(
    ("name", "completed"),
    [("member", 0), ("stranger", 0), ("contributor", 1), ("admin", 1)],
)
@pytest.mark.parametrize(
    ("path", "option", "typed"),
    [
        ("article edit", "article", "Br"),
        ("article remove", "article", "Br"),
        ("article check", "article", "Br"),
        ("feed pause", "feed", "Wi"),
        ("feed remove", "feed", "Wi"),
    ],
)
async def test_what_may_be_changed_is_completed_for_those_who_may(
    world: World, path: str, option: str, typed: str, name: str, completed: int
) -> None:
    stage = await staged(world)
    person = stage.people[name]
    result = await command(person.actor, person.channel, path, focused=option, **{option: typed})
    assert result.autocomplete_choices is not None
    assert len(result.autocomplete_choices) == completed


@pytest.mark.parametrize(
    ("name", "completed"),
    [("member", 1), ("stranger", 0), ("contributor", 1), ("admin", 1)],
)
@pytest.mark.parametrize("path", ["article show", "article history"])
async def test_titles_to_read_are_completed_in_the_server_alone(
    world: World, path: str, name: str, completed: int
) -> None:
    stage = await staged(world)
    person = stage.people[name]
    result = await command(person.actor, person.channel, path, focused="article", article="Br")
    assert result.autocomplete_choices is not None
    assert len(result.autocomplete_choices) == completed


# --- rights that change meanwhile, and rights elsewhere


async def test_a_right_that_was_lost_since_the_message_was_opened_counts(world: World) -> None:
    stage = await staged(world)
    server = stage.server
    asked = await server.contributor.slash(
        server.channel, "article remove", article=stage.story.article_id
    )
    form = await server.contributor.slash(
        server.channel, "article edit", article=stage.story.article_id
    )
    before = stage.state
    member = world.env.backend.get_member(server.id, server.contributor.id)
    member.role_ids.clear()
    late = await server.contributor.click(answered(asked), label="Remove for good")
    assert _told(late) == CONTRIBUTORS_ONLY
    sent = await server.contributor.submit_modal(form, {"title": "Forged"})
    assert _told(sent) == CONTRIBUTORS_ONLY
    assert stage.state == before


async def test_an_administrator_of_another_server_is_nobody_here(world: World) -> None:
    stage = await staged(world)
    other = world.server("Other")
    own = await other.admin.slash(other.channel, "article add", file=FILE)
    before = stage.state
    foreign = Person(other.admin, other.channel, answered(own).message, answered(own).message)
    for way in (
        _button(Action.SHOW_STORY, 0, story=True),
        _button(Action.EDIT_STORY, story=True),
        _button(Action.REMOVE_STORY, story=True),
        _button(Action.REMOVE_STORY, "yes", story=True),
        _command("article show", story=True),
        _command("article edit", story=True, source="Forged"),
        _command("article remove", story=True),
        _command("article history", story=True),
        _command("article check", story=True),
        _button(Action.HISTORY, 0, story=True),
    ):
        result = await way(stage, foreign)
        assert result.modal is None
        told = [said(m) for m in (answered(result), *result.followups)]
        assert "There is no such story here. Choose one from the list." in told
        assert stage.state == before


async def test_a_server_may_offer_a_command_to_all_and_it_still_checks(world: World) -> None:
    stage = await staged(world)
    server = stage.server
    offered = [(name, AppCommandType.CHAT_INPUT) for name in ("index", "feed")]
    for name, kind in (*offered, ("Add story", AppCommandType.MESSAGE)):
        found = world.env.backend.find_command(name, None, kind)
        assert found is not None
        server.guild.set_command_permissions(int(found["id"]), {server.guild.default_role: True})
    before = stage.state
    for who in (server.member, server.contributor):
        assert _told(await who.slash(server.channel, "index status")) == ADMINISTRATORS_ONLY
    assert _told(await server.member.slash(server.channel, "feed list")) == CONTRIBUTORS_ONLY
    menu = await server.member.context_menu(
        server.channel, "Add story", stage.people["member"].message
    )
    assert _told(menu) == CONTRIBUTORS_ONLY
    assert stage.state == before


async def test_discord_itself_hides_what_somebody_may_not_do(world: World) -> None:
    stage = await staged(world)
    server = stage.server
    for who in (server.member, server.contributor):
        with pytest.raises(SetupError, match="default-member-permissions"):
            await who.slash(server.channel, "index status")
    with pytest.raises(SetupError, match="default-member-permissions"):
        await server.member.slash(server.channel, "feed list")
    with pytest.raises(SetupError, match="default-member-permissions"):
        await server.member.context_menu(
            server.channel, "Add story", stage.people["member"].message
        )
    stranger = stage.people["stranger"].actor
    assert isinstance(stranger, UserHandle)
    assert stranger.available_commands() == ("about", "ask", "dm", "help")


@pytest.mark.parametrize(
    "forged",
    [
        "pq:show",
        "pq:show:",
        "pq:show:../shared",
        "pq:edit",
        "pq:remove_story",
        "pq:remove_story::yes",
        "pq:add_anyway",
        "pq:list:-1",
        "pq:history",
        "pq:history:../shared:1",
        "pq:history:nobody:-1",
        "pq:feeds",
        "pq:feeds:-1",
        "pq:feeds:99999999999999999999",
        "pq:list:99999999999999999999",
        "pq:nothing",
        "pq:",
        "other:1",
        "x" * 100,
    ],
)
async def test_a_button_that_nobody_made_ends_in_words(world: World, forged: str) -> None:
    stage = await staged(world)
    before = stage.state
    person = stage.people["admin"]
    result = await press(person.actor, person.channel, person.answer, forged)
    assert result.modal is None
    assert said(answered(result))
    assert "incident" not in said(answered(result))
    assert "Remove for good" not in labels(answered(result))
    assert stage.state == before


async def test_where_the_bot_was_not_invited_itself_it_says_so(world: World) -> None:
    """A server can have the commands without the bot: then it knows neither roles nor channels."""
    stage = await staged(world)
    server = stage.server
    world.env.backend.emit("GUILD_DELETE", {"id": str(server.id)})
    await world.env.settle()
    for way in (
        FOR_CONTRIBUTORS["/article add, a file"],
        FOR_CONTRIBUTORS["menu: Add story"],
        FOR_CONTRIBUTORS["/article check"],
        *(use for use, _ in SHOWN_TO_CONTRIBUTORS.values()),
    ):
        result = await way(stage, stage.people["contributor"])
        told = "\n".join(said(m) for m in (answered(result), *result.followups))
        assert told
        assert "incident" not in told
