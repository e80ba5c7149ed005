from datetime import UTC, datetime, timedelta

import pytest

from data.extraction.html_tree import parse_html
from data.extraction.page_dates import PageDates, day_in_line, page_dates, standard_date
from tests.data.extraction.made_pages import page

AHEAD = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT08:00:00Z")


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024-05-06", "2024-05-06"),
        ("2024-05", "2024-05"),
        ("2024-05-06T08:30:00Z", "2024-05-06T08:30:00Z"),
        ("2024-05-06T08:30:00.125+02:00", "2024-05-06T08:30:00.125+02:00"),
        ("2024-05-06T08:30:00+0200", "2024-05-06T08:30:00+02:00"),
        ("2024-05-06T08:30+02", "2024-05-06T08:30+02:00"),
        ("2024-05-06 08:30:00", "2024-05-06T08:30:00"),
        ("2024-05-06 08:30:00 +0200", "2024-05-06T08:30:00+02:00"),
        ("2024-05-06T08:30:00 Z", "2024-05-06T08:30:00Z"),
        ("2024-05-06 08:30:00 UTC", "2024-05-06T08:30:00Z"),
        ("2024-05-06T08:30:00EST", "2024-05-06T08:30:00-05:00"),
        ("2024-05-06T08:30:00 XYZ", "2024-05-06T08:30:00"),
        ("2024-05-06 8:30 PM", "2024-05-06"),
        ("2024-05-06T08:30:00+02:00[Europe/Berlin]", "2024-05-06T08:30:00+02:00"),
        ("20240506", "2024-05-06"),
        ("20240506T083000Z", "2024-05-06T08:30:00Z"),
        ("20240506T08:30:00Z", "2024-05-06T08:30:00Z"),
        ("2024/5/6 08:30", "2024-05-06T08:30"),
        ("2024.05.06", "2024-05-06"),
        ("Mon, 06 May 2024 08:30:00 GMT", "2024-05-06T08:30:00+00:00"),
        ("6 May 2024 08:30:00 +0200", "2024-05-06T08:30:00+02:00"),
        ("Mon May 06 2024 08:30:00 GMT+0200 (CEST)", "2024-05-06T08:30:00+02:00"),
        ("1714984200", "2024-05-06T08:30:00Z"),
        ("1714984200000", "2024-05-06T08:30:00Z"),
        ("May 6, 2024", "2024-05-06"),
        (" 6 May 2024 ", "2024-05-06"),
        ("2024年5月6日", "2024-05-06"),
        ("2024年05月06日 08:30", "2024-05-06T08:30"),
        ("2024年5月6日（月）", "2024-05-06"),
        ("2024년 5월 6일 08:30", "2024-05-06T08:30"),
    ],
)
def test_dates_of_all_forms_come_back_as_iso_8601(written: str, iso: str) -> None:
    assert standard_date(written) == iso


@pytest.mark.parametrize(
    "written",
    [
        *("", "yesterday", "0000-00-00", "0001-01-01T00:00:00", "1970-01-01T00:00:00Z", "0"),
        *("2024-02-30", "2024-13-01", "2024-05-06T25:00:00", "05/06/2024", "2024-05-06xyz"),
        *(
            "3 May 2025 1:4723991200",
            "06 May 0000 10:00:00 GMT",
            "99 May 2024 10:00:00 GMT",
            "9" * 400,
            "2024-" * 1000,
        ),
        *("2024年13月6日", "2024年", "5月6日", "二〇二四年五月六日"),
        *("Mon Foo 06 2024 08:30:00 GMT+0200", "٢٠٢٤-٠٥-٠٦", "2024-W10-1"),
    ],
)
def test_what_is_no_certain_date_is_none(written: str) -> None:
    assert standard_date(written) is None


def _dates(
    published: list[str], modified: list[str] | None = None, body: str | None = None
) -> PageDates:
    html = page(body)
    tree = parse_html(html)
    assert tree is not None
    return page_dates(published, modified or [], tree, html, "https://herald.example/news/a")


def test_the_first_date_that_can_be_read_counts() -> None:
    assert _dates(["soon", "2024-05-06", "2024-05-07"]).published_at == "2024-05-06"


def test_a_future_date_is_refused_with_a_word() -> None:
    dates = _dates([AHEAD], body="<p>Published 3 May 2023</p>")
    assert dates.published_at is None
    assert dates.note is not None
    assert "in the future" in dates.note
    assert _dates(["9999-12-31"]).published_at is None


def test_a_future_date_gives_way_to_another_that_is_stated() -> None:
    assert _dates([AHEAD, "2024-05-06"]) == PageDates("2024-05-06", None, None)


def test_utc_gives_way_to_the_same_moment_on_the_publisher_s_clock() -> None:
    time = "<time datetime='2024-05-06T20:15:00-05:00'>Monday</time>"
    assert _dates(["2024-05-07T01:15:00Z"], body=time).published_at == "2024-05-06T20:15:00-05:00"
    other = time.replace("20:15", "21:15")
    assert _dates(["2024-05-07T01:15:00Z"], body=other).published_at == "2024-05-07T01:15:00Z"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("2024-05-06T09:00:00Z", "2024-05-06T09:00:00Z"),
        ("2024-05-06T08:00:00Z", "2024-05-06T08:00:00Z"),
        ("2024-05-06T09:30:00+02:00", None),
        ("2024-05-06", "2024-05-06"),
        ("2024-05-05", None),
        (AHEAD, None),
        ("soon", None),
    ],
)
def test_a_change_is_never_before_the_publication(changed: str, expected: str | None) -> None:
    assert _dates(["2024-05-06T08:00:00Z"], [changed]).modified_at == expected


def test_a_date_that_is_not_stated_is_looked_for() -> None:
    body = "<p class='date'>Published on 6 May 2023</p><p>The bridge is open.</p>"
    assert _dates([], body=body).published_at == "2023-05-06"
    time = "<time class='published' datetime='2023-05-06T08:30:00+01:00'>6 May</time>"
    assert _dates([], body=time).published_at == "2023-05-06T08:30:00+01:00"


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("2024年5月6日", "2024-05-06"),
        ("发布时间：2024年5月6日 08:30 来源：江南日报", "2024-05-06T08:30"),
        ("记者 王明 2024年5月6日星期一", "2024-05-06"),
        ("입력 2024년 5월 6일 08:30 | 수정 2024년 5월 7일 09:00", "2024-05-06T08:30"),
        ("更新：2024年5月7日", None),
        ("2024年5月6日から三日間の祭り", None),
        ("2024年5月6日，小镇开节。", None),
        ("节日定于2024年5月6日举行", None),
        ("2024年5月6日 " + "镇" * 60, None),
        ("The bridge is open", None),
    ],
)
def test_a_day_of_the_far_east_is_read_where_it_stands_alone(line: str, day: str | None) -> None:
    assert day_in_line(line) == day


@pytest.mark.parametrize("body", ["<p>The bridge is open.</p>", "<footer>© 2016 Herald</footer>"])
def test_no_date_is_made_up(body: str) -> None:
    assert _dates([], body=body) == PageDates()
