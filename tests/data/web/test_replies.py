from datetime import UTC, datetime

import pytest

from data.web.fetch_errors import bad_status, shown
from data.web.replies import MAX_RETRY_AFTER, retry_after, validator

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1000000000", MAX_RETRY_AFTER),
        ("9" * 8000, MAX_RETRY_AFTER),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 12:05:00 GMT", 300.0),
        ("Sun, 22 Nov 2026 13:05:00 +0100", 300.0),
        ("Sun, 22 Nov 2026 12:05:00", 300.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Wed, 01 Jan 2098 00:00:00 GMT", MAX_RETRY_AFTER),
        ("Sun, 99 Nov 2026 12:05:00 GMT", None),
        ("Sun, 22 Nov 99999999999 12:05:00 GMT", None),
        ("Sun, 22 Nov 2026 12:05:00 +9999999999", None),
        (", , , ,", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ('"abc"', True),
        ('W/"abc"', True),
        ("Sun, 22 Nov 2026 12:05:00 GMT", True),
        (None, False),
        ("", False),
        ('"a\r\nX: y"', False),
        ('"\udce4"', False),
        ('"é"', False),
        ("x" * 1001, False),
    ],
)
def test_only_what_can_be_sent_back_is_remembered(header: str | None, kept: bool) -> None:
    assert validator(header) == (header if kept else None)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "login"),
        (402, "payment"),
        (403, "does not show this page"),
        (404, "no page at this address"),
        (407, "login"),
        (410, "taken away for good"),
        (418, "status 418"),
        (429, "asked too often"),
        (451, "legal reasons"),
        (500, "trouble of its own (500)"),
        (503, "overloaded"),
        (599, "trouble of its own (599)"),
        (202, "status 202"),
        (304, "status 304"),
        (999, "status 999"),
    ],
)
def test_each_status_has_its_sentence(status: int, words: str) -> None:
    error = bad_status("news.example", status, 5.0)
    assert words in str(error)
    assert str(error).startswith("news.example ")
    assert str(error).endswith(".")
    assert (error.status, error.retry_after) == (status, 5.0)
    assert (error.gone, error.lasting) == (status == 410, status == 410)
    assert error.passing is (status in (408, 425, 429) or status >= 500)


def test_what_is_shown_in_a_sentence_is_short_and_printable() -> None:
    assert shown("a\u202eb\nc") == "abc"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == "x" * 59 + "…"
