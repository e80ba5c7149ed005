import errno
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils
from sqlite_utils import Migrations

from data.collections import Collections
from data.database import (
    Database,
    explain_storage_error,
    integrity_problems,
    open_database,
    read,
    scalar,
    storage_errors,
    write,
)
from data.errors import StorageError
from data.migrations import stories


def _open(path: Path) -> Database:
    return open_database(path, stories)


def _states(db: Database) -> list[str]:
    return [
        row[0]
        for row in db.execute("SELECT key FROM state WHERE key != 'token' ORDER BY key").fetchall()
    ]


def test_opens_with_the_promised_pragmas(db: Database) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    assert [scalar(db, f"PRAGMA {name}") for name in names] == ["wal", 2, 1, 1]


def test_a_new_database_is_sound_and_a_second_opening_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    _open(path).close()
    before = path.read_bytes()
    with closing(_open(path)) as db:
        assert integrity_problems(db) == []
        assert _states(db) == ["generation"]
    assert path.read_bytes() == before


def test_refuses_a_database_from_a_newer_version_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    with closing(_open(path)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('stories', 'm999_from_the_future', '2099-01-01')"
        )
    before = path.read_bytes()
    with pytest.raises(StorageError, match="written by a newer version of Pullquote") as caught:
        _open(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_migrations_of_another_set_do_not_make_a_database_newer(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    with closing(_open(path)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('something else', 'm999', '2099-01-01')"
        )
    _open(path).close()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = Migrations("stories")

    @broken()
    def m001(db: sqlite_utils.Database) -> None:
        db.execute("CREATE TABLE one (x)")

    @broken()
    def m002(db: sqlite_utils.Database) -> None:
        db.execute("CREATE TABLE two (x)")
        db.execute("INSERT INTO missing VALUES (1)")

    path = tmp_path / "stories.db"
    with pytest.raises(StorageError, match="no such table: missing"):
        open_database(path, broken)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_a_new_home_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    collection = Collections(tmp_path).get("shared")

    def visit(_: int) -> list[str]:
        with closing(collection.connect()) as db:
            return _states(db)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(visit, range(8))) == [["generation"]] * 8


def test_refuses_a_file_that_is_no_database_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    path.write_text("These are the notes of a person, not a database.\n" * 50)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a sound Pullquote database"):
        _open(path)
    assert path.read_bytes() == before


def test_refuses_a_database_that_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    _open(path).close()
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(StorageError, match="not a sound Pullquote database"):
        _open(path)


def test_refuses_a_folder_in_the_place_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "stories.db").mkdir()
    with pytest.raises(StorageError, match="cannot be used: unable to open database file"):
        _open(tmp_path / "stories.db")


def test_writing_to_a_read_only_database_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "stories.db"
    _open(path).close()
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(StorageError, match="is not writable. Use --home"),
        storage_errors(path),
    ):
        connection.execute("DELETE FROM state")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_refuses_a_home_that_is_read_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="is not writable"):
            Collections(tmp_path).get("shared").connect()
    finally:
        tmp_path.chmod(0o700)


def test_a_transaction_is_kept_when_its_block_ends(db: Database, tmp_path: Path) -> None:
    with write(db):
        db.execute("INSERT INTO state VALUES ('a', 1)")
    with closing(Collections(tmp_path).get("shared").connect()) as other:
        assert _states(other) == ["a", "generation"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_transaction_rolls_back_when_its_block_raises(
    db: Database, error: type[BaseException]
) -> None:
    with pytest.raises(error), write(db):
        db.execute("INSERT INTO state VALUES ('a', 1)")
        raise error
    assert _states(db) == ["generation"]
    assert not db.conn.in_transaction


def test_a_block_inside_a_block_is_rolled_back_with_the_outer_one(db: Database) -> None:
    with pytest.raises(ValueError, match="stop"), write(db):
        with write(db):
            db.execute("INSERT INTO state VALUES ('inner', 1)")
        db.execute("INSERT INTO state VALUES ('outer', 1)")
        raise ValueError("stop")
    assert _states(db) == ["generation"]


def test_a_writer_holds_the_lock_from_the_beginning_of_its_block(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.database.LOCK_TIMEOUT", 0)
    path = tmp_path / "collections" / "shared" / "stories.db"
    with (
        closing(Collections(tmp_path).get("shared").connect()) as other,
        write(db),
        pytest.raises(StorageError, match="Another process has been writing"),
        storage_errors(path),
        write(other),
    ):
        pytest.fail("two writers at once")


def test_a_reader_goes_on_while_another_writes_and_sees_one_view(
    db: Database, tmp_path: Path
) -> None:
    with closing(Collections(tmp_path).get("shared").connect()) as other:
        with read(db):
            assert _states(db) == ["generation"]
            with write(other):
                other.execute("INSERT INTO state VALUES ('a', 1)")
            assert _states(db) == ["generation"]
        assert _states(db) == ["a", "generation"]
        assert not db.conn.in_transaction


def test_a_reading_block_inside_a_transaction_sees_it_and_does_not_end_it(db: Database) -> None:
    with write(db):
        db.execute("INSERT INTO state VALUES ('a', 1)")
        with read(db):
            assert _states(db) == ["a", "generation"]
    assert _states(db) == ["a", "generation"]


def test_scalar_is_the_first_column_of_the_first_row_or_none(db: Database) -> None:
    assert scalar(db, "SELECT ?, 'b'", "a") == "a"
    assert scalar(db, "SELECT 1 WHERE 1 = ?", 2) is None


def test_rows_that_belong_to_nothing_are_refused_and_found_if_they_are_there(db: Database) -> None:
    orphan = "INSERT INTO external_ids VALUES ('x', 'nowhere', 1)"
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(orphan)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(orphan)
    assert integrity_problems(db) == ["1 row(s) belong to something that is not there."]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (sqlite3.OperationalError("database is locked"), "Another process has been writing"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "the disk is full"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "is not writable"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "is not writable"),
        (sqlite3.DatabaseError("database disk image is malformed"), "not a sound"),
        (NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), "a file stands where"),
        (OSError(errno.EIO, os.strerror(errno.EIO)), "cannot be used: "),
    ],
)
def test_explains_what_is_wrong_in_a_sentence(error: Exception, sentence: str) -> None:
    explained = explain_storage_error(error, Path("/srv/news"))
    assert sentence in explained
    assert explained.endswith(".")


def test_an_explanation_names_the_place_where_it_is_known() -> None:
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    assert explain_storage_error(error, Path("/srv/news")).startswith("/srv/news is not writable")
    assert explain_storage_error(error).startswith("The home folder is not writable")


def test_errors_that_are_no_storage_errors_pass_through() -> None:
    with pytest.raises(KeyError), storage_errors(Path("/srv/news")):
        raise KeyError("a bug")
