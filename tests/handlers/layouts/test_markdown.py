"""What Discord makes of what we write: a small reader of its markdown checks it by itself."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.models import Span
from handlers.layouts.markdown import (
    emphasised,
    escaped,
    one_line,
    quoted,
    shortened,
    size,
    unescaped,
    when,
)

# What an unkind story may hold. Each is something that Discord would make more of than characters.
PIECES = (
    "@everyone", "@here", "<@123456789012345678>", "<@!123456789012345678>",
    "<@&123456789012345678>", "<#123456789012345678>", "</ask:123456789012345678>",
    "<id:customize>", "<t:1700000000:R>", "<:pepe:123456789012345678>",
    "<a:party:123456789012345678>", ":smile:", ":+1::skin-tone-2:", "https://evil.example/a_b",
    "steam://run/1", "<https://evil.example>", "<a@b.example>", "[click](https://evil.example)",
    "[a](<https://evil.example> 'x')", "```py\nx\n```", "`x`", "``x`y``", "||hidden||", "**bold**",
    "*it*", "__under__", "_it_", "~~gone~~", "***all***", "# ", "## ", "### ", "-# ", "> ", ">>> ",
    "- ", "* ", "+ ", "1. ", "12) ", "\\", "\\\\", "\\*", "\n", "\n\n", "\r\n", "\r", "\t", " ",
    "\u202e", "\u2066", "\u2069", "\u200f", "\u200b", "\ufeff", "👩\u200d🚒", "🇩🇪", "e\u0301",
    "*", "_", "`", "|", "~", "<", ">", "[", "]", "(", ")", ":", "#", "-", "@", "!", "a", "word",
    "9", ".",
)  # fmt: skip
hostile = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=60)
"""Texts that are made to be misread, and any other."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees of a message: its characters, and what is more than characters.

    `marks` are (kind, text) in order; `quote` is what stands in block quotes, line by line.
    """

    text: str
    quote: str
    marks: tuple[tuple[str, str], ...]

    def of(self, kind: str) -> list[str]:
        """Return the texts of the marks of one kind."""
        return [text for found, text in self.marks if found == kind]

    @property
    def kinds(self) -> set[str]:
        """Return what kinds of marks there are."""
        return {kind for kind, _ in self.marks}


# In the order in which Discord's client tries them. The group is what is shown, or all of it.
_INLINE = [
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        ("code block", r"```.+?```"),
        ("code", r"(?:(`+).*?[^`]\1)(?!`)"),
        ("mention", r"@everyone|@here|<@[!&]?\d+>|<#\d+>|<id:\w+>|</[^>]+:\d+>"),
        ("emoji", r"<a?:\w+:\d+>|:[^\s:]+(?:::skin-tone-\d)?:"),
        ("time", r"<t:-?\d+(?::[tTdDfFR])?>"),
        ("url", r"<[^: >]+:/[^ >]+>|<[^\s@>]+@[^\s>]+>|(?:https?|steam)://[^\s<]+"),
        (
            "link",
            r"\[((?:\\.|[^\[\]\\]|\[[^\]]*\])*)\]\(\s*<?(?:\\.|[^\s\\])*?>?(?:\s+'.*?')?\s*\)",
        ),
        ("bold", r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)"),
        ("underlined", r"__((?:\\.|[^\\])+?)__(?!_)"),
        ("italic", r"\*(?=\S)((?:\\.|[^\\*])+?)\*(?!\*)|_((?:\\.|[^\\_])+?)_(?!\w)"),
        ("struck", r"~~(.+?)~~"),
        ("spoiler", r"\|\|(.+?)\|\|"),
    )
]
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_STYLED = {"link", "bold", "underlined", "italic", "struck", "spoiler"}
_LINE = [
    ("heading", re.compile(r" *#{1,3}\s+(?=\S)")),
    ("small", re.compile(r"-# +(?=\S)")),
    ("list", re.compile(r" *(?:[-*+]|\d+\.)[ ]+")),
    ("quote of all", re.compile(r" *>>> ")),
]


def read(content: str) -> Seen:
    """Return what a person sees where Discord shows this, by the rules of its client."""
    # The client begins with this, and so a lone carriage return ends a line.
    content = re.sub(r"\r\n?", "\n", content).replace("\f", "")
    marks: list[tuple[str, str]] = []
    shown: list[str] = []
    inside: list[str] = []
    lines = content.split("\n")
    while lines:
        block: list[str] = []
        while lines and re.match(r" *> ", lines[0]):
            block.append(re.sub(r"^ *> ", "", lines.pop(0), count=1))
        if block:
            inside.append(_read_lines(block, marks))
            shown.append(inside[-1])
            marks.append(("quote", inside[-1]))
            continue
        while lines and not re.match(r" *> ", lines[0]):
            block.append(lines.pop(0))
        shown.append(_read_lines(block, marks))
    return Seen("\n".join(shown), "\n".join(inside), tuple(marks))


def _read_lines(lines: list[str], marks: list[tuple[str, str]]) -> str:
    bare: list[str] = []
    for line in lines:
        rest = line
        for kind, pattern in _LINE:
            if match := pattern.match(rest):
                rest = rest[match.end() :]
                marks.append((kind, rest))
        bare.append(rest)
    return _inline("\n".join(bare), marks)


def _inline(text: str, marks: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    at = 0
    while at < len(text):
        if match := _ESCAPE.match(text, at):
            shown.append(match[1])
            at = match.end()
            continue
        found = next(((k, m) for k, p in _INLINE if (m := p.match(text, at))), None)
        if found is None:
            shown.append(text[at])
            at += 1
            continue
        kind, match = found
        groups = [g for g in match.groups() if g is not None]
        inner = _inline(groups[0], marks) if kind in _STYLED and groups else match[0]
        marks.append((kind, match[0] if kind == "link" else inner))
        shown.append(inner)
        at = match.end()
    return "".join(shown)


def as_shown(text: str) -> str:
    """Return a story's characters as far as Discord can show them: one kind of line end."""
    return re.sub(r"\r\n?", "\n", text).replace("\f", "")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("@everyone", "mention"),
        ("a <@&1> b", "mention"),
        ("[click](https://evil.example)", "link"),
        ("see https://evil.example", "url"),
        ("```\nx\n```", "code block"),
        ("||hidden||", "spoiler"),
        ("a\n## b", "heading"),
        ("a\n- b", "list"),
        ("a\n2. b", "list"),
        ("-# b", "small"),
        ("> a", "quote"),
        (":smile:", "emoji"),
        ("<t:1:R>", "time"),
        ("**a**", "bold"),
        ("a _b_", "italic"),
    ],
)
def test_the_reader_of_these_tests_sees_what_discord_would(content: str, kind: str) -> None:
    assert kind in read(content).kinds


