"""A story's versions in Discord; pure."""

from collections.abc import Sequence

from data.models import Revision
from data.standing import History
from handlers.layouts.layout import Action, Item, Layout, button, line, panel, row, text
from handlers.layouts.markdown import one_line, quoted, size, when
from handlers.layouts.render import byline
from handlers.layouts.stories import STORY_COLOUR
from index.corrections import Change, changes, details_changed

_MAX_DIFFERENCE = 2600  # characters on one page, markup included
_MAX_PARAGRAPH = 500
_BEFORE = 80  # characters that are shown before the first difference


def history_layout(history: History, number: int) -> Layout:
    """Return one version of a story and what it changed; `number` counts back from the newest."""
    total = len(history.revisions)
    number = min(number, total - 1)
    at = total - 1 - number
    revision = history.revisions[at]
    before = history.revisions[at - 1] if at > 0 else None
    head = [
        f"### {one_line(revision.attribution.title, 150)}",
        byline(revision.attribution),
        f"-# Version {at + 1} of {total}, stored {when(revision.created_at)}",
    ]
    if revision.modified_at is not None:
        head.append(f"-# Changed by its publisher {when(revision.modified_at)}")
    if history.withdrawn_at is not None:
        head.append(f"⚠️ Its publisher withdrew it; seen {when(history.withdrawn_at)}.")
    items: list[Item] = [text("\n".join(head)), line(), text(_difference(before, revision))]
    buttons = []
    article_id = revision.article_id
    if at > 0:
        buttons.append(button("Version before", Action.HISTORY, article_id, number + 1, emoji="◀️"))
    if number > 0:
        buttons.append(button("Version after", Action.HISTORY, article_id, number - 1, emoji="▶️"))
    buttons.append(button("Show the story", Action.SHOW_STORY, article_id, 0))
    return Layout(panel(*items, colour=STORY_COLOUR), row(*buttons))


def _difference(before: Revision | None, after: Revision) -> str:
    """Return what a version changed: details, then paragraphs that went and that came."""
    if before is None:
        return "The first version that was stored."
    parts = [
        f"**{name}**: {_detail(name, old)} → {_detail(name, new)}"
        for name, old, new in details_changed(before, after)
    ]
    if before.sha256 == after.sha256:
        return "\n".join([*parts, "-# The text is the same."])
    found = list(changes(before.text, after.text))
    kept = sum(change.kept for change in found)
    for number, change in enumerate(found):
        if not change.kept:
            parts.append(_block(change, _counterpart(found, number)))
    room = _MAX_DIFFERENCE
    shown = []
    for part in parts:
        room -= size(part) + 1
        if room < 0:
            shown.append("-# There is more; `history` on the command line shows all of it.")
            break
        shown.append(part)
    if kept:
        shown.append(f"-# {kept} paragraph{' is' if kept == 1 else 's are'} the same.")
    return "\n".join(shown).rstrip()


def _counterpart(found: Sequence[Change], number: int) -> str:
    """Return the paragraph that a changed one took the place of, or that took its place."""
    near = found[number + 1 : number + 2] if found[number].new is None else found[:number][-1:]
    other = near[0] if near and not near[0].kept else Change(None, None)
    return (other.new if found[number].new is None else other.old) or ""


def _block(change: Change, other: str) -> str:
    """Return a paragraph that went or came, cut around where it begins to differ from the other."""
    gone = change.new is None
    words = (change.old if gone else change.new) or ""
    same = next((n for n, (a, b) in enumerate(zip(words, other, strict=False)) if a != b), 0)
    start = 0 if same < _MAX_PARAGRAPH // 2 else words.rfind(" ", 0, same - _BEFORE) + 1
    end = min(len(words), start + _MAX_PARAGRAPH)
    shown = words[start:end].strip()
    block = quoted(shown, None, before=start > 0, after=end < len(words))
    # Without an empty line some clients take what follows for a part of the quote.
    return f"{'➖ taken out' if gone else '➕ put in'}\n{block}\n"


def _detail(name: str, value: str | None) -> str:
    if value is None:
        return "unknown"
    return when(value) if name == "date" else one_line(value, 100)
