import logging
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import index.live
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore
from data.database import read
from data.errors import StorageError
from index.live import LiveIndex, Snapshot, fingerprint, read_vectors
from index.vectors import VectorIndex
from tests.fakes import Wiring, story, wire


def _snapshot(services: Wiring) -> Snapshot:
    with read(services.db):
        found = services.live.current(services.db)
    if found is None:
        raise AssertionError("nothing was indexed")
    return found


def _chunk_ids(services: Wiring) -> list[int]:
    build = BuildStore(services.db).get(BuildState.LIVE)
    return [] if build is None else ChunkStore(services.db).ids(build.id)


def _add(services: Wiring, count: int, prefix: str = "word") -> list[str]:
    """Store stories of one chunk each; return their ids."""
    return [
        services.indexer.add(story(f"{prefix}{i} fell.", title=f"{prefix} {i}")).revision.article_id
        for i in range(count)
    ]


def _holds_what_the_database_holds(services: Wiring) -> bool:
    index = _snapshot(services).index
    ids, vectors = read_vectors(ChunkStore(services.db), _chunk_ids(services), 64)
    return index.ids == set(ids.tolist()) and np.array_equal(index.vectors(ids.tolist()), vectors)


def test_there_is_no_index_before_the_first_story(services: Wiring) -> None:
    with read(services.db):
        assert services.live.current(services.db) is None
    assert not services.collection.index_file.exists()


def test_the_index_is_looked_at_again_only_after_a_change(services: Wiring) -> None:
    _add(services, 2)
    first = _snapshot(services)
    assert _snapshot(services) is first
    _add(services, 1, "new")
    assert _snapshot(services) is not first


def test_a_snapshot_that_a_question_holds_is_never_changed(services: Wiring) -> None:
    article, _ = _add(services, 2)
    held = _snapshot(services)
    before = held.index.ids
    services.indexer.remove(article)
    _add(services, 1, "new")
    assert held.index.ids == before
    assert _snapshot(services).index.ids == set(_chunk_ids(services)) != before


