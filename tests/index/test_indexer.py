from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import index.building
import index.preparation
from data.articles import Saved, SaveStatus
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore
from data.errors import NotFoundError, UserError
from data.ingestion import Row
from data.models import Attribution, Draft, Filters, Span
from index.building import BATCH_STORIES
from index.chunking import CHUNKER_VERSION, Chunker, TokenSpans
from index.encoders import DEFAULT_ENCODER
from index.models import Passage
from index.preparation import encoded_text, recipe_of
from index.rebuild_lock import rebuild_lock
from index.vectors import VectorIndex
from tests.fakes import HashEncoder, Wiring, story, wire

MAYOR = story("The mayor opened the bridge.", title="Bridge", source="Herald", external_id="m")
FERRY = story("The ferry ran aground. Nobody was hurt.", title="Ferry", external_id="f")


def _build(services: Wiring, state: BuildState = BuildState.LIVE) -> Build | None:
    return BuildStore(services.db).get(state)


def _live(services: Wiring) -> Build:
    build = _build(services)
    if build is None:
        raise AssertionError("there is no live build")
    return build


def _ids(services: Wiring) -> list[int]:
    return ChunkStore(services.db).ids(_live(services).id)


def _rows(*drafts: Draft) -> list[Row]:
    return [Row(line, 100, draft, None) for line, draft in enumerate(drafts, start=1)]


def _many(count: int) -> list[Draft]:
    return [
        story(f"Word{i} fell on day {i}.", title=f"Day {i}", external_id=str(i))
        for i in range(count)
    ]


def _texts(services: Wiring, question: str) -> list[str]:
    return [passage.text for passage in services.retriever.retrieve(question)]


def _sound(services: Wiring) -> bool:
    """Return whether every story is chunked, encoded, searchable and in the index file."""
    report = services.verifier.verify(deep=True)
    return (report.problems, report.notes) == ((), ())


def _once(action: Callable[[], object]) -> Callable[..., None]:
    """Return a callback that does something the first time that it is called, and then nothing."""
    waiting = [action]

    def callback(*_: object) -> None:
        if waiting:
            waiting.pop()()

    return callback


def test_a_story_can_be_found_as_soon_as_it_is_added(services: Wiring) -> None:
    saved = services.indexer.add(MAYOR)
    assert saved.status is SaveStatus.NEW
    passage = services.retriever.retrieve("Who opened the bridge?")[0]
    assert (passage.revision, passage.span) == (saved.revision, Span(0, 28))
    assert _sound(services)


def test_a_chunk_is_encoded_with_its_storys_header_before_it(services: Wiring) -> None:
    services.indexer.add(story("The mayor spoke.", title="T", source="Herald", date="2024-10"))
    assert services.encoder.encoded == ["T | Herald | October 2024\nThe mayor spoke."]
    attribution = Attribution("T", "Herald", "Ann", "2024-10", None)
    assert (
        encoded_text(attribution, "Rain. Snow.", Span(6, 11)) == "T | Herald | October 2024\nSnow."
    )


def test_the_same_story_again_is_left_as_it_is_and_not_encoded(services: Wiring) -> None:
    first = services.indexer.add(MAYOR)
    before, encoded = _ids(services), list(services.encoder.encoded)
    assert services.indexer.add(MAYOR) == Saved(SaveStatus.SAME, first.revision)
    assert (_ids(services), services.encoder.encoded) == (before, encoded)


def test_a_changed_story_is_found_by_its_new_words_only(services: Wiring) -> None:
    first = services.indexer.add(MAYOR)
    changed = services.indexer.add(replace(MAYOR, text="The mayor closed the tunnel."))
    assert changed.status is SaveStatus.CHANGED
    assert changed.revision.article_id == first.revision.article_id
    assert changed.revision.id > first.revision.id
    assert _texts(services, "mayor bridge") == ["The mayor closed the tunnel."]
    assert services.articles.revision(first.revision.id).text == MAYOR.text  # kept as history
    assert _sound(services)


