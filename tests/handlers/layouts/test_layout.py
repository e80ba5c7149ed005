"""The building blocks of messages, and Discord's limits on what is built of them."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.components import validate_components

from handlers.layouts.layout import (
    MAX_COMPONENTS,
    MAX_LABEL,
    MAX_TEXT,
    Action,
    Layout,
    Pressed,
    button,
    custom_id,
    line,
    notice,
    panel,
    parse_custom_id,
    row,
    section,
    text,
)

_V2 = 1 << 15  # the flag of a message that is made of components
_ROW, _BUTTON, _SECTION, _TEXT = 1, 2, 9, 10
values = st.from_regex(r"[A-Za-z0-9_-]{0,20}", fullmatch=True)


def payload(make: Callable[[], discord.ui.LayoutView]) -> list[dict[str, Any]]:
    """Return a layout's components as they are sent; a view can only be made in a loop."""

    async def made() -> list[dict[str, Any]]:
        components: list[dict[str, Any]] = make().to_components()  # type: ignore[no-untyped-call]
        return components

    return asyncio.run(made())


def walk(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each component, those inside others too."""
    for part in parts:
        yield part
        yield from walk(part.get("components", []))
        if part.get("accessory"):
            yield part["accessory"]


def units(words: str) -> int:
    """Return a text's length as a client counts it, in UTF-16 units."""
    return len(words.encode("utf-16-le")) // 2


def broken_limits(components: list[dict[str, Any]]) -> list[str]:
    """Return which of Discord's limits a message of components breaks."""
    parts = list(walk(components))
    texts = [p["content"] for p in parts if p["type"] == _TEXT]
    ids = [p["custom_id"] for p in parts if "custom_id" in p]
    buttons = [p for p in parts if p["type"] == _BUTTON]
    rows = [len(p["components"]) for p in parts if p["type"] == _ROW]
    sections = [len(p["components"]) for p in parts if p["type"] == _SECTION]
    total = sum(map(units, texts))
    rules = {
        f"{total} characters of text": total <= 4000,
        f"{len(parts)} components": 1 <= len(parts) <= 40,
        "a text that shows nothing": all(t.strip() for t in texts),
        f"a button without a label, or a long one: {[b['label'] for b in buttons]}": all(
            1 <= units(b["label"]) <= 80 for b in buttons
        ),
        f"a long custom_id: {ids}": all(1 <= len(i) <= 100 for i in ids),
        f"a custom_id twice: {ids}": len(set(ids)) == len(ids),
        f"buttons in rows: {rows}": all(1 <= n <= 5 for n in rows),
        f"texts in sections: {sections}": all(1 <= n <= 3 for n in sections),
    }
    found = [words for words, kept in rules.items() if not kept]
    if not found:
        validate_components(components, flags=_V2)  # the rules again, as others read them
    return found


@given(st.sampled_from(Action), st.lists(values.filter(bool), max_size=3))
def test_a_buttons_id_says_what_it_does_and_to_what(action: Action, given: list[str]) -> None:
    made = custom_id(action, *given)
    assert len(made) <= 100
    assert parse_custom_id(made) == Pressed(action, tuple(given))


@given(st.text(max_size=120) | st.text(":pqlist_09-", max_size=20).map("pq:list{}".format))
def test_any_other_id_is_either_none_of_ours_or_read_whole(foreign: str) -> None:
    pressed = parse_custom_id(foreign)
    if pressed is not None:
        assert foreign == ":".join(("pq", pressed.action.value, *pressed.values))


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "pq",
        "pq:",
        "pq:nothing",
        "pq:list:a b",
        "pq:list\n",
        "PQ:list",
        "x:pq:list",
        "pq:list:é",
    ],
)
def test_an_id_that_was_not_made_here_stands_for_nothing(foreign: str) -> None:
    assert parse_custom_id(foreign) is None


@pytest.mark.parametrize("value", ["a b", "a:b", "é", "a\n", "x" * 100])
def test_an_id_that_could_not_be_read_back_is_not_made(value: str) -> None:
    with pytest.raises(ValueError, match="custom_id"):
        custom_id(Action.CONTEXT, value)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ((), 0),
        (("7",), 7),
        (("x",), 0),
        (("-1",), 0),
        (("",), 0),
        (("²",), 0),
        (("٣",), 0),
        (("999999999",), 999_999_999),
        (("9999999999",), 0),
        (("9" * 5000,), 0),
    ],
)
def test_a_forged_number_is_a_number_or_zero(given: tuple[str, ...], number: int) -> None:
    assert Pressed(Action.LIST_STORIES, given).number(0) == number


def test_a_button_without_values_is_about_nothing() -> None:
    assert Pressed(Action.SHOW_STORY, ()).first == ""
    assert Pressed(Action.SHOW_STORY, ("a", "1")).first == "a"


def test_actions_keep_the_ids_that_stand_in_old_messages() -> None:
    assert {action.value for action in Action} >= {
        "context", "more", "follow", "thread", "helpful", "unhelpful", "remove", "drop", "add",
        "add_anyway", "list", "show", "edit", "remove_story", "keep", "rebuild", "undo", "cancel",
        "forget_direct",
    }  # fmt: skip


def test_a_long_label_is_cut() -> None:
    assert button("x" * 200, Action.KEEP).label == "x" * MAX_LABEL


def test_a_layout_keeps_nothing_in_memory_and_never_times_out() -> None:
    async def state() -> tuple[bool, float | None]:
        made = notice("Done.")
        return made.is_finished(), made.timeout

    assert asyncio.run(state()) == (True, None)


def test_the_blocks_are_what_discord_takes() -> None:
    components = payload(
        lambda: Layout(
            panel(text("a"), line(), section("b", "c", beside=button("B", Action.MORE, "x", 1))),
            row(button("C", Action.KEEP), button("D", Action.UNDO)),
        )
    )
    assert broken_limits(components) == []
    assert [p["type"] for p in walk(components)] == [17, 10, 14, 9, 10, 10, 2, 1, 2, 2]


def test_the_limits_of_these_tests_notice_what_breaks_them() -> None:
    long = payload(lambda: Layout(text("😀" * 2001)))
    many = payload(lambda: notice("x")) * 41
    twice = payload(lambda: Layout(row(button("A", Action.KEEP), button("B", Action.KEEP))))
    for components in (long, many, twice, payload(lambda: notice(" \n"))):
        assert len(broken_limits(components)) == 1
    assert (MAX_TEXT, MAX_COMPONENTS, MAX_LABEL) == (4000, 40, 80)
