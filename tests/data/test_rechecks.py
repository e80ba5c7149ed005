from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlite_utils import Migrations

from data.articles import ArticleStore
from data.collections import Collections
from data.database import Database, open_database, scalar
from data.migrations import m001_stories, m002_chunks, m003_origins, m004_web, m005_signatures
from data.models import Attribution
from data.pages import Page
from data.rechecks import LATEST, SOONEST, Recheck, RecheckStore
from data.standing import StandingStore
from tests.data.conftest import draft

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
URL = "https://example.org/a"
PAGE = Page(b"", url=URL, asked_url=URL, etag='"one"', last_modified="Tue, 10 Mar 2026")


@pytest.fixture
def rechecks(db: Database) -> RecheckStore:
    return RecheckStore(db)


def _story(db: Database, text: str = "The mayor spoke.", *, stored: datetime = NOW) -> str:
    """Store a story as if at that time, and return its id."""
    revision = ArticleStore(db).save(draft(text)).revision
    _stored_at(db, revision.id, stored)
    return revision.article_id


def _stored_at(db: Database, revision_id: int, moment: datetime) -> None:
    created_at = moment.isoformat(timespec="seconds")
    db.execute("UPDATE revisions SET created_at = ? WHERE id = ?", [created_at, revision_id])


def _pause(db: Database, article_id: str) -> timedelta:
    """Return how long after the last look the next one comes."""
    checked, following = db.execute(
        "SELECT checked_at, next_check_at FROM pages WHERE article_id = ?", [article_id]
    ).fetchone()
    return datetime.fromisoformat(following) - datetime.fromisoformat(checked)


def test_a_storys_page_is_remembered_with_what_to_send_along(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    found = rechecks.get(article_id)
    assert found is not None
    assert found == rechecks.of_url(URL)
    assert (found.article_id, found.url, found.problem) == (article_id, URL, None)
    assert (found.etag, found.last_modified) == (PAGE.etag, PAGE.last_modified)
    assert (found.checked_at, found.since) == ("2026-03-10T12:00:00+00:00",) * 2


def test_what_came_from_no_address_has_no_page(db: Database, rechecks: RecheckStore) -> None:
    article_id = _story(db)
    rechecks.record(article_id, Page(b"", media_type="text/html"), now=NOW)
    assert rechecks.get(article_id) is None
    assert rechecks.due(limit=9, now=NOW + 10 * LATEST) == []


def test_an_unknown_story_and_address_have_no_page(rechecks: RecheckStore) -> None:
    assert rechecks.get("nothing") is None
    assert rechecks.of_url(URL) is None
    rechecks.checked("nothing", problem="The page is gone.", now=NOW)
    assert rechecks.get("nothing") is None


def test_a_page_that_moved_for_good_is_looked_at_where_it_is_now(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    new = "https://example.org/new"
    rechecks.record(article_id, replace(PAGE, url=new, moved_to=new), now=NOW)
    assert [page.url for page in rechecks.due(limit=1, now=NOW + SOONEST)] == [new]


def test_a_page_that_moved_for_the_moment_is_looked_at_where_it_was(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, replace(PAGE, url="https://cdn.example.net/7"), now=NOW)
    assert [page.url for page in rechecks.due(limit=1, now=NOW + SOONEST)] == [URL]


def _linked(db: Database, url: str, text: str = "The mayor spoke.") -> str:
    return ArticleStore(db).save(draft(text, url=url)).revision.article_id


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://www.example.org/a/",
        f"{URL}?utm_source=feed#top",
        "https://example.org/moved",  # where it was read
    ],
)
def test_a_page_is_found_by_every_address_of_its_story(
    db: Database, rechecks: RecheckStore, url: str
) -> None:
    article_id = _linked(db, URL)
    new = "https://example.org/moved"
    rechecks.record(article_id, replace(PAGE, url=new, moved_to=new), now=NOW)
    _linked(db, "https://example.org/b", "Rain fell.")  # of no page
    found = rechecks.of_url(url)
    assert found is not None
    assert (found.article_id, found.url) == (article_id, new)
    assert rechecks.of_url("https://example.org/b") is None