def test_the_file_alone_is_enough_where_it_is_up_to_date(
    services: Wiring, other: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(services, 3)
    monkeypatch.delattr(ChunkStore, "vectors")
    assert _snapshot(other).index.ids == set(_chunk_ids(services))


def test_a_missing_file_is_made_again_from_the_database(services: Wiring, other: Wiring) -> None:
    _add(services, 3)
    services.collection.index_file.unlink()
    assert _holds_what_the_database_holds(other)
    assert other.encoder.encoded == []  # without encoding anything
    assert VectorIndex.load(other.collection.index_file)[0].ids == set(_chunk_ids(services))


@pytest.mark.parametrize("keep", [0, 7, -1])
def test_a_truncated_file_is_made_again_and_said_so(
    services: Wiring, other: Wiring, caplog: pytest.LogCaptureFixture, keep: int
) -> None:
    _add(services, 3)
    path = services.collection.index_file
    path.write_bytes(path.read_bytes()[:keep])
    with caplog.at_level(logging.WARNING):
        assert _holds_what_the_database_holds(other)
    assert str(path) in caplog.text
    assert other.encoder.encoded == []


def test_a_file_that_lacks_stories_is_completed(services: Wiring, other: Wiring) -> None:
    _add(services, 3)
    behind = services.collection.index_file.read_bytes()
    _add(services, 2, "new")
    services.collection.index_file.write_bytes(behind)
    assert _holds_what_the_database_holds(other)
    assert len(VectorIndex.load(other.collection.index_file)[0]) == 5
    assert other.encoder.encoded == []


def test_a_file_that_lacks_most_stories_is_completed(services: Wiring, other: Wiring) -> None:
    _add(services, 1)
    behind = services.collection.index_file.read_bytes()
    _add(services, 6, "new")
    services.collection.index_file.write_bytes(behind)
    assert _holds_what_the_database_holds(other)
    assert len(_snapshot(other).index) == 7


def test_a_file_with_stories_that_were_removed_loses_them(services: Wiring, other: Wiring) -> None:
    articles = _add(services, 4)
    before = services.collection.index_file.read_bytes()
    services.indexer.remove(articles[1])
    services.collection.index_file.write_bytes(before)
    assert _holds_what_the_database_holds(other)
    assert len(_snapshot(other).index) == 3


def test_a_file_of_another_build_is_not_used(services: Wiring) -> None:
    _add(services, 3)
    ids = _chunk_ids(services)
    build = _snapshot(services).build
    wrong = VectorIndex.build(np.array(ids), np.eye(3, 64, dtype=np.float32), 64)
    right = fingerprint(build, 3, services.articles.token())
    for found in (replace(right, build_id=build.id + 1), replace(right, weights_hash="f" * 64)):
        wrong.save(services.collection.index_file, found)
        fresh = LiveIndex(services.collection)
        with read(services.db):
            snapshot = fresh.current(services.db)
        assert snapshot is not None
        assert np.array_equal(snapshot.index.vectors(ids), _snapshot(services).index.vectors(ids))
        assert not np.array_equal(snapshot.index.vectors(ids), wrong.vectors(ids))


def test_a_vector_in_the_file_that_is_not_the_databases_gives_way(
    services: Wiring, other: Wiring
) -> None:
    _add(services, 3)
    index, about = VectorIndex.load(services.collection.index_file)
    one, two = index.vectors(_chunk_ids(services)[:2])
    index.remove(np.array(_chunk_ids(services)[:2]))
    index.add(np.array(_chunk_ids(services)[:2]), np.stack([two, one]))
    index.save(services.collection.index_file, replace(about, token=about.token + 1))
    assert _holds_what_the_database_holds(other)
    assert other.encoder.encoded == []


def test_what_another_process_writes_is_seen_at_the_next_question(
    services: Wiring, other: Wiring
) -> None:
    first, _ = _add(services, 2)
    assert _holds_what_the_database_holds(other)
    _add(services, 1, "new")
    assert _holds_what_the_database_holds(other)
    services.indexer.remove(first)
    assert _holds_what_the_database_holds(other)
    assert len(_snapshot(other).index) == 2
    services.indexer.rebuild()
    assert _holds_what_the_database_holds(other)
    assert _snapshot(other).build.id == _snapshot(services).build.id


def test_a_question_that_began_before_a_change_goes_on_with_what_it_saw(
    services: Wiring, other: Wiring
) -> None:
    _add(services, 2)
    with read(services.db):
        before = _chunk_ids(services)
        _add(other, 1, "new")
        found = services.live.current(services.db)
        assert found is not None
        assert found.index.ids == set(before)
    assert len(_snapshot(services).index) == 3


def test_a_damaged_vector_is_told_and_not_searched(services: Wiring, other: Wiring) -> None:
    _add(services, 2)
    first, _ = _chunk_ids(services)
    services.collection.index_file.unlink()
    services.db.execute("UPDATE chunks SET vector = zeroblob(256) WHERE id = ?", [first])
    with pytest.raises(StorageError, match=f"chunk {first} is damaged.*rebuild"):
        _snapshot(other)


def test_a_vector_of_another_length_is_told_though_its_checksum_fits(
    services: Wiring, other: Wiring
) -> None:
    _add(services, 2)
    services.collection.index_file.unlink()
    short = b"\x00" * 4
    services.db.execute("UPDATE chunks SET vector = ?, checksum = ?", [short, zlib.crc32(short)])
    with pytest.raises(StorageError, match="damaged"):
        _snapshot(other)


def test_a_damaged_vector_is_mended_by_a_rebuild(services: Wiring, other: Wiring) -> None:
    _add(services, 2)
    services.db.execute("UPDATE chunks SET vector = zeroblob(256)")
    services.collection.index_file.unlink()
    other.indexer.rebuild()
    assert _holds_what_the_database_holds(other)


def test_an_index_that_outgrows_its_limit_is_divided_into_cells(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(services, 4)
    before = _snapshot(services).index
    monkeypatch.setattr(before, "_exact_limit", 4)
    build = VectorIndex.build
    monkeypatch.setattr(
        VectorIndex, "build", lambda ids, rows, d: build(ids, rows, d, exact_limit=4)
    )
    _add(services, 1, "new")
    assert (before.exact, _snapshot(services).index.exact) == (True, False)
    assert _holds_what_the_database_holds(services)


def test_a_file_that_is_up_to_date_is_not_written_again(services: Wiring, other: Wiring) -> None:
    _add(services, 2)
    written = services.collection.index_file.stat().st_ino
    _snapshot(services)
    _snapshot(other)
    services.indexer.add(story("word0 fell.", title="word 0"))  # the same again
    assert services.collection.index_file.stat().st_ino == written


def test_a_large_file_is_written_again_only_when_it_lags(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(services, 4)
    monkeypatch.setattr(index.live, "_SAVE_ALWAYS_BELOW", 0)
    monkeypatch.setattr(index.live, "_SAVE_LAG", 0.4)
    _add(services, 2, "new")  # 2 of 6
    assert len(VectorIndex.load(services.collection.index_file)[0]) == 4
    _add(services, 1, "newer")  # 3 of 7
    assert len(VectorIndex.load(services.collection.index_file)[0]) == 7


def test_a_file_that_cannot_be_written_harms_nothing(
    services: Wiring,
    other: Wiring,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_: VectorIndex, path: Path, __: object) -> None:
        raise OSError(28, f"No space left on device: {path}")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(VectorIndex, "save", full)
        _add(services, 2)
    assert "No space left" in caplog.text
    assert not services.collection.index_file.exists()
    assert _holds_what_the_database_holds(services)
    _add(services, 1, "new")  # the next change writes it all
    assert len(VectorIndex.load(services.collection.index_file)[0]) == 3
    assert _holds_what_the_database_holds(other)


def test_vectors_are_read_with_their_ids_and_those_of_no_chunk_are_an_empty_array(
    services: Wiring,
) -> None:
    _add(services, 3)
    chunks, ids = ChunkStore(services.db), _chunk_ids(services)
    found, rows = read_vectors(chunks, reversed(ids), 64)
    assert found.tolist() == ids
    expected = services.encoder.encode_documents([f"word {i}\nword{i} fell." for i in range(3)])
    assert np.array_equal(rows, expected)
    empty, none = read_vectors(chunks, [], 64)
    assert (empty.shape, none.shape) == ((0,), (0, 64))


def test_a_file_of_another_timeline_gives_way_to_what_the_database_has(tmp_path: Path) -> None:
    """A backup is put back beside a newer index file, and the same ids are given out again."""
    services = wire(tmp_path)
    services.indexer.add(story("Rain fell all day"))
    database = services.collection.database_file
    services.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = database.read_bytes()
    services.indexer.add(story("The dog was lost"))
    services.db.close()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(backup)
    services = wire(tmp_path)
    services.indexer.add(story("A kitten was saved"))
    assert services.verifier.verify().clean
    assert _holds_what_the_database_holds(services)
    services.close()
