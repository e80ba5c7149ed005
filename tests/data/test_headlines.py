from dataclasses import replace

import pytest

from data.articles import ArticleStore
from data.database import Database
from data.headlines import HeadlineStore
from data.models import Attribution
from tests.data.conftest import draft


def add(db: Database, title: str, **details: str) -> str:
    """Store a story and return its id."""
    return ArticleStore(db).save(draft(f"Of {title}.", title=title, **details)).revision.article_id


def titles(db: Database, matching: str = "", *, limit: int = 25, offset: int = 0) -> list[str]:
    found = HeadlineStore(db).page(limit=limit, offset=offset, matching=matching)
    return [headline.attribution.title for headline in found]


def test_a_headline_is_what_is_known_of_a_story_but_its_text(db: Database) -> None:
    article_id = add(
        db,
        "Bridge opened",
        source="Herald",
        author="Bo Ek",
        date="2024-10-25",
        url="https://example.org/a",
    )
    [found] = HeadlineStore(db).page(limit=5)
    assert (found.article_id, found.collection) == (article_id, "shared")
    assert found.attribution == Attribution(
        "Bridge opened", "Herald", "Bo Ek", "2024-10-25", "https://example.org/a"
    )


def test_nothing_is_listed_where_nothing_is(db: Database) -> None:
    assert titles(db) == []
    assert HeadlineStore(db).count() == 0


def test_the_newest_come_first_and_unknown_dates_last(db: Database) -> None:
    add(db, "unknown")
    for title, date in (
        ("day", "2024-10-25"),
        ("later that day", "2024-10-25T18:00:00"),
        ("year", "2025"),
        ("month", "2024-11"),
        ("old", "1999-01-01"),
    ):
        add(db, title, date=date)
    assert titles(db) == ["year", "month", "later that day", "day", "old", "unknown"]


def test_pages_follow_each_other_without_gap_or_overlap(db: Database) -> None:
    for day in range(1, 8):
        add(db, f"Story {day}", date=f"2024-10-0{day}")
    pages = [titles(db, limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [title for page in pages for title in page] == [f"Story {d}" for d in range(7, 0, -1)]
    assert pages[3] == []
    assert HeadlineStore(db).count() == 7


def test_only_the_current_version_is_listed(db: Database) -> None:
    articles = ArticleStore(db)
    revision = articles.save(draft(title="Old title")).revision
    articles.edit(revision.article_id, replace(revision.attribution, title="New title"))
    assert titles(db) == ["New title"]
    assert titles(db, "old") == []
    assert HeadlineStore(db).count() == 1
    articles.remove(revision.article_id)
    assert titles(db) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bridge", ["Bridge opened"]),
        ("RIDGE OP", ["Bridge opened"]),
        ("herald", ["Bridge opened"]),
        ("straße", ["Die STRASSE"]),
        ("É", ["Café closed"]),
        ("100%", ["100% sure"]),
        ("_", ["snake_case"]),
        ("opened bridge", []),
        ("' OR 1=1 --", []),
        ("", ["100% sure", "Bridge opened", "Café closed", "Die STRASSE", "snake_case"]),
    ],
)
def test_titles_and_publishers_are_searched_in_any_case_and_literally(
    db: Database, words: str, found: list[str]
) -> None:
    add(db, "Bridge opened", source="The Herald")
    for title in ("Café closed", "Die STRASSE", "100% sure", "snake_case"):
        add(db, title)
    assert sorted(titles(db, words)) == found


def test_an_id_finds_its_story_in_full_alone(db: Database) -> None:
    ours = add(db, "Ours")
    draft_of_theirs = replace(draft(title="Theirs"), external_id="story-17")
    ArticleStore(db).save(draft_of_theirs)
    assert titles(db, ours) == ["Ours"]
    assert titles(db, "story-17") == ["Theirs"]
    assert titles(db, "story-1") == []


def test_an_id_of_capitals_finds_its_story_too(db: Database) -> None:
    ArticleStore(db).save(replace(draft(title="Theirs"), external_id="AP-17"))
    assert titles(db, "AP-17") == ["Theirs"]


def test_a_story_of_two_external_ids_is_listed_once(db: Database) -> None:
    articles = ArticleStore(db)
    first = replace(draft(title="One", url="https://example.org/a"), external_id="a")
    articles.save(first)
    articles.save(replace(first, external_id="b"))
    assert len(titles(db)) == HeadlineStore(db).count()
