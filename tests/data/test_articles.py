from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.articles import ArticleStore, SaveStatus
from data.chunks import ChunkStore
from data.collections import Collections
from data.database import Database, integrity_problems, scalar, write
from data.errors import NotFoundError, StorageError
from data.models import Attribution, Draft, Filters, normalise
from data.soundness import Soundness
from tests.data.conftest import add_chunks, draft, live_build

NEW, CHANGED, SAME = SaveStatus.NEW, SaveStatus.CHANGED, SaveStatus.SAME
URL = "https://example.org/a"


@pytest.fixture
def store(db: Database) -> ArticleStore:
    return ArticleStore(db)


def _count(db: Database, table: str) -> int:
    return int(scalar(db, f"SELECT count(*) FROM {table}"))  # noqa: S608


def test_a_new_story_is_stored_with_all_that_is_known(store: ArticleStore) -> None:
    given_draft = draft(
        "He said no.", source="Herald", author="A. Lee", date="2024-10", url=URL, external_id="x-1"
    )
    saved = store.save(given_draft)
    revision = store.get(saved.revision.article_id)
    assert saved.status is NEW
    assert revision == saved.revision
    assert (revision.text, revision.attribution) == (given_draft.text, given_draft.attribution)
    assert revision.external_id == "x-1"


def test_public_ids_are_short_and_leave_out_letters_that_are_mistaken(store: ArticleStore) -> None:
    ids = {store.save(draft(f"Story {i}.")).revision.article_id for i in range(50)}
    assert len(ids) == 50
    assert all(len(article_id) == 7 for article_id in ids)
    assert not set("".join(ids)) & set("ilo01ABCXYZ")


def test_the_same_story_again_changes_nothing(store: ArticleStore) -> None:
    known = draft(source="Herald", date="2024-10-25", url=URL, external_id="x-1")
    first = store.save(known)
    generation = store.generation()
    again = store.save(known)
    assert (again.status, again.revision) == (SAME, first.revision)
    assert (store.count(), store.revision_count(), store.generation()) == (1, 1, generation)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # A known external id is that story, wherever it stands now.
        ({"external_id": "x"}, {"external_id": "x", "text": "Other."}, CHANGED),
        ({"external_id": "x", "url": URL}, {"external_id": "x", "url": URL + "2"}, CHANGED),
        ({"external_id": "x"}, {"external_id": "x", "source": "Herald"}, CHANGED),
        # A known URL is that story, in any of its forms ...
        ({"url": URL}, {"url": URL, "text": "Other."}, CHANGED),
        ({"url": URL}, {"url": "http://www.example.org/a/?utm_source=x", "text": "O."}, CHANGED),
        ({"url": URL}, {"url": URL, "external_id": "x", "text": "Other."}, CHANGED),
        ({"url": URL, "external_id": "x"}, {"url": URL, "text": "Other."}, CHANGED),
        # ... unless both have external ids and these differ.
        ({"url": URL, "external_id": "x"}, {"url": URL, "external_id": "y", "text": "O."}, NEW),
        # The same text is that story only from the same publisher at the same URL.
        ({}, {}, SAME),
        ({"source": "Herald"}, {"source": "Herald"}, SAME),
        ({"source": "Herald"}, {"source": "Herald", "author": "A. Lee"}, CHANGED),
        ({"source": "Herald"}, {"source": "Post"}, NEW),
        ({"source": "Herald"}, {"source": None}, NEW),
        ({"source": "Herald", "url": URL}, {"source": "Herald", "url": URL + "2"}, NEW),
        ({"source": "Herald"}, {"source": "Herald", "text": "Other."}, NEW),
        ({}, {"text": "The mayor opened the bridge. "}, NEW),  # a space is a difference
    ],
)
def test_a_draft_is_a_known_story_by_id_then_url_then_text(
    store: ArticleStore,
    before: dict[str, str],
    after: dict[str, str],
    expected: SaveStatus,
) -> None:
    first = store.save(draft(**before)).revision
    previewed = store.preview(draft(**after))
    second = store.save(draft(**after))
    assert second.status is expected
    assert previewed == (expected, second.revision.attribution)
    assert (second.revision.article_id == first.article_id) is (expected is not NEW)


