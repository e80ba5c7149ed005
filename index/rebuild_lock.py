from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data.errors import UserError


@contextmanager
def rebuild_lock(path: Path) -> Iterator[None]:
    """Hold the collection's rebuild lock, which the system frees even when the process is killed.

    Raises:
        UserError: if another process holds it.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UserError("This collection is being rebuilt already; wait for it to end.") from error
    try:
        yield
    finally:
        lock.release()
