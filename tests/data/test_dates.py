from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.dates import date_in_words, days_covered, is_future, parse_date

DAYS = st.dates(min_value=date(1400, 1, 1))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
TIMES = st.datetimes(min_value=datetime(1400, 1, 1), timezones=OFFSETS)
NOW = datetime(2024, 10, 25, 12, tzinfo=UTC)

# Other spellings are read by dateparser, which is slow for a property test.
few = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize(
    "text",
    [
        "2024",
        "2024-10",
        "2024-10-25",
        "2024-02-29",
        "1400-01-01",
        "2024-10-25T10:00",
        "2024-10-25 10:00:59",
        "2024-10-25T10:00:00Z",
        "2024-10-25T10:00:00.123456-05:30",
        "2024-10-25T23:59:00+0200",
    ],
)
def test_iso_dates_come_back_as_they_are(text: str) -> None:
    assert parse_date(text) == text
    assert parse_date(f" {text}\n") == text


@given(DAYS)
def test_every_day_month_and_year_keeps_its_precision(day: date) -> None:
    iso = day.isoformat()
    assert [parse_date(t) for t in (iso, iso[:7], iso[:4])] == [iso, iso[:7], iso[:4]]


@given(TIMES)
def test_a_timestamp_is_never_shifted_to_another_time_zone(moment: datetime) -> None:
    assert parse_date(moment.isoformat(timespec="seconds")) == moment.isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("October 25, 2024", "2024-10-25"),
        ("October 25th, 2024", "2024-10-25"),
        ("25 Oct 2024", "2024-10-25"),
        ("Friday, 25 October 2024", "2024-10-25"),
        ("25/10/2024", "2024-10-25"),  # no 25th month
        ("10/25/2024", "2024-10-25"),
        ("12/13/2024", "2024-12-13"),
        ("13/12/2024", "2024-12-13"),
        ("03/03/2024", "2024-03-03"),  # the same day either way
        ("2024/10/25", "2024-10-25"),
        ("Oct 2024", "2024-10"),
        ("25 Oct 2024 10:00 GMT", "2024-10-25T10:00:00+00:00"),
        ("October 25, 2024 at 9:05 AM EDT", "2024-10-25T09:05:00-04:00"),
        ("4 Jul 2024 07:04", "2024-07-04T07:04:00"),
    ],
)
def test_reads_other_spellings_with_the_precision_they_have(text: str, expected: str) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    "text", ["03/04/2024", "12/11/2024", "11/12/2024", "3-4-2024", "03.04.2024"]
)
def test_a_spelling_that_can_mean_two_days_is_not_guessed(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "2024-13",
        "2024-00-10",
        "2024-02-30",
        "2023-02-29",
        "2024-10-25T25:00",
        "2024-10-25T10:00:00+25:00",
        "2024-02-30x",
        "2024-13-01",
        "2024-10 25",
        "Feb 30 2024",
        "31 June 2024",
    ],
)
def test_a_day_or_time_that_does_not_exist_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize("text", ["October 25", "Friday", "10:30", "yesterday", "May 2024 10:30"])
def test_what_is_missing_is_not_filled_in_from_today(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text", ["", "  ", "soon", "0001-01-01", "1399", "20241025", "October" + " " * 90 + "25, 2024"]
)
def test_what_is_no_date_is_unknown(text: str) -> None:
    assert parse_date(text) is None


@few
@given(DAYS)
def test_a_date_written_out_in_words_reads_back_as_the_same_date(day: date) -> None:
    iso = day.isoformat()
    for known in (iso, iso[:7]):
        words = date_in_words(known)
        assert words is not None
        assert parse_date(words) == known


@few
@given(st.text(st.sampled_from("0123456789-/.: ,TZOctMar"), max_size=24))
def test_whatever_is_read_is_stable_and_covers_days(text: str) -> None:
    parsed = parse_date(text)
    if parsed is not None:
        assert parse_date(parsed) == parsed
        assert days_covered(parsed) is not None


@pytest.mark.parametrize(
    ("published_at", "expected"),
    [
        ("2024", ("2024-01-01", "2024-12-31")),
        ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2023-02", ("2023-02-01", "2023-02-28")),
        ("1900-02", ("1900-02-01", "1900-02-28")),
        ("2024-04", ("2024-04-01", "2024-04-30")),
        ("2024-10-25", ("2024-10-25", "2024-10-25")),
        ("2024-10-25T23:30:00-05:00", ("2024-10-25", "2024-10-25")),  # not the next day in UTC
        (None, None),
        ("last week", None),
    ],
)
def test_tells_the_days_that_a_date_can_mean(
    published_at: str | None, expected: tuple[str, str] | None
) -> None:
    assert days_covered(published_at) == expected


@given(DAYS)
def test_a_month_covers_the_day_and_nothing_of_its_neighbours(day: date) -> None:
    covered = days_covered(day.isoformat()[:7])
    assert covered is not None
    first, last = (date.fromisoformat(text) for text in covered)
    assert first <= day <= last
    assert first.day == 1
    assert last == date.max or (last + timedelta(days=1)).day == 1
    assert (first.year, first.month) == (last.year, last.month) == (day.year, day.month)


@pytest.mark.parametrize(
    ("published_at", "future"),
    [
        ("2024-10-25", False),
        ("2024-10-26", False),  # a clock ahead of ours may be there already
        ("2024-10-27", True),
        ("2024-10", False),
        ("2024-11", True),
        ("2024", False),
        ("2025", True),
        ("2024-10-26T23:00:00+14:00", False),
        ("2024-10-27T00:00:00-12:00", True),
    ],
)
def test_a_date_more_than_a_day_ahead_is_in_the_future(published_at: str, future: bool) -> None:
    assert is_future(published_at, NOW) is future


def test_the_future_is_told_by_the_clock_if_no_time_is_named() -> None:
    today = datetime.now(UTC).date()
    assert not is_future(today.isoformat())
    assert is_future((today + timedelta(days=7)).isoformat())


@pytest.mark.parametrize(
    ("published_at", "words"),
    [
        ("2024", "2024"),
        ("2024-12", "December 2024"),
        ("2024-01-05", "5 January 2024"),
        ("2024-10-25T23:30:00-05:00", "25 October 2024"),
        (None, None),
        ("last week", None),
    ],
)
def test_writes_a_date_in_words_with_its_own_precision(
    published_at: str | None, words: str | None
) -> None:
    assert date_in_words(published_at) == words