def test_previewing_stores_nothing(store: ArticleStore) -> None:
    store.save(draft(url=URL))
    generation = store.generation()
    assert store.preview(draft("Other.", url=URL))[0] is CHANGED
    assert store.preview(draft("Third."))[0] is NEW
    assert (store.revision_count(), store.generation()) == (1, generation)


def test_an_external_id_wins_over_the_url_of_another_story(store: ArticleStore) -> None:
    by_id = store.save(draft("One.", external_id="x")).revision
    store.save(draft("Two.", url=URL))
    saved = store.save(draft("Three.", external_id="x", url=URL))
    assert (saved.status, saved.revision.article_id) == (CHANGED, by_id.article_id)


def test_a_url_that_two_stories_share_is_the_one_added_last(
    store: ArticleStore, db: Database
) -> None:
    last = store.save(draft("One.", url=URL, external_id="x")).revision
    store.save(draft("Two.", url=URL, external_id="y"))
    db.execute(
        "UPDATE articles SET added_at = '2999-01-01T00:00:00+00:00' WHERE id = ?", [last.article_id]
    )
    assert store.save(draft("Three.", url=URL)).revision.article_id == last.article_id


def test_a_story_is_found_by_its_external_id_too(store: ArticleStore) -> None:
    revision = store.save(draft(external_id="wire/2024-17")).revision
    assert store.get("wire/2024-17") == revision


def test_a_story_without_an_external_id_learns_one_later(store: ArticleStore) -> None:
    store.save(draft(url=URL))
    saved = store.save(draft(url=URL, external_id="x"))
    assert (saved.status, saved.revision.external_id) == (SAME, "x")
    assert store.get("x") == saved.revision


def test_a_second_external_id_names_the_story_and_the_first_one_is_shown(
    store: ArticleStore,
) -> None:
    store.save(draft(source="Herald", url=URL, external_id="x"))
    saved = store.save(draft(source="Herald", url=URL, external_id="y"))
    assert (saved.status, saved.revision.external_id) == (SAME, "x")
    assert store.get("y") == store.get("x")
    assert store.current() == [saved.revision]  # once, whatever it is called
    assert store.save(draft("Other.", external_id="y")).status is CHANGED


def test_what_a_draft_does_not_know_erases_nothing(store: ArticleStore) -> None:
    full = draft(source="Herald", author="A. Lee", date="2024-10-25", url=URL, external_id="x")
    store.save(full)
    assert store.save(draft(title=None, external_id="x")).status is SAME
    changed = store.save(draft("Other.", title=None, external_id="x"))
    assert changed.status is CHANGED
    assert changed.revision.attribution == full.attribution


def test_what_a_draft_knows_replaces_what_was_known(store: ArticleStore) -> None:
    store.save(draft(source="Herald", author="A. Lee", date="2024-10", external_id="x"))
    newer = draft(
        title="New", source="Post", author="B. Ray", date="2024-10-25", url=URL, external_id="x"
    )
    assert store.save(newer).revision.attribution == newer.attribution


def test_earlier_revisions_stay_as_they_were(store: ArticleStore) -> None:
    first = store.save(draft("He said yes.", external_id="x")).revision
    second = store.save(draft("He said no.", external_id="x")).revision
    assert store.revision(first.id) == first
    assert store.get("x") == second
    assert store.revisions([first.id, second.id, 999]) == {first.id: first, second.id: second}
    assert (store.count(), store.revision_count()) == (1, 2)


def test_many_revisions_are_read_at_once(store: ArticleStore, db: Database) -> None:
    with write(db):
        saved = [store.save(draft(f"Story {i}.")).revision for i in range(501)]
    assert store.revisions(r.id for r in saved) == {r.id: r for r in saved}


def test_a_new_revision_removes_the_chunks_and_full_text_rows_of_the_old_one(
    store: ArticleStore, db: Database
) -> None:
    old = store.save(draft("The mayor spoke.", external_id="x")).revision
    add_chunks(db, old)
    other = add_chunks(db, store.save(draft("The mayor of another town.")).revision)
    new = store.save(draft("The minister spoke.", external_id="x")).revision
    chunks = ChunkStore(db)
    assert chunks.ids(live_build(db)) == other
    assert [chunk_id for chunk_id, _ in chunks.search(["mayor"], 5)] == other
    assert chunks.unchunked_revisions(live_build(db)) == [new.id]
    assert chunks.fulltext_is_sound()


