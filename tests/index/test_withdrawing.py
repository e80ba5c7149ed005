"""Stories that their publisher took back; a collection of the version before, which knew none."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Migrations

from data.articles import SaveStatus
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk
from data.collections import Collections
from data.database import open_database, scalar, write
from data.errors import NotFoundError, UserError
from data.ingestion import Row
from data.migrations import m001_stories, m002_chunks, m003_origins
from data.models import Attribution, Filters, Revision, Span, text_hash
from data.standing import StandingStore
from index.models import Reason
from index.preparation import encoded_text, recipe_of
from index.vectors import VectorIndex
from tests.fakes import HashEncoder, Wiring, story, wire

MAYOR = story("The mayor opened the bridge.", title="Bridge", date="2025-03-01", external_id="m")
FERRY = story("The ferry ran aground. Nobody was hurt.", title="Ferry", date="2025-02-01")
RAIN = story("Rain fell all day.", title="Rain", date="2025-01-01", external_id="r")
QUESTION = "Who opened the bridge?"


@pytest.fixture
def withdrawn(services: Wiring) -> Revision:
    """The revision of a story that was withdrawn beside two that stand."""
    for draft in (MAYOR, FERRY, RAIN):
        services.indexer.add(draft)
    revision = services.articles.get("m")
    assert _quotes(services, QUESTION) == [MAYOR.text]
    assert services.indexer.withdraw(revision.article_id)
    return revision


def _quotes(services: Wiring, question: str) -> list[str]:
    return [citation.quote for citation in services.answerer.answer(question).citations]


def _titles(services: Wiring, question: str = "mayor bridge ferry rain") -> set[str]:
    found = services.retriever.retrieve(question, top_k=100)
    return {passage.revision.attribution.title for passage in found}


def _check_it_is_out(services: Wiring, revision: Revision) -> None:
    """Check that it is nowhere to be found, is history all the same, and that all is in order."""
    assert _titles(services) == {"Ferry", "Rain"}
    filters = Filters(article=revision.article_id)
    assert services.retriever.retrieve(QUESTION, filters=filters) == []
    for asked in (None, filters):
        answer = services.answerer.answer(QUESTION, asked)
        assert MAYOR.text not in [citation.quote for citation in answer.citations]
        assert revision.article_id not in [nearest.article_id for nearest in answer.nearest]
        assert answer.newest is None or answer.newest.attribution.title == "Ferry"
    assert StandingStore(services.db).history(revision.article_id).revisions[0] == revision
    rows = services.db.execute(
        "SELECT count(*) FROM chunks c JOIN revisions r ON r.id = c.revision_id"
        " WHERE r.article_id = ?",
        [revision.article_id],
    )
    assert rows.fetchone() == (0,)
    report = services.verifier.verify(deep=True)
    assert (report.problems, report.notes) == ((), ())


def test_a_withdrawn_story_is_quoted_no_longer_and_the_others_are(
    services: Wiring, withdrawn: Revision
) -> None:
    _check_it_is_out(services, withdrawn)
    assert _quotes(services, "Where did the ferry run aground?") == ["The ferry ran aground."]


def test_a_withdrawn_story_leaves_the_index_file_and_every_other_process(
    services: Wiring, other: Wiring
) -> None:
    services.indexer.add(MAYOR)
    services.indexer.add(RAIN)
    assert _titles(other) == {"Bridge", "Rain"}
    services.indexer.withdraw(services.articles.get("m").article_id)
    assert len(VectorIndex.load(services.collection.index_file)[0]) == 1
    assert _titles(other) == {"Rain"}
    assert other.verifier.verify(deep=True).clean


def test_withdrawing_is_done_once_and_to_what_is_here(
    services: Wiring, withdrawn: Revision
) -> None:
    generation = services.articles.generation()
    assert not services.indexer.withdraw(withdrawn.article_id)
    assert not services.indexer.withdraw("nothing")
    assert services.articles.generation() == generation


def test_where_every_story_is_withdrawn_nothing_is_answered(services: Wiring) -> None:
    article_id = services.indexer.add(MAYOR).revision.article_id
    services.indexer.withdraw(article_id)
    answer = services.answerer.answer(QUESTION)
    assert (answer.citations, answer.nearest, answer.newest) == ((), (), None)
    assert answer.reason in (Reason.NO_PASSAGE, Reason.EMPTY_COLLECTION)
    assert services.verifier.verify(deep=True).clean
    services.indexer.rebuild()
    assert services.verifier.verify(deep=True).clean


def _rebuilt(services: Wiring) -> None:
    services.indexer.rebuild()


def _rebuilt_with_another(services: Wiring) -> None:
    services.indexer.rebuild(encoder="other", rechunk=True)


def _undone(services: Wiring) -> None:
    services.indexer.rebuild()
    services.indexer.undo()


@pytest.mark.parametrize("action", [_rebuilt, _rebuilt_with_another, _undone])
def test_a_rebuild_and_its_undo_leave_a_withdrawn_story_out(
    services: Wiring, withdrawn: Revision, action: Callable[[Wiring], None]
) -> None:
    action(services)
    _check_it_is_out(services, withdrawn)


def test_a_story_that_was_withdrawn_since_the_build_before_is_left_out_of_it(
    services: Wiring,
) -> None:
    for draft in (MAYOR, FERRY, RAIN):
        services.indexer.add(draft)
    services.indexer.rebuild(encoder="other")
    revision = services.articles.get("m")
    services.indexer.withdraw(revision.article_id)
    services.indexer.undo()
    _check_it_is_out(services, revision)
    services.indexer.undo()
    _check_it_is_out(services, revision)


@pytest.mark.parametrize("moment", ["while it is encoded", "after its batch"])
def test_a_story_that_is_withdrawn_during_a_rebuild_is_left_out(
    services: Wiring, other: Wiring, moment: str
) -> None:
    for draft in (MAYOR, FERRY, RAIN):
        services.indexer.add(draft)
    revision = services.articles.get("m")
    waiting = [revision.article_id]

    def withdraw(*_: int) -> None:
        if waiting:
            other.indexer.withdraw(waiting.pop())

    if moment == "after its batch":
        services.indexer.rebuild(on_progress=withdraw)
    else:
        services.encoder.before_encoding = withdraw
        services.indexer.rebuild()
        services.encoder.before_encoding = None
    _check_it_is_out(services, revision)


def test_a_story_that_is_withdrawn_while_its_next_version_is_encoded_is_back_with_it(
    services: Wiring, other: Wiring
) -> None:
    article_id = services.indexer.add(MAYOR).revision.article_id
    waiting = [article_id]

    def withdraw(*_: int) -> None:
        if waiting:
            other.indexer.withdraw(waiting.pop())

    services.encoder.before_encoding = withdraw
    changed = replace(MAYOR, text="The mayor closed the tunnel.")
    assert services.indexer.add(changed).status is SaveStatus.CHANGED
    services.encoder.before_encoding = None
    assert _quotes(services, "Who closed the tunnel?") == [changed.text]
    assert services.verifier.verify(deep=True).clean


def test_the_same_story_that_is_withdrawn_as_it_is_looked_up_comes_back_whole(
    services: Wiring, other: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found to be the same is not encoded, and has to be when it is stored."""
    article_id = services.indexer.add(MAYOR).revision.article_id
    preview = services.indexer._articles.preview

    def preview_and_withdraw(*arguments: object) -> object:
        found = preview(*arguments)  # type: ignore[arg-type]
        other.indexer.withdraw(article_id)
        return found

    monkeypatch.setattr(services.indexer._articles, "preview", preview_and_withdraw)
    assert services.indexer.add(MAYOR).status is SaveStatus.CHANGED
    assert _quotes(services, QUESTION) == [MAYOR.text]
    assert services.verifier.verify(deep=True).clean


