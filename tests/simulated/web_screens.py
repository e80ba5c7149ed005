"""The screens of stories from the web: links, feeds, copies, corrections, versions."""

from dataclasses import dataclass
from typing import Any, Protocol

from handlers.layouts.layout import Action
from tests.handlers.newsroom import Story, paragraph, walled_html
from tests.simulated.newsstand import Newsstand, follow, mark, poll
from tests.simulated.world import Server, World, buttons


class Takes(Protocol):
    """Takes a picture of a message."""

    async def take(self, name: str, target: Any, viewer: Any = None, height: int = 1000) -> None:
        """Draw the message under this name."""


@dataclass(frozen=True, slots=True)
class Report(Story):
    """A story in words that can be read in a picture."""

    words: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return self.words


_REST = (
    "Tamsin Orrell, who ran the signal box for thirty years, cut the ribbon. “I never thought I "
    "would see a train here again,” she said.",
    "Buses between the two towns stop running at the end of the month. The council says that the "
    "money goes into a new path along the river, which cyclists had asked for since 2019.",
)
RAILWAY = Report(
    "railway",
    title="Trains run to Quillhaven again after 41 years",
    author="Ann Reed",
    words=(
        "The railway between Larkmoor and Quillhaven reopened on Monday, 41 years after the last "
        "train. The work cost 212 million crowns, twelve million more than planned.",
        *_REST,
    ),
)
CORRECTED = Report(
    "railway",
    title=RAILWAY.title,
    author="Ann Reed",
    words=(
        "The railway between Larkmoor and Quillhaven reopened on Monday, 41 years after the last "
        "train. The work cost 221 million crowns, twelve million more than planned.",
        *_REST,
    ),
)
LIBRARY = Report(
    "library",
    title="Library roof holds, engineers say",
    words=(
        "The roof of Larkmoor library is safe, two engineers told the council on Thursday. It had "
        "been propped up since the storm in March.",
        "The reading room opens again in May. Until then books can be had at the town hall, where "
        "three clerks have been lending them from a cloakroom.",
    ),
)
WALLED = Story("budget", title="What the budget means for schools")


async def web_screens(world: World, camera: Takes, server: Server, stand: Newsstand) -> None:
    """Draw what people see of stories from the web."""
    channel, member, editor = server.channel, server.member, server.contributor
    for story in (RAILWAY, LIBRARY):
        stand.publish(story)
    stand.publish(WALLED, walled_html(WALLED))
    links = " and ".join(stand.url(story) for story in (RAILWAY, WALLED))
    shared = await member.send(channel, f"Worth reading: {links}")
    added = await editor.context_menu(channel, "Add story", shared)
    await camera.take("links", added.response, viewer=editor)
    told = added.followups[-1] if added.followups else None
    if told is not None:
        await camera.take("links-refused", told, viewer=editor)

    carried = RAILWAY.words[:1] + _REST[:1]
    world.add(server.id, "\n\n".join(carried), title="First train in 41 years", source="Tarn Press")
    question = "How many million crowns did the work on the railway cost?"
    answer = await member.slash(channel, "ask", question=question)
    await camera.take("copies", answer.response)
    if answer.response is None:
        raise RuntimeError("there is no answer to draw")
    stand.publish(CORRECTED)
    await stand.look_again(server)
    await mark(world)
    await camera.take("corrected", answer.response)
    context = await member.click(
        answer.response, custom_id=buttons(answer.response, Action.CONTEXT)[0]
    )
    await camera.take("corrected-context", context.response)
    history = await member.slash(channel, "article history", article=RAILWAY.title)
    await camera.take("history", history.response)

    stand.feed(
        stand.item(LIBRARY),
        stand.item(WALLED, summary=paragraph("budget", 12)),
        title="The Larkmoor Ledger",
    )
    await follow(server, stand)
    await poll(world)
    listed = await editor.slash(channel, "feed list")
    await camera.take("feeds", listed.response, viewer=editor)
