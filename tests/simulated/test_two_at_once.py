import pytest

from data.errors import StorageError
from data.ingestion import MAX_FILE_BYTES
from data.origins import OriginStore
from handlers.web import MAX_STORY
from tests.simulated.test_stories import answered, stories
from tests.simulated.world import World, said

TEXT = "Ann Lee opened the bridge on Monday. It cost four million."


async def test_two_who_edit_one_story_at_once_keep_both_corrections(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge", source="Herald")
    forms = [
        await who.slash(server.channel, "article edit", article=story.article_id)
        for who in (server.contributor, server.admin)
    ]
    fields = {"title": "Bridge", "source": "Herald", "author": "", "date": ""}
    await server.admin.submit_modal(forms[1], {**fields, "source": "Gazette"})
    await server.contributor.submit_modal(forms[0], {**fields, "author": "Cy Fox"})
    (found,) = stories(world, server.id)
    assert (found.attribution.source, found.attribution.author) == ("Gazette", "Cy Fox")


async def test_a_form_that_is_sent_again_ends_in_words(world: World) -> None:
    server = world.server()
    form = await server.contributor.slash(server.channel, "article add")
    await server.contributor.submit_modal(form, {"text": " "})
    form._interaction.modal_consumed = False  # as where Discord kept it open
    again = await server.contributor.submit_modal(form, {"text": TEXT})
    assert "I no longer know that form" in said(answered(again))


async def test_who_added_a_story_is_stored_with_it_or_neither_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.server()

    def fail(*_: object) -> None:
        raise StorageError("/secret/place: the disk is full.")

    monkeypatch.setattr(OriginStore, "record", fail)
    result = await server.contributor.slash(
        server.channel, "article add", file=("a.txt", TEXT.encode())
    )
    assert stories(world, server.id) == []
    words = said(answered(result))
    assert "cannot read or write my stories" in words
    assert "/secret/place" not in words


async def test_a_story_that_would_keep_the_others_waiting_is_refused(world: World) -> None:
    server = world.server()
    text = "It rained again. " * (MAX_STORY // 17 + 1)
    assert len(text) < MAX_FILE_BYTES
    result = await server.contributor.slash(
        server.channel, "article add", file=("a.txt", text.encode())
    )
    assert "at most 100,000 can be added from Discord" in said(answered(result))
    assert stories(world, server.id) == []


async def test_a_message_with_several_text_files_is_not_taken_for_one_story(world: World) -> None:
    server = world.server()
    files = [("a.txt", b"One story."), ("b.txt", b"Another story.")]
    message = await server.member.send(server.channel, "Two", attachments=files)
    result = await server.contributor.context_menu(server.channel, "Add story", message)
    assert "several text files" in said(answered(result))
    assert stories(world, server.id) == []


async def test_a_forwarded_message_is_a_story_too(world: World) -> None:
    server = world.server()
    other = server.guild.create_text_channel("other")
    first = await server.member.send(server.channel, TEXT)
    await server.member.forward(first, other)
    (forwarded,) = [m for m in other.history() if m.message_snapshots]
    result = await server.contributor.context_menu(other, "Add story", forwarded)
    assert "Added" in said(answered(result))
    (found,) = stories(world, server.id)
    assert found.text == TEXT


async def test_a_member_is_not_offered_to_change_a_story(world: World) -> None:
    server = world.server()
    story = world.add(server.id, TEXT, title="Bridge")
    for who, offered in ((server.member, False), (server.contributor, True)):
        shown = await who.slash(server.channel, "article show", article=story.article_id)
        assert ("pq:edit:" in str(answered(shown).components)) == offered


async def test_who_asks_too_fast_is_told_once_and_cannot_flood_a_channel(world: World) -> None:
    server = world.server()
    for _ in range(12):
        await server.member.send(server.channel, world.mention(""))
    told = [said(m) for m in server.channel.history() if m.author.bot]
    assert len(told) == 6
    assert len([words for words in told if "a lot of questions" in words]) == 1
