from collections.abc import Iterator

import discord
import pytest
from simcord import Env
from simcord.results import InteractionResult, ResponseMessage

from data.errors import UserError
from data.ingestion import MAX_FILE_BYTES
from data.models import Revision
from tests.simulated.world import Server, World, labels, said, texts

TEXT = "Ann Lee opened the bridge on Monday. It cost four million."
FILE = ("bridge.txt", TEXT.encode())
LONG_AGO = "2024-10-25"


@pytest.fixture(autouse=True)
def _refusals_are_expected(env: Env) -> Iterator[None]:
    """The simulation takes each refusal of a command for a crash; said in words, it is none."""
    yield
    env._errors[:] = [
        e for e in env._errors if not isinstance(getattr(e, "original", e), UserError)
    ]


def answered(result: InteractionResult) -> ResponseMessage:
    """Return the message that an interaction was answered with."""
    assert result.response is not None
    return result.response


def refused(result: InteractionResult) -> str:
    """Return why something was refused; one person alone was told."""
    last = (result.followups or [answered(result)])[-1]
    assert last.components == []
    return last.content


def stories(world: World, guild_id: int | None) -> list[Revision]:
    """Return what is stored for a server, or in the shared collection."""
    session = world.session(guild_id)
    try:
        return (session.own or session.shared).articles.current()
    finally:
        session.close()


def only_story(world: World, server: Server) -> Revision:
    found = stories(world, server.id)
    assert len(found) == 1
    return found[0]


# --- adding a file


async def test_a_file_is_added_and_the_channel_is_told_by_whom(world: World) -> None:
    server = world.server()
    result = await server.contributor.slash(
        server.channel,
        "article add",
        file=FILE,
        title="Bridge opened",
        source="Herald",
        author="Bo Ek",
        date=LONG_AGO,
        link="https://example.org/bridge",
    )
    story = only_story(world, server)
    assert story.text == TEXT
    assert story.attribution.title == "Bridge opened"
    assert story.attribution.source == "Herald"
    assert story.attribution.author == "Bo Ek"
    assert story.attribution.published_at == LONG_AGO
    assert story.attribution.url == "https://example.org/bridge"
    message = answered(result)
    assert not message.ephemeral
    assert "Added **“Bridge opened”**" in said(message)
    assert "Herald · Bo Ek · 25 October 2024" in said(message)
    assert f"by {server.contributor.mention} · 58 characters" in said(message)
    assert "unknown" not in said(message)
    assert labels(message) == ["Show", "Edit details", "Remove"]


async def test_what_front_matter_says_is_taken_and_what_the_person_says_wins(world: World) -> None:
    server = world.server()
    raw = f"---\ntitle: From the file\nsource: Herald\ndate: {LONG_AGO}\n---\n{TEXT}\n"
    await server.contributor.slash(
        server.channel, "article add", file=("story.MD", raw.encode()), source="Gazette"
    )
    found = only_story(world, server).attribution
    assert (found.title, found.source, found.published_at) == ("From the file", "Gazette", LONG_AGO)


async def test_what_is_unknown_is_said_and_how_to_mend_it(world: World) -> None:
    server = world.server()
    result = await server.contributor.slash(server.channel, "article add", file=FILE)
    message = answered(result)
    assert "publisher unknown · date unknown" in said(message)
    assert "“Edit details” mends that" in said(message)


async def test_a_public_message_links_to_itself_as_where_the_story_came_from(world: World) -> None:
    server = world.server()
    added = await server.contributor.slash(server.channel, "article add", file=FILE)
    address = f"https://discord.com/channels/{server.id}/{server.channel.id}/{answered(added).id}"
    shown = await server.member.slash(
        server.channel, "article show", article=only_story(world, server).article_id
    )
    expected = f"added by {server.contributor.mention} · [the message]({address})"
    assert expected in said(answered(shown))


async def test_the_same_file_again_changes_nothing_and_keeps_who_was_first(world: World) -> None:
    server = world.server()
    await server.contributor.slash(server.channel, "article add", file=FILE)
    first = only_story(world, server)
    again = await server.admin.slash(server.channel, "article add", file=FILE)
    assert "Nothing changed in **“" in said(answered(again))
    assert only_story(world, server).id == first.id
    shown = await server.member.slash(server.channel, "article show", article=first.article_id)
    assert f"added by {server.contributor.mention}" in said(answered(shown))