def test_an_edit_of_the_attribution_is_encoded_and_indexed_anew(services: Wiring) -> None:
    first = services.indexer.add(MAYOR).revision
    old = _ids(services)
    attribution = Attribution("Tunnel", "Gazette", "Ann", "2024-10-25")
    saved = services.indexer.edit(first.article_id, attribution)
    assert (saved.status, saved.revision.text) == (SaveStatus.CHANGED, first.text)
    assert saved.revision.attribution == attribution
    assert services.encoder.encoded[-1].startswith("Tunnel | Gazette | 25 October 2024\n")
    assert not set(old) & set(_ids(services))
    assert len(services.retriever.retrieve("gazette", filters=Filters(source="Gazette"))) == 1
    assert services.retriever.retrieve("herald", filters=Filters(source="Herald")) == []
    assert _sound(services)


def test_an_edit_that_changes_nothing_leaves_the_story_as_it_is(services: Wiring) -> None:
    first = services.indexer.add(MAYOR).revision
    before = _ids(services)
    assert services.indexer.edit(first.article_id, first.attribution).status is SaveStatus.SAME
    assert _ids(services) == before


def test_a_story_is_edited_and_removed_by_its_external_id_as_well(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    assert services.indexer.edit("m", Attribution("Tunnel")).revision.attribution.title == "Tunnel"
    assert services.indexer.remove("m").attribution.title == "Tunnel"
    assert services.articles.count() == 0


def test_a_removed_story_is_gone_from_everywhere(services: Wiring) -> None:
    ferry = services.indexer.add(FERRY).revision
    services.indexer.add(MAYOR)
    services.indexer.edit(ferry.article_id, Attribution("Ferry aground"))
    removed = services.indexer.remove(ferry.article_id)
    assert removed.attribution.title == "Ferry aground"
    assert _texts(services, "ferry aground hurt") == [MAYOR.text]
    assert services.articles.revision_count() == 1
    assert VectorIndex.load(services.collection.index_file)[0].ids == set(_ids(services))
    assert _sound(services)


def test_what_is_not_there_cannot_be_edited_or_removed(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    with pytest.raises(NotFoundError):
        services.indexer.edit("nothing", Attribution("T"))
    with pytest.raises(NotFoundError):
        services.indexer.remove("nothing")
    assert _sound(services)


def test_nothing_is_stored_when_encoding_fails(services: Wiring) -> None:
    services.indexer.add(FERRY)

    def fail() -> None:
        raise MemoryError

    services.encoder.before_encoding = fail
    with pytest.raises(MemoryError):
        services.indexer.add(MAYOR)
    services.encoder.before_encoding = None
    assert services.articles.count() == 1
    assert _sound(services)


def test_nothing_of_a_story_is_stored_when_storing_its_chunks_fails(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.indexer.add(FERRY)
    with monkeypatch.context() as patch:
        patch.setattr(ChunkStore, "_add_searchable", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.indexer.add(MAYOR)
        with pytest.raises(ZeroDivisionError):
            services.indexer.edit("f", Attribution("Another"))
    assert [r.attribution.title for r in services.articles.current()] == ["Ferry"]
    assert _sound(services)


def test_an_import_tells_what_became_of_each_row_in_order(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    noted = replace(FERRY, notes=("The date is unknown.",))
    refused = Row(3, 10, None, "it has no text")
    rows = [*_rows(MAYOR, noted), refused, Row(4, 100, replace(MAYOR, text="Changed."), None)]
    outcomes = sorted(services.indexer.add_rows(rows), key=lambda outcome: outcome.line)
    assert [o.line for o in outcomes] == [1, 2, 3, 4]
    assert [o.saved.status if o.saved else None for o in outcomes] == [
        SaveStatus.SAME,
        SaveStatus.NEW,
        None,
        SaveStatus.CHANGED,
    ]
    assert [o.refused for o in outcomes] == [None, None, "it has no text", None]
    assert outcomes[1].notes == ("The date is unknown.",)
    assert _sound(services)


def test_two_versions_of_one_story_in_one_batch_end_as_the_later_one(services: Wiring) -> None:
    early = story("The toll is two.", title="Toll", source="Herald", external_id="x")
    late = replace(early, text="The toll is three.", attribution=Attribution("Toll rises"))
    statuses = [
        outcome.saved.status
        for outcome in services.indexer.add_rows(_rows(early, late, late))
        if outcome.saved
    ]
    assert statuses == [SaveStatus.NEW, SaveStatus.CHANGED, SaveStatus.SAME]
    (current,) = services.articles.current()
    assert current.text == "The toll is three."
    assert current.attribution == Attribution("Toll rises", "Herald")  # and keeps what it knew
    assert services.encoder.encoded[-1] == "Toll rises | Herald\nThe toll is three."
    assert _texts(services, "toll") == ["The toll is three."]
    assert _sound(services)


def test_a_long_import_is_committed_batch_by_batch(services: Wiring, other: Wiring) -> None:
    drafts = _many(BATCH_STORIES + 3)
    seen: list[int] = []

    def rows() -> Iterator[Row]:
        for row in _rows(*drafts):
            seen.append(other.articles.count())
            yield row

    outcomes = list(services.indexer.add_rows(rows()))
    assert [o.line for o in outcomes] == list(range(1, BATCH_STORIES + 4))
    assert seen == [0] * BATCH_STORIES + [BATCH_STORIES] * 3
    assert other.articles.count() == BATCH_STORIES + 3
    assert _sound(services)


def test_an_import_of_nothing_is_nothing(services: Wiring) -> None:
    assert list(services.indexer.add_rows([])) == []
    assert services.articles.count() == 0


def test_an_import_that_was_left_in_the_middle_is_healed(services: Wiring, other: Wiring) -> None:
    outcomes = services.indexer.add_rows(_rows(*_many(BATCH_STORIES + 1)))
    next(outcomes)
    del outcomes  # as Ctrl-C leaves it
    assert len(other.retriever.retrieve("word3", top_k=100)) == BATCH_STORIES


def test_a_rebuild_gives_new_ids_and_the_same_answers(services: Wiring) -> None:
    list(services.indexer.add_rows(_rows(MAYOR, FERRY, *_many(20))))
    questions = ["Who opened the bridge?", "Was anybody hurt?", "What fell on day 7?"]

    def answers() -> list[list[Passage]]:
        passages = [services.retriever.retrieve(question) for question in questions]
        return [[replace(p, chunk_id=0) for p in found] for found in passages]

    before, old = answers(), _ids(services)
    build = services.indexer.rebuild()
    assert not set(old) & set(_ids(services))
    assert answers() == before
    assert build.id == _live(services).id
    assert _sound(services)


def test_a_rebuild_keeps_the_index_before_it_and_only_that(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    first, ids = _live(services), _ids(services)
    second = services.indexer.rebuild()
    previous = _build(services, BuildState.PREVIOUS)
    assert previous is not None
    assert (previous.id, previous.recipe) == (first.id, first.recipe)
    assert ChunkStore(services.db).ids(first.id) == ids
    services.indexer.rebuild()
    previous = _build(services, BuildState.PREVIOUS)
    assert previous is not None
    assert previous.id == second.id
    assert ChunkStore(services.db).ids(first.id) == []
    assert _build(services, BuildState.BUILDING) is None


def test_a_rebuild_of_an_empty_collection_leaves_an_empty_index(services: Wiring) -> None:
    build = services.indexer.rebuild()
    assert _live(services).id == build.id
    assert _ids(services) == []
    services.indexer.add(MAYOR)
    assert _sound(services)


def test_a_rebuild_tells_how_far_it_is(services: Wiring) -> None:
    count = BATCH_STORIES + 3
    list(services.indexer.add_rows(_rows(*_many(count))))
    told: list[tuple[int, int]] = []
    services.indexer.rebuild(on_progress=lambda done, total: told.append((done, total)))
    assert told == [(BATCH_STORIES, count), (count, count)]


def test_questions_are_answered_from_the_old_index_during_a_rebuild(
    services: Wiring, other: Wiring
) -> None:
    list(services.indexer.add_rows(_rows(MAYOR, *_many(BATCH_STORIES))))
    live = _live(services).id
    expected = services.retriever.retrieve("Who opened the bridge?")
    during: list[list[Passage]] = []

    def ask(*_: int) -> None:
        assert _live(other).id == live
        during.append(other.retriever.retrieve("Who opened the bridge?"))

    services.indexer.rebuild(on_progress=ask)
    assert during == [expected, expected]


def _interrupted(services: Wiring, **options: str) -> None:
    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.indexer.rebuild(on_progress=interrupt, **options)  # type: ignore[arg-type]


def test_an_interrupted_rebuild_leaves_the_live_index_alone(services: Wiring) -> None:
    list(services.indexer.add_rows(_rows(*_many(BATCH_STORIES + 3))))
    live = _live(services)
    _interrupted(services)
    assert _live(services) == live
    assert _build(services, BuildState.BUILDING) is not None
    assert _sound(services)
    services.indexer.add(MAYOR)
    assert _texts(services, "bridge")[0] == MAYOR.text
    assert _sound(services)


def test_an_interrupted_rebuild_is_gone_on_with(services: Wiring) -> None:
    list(services.indexer.add_rows(_rows(*_many(BATCH_STORIES + 3))))
    _interrupted(services)
    unfinished = _build(services, BuildState.BUILDING)
    assert unfinished is not None
    services.encoder.encoded.clear()
    assert services.indexer.rebuild().id == unfinished.id
    assert len(services.encoder.encoded) == 3  # and the first sixteen are not encoded again
    assert _build(services, BuildState.BUILDING) is None
    assert _sound(services)


def test_a_rebuild_of_another_kind_does_not_go_on_with_an_interrupted_one(
    services: Wiring,
) -> None:
    list(services.indexer.add_rows(_rows(*_many(BATCH_STORIES + 3))))
    _interrupted(services)
    unfinished = _build(services, BuildState.BUILDING)
    assert unfinished is not None
    services.encoder.encoded.clear()
    assert services.indexer.rebuild(rechunk=True).id != unfinished.id
    assert len(services.encoder.encoded) == BATCH_STORIES + 3
    _interrupted(services, encoder="other")
    services.encoder.encoded.clear()
    services.indexer.rebuild(encoder=DEFAULT_ENCODER)
    assert len(services.encoder.encoded) == BATCH_STORIES + 3
    assert _live(services).recipe == recipe_of(services.encoder)
    assert _sound(services)


def test_a_story_that_changed_after_an_interruption_is_built_as_it_is_now(
    services: Wiring,
) -> None:
    drafts = _many(BATCH_STORIES + 3)
    list(services.indexer.add_rows(_rows(*drafts)))
    _interrupted(services)
    services.indexer.add(replace(drafts[0], text="Something else happened."))
    services.indexer.remove("1")
    services.indexer.rebuild()
    assert _texts(services, "something else")[0] == "Something else happened."
    assert services.articles.count() == BATCH_STORIES + 2
    assert len(_ids(services)) == BATCH_STORIES + 2
    assert _sound(services)


@pytest.mark.parametrize("which", [0, BATCH_STORIES + 2], ids=["built already", "not built yet"])
def test_a_story_that_changes_during_a_rebuild_is_in_the_new_index_as_it_is_then(
    services: Wiring, other: Wiring, which: int
) -> None:
    drafts = _many(BATCH_STORIES + 3)
    list(services.indexer.add_rows(_rows(*drafts)))

    def change() -> None:
        other.indexer.add(MAYOR)
        other.indexer.remove(str(which))
        other.indexer.add(replace(drafts[which - 1], text="Something else happened."))

    services.indexer.rebuild(on_progress=_once(change))
    assert _texts(services, "bridge")[0] == MAYOR.text
    assert "Something else happened." in _texts(services, "something else")
    titles = {revision.attribution.title for revision in services.articles.current()}
    assert (f"Day {which}" in titles, len(titles)) == (False, BATCH_STORIES + 3)
    assert _sound(services)
    assert _sound(other)


def test_a_story_that_changes_while_a_rebuild_encodes_it_is_not_built_as_it_was(
    services: Wiring, other: Wiring
) -> None:
    list(services.indexer.add_rows(_rows(MAYOR, FERRY)))

    def change() -> None:
        other.indexer.remove("f")
        other.indexer.add(replace(MAYOR, text="The mayor closed the tunnel."))

    services.encoder.before_encoding = _once(change)
    services.indexer.rebuild()
    assert _texts(services, "mayor ferry") == ["The mayor closed the tunnel."]
    assert _sound(services)


def test_a_story_that_is_added_right_before_the_switch_is_in_the_new_index(
    services: Wiring, other: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.indexer.add(MAYOR)
    add, look = _once(lambda: other.indexer.add(FERRY)), ChunkStore.unchunked_revisions

    def look_and_let_another_add(chunks: ChunkStore, build_id: int) -> list[int]:
        found = look(chunks, build_id)
        if not found:
            add()
        return found

    monkeypatch.setattr(ChunkStore, "unchunked_revisions", look_and_let_another_add)
    services.indexer.rebuild()
    assert services.articles.count() == len(_ids(services)) == 2
    assert _sound(services)


def test_two_rebuilds_at_once_are_refused(services: Wiring, other: Wiring) -> None:
    services.indexer.add(MAYOR)
    refused: list[str] = []

    def rebuild_too() -> None:
        with pytest.raises(UserError, match="rebuilt already") as raised:
            other.indexer.rebuild()
        refused.append(str(raised.value))

    build = services.indexer.rebuild(on_progress=_once(rebuild_too))
    assert len(refused) == 1
    assert _live(services).id == build.id
    assert other.indexer.rebuild().id > build.id  # and it can be done afterwards


def test_the_rebuild_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), rebuild_lock(tmp_path / "lock"):
        raise KeyboardInterrupt
    with (
        rebuild_lock(tmp_path / "lock"),
        pytest.raises(UserError),
        rebuild_lock(tmp_path / "lock"),
    ):
        pytest.fail("two hold the lock")


@pytest.mark.parametrize("encoder", [None, "other"])
def test_a_story_that_is_encoded_while_another_process_rebuilds_ends_in_the_new_index(
    services: Wiring, other: Wiring, encoder: str | None
) -> None:
    services.indexer.add(FERRY)
    services.encoder.before_encoding = _once(lambda: other.indexer.rebuild(encoder=encoder))
    services.indexer.add(MAYOR)
    assert services.encoder.encoded.count("Bridge | Herald\nThe mayor opened the bridge.") >= 1
    assert _live(services).recipe.encoder == (encoder or DEFAULT_ENCODER)
    assert _texts(services, "Who opened the bridge?")[0] == MAYOR.text
    assert len(_ids(services)) == 2
    assert _sound(services)


@pytest.mark.parametrize("encoder", [None, "other"])
def test_an_edit_that_is_encoded_while_another_process_rebuilds_ends_in_the_new_index(
    services: Wiring, other: Wiring, encoder: str | None
) -> None:
    services.indexer.add(MAYOR)
    services.encoder.before_encoding = _once(lambda: other.indexer.rebuild(encoder=encoder))
    services.indexer.edit("m", Attribution("Tunnel"))
    assert _live(services).recipe.encoder == (encoder or DEFAULT_ENCODER)
    assert len(_ids(services)) == 1
    assert _sound(services)


def test_a_story_that_another_process_changes_meanwhile_is_encoded_as_it_became(
    services: Wiring, other: Wiring
) -> None:
    services.indexer.add(MAYOR)
    services.encoder.before_encoding = _once(
        lambda: other.indexer.edit("m", Attribution("Bridge", "Gazette", "Ann"))
    )
    text = "The mayor closed the tunnel."
    draft = replace(MAYOR, text=text, attribution=Attribution("Bridge"))
    revision = services.indexer.add(draft).revision
    assert revision.attribution == Attribution("Bridge", "Gazette", "Ann")
    assert services.encoder.encoded[-1] == f"Bridge | Gazette\n{text}"
    assert _sound(services)


def test_a_rebuild_with_another_encoder_is_used_by_everything_after_it(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    services.indexer.rebuild(encoder="other")
    other = HashEncoder("other")
    assert _live(services).recipe == recipe_of(other)
    services.indexer.add(FERRY)
    texts = [encoded_text(d.attribution, d.text, Span(0, len(d.text))) for d in (MAYOR, FERRY)]
    expected = other.encode_documents(texts)
    found = VectorIndex.load(services.collection.index_file)[0].vectors(_ids(services))
    assert np.array_equal(found, expected)
    passage = services.retriever.retrieve("bridge")[0]
    similarity = float(expected[0] @ other.encode_query("bridge"))
    assert passage.similarity == pytest.approx(similarity, abs=1e-6)
    services.indexer.rebuild()  # stays with the encoder that the index has
    assert _live(services).recipe.encoder == "other"
    assert _sound(services)


def test_a_rebuild_changes_over_to_an_encoder_of_another_dimension(tmp_path: Path) -> None:
    dimensions = {DEFAULT_ENCODER: 64, "wide": 96}
    services = wire(tmp_path, load=lambda name: HashEncoder(name, dimension=dimensions[name]))
    services.indexer.add(MAYOR)
    services.indexer.rebuild(encoder="wide")
    assert VectorIndex.load(services.collection.index_file)[0].dimension == 96
    assert _texts(services, "bridge") == [MAYOR.text]
    assert _sound(services)
    services.close()


def test_the_encoder_that_the_operator_asks_for_is_used_at_the_next_rebuild(
    services: Wiring,
) -> None:
    services.indexer.add(MAYOR)
    wanting = wire(services.home, wanted="other")
    wanting.indexer.add(FERRY)
    assert _live(wanting).recipe.encoder == DEFAULT_ENCODER
    wanting.indexer.rebuild()
    assert _live(wanting).recipe.encoder == "other"
    assert _sound(wanting)
    wanting.close()


def test_a_new_collection_begins_with_the_encoder_that_the_operator_asks_for(
    tmp_path: Path,
) -> None:
    services = wire(tmp_path, wanted="other")
    services.indexer.add(MAYOR)
    assert _live(services).recipe.encoder == "other"
    services.close()


def test_a_rebuild_with_an_encoder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    def load(name: str) -> HashEncoder:
        if name != DEFAULT_ENCODER:
            raise UserError(f"There is no encoder {name!r}.")
        return HashEncoder(name)

    services = wire(tmp_path, load=load)
    services.indexer.add(MAYOR)
    live = _live(services)
    with pytest.raises(UserError, match="no encoder 'gone'"):
        services.indexer.rebuild(encoder="gone")
    assert _live(services) == live
    assert _build(services, BuildState.BUILDING) is None
    services.indexer.rebuild()  # the lock was given back
    services.close()


def test_an_encoder_whose_weights_changed_is_refused_until_a_rebuild(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    changed = wire(services.home, load=lambda name: HashEncoder(name, weights="others"))
    with pytest.raises(UserError, match="weights.*changed.*rebuild"):
        changed.indexer.add(FERRY)
    with pytest.raises(UserError, match="weights"):
        changed.retriever.retrieve("bridge")
    assert changed.articles.count() == 1
    changed.indexer.rebuild()
    changed.indexer.add(FERRY)
    assert _sound(changed)
    changed.close()


class _ByTwo(Chunker):
    """Cuts chunks of two words, as another version of the chunker might."""

    def __init__(self, token_spans: TokenSpans) -> None:
        super().__init__(token_spans, max_tokens=2, overlap_tokens=0)


def _spans(services: Wiring) -> list[Span]:
    (current,) = services.articles.current()
    return ChunkStore(services.db).spans(_live(services).id, current.id)


def test_stories_are_cut_anew_only_where_that_is_asked_for(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.indexer.add(story("Rain fell all day"))
    monkeypatch.setattr(index.building, "Chunker", _ByTwo)
    services.indexer.rebuild()
    assert _spans(services) == [Span(0, 17)]
    services.indexer.rebuild(rechunk=True)
    assert _spans(services) == [Span(0, 9), Span(10, 17)]
    assert _sound(services)


def test_a_newer_chunker_cuts_stories_anew_and_a_newer_header_does_not(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.indexer.add(story("Rain fell all day", title="Weather"))
    monkeypatch.setattr(index.building, "Chunker", _ByTwo)
    monkeypatch.setattr(index.preparation, "HEADER_VERSION", 2)
    monkeypatch.setattr(index.preparation, "header", lambda attribution: f"<{attribution.title}>")
    services.indexer.rebuild()
    assert services.encoder.encoded[-1] == "<Weather>\nRain fell all day"
    assert (_live(services).recipe.header_version, _spans(services)) == (2, [Span(0, 17)])
    monkeypatch.setattr(index.preparation, "CHUNKER_VERSION", CHUNKER_VERSION + 1)
    services.indexer.rebuild()
    assert _live(services).recipe.chunker_version == CHUNKER_VERSION + 1
    assert _spans(services) == [Span(0, 9), Span(10, 17)]
