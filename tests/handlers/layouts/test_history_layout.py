"""A story's versions as messages: what each changed, within Discord's limits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.models import Attribution, Revision, normalise, text_hash
from data.standing import History
from handlers.layouts.history_layout import history_layout
from handlers.layouts.layout import Action, custom_id
from tests.handlers import stories
from tests.handlers.layouts.test_layout import broken_limits, payload, walk
from tests.handlers.layouts.test_markdown import as_shown, hostile, read
from tests.handlers.layouts.test_render import attributions, contents

some = settings(deadline=None, max_examples=80)
NOW = "2026-01-02T03:04:05+00:00"
STAMP = "<t:1767323045:f>"
ATTRIBUTION = stories.ATTRIBUTION
PARAGRAPHS = ("The mayor opened the bridge.", "It cost two million.", "Nobody fell in.")

texts = (hostile | st.lists(hostile, min_size=1, max_size=6).map("\n\n".join)).filter(
    lambda t: any(c.isalnum() for c in t)
)


def version(text: str, attribution: Attribution = ATTRIBUTION, *, number: int = 1) -> Revision:
    """Return one version of the story with the id `story-1`."""
    text = normalise(text)
    made = stories.story()
    return replace(
        made, id=number, text=text, sha256=text_hash(text), attribution=attribution, created_at=NOW
    )


def history(*versions: Revision, withdrawn_at: str | None = None) -> History:
    return History(versions, withdrawn_at)


def made(of: History, number: int = 0) -> list[dict[str, Any]]:
    """Return the components of a message, which are within Discord's limits."""
    components = payload(lambda: history_layout(of, number))
    assert broken_limits(components) == []
    return components


def difference(*versions: str) -> list[str]:
    """Return, line by line, what the last of these texts changed."""
    of = history(*(version(text, number=n) for n, text in enumerate(versions, start=1)))
    return [line for line in contents(made(of))[1].split("\n") if line]


def text_of(parts: Sequence[str]) -> str:
    return "\n\n".join(parts)


# --- limits


UNITS = ("a", "*", "😀", "\\", "a b ", "a\n", "*\n", "1. ", "\n\n*", "#\r")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("same_text", [True, False])
def test_the_longest_versions_keep_discords_limits(unit: str, same_text: bool) -> None:
    def attribution(last: str) -> Attribution:
        field = (unit * 500)[:499] + last
        return Attribution(field, field, field, NOW, "https://e.org/" + "a" * 1900 + last)

    # No paragraph is in both.
    before = (f"{unit}b" * 3000)[:20_000] + "b"
    after = before if same_text else (f"{unit}c" * 3000)[:20_000] + "c"
    old = version(before, attribution("b"))
    new = replace(version(after, attribution("c"), number=2), modified_at=NOW)
    for number in (0, 1, 999_999_999):
        made(history(old, new, withdrawn_at=NOW), number)


@pytest.mark.parametrize("length", [1, 20, 400, 499, 500, 501, 2600, 9000])
def test_many_paragraphs_of_any_length_keep_discords_limits(length: int) -> None:
    before = text_of(["*" * length + f" {n}" for n in range(200)])
    after = text_of(["*" * length + f" {n + 200}" for n in range(200)])
    shown = difference(before, after)
    assert "-# There is more; `history` on the command line shows all of it." in shown


@some
@given(texts, texts, attributions, attributions, st.integers(0, 3))
def test_any_two_versions_keep_discords_limits_and_show_as_text(
    before: str, after: str, old: Attribution, new: Attribution, number: int
) -> None:
    of = history(version(before, old), version(after, new, number=2))
    head, *rest = contents(made(of, number))
    assert read(head).kinds <= {"heading", "bold", "small", "time"}
    assert read(head).quote == ""
    for content in rest:
        assert read(content).kinds <= {"bold", "italic", "small", "quote", "time"}


@some
@given(texts, texts)
def test_what_is_shown_of_a_change_is_what_stood_there(before: str, after: str) -> None:
    of = history(version(before), version(after, number=2))
    shown = read(contents(made(of))[1]).quote.split("\n")
    both = as_shown(normalise(before)) + "\n" + as_shown(normalise(after))
    for line in shown:
        assert line.removesuffix(" […]").strip() in both


# --- what is said


def test_the_first_version_has_nothing_before_it() -> None:
    components = made(history(version("Text.")))
    head, rest = contents(components)
    assert head == (
        "### Bridge opened\n**The Larkmoor Ledger** · Ann Reed · <t:1729917000:f>\n"
        f"-# Version 1 of 1, stored {STAMP}"
    )
    assert rest == "The first version that was stored."
    assert labelled(components) == [("Show the story", custom_id(Action.SHOW_STORY, "story-1", 0))]