@given(hostile)
def test_what_is_escaped_can_be_read_back(text: str) -> None:
    assert unescaped(escaped(text)) == text


@given(hostile)
@example("a\r- list")
@example("a:b::c:")
def test_an_escaped_text_shows_as_it_is_and_as_nothing_more(text: str) -> None:
    # Behind another word, as in a sentence of ours, and at the beginning of a line.
    for before in ("x", "x\n"):
        seen = read(before + escaped(text))
        assert seen.text == before + as_shown(text)
        assert not seen.marks


@given(hostile, st.integers(0, 60), st.integers(1, 60), st.booleans(), st.booleans())
@example("one\rtwo", 0, 3, False, False)
@example("one\r- two", 0, 3, True, True)
@example(":a:b:", 1, 2, False, False)
@example("\\\\*x*", 2, 2, True, True)
def test_a_quote_is_one_block_with_the_answer_in_bold_and_nothing_else(
    text: str, start: int, length: int, before: bool, after: bool
) -> None:
    text = text.strip()
    if not text:
        return
    start = min(start, len(text) - 1)
    bold = (start, min(len(text), start + length))
    seen = read(quoted(text, bold, before=before, after=after))
    cut_before, cut_after = "[…] " * before, " […]" * after
    assert seen.text == seen.quote == f"{cut_before}{as_shown(text)}{cut_after}"
    assert seen.kinds <= {"quote", "bold", "italic"}
    assert len(seen.of("quote")) == 1
    assert seen.of("italic") == ["[…]"] * (before + after)
    inner = as_shown(text[slice(*bold)])
    assert "".join("".join(seen.of("bold")).split()) == "".join(inner.split())


def test_bold_is_put_on_each_line_of_an_answer_without_its_outer_spaces() -> None:
    assert quoted("a bc \n de f", (2, 9), before=False, after=False) == "> a **bc** \n>  **de** f"


def test_a_quote_without_an_answer_in_it_has_nothing_in_bold() -> None:
    assert quoted("a *b*", None, before=True, after=True) == "> *[…]* a \\*b\\* *[…]*"


def test_a_part_of_a_text_is_shown_with_another_part_of_it_in_bold() -> None:
    text = "One. Two three. Four."
    assert emphasised(text, Span(5, 21), Span(9, 15)) == "> Two **three.** Four."


@given(hostile, st.integers(1, 80))
def test_a_line_for_a_list_is_one_line_that_shows_as_it_is(text: str, limit: int) -> None:
    seen = read(f"“{one_line(text, limit)}”")
    assert not seen.marks
    assert "\n" not in seen.text
    assert len(seen.text) <= limit + 2
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", seen.text)
    words = " ".join(re.sub("[\u202a-\u202e\u2066-\u2069]", "", text).split())
    if len(words) <= limit:
        assert seen.text == f"“{words}”"


def test_a_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
    assert shortened("abcd fg", 6) == "abcd…"


@pytest.mark.parametrize(
    ("published_at", "shown"),
    [
        (None, "date unknown"),
        ("2024", "2024"),
        ("2024-10", "October 2024"),
        ("2024-10-25", "25 October 2024"),
        ("2024-10-25T12:00:00+00:00", "<t:1729857600:f>"),
        ("2024-10-25T12:00:00-05:00", "<t:1729875600:f>"),
    ],
)
def test_a_day_stays_a_day_and_a_moment_is_in_the_readers_time(
    published_at: str | None, shown: str
) -> None:
    assert when(published_at) == shown


def test_a_time_without_a_zone_is_no_known_moment() -> None:
    assert "<t:" not in when("2024-10-25T12:00:00")


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("é", 1), ("😀", 2), ("👨‍👩", 5)])
def test_length_is_counted_in_utf_16_units(text: str, units: int) -> None:
    assert size(text) == units
