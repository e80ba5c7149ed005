import pytest

from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore
from data.errors import UserError
from index.rebuild_lock import rebuild_lock
from tests.fakes import Wiring, story, wire

MAYOR = story("The mayor opened the bridge.", title="Bridge", external_id="m")
FERRY = story("The ferry ran aground.", title="Ferry", external_id="f")
RAIN = story("Rain fell all day.", title="Rain", external_id="r")


class _StopError(Exception):
    pass


def _stop(*_: int) -> None:
    raise _StopError


def _encoder_in_use(services: Wiring) -> str:
    build = BuildStore(services.db).get(BuildState.LIVE)
    assert build is not None
    return build.recipe.encoder


def _quotes(services: Wiring, question: str) -> list[str]:
    return [c.quote for c in services.answerer.answer(question).citations]


def test_undo_takes_the_build_before_into_use_again(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    first = BuildStore(services.db).get(BuildState.LIVE)
    services.indexer.rebuild(encoder="other")
    assert _encoder_in_use(services) == "other"
    back = services.indexer.undo()
    assert first is not None
    assert (back.id, back.state) == (first.id, BuildState.LIVE)
    assert _quotes(services, "Who opened the bridge?") == ["The mayor opened the bridge."]
    assert services.verifier.verify(deep=True).clean


def test_what_was_removed_since_stays_removed_and_what_was_added_stays(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    ferry = services.indexer.add(FERRY).revision
    services.indexer.rebuild(encoder="other")
    services.indexer.remove(ferry.article_id)
    services.indexer.add(RAIN)
    services.indexer.undo()
    assert {r.attribution.title for r in services.articles.current()} == {"Bridge", "Rain"}
    assert _quotes(services, "Did rain fall all day?") == ["Rain fell all day."]
    assert not any("ferry" in q for q in _quotes(services, "Where did the ferry run aground?"))
    assert services.verifier.verify(deep=True).clean


def test_a_story_that_changed_since_is_indexed_as_it_is_now(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    services.indexer.rebuild()
    services.indexer.add(story("The queen opened the bridge.", title="Bridge", external_id="m"))
    services.indexer.undo()
    assert _quotes(services, "Who opened the bridge?") == ["The queen opened the bridge."]


def test_undoing_twice_goes_forward_again(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    services.indexer.rebuild(encoder="other")
    services.indexer.undo()
    services.indexer.undo()
    assert _encoder_in_use(services) == "other"


def test_there_is_nothing_to_go_back_to_before_a_rebuild(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    with pytest.raises(UserError, match="no earlier index"):
        services.indexer.undo()
    assert _quotes(services, "Who opened the bridge?") == ["The mayor opened the bridge."]


def test_an_undo_that_was_interrupted_leaves_the_live_index_and_can_go_on(
    services: Wiring,
) -> None:
    services.indexer.add(MAYOR)
    services.indexer.rebuild(encoder="other")
    services.indexer.add(RAIN)
    with pytest.raises(_StopError):
        services.indexer.undo(on_progress=_stop)
    assert _encoder_in_use(services) == "other"
    assert _quotes(services, "Did rain fall all day?") == ["Rain fell all day."]
    services.indexer.undo()
    assert _encoder_in_use(services) != "other"
    assert services.verifier.verify(deep=True).clean


def test_an_undo_does_not_run_beside_a_rebuild(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    services.indexer.rebuild()
    with rebuild_lock(services.collection.rebuild_lock_file), pytest.raises(UserError):
        services.indexer.undo()


def test_a_rebuild_returns_the_build_that_is_live(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    build = services.indexer.rebuild()
    assert build.state is BuildState.LIVE
    assert build.finished_at is not None
    assert ChunkStore(services.db).count(build.id) == 1


def test_a_damaged_vector_elsewhere_does_not_make_an_add_fail(services: Wiring) -> None:
    services.indexer.add(MAYOR)
    services.db.execute("UPDATE chunks SET vector = x'00'")
    services.collection.index_file.unlink()
    fresh = wire(services.home)
    fresh.indexer.add(FERRY)
    assert {r.attribution.title for r in fresh.articles.current()} == {"Bridge", "Ferry"}
    fresh.close()
