from dataclasses import replace

import pytest

from data.articles import ArticleStore
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk
from data.database import Database
from data.models import Span
from tests.data.conftest import RECIPE, VECTOR, add_chunks, draft


def test_a_new_collection_has_no_build(db: Database) -> None:
    assert [BuildStore(db).get(state) for state in BuildState] == [None, None, None]


def test_a_build_keeps_its_recipe(db: Database) -> None:
    recipe = replace(RECIPE, encoder="other", dimension=384, chunker_version=3, header_version=2)
    created = BuildStore(db).create(BuildState.BUILDING, recipe)
    found = BuildStore(db).get(BuildState.BUILDING)
    assert found is not None
    assert (found.id, found.state, found.recipe) == (created.id, BuildState.BUILDING, recipe)
    assert found.finished_at is None
    assert BuildStore(db).get(BuildState.LIVE) is None


@pytest.mark.parametrize(
    "change",
    [{"encoder": "x"}, {"weights_hash": "x"}, {"dimension": 3}, {"chunker_version": 2}],
)
def test_two_recipes_are_alike_only_if_all_their_parts_are(change: dict[str, object]) -> None:
    assert replace(RECIPE) == RECIPE
    assert replace(RECIPE, **change) != RECIPE  # type: ignore[arg-type]


def test_a_new_build_takes_the_place_of_one_in_its_state_and_removes_its_chunks(
    db: Database,
) -> None:
    revision = ArticleStore(db).save(draft()).revision
    builds, chunks = BuildStore(db), ChunkStore(db)
    first = builds.create(BuildState.BUILDING, RECIPE)
    old = chunks.add(first.id, revision, [NewChunk(Span(0, 3), VECTOR)], searchable=False)
    second = builds.create(BuildState.BUILDING, RECIPE)
    assert second.id > first.id
    assert chunks.get(old) == {}


def test_promoting_makes_the_new_build_live_and_keeps_one_previous(db: Database) -> None:
    builds = BuildStore(db)
    made = []
    for _ in range(3):
        made.append(builds.create(BuildState.BUILDING, RECIPE).id)
        builds.promote()
    states = {state: builds.get(state) for state in BuildState}
    live, previous = states[BuildState.LIVE], states[BuildState.PREVIOUS]
    assert live is not None
    assert previous is not None
    assert (live.id, previous.id) == (made[2], made[1])
    assert states[BuildState.BUILDING] is None
    assert live.finished_at is not None


def test_the_previous_build_keeps_the_time_at_which_it_was_finished(db: Database) -> None:
    builds = BuildStore(db)
    builds.create(BuildState.BUILDING, RECIPE)
    builds.promote()
    db.execute("UPDATE builds SET finished_at = '2024-01-01T00:00:00+00:00'")
    builds.create(BuildState.BUILDING, RECIPE)
    builds.promote()
    previous = builds.get(BuildState.PREVIOUS)
    assert previous is not None
    assert previous.finished_at == "2024-01-01T00:00:00+00:00"


def test_promoting_raises_the_generation(db: Database) -> None:
    before = ArticleStore(db).generation()
    BuildStore(db).create(BuildState.BUILDING, RECIPE)
    assert ArticleStore(db).generation() == before
    BuildStore(db).promote()
    assert ArticleStore(db).generation() == before + 1


def test_deleting_a_build_takes_its_chunks_and_full_text_rows_and_no_others(db: Database) -> None:
    revision = ArticleStore(db).save(draft("The mayor spoke.")).revision
    chunks, builds = ChunkStore(db), BuildStore(db)
    live = add_chunks(db, revision)
    other = builds.create(BuildState.BUILDING, RECIPE)
    building = chunks.add(other.id, revision, [NewChunk(Span(0, 3), VECTOR)], searchable=False)
    builds.delete(BuildState.LIVE)
    assert list(chunks.get(live + building)) == building
    assert chunks.search(["mayor"], 5) == []
    builds.delete(BuildState.LIVE)  # there is none now, and that is no error
    assert builds.get(BuildState.BUILDING) == other
