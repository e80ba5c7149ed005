"""Building blocks of the bot's messages, and the ids by which their buttons are known again."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

# Discord's limits on one message of components.
MAX_TEXT = 4000
MAX_COMPONENTS = 40
MAX_LABEL = 80

Item = discord.ui.Item[discord.ui.LayoutView]
_VALUE = re.compile(r"[A-Za-z0-9_-]+")
_CUSTOM_ID = re.compile(r"pq:([a-z_]+)((?::[A-Za-z0-9_-]+)*)")


class Action(StrEnum):
    """What a button does; the values stand in messages that are years old, so they stay."""

    CONTEXT = "context"
    MORE = "more"
    FOLLOW_UP = "follow"
    THREAD = "thread"
    HELPFUL = "helpful"
    UNHELPFUL = "unhelpful"
    REMOVE_ANSWER = "remove"
    DROP_FILTER = "drop"
    ADD_STORY = "add"
    ADD_ANYWAY = "add_anyway"
    LIST_STORIES = "list"
    SHOW_STORY = "show"
    EDIT_STORY = "edit"
    REMOVE_STORY = "remove_story"
    KEEP = "keep"
    REBUILD = "rebuild"
    UNDO = "undo"
    CANCEL_REBUILD = "cancel"
    FORGET_DIRECT = "forget_direct"
    LIST_FEEDS = "feeds"
    HISTORY = "history"


_ACTIONS = frozenset(action.value for action in Action)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button that was pressed: what it does, and to what."""

    action: Action
    values: tuple[str, ...]

    @property
    def first(self) -> str:
        """Return the first value, or an empty text, which is nobody's id."""
        return self.values[0] if self.values else ""

    def number(self, place: int) -> int:
        """Return a value as a whole number from 0 on; 0 where it is none."""
        value = self.values[place] if place < len(self.values) else ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def custom_id(action: Action, *values: str | int) -> str:
    """Return the id of a button: everything that is needed to carry it out, also after a restart.

    Raises:
        ValueError: if a value cannot stand in one, or they are too long together.
    """
    joined = ":".join(("pq", action.value, *map(str, values)))
    if len(joined) > 100 or not all(_VALUE.fullmatch(str(value)) for value in values):
        raise ValueError(f"no custom_id: {joined!r}")
    return joined


def parse_custom_id(custom_id: str) -> Pressed | None:
    """Return what a custom_id stands for, or None where it is not one of ours."""
    match = _CUSTOM_ID.fullmatch(custom_id)
    if match is None or match[1] not in _ACTIONS:
        return None
    return Pressed(Action(match[1]), tuple(match[2].split(":")[1:]))


def button(
    label: str,
    action: Action,
    *values: str | int,
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    emoji: str | None = None,
) -> discord.ui.Button[Any]:
    """Return a button that carries its own meaning."""
    return discord.ui.Button(
        label=label[:MAX_LABEL], style=style, emoji=emoji, custom_id=custom_id(action, *values)
    )


class Layout(discord.ui.LayoutView):
    """A message made of components.

    Its buttons are carried out by their ids, so nothing of it is kept in memory once it is sent.
    """

    def __init__(self, *items: Item) -> None:
        super().__init__(timeout=None)
        for item in items:
            self.add_item(item)
        self.stop()


def text(content: str) -> discord.ui.TextDisplay[Any]:
    """Return a piece of text."""
    return discord.ui.TextDisplay(content)


def row(*buttons: discord.ui.Button[Any]) -> discord.ui.ActionRow[Any]:
    """Return up to five buttons in a row."""
    return discord.ui.ActionRow(*buttons)


def section(*contents: str, beside: discord.ui.Button[Any]) -> discord.ui.Section[Any]:
    """Return one to three texts with a button beside them."""
    return discord.ui.Section(*map(discord.ui.TextDisplay, contents), accessory=beside)


def panel(*items: Item, colour: discord.Colour | None = None) -> discord.ui.Container[Any]:
    """Return items in a frame."""
    return discord.ui.Container(*items, accent_colour=colour)


def line() -> discord.ui.Separator[Any]:
    """Return a thin line between two parts."""
    return discord.ui.Separator()


def notice(content: str) -> Layout:
    """Return a message that is a sentence or two."""
    return Layout(text(content))
