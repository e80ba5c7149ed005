from dataclasses import replace

import pytest

from data.articles import ArticleStore, SaveStatus
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk
from data.database import Database, integrity_problems, scalar, write
from data.errors import NotFoundError, StorageError, UserError
from data.models import Attribution, Draft, Span
from data.standing import History, StandingStore
from tests.data.conftest import RECIPE, VECTOR, add_chunks, draft, live_build

URL = "https://example.org/a"


@pytest.fixture
def store(db: Database) -> ArticleStore:
    return ArticleStore(db)


@pytest.fixture
def standing(db: Database) -> StandingStore:
    return StandingStore(db)


def test_a_story_stands_until_it_is_withdrawn(store: ArticleStore, standing: StandingStore) -> None:
    article_id = store.save(draft()).revision.article_id
    assert standing.withdrawn_at(article_id) is None
    assert standing.withdraw(article_id)
    since = standing.withdrawn_at(article_id)
    assert since is not None
    assert since.endswith("+00:00")


def test_a_story_is_withdrawn_once(
    store: ArticleStore, standing: StandingStore, db: Database
) -> None:
    article_id = store.save(draft()).revision.article_id
    before = store.generation()
    assert standing.withdraw(article_id)
    db.execute("UPDATE articles SET withdrawn_at = '2026-01-01T00:00:00+00:00'")
    assert not standing.withdraw(article_id)
    assert standing.withdrawn_at(article_id) == "2026-01-01T00:00:00+00:00"
    assert store.generation() == before + 1


def test_what_is_not_here_cannot_be_withdrawn(store: ArticleStore, standing: StandingStore) -> None:
    before = store.generation()
    assert not standing.withdraw("nothing")
    assert standing.withdrawn_at("nothing") is None
    assert standing.removed_at("nothing") is None
    assert standing.history("nothing") == History((), None)
    assert store.generation() == before


def test_withdrawing_takes_a_storys_chunks_out_of_every_build_and_no_others(
    store: ArticleStore, standing: StandingStore, db: Database
) -> None:
    kept = store.save(draft("The mayor stays.")).revision
    gone = store.save(draft("The mayor goes.")).revision
    kept_chunks = add_chunks(db, kept)
    add_chunks(db, gone)
    with write(db):
        previous = BuildStore(db).create(BuildState.PREVIOUS, RECIPE)
        chunk = [NewChunk(Span(0, 3), VECTOR)]
        also_kept = ChunkStore(db).add(previous.id, kept, chunk, searchable=False)
        ChunkStore(db).add(previous.id, gone, chunk, searchable=False)
    standing.withdraw(gone.article_id)
    chunks = ChunkStore(db)
    assert (chunks.ids(live_build(db)), chunks.ids(previous.id)) == (kept_chunks, also_kept)
    assert [chunk_id for chunk_id, _ in chunks.search(["mayor"], 5)] == kept_chunks
    assert chunks.unchunked_revisions(live_build(db)) == []
    assert chunks.fulltext_is_sound()


def test_a_withdrawn_story_stays_as_history(store: ArticleStore, standing: StandingStore) -> None:
    first = store.save(draft("He said yes.", external_id="x")).revision
    second = store.save(draft("He said no.", external_id="x")).revision
    standing.withdraw(first.article_id)
    history = standing.history(first.article_id)
    assert history.revisions == (first, second)
    assert history.withdrawn_at == standing.withdrawn_at(first.article_id)
    assert store.get("x") == second
    assert store.revision(first.id) == first


def test_the_newest_story_is_one_that_stands(store: ArticleStore, standing: StandingStore) -> None:
    old = store.save(draft("Old.", date="2024-01-01")).revision
    new = store.save(draft("New.", date="2025-01-01")).revision
    assert store.newest() == new
    standing.withdraw(new.article_id)
    assert store.newest() == old
    standing.withdraw(old.article_id)
    assert store.newest() is None


@pytest.mark.parametrize("text", ["He said no.", "He said yes."], ids=["same", "changed"])
def test_saving_a_withdrawn_story_again_puts_it_back_as_a_new_revision(
    store: ArticleStore, standing: StandingStore, db: Database, text: str
) -> None:
    before = draft("He said no.", url=URL)
    first = store.save(before).revision
    standing.withdraw(first.article_id)
    again = replace(before, text=text)
    assert store.preview(again) == (SaveStatus.CHANGED, first.attribution)
    saved = store.save(again)
    assert (saved.status, saved.revision.article_id) == (SaveStatus.CHANGED, first.article_id)
    assert (saved.revision.text, saved.revision.id > first.id) == (text, True)
    assert standing.withdrawn_at(first.article_id) is None
    assert standing.history(first.article_id).revisions == (first, saved.revision)
    assert ChunkStore(db).unchunked_revisions(live_build(db)) == [saved.revision.id]
    assert store.save(again).status is SaveStatus.SAME


def test_a_story_that_came_back_can_be_withdrawn_again(
    store: ArticleStore, standing: StandingStore
) -> None:
    article_id = store.save(draft()).revision.article_id
    for _ in range(2):
        assert standing.withdraw(article_id)
        store.save(draft())
    assert len(standing.history(article_id).revisions) == 3


def test_the_details_of_a_withdrawn_story_are_not_changed(
    store: ArticleStore, standing: StandingStore
) -> None:
    first = store.save(draft(external_id="x")).revision
    standing.withdraw(first.article_id)
    before = store.generation()
    for attribution in (Attribution("Another"), first.attribution):
        with pytest.raises(UserError, match="withdrew that story, so nothing in it is changed"):
            store.edit("x", attribution)
    assert (store.revision_count(), store.generation()) == (1, before)


