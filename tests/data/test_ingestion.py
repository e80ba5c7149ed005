import gzip
import json
import os
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import ingestion
from data.errors import StoryRefusedError, UserError
from data.ingestion import (
    MAX_FIELD_LENGTH,
    MAX_FILE_BYTES,
    MAX_ID_LENGTH,
    MAX_TEXT_LENGTH,
    Given,
    Row,
    amended,
    draft_from_fields,
    parse_story,
    read_rows,
    read_story,
)
from data.models import Attribution, Draft

POINTS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
STORY = """---
title: Bridge opened
source: Herald
author: A. Lee
date: 2024-10
link: https://example.org/a
id: wire-1
---

The mayor opened the bridge.
"""


def _parse(text: str, given_fields: Given | None = None) -> Draft:
    return parse_story(text.encode(), name="a.txt", given=given_fields)


def _rows(path: Path, *lines: object) -> list[Row]:
    parts = [x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines]
    path.write_bytes(b"\n".join(parts))
    return list(read_rows(path))


def test_reads_a_story_with_front_matter() -> None:
    assert _parse(STORY) == Draft(
        "The mayor opened the bridge.\n",
        Attribution("Bridge opened", "Herald", "A. Lee", "2024-10", "https://example.org/a"),
        external_id="wire-1",
        title_given=True,
        notes=(),
    )


def test_reads_the_bundled_form_with_a_date_line() -> None:
    story = _parse("date 2024-10-25 The mayor opened the bridge. It is long.")
    assert story.text == "The mayor opened the bridge. It is long."
    assert story.attribution == Attribution(
        "The mayor opened the bridge", published_at="2024-10-25"
    )
    assert not story.title_given


def test_reads_a_markdown_file_with_a_heading() -> None:
    story = _parse("# Bridge opened\n\nThe mayor opened the *bridge*.\n")
    assert (story.text, story.attribution.title) == (
        "The mayor opened the *bridge*.\n",
        "Bridge opened",
    )
    assert story.title_given


def test_a_text_without_a_title_gets_its_first_sentence_and_nothing_is_guessed() -> None:
    story = _parse("By A. Lee, Herald\nThe mayor opened the bridge on 25 October 2024.")
    assert story.attribution == Attribution("By A. Lee, Herald")
    assert not story.title_given


def test_what_a_person_gives_wins_over_front_matter() -> None:
    given_fields = Given("T", "Post", "B. Ray", "2024-11-02", "https://example.org/b")
    story = _parse(STORY, given_fields)
    assert story.attribution == Attribution(
        "T", "Post", "B. Ray", "2024-11-02", "https://example.org/b"
    )
    assert story.external_id == "wire-1"
    partly = _parse(STORY, Given(source="Post")).attribution
    assert (partly.title, partly.source) == ("Bridge opened", "Post")


@pytest.mark.parametrize(
    "text",
    [
        "  Two spaces,\ttab and\u00a0more.  \r\n\r\n\r\nEnd.\n\n",
        "“Quotes” — ‘and’ … dashes – fi ligature ﬁ, half ½.",
        "中文。\u3000全角",
        "Zero\u200bwidth \ufeff inside.",
    ],
)
def test_the_text_is_stored_exactly_as_given(text: str) -> None:
    assert _parse(text).text == text
    assert draft_from_fields({"text": text}).text == text


def test_the_one_change_to_a_text_is_that_it_is_composed() -> None:
    assert _parse("Cafe\u0301 \u212b").text == "Caf\u00e9 \u00c5"


@settings(deadline=None)
@given(st.text(POINTS, min_size=1).map(lambda text: text + "."))
def test_every_text_is_kept_but_for_its_normal_form(text: str) -> None:
    story = draft_from_fields({"text": text})
    assert story.text == unicodedata.normalize("NFC", text)
    assert draft_from_fields({"text": story.text}) == story


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_story_or_are_refused(raw: bytes) -> None:
    try:
        story = parse_story(raw, name="a.txt")
    except StoryRefusedError as refused:
        assert str(refused)
    else:
        assert story.text.strip()


def test_detects_latin_1() -> None:
    text = "Der Bürgermeister sagte, daß die Straße für zwei Wochen gesperrt wird."
    assert parse_story(text.encode("latin-1"), name="a.txt").text == text


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "a.txt is empty."),
        (b" \n\t ", "a.txt is empty."),
        (b"GIF89a\x01\x00\x01\x00", "a.txt is a binary file, not a text."),
        (b"The mayor\x00 spoke.", "a.txt is a binary file, not a text."),
        (b"a" * (MAX_FILE_BYTES + 1), "a.txt is larger than 5 MB, too large for one story."),
    ],
)
def test_refuses_a_file_that_is_no_story_with_a_sentence(raw: bytes, sentence: str) -> None:
    with pytest.raises(StoryRefusedError) as refused:
        parse_story(raw, name="a.txt")
    assert str(refused.value) == sentence


