import os
from pathlib import Path

import pytest

from benchmarks.extraction import Match, matched, measure, scores

DATA = Path(os.environ.get("PULLQUOTE_EVAL", ""))


def test_shingles_are_four_tokens_and_counted_as_often_as_they_occur() -> None:
    # abcd bcde | abcd abcd -> common abcd, extra abcd, missing bcde
    assert matched("a b c d e", "a b c d. A, a b c d") == Match(1 / 7, 5 / 7, 1 / 7)
    assert matched("one two", "One two") == Match(0, 0.5, 0.5)
    assert matched("one two", "one, two!") == Match(1, 0, 0)
    assert matched("", "") == Match(0, 0, 0)


def test_pages_weigh_the_same_and_empty_ones_count_where_they_can() -> None:
    found = scores([Match(1, 0, 0), Match(0.5, 0.5, 0), Match(0, 0, 1)])
    assert found["precision"] == pytest.approx(0.75)  # of the two pages with a text
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 * 0.75 * (2 / 3) / (0.75 + 2 / 3))


@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "article_extraction").is_dir(), reason="$PULLQUOTE_EVAL names no folder with pages"
)
def test_stories_and_days_come_out_no_worse_than_from_the_libraries_alone() -> None:
    figures = measure(DATA)
    assert figures["f1"] >= 0.975
    assert figures["f1"] >= max(figures["plain_f1"], figures["default_f1"])
    assert figures["stories_flagged"] <= 1  # one of them is cut by its publisher, and says so
    assert figures["dates_right"] >= figures["plain_dates_right"]
    assert figures["dates_given"] <= figures["dates"]
