"""Answers, passages and stories as the plain JSON objects that the command line writes."""

from typing import Any

from data.followed import FollowedFeed, NotTaken, Outcome
from data.models import Revision
from data.pages import Extracted
from data.rechecks import Recheck
from data.standing import History
from handlers.polls import Poll
from index.corrections import changes, details_changed
from index.models import Answer, Citation, IndexStatus, Passage

Record = dict[str, Any]


def answer_record(answer: Answer, *, query_id: object = None) -> Record:
    """Return the answer as a JSON object; unknown is null."""
    return {
        "id": query_id,
        "question": answer.question,
        "answered": answer.answered,
        "reason": answer.reason.value if answer.reason else None,
        "confidence": round(answer.confidence, 4),
        "filters": {
            "source": answer.filters.source,
            "after": answer.filters.after,
            "before": answer.filters.before,
        },
        "citations": [_citation_record(citation) for citation in answer.citations],
        "nearest": [_nearest_record(revision) for revision in answer.nearest],
        "independent_publishers": answer.independent_publishers,
    }


def invalid_record(query_id: object, question: object, problem: str) -> Record:
    """Return what stands for a question that could not be asked, with the sentence why."""
    return {
        "id": query_id,
        "question": question if isinstance(question, str) else None,
        "answered": False,
        "reason": "invalid",
        "confidence": 0.0,
        "filters": {"source": None, "after": None, "before": None},
        "citations": [],
        "nearest": [],
        "independent_publishers": 0,
        "error": problem,
    }


def passage_record(passage: Passage) -> Record:
    """Return one passage; `text` is the stored slice itself."""
    attribution = passage.revision.attribution
    return {
        "rank": passage.rank,
        "score": round(passage.score, 6),
        "article_id": passage.revision.article_id,
        "external_id": passage.revision.external_id,
        "revision_id": passage.revision.id,
        "start": passage.span.start,
        "end": passage.span.end,
        "text": passage.text,
        "title": attribution.title,
        "source": attribution.source,
        "published_at": attribution.published_at,
    }


def article_record(revision: Revision) -> Record:
    """Return a story's ids and attribution."""
    attribution = revision.attribution
    return {
        "id": revision.article_id,
        "external_id": revision.external_id,
        "title": attribution.title,
        "source": attribution.source,
        "author": attribution.author,
        "published_at": attribution.published_at,
        "url": attribution.url,
    }


def story_record(revision: Revision, withdrawn_at: str | None = None) -> Record:
    """Return a story with its text and the revision that it stands in."""
    return {
        **article_record(revision),
        "withdrawn_at": withdrawn_at,
        "revision_id": revision.id,
        "sha256": revision.sha256,
        "text": revision.text,
    }


def extracted_record(file: str, found: Extracted) -> Record:
    """Return what would be stored of a page, and why it would not be, where it would not."""
    return {
        "file": file,
        "title": found.title,
        "author": found.author,
        "source": found.source,
        "published_at": found.published_at,
        "modified_at": found.modified_at,
        "url": found.url,
        "text": found.text,
        "reason": found.reason,
    }


def history_record(history: History, page: Recheck | None) -> Record:
    """Return a story's versions with what each changed, the first one first."""
    return {
        "id": history.revisions[-1].article_id,
        "withdrawn_at": history.withdrawn_at,
        "page": page and {"url": page.url, "checked_at": page.checked_at, "problem": page.problem},
        "versions": [
            {
                **article_record(new),
                "revision_id": new.id,
                "stored_at": new.created_at,
                "modified_at": new.modified_at,
                "sha256": new.sha256,
                "changes": [] if old is None else _changes(old, new),
                "details": [] if old is None else _details(old, new),
            }
            for old, new in zip((None, *history.revisions), history.revisions, strict=False)
        ],
    }


def _changes(old: Revision, new: Revision) -> list[Record]:
    return [
        {"removed": change.old} if change.new is None else {"added": change.new}
        for change in changes(old.text, new.text)
        if not change.kept
    ]


def _details(old: Revision, new: Revision) -> list[Record]:
    return [
        {"name": name, "before": before, "after": after}
        for name, before, after in details_changed(old, new)
    ]


def feed_record(feed: FollowedFeed, not_taken: NotTaken | None) -> Record:
    """Return a followed feed, and what of it was refused or failed."""
    newest = not_taken.newest if not_taken else ()
    return {
        "id": feed.id,
        "url": feed.url,
        "title": feed.title,
        "daily_limit": feed.daily_limit,
        "paused": feed.paused,
        "problem": feed.problem,
        "failures": feed.failures,
        "polled_at": feed.polled_at,
        "next_poll_at": feed.next_poll_at,
        "not_taken": not_taken.count if not_taken else 0,
        "newest_not_taken": [
            {"guid": item.guid, "title": item.title, "outcome": item.outcome, "reason": item.reason}
            for item in newest
        ],
    }


def poll_record(poll: Poll) -> Record:
    """Return what a poll of a feed brought."""
    return {
        "feed": poll.feed.id,
        "url": poll.feed.url,
        "unchanged": poll.unchanged,
        "problem": poll.problem,
        "paused": poll.paused,
        **{outcome.value: poll.count(outcome) for outcome in Outcome},
        "waiting": poll.waiting,
        "later": poll.later,
        "left_out": poll.left_out,
        "items": [
            {
                "title": taken.title,
                "url": taken.url,
                "outcome": taken.outcome.value,
                "reason": taken.reason,
                "article_id": taken.article_id,
            }
            for taken in poll.taken
        ],
    }


def status_record(status: IndexStatus) -> Record:
    """Return what `status` shows."""
    return {
        "collection": status.collection,
        "stories": status.stories,
        "withdrawn": status.withdrawn,
        "revisions": status.revisions,
        "chunks": status.chunks,
        "newest": article_record(status.newest) if status.newest else None,
        "encoder": status.encoder,
        "fingerprint": {
            "weights_hash": status.weights_hash,
            "dimension": status.dimension,
            "chunker_version": status.chunker_version,
            "header_version": status.header_version,
        },
        "built_at": status.built_at,
        "database_bytes": status.database_bytes,
        "index_bytes": status.index_bytes,
        "stale": list(status.stale),
    }


def _citation_record(citation: Citation) -> Record:
    revision, attribution = citation.revision, citation.revision.attribution
    highlight = citation.highlight_in_quote
    speaker = citation.speaker
    return {
        "number": citation.number,
        "quote": citation.quote,
        "highlight": list(highlight) if highlight else None,
        "article_id": revision.article_id,
        "external_id": revision.external_id,
        "revision_id": revision.id,
        "start": citation.span.start,
        "end": citation.span.end,
        "title": attribution.title,
        "source": attribution.source,
        "author": attribution.author,
        "published_at": attribution.published_at,
        "url": attribution.url,
        "speaker": {"name": speaker.name, "role": speaker.role} if speaker else None,
        "score": round(citation.score, 4),
        "also_carried_by": [
            {"title": a.title, "source": a.source, "published_at": a.published_at, "url": a.url}
            for a in citation.carried_by
        ],
    }


def _nearest_record(revision: Revision) -> Record:
    record = article_record(revision)
    return {
        "article_id": record["id"],
        **{name: record[name] for name in ("external_id", "title", "source", "published_at")},
    }
