"""Locks that hold between processes and die with the one that has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data.database import Database, scalar, storage_errors


def poll_lock_file(memory: Database, feed_id: int) -> Path:
    """Return the file that is held locked while a feed is polled."""
    file = scalar(memory, "SELECT file FROM pragma_database_list WHERE name = 'main'")
    return Path(file).parent / "locks" / f"feed-{feed_id}.lock"


@contextmanager
def held_alone(path: Path) -> Iterator[bool]:
    """Hold a lock for the block; give False where somebody holds it, here or in another process.

    The system frees it even when the process is killed.

    Raises:
        StorageError: if the file cannot be made.
    """
    # What waits for the web goes on in whichever thread there is.
    lock = FileLock(path, thread_local=False)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        alone = _acquired(lock)
    try:
        yield alone
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
