"""How a story gets from Discord into a server's collection."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import discord

from data.articles import Saved
from data.errors import StoryRefusedError, UserError
from data.ingestion import MAX_FILE_BYTES, STORY_SUFFIXES, Given, parse_story
from data.models import Draft
from data.origins import Origin
from data.page_files import PAGE_SUFFIXES, is_address, is_page_file, page_of
from data.webstories import draft_from_page
from handlers.asking import NOBODY
from handlers.desk import Desk
from handlers.errors import reported
from handlers.layouts.layout import Layout
from handlers.layouts.markdown import shortened
from handlers.layouts.stories import confirm_layout, saved_layout, several_layout
from handlers.pending import ReadStory, Waiting
from handlers.scope import everybody_sees, require_contributor
from handlers.services import Session
from handlers.web import MAX_STORY
from handlers.worker import Lane

MAX_LINKS = 5  # of one message
# A message with links and at most this many characters beside them brings the pages, not itself.
_AROUND_LINKS = 280
_ADDRESS = re.compile(r"https?://(?:(?!\]\()[^\s<>`|“”«»])+")
# What may stand behind an address in a sentence or in markdown, and is no part of it.
_BEHIND = ".,;:!?'\"’*_~]}"
_MAX_REFUSALS = 1800  # characters, in a message of 2,000
_MAX_NAMED = 120  # of an address in them


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings: a text, a file or addresses, what they say about it, its message."""

    given: Given
    written: str = ""
    file: discord.Attachment | None = None
    urls: tuple[str, ...] = ()
    link: str | None = None
    notes: tuple[str, ...] = ()


async def add_story(
    desk: Desk, interaction: discord.Interaction, brought: Brought, *, warned: bool
) -> None:
    """Read a story and store it, and say what became of it.

    From a channel that not everybody sees it is asked first, unless they were `warned` before.

    Raises:
        UserError: if the person may not, or there is no story in it; nothing is stored then.
    """
    guild_id = require_contributor(interaction)
    if is_address(brought.written) and len(brought.written.split()) == 1 and not brought.file:
        brought = replace(brought, urls=(brought.written.strip(),), written="")
    _require_something(brought)
    seen = everybody_sees(interaction)
    private = brought.link is not None or not (seen or warned)
    with desk.limits.question(interaction.user.id, guild_id):
        await interaction.response.defer(ephemeral=private, thinking=True)
        waiting = await _read(desk, brought, guild_id, interaction.user.id)
    if not (seen or warned):
        titles = [story.draft.attribution.title for story in waiting.stories]
        layout = confirm_layout(titles, desk.pending.put(waiting))
        await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)
        return
    await store(desk, interaction, waiting)


async def store(desk: Desk, interaction: discord.Interaction, waiting: Waiting) -> None:
    """Store stories and say so in the message that was deferred; they are linked to that message.

    Raises:
        UserError: if the only one cannot be stored.
    """
    refused, notes = list(waiting.refused), []
    saved: list[Saved] = []
    for story in waiting.stories:
        which = f"“{story.draft.attribution.title}”: " if len(waiting.stories) > 1 else ""

        async def tell(words: str, which: str = which) -> None:
            refused.append(f"{which}{words}")

        # One that cannot be stored is no reason to keep quiet about the others.
        async with reported(tell):
            saved.append(await _store_one(desk, waiting, story))
            notes += [f"{which}{note}" for note in story.draft.notes]
    if not saved:
        raise UserError(_together(refused))
    seen = everybody_sees(interaction)
    layout: Layout
    if len(saved) == 1 and not refused:
        layout = saved_layout(saved[0], waiting.user_id, notes, seen_by_all=seen)
    else:
        layout = several_layout(saved, waiting.user_id, refused, notes, seen_by_all=seen)
    message = await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)
    if waiting.link is None and not message.flags.ephemeral:
        origins = [Origin(s.revision.article_id, waiting.user_id, message.jump_url) for s in saved]

        def record(session: Session) -> None:
            for origin in origins:
                session.writable.origins.record(origin)

        await desk.worker.run(waiting.guild_id, record, lane=Lane.WRITE)
    desk.nudge()


async def _store_one(desk: Desk, waiting: Waiting, story: ReadStory) -> Saved:
    def save(session: Session) -> Saved:
        services = session.writable

        def along(article_id: str) -> None:
            services.origins.record(Origin(article_id, waiting.user_id, waiting.link))
            if story.page is not None:
                services.rechecks.record(article_id, story.page)

        return services.indexer.add(story.draft, along=lambda r: along(r.article_id))

    return await desk.worker.run(waiting.guild_id, save, lane=Lane.WRITE)