def labelled(components: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(p["label"], p["custom_id"]) for p in walk(components) if p["type"] == 2]


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (
            [PARAGRAPHS[0], "It cost three million.", PARAGRAPHS[2]],
            [
                "➖ taken out",
                "> It cost two million.",
                "➕ put in",
                "> It cost three million.",
                "-# 2 paragraphs are the same.",
            ],
        ),
        (
            PARAGRAPHS[:2],
            ["➖ taken out", "> Nobody fell in.", "-# 2 paragraphs are the same."],
        ),
        (
            [*PARAGRAPHS, "*It* is closed again."],
            ["➕ put in", r"> \*It\* is closed again.", "-# 3 paragraphs are the same."],
        ),
        (
            [PARAGRAPHS[0], "Cy fell in."],
            [
                "➖ taken out",
                "> It cost two million.",
                "➖ taken out",
                "> Nobody fell in.",
                "➕ put in",
                "> Cy fell in.",
                "-# 1 paragraph is the same.",
            ],
        ),
    ],
)
def test_paragraphs_that_went_and_came_are_shown(after: Sequence[str], shown: list[str]) -> None:
    assert difference(text_of(PARAGRAPHS), text_of(after)) == shown


def test_the_same_paragraphs_in_another_order_are_a_change() -> None:
    shown = difference("One.\n\nTwo.", "Two.\n\nOne.")
    assert sorted(line for line in shown if line[0] in "➕➖") == ["➕ put in", "➖ taken out"]
    assert shown[-1] == "-# 1 paragraph is the same."


def test_texts_that_differ_in_white_space_alone_are_said_to_have_the_same_paragraphs() -> None:
    assert difference("One.\n\nTwo.", "One.\n\n\nTwo.") == ["-# 2 paragraphs are the same."]


def test_a_long_paragraph_is_cut_and_the_cut_is_marked() -> None:
    shown = difference("old" + " a" * 600, "new" + " a" * 600)
    assert [len(line) < 600 for line in shown] == [True] * len(shown)
    assert [line.endswith("*[…]*") for line in shown if line.startswith(">")] == [True, True]


def test_a_change_behind_the_cut_of_a_long_paragraph_is_shown() -> None:
    """Paragraphs of thousands of characters are common where a page marks none."""
    same = "The mayor spoke again. " * 60
    shown = "\n".join(difference(f"{same}It cost four.", f"{same}It cost five."))
    assert "It cost four." in shown
    assert "It cost five." in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": "At last"}, "**headline**: Bridge opened → At last"),
        ({"source": "The *Gazette*"}, r"**publisher**: The Larkmoor Ledger → The \*Gazette\*"),
        ({"author": None}, "**author**: Ann Reed → unknown"),
        ({"published_at": "2024-10"}, "**date**: "),
        (
            {"url": "https://gazette.example/a"},
            r"**link**: https\://ledger.example/bridge → https\://gazette.example/a",
        ),
    ],
)
def test_details_that_changed_are_said(change: dict[str, Any], said: str) -> None:
    new = version("Text.", replace(ATTRIBUTION, **change), number=2)
    lines = contents(made(history(version("Text."), new)))[1].split("\n")
    assert lines[0].startswith(said)
    assert lines[1:] == ["-# The text is the same."]


def test_dates_that_changed_are_said_as_people_write_them() -> None:
    old, new = (replace(ATTRIBUTION, published_at=day) for day in ("2024-10-25", "2024-10-26"))
    of = history(version("Text.", old), version("Text.", new, number=2))
    assert "**date**: 25 October 2024 → 26 October 2024" in contents(made(of))[1]


def test_each_version_leads_to_its_neighbours() -> None:
    of = history(*(version(f"Text {n}.", number=n) for n in (1, 2, 3)))
    found = [
        [(label, i.rsplit(":", 1)[1]) for label, i in labelled(made(of, number))[:-1]]
        for number in (0, 1, 2, 999_999_999)
    ]
    oldest = [("Version after", "1")]
    assert found == [
        [("Version before", "1")],
        [("Version before", "2"), ("Version after", "0")],
        oldest,
        oldest,
    ]


def test_what_the_publisher_said_of_the_change_and_the_withdrawal_is_said() -> None:
    new = replace(version("New.", number=2), modified_at="2024-10-26")
    head = contents(made(history(version("Old."), new, withdrawn_at=NOW)))[0]
    assert "-# Changed by its publisher 26 October 2024" in head
    assert f"⚠️ Its publisher withdrew it; seen {STAMP}." in head
