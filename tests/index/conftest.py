from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Wiring, wire


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Wiring]:
    wiring = wire(tmp_path)
    yield wiring
    wiring.close()


@pytest.fixture
def other(tmp_path: Path, services: Wiring) -> Iterator[Wiring]:
    """Services of another process on the same collection, with an index of its own."""
    wiring = wire(services.home)
    yield wiring
    wiring.close()