@pytest.mark.parametrize(
    "draft",
    [MAYOR, replace(MAYOR, text="The mayor opened the bridge again.")],
    ids=["the same", "changed"],
)
@pytest.mark.parametrize("rebuilt", [False, True])
def test_saving_a_withdrawn_story_again_puts_it_back(
    services: Wiring, withdrawn: Revision, draft: object, rebuilt: bool
) -> None:
    assert isinstance(draft, type(MAYOR))
    if rebuilt:
        services.indexer.rebuild(encoder="other")
    saved = services.indexer.add(draft)
    assert saved.status is SaveStatus.CHANGED
    assert saved.revision.article_id == withdrawn.article_id
    assert saved.revision.id > withdrawn.id
    assert _quotes(services, QUESTION) == [draft.text]
    assert services.articles.newest() == saved.revision
    history = StandingStore(services.db).history(withdrawn.article_id)
    assert history.revisions == (withdrawn, saved.revision)
    assert history.withdrawn_at is None
    assert services.verifier.verify(deep=True).clean
    assert services.indexer.add(draft).status is SaveStatus.SAME
    if rebuilt:
        services.indexer.undo()
        assert _quotes(services, QUESTION) == [draft.text]
        assert services.verifier.verify(deep=True).clean


def test_an_import_puts_a_withdrawn_story_back_too(services: Wiring, withdrawn: Revision) -> None:
    (outcome,) = services.indexer.add_rows([Row(1, 9, MAYOR, None)])
    assert outcome.saved is not None
    assert outcome.saved.revision.article_id == withdrawn.article_id
    assert _quotes(services, QUESTION) == [MAYOR.text]


