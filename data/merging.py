"""What a known story's attribution becomes when it comes in again."""

from dataclasses import fields, replace

from data.database import Database
from data.models import Attribution, Draft, Revision
from data.plaintext import title_from
from data.urls import canonical_url

_NAMES = tuple(field.name for field in fields(Attribution))


def merged(db: Database, article_id: str, current: Revision | None, draft: Draft) -> Attribution:
    """Return the draft's attribution, with what it leaves open taken from the current one.

    A title that was made from the text is made again when the text changes. Of what a machine
    reads again, only what its page says otherwise than before counts, and what somebody said or
    corrected here stays. A known date stays too, since pages and feeds move it with every change.
    """
    new = draft.attribution
    if current is None:
        return new
    old = current.attribution
    made = old.title == title_from(current.text)
    title = new.title if draft.title_given or made else old.title
    result = Attribution(
        title=title,
        source=new.source or old.source,
        author=new.author or old.author,
        published_at=new.published_at or old.published_at,
        url=new.url or old.url,
    )
    if "url" not in draft.given and _same_page(old.url, new.url):
        result = replace(result, url=old.url)  # `?utm_source=x` is no change
    if draft.said is None:
        return result
    before = _said(db, article_id)
    kept = {
        name: getattr(old, name)
        for name in _NAMES
        if name not in draft.given
        and (
            (name == "published_at" and old.published_at is not None)
            or (before is not None and before[name] == getattr(draft.said, name))
            or (before is not None and _somebodys(name, getattr(old, name), before[name]))
        )
    }
    return replace(result, **kept)


def _somebodys(name: str, current: str | None, said: str | None) -> bool:
    """Return whether a detail is a person's: it is known, and other than what was read last."""
    if name == "url" and _same_page(current, said):
        return False
    return current is not None and current != said


def _same_page(old: str | None, new: str | None) -> bool:
    return bool(old and new) and canonical_url(old) == canonical_url(new)


def remember_said(db: Database, article_id: str, draft: Draft) -> None:
    """Store what a machine read; called inside a transaction of the caller's.

    What it does not find this time is as it was read before.
    """
    if draft.said is not None:
        said = draft.said
        db.execute(
            "INSERT INTO said VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (article_id) DO UPDATE SET"
            " title = excluded.title, source = coalesce(excluded.source, source),"
            " author = coalesce(excluded.author, author),"
            " published_at = coalesce(excluded.published_at, published_at),"
            " url = coalesce(excluded.url, url)",
            [article_id, said.title, said.source, said.author, said.published_at, said.url],
        )


def _said(db: Database, article_id: str) -> dict[str, str | None] | None:
    rows = list(db.query("SELECT * FROM said WHERE article_id = ?", [article_id]))
    return rows[0] if rows else None