def test_the_same_story_again_keeps_its_chunks(store: ArticleStore, db: Database) -> None:
    chunk_ids = add_chunks(db, store.save(draft()).revision)
    store.save(draft())
    assert ChunkStore(db).ids(live_build(db)) == chunk_ids


def test_editing_gives_the_same_text_another_attribution(store: ArticleStore) -> None:
    first = store.save(draft(source="Herald", author="A. Lee", external_id="x")).revision
    corrected = Attribution("New title", "Post", None, "2024-10", URL)
    edited = store.edit(first.article_id, corrected)
    assert edited.status is CHANGED
    assert edited.revision == store.get("x")
    assert (edited.revision.text, edited.revision.attribution) == (first.text, corrected)
    assert store.revision(first.id) == first


def test_editing_can_make_a_field_unknown_and_to_the_same_is_no_change(
    store: ArticleStore,
) -> None:
    first = store.save(draft(source="Herald")).revision
    generation = store.generation()
    assert store.edit(first.article_id, first.attribution).status is SAME
    assert store.generation() == generation
    unknown = store.edit(first.article_id, replace(first.attribution, source=None))
    assert unknown.revision.attribution.source is None


def test_an_edited_url_is_the_one_by_which_the_story_is_known(store: ArticleStore) -> None:
    first = store.save(draft(url=URL)).revision
    store.edit(first.article_id, replace(first.attribution, url="https://example.org/b"))
    assert store.save(draft("Other.", url="https://example.org/b")).status is CHANGED
    assert store.save(draft("Third.", url=URL)).status is NEW


def test_removing_a_story_removes_everything_of_it_and_nothing_else(
    store: ArticleStore, db: Database
) -> None:
    kept = store.save(draft("The mayor stays.", external_id="y")).revision
    kept_chunks = add_chunks(db, kept)
    store.save(draft("The mayor spoke.", external_id="x"))
    current = store.save(draft("The mayor spoke again.", external_id="x")).revision
    add_chunks(db, current)
    assert store.remove("x") == current
    assert store.current() == [kept]
    tables = ("articles", "revisions", "external_ids", "chunks", "chunks_fts")
    assert [_count(db, table) for table in tables] == [1, 1, 1, 1, 1]
    assert [chunk_id for chunk_id, _ in ChunkStore(db).search(["mayor"], 5)] == kept_chunks
    assert integrity_problems(db) == []


def test_a_removed_story_can_be_added_again_as_a_new_one(store: ArticleStore) -> None:
    first = store.save(draft(external_id="x")).revision
    store.remove(first.article_id)
    again = store.save(draft(external_id="x"))
    assert again.status is NEW
    assert again.revision.id > first.id  # ids are never used twice


def test_refuses_ids_that_are_not_here(store: ArticleStore) -> None:
    generation = store.generation()
    for action in (store.get, store.remove):
        with pytest.raises(NotFoundError, match="no story with the id 'nothere' here"):
            action("nothere")
    with pytest.raises(NotFoundError, match="no story with the id"):
        store.edit("nothere", Attribution("T"))
    with pytest.raises(NotFoundError, match="no longer stored"):
        store.revision(1)
    assert store.generation() == generation


def test_each_change_raises_the_generation_by_one(store: ArticleStore) -> None:
    start = store.generation()
    seen = []
    revision = store.save(draft(external_id="x")).revision
    seen.append(store.generation())
    store.save(draft("Other.", external_id="x"))
    seen.append(store.generation())
    store.edit("x", Attribution("New title"))
    seen.append(store.generation())
    store.remove(revision.article_id)
    seen.append(store.generation())
    assert seen == [start + 1, start + 2, start + 3, start + 4]


def test_another_connection_sees_the_change_and_its_generation(
    store: ArticleStore, tmp_path: Path
) -> None:
    with closing(Collections(tmp_path).get("shared").connect()) as db:
        before = ArticleStore(db).generation()
        saved = store.save(draft())
        assert ArticleStore(db).generation() == before + 1
        assert ArticleStore(db).current() == [saved.revision]


def test_several_saves_in_one_transaction_are_kept_or_lost_together(
    store: ArticleStore, db: Database
) -> None:
    generation = store.generation()
    with pytest.raises(ValueError, match="stop"), write(db):
        store.save(draft("One."))
        store.save(draft("Two.", external_id="x"))
        raise ValueError("stop")
    assert (store.count(), store.revision_count(), store.generation()) == (0, 0, generation)