def test_the_page_that_stands_at_an_address_is_taken_before_a_story_that_names_it(
    db: Database, rechecks: RecheckStore
) -> None:
    """Validators of another page would let a server say that this one is as it was."""
    for order in ("ab", "ba"):
        page = f"https://example.org/{order}"
        ids = {}
        for name in order:
            link = page if name == "b" else f"{page}/original"
            ids[name] = _linked(db, link, f"Story {name} of {order}.")
            asked = page if name == "a" else f"{page}/elsewhere"
            rechecks.record(ids[name], replace(PAGE, asked_url=asked), now=NOW)
        found = rechecks.of_url(page)
        assert found is not None
        assert (found.article_id, found.url) == (ids["a"], page)


def test_a_page_that_was_read_again_has_the_validators_of_that_time_only(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    rechecks.checked(article_id, problem="The server did not answer.", now=NOW)
    rechecks.record(article_id, replace(PAGE, etag='"two"', last_modified=None), now=NOW)
    found = rechecks.get(article_id)
    assert found is not None
    assert (found.etag, found.last_modified, found.problem) == ('"two"', None, None)
    assert scalar(db, "SELECT count(*) FROM pages") == 1


@pytest.mark.parametrize(
    ("unchanged", "pause"),
    [
        (timedelta(0), SOONEST),
        (timedelta(minutes=59), SOONEST),
        (timedelta(hours=5), timedelta(hours=5)),
        (timedelta(days=29), timedelta(days=29)),
        (timedelta(days=31), LATEST),
        (timedelta(days=4000), LATEST),
        (-timedelta(days=2), SOONEST),  # the clock was set back
    ],
)
def test_a_page_is_left_alone_for_as_long_as_it_stood_unchanged(
    db: Database, rechecks: RecheckStore, unchanged: timedelta, pause: timedelta
) -> None:
    article_id = _story(db, stored=NOW - unchanged)
    rechecks.record(article_id, PAGE, now=NOW)
    assert _pause(db, article_id) == pause
    rechecks.checked(article_id, problem=None, now=NOW)
    assert _pause(db, article_id) == pause


@pytest.mark.parametrize("problem", [None, "The server did not answer."])
def test_pauses_grow_from_an_hour_to_a_month_and_no_further(
    db: Database, rechecks: RecheckStore, problem: str | None
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    pauses, moment = [_pause(db, article_id)], NOW
    for _ in range(20):
        moment += pauses[-1]
        assert [page.article_id for page in rechecks.due(limit=9, now=moment)] == [article_id]
        rechecks.checked(article_id, problem=problem, now=moment)
        pauses.append(_pause(db, article_id))
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(hours=1), timedelta(days=30))
    assert all(later <= 2 * sooner for sooner, later in zip(pauses, pauses[1:], strict=False))


def test_a_page_that_changed_is_looked_at_soon_again(db: Database, rechecks: RecheckStore) -> None:
    article_id = _story(db, stored=NOW - timedelta(days=20))
    rechecks.record(article_id, PAGE, now=NOW)
    changed = replace(draft("The mayor spoke again."), article_id=article_id)
    _stored_at(db, ArticleStore(db).save(changed).revision.id, NOW)
    rechecks.record(article_id, PAGE, now=NOW)
    assert _pause(db, article_id) == SOONEST
    found = rechecks.get(article_id)
    assert found is not None
    assert found.since == "2026-03-10T12:00:00+00:00"


def test_a_look_that_brought_nothing_is_remembered_with_its_problem(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id, other = _story(db), _story(db, "Rain fell.")
    rechecks.record(article_id, PAGE, now=NOW)
    rechecks.record(other, replace(PAGE, asked_url="https://example.org/b"), now=NOW)
    untouched = rechecks.get(other)
    later = NOW + timedelta(hours=2)
    rechecks.checked(article_id, problem="The server did not answer.", now=later)
    found = rechecks.get(article_id)
    assert found is not None
    assert found.problem == "The server did not answer."
    assert found.checked_at == "2026-03-10T14:00:00+00:00"
    assert (found.url, found.etag, found.last_modified) == (URL, PAGE.etag, PAGE.last_modified)
    assert rechecks.get(other) == untouched
    rechecks.checked(article_id, problem=None, now=later)
    found = rechecks.get(article_id)
    assert found is not None
    assert found.problem is None


def test_the_pages_that_are_due_come_the_longest_overdue_first(
    db: Database, rechecks: RecheckStore
) -> None:
    ids = []
    for hours in (3, 1, 2, 9):
        ids.append(_story(db, f"Day {hours}.", stored=NOW - timedelta(hours=hours)))
        rechecks.record(ids[-1], replace(PAGE, asked_url=f"{URL}{hours}"), now=NOW)
    three, one, two, _ = ids

    def due(hours: float, limit: int = 9) -> list[str]:
        moment = NOW + timedelta(hours=hours)
        return [page.article_id for page in rechecks.due(limit=limit, now=moment)]

    assert due(0.99) == []
    assert due(1) == [one]  # at that very second
    assert due(3.5) == [one, two, three]
    assert due(3.5, limit=2) == [one, two]


def test_moments_are_compared_whatever_their_time_zone(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db, stored=NOW)
    east = timezone(timedelta(hours=9))
    rechecks.record(article_id, PAGE, now=NOW.astimezone(east))
    assert rechecks.due(limit=1, now=NOW + timedelta(minutes=59)) == []
    assert len(rechecks.due(limit=1, now=(NOW + SOONEST).astimezone(east))) == 1


def test_a_page_goes_with_its_story_and_with_no_other(db: Database, rechecks: RecheckStore) -> None:
    gone, kept = _story(db), _story(db, "Rain fell.")
    rechecks.record(gone, PAGE, now=NOW)
    rechecks.record(kept, replace(PAGE, asked_url="https://example.org/b"), now=NOW)
    ArticleStore(db).remove(gone)
    assert rechecks.get(gone) is None
    assert rechecks.of_url(URL) is None
    assert [page.article_id for page in rechecks.due(limit=9, now=NOW + LATEST)] == [kept]
    assert scalar(db, "SELECT count(*) FROM pages") == 1


def test_the_page_of_a_withdrawn_story_is_still_looked_at_since_it_may_come_back(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    StandingStore(db).withdraw(article_id)
    assert [page.article_id for page in rechecks.due(limit=9, now=NOW + LATEST)] == [article_id]


# --- texts that came from elsewhere


def _found(rechecks: RecheckStore, article_id: str) -> Recheck:
    found = rechecks.get(article_id)
    assert found is not None
    return found


def _due_at(db: Database) -> str:
    return str(scalar(db, "SELECT next_check_at FROM pages"))


def test_a_text_that_was_read_from_its_page_is_known_to_be(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.stands_at(article_id, URL, now=NOW)
    assert not _found(rechecks, article_id).was_read
    rechecks.record(article_id, PAGE, now=NOW)
    assert _found(rechecks, article_id).was_read


@pytest.mark.parametrize("text", ["Another text.", "The mayor spoke."])
def test_what_a_server_said_of_a_page_goes_with_the_text_that_it_was_said_of(
    db: Database, rechecks: RecheckStore, text: str
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    details = replace(draft(text, author="Ann Reed"), article_id=article_id)
    ArticleStore(db).save(details)
    found, same = _found(rechecks, article_id), text == "The mayor spoke."
    assert found.was_read == same
    assert (found.etag, found.last_modified) == (
        (PAGE.etag, PAGE.last_modified) if same else (None, None)
    )


def test_another_text_leaves_the_pages_of_other_stories_alone(
    db: Database, rechecks: RecheckStore
) -> None:
    changed, kept = _story(db), _story(db, "Rain fell.")
    for article_id in (changed, kept):
        rechecks.record(article_id, PAGE, now=NOW)
    ArticleStore(db).save(replace(draft("Another text."), article_id=changed))
    assert _found(rechecks, kept).was_read
    assert _found(rechecks, kept).etag == PAGE.etag


def test_a_page_that_was_not_read_is_looked_at_like_any_other(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.stands_at(article_id, URL, now=NOW)
    found = _found(rechecks, article_id)
    assert (found.url, found.etag, found.last_modified, found.problem) == (URL, None, None, None)
    assert _pause(db, article_id) == SOONEST


def test_where_a_story_stands_may_move_and_does_not_put_off_the_next_look(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.stands_at(article_id, URL, now=NOW)
    due = _due_at(db)
    rechecks.stands_at(article_id, f"{URL}b", now=NOW + timedelta(minutes=50))
    assert (_found(rechecks, article_id).url, _due_at(db)) == (f"{URL}b", due)
    rechecks.checked(article_id, problem=None, now=NOW + timedelta(days=20))
    changed = replace(draft("The mayor spoke again."), article_id=article_id)
    _stored_at(db, ArticleStore(db).save(changed).revision.id, NOW + timedelta(days=21))
    rechecks.stands_at(article_id, URL, now=NOW + timedelta(days=21))
    assert [p.article_id for p in rechecks.due(limit=9, now=NOW + timedelta(days=21, hours=1))]


def test_where_a_story_was_read_is_not_changed_by_where_it_stands_too(
    db: Database, rechecks: RecheckStore
) -> None:
    article_id = _story(db)
    rechecks.record(article_id, PAGE, now=NOW)
    before = _found(rechecks, article_id)
    rechecks.stands_at(article_id, f"{URL}b", now=NOW - timedelta(days=1))
    assert _found(rechecks, article_id) == before
    assert rechecks.due(limit=9, now=NOW) == []


def test_pages_that_are_about_to_be_looked_at_are_due_no_more(
    db: Database, rechecks: RecheckStore
) -> None:
    ids = [_story(db, f"Story {number}.") for number in range(3)]
    for number, article_id in enumerate(ids):
        rechecks.record(article_id, replace(PAGE, asked_url=f"{URL}{number}"), now=NOW)
    before, later = _found(rechecks, ids[0]), NOW + timedelta(hours=2)
    rechecks.postpone(ids[:2], now=later)
    assert [page.article_id for page in rechecks.due(limit=9, now=later)] == ids[2:]
    assert len(rechecks.due(limit=9, now=later + timedelta(hours=2))) == 3
    assert _found(rechecks, ids[0]) == before, "it was not looked at"


# --- addresses


@pytest.mark.parametrize(
    ("url", "is_at"),
    [
        ("https://example.org/new", True),
        ("http://example.org/new/?utm_source=rss#top", True),
        (URL, True),
        ("https://example.org/link", True),
        ("https://example.org/news", False),
    ],
)
def test_a_page_is_known_by_where_it_is_where_it_was_and_its_storys_link(
    db: Database, rechecks: RecheckStore, url: str, is_at: bool
) -> None:
    article_id = _linked(db, "https://example.org/link")
    new = "https://example.org/new"
    rechecks.record(article_id, replace(PAGE, url=new, moved_to=new), now=NOW)
    assert _found(rechecks, article_id).is_at(url) is is_at


def test_stories_are_known_by_an_address_with_and_without_a_page(
    db: Database, rechecks: RecheckStore
) -> None:
    pasted = _linked(db, URL)
    read = _story(db, "Rain fell.")
    rechecks.record(read, replace(PAGE, asked_url=URL), now=NOW)
    theirs = replace(draft("Snow fell."), said=Attribution("Snow", url=URL))
    said = ArticleStore(db).save(theirs).revision.article_id
    _linked(db, f"{URL}b", "Hail fell.")
    assert set(rechecks.stories_at(URL)) == {pasted, read, said}
    assert rechecks.stories_at("https://example.org/nothing") == []


def test_a_page_is_found_by_what_its_story_called_itself(
    db: Database, rechecks: RecheckStore
) -> None:
    """Somebody may have corrected the link here."""
    link = "https://example.org/said"
    theirs = replace(draft("Snow fell."), said=Attribution("Snow", url=link))
    article_id = ArticleStore(db).save(theirs).revision.article_id
    rechecks.record(article_id, PAGE, now=NOW)
    assert rechecks.of_url(link) == _found(rechecks, article_id)


# --- what the version before stored


def test_pages_of_the_version_before_are_asked_for_whole_once(tmp_path: Path) -> None:
    older = Migrations("stories")
    for migration in (m001_stories, m002_chunks, m003_origins, m004_web, m005_signatures):
        older()(migration)
    collection = Collections(tmp_path).get("10")
    collection.folder.mkdir(parents=True)
    with closing(open_database(collection.database_file, older)) as old:
        article_id = _story(old)
        old.execute(
            "INSERT INTO pages VALUES (?, ?, 'e', 'm', ?, ?, NULL)",
            [article_id, URL, NOW.isoformat(), NOW.isoformat()],
        )
    with closing(collection.connect()) as db:
        found = _found(RecheckStore(db), article_id)
        assert (found.url, found.was_read, found.asked_url) == (URL, True, None)
        assert (found.etag, found.last_modified) == (None, None)
        RecheckStore(db).record(article_id, PAGE, now=NOW)
        assert _found(RecheckStore(db), article_id).etag == PAGE.etag