async def _read(desk: Desk, brought: Brought, guild_id: int, user_id: int) -> Waiting:
    """Return the stories in what somebody brought.

    Raises:
        UserError: if there is none in it.
    """
    if not brought.urls:
        story = ReadStory(_fitting(await _read_draft(desk, brought), brought.notes))
        return Waiting(guild_id, user_id, (story,), brought.link)
    stories, refused = [], []
    for url in brought.urls:
        try:
            page, draft = await desk.web.story(url, brought.given)
            stories.append(ReadStory(_fitting(draft, brought.notes), page))
        except UserError as error:
            which = f"{shortened(url, _MAX_NAMED)}: " if len(brought.urls) > 1 else ""
            refused.append(f"{which}{error}")
    if not stories:
        raise StoryRefusedError(_together(refused))
    return Waiting(guild_id, user_id, tuple(stories), brought.link, tuple(refused))


def _together(refused: Sequence[str]) -> str:
    """Return sentences that fit a message together."""
    return "\n".join(shortened(why, _MAX_REFUSALS // len(refused)) for why in refused)


def _fitting(draft: Draft, notes: tuple[str, ...]) -> Draft:
    if len(draft.text) > MAX_STORY:
        raise StoryRefusedError(
            f"The story has {len(draft.text):,} characters; at most {MAX_STORY:,} can be added "
            "from Discord. The operator can add longer ones."
        )
    return replace(draft, notes=(*draft.notes, *notes))


async def _read_draft(desk: Desk, brought: Brought) -> Draft:
    if brought.file is None:
        raw, name = brought.written.encode("utf-8", "ignore"), "The text"
    else:
        raw, name = await brought.file.read(), brought.file.filename
    if is_page_file(name):
        read = await desk.web.read(page_of(raw, name=name))
        return draft_from_page(read.extracted, brought.given)
    return await desk.worker.call(
        lambda: parse_story(raw, name=name, given=brought.given), lane=Lane.CHECK
    )


def brought_by(message: discord.Message) -> Brought:
    """Return the story in a message: its file, else what it links to, else its text.

    Of a forwarded message it is the one that was forwarded. A message that says much beside its
    links is a story itself.

    Raises:
        StoryRefusedError: if it has several files, or more links than are taken at once.
    """
    snapshot = next(iter(message.message_snapshots), None)
    attachments = [*message.attachments, *(snapshot.attachments if snapshot else ())]
    files = [file for file in attachments if holds_story(file)]
    if len(files) > 1:
        raise StoryRefusedError(
            "That message has several text files. Add them one by one, with `/article add`."
        )
    written = message.content or (snapshot.content if snapshot else "")
    if files:
        notes = ("The text of the message is left out; its file was added.",) if written else ()
        return Brought(Given(), file=files[0], link=message.jump_url, notes=notes)
    urls = addresses_in(written) or (() if written else _embedded(message))
    if urls and len(_ADDRESS.sub("", written).strip()) <= _AROUND_LINKS:
        if len(urls) > MAX_LINKS:
            raise StoryRefusedError(
                f"That message has {len(urls)} links; at most {MAX_LINKS} are added at once."
            )
        return Brought(Given(), urls=urls, link=message.jump_url)
    return Brought(Given(), written=written, link=message.jump_url)


def _embedded(message: discord.Message) -> tuple[str, ...]:
    """Return the addresses of a message's embeds: other bots post news with nothing beside them."""
    shown = [*message.embeds, *(e for s in message.message_snapshots for e in s.embeds)]
    return tuple(dict.fromkeys(e.url for e in shown if e.url and is_address(e.url)))


def addresses_in(written: str) -> tuple[str, ...]:
    """Return the web addresses in a message, each once, without what stands behind them."""
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(written):
        address = match[0]
        while address[-1] in _BEHIND or (
            address[-1] == ")" and address.count(")") > address.count("(")
        ):
            address = address[:-1]
        found[address] = None
    return tuple(found)


def holds_story(file: discord.Attachment) -> bool:
    """Return whether a file has a name of the kind that stories have."""
    suffix = PurePath(file.filename).suffix.lower()
    return bool(suffix) and suffix in (*STORY_SUFFIXES, *PAGE_SUFFIXES)


def _require_something(brought: Brought) -> None:
    """Return if there may be a story in it, as far as that is seen before it is read.

    Raises:
        UserError: if there is none, or more than one of a text, a file and an address.
    """
    file, written = brought.file, brought.written
    if file is not None and (written.strip() or brought.urls):
        other = "a text" if written.strip() else "an address"
        raise UserError(f"There is {other} and a file. Give one of them, so that I know which.")
    if any(not is_address(url) for url in brought.urls):
        raise StoryRefusedError("A web address begins with https:// or http://.")
    if file is None:
        if not written.strip() and not brought.urls:
            raise StoryRefusedError("There is no text in it. Paste a story, or choose a file.")
        return
    if not holds_story(file):
        raise StoryRefusedError(
            f"{file.filename} is not a kind of file that holds a story: use .txt, .md, .html "
            "or .pdf."
        )
    if file.size > MAX_FILE_BYTES:
        raise StoryRefusedError(
            f"{file.filename} is larger than {MAX_FILE_BYTES // 1_000_000} MB, "
            "too large for one story."
        )