async def test_another_text_at_the_same_link_is_a_new_version(world: World) -> None:
    server = world.server()
    link = "https://example.org/bridge"
    await server.contributor.slash(server.channel, "article add", file=FILE, link=link)
    corrected = ("bridge.txt", TEXT.replace("four", "five").encode())
    result = await server.contributor.slash(
        server.channel, "article add", file=corrected, link=link
    )
    assert "Stored a new version of **“" in said(answered(result))
    assert "five million" in only_story(world, server).text


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (("photo.png", b"\x89PNG"), "photo.png is not a kind of file that holds a story"),
        (("story", TEXT.encode()), "story is not a kind of file that holds a story"),
        (("rows.jsonl", b"{}"), "rows.jsonl is not a kind of file that holds a story"),
        (("empty.txt", b""), "empty.txt is empty"),
        (("blank.txt", b" \n\t\n"), "blank.txt is empty"),
        (("binary.txt", b"\x00\x01\x02" * 200), "binary.txt"),
        (("big.txt", b"a" * (MAX_FILE_BYTES + 1)), "larger than 5 MB"),
    ],
)
async def test_a_file_that_holds_no_story_is_refused_with_the_reason(
    world: World, file: tuple[str, bytes], why: str
) -> None:
    server = world.server()
    result = await server.contributor.slash(server.channel, "article add", file=file)
    assert why in refused(result)
    assert "incident" not in refused(result)
    assert stories(world, server.id) == []


async def test_a_file_that_is_too_large_is_not_even_fetched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read(_: discord.Attachment) -> bytes:
        raise AssertionError("it was fetched")

    monkeypatch.setattr(discord.Attachment, "read", read)
    server = world.server()
    file = ("big.txt", b"a" * (MAX_FILE_BYTES + 1))
    result = await server.contributor.slash(server.channel, "article add", file=file)
    assert "larger than 5 MB" in refused(result)


@pytest.mark.parametrize(
    ("date", "note"),
    [("03/04/2024", "cannot be read for certain"), ("2999-01-01", "is in the future")],
)
async def test_a_date_that_cannot_be_right_is_left_out_and_told(
    world: World, date: str, note: str
) -> None:
    server = world.server()
    result = await server.contributor.slash(server.channel, "article add", file=FILE, date=date)
    assert f"⚠️ The date '{date}' {note}" in said(answered(result))
    assert only_story(world, server).attribution.published_at is None


async def test_a_link_that_is_no_web_address_is_left_out_and_told(world: World) -> None:
    server = world.server()
    result = await server.contributor.slash(
        server.channel, "article add", file=FILE, link="javascript:alert(1)"
    )
    assert "is no web address, so the link stays unknown" in said(answered(result))
    assert only_story(world, server).attribution.url is None


# --- lists


async def test_the_list_has_pages_the_own_stories_first_and_shared_ones_marked(
    world: World,
) -> None:
    server = world.server()
    for day in range(1, 11):
        world.add(server.id, f"{TEXT} {day}", title=f"Own {day}", date=f"2024-10-{day:02}")
    world.add(None, TEXT, title="Shared", date="2025-01-01")
    result = await server.member.slash(server.channel, "article list")
    page = answered(result)
    assert page.ephemeral
    assert texts(page)[0] == "### 11 stories"
    titles = [f"Own {day}" for day in range(10, 2, -1)]
    assert [t.split("”")[0].removeprefix("**“") for t in texts(page)[1:-1]] == titles
    assert texts(page)[-1] == "-# Page 1 of 2, the newest first"
    assert labels(page) == ["Show"] * 8 + ["Older"]
    await server.member.click(page, label="Older")
    page = answered(result)
    assert [t.split("”")[0].removeprefix("**“") for t in texts(page)[1:-1]] == [
        "Own 2",
        "Own 1",
        "Shared",
    ]
    assert [t.endswith(" · from the operator") for t in texts(page)[1:-1]] == [False, False, True]
    assert labels(page) == ["Show"] * 3 + ["Newer"]
    await server.member.click(page, label="Newer")
    assert "Page 1 of 2" in said(answered(result))


async def test_a_page_that_is_no_longer_there_shows_the_last_one(world: World) -> None:
    server = world.server()
    added = [world.add(server.id, f"{TEXT} {n}", title=f"Story {n}") for n in range(9)]
    result = await server.member.slash(server.channel, "article list")
    session = world.session(server.id)
    for revision in added[:4]:
        session.writable.indexer.remove(revision.article_id)
    session.close()
    await server.member.click(answered(result), label="Older")
    assert texts(answered(result))[0] == "### 5 stories"
    assert len(texts(answered(result))) == 6


async def test_an_empty_list_says_how_to_begin(world: World) -> None:
    server = world.server()
    page = answered(await server.member.slash(server.channel, "article list"))
    assert "There are no stories here yet" in said(page)
    assert "/article add" in said(page)
    opened = await server.contributor.slash(server.channel, "article list")
    form = await server.contributor.click(answered(opened), label="Add a story")
    assert form.modal is not None


# --- one story