def test_refuses_a_file_that_is_nothing_but_front_matter() -> None:
    with pytest.raises(StoryRefusedError, match="no text"):
        _parse("---\ntitle: Bridge opened\n---\n\n")


def test_a_date_in_the_future_stays_unknown_and_is_noted() -> None:
    later = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    story = _parse("The mayor spoke.", Given(published_at=later))
    assert story.attribution.published_at is None
    note = f"The date '{later}' is in the future, so the date stays unknown."
    assert story.notes == (note,)


@pytest.mark.parametrize("date", ["03/04/2024", "2024-02-30", "last week", "0001-01-01"])
def test_a_date_that_cannot_be_read_stays_unknown_and_is_noted(date: str) -> None:
    story = _parse("The mayor spoke.", Given(published_at=date))
    assert story.attribution.published_at is None
    note = f"The date '{date}' cannot be read for certain, so the date stays unknown."
    assert story.notes == (note,)


@pytest.mark.parametrize("url", ["example.org/a", "javascript:alert(1)", "https://exa mple.org"])
def test_a_link_that_is_no_web_address_stays_unknown_and_is_noted(url: str) -> None:
    story = _parse("The mayor spoke.", Given(url=url))
    assert story.attribution.url is None
    assert story.notes == (f"The link '{url}' is no web address, so the link stays unknown.",)


def test_fields_lose_line_breaks_and_blank_ones_are_unknown() -> None:
    story = draft_from_fields(
        {"text": "x", "title": "Two\r\nlines", "source": " \t", "author": "", "url": None}
    )
    assert story.attribution == Attribution("Two lines")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "it has no text"),
        ({"text": None}, "it has no text"),
        ({"text": " \n "}, "it has no text"),
        ({"text": ["a"]}, "its text is not text"),
        ({"text": "a\x00b"}, "its text holds NUL bytes"),
        ({"text": "a" * (MAX_TEXT_LENGTH + 1)}, "its text is longer than 1,000,000 characters"),
        ({"text": "half \ud83d"}, "its text holds half of a character"),
        ({"text": "x", "title": "\udc00"}, "its title holds half of a character"),
        ({"text": "x", "id": "\udc00"}, "its id holds half of a character"),
        ({"text": "x", "source": 5}, "its source is not text"),
        ({"text": "x", "published_at": 2024}, "its published_at is not text"),
        ({"text": "x", "author": "a" * (MAX_FIELD_LENGTH + 1)}, "its author is longer than 500"),
        ({"text": "x", "url": "a" * 2001}, "its url is longer than 2000 characters"),
        ({"text": "x", "id": "a" * (MAX_ID_LENGTH + 1)}, "its id is longer than 200 characters"),
        ({"text": "x", "id": 1.5}, "its id is neither text nor a whole number"),
        ({"text": "x", "id": True}, "its id is neither text nor a whole number"),
    ],
)
def test_refuses_a_row_with_a_reason(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(StoryRefusedError, match=reason):
        draft_from_fields(fields)


@pytest.mark.parametrize(
    ("value", "expected"), [("x", "x"), (17, "17"), ("", None), (None, None), (0, "0")]
)
def test_an_id_is_text_or_a_whole_number(value: object, expected: str | None) -> None:
    assert draft_from_fields({"text": "x", "id": value}).external_id == expected


def test_a_text_and_fields_at_their_limits_are_taken() -> None:
    story = draft_from_fields(
        {"text": "a" * MAX_TEXT_LENGTH, "title": "b" * MAX_FIELD_LENGTH, "id": "c" * MAX_ID_LENGTH}
    )
    assert len(story.text) == MAX_TEXT_LENGTH


@pytest.mark.parametrize("name", ["a.txt", "A.TXT", "a.md", "a.markdown", "story"])
def test_reads_a_story_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(STORY, "utf-8")
    assert read_story(tmp_path / name) == _parse(STORY)


def test_refuses_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(UserError, match=r"^a\.pdf is not a kind of file that holds a story"):
        read_story(tmp_path / "a.pdf")


def test_refuses_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder; name a file"):
        read_story(tmp_path)
    with pytest.raises(UserError, match=r"a\.txt cannot be read: No such file or directory\.$"):
        read_story(tmp_path / "a.txt")


def test_refuses_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    os.truncate(path, MAX_FILE_BYTES + 1)
    with pytest.raises(StoryRefusedError, match="larger than 5 MB"):
        read_story(path)


def test_takes_a_file_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.txt").write_bytes(b"0123456789")
    assert read_story(tmp_path / "a.txt").text == "0123456789"
    with pytest.raises(StoryRefusedError, match="larger than"):
        parse_story(b"0123456789.", name="a.txt")


def test_reads_rows_with_their_line_numbers_and_sizes(tmp_path: Path) -> None:
    rows = _rows(tmp_path / "a.jsonl", {"text": "One."}, b"", b"  ", {"text": "Two.", "id": 2})
    assert [(row.line, row.size) for row in rows] == [(1, 17), (4, 25)]
    assert [row.draft.text for row in rows if row.draft] == ["One.", "Two."]
    assert [row.refused for row in rows] == [None, None]


def test_a_bad_row_is_a_reason_and_not_an_end(tmp_path: Path) -> None:
    rows = _rows(
        tmp_path / "a.jsonl",
        {"text": "One."},
        b"{not json",
        b"[1, 2]",
        b'"text"',
        b'{"text": "caf\xe9"}',
        {"title": "no text"},
        b'{"text": "\\ud83d"}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "x", "id": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        {"text": "Last."},
    )
    assert [row.refused for row in rows] == [
        None,
        "it is not valid JSON",
        "it is not a JSON object",
        "it is not a JSON object",
        "it is not UTF-8",
        "it has no text",
        "its text holds half of a character",
        "its text holds NUL bytes, so it is probably not a text",
        "it is not valid JSON",
        "it is not valid JSON",
        None,
    ]
    assert [row.draft is None for row in rows] == [row.refused is not None for row in rows]


def test_both_halves_of_an_escaped_character_are_one(tmp_path: Path) -> None:
    (row,) = _rows(tmp_path / "a.jsonl", b'{"text": "\\ud83d\\ude00"}')
    assert row.draft is not None
    assert row.draft.text == "😀"


def test_the_text_of_a_row_is_not_taken_apart(tmp_path: Path) -> None:
    text = "---\ntitle: A\n---\n# Heading\n"
    (row,) = _rows(tmp_path / "a.jsonl", {"text": text, "title": "T"})
    assert row.draft == Draft(text, Attribution("T"))


def test_reads_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "One."}\r\n{"text": "Two."}\r\n')
    assert [row.refused for row in read_rows(path)] == [None, None]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl"])
