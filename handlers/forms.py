"""Forms that people fill in: a story, its details, a follow-up question."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import discord

from data.ingestion import Given
from data.models import Attribution
from handlers.layouts.markdown import shortened
from handlers.layouts.render import MAX_QUESTION
from handlers.requests import Requests

_MAX_PASTE = 4000  # characters that Discord takes in one field
_REMEMBERED = 10_000
_MAX_HINT = 100
_OPEN_SECONDS = 60 * 60.0  # a form that is sent brings a fresh token of its own


class OpenForms:
    """Which forms can be taken in: those that this process opened, and not too long ago."""

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        self._open: OrderedDict[str, None] = OrderedDict()
        self._taken: OrderedDict[int, None] = OrderedDict()

    def opened(self) -> str:
        """Return the id of a new form."""
        custom_id = f"form:{secrets.token_urlsafe(16)}"
        self._open[custom_id] = None
        while len(self._open) > _REMEMBERED:
            self._open.popitem(last=False)
        return custom_id

    def closed(self, custom_id: str) -> None:
        """Forget a form."""
        self._open.pop(custom_id, None)

    def taken(self, custom_id: str, interaction_id: int) -> None:
        """Forget a form that was sent, and remember by what: it can be sent once."""
        self.closed(custom_id)
        self._taken[interaction_id] = None
        while len(self._taken) > _REMEMBERED:
            self._taken.popitem(last=False)

    def knows(self, custom_id: str, interaction_id: int) -> bool:
        """Return whether somebody sees to a form that was sent."""
        return custom_id in self._open or interaction_id in self._taken


class Form(discord.ui.Modal):
    """A form; whatever goes wrong behind it ends in a sentence for the person who sent it."""

    def __init__(self, title: str, forms: OpenForms) -> None:
        super().__init__(title=title, timeout=_OPEN_SECONDS, custom_id=forms.opened())
        self._forms = forms

    async def on_timeout(self) -> None:
        """Take nothing in any more."""
        self._forms.closed(self.custom_id)

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Take in what was filled in, as a request like any other."""
        self._forms.taken(self.custom_id, interaction.id)
        await self._forms.requests.run_for(interaction, "form", lambda: self.take(interaction))

    async def take(self, interaction: discord.Interaction) -> None:
        """Hand on what was filled in."""
        raise NotImplementedError


def _field(
    custom_id: str,
    *,
    default: str | None = None,
    long: bool = False,
    required: bool = False,
    limit: int,
    hint: str | None = None,
) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(
        custom_id=custom_id,
        style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
        default=default[:limit] if default else None,
        required=required,
        max_length=limit,
        placeholder=hint,
    )


class StoryForm(Form):
    """Asks for a story: its text or a file with it, and what is known about it."""

    def __init__(
        self,
        given: Given,
        then: Callable[
            [discord.Interaction, str, discord.Attachment | None, Given], Awaitable[None]
        ],
        *,
        forms: OpenForms,
        seen_by_all: bool,
    ) -> None:
        super().__init__("Add a story", forms)
        self._then = then
        self._given = given
        self._text = _field(
            "text", long=True, limit=_MAX_PASTE, hint="Paste the story here, or its address …"
        )
        self._file: discord.ui.FileUpload[Any] = discord.ui.FileUpload(
            custom_id="file", required=False, max_values=1
        )
        self._title = _field("title", default=given.title, limit=300, hint="Made from the text")
        self._source = _field("source", default=given.source, limit=100, hint="Unknown")
        self._date = _field("date", default=given.published_at, limit=40, hint="2024-10-25")
        warning = None
        if not seen_by_all:
            warning = "Not everybody sees this channel, but the whole server will read quotes."
        label = discord.ui.Label
        self.add_item(label(text="The story’s text", description=warning, component=self._text))
        longer = "Instead of the text above; for more than 4,000 characters."
        self.add_item(
            label(
                text="Or a file (.txt, .md, .html, .pdf)", description=longer, component=self._file
            )
        )
        self.add_item(label(text="Headline", component=self._title))
        self.add_item(label(text="Who published it", component=self._source))
        self.add_item(label(text="When it was published", component=self._date))

    async def take(self, interaction: discord.Interaction) -> None:
        """Hand on what was filled in."""
        given = Given(
            title=_filled(self._title),
            source=_filled(self._source),
            author=self._given.author,
            published_at=_filled(self._date),
            url=self._given.url,
        )
        file = next(iter(self._file.values), None)
        await self._then(interaction, self._text.value, file, given)


class DetailsForm(Form):
    """Asks for a story's details; an empty field makes them unknown."""

    def __init__(
        self,
        current: Attribution,
        then: Callable[[discord.Interaction, Given], Awaitable[None]],
        *,
        forms: OpenForms,
    ) -> None:
        super().__init__("Edit a story’s details", forms)
        self._then = then
        self._before = current
        self._title = _field("title", default=current.title, required=True, limit=500)
        self._source = _field("source", default=current.source, limit=500, hint="Unknown")
        self._author = _field("author", default=current.author, limit=500, hint="Unknown")
        self._date = _field("date", default=current.published_at, limit=40, hint="2024-10-25")
        for name, component in (
            ("Headline", self._title),
            ("Who published it", self._source),
            ("Who wrote it", self._author),
            ("When it was published", self._date),
        ):
            self.add_item(discord.ui.Label(text=name, component=component))

    async def take(self, interaction: discord.Interaction) -> None:
        """Hand on what was filled in."""
        before = self._before
        # What was left as it was is left to whoever changed it since the form was opened.
        given = Given(
            title=_changed(self._title, before.title),
            source=_changed(self._source, before.source),
            author=_changed(self._author, before.author),
            published_at=_changed(self._date, before.published_at),
        )
        await self._then(interaction, given)


class QuestionForm(Form):
    """Asks for a further question."""

    def __init__(
        self,
        before: str,
        then: Callable[[discord.Interaction, str], Awaitable[None]],
        *,
        again: bool,
        forms: OpenForms,
    ) -> None:
        super().__init__("Ask again" if again else "Ask a follow-up", forms)
        self._then = then
        self._question = _field(
            "question",
            default=before if again else None,
            long=True,
            required=True,
            limit=MAX_QUESTION,
            hint=shortened(before, _MAX_HINT),
        )
        self.add_item(discord.ui.Label(text="Your question", component=self._question))

    async def take(self, interaction: discord.Interaction) -> None:
        """Hand on the question."""
        await self._then(interaction, self._question.value)


def _changed(field: discord.ui.TextInput[Any], before: str | None) -> str | None:
    value = field.value.strip()
    return None if value == (before or "").strip() else value


def _filled(field: discord.ui.TextInput[Any]) -> str | None:
    return field.value.strip() or None