def test_of_a_removed_story_it_is_known_when_and_nothing_else(
    store: ArticleStore, standing: StandingStore, db: Database
) -> None:
    store.save(draft("He said yes.", external_id="x"))
    article_id = store.save(draft("He said no.", external_id="x")).revision.article_id
    assert standing.removed_at(article_id) is None
    store.remove("x")
    since = standing.removed_at(article_id)
    assert since is not None
    assert since.endswith("+00:00")
    assert standing.removed_at("x") is None
    assert standing.history(article_id) == History((), None)
    assert db.execute("SELECT * FROM removals").fetchall() == [(article_id, since)]
    for table in ("articles", "revisions", "external_ids", "said", "pages", "origins"):
        assert scalar(db, f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert integrity_problems(db) == []


def test_a_withdrawn_story_can_be_removed(store: ArticleStore, standing: StandingStore) -> None:
    article_id = store.save(draft()).revision.article_id
    standing.withdraw(article_id)
    store.remove(article_id)
    assert standing.withdrawn_at(article_id) is None
    assert standing.removed_at(article_id) is not None


def test_the_id_of_a_removed_story_is_given_to_no_other(
    store: ArticleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = iter("aaaaaaa" + "aaaaaaa" + "bbbbbbb")
    monkeypatch.setattr("data.articles.secrets.choice", lambda _: next(letters))
    assert store.save(draft("One.")).revision.article_id == "aaaaaaa"
    store.remove("aaaaaaa")
    # An answer that quoted the first one would tell of the second.
    assert store.save(draft("Two.")).revision.article_id == "bbbbbbb"


def test_a_history_with_an_altered_text_is_not_shown(
    store: ArticleStore, standing: StandingStore, db: Database
) -> None:
    first = store.save(draft("He said no.", external_id="x")).revision
    store.save(draft("He said maybe.", external_id="x"))
    db.execute("UPDATE revisions SET text = 'He said yes.' WHERE id = ?", [first.id])
    with pytest.raises(StorageError, match=f"story {first.article_id} was altered"):
        standing.history(first.article_id)


def test_scrubbing_leaves_every_story_as_it_was(
    store: ArticleStore, standing: StandingStore, db: Database
) -> None:
    kept = store.save(draft("The mayor stays.")).revision
    chunk_ids = add_chunks(db, kept)
    gone = store.save(draft("The mayor goes.")).revision
    add_chunks(db, gone)
    store.remove(gone.article_id)
    before = (store.generation(), store.token())
    assert standing.scrub()
    assert (store.generation(), store.token()) == before
    assert store.current() == [kept]
    assert [chunk_id for chunk_id, _ in ChunkStore(db).search(["mayor"], 5)] == chunk_ids
    assert ChunkStore(db).fulltext_is_sound()
    assert integrity_problems(db) == []
    assert standing.scrub()


# --- a draft that names its story


def test_a_draft_that_names_its_story_is_that_story_whatever_else_it_says(
    store: ArticleStore,
) -> None:
    named = store.save(draft("One.", url=URL)).revision
    by_url = store.save(draft("Two.", url=f"{URL}2")).revision
    by_id = store.save(draft("Three.", external_id="x")).revision
    for text, url, external_id in (
        ("Four.", f"{URL}2", None),
        ("Two.", f"{URL}2", None),
        ("Five.", None, "x"),
        ("Six.", "https://example.net/moved", "y"),
    ):
        again = Draft(text, Attribution("T", url=url), external_id, article_id=named.article_id)
        assert store.preview(again)[0] is SaveStatus.CHANGED
        saved = store.save(again)
        assert (saved.status, saved.revision.article_id) == (SaveStatus.CHANGED, named.article_id)
    assert store.get(by_url.article_id) == by_url
    assert store.get("x") == by_id  # an id that names a story goes on naming it
    assert store.get("y").article_id == named.article_id
    assert store.count() == 3


def test_a_draft_that_names_its_story_and_says_the_same_changes_nothing(
    store: ArticleStore,
) -> None:
    first = store.save(draft(url=URL)).revision
    again = store.save(replace(draft(url=URL), article_id=first.article_id))
    assert (again.status, again.revision) == (SaveStatus.SAME, first)


def test_a_draft_of_a_story_that_was_removed_meanwhile_is_not_stored(
    store: ArticleStore,
) -> None:
    removed = store.save(draft(url=URL, external_id="x")).revision
    other = store.save(draft("Other.", url=URL, external_id="y")).revision
    store.remove(removed.article_id)
    again = replace(draft(url=URL, external_id="y"), article_id=removed.article_id)
    with pytest.raises(NotFoundError, match="removed in the meantime"):
        store.preview(again)
    with pytest.raises(NotFoundError, match="removed in the meantime"):
        store.save(again)
    assert store.current() == [other]


def test_a_story_is_named_by_its_own_id_only(store: ArticleStore) -> None:
    store.save(draft(external_id="x"))
    with pytest.raises(NotFoundError):
        store.save(replace(draft("Other."), article_id="x"))


def test_when_the_publisher_changed_a_story_is_kept_with_each_revision(
    store: ArticleStore,
) -> None:
    first = store.save(replace(draft("One.", url=URL), modified_at="2026-03-10T08:00:00Z")).revision
    second = store.save(replace(draft("Two.", url=URL), modified_at="2026-03-11")).revision
    third = store.save(draft("Three.", url=URL)).revision
    found = [store.revision(r.id).modified_at for r in (first, second, third)]
    assert found == ["2026-03-10T08:00:00Z", "2026-03-11", None]
    # A date that was moved makes no version by itself.
    moved = replace(draft("Three.", url=URL), modified_at="2026-03-12")
    assert store.save(moved).status is SaveStatus.SAME
