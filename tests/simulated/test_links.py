"""Stories by their addresses: the option, the form, a message's links; and pages as files."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import discord
import pytest
from simcord.results import InteractionResult

from data.articles import Saved
from data.errors import StorageError
from data.models import Draft
from handlers.adding import MAX_LINKS
from handlers.layouts.layout import Action
from index.indexer import Indexer
from tests.data.extraction.test_pdf import FULL, pdf
from tests.data.web.server import WebServer
from tests.handlers.newsroom import AUTHOR, DATE, PUBLISHER, page_html, walled_html
from tests.simulated.newsstand import BRIDGE, Newsstand, Told, last_words, publisher
from tests.simulated.test_stories import answered, only_story, stories
from tests.simulated.test_story_forms import moderators_only
from tests.simulated.world import Server, World, buttons, labels, said

FERRY = Told("ferry", title="Ferry sold", told=("Bob Ray sold the ferry on Friday.",))
UNTOLD = ("Traceback", "incident", "Error", "Exception", "None")


@pytest.fixture(autouse=True)
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebServer]:
    """The publisher's server, there before the bot is."""
    async with publisher(monkeypatch) as server:
        yield server


@pytest.fixture
def stand(world: World, web: WebServer) -> Newsstand:
    return Newsstand(world, web)


def titles(world: World, server: Server) -> list[str]:
    return sorted(s.attribution.title for s in stories(world, server.id))


async def brought(server: Server, written: str, **message: Any) -> InteractionResult:
    """Add the story of a message that a member wrote, by the menu."""
    sent = await server.member.send(server.channel, written, **message)
    return await server.contributor.context_menu(server.channel, "Add story", sent)


# --- by the address


async def test_a_story_is_read_at_its_address_and_stored_with_whose_it_is(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    message = await stand.add(server, BRIDGE)
    story = only_story(world, server)
    assert story.text == BRIDGE.text
    found = story.attribution
    assert (found.title, found.source, found.author) == (BRIDGE.title, PUBLISHER, AUTHOR)
    assert (found.published_at, found.url) == (DATE, stand.url(BRIDGE))
    assert "**“Bridge opened”**\n-# The Larkmoor Ledger · Ann Reed · <t:1741075200:f>" in said(
        message
    )
    assert f"by {server.contributor.mention} · {len(BRIDGE.text)} characters" in said(message)
    assert labels(message) == ["Show", "Edit details", "Remove"]
    assert not message.ephemeral
    (sent,) = [r.json or {} for r in world.env.http_requests if r.method == "PATCH"]
    assert sent["allowed_mentions"] == {"parse": []}
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    link = f"https://discord.com/channels/{server.id}/{server.channel.id}/{message.id}"
    assert f"added by {server.contributor.mention} · [the message]({link})" in said(shown.response)
    with closing(world.session(server.id)) as session:
        page = session.writable.rechecks.get(story.article_id)
        assert page is not None
        assert page.url == stand.url(BRIDGE)


async def test_what_the_person_says_wins_over_what_the_page_says(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE, source="The Gazette", title="At last", date="2024-10")
    found = only_story(world, server).attribution
    assert (found.title, found.source, found.author) == ("At last", "The Gazette", AUTHOR)
    assert (found.published_at, found.url) == ("2024-10", stand.url(BRIDGE))


async def test_the_same_address_again_changes_nothing_and_another_text_is_a_version(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    await stand.add(server, BRIDGE)
    url = f"  {stand.url(BRIDGE)}?utm_source=chat "
    again = await server.admin.slash(server.channel, "article add", url=url)
    assert "Nothing changed in **“Bridge opened”**" in said(again.response)
    stand.publish(replace(BRIDGE, told=("Cy Fox opened the bridge.",)))
    changed = await server.admin.slash(server.channel, "article add", url=url)
    assert "Stored a new version of **“Bridge opened”**" in said(changed.response)
    assert only_story(world, server).text.startswith("Cy Fox")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/wall", "The page shows only the beginning of its story; the rest is for subscribers."),
        ("/list", "This is a list of stories, not one of them. Use the link of one story."),
        ("/missing", "127.0.0.1 has no page at this address (404)."),
        ("/gone", "127.0.0.1 says that this page was taken away for good (410)."),
        ("/trouble", "127.0.0.1 has trouble of its own (500). Try again later."),
        ("/photo", "The address leads to a file of the kind image/png."),
        ("http://10.0.0.1/a", "10.0.0.1 is not to be found on the public web"),
        ("http://localhost/a", "localhost is not to be found on the public web"),
        ("http://[::ffff:127.0.0.1]/a", "is not to be found on the public web"),
        ("http://2130706433/a", "is not to be found on the public web"),
        ("https://", "is no address of a web page."),
        ("ftp://example.org/a", "A web address begins with https:// or http://."),
        ("Bridge opened", "A web address begins with https:// or http://."),
        ("http://ann:secret@example.org/", "holds a user name or password. Leave it out."),
    ],
)
async def test_an_address_without_a_story_is_refused_in_a_sentence(
    world: World, web: WebServer, address: str, why: str
) -> None:
    web.serve("/wall", walled_html(BRIDGE))
    web.serve("/list", "".join(f'<p><a href="/{n}">Story number {n}</a></p>' for n in range(50)))
    web.serve("/gone", status=410)
    web.serve("/trouble", status=500)
    web.serve("/photo", b"PNG", type="image/png")
    server = world.server()
    url = web.url(address) if address.startswith("/") else address
    result = await server.contributor.slash(server.channel, "article add", url=url)
    words = last_words(result)
    assert why in words
    assert words.endswith(".")
    assert "secret" not in words
    assert not [untold for untold in UNTOLD if untold in words]
    assert labels((result.followups or [answered(result)])[-1]) == []
    assert stories(world, server.id) == []


