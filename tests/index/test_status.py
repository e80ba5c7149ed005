from dataclasses import replace

import numpy as np
import pytest

import index.preparation
import index.status
from data.builds import BuildState, BuildStore
from data.models import Attribution
from index.chunking import CHUNKER_VERSION, HEADER_VERSION
from index.encoders import DEFAULT_ENCODER
from index.models import IndexStatus
from index.status import index_status
from index.vectors import VectorIndex
from tests.fakes import DIMENSION, HashEncoder, Wiring, story, wire

MAYOR = story("The mayor spoke.", title="Mayor", date="2024-10-25", external_id="m")
FERRY = story("The ferry left.", title="Ferry", date="2025", external_id="f")


def _status(services: Wiring) -> IndexStatus:
    return index_status(services.collection, services.db, services.encoders)


@pytest.fixture
def stocked(services: Wiring) -> Wiring:
    services.indexer.add(MAYOR)
    services.indexer.add(FERRY)
    return services


def test_an_empty_collection_has_no_index_and_nothing_is_stale(services: Wiring) -> None:
    status = _status(services)
    assert (status.collection, status.stories, status.revisions, status.chunks) == (
        "shared",
        0,
        0,
        0,
    )
    assert (status.newest, status.encoder, status.dimension, status.built_at) == (None,) * 4
    assert (status.index_bytes, status.stale) == (0, ())
    assert status.database_bytes > 0


def test_a_collection_tells_what_it_holds_and_what_its_index_was_made_with(
    stocked: Wiring,
) -> None:
    stocked.indexer.edit("m", Attribution("The mayor speaks"))
    status = _status(stocked)
    assert (status.stories, status.revisions, status.chunks) == (2, 3, 2)
    assert status.newest == stocked.articles.get("f")
    assert (status.encoder, status.dimension) == (DEFAULT_ENCODER, DIMENSION)
    assert status.weights_hash == HashEncoder().identity.weights_hash
    assert (status.chunker_version, status.header_version) == (CHUNKER_VERSION, HEADER_VERSION)
    assert status.index_bytes == stocked.collection.index_file.stat().st_size
    wal = stocked.collection.folder / "stories.db-wal"
    files = (stocked.collection.database_file, wal)
    assert status.database_bytes == sum(file.stat().st_size for file in files)
    assert status.stale == ()


def test_the_index_is_dated_by_its_last_rebuild(stocked: Wiring) -> None:
    assert _status(stocked).built_at == _build(stocked, "created_at")
    stocked.indexer.rebuild()
    stocked.db.execute("UPDATE builds SET created_at = '2020', finished_at = '2021'")
    assert _status(stocked).built_at == "2021"


def _build(services: Wiring, field: str) -> object:
    return getattr(BuildStore(services.db).get(BuildState.LIVE), field)


def test_an_encoder_that_is_asked_for_and_not_used_yet_is_stale(stocked: Wiring) -> None:
    wanting = wire(stocked.home, wanted="other")
    (sentence,) = _status(wanting).stale
    assert "'other'" in sentence
    assert repr(DEFAULT_ENCODER) in sentence
    wanting.indexer.rebuild()
    assert _status(wanting).stale == ()
    assert _status(stocked).stale == ()  # no setting: whatever is in use is right
    wanting.close()


@pytest.mark.parametrize("version", ["CHUNKER_VERSION", "HEADER_VERSION"])
def test_stories_that_are_cut_or_labelled_in_an_older_way_are_stale(
    stocked: Wiring, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    for module in (index.status, index.preparation):
        monkeypatch.setattr(module, version, 99)
    (sentence,) = _status(stocked).stale
    assert "newer way" in sentence
    stocked.indexer.rebuild()
    assert _status(stocked).stale == ()


def test_a_rebuild_that_was_interrupted_is_told(stocked: Wiring) -> None:
    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stocked.indexer.rebuild(on_progress=interrupt)
    (sentence,) = _status(stocked).stale
    assert "interrupted" in sentence
    stocked.indexer.rebuild()
    assert _status(stocked).stale == ()


def test_an_index_file_that_is_missing_or_damaged_is_told(stocked: Wiring) -> None:
    stocked.collection.index_file.write_bytes(b"")
    (sentence,) = _status(stocked).stale
    assert "not usable (it is truncated" in sentence
    stocked.collection.index_file.unlink()
    (sentence,) = _status(stocked).stale
    assert "not usable (it is missing)" in sentence


def test_an_index_file_is_not_missed_where_there_is_nothing_to_index(services: Wiring) -> None:
    services.indexer.rebuild()
    assert not services.collection.index_file.exists()
    assert _status(services).stale == ()


def test_an_index_file_that_is_behind_is_told_with_the_number(stocked: Wiring) -> None:
    path = stocked.collection.index_file
    loaded, fingerprint = VectorIndex.load(path)
    loaded.remove(np.array([1]))
    loaded.add(np.array([98, 99]), np.eye(2, DIMENSION, dtype=np.float32))
    loaded.save(path, replace(fingerprint, count=3))
    (sentence,) = _status(stocked).stale
    assert "3 chunks behind" in sentence
