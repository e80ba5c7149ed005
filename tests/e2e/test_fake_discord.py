import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.e2e.fake_discord import FakeDiscord


class Answer(discord.ui.LayoutView):
    """A question in Components V2 with one button."""

    row = discord.ui.ActionRow[discord.ui.LayoutView]()

    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.TextDisplay("An answer"))

    @row.button(label="More", custom_id="more")
    async def more(
        self, interaction: discord.Interaction, _: discord.ui.Button[discord.ui.LayoutView]
    ) -> None:
        view = discord.ui.LayoutView()
        view.add_item(discord.ui.TextDisplay("More of it"))
        await interaction.response.edit_message(view=view)


class Form(discord.ui.Modal, title="A story"):
    """A title, as a text, and a file."""

    name: discord.ui.Label[discord.ui.Modal] = discord.ui.Label(
        text="Title", component=discord.ui.TextInput(custom_id="title")
    )
    file: discord.ui.Label[discord.ui.Modal] = discord.ui.Label(
        text="File", component=discord.ui.FileUpload(custom_id="file", required=False)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        title, upload = self.name.component, self.file.component
        assert isinstance(title, discord.ui.TextInput)
        assert isinstance(upload, discord.ui.FileUpload)
        text = b"".join([await file.read() for file in upload.values]).decode()
        await interaction.response.send_message(f"{title.value}: {text}", ephemeral=True)


class Bot(discord.Client):
    """Answers mentions, and has a few commands."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default())
        # The pause after the last server, 2 s by default, before READY is told.
        self._connection.guild_ready_timeout = 0.05
        self.tree = app_commands.CommandTree(self)
        self.seen: list[discord.Message] = []
        self.may_manage: list[bool] = []
        self._add_commands()

    def _add_commands(self) -> None:
        article = app_commands.Group(name="article", description="Stories")

        @self.tree.command(description="Ask")
        async def ask(interaction: discord.Interaction, question: str) -> None:
            self.may_manage.append(interaction.permissions.manage_guild)
            await interaction.response.defer(thinking=True)
            if question == "view":
                await interaction.edit_original_response(view=Answer())
            else:
                await interaction.followup.send(f"You asked: {question}")
                await interaction.followup.send("Nothing else")

        @ask.autocomplete("question")
        async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=typed.upper(), value=typed)]

        @article.command(description="Add")
        async def add(interaction: discord.Interaction, file: discord.Attachment) -> None:
            text = (await file.read()).decode()
            await interaction.response.send_message(text, file=discord.File(__file__, "copy.py"))

        @article.command(description="Write")
        async def write(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Form())

        @self.tree.context_menu(name="Read")
        async def read(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(message.content[::-1])

        self.tree.add_command(article)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        assert self.user is not None
        if message.author.id == self.user.id:
            return
        self.seen.append(message)
        if message.content.endswith("thread"):
            inside = await (await message.create_thread(name="A thread")).send("In here")
            await inside.edit(content="Still in here")
        elif self.user in message.mentions or message.guild is None:
            await message.reply(f"Hello {message.author.name}", view=Answer2())


class Answer2(discord.ui.View):
    """One plain button."""

    @discord.ui.button(label="Bye", custom_id="bye")
    async def bye(
        self, interaction: discord.Interaction, _: discord.ui.Button[discord.ui.View]
    ) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="Bye", view=None)


@dataclass
class World:
    discord: FakeDiscord
    bot: Bot
    channel: str
    alice: str


@asynccontextmanager
async def running(fake: FakeDiscord) -> AsyncIterator[Bot]:
    bot = Bot()
    task = asyncio.create_task(bot.start(fake.token))
    try:
        await fake.until(lambda: task.done() or bot.is_ready())
        if task.done():
            task.result()
        yield bot
    finally:
        await bot.close()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def a_world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with FakeDiscord() as fake:
        monkeypatch.setattr(Route, "BASE", fake.api)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(fake.gateway))
        monkeypatch.setattr("discord.asset.Asset.BASE", fake.cdn)
        guild = fake.add_guild("Newsroom")
        channel = fake.add_channel(guild, "general")
        alice = fake.add_member(guild, fake.add_user("alice"))
        async with running(fake) as bot:
            yield World(fake, bot, channel, alice)
        assert fake.unknown_routes == []


@pytest.mark.asyncio
async def test_a_mention_is_read_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord
        asked = await fake.say(world.channel, world.alice, "hi", mention_bot=True)

        reply = await fake.until(lambda: fake.replies(asked))

        assert reply[0]["content"] == "Hello alice"
        assert world.bot.guilds[0].name == "Newsroom"
        assert world.bot.seen[0].guild is not None


@pytest.mark.asyncio
async def test_the_bot_reads_only_what_is_meant_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake, channel, alice = world.discord, world.channel, world.alice
        await fake.say(channel, alice, "not for you")
        asked = await fake.say(channel, alice, "hi", mention_bot=True)
        reply = (await fake.until(lambda: fake.replies(asked)))[0]["id"]
        await fake.say(channel, alice, "thanks", reply_to=reply)
        command = await fake.slash(channel, alice, "ask", {"question": "why"})
        answer = await fake.until(lambda: command.original)
        await fake.say(channel, alice, "to a command", reply_to=answer["id"])
        await fake.say(fake.dms[alice], alice, "between us")
        await fake.until(lambda: len(world.bot.seen) == 5)

        assert [message.content for message in world.bot.seen] == [
            "",
            f"<@{fake.bot}> hi",
            "thanks",
            "",
            "between us",
        ]
        assert world.bot.seen[3].reference is not None


@pytest.mark.asyncio
async def test_a_deferred_command_is_filled_by_the_first_follow_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord

        asked = await fake.slash(world.channel, world.alice, "ask", {"question": "why"})
        await fake.until(lambda: asked.followups)

        assert [kind for kind, _ in asked.callbacks] == [5]
        assert asked.acknowledged_at is not None
        assert asked.original is not None
        assert asked.original["content"] == "You asked: why"
        assert [more["content"] for more in asked.followups] == ["Nothing else"]


@pytest.mark.asyncio
async def test_permissions_come_from_roles_and_ownership(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake, channel = world.discord, world.channel
        guild = fake.channels[channel]["guild_id"]
        manage = discord.Permissions(manage_guild=True).value
        editor = fake.add_member(guild, fake.add_user("editor"), fake.add_role(guild, "E", manage))
        for user in (world.alice, editor, fake.guilds[guild]["owner_id"]):
            await fake.slash(channel, user, "ask", {"question": "why"})
        await fake.until(lambda: all(one.followups for one in fake.interactions.values()))

        assert world.bot.may_manage == [False, True, True]


@pytest.mark.asyncio
async def test_a_button_changes_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord
        asked = await fake.slash(world.channel, world.alice, "ask", {"question": "view"})
        answer = await fake.until(lambda: asked.original)
        clicked = await fake.click(answer["id"], world.alice, "more")
        await fake.until(lambda: clicked.callbacks)
        mention = await fake.say(world.channel, world.alice, "hi", mention_bot=True)
        plain = (await fake.until(lambda: fake.replies(mention)))[0]
        await fake.click(plain["id"], world.alice, "bye")
        await fake.until(lambda: plain["content"] == "Bye")

        assert answer["components"][0]["content"] == "More of it"
        assert [kind for kind, _ in clicked.callbacks] == [7]
        assert plain["components"] == []
        with pytest.raises(LookupError):
            await fake.click(plain["id"], world.alice, "bye")


@pytest.mark.asyncio
async def test_files_go_up_with_commands_and_modals(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake, channel, alice = world.discord, world.channel, world.alice

        added = await fake.slash(channel, alice, "article add", {"file": ("a.txt", b"the story")})
        copied = await fake.until(lambda: added.original)
        shown = await fake.slash(channel, alice, "article write")
        await fake.until(lambda: shown.modal)
        sent = await fake.submit_modal(shown, {"title": "News", "file": [("b.txt", b"its text")]})
        answer = await fake.until(lambda: sent.original)

        assert copied["content"] == "the story"
        assert copied["attachments"][0]["filename"] == "copy.py"
        assert answer["content"] == "News: its text"
        with pytest.raises(ValueError, match="title"):
            await fake.submit_modal(shown, {})


@pytest.mark.asyncio
async def test_autocomplete_and_the_menu_of_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake, channel, alice = world.discord, world.channel, world.alice

        typed = await fake.autocomplete(channel, alice, "ask", {"question": "wh"}, "question")
        await fake.until(lambda: typed.callbacks)
        said = await fake.say(channel, alice, "abc")
        read = await fake.context_menu(channel, alice, "Read", said)
        answer = await fake.until(lambda: read.original)

        assert typed.callbacks == [(8, {"choices": [{"name": "WH", "value": "wh"}]})]
        assert answer["content"] == "cba"
        with pytest.raises(LookupError):
            await fake.slash(channel, alice, "unknown")


@pytest.mark.asyncio
async def test_a_thread_can_be_opened_and_written_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord
        said = await fake.say(world.channel, world.alice, "a thread", mention_bot=True)

        inside = (await fake.until(lambda: fake.messages_in(said)))[0]
        await fake.until(lambda: inside["edited_timestamp"])

        assert inside["content"] == "Still in here"


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [429, 502])
async def test_failed_requests_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord
        fake.fail_next("POST", r"/messages$", status)
        fake.fail_next("POST", r"^/webhooks/", status)
        said = await fake.say(world.channel, world.alice, "hi", mention_bot=True)
        asked = await fake.slash(world.channel, world.alice, "ask", {"question": "why"})
        await fake.until(lambda: fake.replies(said) and asked.followups)

        for start in ("/channels/", "/webhooks/"):
            tries = [call.status for call in fake.requests if call.path.startswith(start)]
            assert tries[:2] == [status, 200]


@pytest.mark.asyncio
async def test_events_during_a_cut_arrive_with_the_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world(monkeypatch) as world:
        fake = world.discord
        fake.drop_connections()
        said = await fake.say(world.channel, world.alice, "hi", mention_bot=True)

        await fake.until(lambda: fake.replies(said))
        await fake.until(lambda: fake.resumes)

        assert (fake.identifies, fake.resumes) == (1, 1)
        assert len(world.bot.seen) == 1
    # discord.py says 4000 also where it leaves for good; 1006 would be a process that died.
    assert [int(code or 0) for code in world.discord.close_codes] == [1006, 4000]


@pytest.mark.asyncio
async def test_a_wrong_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeDiscord() as fake:
        monkeypatch.setattr(Route, "BASE", fake.api)
        async with discord.Client(intents=discord.Intents.default()) as client:
            with pytest.raises(discord.LoginFailure):
                await client.login("wrong")

        assert [(call.path, call.status) for call in fake.requests] == [("/users/@me", 401)]


@pytest.mark.asyncio
async def test_an_interaction_is_acknowledged_once_and_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_world(monkeypatch) as world:
        fake, bot = world.discord, world.bot
        bot.tree.clear_commands(guild=None)
        caught: list[discord.Interaction] = []

        @bot.event
        async def on_interaction(interaction: discord.Interaction) -> None:
            caught.append(interaction)

        asked = await fake.slash(world.channel, world.alice, "ask", {"question": "why"})
        await fake.until(lambda: caught)
        again = discord.Interaction(data=asked.payload, state=bot._connection)  # type: ignore[arg-type]
        await caught[0].response.send_message("first")
        with pytest.raises(discord.HTTPException) as twice:
            await again.response.send_message("second")
        late = await fake.slash(world.channel, world.alice, "ask", {"question": "why"})
        late.created_at -= 4
        await fake.until(lambda: len(caught) == 2)
        with pytest.raises(discord.NotFound) as expired:
            await caught[1].response.send_message("too late")

        assert (twice.value.code, expired.value.code) == (40060, 10062)
