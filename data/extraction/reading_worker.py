"""The process in which hostile input is read: it may take little memory and writes no files."""

import logging
import math
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO

from data.errors import StoryRefusedError
from data.extraction.reading_frames import BadFrameError, read_request, reply
from data.pages import Extracted, Feed, Page

_NICENESS = 5  # questions come first
# Times the seconds after which the parent ends a job that this process ends itself: for the case
# that the parent is gone.
_PATIENCE = 2
_NEARLY_ALL = 0.8  # of the memory, from which on an error is put down to its end
_MAX_TRACE = 4000  # characters, of the end


def main(arguments: Sequence[str]) -> None:
    """Answer the requests on standard input until it ends; given megabytes and seconds."""
    megabytes, seconds = int(arguments[0]), float(arguments[1])
    requests, replies = _own_pipes()
    _limit_itself(megabytes)
    sys.addaudithook(_stay_inside)
    # Nobody reads what libraries say about a page.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    while (request := read_request(requests)) is not None:
        _alarm(math.ceil(_PATIENCE * seconds))
        _answer(replies, *request, megabytes=megabytes)
        _alarm(0)


def _stay_inside(event: str, _: object) -> None:
    """Let nothing be asked of anybody: some libraries fetch what looks like an address to them.

    Raises:
        PermissionError: if a library tries.
    """
    if event.startswith(("socket.", "urllib.", "http.")):
        raise PermissionError(f"{event} is not for this process")


def _answer(replies: BinaryIO, job: str, page: Page, *, megabytes: int) -> None:
    """Write the answer to one request. After "memory" and "failed" the parent starts a new one."""
    try:
        frame = reply("ok", _job(job)(page))
    except StoryRefusedError as error:
        frame = reply("refused", str(error))
    except BadFrameError:
        frame = reply("long", None)
    except MemoryError:
        frame = reply("memory", None)
    except RecursionError:
        frame = reply("nested", None)
    except BaseException:
        # C libraries that get no memory raise errors of their own.
        is_short = _memory_taken() > _NEARLY_ALL * megabytes
        trace = None if is_short else traceback.format_exc()[-_MAX_TRACE:]
        _write(replies, reply("memory" if is_short else "failed", trace))
        raise
    _write(replies, frame)


def _job(name: str) -> Callable[[Page], Extracted | Feed]:
    if name == "parse_feed":
        from data.extraction.feed_parsing import parse_feed

        return parse_feed
    from data.extraction.extract import extract

    return extract


def _write(replies: BinaryIO, frame: bytes) -> None:
    replies.write(frame)
    replies.flush()


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes to the parent; what a library prints or asks for goes nowhere."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return requests, replies


def _limit_itself(megabytes: int) -> None:
    """Set the limits that the system knows; where it knows none, the parent's clock is left."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 1_000_000,) * 2)
    with suppress(AttributeError, OSError):
        os.nice(_NICENESS)


def _memory_taken() -> float:
    """Return the most megabytes that this process has taken so far; 0 where nobody counts."""
    with suppress(OSError, ValueError, KeyError):
        # What getrusage says on Linux is never less than what the parent had when it began this.
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            fields = dict(line.split(":", 1) for line in status if ":" in line)
        return int(fields["VmHWM"].split()[0]) * 1024 / 1_000_000
    with suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1_000_000 if sys.platform == "darwin" else most * 1024 / 1_000_000
    return 0.0


def _alarm(seconds: int) -> None:
    with suppress(AttributeError):  # not on every system
        signal.alarm(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
