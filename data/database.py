import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils
from sqlite_utils import Migrations

from data.errors import StorageError
from data.models import folded

# How long a writer waits for another process that writes, in seconds.
LOCK_TIMEOUT = 30
_LOCK_PAUSE = 0.005  # seconds
_MAX_PARAMETERS = 500  # ids in one query, below SQLite's limit on every build


class Database(sqlite_utils.Database):
    """A connection; `collection` names the collection it was opened for, if it was for one."""

    collection: str = ""


def open_database(path: Path, migrations: Migrations) -> Database:
    """Return a connection to the database at `path`, created and migrated where needed.

    The connection belongs to the thread that opens it. WAL lets readers go on while one writes;
    `synchronous=FULL` makes a commit survive a power cut; `secure_delete` overwrites what is
    deleted.

    Raises:
        StorageError: if the file is no database, is damaged, comes from a newer version, or
            cannot be opened or written.
    """
    with storage_errors(path):
        connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            # A damaged text is read all the same, so that `verify` can name it.
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            connection.create_function("folded", 1, folded, deterministic=True)
            db = Database(connection, execute_plugins=False)
            _migrate(db, migrations, path)
        except BaseException:
            connection.close()
            raise
    return db


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; of a new file, several may be the first to open it at once.

    SQLite does not wait for the lock that this takes, whatever the timeout of the connection.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_LOCK_PAUSE)


def _migrate(db: Database, migrations: Migrations, path: Path) -> None:
    known = {migration.name for migration in migrations.pending(db)}
    applied = {migration.name for migration in migrations.applied(db)}
    if any(name not in _names(migrations) for name in applied):
        raise StorageError(
            f"{path} was written by a newer version of Pullquote. "
            "Update Pullquote, or use another home folder; nothing was changed."
        )
    if known:
        with write(db):  # two processes may open a new home at once: one migrates, one waits
            migrations.apply(db)


def _names(migrations: Migrations) -> set[str]:
    # A fresh in-memory database has applied nothing, so everything is pending there.
    blank = Database(memory=True, execute_plugins=False)
    try:
        return {migration.name for migration in migrations.pending(blank)}
    finally:
        blank.close()


@contextmanager
def write(db: Database) -> Iterator[None]:
    """Run the block as one transaction that holds the write lock from its beginning.

    Nothing of the block is kept if it raises. A block inside a block joins the outer one.
    """
    if db.conn.in_transaction:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def read(db: Database) -> Iterator[None]:
    """Run the block on one unchanging view of the database; writing in it is an error."""
    if db.conn.in_transaction:
        yield
        return
    db.execute("PRAGMA query_only = ON")
    db.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        db.execute("PRAGMA query_only = OFF")


def scalar(db: Database, sql: str, *parameters: object) -> Any:
    """Return the first column of the first row, or None where there is no row."""
    row = db.execute(sql, list(parameters)).fetchone()
    return None if row is None else row[0]


_Id = TypeVar("_Id", int, str)


def parts(ids: Iterable[_Id]) -> Iterator[list[_Id]]:
    """Yield the ids, each once and ascending, in lists that fit into one query."""
    wanted = sorted(set(ids))
    for first in range(0, len(wanted), _MAX_PARAMETERS):
        yield wanted[first : first + _MAX_PARAMETERS]


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system and SQLite say about `path` into a sentence for people.

    Raises:
        StorageError: for a folder that is read-only or missing, a full disk, a lock that another
            process holds, and a file that is no database.
    """
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise StorageError(explain_storage_error(error, path)) from error


_STORAGE_ERRORS = tuple(
    f"SQLITE_{name}"
    for name in ("BUSY", "LOCKED", "FULL", "READONLY", "IOERR", "CANTOPEN", "CORRUPT", "NOTADB")
)
_STORAGE_WORDS = ("locked", "disk is full", "readonly", "unable to open", "malformed")


def is_storage_error(error: Exception) -> bool:
    """Return whether the error comes from the disk, its rights, a lock or damage: no bug."""
    if isinstance(error, OSError):
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith(_STORAGE_ERRORS) or any(word in str(error) for word in _STORAGE_WORDS)


def explain_storage_error(error: Exception, path: Path | None = None) -> str:
    """Return one sentence that says what is wrong with the place and what to do."""
    place = "The home folder" if path is None else str(path)
    # The text of an OSError holds the path, which may say "full" itself.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = reason.lower()
    if "locked" in text or "busy" in text:
        return (
            f"Another process has been writing for more than {LOCK_TIMEOUT} seconds. "
            "Nothing was changed; try again when it is done."
        )
    if "full" in text or "no space" in text or "quota" in text:
        return f"{place}: the disk is full. What was stored before is safe; free some space."
    if "readonly" in text or "read-only" in text or "permission" in text:
        return f"{place} is not writable. Use --home with a folder that you can write to."
    if "not a database" in text or "malformed" in text or "corrupt" in text:
        return f"{place} is not a sound Pullquote database. Restore it from a backup."
    if "not a directory" in text or "file exists" in text:
        return f"{place} cannot be used: a file stands where a folder is needed."
    return f"{place} cannot be used: {reason}."


def integrity_problems(db: Database) -> list[str]:
    """Return what SQLite's own integrity and foreign key checks find, in sentences; [] is sound."""
    try:
        rows = [row[0] for row in db.execute("PRAGMA integrity_check(5)").fetchall()]
    except sqlite3.DatabaseError as error:
        return [f"The database file is damaged: {error}."]
    problems = [] if rows == ["ok"] else [f"The database file is damaged: {row}." for row in rows]
    orphans = db.execute("PRAGMA foreign_key_check").fetchall()
    if orphans:
        problems.append(f"{len(orphans)} row(s) belong to something that is not there.")
    return problems
