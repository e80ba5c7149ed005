import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click

from handlers.app import App, place_options
from handlers.errors import message_for
from handlers.logs import LOG_BYTES, LOGS_KEPT
from handlers.terminal import (
    ask_commands,
    discord_commands,
    feed_commands,
    index_commands,
    story_commands,
    web_commands,
)

USER_ERROR_CODE = 1
LOG_FILE = "pullquote.log"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@place_options
def cli() -> None:
    """Answer questions about news stories with word-for-word quotes.

    Add stories, then ask. Every quote comes with who published it, who wrote it, when, and where
    to read it. What cannot be quoted is not answered.

    \b
    python bot.py add story.txt --source "The Larkmoor Ledger"
    python bot.py ask "Who reported it?"
    python bot.py chat
    """  # noqa: D301  # \b keeps the examples as they stand


for _module in (
    ask_commands,
    story_commands,
    web_commands,
    feed_commands,
    index_commands,
    discord_commands,
):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def run(app: App, arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 for what went wrong, 2 for wrong usage."""
    _configure_logging()
    try:
        code = cli.main(args=arguments, prog_name="python bot.py", obj=app, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        app.screen.note("Stopped. What was stored before is safe.")
        return 130
    except Exception as error:  # noqa: BLE001  # the one place where an exception becomes a message
        _log_into(app.settings_home() / LOG_FILE)
        app.screen.warn(message_for(error))
        return USER_ERROR_CODE
    return code if isinstance(code, int) else 0


class _Plain(logging.Formatter):
    """Shows warnings of ours as bare sentences, and everything else with its origin."""

    def format(self, record: logging.LogRecord) -> str:
        if record.levelno == logging.WARNING and record.exc_info is None:
            return record.getMessage()
        return super().format(record)


def _configure_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.ERROR)
    for name in ("index", "data", "handlers"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _log_into(path: Path) -> None:
    """Send what is logged from here on to a file in the home, so that no screen has a traceback.

    Where the home cannot be written, it goes to standard error after all: nothing is lost.
    """
    try:
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT)
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().handlers[:] = [handler]
