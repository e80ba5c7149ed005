import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from data.settings import Settings
from handlers.console import Screen
from handlers.errors import message_for
from handlers.samples import SAMPLES, load_samples
from handlers.services import Services

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_COLLECTION = "shared"
USER_ERROR_CODE = 1


@dataclass
class App:
    """What every command is given: how to open services, and where to show things."""

    settings_for: Callable[[Path | None], Settings]
    open_services: Callable[[Settings, str], Services]
    samples: Path
    screen: Screen = field(default_factory=Screen.of_terminal)
    home: Path | None = None
    collection: str = DEFAULT_COLLECTION

    def services(self, collection: str | None = None) -> Services:
        """Open the services of a collection, by default the one that was named.

        The samples collection is first brought in line with the bundled stories.
        """
        name = collection or self.collection
        services = self.open_services(self.settings_for(self.home), name)
        if name == SAMPLES:
            load_samples(services, self.samples)
        return services


pass_app = click.make_pass_decorator(App)


def _keep(ctx: click.Context, parameter: click.Parameter, value: object) -> object:
    if value is not None and parameter.name is not None:
        setattr(ctx.find_root().obj, parameter.name, value)
    return value


def place_options(command: F) -> F:
    """Give a command `--home` and `--collection`, which may stand before or after its name."""
    for option in (
        click.option(
            "--collection",
            metavar="NAME",
            callback=_keep,
            expose_value=False,
            help=f"Which stories: a collection's name (default: {DEFAULT_COLLECTION}).",
        ),
        click.option(
            "--home",
            type=click.Path(path_type=Path, file_okay=True),
            metavar="DIR",
            callback=_keep,
            expose_value=False,
            help="Where everything is kept (default: $PULLQUOTE_HOME, or ./var).",
        ),
    ):
        command = option(command)
    return command


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


def run(app: App, arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 for what went wrong, 2 for wrong usage."""
    from handlers import ask_commands, index_commands, story_commands

    for module in (ask_commands, story_commands, index_commands):
        for command in module.COMMANDS:
            cli.add_command(command)
    _configure_logging()
    try:
        code = cli.main(args=arguments, prog_name="python bot.py", obj=app, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        app.screen.note("Stopped. What was stored before is safe.")
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); nothing more can be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # the one place where an exception becomes a message
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
