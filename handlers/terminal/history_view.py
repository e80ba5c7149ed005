"""A story's versions in the terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from data.models import Revision
from data.rechecks import Recheck
from data.standing import History
from handlers.console import attribution_line, counted, printable
from index.corrections import changes, details_changed


def history_view(history: History, page: Recheck | None) -> RenderableType:
    """Return the versions of a story, the first one first, each with what it changed."""
    parts: list[RenderableType] = []
    before: Revision | None = None
    for number, revision in enumerate(history.revisions, start=1):
        said = f", changed by its publisher {revision.modified_at}" if revision.modified_at else ""
        head = f"Version {number}, stored {revision.created_at}{said}"
        parts.append(Text(head, style="bold"))
        parts.append(Text(f"  {attribution_line(revision)}", style="cyan"))
        if before is not None:
            parts += _difference(before, revision)
        before = revision
    if history.withdrawn_at is not None:
        words = f"Withdrawn by its publisher, seen {history.withdrawn_at}: no longer quoted."
        parts.append(Text(words, style="yellow"))
    if page is not None:
        problem = f" {page.problem}" if page.problem else ""
        words = f"Page last looked at {page.checked_at}: {page.url}{problem}"
        parts.append(Text(printable(words), style="dim"))
    return Group(*parts)


def _difference(old: Revision, new: Revision) -> list[RenderableType]:
    """Return what changed, each paragraph behind a - or a +."""
    lines: list[RenderableType] = [
        Text(printable(f"  {name}: {before or 'unknown'} → {after or 'unknown'}"))
        for name, before, after in details_changed(old, new)
    ]
    kept = 0
    for change in changes(old.text, new.text):
        if change.kept:
            kept += 1
        elif change.new is None:
            lines.append(Text(printable(f"  - {change.old}"), style="red"))
        else:
            lines.append(Text(printable(f"  + {change.new}"), style="green"))
    if old.sha256 == new.sha256:
        lines.append(Text("  The text is the same.", style="dim"))
    elif kept:
        words = counted(kept, "paragraph is", "paragraphs are")
        lines.append(Text(f"  {words} the same.", style="dim"))
    return lines
