"""One holder of a lock at a time, here and elsewhere, and none that is dead."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from data.answers import open_memory
from data.errors import StorageError
from data.locks import held_alone, poll_lock_file

ROOT = Path(__file__).resolve().parents[2]
_HOLD = """
import sys
from pathlib import Path
from data.locks import held_alone
with held_alone(Path(sys.argv[1])) as alone:
    sys.stdout.write(f"{alone}\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def test_the_second_one_is_told_that_it_is_not_alone(tmp_path: Path) -> None:
    file = tmp_path / "locks" / "a.lock"
    with held_alone(file) as first, held_alone(file) as second:
        assert (first, second) == (True, False)
    with held_alone(file) as again:
        assert again


def test_the_second_one_does_not_free_what_the_first_one_holds(tmp_path: Path) -> None:
    file = tmp_path / "a.lock"
    with held_alone(file):
        with held_alone(file):
            pass
        with held_alone(file) as third:
            assert not third


def test_other_locks_are_others(tmp_path: Path) -> None:
    with held_alone(tmp_path / "a.lock"), held_alone(tmp_path / "b.lock") as other:
        assert other


def test_what_goes_wrong_inside_frees_it(tmp_path: Path) -> None:
    file = tmp_path / "a.lock"
    with pytest.raises(KeyError), held_alone(file):
        raise KeyError
    with held_alone(file) as again:
        assert again


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "a.lock"
    command = [sys.executable, "-c", _HOLD, str(file)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with held_alone(file) as meanwhile:
            assert not meanwhile
        other.kill()
        other.wait()
    with held_alone(file) as after:
        assert after


def test_a_folder_that_cannot_be_made_is_trouble_in_words(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("")
    with (
        pytest.raises(StorageError, match="a file stands where"),
        held_alone(tmp_path / "locks" / "a.lock"),
    ):
        pass


def test_each_feed_has_a_lock_beside_what_the_bot_remembers(tmp_path: Path) -> None:
    with closing(open_memory(tmp_path)) as memory:
        one, two = poll_lock_file(memory, 1), poll_lock_file(memory, 2)
    assert one != two
    assert {one.parent, two.parent} == {tmp_path / "locks"}