def test_the_details_of_a_withdrawn_story_are_not_changed(
    services: Wiring, withdrawn: Revision
) -> None:
    with pytest.raises(UserError, match="^Its publisher withdrew that story, so nothing in it is"):
        services.indexer.edit("m", Attribution("Another"))
    _check_it_is_out(services, withdrawn)


def test_a_withdrawn_story_can_be_removed(services: Wiring, withdrawn: Revision) -> None:
    assert services.indexer.remove(withdrawn.article_id) == withdrawn
    assert StandingStore(services.db).removed_at(withdrawn.article_id) is not None
    assert _titles(services) == {"Ferry", "Rain"}
    assert services.verifier.verify(deep=True).clean
    again = services.indexer.add(MAYOR)
    assert again.status is SaveStatus.NEW
    assert again.revision.article_id != withdrawn.article_id


def test_a_draft_of_a_story_that_was_removed_meanwhile_is_not_stored(services: Wiring) -> None:
    revision = services.indexer.add(MAYOR).revision
    services.indexer.remove(revision.article_id)
    with pytest.raises(NotFoundError, match="removed in the meantime"):
        services.indexer.add(replace(MAYOR, article_id=revision.article_id))
    assert services.articles.count() == 0


def test_a_story_that_is_removed_while_its_next_version_is_encoded_does_not_come_back(
    services: Wiring, other: Wiring
) -> None:
    revision = services.indexer.add(MAYOR).revision
    waiting = [revision.article_id]

    def remove(*_: int) -> None:
        if waiting:
            other.indexer.remove(waiting.pop())

    services.encoder.before_encoding = remove
    changed = replace(MAYOR, text="Other.", external_id=None, article_id=revision.article_id)
    with pytest.raises(NotFoundError, match="removed in the meantime"):
        services.indexer.add(changed)
    assert services.articles.count() == 0
    assert services.verifier.verify(deep=True).clean


def test_what_belongs_to_a_story_is_stored_with_it_or_not_at_all(services: Wiring) -> None:
    seen: list[str] = []
    services.indexer.add(MAYOR, along=lambda revision: seen.append(revision.article_id))
    services.indexer.add(MAYOR, along=lambda revision: seen.append(revision.article_id))
    assert seen == [services.articles.get("m").article_id] * 2

    def fail(_: Revision) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        services.indexer.add(FERRY, along=fail)
    assert services.articles.count() == 1
    assert services.verifier.verify(deep=True).clean


