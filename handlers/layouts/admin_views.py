"""How the index and its rebuilds look in Discord; pure."""

from datetime import datetime

import discord

from data.answers import Votes
from handlers.console import counted
from handlers.layouts.layout import Action, Layout, button, panel, row, text
from handlers.layouts.markdown import escaped, shortened
from handlers.layouts.render import story_line
from index.models import IndexStatus
from index.verification import Report

ADMIN_COLOUR = discord.Colour(0x6C757D)
_BAR = 16  # characters
_MAX_LINES, _MAX_LINE = 8, 150
_TITLES = {"rebuild": "Rebuilding the index", "undo": "Going back to the index before"}
_DONE = {"rebuild": "The index was rebuilt", "undo": "The index before is in use again"}


def status_layout(status: IndexStatus, *, runtime: str, votes: Votes, running: bool) -> Layout:
    """Return what is stored for a server, what its index was made with, and how it is."""
    lines = [
        "### The index of this server",
        f"**Stories:** {status.stories:,}{_withdrawn(status)}, in "
        f"{counted(status.revisions, 'version', 'versions')} and "
        f"{counted(status.chunks, 'passage', 'passages')}",
        f"**Size:** {_megabytes(status.database_bytes)} stories, "
        f"{_megabytes(status.index_bytes)} index",
        f"**Encoder:** {escaped(shortened(status.encoder or 'none yet', 100))} ({runtime})",
        f"**Index made:** {_moment(status.built_at)}",
        f"**Votes:** {votes.helpful:,} helpful, {votes.unhelpful:,} not helpful",
    ]
    if running:
        health = "A rebuild is under way; questions are answered from the old index meanwhile."
    elif status.stale:
        health = "\n".join(
            escaped(shortened(note, _MAX_LINE)) for note in status.stale[:_MAX_LINES]
        )
    else:
        health = "everything is in order"
    items = [text("\n".join(lines)), text(f"**Health:** {health}")]
    if status.newest is not None:
        newest = story_line(status.newest.attribution, status.newest.article_id)
        items.insert(1, text(f"**Newest story:** {newest}"))
    return Layout(panel(*items, colour=ADMIN_COLOUR))


def report_layout(report: Report) -> Layout:
    """Return what a check of everything found."""
    lines = [
        "### The index was checked",
        f"{counted(report.stories, 'story', 'stories')}, "
        f"{counted(report.chunks, 'passage', 'passages')}; "
        f"{counted(report.reencoded, 'vector', 'vectors')} encoded again.",
    ]
    found = [f"⚠️ {escaped(shortened(problem, _MAX_LINE))}" for problem in report.problems]
    lines += found[:_MAX_LINES]
    if len(found) > _MAX_LINES:
        lines.append(f"… and {len(found) - _MAX_LINES} more; the operator’s `verify` lists all.")
    lines += [f"-# {escaped(shortened(note, 200))}" for note in report.notes[:3]]
    if report.clean:
        lines.append("✅ Everything is in order.")
    return Layout(panel(text("\n".join(lines)), colour=ADMIN_COLOUR))


def ask_layout(kind: str, stories: int) -> Layout:
    """Return the question before a rebuild, or before going back."""
    many = counted(stories, "story", "stories")
    words = {
        "rebuild": f"Rebuild the index of {many}? Questions are answered from the old one until "
        "the new one is complete.",
        "undo": f"Go back to the index before the last rebuild? All {many} stay; what was removed "
        "stays removed.",
    }[kind]
    action, label = {
        "rebuild": (Action.REBUILD, "Rebuild"),
        "undo": (Action.UNDO, "Go back"),
    }[kind]
    return Layout(
        text(words),
        row(
            button(label, action, style=discord.ButtonStyle.primary),
            button("Leave it", Action.KEEP),
        ),
    )


def progress_layout(kind: str, done: int, total: int) -> Layout:
    """Return a rebuild's progress, with a button that stops it."""
    share = done / total if total else 0.0
    full = round(share * _BAR)
    bar = "█" * full + "░" * (_BAR - full)
    words = f"### {_TITLES[kind]}\n`{bar}` {done:,} of {counted(total, 'story', 'stories')}"
    waiting = "-# Questions are answered from the old index meanwhile."
    return Layout(
        panel(text(words), text(waiting), colour=ADMIN_COLOUR),
        row(button("Cancel", Action.CANCEL_REBUILD, style=discord.ButtonStyle.danger)),
    )


def done_layout(kind: str, stories: int, encoder: str, seconds: float) -> Layout:
    """Return that a rebuild is complete and in use."""
    words = (
        f"✅ **{_DONE[kind]}:** {counted(stories, 'story', 'stories')}, "
        f"{escaped(shortened(encoder, 100))}, {_duration(seconds)}."
    )
    return Layout(panel(text(words), colour=ADMIN_COLOUR))


def cancelled_layout() -> Layout:
    """Return that a rebuild was cancelled."""
    return Layout(
        panel(
            text(
                "**Cancelled.** The old index stays in use. What was done is kept, and the next "
                "rebuild goes on from there."
            ),
            colour=ADMIN_COLOUR,
        )
    )


def interrupted_layout() -> Layout:
    """Return that a rebuild was interrupted by the bot's own end."""
    return Layout(
        panel(
            text("**Interrupted:** I am being restarted, and go on with the rebuild then."),
            colour=ADMIN_COLOUR,
        )
    )


def failed_layout(words: str) -> Layout:
    """Return why a rebuild came to nothing."""
    return Layout(
        panel(text(f"⚠️ {escaped(words)}\nThe old index stays in use."), colour=ADMIN_COLOUR)
    )


def _withdrawn(status: IndexStatus) -> str:
    return f" ({status.withdrawn:,} withdrawn)" if status.withdrawn else ""


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _moment(at: str | None) -> str:
    return f"<t:{int(datetime.fromisoformat(at).timestamp())}:f>" if at else "not yet"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
