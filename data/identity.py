"""Which stored story a draft is a version of; the rules are in docs/adr/0004."""

from data.database import Database, scalar
from data.errors import NotFoundError
from data.models import Draft, text_hash
from data.urls import canonical_url


def identify(db: Database, draft: Draft) -> str | None:
    """Return the id of the story that the draft is a version of, or None.

    Raises:
        NotFoundError: if it names one that is not here any more.
    """
    if draft.article_id is not None:
        if scalar(db, "SELECT 1 FROM articles WHERE id = ?", draft.article_id) is None:
            raise NotFoundError("That story was removed in the meantime.")
        return draft.article_id
    if draft.external_id is not None:
        known = _by_external_id(db, draft.external_id)
        if known is not None:
            return known
    attribution = draft.attribution
    same_text = scalar(
        db,
        "SELECT a.id FROM articles a JOIN revisions r ON r.id = a.revision_id"
        " WHERE r.sha256 = ? AND r.source IS ? AND a.canonical_url IS ?",
        text_hash(draft.text),
        attribution.source,
        canonical_url(attribution.url),
    )
    if same_text is not None or attribution.url is None:
        return None if same_text is None else str(same_text)
    by_url = scalar(
        db,
        "SELECT a.id FROM articles a WHERE a.canonical_url = ? AND (? IS NULL OR NOT EXISTS"
        " (SELECT 1 FROM external_ids e WHERE e.article_id = a.id)) ORDER BY a.added_at DESC",
        canonical_url(attribution.url),
        draft.external_id,
    )
    if by_url is None and draft.said is not None:
        # Somebody may have corrected the link here; the page still calls itself what it did.
        by_url = scalar(db, "SELECT article_id FROM said WHERE url = ?", draft.said.url)
    return None if by_url is None else str(by_url)


def _by_external_id(db: Database, external_id: str) -> str | None:
    found = scalar(db, "SELECT article_id FROM external_ids WHERE external_id = ?", external_id)
    return None if found is None else str(found)


def remember_external_id(db: Database, external_id: str | None, article_id: str) -> bool:
    """Let the external id name the story; return whether it is new.

    The first one that a story gets is the one that it shows.
    """
    if external_id is None or _by_external_id(db, external_id) is not None:
        return False
    taken = scalar(db, "SELECT 1 FROM external_ids WHERE article_id = ?", article_id)
    db.execute(
        "INSERT INTO external_ids VALUES (?, ?, ?)",
        [external_id, article_id, 0 if taken else 1],
    )
    return True