async def test_a_long_story_is_shown_page_by_page(world: World) -> None:
    server = world.server()
    lines = [f"Line {n} says that the bridge is open to everybody." for n in range(80)]
    story = world.add(server.id, "\n".join(lines), title="Long", source="Herald", date=LONG_AGO)
    result = await server.member.slash(server.channel, "article show", article=story.article_id)
    assert answered(result).ephemeral
    shown: list[str] = []
    for page in range(1, 5):
        message = answered(result)
        assert "### Long" in said(message)
        assert "**Herald** · 25 October 2024" in said(message)
        assert f"Page {page} of " in said(message)
        shown += [
            row.removeprefix("> ") for row in said(message).split("\n") if row.startswith("> ")
        ]
        if "Read on" not in labels(message):
            break
        await server.member.click(message, label="Read on")
    assert shown == lines
    await server.member.click(answered(result), label="Back")
    assert "Read on" in labels(answered(result))


async def test_a_story_shows_its_link_and_versions(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, url="https://example.org/a", title="Bridge")
    await server.contributor.slash(
        server.channel, "article edit", article=story.article_id, source="Herald"
    )
    shown = await server.member.slash(server.channel, "article show", article=story.article_id)
    assert "example.org/a" in said(answered(shown))
    assert f"`{story.article_id}` · 2 versions" in said(answered(shown))


async def test_show_under_a_public_message_opens_for_the_presser_alone(world: World) -> None:
    server = world.server()
    added = await server.contributor.slash(server.channel, "article add", file=FILE)
    shown = await server.member.click(answered(added), label="Show")
    assert answered(shown).ephemeral
    assert "> Ann Lee opened the bridge on Monday." in said(answered(shown))
    assert "Added **“" in said(answered(added))


async def test_search_finds_stories_by_what_they_are_about(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, title="Bridge")
    world.add(server.id, "The museum bought a sea chart.", title="Museum")
    world.add(None, "The bridge toll was raised.", title="Toll")
    result = await server.member.slash(server.channel, "article search", query="museum chart")
    assert answered(result).ephemeral
    found = texts(answered(result))
    assert found[0] == "### Nearest to “museum chart”"
    assert "Museum" in found[1]
    result = await server.member.slash(server.channel, "article search", query="bridge toll")
    both = "\n".join(texts(answered(result))[1:3])
    assert "Toll" in both
    assert "Bridge" in both


async def test_search_says_when_there_is_nothing(world: World) -> None:
    server = world.server()
    result = await server.member.slash(server.channel, "article search", query="*bridge*")
    assert said(answered(result)) == "No story here fits “\\*bridge\\*”."


# --- correcting


async def test_options_correct_a_story_and_leave_the_rest(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge", source="Herald", author="Bo Ek")
    result = await server.contributor.slash(
        server.channel, "article edit", article=story.article_id, source="Gazette", date="2024-10"
    )
    assert answered(result).ephemeral
    assert "Now: **“Bridge”**\n-# Gazette · Bo Ek · October 2024" in said(answered(result))
    found = only_story(world, server)
    assert (found.attribution.source, found.attribution.author) == ("Gazette", "Bo Ek")
    assert found.text == TEXT


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"date": "03/04/2024"}, "cannot be read for certain"),
        ({"link": "ftp://example.org/x"}, "is no web address"),
        ({"title": " "}, "A story needs a title"),
    ],
)
async def test_a_correction_that_cannot_be_right_changes_nothing(
    world: World, options: dict[str, str], why: str
) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge")
    result = await server.contributor.slash(
        server.channel, "article edit", article=story.article_id, **options
    )
    assert why in refused(result)
    assert "Nothing was changed" in refused(result)
    assert only_story(world, server).id == story.id


# --- removing


