import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from data.errors import StoryRefusedError, UnavailableError
from data.extraction.reading_frames import BadFrameError, extracted, feed, read_reply, request
from data.ingestion import MAX_FILE_BYTES
from data.pages import Extracted, Feed, Page

log = logging.getLogger(__name__)

# Of 169 news pages as they were served, up to 1.1 MB, the slowest took 3 s and the largest brought
# the process to 139 MB. A page of 5 MB of plain paragraphs took 7 s, one of a million tags 339 MB.
SECONDS = 30.0
MEGABYTES = 768
IDLE_SECONDS = 60.0

_ROOT = Path(__file__).resolve().parents[2]
_MAX_TRACE = 4000  # characters of what went wrong that are logged
_MAX_SENTENCE = 3000  # characters of a reason, which may name an address
_WHAT = {"extract": "page", "parse_feed": "feed"}
_REASONS = {
    "time": "reading it takes too long.",
    "memory": "reading it takes too much memory.",
    "nested": "its parts are nested too deeply.",
    "long": "there is too much text in it.",
    "died": "the program that reads it breaks off at it. It may be damaged, or made to do harm.",
    "failed": "an error that was not foreseen came up. It was logged for the operator.",
    "closed": "the program is being stopped.",
    "start": "the program that reads it cannot be started.",
}


class Reading:
    """Reads pages and feeds in a process of its own, since they may be made to do harm.

    The process has no secrets, little memory and little time, and is ended after each job that
    went wrong. It reads one page at a time and is kept for the next, for a minute; callers in
    several threads wait for each other. `worker` is the module that it runs.
    """

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        megabytes: int = MEGABYTES,
        idle_seconds: float = IDLE_SECONDS,
        worker: str = "data.extraction.reading_worker",
    ) -> None:
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._command = (sys.executable, "-B", "-m", worker, str(megabytes), str(seconds))
        self._lock = threading.Lock()  # held during a job
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None
        self._closed = threading.Event()

    def extract(self, page: Page) -> Extracted:
        """Return what a page says: its text, and whose it is.

        Raises:
            StoryRefusedError: if it cannot be read; the text says why.
            UnavailableError: if the process cannot be had, as when the program is being stopped.
        """
        return cast(Extracted, self._read("extract", page))

    def parse_feed(self, page: Page) -> Feed:
        """Return the feed in a page.

        Raises:
            StoryRefusedError: if it is none, or cannot be read; the text says why.
        """
        return cast(Feed, self._read("parse_feed", page))

    def close(self) -> None:
        """End the process, and with it the job that it is at."""
        self._closed.set()
        if process := self._process:
            _kill(process)
        with self._lock:
            if self._idle:
                self._idle.cancel()
            self._end()

    def _read(self, job: str, page: Page) -> Extracted | Feed:
        if len(page.body) > MAX_FILE_BYTES:
            raise StoryRefusedError(
                f"This {_WHAT[job]} is larger than {MAX_FILE_BYTES // 1_000_000} MB, "
                "too large to be read."
            )
        with self._lock:
            if self._idle:
                self._idle.cancel()
            kind, value = self._ask(job, page)
            if kind not in ("ok", "refused"):
                self._end()
            elif self._process:
                self._idle = threading.Timer(self._idle_seconds, self._end_if_idle)
                self._idle.daemon = True
                self._idle.start()
        if kind == "ok":
            return cast("Extracted | Feed", value)
        if kind in ("closed", "start"):
            raise UnavailableError(f"This {_WHAT[job]} cannot be read: {_REASONS[kind]}")
        raise StoryRefusedError(
            value if kind == "refused" else f"This {_WHAT[job]} cannot be read: {_REASONS[kind]}"
        )

    def _ask(self, job: str, page: Page) -> tuple[str, Any]:
        """Return the kind of the answer and its value, checked where it is a result."""
        process = self._started()
        if process is None or self._closed.is_set():
            return ("closed" if self._closed.is_set() else "start"), None
        late = threading.Event()
        timer = threading.Timer(self._seconds, _kill_late, (process, late))
        timer.start()
        in_step = False
        try:
            answer = _checked(job, *_exchange(process, request(job, page)))
            in_step = True
            return answer
        except (OSError, BadFrameError) as error:
            if self._closed.is_set():
                return "closed", None
            if late.is_set():
                return "time", None
            _kill(process)
            log.warning(
                "the process that reads a %s ended with %s: %s", _WHAT[job], process.wait(), error
            )
            return "died", None
        finally:
            timer.cancel()
            timer.join()
            if late.is_set() or not in_step:  # its next answer might be this one's
                self._end()

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Return the process, a new one if there is none or it has ended; None if that fails."""
        if self._process and self._process.poll() is None:
            return self._process
        self._end()
        if self._closed.is_set():
            return None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no words of others
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=_ROOT,
                # Nothing of this process's environment, which holds the bot's token.
                env={
                    "PATH": os.defpath,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "LANG": "C.UTF-8",
                },
                start_new_session=True,
            )
        except OSError as error:
            log.warning("the process that reads pages cannot be started: %s", error)
        return self._process

    def _end_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):  # else there is a job
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        """End the process, if there is one, and take leave of it, so that nothing is left."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _exchange(process: subprocess.Popen[bytes], frame: bytes) -> tuple[str, Any]:
    """Return the answer to a request.

    Raises:
        OSError: if the process is gone.
        BadFrameError: if it goes before it has answered, or answers nonsense.
    """
    to, back = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    left = memoryview(frame)
    while left:
        left = left[to.write(left) :]
    return read_reply(back)


def _checked(job: str, kind: str, value: Any) -> tuple[str, Any]:
    """Return an answer whose value is what its kind asks for.

    Raises:
        BadFrameError: if it is not.
    """
    if kind == "ok":
        return kind, extracted(value) if job == "extract" else feed(value)
    if kind == "refused":
        if not isinstance(value, str) or not value.isprintable() or len(value) > _MAX_SENTENCE:
            raise BadFrameError("no sentence")
        return kind, value
    if kind == "failed":
        log.warning("reading a %s failed:\n%s", _WHAT[job], str(value)[-_MAX_TRACE:])
    if kind not in ("failed", "memory", "nested", "long"):
        raise BadFrameError("no kind of answer")
    return kind, None


def _kill_late(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it started; it may be gone already."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
