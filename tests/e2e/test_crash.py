from pathlib import Path

import pytest

from tests.e2e.crash import crash_test


@pytest.mark.slow
def test_killed_commands_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    crash_test(tmp_path / "home", kills=6, seed=7)