async def test_an_address_and_a_file_are_one_too_many(world: World, stand: Newsstand) -> None:
    server = world.server()
    url = stand.url(stand.publish(BRIDGE))
    result = await server.contributor.slash(
        server.channel, "article add", url=url, file=("a.txt", b"Text.")
    )
    assert last_words(result).startswith("There is an address and a file. Give one of them")
    assert stand.server.requests == []


async def test_what_a_page_says_cannot_become_a_mention_or_a_link(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    title = "@everyone [win](https://evil.example) ||now||"
    message = await stand.add(server, replace(BRIDGE, title=title, author="**Bo** `Ek`"))
    assert r"\@everyone \[win\](https\://evil.example) \|\|now\|\|" in said(message)
    assert r"\*\*Bo\*\* \`Ek\`" in said(message)


# --- in the form


async def test_an_address_that_is_pasted_into_the_form_is_read(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    url = stand.url(stand.publish(BRIDGE))
    form = await server.contributor.slash(server.channel, "article add")
    result = await server.contributor.submit_modal(
        form, {"text": f"\n {url} ", "source": "The Gazette"}
    )
    assert "Added **“Bridge opened”**" in said(result.response)
    story = only_story(world, server)
    assert (story.text, story.attribution.source) == (BRIDGE.text, "The Gazette")


async def test_an_address_among_words_in_the_form_is_text(world: World, stand: Newsstand) -> None:
    server = world.server()
    written = f"{stand.url(stand.publish(BRIDGE))} says that the bridge is open."
    form = await server.contributor.slash(server.channel, "article add")
    await server.contributor.submit_modal(form, {"text": written})
    assert only_story(world, server).text == written
    assert stand.server.requests == []


# --- in a message


@pytest.mark.parametrize(
    "written",
    [
        "{0}",
        "Look: {0}.",
        "<{0}>",
        "Is it true (see {0})?",
        "**{0}**, *{0}*, __{0}__",
        "~~{0}~~",
        "||{0}||",
        "`{0}`",
        "“{0}”",
        "[the bridge]({0})",
        "[the bridge](<{0}>)",
        "[{0}]({0})",
        "> {0}\n{0}",
        "# {0}",
        "{0}\n" + "x" * 250,
    ],
)
async def test_a_link_is_found_however_it_is_written(
    world: World, stand: Newsstand, written: str
) -> None:
    server = world.server()
    result = await brought(server, written.format(stand.url(stand.publish(BRIDGE))))
    assert last_words(result).startswith("Added **“Bridge opened”**"), last_words(result)
    assert only_story(world, server).text == BRIDGE.text
    assert stand.server.paths == [BRIDGE.path], "once, and nothing else"


@pytest.mark.parametrize("written", ["{0}", "({0})", "[the bridge]({0}).", "{0}),"])
async def test_brackets_that_belong_to_an_address_stay(
    world: World, stand: Newsstand, written: str
) -> None:
    server = world.server()
    story = replace(BRIDGE, slug="bridge_(Larkmoor)")
    await brought(server, written.format(stand.url(stand.publish(story))))
    assert stand.server.paths == [story.path]


async def test_the_story_is_linked_to_the_message_and_seen_by_its_bringer(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    sent = await server.member.send(server.channel, stand.url(stand.publish(BRIDGE)))
    result = await server.contributor.context_menu(server.channel, "Add story", sent)
    assert answered(result).ephemeral
    shown = await server.member.slash(server.channel, "article show", article="bridge")
    link = f"https://discord.com/channels/{server.id}/{server.channel.id}/{sent.id}"
    assert f"added by {server.contributor.mention} · [the message]({link})" in said(shown.response)


async def test_of_several_links_the_good_ones_come_in_and_the_rest_is_told(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    good = [stand.url(stand.publish(story)) for story in (BRIDGE, FERRY)]
    bad = [stand.url("/missing"), "http://10.0.0.1/a"]
    result = await brought(server, "\n".join([good[0], *bad, good[1]]))
    message = answered(result)
    assert titles(world, server) == ["Bridge opened", "Ferry sold"]
    assert "Added **“Bridge opened”**" in said(message)
    assert "Added **“Ferry sold”**" in said(message)
    assert "/missing: 127.0.0.1 has no page at this address (404)." in said(message)
    assert "10.0.0.1 is not to be found on the public web" in said(message)
    assert f"by {server.contributor.mention}" in said(message)
    assert labels(message) == ["Show", "Show"]
    assert len(buttons(message, Action.SHOW_STORY)) == 2
    again = await brought(server, "\n".join(good))
    assert said(again.response).count("Nothing changed in") == 2


async def test_links_of_which_none_holds_a_story_are_told_one_by_one(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    long = [stand.url(f"/missing/{n}/{'a' * 330}") for n in range(MAX_LINKS)]
    result = await brought(server, "\n".join(long))
    words = last_words(result)
    assert words.count("has no page at this address (404).") == MAX_LINKS
    assert len(words) <= 2000
    assert stories(world, server.id) == []


async def test_more_links_than_are_taken_at_once_are_refused_before_any_is_read(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    result = await brought(server, " ".join(stand.url(f"/{n}") for n in range(MAX_LINKS + 1)))
    assert last_words(result) == "That message has 6 links; at most 5 are added at once."
    assert stand.server.requests == []


async def test_a_long_message_with_a_link_is_the_story_itself(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    written = (
        f"{'Cy Fox closed the bridge again. ' * 20}\nSource: {stand.url(stand.publish(BRIDGE))}"
    )
    result = await brought(server, written)
    assert last_words(result).startswith("Added **“")
    assert only_story(world, server).text == written
    assert stand.server.requests == []


async def test_a_link_in_a_forwarded_message_is_read(world: World, stand: Newsstand) -> None:
    server = world.server()
    sent = await server.member.send(server.channel, stand.url(stand.publish(BRIDGE)))
    forwarded = await server.member.forward(sent, server.channel)
    await server.contributor.context_menu(server.channel, "Add story", forwarded)
    assert only_story(world, server).text == BRIDGE.text


async def test_a_file_in_a_message_comes_before_its_links(world: World, stand: Newsstand) -> None:
    server = world.server()
    url = stand.url(stand.publish(BRIDGE))
    result = await brought(server, url, attachments=[("a.txt", b"The ferry was sold.")])
    assert only_story(world, server).text == "The ferry was sold."
    assert "The text of the message is left out; its file was added." in last_words(result)
    assert stand.server.requests == []


# --- channels that not everybody sees


async def test_links_in_a_hidden_channel_are_asked_about_first(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    hidden = moderators_only(server)
    urls = [stand.url(stand.publish(story)) for story in (BRIDGE, FERRY)]
    sent = await server.contributor.send(hidden, " ".join([*urls, stand.url("/missing")]))
    result = await server.contributor.context_menu(hidden, "Add story", sent)
    question = answered(result)
    assert question.ephemeral
    assert "If “Bridge opened” and “Ferry sold” are added" in said(question)
    assert "**the whole server can read quotes from them**" in said(question)
    assert stories(world, server.id) == []
    await server.contributor.click(question, label="Add it")
    assert titles(world, server) == ["Bridge opened", "Ferry sold"]
    assert "Not everybody sees this channel" in said(answered(result))
    assert "has no page at this address (404)" in said(answered(result))


async def test_an_address_in_a_hidden_channel_can_be_left_out(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    url = stand.url(stand.publish(BRIDGE))
    result = await server.contributor.slash(moderators_only(server), "article add", url=url)
    assert answered(result).ephemeral
    await server.contributor.click(answered(result), label="Do not add it")
    assert said(answered(result)) == "Nothing was changed."
    assert stories(world, server.id) == []


async def test_trouble_with_one_of_several_stories_is_told_and_keeps_none_of_the_others_back(
    world: World, stand: Newsstand, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, add = world.server(), Indexer.add
    third = Told("pier", title="Pier burnt", told=("Cy Fox saw the pier burn.",))
    urls = [stand.url(stand.publish(story)) for story in (BRIDGE, FERRY, third)]

    def failing(self: Indexer, draft: Draft, **options: Any) -> Saved:
        if draft.attribution.title == FERRY.title:
            raise StorageError("The disk is full: /secret")
        return add(self, draft, **options)

    monkeypatch.setattr(Indexer, "add", failing)
    told = said((await brought(server, "\n".join(urls))).response)
    assert titles(world, server) == ["Bridge opened", "Pier burnt"]
    assert "Added **“Bridge opened”**" in told
    assert "Added **“Pier burnt”**" in told
    assert "⚠️ “Ferry sold”: I cannot read or write my stories at the moment." in told
    assert "secret" not in told


async def test_what_is_noted_of_each_of_several_stories_is_told(
    world: World, stand: Newsstand
) -> None:
    server = world.server()
    early = replace(FERRY, published_at="2999-01-01T00:00:00+00:00")
    urls = [stand.url(stand.publish(story)) for story in (BRIDGE, early)]
    told = said((await brought(server, " ".join(urls))).response)
    assert told.count("⚠️") == 1
    assert "⚠️ “Ferry sold”: The date" in told
    assert "is in the future" in told


async def test_the_link_of_another_bots_embed_is_read(world: World, stand: Newsstand) -> None:
    server = world.server()
    channel = world.client.get_channel(server.channel.id)
    assert isinstance(channel, discord.TextChannel)
    embed = discord.Embed(title="News", url=stand.url(stand.publish(BRIDGE)))
    with world.env._bot_scope():
        sent = await channel.send(embeds=[embed, embed, discord.Embed(title="No link")])
    await server.contributor.context_menu(server.channel, "Add story", sent)
    assert titles(world, server) == ["Bridge opened"]


# --- pages as files

STORY_PDF = pdf([FULL, FULL, "year after this one, said the mayor."], about={"/Title": "Budget"})


@pytest.mark.parametrize("way", ["the command", "the menu"])
@pytest.mark.parametrize(
    ("name", "raw", "title", "text"),
    [
        ("page.html", page_html(BRIDGE).encode(), "Bridge opened", BRIDGE.text),
        ("PAGE.HTM", page_html(BRIDGE).encode(), "Bridge opened", BRIDGE.text),
        ("../../etc/page.html", page_html(BRIDGE).encode(), "Bridge opened", BRIDGE.text),
        ("..\\page.html", page_html(BRIDGE).encode(), "Bridge opened", BRIDGE.text),
        ("paper.pdf", STORY_PDF, "Budget", None),
    ],
)
async def test_a_page_in_a_file_is_read_like_one_on_the_web(
    world: World, way: str, name: str, raw: bytes, title: str, text: str | None
) -> None:
    server = world.server()
    around = world.home.parent  # where `../` leads
    before = set(around.rglob("*"))
    if way == "the command":
        result = await server.contributor.slash(
            server.channel, "article add", file=(name, raw), source="The Gazette"
        )
    else:
        result = await brought(server, "", attachments=[(name, raw)])
    assert f"Added **“{title}”**" in said(result.response), last_words(result)
    story = only_story(world, server)
    assert text in (None, story.text)
    written = set(around.rglob("*")) - before
    assert written, "the story is stored somewhere"
    assert not [path for path in written if path.suffix.lower() in {".html", ".htm", ".pdf"}]
    with closing(world.session(server.id)) as session:
        assert session.writable.rechecks.get(story.article_id) is None, (
            "there is nothing to look at"
        )


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("a.pdf", b"%PDF-1.7 nothing", "."),
        ("a.html", walled_html(BRIDGE).encode(), "the rest is for subscribers."),
        ("a.html", b"", "."),
        ("a.pdf", pdf([""]), "."),
    ],
)
async def test_a_file_without_a_story_is_refused_in_a_sentence(
    world: World, name: str, raw: bytes, why: str
) -> None:
    server = world.server()
    result = await server.contributor.slash(server.channel, "article add", file=(name, raw))
    words = last_words(result)
    assert words.endswith(why)
    assert not [untold for untold in UNTOLD if untold in words]
    assert stories(world, server.id) == []
