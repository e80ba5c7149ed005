import json
import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

log = logging.getLogger(__name__)

LOG_BYTES, LOGS_KEPT = 1_000_000, 3  # of one log file, and how many older ones

_request: ContextVar[str | None] = ContextVar("request", default=None)
# The token of an interaction stands in its address, and addresses stand in warnings.
_TOKENS = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?\"\\]+")
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class Request:
    """Something a person asked for; what happens for it has one id in the log."""

    id: str
    kind: str
    guild_id: int | None
    user_id: int
    began: float

    def end(self, outcome: str) -> None:
        """Log how it went. Only ids are logged: never what anybody wrote."""
        fields = {
            "request": self.id,
            "kind": self.kind,
            "guild": self.guild_id,
            "user": self.user_id,
            "outcome": outcome,
            "ms": round((time.perf_counter() - self.began) * 1000),
        }
        log.info("request", extra=fields)


def begin(kind: str, *, guild_id: int | None, user_id: int) -> Request:
    """Return a request; from here on the log of this task, and of its threads, has its id."""
    request = Request(secrets.token_hex(4), kind, guild_id, user_id, time.perf_counter())
    _request.set(request.id)
    return request


@contextmanager
def request(kind: str, *, guild_id: int | None, user_id: int) -> Iterator[None]:
    """Run the block as one request, and log how it went."""
    begun = begin(kind, guild_id=guild_id, user_id=user_id)
    outcome = "ok"
    try:
        yield
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        begun.end(outcome)


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, event, request id and what else is known.

    Secrets never reach a line, whoever logs them.
    """

    def __init__(self, *, secret: str = "") -> None:
        super().__init__()
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            "request": _request.get(),
            **{k: v for k, v in vars(record).items() if k not in _KNOWN},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        line = json.dumps(
            {k: v for k, v in fields.items() if v is not None}, ensure_ascii=False, default=str
        )
        line = _TOKENS.sub(r"\1***", line)
        return line.replace(self._secret, "***") if self._secret else line
