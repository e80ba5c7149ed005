"""Two servers with stories, and a person who tries to reach those of the other one.

Alphaville is the other side throughout. The person is an administrator of Betatown and, until they
leave, one of Alphaville too: what counts is where they ask, not who they are.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
from simcord.actors import MemberActor, _dispatch_actor_interaction
from simcord.builders import ChannelHandle, UserHandle
from simcord.enums import InteractionType
from simcord.results import InteractionResult

from data.answers import GivenCitation, Place
from data.feeds import FeedStore
from data.models import Span
from data.origins import Origin
from data.pages import Page
from handlers.layouts.layout import Action, Layout, button, panel, row, text
from tests.fakes import story, wire
from tests.simulated.world import Server, World, buttons

QUESTION = "Who opened the harbour bridge?"
# Words that only one side's stories, people and links have.
ALPHA = ("Quaxley", "Zanzibar", "Zora", "Alphaville")
BETA = ("Berta", "Gazette", "Betatown")
SHARED = ("Samuel", "Shoreline")
STORIES = 9  # of Alphaville: more than fit on one page of the list
TABLES = ("articles", "revisions", "external_ids", "origins", "pages", "builds", "chunks")


@dataclass
class Stage:
    """Two servers with stories and answers, and a person who tries to reach the other side."""

    world: World
    alpha: Server
    beta: Server
    who: MemberActor | UserHandle
    channel: ChannelHandle
    secrets: tuple[str, ...]
    known: tuple[str, ...]
    story: str = ""  # of Alphaville
    feed: str = ""  # that Alphaville follows
    answer: str = ""  # in Alphaville
    unsent: str = ""  # in Alphaville, not sent yet
    mixed: str = ""  # here, but it cites Alphaville's story
    key: str = ""  # of a story that waits in Alphaville
    citations: list[GivenCitation] = field(default_factory=list)

    @property
    def guild_id(self) -> int | None:
        """Return the server that the person is in, if they are in one."""
        return self.who.guild.id if isinstance(self.who, MemberActor) else None

    @property
    def user_id(self) -> int:
        """Return the person's id."""
        return self.who.id

    @property
    def home(self) -> bool:
        """Return whether the person is in Alphaville itself."""
        return self.guild_id == self.alpha.id

    async def say(self, words: str, reply_to: Any = None) -> None:
        """Write a message."""
        if isinstance(self.who, MemberActor):
            await self.who.send(self.channel, words, reply_to=reply_to)
            return
        reference = None
        if reply_to is not None:
            reference = {"message_id": str(reply_to.id), "channel_id": str(self.channel.id)}
        await self.who.send_dm(words, reference=reference)

    async def say_as_author(self, words: str) -> discord.Message:
        """Write a message that does not ask the bot anything, and return it."""
        if isinstance(self.who, MemberActor):
            return await self.who.send(self.channel, words)
        return await self.who.send_dm(words)

    async def interact(self, kind: int, data: dict[str, Any]) -> InteractionResult:
        """Send an interaction as a client could that shows no command only where it fits."""
        return await _dispatch_actor_interaction(self.who, kind, self.channel, data)

    async def command(
        self, path: str, focused: str | None = None, **options: Any
    ) -> InteractionResult:
        """Use a command, or type into its option that is focused."""
        first, *rest = path.split()
        root = self.world.env.backend.find_command(first, None)
        assert root is not None
        kinds = {str: 3, bool: 5}
        given: list[dict[str, Any]] = [
            {"name": name, "type": kinds[type(value)], "value": value, "focused": name == focused}
            for name, value in options.items()
        ]
        for part in reversed(rest):
            given = [{"type": 1, "name": part, "options": given}]
        data = {"id": root["id"], "name": first, "type": 1, "options": given}
        kind = InteractionType.APPLICATION_COMMAND
        if focused:
            kind = InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE
        return await self.interact(kind, data)

    async def bot_says(self, *items: Any) -> discord.Message:
        """Let the bot itself send something where the person is."""
        channel = self.world.client.get_partial_messageable(self.channel.id)
        return await channel.send(view=Layout(*items))

    async def press(self, action: Action, *values: str | int) -> Any:
        """Press a button with that id in a message of the bot's that shows a question."""
        question = panel(text(f"### {QUESTION}"))
        message = await self.bot_says(question, row(button("Forged", action, *values)))
        if values and (values[0] == self.mixed or (self.home and values[0] == self.answer)):
            # Here it is as if this message were the answer's own.
            place = (str(values[0]), message.id, self.channel.id)
            with_session(self, lambda s: s.answers.sent(*place))
        self.world.env.http_requests.clear()
        return await self.who.click(message, label="Forged")


