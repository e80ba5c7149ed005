import errno
import logging
import os
import re
import sqlite3
from pathlib import Path

import pytest

from data.errors import NotFoundError, StorageError, StoryRefusedError, UserError
from handlers.errors import message_for
from index.models import QuoteMismatchError


@pytest.mark.parametrize("kind", [UserError, StoryRefusedError, NotFoundError, StorageError])
def test_an_error_for_users_is_shown_as_written_and_logs_nothing(
    kind: type[UserError], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert message_for(kind("The date [bold] is {wrong}.")) == "The date [bold] is {wrong}."
    assert caplog.records == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (sqlite3.OperationalError("database is locked"), "Another process has been writing"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "is not writable"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "is not writable"),
    ],
)
def test_a_disk_that_is_full_locked_or_read_only_is_explained_in_words(
    error: Exception, sentence: str
) -> None:
    shown = message_for(error)
    assert sentence in shown
    assert shown.endswith(".")
    assert "incident" not in shown
    assert "Errno" not in shown


def test_a_real_write_to_a_read_only_database_is_explained_in_words(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO t VALUES (1)")
    connection.close()
    assert "is not writable" in message_for(caught.value)


def _fail() -> None:
    raise ZeroDivisionError("secret detail")


def test_any_other_error_is_shown_as_an_incident_that_the_log_has_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _fail()
    shown = message_for(caught.value)
    found = re.fullmatch(
        r"Something went wrong inside Pullquote\. Its log has this as incident ([0-9a-f]{8})\.",
        shown,
    )
    assert found is not None
    assert "secret detail" not in shown
    assert found[1] in caplog.text
    assert "Traceback" in caplog.text
    assert "in _fail" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    "error",
    [
        QuoteMismatchError("not its own characters"),
        sqlite3.IntegrityError("FOREIGN KEY"),
        KeyError(),
    ],
)
def test_bugs_are_never_shown_in_their_own_words(error: Exception) -> None:
    shown = message_for(error)
    assert "incident" in shown
    assert not str(error) or str(error) not in shown


def test_each_incident_has_an_id_of_its_own() -> None:
    assert message_for(KeyError("a")) != message_for(KeyError("a"))
