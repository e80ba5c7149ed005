"""When a story on a page was published and changed, as the page says it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from data.dates import days_covered, is_future, parse_date

if TYPE_CHECKING:
    from lxml.html import HtmlElement

PUBLISHED_NAMES = (
    *("article:published_time", "article:published", "og:published_time", "datepublished"),
    *("og:article:published_time", "og:datepublished", "article.created", "published_at"),
    *("parsely-pub-date", "sailthru.date", "cxenseparse:recs:publishtime", "bt:pubdate"),
    *(
        "citation_publication_date",
        "citation_online_date",
        "citation_date",
        "prism.publicationdate",
    ),
    *("dc.date.issued", "dcterms.issued", "dc.date.created", "dcterms.created", "dc.date"),
    *("dcterms.date", "publish-date", "publish_date", "publishdate", "pubdate", "publication_date"),
    *("published_time", "article.published", "article_date_original", "originalpublicationdate"),
    *(
        "pub_date",
        "date.release",
        "datecreated",
        "date_published",
        "published-date",
        "published",
        "created",
        "date",
    ),
)
MODIFIED_NAMES = (
    *("article:modified_time", "article:modified", "og:modified_time", "datemodified"),
    *("og:article:modified_time", "og:updated_time", "article.updated", "article_date_updated"),
    *("dcterms.modified", "dc.date.modified", "bt:moddate", "lastmod", "last-modified"),
    *("last_modified", "updated_time", "updated-date", "modified", "updated", "revision_date"),
)
# What programs write where they know no date.
_PLACEHOLDERS = ("1970-01-01", "1900-01-01")
_SAME_MOMENT = timedelta(minutes=1)

# Zones as North American publishers write them, in hours from UTC; others have several meanings.
_ZONES = {"z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5}
_ZONES |= {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_LENGTH = 10
# As Chinese, Japanese and Korean write a day, perhaps with a time behind it.
_EASTERN = re.compile(
    r"([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월] ?([0-9]{1,2}) ?[日일號号](?:\s([0-9]{2}:[0-9]{2}))?"
)
# Where it tells when something was written: no word before or behind it, as in `from ... on`.
_EASTERN_ALONE = re.compile(rf"(?<!\w){_EASTERN.pattern}(?=[^\w，,、]|星期|周|\Z)")
_CHANGED = re.compile(r"更新|修改|수정")
_LONGEST_LINE = 60  # characters of a line that tells when, by whom and from where
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?=$|[T ]\d)", re.ASCII)
_LOOSE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=$|[T ])", re.ASCII)
_COMPACT_TIME = re.compile(r"(?<=T)(\d{2})(\d{2})(\d{2})?(?=$|[.Z+ -])", re.ASCII)
_OFFSET = re.compile(r"(?<=\d) ?([+-]\d{2}):?(\d{2})?$", re.ASCII)
_NAMED_ZONE = re.compile(r"(?<=\d)\s*([A-Za-z]{1,5})$")
_HALF_DAY = re.compile(r"[T ]\d{1,2}:\d\d(?::\d\d)?\s*[AaPp]\.?[Mm]\.?$")
_MAIL = re.compile(r"(?:[A-Za-z]{3},? )?\d{1,2} [A-Za-z]{3} (\d{4}) \d{1,2}:\d\d.*", re.ASCII)
_SCRIPT_DATE = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{4}) (\d\d:\d\d:\d\d) (?:GMT|UTC)?([+-]\d{4}).*",
    re.ASCII,
)
_TICKS = re.compile(r"[12]\d{9}(\d{3})?", re.ASCII)  # seconds or milliseconds since 1970
_UTC = re.compile(r"(?:Z|[+-]00:?00)\Z")


@dataclass(frozen=True, slots=True)
class PageDates:
    """ISO 8601 dates, precision and offset as they came; `note` tells of one that was refused."""

    published_at: str | None = None
    modified_at: str | None = None
    note: str | None = None


def page_dates(
    published: Sequence[str],
    modified: Sequence[str],
    tree: "HtmlElement",
    source: str,
    url: str | None,
) -> PageDates:
    """Return when the story was published and changed.

    `published` and `modified` are what the page states, best first. Where it states no day of
    publication, htmldate looks for one in `source`, the page's characters. A date in the future
    is refused, and none is looked for in its place.
    """
    stated = [day for text in published if (day := standard_date(text))]
    future = [day for day in stated if is_future(day)]
    past = [day for day in stated if not is_future(day)]
    timed = list(_times(tree))
    note = None
    if past:
        found = _own_day(past[0], [*past, *timed])
    elif future:
        found = None
        note = f"The date {future[0][:80]!r} is in the future, so the date stays unknown."
    else:
        found = _searched(source, timed, url)
    changes = (day for text in modified if (day := standard_date(text)))
    changed = next((d for d in changes if not is_future(d) and _is_not_before(d, found)), None)
    return PageDates(found, changed, note)


def standard_date(text: str) -> str | None:
    """Return a date as pages write it as ISO 8601 text, or None where it is none.

    Compact and loose forms of ISO 8601, those of e-mail and of scripts and seconds since 1970 are
    read. Precision and offset stay what they are. A placeholder (1970-01-01) is no date.
    """
    text = text.strip()
    if (match := _EASTERN.match(text)) and len(text) <= _LONGEST_LINE:
        text = _eastern(match)
    if _TICKS.fullmatch(text):
        moment = datetime.fromtimestamp(int(text[:10]), UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if match := _SCRIPT_DATE.fullmatch(text):
        text = f"{match[2]} {match[1]} {match[3]} {match[4]} {match[5]}"
    mail = _MAIL.fullmatch(text)
    found = _mail_date(mail) if mail else parse_date(_iso(text))
    if found is None or found.startswith(_PLACEHOLDERS):
        return None
    return found


def day_in_line(text: str) -> str | None:
    """Return the day of publication in a short line under a headline, as ISO 8601, or None.

    Chinese, Japanese and Korean ones are read; other spellings are htmldate's to find.
    """
    match = _EASTERN_ALONE.search(text) if len(text) <= _LONGEST_LINE else None
    if match is None or _CHANGED.search(text[: match.start()]):
        return None
    return standard_date(_eastern(match))


def _eastern(match: re.Match[str]) -> str:
    year, month, day, time = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}" + (f"T{time}" if time else "")


def _iso(text: str) -> str:
    """Return the text with what is nearly ISO 8601 put right; any other stays as it is."""
    iso = _COMPACT.sub(r"\1-\2-\3", text.partition("[")[0].strip(), count=1)
    if match := _LOOSE.match(iso):
        iso = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}{iso[match.end() :]}"
    if not _DAY.match(iso):
        return text
    if _HALF_DAY.search(iso):
        return iso[:_DAY_LENGTH]
    if iso[_DAY_LENGTH : _DAY_LENGTH + 1] == " ":
        iso = f"{iso[:_DAY_LENGTH]}T{iso[_DAY_LENGTH + 1 :].lstrip()}"
    if iso[_DAY_LENGTH : _DAY_LENGTH + 1] != "T":
        return iso
    iso = _COMPACT_TIME.sub(_with_colons, iso, count=1)
    if match := _NAMED_ZONE.search(iso):
        hours = _ZONES.get(match[1].lower())
        # An unknown zone leaves the time as the clock on the wall.
        offset = "" if hours is None else "Z" if hours == 0 else f"{hours:+03d}:00"
        return iso[: match.start()] + offset
    return _OFFSET.sub(lambda match: f"{match[1]}:{match[2] or '00'}", iso)


def _with_colons(match: re.Match[str]) -> str:
    return ":".join(part for part in match.groups() if part)


def _mail_date(match: re.Match[str]) -> str | None:
    try:
        moment = parsedate_to_datetime(match[0])
    except (ValueError, OverflowError):
        return None
    # Years of few digits are filled up: 0000 comes back as 2000.
    return parse_date(moment.isoformat()) if moment.year == int(match[1]) else None


def _times(tree: "HtmlElement") -> Iterator[str]:
    for element in tree.iter("time"):
        if (text := element.get("datetime")) and (day := standard_date(text)):
            yield day


def _own_day(day: str, others: Iterable[str]) -> str:
    """Return the date on the publisher's own clock, where the page tells it.

    Many systems write UTC, on which an evening in America is already tomorrow. The same moment
    with another offset elsewhere on the page is the publisher's.
    """
    if not _UTC.search(day) or (moment := _moment(day)) is None:
        return day
    for other in others:
        same = None if _UTC.search(other) else _moment(other)
        if same is not None and abs(same - moment) < _SAME_MOMENT:
            return other
    return day


def _moment(day: str) -> datetime | None:
    """Return the moment that a date with a time and an offset means; None for any other."""
    try:
        moment = datetime.fromisoformat(day)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _searched(source: str, timed: list[str], url: str | None) -> str | None:
    """Return the date that htmldate finds, with its time of day where the page tells one."""
    from htmldate import find_date

    # A text that begins like an address would be taken for one, and fetched; bytes never are.
    day = find_date(source.encode(), url=url, original_date=True)
    if day is None or is_future(day) or day.startswith(_PLACEHOLDERS):
        return None
    exact = {time for time in timed if time.startswith(day)}
    if day.endswith("-01-01") and not exact:
        return None  # of a year alone, as in a copyright line, it makes New Year's Day
    return exact.pop() if len(exact) == 1 else day


def _is_not_before(changed: str, published: str | None) -> bool:
    if published is None:
        return True
    one, other = _moment(changed), _moment(published)
    if one is not None and other is not None:
        return one >= other
    days, others = days_covered(changed), days_covered(published)
    return days is not None and others is not None and days[1] >= others[0]
