import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from data.database import Database, open_database, storage_errors, write
from data.migrations import memory
from data.models import Span
from data.revisions import now

_ID_BYTES = 9  # 12 characters of base64: not to be guessed, and short enough for a custom_id


def open_memory(home: Path) -> Database:
    """Return a new connection to what the bot itself remembers, for the calling thread alone.

    Raises:
        StorageError: if the home cannot be used.
    """
    with storage_errors(home):
        home.mkdir(parents=True, exist_ok=True)
    return open_database(home / "pullquote.db", memory)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands; `guild_id` is None in a direct message."""

    guild_id: int | None
    channel_id: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """A story that carried a quote when it was given, and which version of it did."""

    collection: str
    article_id: str
    revision_id: int
    sha256: str


@dataclass(frozen=True, slots=True)
class GivenCitation:
    """A quote as it was given: which revision of which collection, and where in its text.

    `sha256` is that of the revision's text, since a number can be given again after a backup was
    restored. It is None for an answer of before it was remembered; who carried such a quote is not
    known either.
    """

    number: int
    collection: str
    article_id: str
    revision_id: int
    span: Span
    highlight: Span | None
    sha256: str | None = None
    carriers: tuple[Carrier, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer that was given: where, to whom, and what it quoted; never the question.

    `message_id` is None until the message was sent.
    """

    id: str
    place: Place
    message_id: int | None
    asker_id: int
    citations: tuple[GivenCitation, ...]


@dataclass(frozen=True, slots=True)
class StandingQuote:
    """A quote that stands in a message, and which state of its story is marked there ('' none)."""

    answer_id: str
    channel_id: int
    message_id: int
    citation: GivenCitation
    marked: str


@dataclass(frozen=True, slots=True)
class Votes:
    """How many people called answers helpful, and how many did not."""

    helpful: int
    unhelpful: int


class AnswerStore:
    """The answers that were given, and what people thought of them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, place: Place, asker_id: int, citations: Sequence[GivenCitation]) -> str:
        """Store an answer that is about to be sent; return its id."""
        answer_id = secrets.token_urlsafe(_ID_BYTES)
        with write(self._db):
            self._db.execute(
                "INSERT INTO answers (id, guild_id, channel_id, asker_id, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                [answer_id, place.guild_id, place.channel_id, asker_id, now()],
            )
            for c in citations:
                highlight = (c.highlight.start, c.highlight.end) if c.highlight else (None, None)
                self._db.execute(
                    "INSERT INTO citations (answer_id, number, collection, article_id, revision_id,"
                    ' start, "end", highlight_start, highlight_end, sha256, carriers)'
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        answer_id,
                        c.number,
                        c.collection,
                        c.article_id,
                        c.revision_id,
                        c.span.start,
                        c.span.end,
                        *highlight,
                        c.sha256,
                        json.dumps([astuple(carrier) for carrier in c.carriers]),
                    ],
                )
        return answer_id

    def sent(self, answer_id: str, message_id: int, channel_id: int) -> None:
        """Store which message the answer became, and in which channel it ended up."""
        with write(self._db):
            self._db.execute(
                "UPDATE answers SET message_id = ?, channel_id = ? WHERE id = ?",
                [message_id, channel_id, answer_id],
            )

    def get(self, answer_id: str) -> GivenAnswer | None:
        """Return the answer of that id, or None where it was removed or never was."""
        rows = list(self._db.query("SELECT * FROM answers WHERE id = ?", [answer_id]))
        if not rows:
            return None
        row = rows[0]
        return GivenAnswer(
            id=row["id"],
            place=Place(row["guild_id"], row["channel_id"]),
            message_id=row["message_id"],
            asker_id=row["asker_id"],
            citations=self._citations(answer_id),
        )

    def _citations(self, answer_id: str) -> tuple[GivenCitation, ...]:
        rows = self._db.query(
            "SELECT * FROM citations WHERE answer_id = ? ORDER BY number", [answer_id]
        )
        return tuple(_citation(row) for row in rows)

    def standing(self, collection: str) -> list[StandingQuote]:
        """Return the quotes from a collection in messages that may be edited still."""
        rows = self._db.query(
            "SELECT c.*, a.channel_id, a.message_id FROM citations c"
            " JOIN answers a ON a.id = c.answer_id"
            " WHERE c.collection = ? AND a.message_id IS NOT NULL AND NOT a.lost"
            " ORDER BY c.rowid",
            [collection],
        )
        return [
            StandingQuote(
                answer_id=row["answer_id"],
                channel_id=row["channel_id"],
                message_id=row["message_id"],
                citation=_citation(row),
                marked=row["marked"],
            )
            for row in rows
        ]

    def quoted_collections(self) -> list[str]:
        """Return the names of the collections that answers quoted from, sorted."""
        rows = self._db.execute("SELECT DISTINCT collection FROM citations ORDER BY collection")
        return [row[0] for row in rows.fetchall()]

    def marked(self, answer_id: str, marks: Mapping[int, str]) -> None:
        """Store which state of its story stands at each quote, by its number."""
        with write(self._db):
            for number, mark in marks.items():
                self._db.execute(
                    "UPDATE citations SET marked = ? WHERE answer_id = ? AND number = ?",
                    [mark, answer_id, number],
                )

    def lose(self, answer_id: str) -> None:
        """Remember that the message of an answer can no longer be edited."""
        with write(self._db):
            self._db.execute("UPDATE answers SET lost = 1 WHERE id = ?", [answer_id])

    def remove(self, answer_id: str) -> None:
        """Delete an answer with its citations and votes, where it is still there."""
        with write(self._db):
            self._db.execute("DELETE FROM answers WHERE id = ?", [answer_id])

    def forget_message(self, message_id: int) -> None:
        """Delete the answer that stood in a message which is gone."""
        with write(self._db):
            self._db.execute("DELETE FROM answers WHERE message_id = ?", [message_id])

    def vote(self, answer_id: str, user_id: int, *, helpful: bool) -> None:
        """Store what one person thinks of an answer, in place of what they thought before."""
        with write(self._db):
            self._db.execute(
                "INSERT INTO votes VALUES (?, ?, ?) ON CONFLICT (answer_id, user_id)"
                " DO UPDATE SET helpful = excluded.helpful",
                [answer_id, user_id, int(helpful)],
            )

    def votes(self, guild_id: int) -> Votes:
        """Return the votes on the answers that were given in one server."""
        row = self._db.execute(
            "SELECT coalesce(sum(v.helpful), 0), coalesce(sum(1 - v.helpful), 0)"
            " FROM votes v JOIN answers a ON a.id = v.answer_id WHERE a.guild_id = ?",
            [guild_id],
        ).fetchone()
        return Votes(int(row[0]), int(row[1]))


def _citation(row: dict[str, Any]) -> GivenCitation:
    start, end = row["highlight_start"], row["highlight_end"]
    return GivenCitation(
        number=row["number"],
        collection=row["collection"],
        article_id=row["article_id"],
        revision_id=row["revision_id"],
        span=Span(row["start"], row["end"]),
        highlight=Span(start, end) if start is not None else None,
        sha256=row["sha256"],
        carriers=tuple(Carrier(*fields) for fields in json.loads(row["carriers"])),
    )