async def test_removing_asks_back_first(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge")
    result = await server.contributor.slash(
        server.channel, "article remove", article=story.article_id
    )
    question = answered(result)
    assert question.ephemeral
    assert "Remove **“Bridge”**" in said(question)
    assert len(stories(world, server.id)) == 1
    await server.contributor.click(question, label="Remove for good")
    assert said(answered(result)) == "Removed “Bridge”."
    assert labels(answered(result)) == []
    assert stories(world, server.id) == []


async def test_a_story_can_be_kept_after_all(world: World) -> None:
    server = world.server()
    added = await server.contributor.slash(server.channel, "article add", file=FILE)
    asked = await server.contributor.click(answered(added), label="Remove")
    assert answered(asked).ephemeral
    await server.contributor.click(answered(asked), label="Keep it")
    assert said(answered(asked)) == "Nothing was changed."
    assert only_story(world, server).text == TEXT


async def test_a_story_that_is_gone_already_is_told(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge")
    asked = [
        await who.slash(server.channel, "article remove", article=story.article_id)
        for who in (server.contributor, server.admin)
    ]
    await server.contributor.click(answered(asked[0]), label="Remove for good")
    late = await server.admin.click(answered(asked[1]), label="Remove for good")
    assert "There is no such story here" in refused(late)


# --- naming a story: by a choice, or by words


async def test_a_title_is_completed_from_what_the_server_may_read(world: World) -> None:
    server, other = world.server(), world.server("Other")
    own = world.add(server.id, TEXT, title="Bridge opened", source="Herald")
    shared = world.add(None, TEXT, title="A BRIDGE too far")
    world.add(server.id, TEXT, title="Museum buys chart", source="Gazette")
    world.add(other.id, TEXT, title="Bridge of the others")
    found = await server.member.autocomplete(server.channel, "article show", "article", "bRiDge")
    assert [(c["name"], c["value"]) for c in found] == [
        ("Bridge opened — Herald", own.article_id),
        ("A BRIDGE too far", shared.article_id),
    ]
    found = await server.member.autocomplete(server.channel, "article show", "article", "gazette")
    assert [c["name"] for c in found] == ["Museum buys chart — Gazette"]
    assert await server.member.autocomplete(server.channel, "article show", "article", "zoo") == []


@pytest.mark.parametrize("command", ["article edit", "article remove"])
async def test_only_own_titles_are_completed_for_changes_and_only_for_contributors(
    world: World, command: str
) -> None:
    server = world.server()
    own = world.add(server.id, TEXT, title="Bridge opened")
    world.add(None, TEXT, title="Bridge shared")
    for who in (server.contributor, server.admin):
        found = await who.autocomplete(server.channel, command, "article", "")
        assert [c["value"] for c in found] == [own.article_id]
    assert await server.member.autocomplete(server.channel, command, "article", "") == []


async def test_choices_stay_within_what_discord_takes(world: World) -> None:
    server = world.server()
    for number in range(30):
        world.add(server.id, f"{TEXT} {number}", title=f"{number} " + "very long " * 30)
    found = await server.member.autocomplete(server.channel, "article show", "article", "very")
    assert len(found) == 25
    assert all(1 <= len(c["name"]) <= 100 and c["name"].endswith("…") for c in found)


async def test_a_typed_title_is_taken_where_it_fits_one_story(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, title="Bridge opened")
    story = world.add(server.id, f"{TEXT} x", title="Museum buys chart", source="Herald")
    for typed in ("museum", "Museum buys chart", "HERALD", story.article_id):
        result = await server.member.slash(server.channel, "article show", article=typed)
        assert "### Museum buys chart" in said(answered(result))
    await server.contributor.slash(server.channel, "article edit", article="museum", author="Bo Ek")
    assert {s.attribution.author for s in stories(world, server.id)} == {"Bo Ek", None}
    asked = await server.contributor.slash(server.channel, "article remove", article="museum")
    assert "Museum buys chart" in said(answered(asked))


@pytest.mark.parametrize("command", ["article show", "article edit", "article remove"])
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("bridge", "More than one story fits that. Choose one from the list."),
        ("zoo", "There is no such story here. Choose one from the list."),
        ("   ", "There is no such story here. Choose one from the list."),
    ],
)
async def test_words_that_name_no_one_story_are_refused(
    world: World, command: str, typed: str, why: str
) -> None:
    server = world.server()
    titles = ["Bridge opened", "Bridge closed"] if typed == "bridge" else ["Bridge opened"]
    for title in titles:
        world.add(server.id, f"{TEXT} {title}", title=title)
    result = await server.contributor.slash(server.channel, command, article=typed)
    assert result.modal is None
    assert refused(result) == why


async def test_a_title_that_is_typed_in_full_wins_over_longer_ones(world: World) -> None:
    server = world.server()
    world.add(server.id, TEXT, title="Bridge")
    world.add(server.id, f"{TEXT} x", title="Bridge opened")
    result = await server.member.slash(server.channel, "article show", article="Bridge")
    assert "### Bridge\n" in said(answered(result))


# --- what the operator shares


async def test_a_shared_story_can_be_read_but_neither_changed_nor_removed(world: World) -> None:
    server = world.server()
    story = world.add(None, TEXT, title="Shared")
    result = await server.admin.slash(server.channel, "article show", article=story.article_id)
    assert "from the operator" in said(answered(result))
    assert labels(answered(result)) == []
    commands: list[tuple[str, dict[str, str]]] = [
        ("article edit", {"source": "Herald"}),
        ("article edit", {}),
        ("article remove", {}),
    ]
    for command, options in commands:
        result = await server.admin.slash(
            server.channel, command, article=story.article_id, **options
        )
        assert result.modal is None
        assert "That story is the operator's" in refused(result)
    assert [s.id for s in stories(world, None)] == [story.id]
