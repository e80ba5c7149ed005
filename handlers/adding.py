"""How a story gets from Discord into a server's collection."""

from dataclasses import dataclass, replace
from pathlib import PurePath

import discord

from data.articles import Saved
from data.errors import StoryRefusedError, UserError
from data.ingestion import MAX_FILE_BYTES, STORY_SUFFIXES, Given, parse_story
from data.models import Draft
from data.origins import Origin
from handlers.asking import NOBODY
from handlers.desk import Desk
from handlers.layout import Layout
from handlers.pending import Waiting
from handlers.scope import everybody_sees, require_contributor
from handlers.services import Session
from handlers.stories import confirm_layout, saved_layout
from handlers.worker import Lane

# Characters; a longer one would keep those of every other server waiting while it is encoded.
MAX_STORY = 100_000


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings: a text or a file, what they say about it, and its message's link."""

    given: Given
    written: str = ""
    file: discord.Attachment | None = None
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
    _require_something(brought)
    seen = everybody_sees(interaction)
    private = brought.link is not None or not (seen or warned)
    await interaction.response.defer(ephemeral=private, thinking=True)
    draft = await read_draft(desk, brought)
    if not (seen or warned):
        waiting = Waiting(guild_id, interaction.user.id, draft, brought.link)
        layout = confirm_layout(draft.attribution.title, desk.pending.put(waiting))
        await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)
        return
    await store(desk, interaction, guild_id, draft, brought.link)


async def store(
    desk: Desk,
    interaction: discord.Interaction,
    guild_id: int,
    draft: Draft,
    link: str | None,
) -> None:
    """Store a story and say so in the message that was deferred; it is linked to that message."""
    user_id = interaction.user.id

    def save(session: Session) -> Saved:
        services = session.writable
        return services.indexer.add(
            draft,
            along=lambda r: services.origins.record(Origin(r.article_id, user_id, link)),
        )

    saved = await desk.worker.run(guild_id, save, lane=Lane.WRITE)
    layout: Layout = saved_layout(
        saved, user_id, draft.notes, seen_by_all=everybody_sees(interaction)
    )
    message = await interaction.edit_original_response(view=layout, allowed_mentions=NOBODY)
    if link is None and not message.flags.ephemeral:
        origin = Origin(saved.revision.article_id, user_id, message.jump_url)
        await desk.worker.run(
            guild_id, lambda session: session.writable.origins.record(origin), lane=Lane.WRITE
        )


async def read_draft(desk: Desk, brought: Brought) -> Draft:
    """Return the story in what somebody brought.

    Raises:
        UserError: if there is none in it.
    """
    if brought.file is None:
        raw, name = brought.written.encode("utf-8", "ignore"), "The text"
    else:
        raw, name = await brought.file.read(), brought.file.filename
    draft = await desk.worker.call(
        lambda: parse_story(raw, name=name, given=brought.given), lane=Lane.CHECK
    )
    if len(draft.text) > MAX_STORY:
        raise StoryRefusedError(
            f"The story has {len(draft.text):,} characters; at most {MAX_STORY:,} can be added "
            "from Discord. The operator can add longer ones."
        )
    return replace(draft, notes=(*draft.notes, *brought.notes))


def brought_by(message: discord.Message) -> Brought:
    """Return the story in a message: its text file, else its text, or that of a forwarded one.

    Raises:
        StoryRefusedError: if it has several text files.
    """
    snapshot = next(iter(message.message_snapshots), None)
    attachments = [*message.attachments, *(snapshot.attachments if snapshot else ())]
    files = [file for file in attachments if holds_story(file)]
    if len(files) > 1:
        raise StoryRefusedError(
            "That message has several text files. Add them one by one, with `/article add`."
        )
    written = message.content or (snapshot.content if snapshot else "")
    if not files:
        return Brought(Given(), written=written, link=message.jump_url)
    notes = ("The text of the message is left out; its file was added.",) if written else ()
    return Brought(Given(), file=files[0], link=message.jump_url, notes=notes)


def holds_story(file: discord.Attachment) -> bool:
    """Return whether a file has a name of the kind that stories have."""
    suffix = PurePath(file.filename).suffix.lower()
    return bool(suffix) and suffix in STORY_SUFFIXES


def _require_something(brought: Brought) -> None:
    """Return if there may be a story in it, as far as that is seen before it is read.

    Raises:
        UserError: if there is none, or both a text and a file.
    """
    file, written = brought.file, brought.written
    if file is not None and written.strip():
        raise UserError("There is a text and a file. Give one of them, so that I know which.")
    if file is None:
        if not written.strip():
            raise StoryRefusedError("There is no text in it. Paste a story, or choose a file.")
        return
    if not holds_story(file):
        raise StoryRefusedError(
            f"{file.filename} is not a kind of file that holds a story: use .txt or .md."
        )
    if file.size > MAX_FILE_BYTES:
        raise StoryRefusedError(
            f"{file.filename} is larger than {MAX_FILE_BYTES // 1_000_000} MB, "
            "too large for one story."
        )
