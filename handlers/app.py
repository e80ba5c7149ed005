import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from data.database import Database
from data.errors import UserError
from data.ingestion import Given
from data.models import Filters
from data.settings import Settings, default_home
from data.web.fetch import Fetcher
from handlers.console import Screen
from handlers.parameters import FirstDay, LastDay, not_empty, whole
from handlers.samples import SAMPLES, load_samples
from handlers.services import Services, Session

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_COLLECTION = "shared"


class Opening(Protocol):
    """What opens services on connections of their own, for a bot that serves many at once."""

    def session(self, guild_id: int | None) -> Session:
        """Return what one request of a server may touch; None is a direct message."""
        ...

    def memory(self) -> Database:
        """Return a connection to what the bot itself remembers."""
        ...

    def fetcher(self) -> Fetcher:
        """Return what fetches pages, for one event loop."""
        ...

    def warm_up(self) -> None:
        """Load the encoder; takes seconds."""
        ...


@dataclass
class App:
    """What every command is given: how to open services, and where to show things."""

    settings_for: Callable[[Path | None], Settings]
    open_services: Callable[[Settings, str], Services]
    opener: Callable[[Settings], "Opening"]
    samples: Path
    screen: Screen = field(default_factory=Screen.of_terminal)
    home: Path | None = None
    collection: str = DEFAULT_COLLECTION

    def settings_home(self) -> Path:
        """Return the home folder, whether or not its settings can be read."""
        return self.home or default_home()

    def writing_services(self) -> Services:
        """Open the services of the named collection, to change what is in it.

        Raises:
            UserError: if it is the samples collection, whose stories come with the program.
        """
        if self.collection == SAMPLES:
            raise UserError(f"The stories in {SAMPLES} come with Pullquote and stay as they are.")
        return self.services()

    def services(self, collection: str | None = None) -> Services:
        """Open the services of a collection, by default the one that was named.

        The samples collection is first brought in line with the bundled stories.
        """
        name = collection or self.collection
        services = self.open_services(self.settings_for(self.home), name)
        services.indexer.finish_removals()
        if name == SAMPLES:
            load_samples(services, self.samples)
        return services


pass_app = click.make_pass_decorator(App)


def _keep(ctx: click.Context, parameter: click.Parameter, value: object) -> object:
    if value is not None and parameter.name is not None:
        kept = Path(str(value)).expanduser() if parameter.name == "home" else value
        setattr(ctx.find_root().obj, parameter.name, kept)
    return value


def home_option(command: F) -> F:
    """Give a command `--home`, which may stand before or after its name."""
    return click.option(
        "--home",
        metavar="DIR",
        callback=lambda c, p, v: _keep(c, p, not_empty(c, p, v)),
        expose_value=False,
        help="Where everything is kept (default: $PULLQUOTE_HOME, or ./var).",
    )(command)


def place_options(command: F) -> F:
    """Give a command `--home` and `--collection`, which may stand before or after its name."""
    collection = click.option(
        "--collection",
        metavar="NAME",
        callback=_keep,
        expose_value=False,
        help=f"Which stories: a collection's name (default: {DEFAULT_COLLECTION}).",
    )
    return home_option(collection(command))


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that narrow a question; it takes them as one `filters`."""

    @functools.wraps(command)
    def bundled(
        *values: Any,
        article: str | None,
        source: str | None,
        after: str | None,
        before: str | None,
        **others: Any,
    ) -> Any:
        filters = Filters(source=whole(source), after=after, before=before, article=whole(article))
        return command(*values, filters=filters, **others)

    for option in (
        click.option("--before", type=LastDay(), help="Only stories of this day or earlier."),
        click.option("--after", type=FirstDay(), help="Only stories of this day or later."),
        click.option(
            "--source", metavar="NAME", callback=not_empty, help="Only stories of this publisher."
        ),
        click.option(
            "--article", metavar="ID", callback=not_empty, help="Only the story with this id."
        ),
    ):
        bundled = option(bundled)
    return bundled


def attribution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where a story is from; it takes them as one `given`."""

    @functools.wraps(command)
    def bundled(
        *values: Any,
        title: str | None,
        source: str | None,
        author: str | None,
        date: str | None,
        url: str | None,
        **others: Any,
    ) -> Any:
        return command(*values, given=Given(title, source, author, date, url), **others)

    for option in (
        click.option("--url", help="Where to read it."),
        click.option("--date", help="When it was published, such as 2024-10-25 or 2024-10."),
        click.option("--author", help="Who wrote it."),
        click.option("--source", help="Who published it."),
        click.option("--title", help="The headline."),
    ):
        bundled = option(bundled)
    return bundled


def write_json(value: Any) -> None:
    """Write one JSON value as one line of UTF-8 on standard output, never wrapped."""
    try:
        line = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can carry
        line = json.dumps(value).encode()
    click.echo(line)
