from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import UserError
from data.locks import held_alone


@contextmanager
def rebuild_lock(path: Path) -> Iterator[None]:
    """Hold the collection's rebuild lock, which the system frees even when the process is killed.

    Raises:
        UserError: if another process holds it.
    """
    with held_alone(path) as alone:
        if not alone:
            raise UserError("This collection is being rebuilt already; wait for it to end.")
        yield
