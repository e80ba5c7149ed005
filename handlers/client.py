"""The bot on Discord: what arrives is handed to one place, and nothing ends in silence."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

from data.answers import AnswerStore
from data.database import Database
from data.errors import UserError
from data.extraction.reading import Reading
from data.guilds import GuildStore
from data.settings import Settings
from handlers import admin, answer_buttons, article_buttons, articles, feeds, help, logs
from handlers.app import Opening
from handlers.asking import NOBODY, Asking, guild_of, tell_author
from handlers.chat import act, chat_commands, decide, heard
from handlers.desk import Desk
from handlers.errors import report, reported, tell
from handlers.following import Follower
from handlers.forms import OpenForms
from handlers.layouts.layout import parse_custom_id
from handlers.limits import Limits
from handlers.marking import Marking
from handlers.pending import Pending
from handlers.rebuilds import Rebuilds
from handlers.requests import Requests
from handlers.runner import WorkerRunner
from handlers.schedule import Schedule
from handlers.web import Web
from handlers.worker import Lane, Worker

log = logging.getLogger(__name__)

_BUTTONS = {
    **answer_buttons.BUTTONS,
    **article_buttons.BUTTONS,
    **feeds.BUTTONS,
    **admin.BUTTONS,
    **help.BUTTONS,
}
# Seconds of a rate limit that are waited out; a longer one is an error that is told.
_LONGEST_RATE_LIMIT = 120.0
_FINISH_SECONDS = 8.0  # that questions under way have when the bot is stopped
_OLD_FORM = (
    "I no longer know that form: I was restarted, or it is an hour old. Please open it again."
)


class NoScopeError(UserError):
    """The bot may not register its commands; the text says what is missing."""


def intents() -> discord.Intents:
    """Return what the gateway is asked for; nothing that Discord calls privileged."""
    return discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class PullquoteClient(discord.Client):
    """A discord.py client that answers questions; everything it needs is wired here."""

    def __init__(self, *, opening: Opening, settings: Settings) -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=NOBODY,
            max_messages=None,
            max_ratelimit_timeout=_LONGEST_RATE_LIMIT,
        )
        self._opening = opening
        self._worker = Worker(opening.session, opening.memory)
        self._ready_to_answer = asyncio.Event()
        self._background: set[asyncio.Task[Any]] = set()
        limits, requests = Limits(self._now), Requests()
        runner = WorkerRunner(self._worker)
        self._web = Web(fetcher=opening.fetcher(), reading=Reading(), call=runner.call)
        # A hostile feed keeps its reader busy for hours; nobody who adds a story waits for that.
        self._unhurried = self._web.beside(reading=Reading(), call=runner.call_unhurried)
        self.schedule = Schedule(
            client=self,
            web=self._unhurried,
            runner=runner,
            follower=Follower(web=self._unhurried, runner=runner),
            marking=Marking(client=self, runner=runner),
            in_background=self._in_background,
        )
        self.desk = Desk(
            client=self,
            worker=self._worker,
            limits=limits,
            asking=Asking(
                client=self, worker=self._worker, limits=limits, ready=self._ready_to_answer
            ),
            rebuilds=Rebuilds(client=self, worker=self._worker),
            pending=Pending(self._now),
            requests=requests,
            forms=OpenForms(requests),
            runner=runner,
            web=self._web,
            follower=Follower(web=self._web, runner=runner),
            nudge=self.schedule.nudge,
            take_in=self.schedule.take_in,
            source_url=settings.source_url,
        )
        self.tree = _Tree(self)

    async def setup_hook(self) -> None:
        """Load the models in the background, and make the commands known where they changed."""
        self._in_background(self._warm_up())
        for command in (
            *chat_commands(self.desk),
            *articles.article_commands(self.desk),
            feeds.feed_commands(self.desk),
            admin.index_commands(self.desk),
            *help.help_commands(self.desk),
        ):
            self.tree.add_command(command)
        await self._sync()

    async def on_ready(self) -> None:
        """Log that the gateway is there."""
        log.info("ready", extra={"servers": len(self.guilds)})

    async def on_message(self, message: discord.Message) -> None:
        """Answer a message that is for the bot."""
        decision = decide(heard(message, self.user), self.user.id) if self.user else None
        if decision is None:
            return
        await self.desk.requests.run(
            "message",
            lambda: act(self.desk, message, decision),
            guild_id=guild_of(message),
            user_id=message.author.id,
            tell_them=lambda words: tell_author(message, words),
        )

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Carry out a button; commands and forms have their own ways."""
        data: Mapping[str, Any] = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        if interaction.type is discord.InteractionType.modal_submit:
            if not self.desk.forms.knows(custom_id, interaction.id):
                await report(UserError(_OLD_FORM), lambda words: tell(interaction, words))
            return
        if interaction.type is not discord.InteractionType.component:
            return
        pressed = parse_custom_id(custom_id)
        kind = f"button {pressed.action}" if pressed else "button"

        async def carry_out() -> None:
            if pressed is None:
                raise UserError("I do not know that button any more.")
            await _BUTTONS[pressed.action](self.desk, interaction, pressed)

        await self.desk.requests.run_for(interaction, kind, carry_out)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Say hello."""
        await help.welcome(guild)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget an answer that somebody deleted."""
        await self._worker.remember(lambda db: AnswerStore(db).forget_message(event.message_id))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget the answers among messages that were deleted together."""

        def forget(db: Database) -> None:
            for message_id in event.message_ids:
                AnswerStore(db).forget_message(message_id)

        await self._worker.remember(forget)

    async def on_error(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what went wrong outside of any request."""
        log.exception("event %s failed", event)

    async def on_app_command_completion(
        self, interaction: discord.Interaction, command: object
    ) -> None:
        """Log that a command went well."""
        begun = interaction.extras.get("request")
        if begun is not None:
            begun.end("ok")

    async def stop(self) -> None:
        """Let questions under way end, interrupt rebuilds between two steps, and disconnect."""
        self.desk.requests.refuse_further()
        self.desk.rebuilds.interrupt()
        await self.desk.requests.finish(_FINISH_SECONDS)
        await self.desk.rebuilds.ended()
        await self.close()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._unhurried.close()
        await self._web.close()
        await asyncio.get_running_loop().run_in_executor(None, self._worker.close)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _in_background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", exc_info=error)

    async def _warm_up(self) -> None:
        """Load the models; where that fails, the first question says why."""
        try:
            await self._worker.call(self._opening.warm_up, lane=Lane.CHECK)
            log.info("models loaded")
        finally:
            self._ready_to_answer.set()
            await self.desk.rebuilds.resume()
            self.schedule.start()

    async def _sync(self) -> None:
        """Register the commands with Discord, unless it has these very ones already."""
        known = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        text = json.dumps([self.application_id, known], sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()
        stored = await self._worker.remember(lambda db: GuildStore(db).state("commands"))
        if stored == digest:
            return
        try:
            await self.tree.sync()
        except discord.Forbidden as error:
            raise NoScopeError(
                "Discord does not let the bot register its commands. Invite it with the scopes "
                "`bot` and `applications.commands`."
            ) from error
        await self._worker.remember(lambda db: GuildStore(db).set_state("commands", digest))
        log.info("commands registered", extra={"commands": len(known)})


class _Tree(app_commands.CommandTree[PullquoteClient]):
    """The commands; what goes wrong in one ends where everything does."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        if interaction.type is not discord.InteractionType.application_command:
            return True
        requests = self.client.desk.requests
        requests.track(lambda words: tell(interaction, words))
        name = interaction.command.qualified_name if interaction.command else "command"
        interaction.extras["request"] = logs.begin(
            f"/{name}", guild_id=interaction.guild_id, user_id=interaction.user.id
        )
        async with reported(lambda words: tell(interaction, words)):
            requests.require_running()
            return True
        return False

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        begun = interaction.extras.get("request")
        if begun is not None:
            begun.end(type(cause).__name__)
        await report(cause, lambda words: tell(interaction, words))