def test_reads_gzip_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b'{"text": "One."}\n{"text": "Two."}\n'))
    rows = list(read_rows(tmp_path / name))
    assert [row.draft.text for row in rows if row.draft] == ["One.", "Two."]


def test_a_gzip_file_that_is_cut_short_gives_its_rows_and_then_an_error(tmp_path: Path) -> None:
    lines = b"".join(b'{"text": "%d"}\n' % i for i in range(5000))
    packed = gzip.compress(lines)
    (tmp_path / "a.gz").write_bytes(packed[: len(packed) // 2])
    rows = read_rows(tmp_path / "a.gz")
    first = next(rows)
    assert first.draft is not None
    assert first.draft.text == "0"
    *kept, last = rows
    assert all(row.draft is not None for row in kept)
    assert last.refused is not None
    assert last.refused.startswith("the file is damaged from here on (")


def test_a_text_of_nothing_that_can_be_seen_is_no_text() -> None:
    with pytest.raises(StoryRefusedError, match="it has no text"):
        draft_from_fields({"text": "\u200b\u2060 \x1b\n"})


def test_refuses_a_gzip_file_that_is_damaged_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b" + b"nonsense" * 5)
    for name in ("a.gz", "none.jsonl"):
        with pytest.raises(UserError, match=f"{name} cannot be read: "):
            list(read_rows(tmp_path / name))


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "MAX_FILE_BYTES", 40)
    rows = _rows(
        tmp_path / "a.jsonl",
        {"text": "One."},
        {"text": "x" * 27},  # 39 bytes and the line end: the longest that is taken
        {"text": "x" * 200},
        {"text": "Last."},
    )
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert [row.refused is None for row in rows] == [True, True, False, True]
    assert "the line is larger than" in str(rows[2].refused)


def test_a_long_last_line_ends_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion, "MAX_FILE_BYTES", 40)
    for length in (41, 42, 81, 82, 83):
        rows = _rows(tmp_path / "a.jsonl", {"text": "One."}, b"x" * length)
        assert [row.line for row in rows] == [1, 2]


def test_amending_changes_what_is_given_and_an_empty_text_makes_it_unknown() -> None:
    current = Attribution("Title", "Herald", "A. Lee", "2024-10", "https://example.org/a")
    assert amended(current, Given()) == current
    changed = amended(current, Given(source=" Post ", author="", published_at="25 Oct 2024"))
    assert changed == Attribution("Title", "Post", None, "2024-10-25", current.url)
    cleared = amended(current, Given(published_at="", url=" "))
    assert (cleared.published_at, cleared.url) == (None, None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Given(title="  "), "needs a title"),
        (Given(published_at="03/04/2024"), "cannot be read for certain"),
        (Given(published_at="2999-01-01"), "in the future"),
        (Given(url="example.org"), "no web address"),
        (Given(author="a" * (MAX_FIELD_LENGTH + 1)), "longer than 500"),
    ],
)
def test_refuses_an_amendment_that_cannot_be_meant(wrong: Given, message: str) -> None:
    with pytest.raises(UserError, match=message):
        amended(Attribution("Title", "Herald"), wrong)
