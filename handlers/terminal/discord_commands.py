import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from filelock import FileLock, Timeout

from data.database import storage_errors
from data.errors import UserError
from data.settings import TOKEN_FILE, Settings, read_token
from data.web.network import CONNECTION_ERRORS
from handlers.app import App, pass_app, place_options
from handlers.client import NoScopeError, PullquoteClient
from handlers.logs import LOG_BYTES, LOGS_KEPT, JsonLines
from handlers.terminal.chat_loop import chat_loop

log = logging.getLogger(__name__)

CANNOT_START = 2
LOG_FILE, LOCK_FILE = "discord.log", "discord.lock"
_AUTHENTICATION_FAILED = 4004  # the gateway's close code


class CannotStartError(UserError):
    """The bot cannot come up on Discord; the text says what to do about it."""


@click.command(name="discord", short_help="Run the Discord bot.")
@place_options
@pass_app
def discord_(app: App) -> None:
    """Run the bot on Discord until it is stopped, with the token in DISCORD_TOKEN.

    The token may also stand in the file that DISCORD_TOKEN_FILE names, or in `discord_token` in
    the home folder. Exits with 0 when it is stopped, with 2 when it cannot start.
    """
    run_discord(app, app.settings_for(app.home))


def run_discord(app: App, settings: Settings) -> None:
    """Run the bot; leave with exit code 2 and one clear line where it cannot start."""
    try:
        token = read_token(settings.home)
        if token is None:
            raise CannotStartError(
                "There is no token. Put it into DISCORD_TOKEN, or into the file "
                f"{settings.home / TOKEN_FILE}."
            )
        with _only_one(settings.home):
            _log_lines(settings, token)
            _point_at(settings)
            # Said once a start, about voice, which is not used.
            discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
            asyncio.run(_serve(app, settings, token))
    except UserError as error:
        app.screen.warn(str(error))
        click.get_current_context().exit(CANNOT_START)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Run the block as the only bot on a home.

    Raises:
        CannotStartError: if another one runs.
        StorageError: if the home cannot be used.
    """
    with storage_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise CannotStartError(f"Another Pullquote bot runs on {home} already.") from error
    try:
        yield
    finally:
        lock.release()


@click.command(name="run", short_help="Start what fits: Discord with a token, else the chat.")
@place_options
@pass_app
def run_(app: App) -> None:
    """Start the Discord bot where there is a token for it, else the terminal chat; say which."""
    settings = app.settings_for(app.home)
    if _has_token(settings.home):
        app.screen.note("There is a Discord token: this is the Discord bot. Ctrl-C stops it.")
        run_discord(app, settings)
    else:
        app.screen.note("DISCORD_TOKEN is not set: this is the terminal chat.")
        chat_loop(app, sys.stdin)


def _has_token(home: Path) -> bool:
    """Return whether the bot is meant to start; one that cannot be read is told there."""
    try:
        return read_token(home) is not None
    except UserError:
        return True


COMMANDS = (discord_, run_)


async def _serve(app: App, settings: Settings, token: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    client = PullquoteClient(opening=app.opener(settings), settings=settings)
    connected = asyncio.create_task(_connect(client, settings, token))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({connected, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        log.info("stopping")
    await client.stop()
    stopped.cancel()
    if connected.done():
        await connected  # raises why it ended by itself
    else:
        connected.cancel()
        await asyncio.wait({connected})


async def _connect(client: PullquoteClient, settings: Settings, token: str) -> None:
    """Log in and stay connected.

    Raises:
        CannotStartError: if Discord does not let the bot in, or is not there.
    """
    address = settings.discord_api or "discord.com"
    try:
        await _login(client, token, address)
        await client.connect(reconnect=True)
    except discord.LoginFailure as error:
        raise CannotStartError(
            "Discord does not accept the token. Copy it again from the developer portal, page Bot."
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise CannotStartError(
            "Discord refuses the intents, which are none but the usual."
        ) from error
    except discord.ConnectionClosed as error:
        if error.code == _AUTHENTICATION_FAILED:
            raise CannotStartError("Discord's gateway does not accept the token.") from error
        raise CannotStartError(f"Discord's gateway closed with code {error.code}.") from error
    except NoScopeError as error:
        raise CannotStartError(str(error)) from error
    except discord.HTTPException as error:
        raise CannotStartError(
            f"Discord cannot be reached at {address}: it answers with status {error.status}."
        ) from error
    except (*CONNECTION_ERRORS, OSError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise CannotStartError(f"Discord cannot be reached at {address}: {reason}.") from error


async def _login(client: PullquoteClient, token: str, address: str) -> None:
    try:
        await client.login(token)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # A page of a captive portal, say, where Discord's own answer should be.
        log.exception("login failed")
        raise CannotStartError(f"What answers at {address} is not Discord.") from error


def _point_at(settings: Settings) -> None:
    """Use another server that speaks Discord's protocol, where the settings name one."""
    if settings.discord_api:
        Route.BASE = settings.discord_api.rstrip("/")
    if settings.discord_gateway:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway)
    if settings.discord_cdn:
        discord.Asset.BASE = settings.discord_cdn.rstrip("/")


def _log_lines(settings: Settings, token: str) -> None:
    """Log as JSON lines, on standard error and in the home."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(settings.home / LOG_FILE, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT)
        )
    except OSError:
        log.warning("the log file cannot be written; standard error has everything")
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(JsonLines(secret=token))
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    for name in ("index", "data", "handlers"):
        logging.getLogger(name).setLevel(logging.INFO)
