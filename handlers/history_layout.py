"""A story's versions in Discord; pure."""

from data.models import Revision
from data.standing import History
from handlers.layout import Action, Item, Layout, button, line, panel, row, text
from handlers.markdown import one_line, quoted, size, when
from handlers.render import byline
from handlers.stories import STORY_COLOUR
from index.corrections import changes, details_changed

_MAX_DIFFERENCE = 2600  # characters on one page, markup included
_MAX_PARAGRAPH = 500


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
        f"**{name}**: {one_line(old or 'unknown', 100)} → {one_line(new or 'unknown', 100)}"
        for name, old, new in details_changed(before, after)
    ]
    if before.sha256 == after.sha256:
        return "\n".join([*parts, "-# The text is the same."])
    kept = 0
    for change in changes(before.text, after.text):
        if change.kept:
            kept += 1
            continue
        gone = change.new is None
        words = change.old if gone else change.new
        block = quoted(
            _cut(words or ""), None, before=False, after=len(words or "") > _MAX_PARAGRAPH
        )
        parts.append(f"{'➖ taken out' if gone else '➕ put in'}\n{block}")
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
    return "\n".join(shown)


def _cut(paragraph: str) -> str:
    return paragraph[:_MAX_PARAGRAPH].rstrip()