# --- a collection that the version before wrote

_CREATED = "2026-01-01T00:00:00+00:00"


def _older_collection(home: Path) -> None:
    """Write two stories, one of them with an earlier version, as the version before did."""
    collection = Collections(home).get("shared")
    collection.folder.mkdir(parents=True)
    older, encoder = Migrations("stories"), HashEncoder()
    for migration in (m001_stories, m002_chunks, m003_origins):
        older()(migration)
    db = open_database(collection.database_file, older)
    with closing(db), write(db):
        build = BuildStore(db).create(BuildState.LIVE, recipe_of(encoder))
        stories = ((1, "aaaaaaa", "Early."), (2, "aaaaaaa", MAYOR.text), (3, "bbbbbbb", RAIN.text))
        for article_id in ("aaaaaaa", "bbbbbbb"):
            db.execute("INSERT INTO articles (id, added_at) VALUES (?, ?)", [article_id, _CREATED])
        for number, article_id, text in stories:
            db.execute(
                "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, 'Herald', NULL, '2025-01-01', NULL,"
                " '2025-01-01', '2025-01-01', ?)",
                [number, article_id, text, text_hash(text), f"Title {number}", _CREATED],
            )
            db.execute("UPDATE articles SET revision_id = ? WHERE id = ?", [number, article_id])
        db.execute("INSERT INTO external_ids VALUES ('m', 'aaaaaaa', 1)")
        db.execute("INSERT INTO origins VALUES ('aaaaaaa', 5, NULL)")
        for number, article_id, text in stories[1:]:
            attribution = Attribution(f"Title {number}", "Herald", None, "2025-01-01")
            revision = Revision(
                number, article_id, None, text, text_hash(text), attribution, _CREATED
            )
            span = Span(0, len(text))
            vector = encoder.encode_documents([encoded_text(attribution, text, span)])[0]
            chunk = NewChunk(span, vector.astype("<f4").tobytes())
            ChunkStore(db).add(build.id, revision, [chunk], searchable=True)


def test_a_collection_of_the_version_before_is_as_it_was(tmp_path: Path) -> None:
    _older_collection(tmp_path)
    with closing(wire(tmp_path)) as services:
        assert [r.text for r in services.articles.current()] == [MAYOR.text, RAIN.text]
        assert services.encoder.encoded == []
        assert _quotes(services, QUESTION) == [MAYOR.text]
        report = services.verifier.verify(deep=True)
        assert (report.problems, report.stories, report.chunks) == ((), 2, 2)
        history = StandingStore(services.db).history("aaaaaaa")
        assert [r.text for r in history.revisions] == ["Early.", MAYOR.text]
        assert {r.modified_at for r in history.revisions} == {None}
        assert history.withdrawn_at is None
        assert services.articles.get("m") == history.revisions[-1]
        assert scalar(services.db, "SELECT added_by FROM origins") == 5


def test_a_collection_of_the_version_before_can_be_worked_with(tmp_path: Path) -> None:
    _older_collection(tmp_path)
    with closing(wire(tmp_path)) as services:
        again = replace(MAYOR, text="The mayor closed the bridge.")
        assert services.indexer.add(again).revision.article_id == "aaaaaaa"
        assert _quotes(services, "Who closed the bridge?") == [again.text]
        assert services.indexer.withdraw("bbbbbbb")
        assert _titles(services) == {MAYOR.attribution.title}
        services.indexer.rebuild()
        services.indexer.remove("m")
        assert services.verifier.verify(deep=True).clean
    with closing(wire(tmp_path)) as services:
        assert services.articles.count() == 1
        assert StandingStore(services.db).removed_at("aaaaaaa") is not None