def test_lists_the_newest_story_first_and_unknown_dates_last(store: ArticleStore) -> None:
    for title, date in (
        ("unknown", None),
        ("month", "2024-10"),  # it may be as late as the 31st
        ("evening", "2024-10-25T18:00:00"),
        ("morning", "2024-10-25T09:00:00"),
        ("year", "2023"),
    ):
        store.save(draft(f"{title}.", title=title, date=date))
    titles = [revision.attribution.title for revision in store.current()]
    assert titles == ["month", "evening", "morning", "year", "unknown"]
    newest = store.newest()
    assert newest is not None
    assert newest.attribution.title == "month"


def test_there_is_no_newest_story_where_no_date_is_known(store: ArticleStore) -> None:
    assert store.newest() is None
    store.save(draft())
    assert store.newest() is None


def test_lists_each_publisher_of_the_current_revisions_once(store: ArticleStore) -> None:
    first = store.save(draft("One.", source="Gazette")).revision
    for text, source in (("Two.", "herald"), ("Three.", "Post"), ("Four.", "Post"), ("5.", None)):
        store.save(draft(text, source=source))
    store.edit(first.article_id, replace(first.attribution, source="Bugle"))
    assert store.sources() == ["Bugle", "herald", "Post"]


def test_a_text_that_was_altered_in_the_database_is_never_returned(
    store: ArticleStore, db: Database
) -> None:
    sound = store.save(draft("He said maybe.")).revision
    bad = store.save(draft("He said no.", external_id="x")).revision
    assert Soundness(store._db).altered_revisions() == []
    db.execute("UPDATE revisions SET text = 'He said yes.' WHERE id = ?", [bad.id])
    assert Soundness(store._db).altered_revisions() == [bad.id]
    altered = pytest.raises(StorageError, match=f"story {bad.article_id} was altered")
    with altered:
        store.get("x")
    with altered:
        store.revision(bad.id)
    assert store.get(sound.article_id) == sound
    assert store.revisions([sound.id, bad.id]) == {sound.id: sound}
    assert store.current() == [sound]


@pytest.mark.parametrize("again", [True, False])
def test_a_story_whose_text_was_altered_can_be_added_again_and_removed(
    store: ArticleStore, db: Database, again: bool
) -> None:
    bad = store.save(draft("He said no.", external_id="x")).revision
    db.execute("UPDATE revisions SET text = 'He said yes.' WHERE id = ?", [bad.id])
    if again:
        saved = store.save(draft("He said no.", external_id="x"))
        assert (saved.status, store.get("x").text) == (SaveStatus.CHANGED, "He said no.")
    else:
        assert store.remove("x").article_id == bad.article_id
        assert store.count() == 0


def test_a_story_without_a_current_revision_of_its_own_is_found(
    store: ArticleStore, db: Database
) -> None:
    one = store.save(draft("One.")).revision
    two = store.save(draft("Two.")).revision
    assert Soundness(store._db).broken_articles() == []
    db.execute("UPDATE articles SET revision_id = ? WHERE id = ?", [two.id, one.article_id])
    assert Soundness(store._db).broken_articles() == [one.article_id]
    db.execute("UPDATE articles SET revision_id = NULL")
    assert Soundness(store._db).broken_articles() == sorted([one.article_id, two.article_id])


def test_what_looks_like_sql_is_stored_as_text(store: ArticleStore) -> None:
    text = "x'); DROP TABLE articles; --"
    saved = store.save(draft(text, title=text, source=text, external_id=text))
    assert store.get(text) == saved.revision
    assert saved.revision.text == text


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).map(
        normalise
    )
)
def test_every_text_comes_back_as_it_was_stored(store: ArticleStore, text: str) -> None:
    saved = store.save(Draft(text, Attribution("T"))).revision
    assert store.revision(saved.id).text == text


def test_a_month_filter_follows_the_corrected_date(store: ArticleStore, db: Database) -> None:
    first = store.save(draft(date="2023-01")).revision
    edited = store.edit(first.article_id, replace(first.attribution, published_at="2024-02"))
    chunk_ids = add_chunks(db, edited.revision)
    matching = ChunkStore(db).matching_ids(live_build(db), Filters(after="2024-02-29"))
    assert matching == chunk_ids
