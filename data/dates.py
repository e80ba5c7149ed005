import calendar
import re
from datetime import UTC, date, datetime, timedelta

_MONTHS = calendar.month_name  # 1-based
_DAY = r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"
_TIME = r"[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?"
_ISO = re.compile(rf"{_DAY}(?P<time>(?<=-\d\d-\d\d){_TIME})?", re.ASCII)
_TWO_NUMBERS = re.compile(r"\b(\d{1,2})[\s./,-]+(\d{1,2})[\s./,-]+(?:\d{4}|\d{2})\b", re.ASCII)
_THREE_NUMBERS = re.compile(r"\d+[\s./,-]+\d+[\s./,-]+\d+", re.ASCII)
_MONTH_NAME = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*", re.IGNORECASE | re.ASCII
)

# A clock a time zone ahead may already be in tomorrow; anything later is a wrong date.
_FUTURE_TOLERANCE = timedelta(days=1)
_MAX_DATE_LENGTH = 100
EARLIEST_YEAR = 1400  # the printing press; earlier "dates" are placeholders such as 0001-01-01


def parse_date(text: str) -> str | None:
    """Return the date as ISO 8601 text with the precision that it came with, or None.

    ISO 8601 comes back as it is: nothing is shifted between time zones, no time is invented.
    Other spellings (`October 25, 2024`, `25 Oct 2024 10:00 GMT`, `Oct 2024`) come back as a
    timestamp, a day, a month or a year. A spelling that can mean two days (`03/04/2024`) and a
    day that does not exist come back as None, since a date is never guessed.
    """
    text = text.strip()
    if not text or len(text) > _MAX_DATE_LENGTH:
        return None
    if match := _ISO.fullmatch(text):
        return text if _exists(match) else None
    if _ISO.match(text) and re.match(r"\d{4}-\d{2}", text):
        return None  # begins like ISO and goes on wrongly: 2024-02-30x
    if (two := _TWO_NUMBERS.search(text)) and _ambiguous(int(two[1]), int(two[2])):
        return None
    if not _MONTH_NAME.search(text) and not _THREE_NUMBERS.search(text):
        return None
    return _parse_words(text)


def _exists(match: re.Match[str]) -> bool:
    try:
        date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
        if match["time"]:
            datetime.fromisoformat(re.sub(r"\s(?=[Z+-])", "", match[0].strip()))
    except ValueError:
        return False
    return int(match["year"]) >= EARLIEST_YEAR


def _ambiguous(first: int, second: int) -> bool:
    return first != second and first <= 12 and second <= 12


def _parse_words(text: str) -> str | None:
    # Slow to import, and most dates are ISO already.
    from dateparser.date import DateDataParser

    parser = DateDataParser(
        languages=["en"],
        settings={
            "STRICT_PARSING": False,
            "PARSERS": ["absolute-time", "custom-formats"],
            "PREFER_DAY_OF_MONTH": "first",
            "PREFER_MONTH_OF_YEAR": "first",
            "REQUIRE_PARTS": ["year"],
        },
    )
    try:
        found = parser.get_date_data(text)
    except (ValueError, OverflowError):
        return None
    moment = found.date_obj
    if moment is None or moment.year < EARLIEST_YEAR or str(moment.year) not in text:
        return None
    if found.period == "year":
        return f"{moment.year:04}"
    if found.period == "month":
        return f"{moment.year:04}-{moment.month:02}"
    if not re.search(rf"(?<!\d)0?{moment.day}(?!\d)", text):
        return None  # the parser filled the day in
    if re.search(r"\d:\d\d", text):
        return str(moment.isoformat())
    return str(moment.date().isoformat())


def days_covered(published_at: str | None) -> tuple[str, str] | None:
    """Return the first and last ISO day that the date can mean, or None where it is unknown.

    `2024-02` gives (`2024-02-01`, `2024-02-29`). A timestamp counts as the day it names.
    """
    match = _ISO.fullmatch(published_at) if published_at else None
    if match is None:
        return None
    year, month, day = match["year"], match["month"], match["day"]
    if day:
        return f"{year}-{month}-{day}", f"{year}-{month}-{day}"
    if month:
        last = calendar.monthrange(int(year), int(month))[1]
        return f"{year}-{month}-01", f"{year}-{month}-{last:02}"
    return f"{year}-01-01", f"{year}-12-31"


def is_future(published_at: str, now: datetime | None = None) -> bool:
    """Return whether the date lies more than a day ahead of `now` (by default: the clock)."""
    days = days_covered(published_at)
    limit = ((now or datetime.now(UTC)) + _FUTURE_TOLERANCE).date().isoformat()
    return days is not None and days[0] > limit


def date_in_words(published_at: str | None) -> str | None:
    """Return a date as people write it (`25 October 2024`, `October 2024`, `2024`), or None.

    The precision stays: a month gets no day. The time of day and the offset are left out and
    nothing is converted, so the day is the publisher's own.
    """
    match = _ISO.fullmatch(published_at) if published_at else None
    if match is None:
        return None
    words = [match["year"]]
    if match["month"]:
        words.insert(0, _MONTHS[int(match["month"])])
    if match["day"]:
        words.insert(0, str(int(match["day"])))
    return " ".join(words)