def with_session(stage: Stage, work: Callable[[Any], Any], guild_id: int | None = None) -> Any:
    """Return what the work returns on a session of a server, or of none."""
    session = stage.world.session(guild_id)
    try:
        return work(session)
    finally:
        session.close()


def cite(stage: Stage, session: Any) -> list[GivenCitation]:
    """Return a quote of Alphaville's first story."""
    revision = session.own.articles.get(stage.story)
    name = session.own.collection.name
    return [GivenCitation(1, name, stage.story, revision.id, Span(0, 20), None)]


def write_stories(home: Path) -> tuple[Path, str]:
    """Make Alphaville's collection in that home; return its folder, and a story's id."""
    wiring = wire(home, name="alphaville")
    for number in range(STORIES):
        draft = story(
            f"Quaxley the {number}th opened the harbour bridge of Zanzibar with a trombone.",
            title=f"Quaxley opens harbour bridge number {number}",
            source=f"Zanzibar Post {number}",
            author="Zora Quill",
            date="2024-10-25",
        )
        first = wiring.indexer.add(draft).revision.article_id
    wiring.close()
    return wiring.collection.folder, first


async def set_stage(world: World, stories: tuple[Path, str], place: str) -> Stage:
    """Return everything set up, with the person in that place.

    `server` is Betatown, `home` Alphaville. The rest are direct messages: `direct` without a
    choice, `chosen` with Betatown chosen, `left` after leaving Alphaville, which was chosen, and
    `expelled` after the bot left it.
    """
    alpha, beta = world.server("Alphaville"), world.server("Betatown")
    folder, first = stories
    shutil.copytree(folder, world.home / "collections" / str(alpha.id))
    world.add(
        beta.id,
        "Berta Bell opened the harbour bridge on Tuesday.",
        title="Berta opens harbour bridge",
        source="Gazette",
        date="2024-10-26",
    )
    world.add(
        None,
        "Samuel Shore opened the harbour bridge on Sunday.",
        title="Samuel opens harbour bridge",
        source="Shoreline",
        date="2024-10-24",
    )
    user = world.env.create_user("eve")
    in_alpha = alpha.guild.add_member(user, roles=[alpha.guild.roles["Administrators"]])
    in_beta = beta.guild.add_member(user, roles=[beta.guild.roles["Administrators"]])
    chosen = {"server": alpha, "chosen": beta, "left": alpha, "expelled": alpha}.get(place)
    direct = (user, user.dm_channel, ALPHA + BETA, SHARED)
    ways: dict[str, tuple[MemberActor | UserHandle, ChannelHandle, Any, Any]] = {
        "server": (in_beta, beta.channel, ALPHA, BETA + SHARED),
        "home": (in_alpha, alpha.channel, BETA, ALPHA + SHARED),
        "chosen": (user, user.dm_channel, ALPHA, BETA + SHARED),
    }
    who, channel, secrets, known = ways.get(place, direct)
    made = Stage(world, alpha, beta, who, channel, secrets, known, story=first)

    def remember(session: Any) -> None:
        link = f"https://discord.com/channels/{alpha.id}/{alpha.channel.id}/1"
        session.own.origins.record(Origin(first, alpha.member.id, link))
        page = "http://10.0.0.1/zanzibar"  # nothing is ever fetched from there
        session.own.rechecks.record(first, Page(b"", page, page))
        made.feed = follow(session, alpha, "Quaxley’s wire of Zanzibar")
        follow(session, beta, "Wire of the Gazette")
        quote = cite(made, session)
        there = Place(alpha.id, alpha.channel.id)
        made.answer = session.answers.add(there, user.id, quote)
        session.answers.sent(made.answer, 1, alpha.channel.id)
        made.unsent = session.answers.add(there, user.id, quote)
        made.mixed = session.answers.add(Place(made.guild_id, channel.id), user.id, quote)
        for voter in (alpha.member, alpha.contributor, alpha.admin):
            session.answers.vote(made.answer, voter.id, helpful=True)
        if chosen is not None:
            session.guilds.choose_for_direct(user.id, chosen.id)

    with_session(made, remember, alpha.id)
    made.key = await waiting_key(made, in_alpha)
    if place == "left":
        alpha.guild.remove_member(user)
    if place == "expelled":
        world.env.backend.remove_guild(alpha.id)
    await world.env.settle()
    world.env.http_requests.clear()
    return made


