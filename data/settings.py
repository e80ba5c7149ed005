import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import UserError

SETTINGS_FILE = "pullquote.toml"
TOKEN_FILE = "discord_token"  # noqa: S105  # a file's name


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator can set: by environment variable, or in `pullquote.toml` in the home.

    The environment wins. `cache` holds the converted encoder, which any home can share;
    `confidence_threshold` is the lowest confidence, 0..1, at which an answer is given (None: the
    calibrated default). The addresses of Discord's interface, gateway and files are None for
    Discord's own; `source_url` is where people find the source of what runs. `allowed_hosts` are
    reached although they lie in the operator's own network, `refused_hosts` never, with all their
    subdomains.
    """

    home: Path
    cache: Path
    encoder: str | None
    fast_runtime: bool
    confidence_threshold: float | None
    source_url: str | None = None
    discord_api: str | None = None
    discord_gateway: str | None = None
    discord_cdn: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    refused_hosts: tuple[str, ...] = ()


def default_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the home folder: `PULLQUOTE_HOME`, or `var` in the current folder."""
    return Path(environment.get("PULLQUOTE_HOME") or "var")


def load_settings(
    home: Path, *, root: Path, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Return the settings for one home folder; `root` is the folder that bot.py stands in.

    Raises:
        UserError: if the settings file cannot be read or a value has the wrong form.
    """
    file = _read_file(home / SETTINGS_FILE)

    def value(name: str) -> str | None:
        found = environment.get(f"PULLQUOTE_{name.upper()}") or file.get(name)
        if isinstance(found, list):
            found = ",".join(map(str, found))
        return None if found in (None, "") else str(found)

    cache = value("cache")
    return Settings(
        home=home,
        cache=Path(cache).expanduser() if cache else root / "var" / "cache",
        encoder=value("encoder"),
        fast_runtime=_switch("fast_runtime", value("fast_runtime")),
        confidence_threshold=_fraction("confidence_threshold", value("confidence_threshold")),
        source_url=value("source_url"),
        discord_api=value("discord_api"),
        discord_gateway=value("discord_gateway"),
        discord_cdn=value("discord_cdn"),
        allowed_hosts=_hosts(value("allowed_hosts")),
        refused_hosts=_hosts(value("refused_hosts")),
    )


def read_token(home: Path, *, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the bot's token: from the environment, or from a file that only the bot can read.

    Raises:
        UserError: if a file that is named or there cannot be read, or what it holds is no token.
    """
    token = (environment.get("DISCORD_TOKEN") or "").strip()
    named = environment.get("DISCORD_TOKEN_FILE")
    path = Path(named).expanduser() if named else home / TOKEN_FILE
    if not token and (named or path.exists()):
        try:
            token = path.read_text("utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The token file {path} cannot be read: {error}.") from error
    if any(c.isspace() or not c.isprintable() for c in token):
        raise UserError("The token has a blank or a control character in it. Copy it again.")
    return token or None


def _read_file(path: Path) -> dict[str, object]:
    try:
        if not path.is_file():
            return {}
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"The settings file {path} cannot be read: {error}.") from error


def _switch(name: str, value: str | None) -> bool:
    if value is None:
        return True
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise UserError(f"The setting {name} is {value!r}, but it must be true or false.")


def _hosts(value: str | None) -> tuple[str, ...]:
    """Return the hosts in a list with commas or blanks between them, in lower case."""
    return tuple((value or "").replace(",", " ").lower().split())


def _fraction(name: str, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UserError(f"The setting {name} is {value!r}, but it must be a number from 0 to 1.")
    return number