def follow(session: Any, server: Server, title: str) -> str:
    """Let a server follow a feed, which is paused so that it is never asked; return its number."""
    store = FeedStore(session.memory, str(server.id))
    url = f"http://10.0.0.1/{title.split()[-1]}"
    channel = server.channel.id
    feed = store.add(
        url,
        title=title,
        added_by=server.contributor.id,
        channel_id=channel,
        announce_id=channel,
        daily_limit=2,
    )
    store.pause(feed.id, f"{title} is too loud.")
    return str(feed.id)


async def waiting_key(stage: Stage, who: MemberActor) -> str:
    """Return the key of a story that the person brought in Alphaville and did not add yet."""
    hidden = discord.PermissionOverwrite(view_channel=False)
    cellar = stage.alpha.guild.create_text_channel(
        "cellar", overwrites={stage.alpha.guild.default_role: hidden}
    )
    file = ("quaxley.txt", b"Quaxley closed the harbour bridge of Zanzibar on Friday.")
    result = await who.slash(cellar, "article add", file=file)
    assert result.response is not None
    (found,) = buttons(result.response, Action.ADD_ANYWAY)
    return found.rsplit(":", 1)[1]


def sent(stage: Stage) -> list[str]:
    """Return the bodies of everything that the bot sent, as text."""
    requests = stage.world.env.http_requests
    return [json.dumps(r.json, ensure_ascii=False) for r in requests if r.json is not None]


def everything(stage: Stage) -> str:
    """Return what there is of Alphaville: stories, index, answers, votes, choices, runs, feeds."""

    def look(session: Any) -> list[Any]:
        db, memory = session.own.db, session.memory
        here = "SELECT id FROM answers WHERE guild_id = :id"
        return [
            *(list(db.query(f"SELECT * FROM {table} ORDER BY 1")) for table in TABLES),  # noqa: S608
            *(
                list(memory.query(sql, {"id": stage.alpha.id, "who": stage.who.id}))
                for sql in (
                    "SELECT id, asker_id FROM answers WHERE guild_id = :id ORDER BY 1",
                    f"SELECT * FROM citations WHERE answer_id IN ({here}) ORDER BY 1, 2",  # noqa: S608
                    f"SELECT * FROM votes WHERE answer_id IN ({here}) ORDER BY 1, 2",  # noqa: S608
                    "SELECT * FROM direct_choices WHERE user_id != :who ORDER BY 1",
                    "SELECT * FROM rebuilds WHERE guild_id = :id ORDER BY 1",
                    "SELECT * FROM feeds WHERE collection = CAST(:id AS TEXT) ORDER BY 1",
                )
            ),
        ]

    return repr(with_session(stage, look, stage.alpha.id))


def counts(body: str) -> Iterable[int]:
    """Return the numbers of stories, versions, passages, votes and pages that a text names."""
    body = body.replace("\\n", "\n").replace("*", "")
    nouns = r"(?:stor(?:y|ies)|versions?|passages?|helpful|not helpful|vectors?)\b"
    named = re.findall(rf"\b([\d,]+) {nouns}", body) + re.findall(
        r"(?:Stories:|Page \d+ of) (\d+)\b", body
    )
    return [int(number.replace(",", "")) for number in named]


def assert_nothing_of_the_other_side(stage: Stage) -> None:
    """Look through the whole of what was sent."""
    ids = with_session(
        stage, lambda s: {h.article_id for h in s.own.headlines.page(limit=99)}, stage.alpha.id
    )
    for body in sent(stage):
        assert not [word for word in stage.secrets if word in body]
        assert not [i for i in ids - {stage.story} if i in body]
        assert str(stage.alpha.id) not in body
        assert max(counts(body), default=0) <= 2, "own and shared stories are no more than two"
