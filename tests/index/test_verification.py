import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import index.verification
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk
from data.errors import UserError
from data.models import Attribution, Span
from index.encoder import Vectors
from index.live import fingerprint, read_vectors
from index.vectors import VectorIndex
from index.verification import Report
from tests.fakes import HashEncoder, Wiring, story, wire

MAYOR = story("The mayor opened the bridge.", title="Bridge", source="Herald", external_id="m")
FERRY = story("The ferry ran aground.", title="Ferry", source="Gazette", external_id="f")


@pytest.fixture
def stocked(services: Wiring) -> Wiring:
    """Two stories of one chunk each: chunks and revisions 1 and 2."""
    services.indexer.add(MAYOR)
    services.indexer.add(FERRY)
    return services


def _many(services: Wiring, count: int) -> None:
    for i in range(count):
        services.indexer.add(story(f"Word{i} fell.", title=f"Day {i}"))


def _live(services: Wiring) -> Build:
    build = BuildStore(services.db).get(BuildState.LIVE)
    if build is None:
        raise AssertionError("there is no live build")
    return build


def _run(services: Wiring, sql: str, *values: object) -> None:
    services.db.execute("PRAGMA foreign_keys = OFF")
    services.db.execute("PRAGMA ignore_check_constraints = ON")
    services.db.execute(sql, list(values))
    services.db.execute("PRAGMA ignore_check_constraints = OFF")
    services.db.execute("PRAGMA foreign_keys = ON")


def _set_vector(services: Wiring, chunk_id: int, data: bytes) -> None:
    """Store a vector as a program would that also keeps the checksum in step."""
    sql = "UPDATE chunks SET vector = ?, checksum = ? WHERE id = ?"
    _run(services, sql, data, zlib.crc32(data), chunk_id)


def _dump(services: Wiring) -> list[str]:
    return list(services.db.conn.iterdump())


def test_an_empty_collection_is_clean(services: Wiring) -> None:
    assert services.verifier.verify() == Report(0, 0, 0, (), ())
    services.indexer.rebuild()
    assert services.verifier.verify() == Report(0, 0, 0, (), ())


def test_a_sound_collection_is_clean_and_counted(stocked: Wiring) -> None:
    report = stocked.verifier.verify()
    assert report == Report(stories=2, chunks=2, reencoded=2, problems=(), notes=())
    assert report.clean


def test_a_collection_with_history_and_a_previous_build_is_clean(stocked: Wiring) -> None:
    stocked.indexer.edit("m", Attribution("Bridge opened"))
    stocked.indexer.add(replace(FERRY, text="The ferry floats again."))
    stocked.indexer.rebuild()
    stocked.indexer.remove("m")
    assert stocked.verifier.verify(deep=True) == Report(1, 1, 1, (), ())


def test_verifying_changes_nothing(stocked: Wiring, other: Wiring) -> None:
    index_file = stocked.collection.index_file.read_bytes()
    before = _dump(stocked)
    assert other.verifier.verify(deep=True).clean
    assert _dump(stocked) == before
    assert stocked.collection.index_file.read_bytes() == index_file


def test_a_collection_can_be_written_while_it_is_verified(stocked: Wiring, other: Wiring) -> None:
    added: list[str] = []

    def add(*_: int) -> None:
        other.db.execute("PRAGMA busy_timeout = 0")  # and nobody has to wait
        added.append(other.indexer.add(story("Rain fell.", title="Rain")).revision.article_id)

    assert stocked.verifier.verify(on_progress=add) == Report(2, 2, 2, (), ())
    assert len(added) == 1
    assert stocked.verifier.verify() == Report(3, 3, 3, (), ())


def test_a_collection_can_be_verified_while_it_is_written(stocked: Wiring, other: Wiring) -> None:
    stocked.db.execute("PRAGMA busy_timeout = 0")
    other.db.execute("BEGIN IMMEDIATE")
    report = stocked.verifier.verify()
    other.db.execute("ROLLBACK")
    assert (report.problems, report.reencoded) == ((), 2)
    (note,) = report.notes
    assert "not checked" in note
    assert stocked.verifier.verify().notes == ()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "UPDATE revisions SET text = replace(text, 'mayor', 'miner') WHERE id = 1",
            "The text of revision(s) 1 no longer matches its hash.",
        ),
        (
            "UPDATE revisions SET sha256 = '0' WHERE id = 2",
            "The text of revision(s) 2 no longer matches its hash.",
        ),
        (
            "UPDATE revisions SET title = 'Tunnel' WHERE id = 1",
            "The full-text row of chunk(s) 1 is missing or wrong.",
        ),
        (
            "UPDATE revisions SET source = 'Gazette' WHERE id = 1",
            "The full-text row of chunk(s) 1 is missing or wrong.",
        ),
        (
            "UPDATE revisions SET published_at = '2024' WHERE id = 1",
            "The full-text row of chunk(s) 1 is missing or wrong.",
        ),
        (
            'UPDATE chunks SET "end" = 29 WHERE id = 1',
            "Chunk(s) 1 reach beyond their story's text.",
        ),
        (
            "UPDATE chunks SET start = 4 WHERE id = 2",
            "The full-text row of chunk(s) 2 is missing or wrong.",
        ),
        (
            "UPDATE chunks SET revision_id = 1 WHERE id = 2",
            "Revision(s) 2 have no chunk.",
        ),
        ("DELETE FROM chunks WHERE id = 1", "Revision(s) 1 have no chunk."),
        (
            "UPDATE chunks SET start = 4 WHERE id = 1",
            "The chunks of revision(s) 1 leave out a part of the text.",
        ),
        (
            'UPDATE chunks SET "end" = 21 WHERE id = 2',
            "The chunks of revision(s) 2 leave out a part of the text.",
        ),
        (
            "DELETE FROM chunks_fts WHERE rowid = 2",
            "The full-text row of chunk(s) 2 is missing or wrong.",
        ),
        (
            "UPDATE chunks_fts SET body = 'something else' WHERE rowid = 1",
            "The full-text row of chunk(s) 1 is missing or wrong.",
        ),
        (
            "INSERT INTO chunks_fts (rowid, body) VALUES (99, 'stray')",
            "The full-text row of chunk(s) 99 is missing or wrong.",
        ),
        ("DELETE FROM chunks_fts_data WHERE id > 10", "The full-text index is damaged."),
        (
            "UPDATE chunks SET vector = zeroblob(256) WHERE id = 1",
            "The vector of chunk(s) 1 is damaged.",
        ),
        ("UPDATE chunks SET checksum = 0 WHERE id = 2", "The vector of chunk(s) 2 is damaged."),
        (
            "UPDATE builds SET weights_hash = 'another'",
            "The index file was made from something else than this database.",
        ),
        (
            "UPDATE builds SET state = 'previous'",
            "There are stories but no index; run `rebuild`.",
        ),
        ("DELETE FROM builds", "2 row(s) belong to something that is not there."),
        ("DELETE FROM revisions WHERE id = 2", "3 row(s) belong to something that is not there."),
    ],
)
def test_what_was_altered_in_the_database_is_found(
    stocked: Wiring, sql: str, expected: str
) -> None:
    _run(stocked, sql)
    report = stocked.verifier.verify()
    assert expected in report.problems
    assert not report.clean


LONG = " ".join(f"The mayor opened bridge number {i} of the town." for i in range(150))


@pytest.mark.parametrize("place", [1, 2, -1])  # of all chunks, the first being another story's
def test_a_story_that_lost_one_of_its_chunks_is_found(services: Wiring, place: int) -> None:
    services.indexer.add(MAYOR)
    services.indexer.add(replace(FERRY, text=LONG))
    services.indexer.rebuild()
    assert services.verifier.verify().clean
    ids = ChunkStore(services.db).ids(_live(services).id)
    assert len(ids) > 5
    _run(services, "DELETE FROM chunks WHERE id = ?", ids[place])
    assert services.verifier.verify().problems == (
        "The chunks of revision(s) 2 leave out a part of the text.",
    )


@pytest.mark.parametrize("text", ["One.\n\n\n Two.", "\n One. Two. \u2028", LONG, "字" * 3000])
def test_white_space_is_all_that_chunks_leave_out(services: Wiring, text: str) -> None:
    services.indexer.add(story(text))
    assert services.verifier.verify().problems == ()


DATED = story(title="Tunnel", date="2024-02", url="http://www.Herald.example/tunnel/?id=1#top")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE revisions SET first_day = '2024-02-02' WHERE id = 3",
        "UPDATE revisions SET last_day = '2024-03-01' WHERE id = 3",
        "UPDATE revisions SET first_day = NULL, last_day = NULL WHERE id = 3",
        "UPDATE revisions SET published_at = '2025-02' WHERE id = 3",
        "UPDATE revisions SET published_at = NULL WHERE id = 3",
        "UPDATE revisions SET url = 'https://gazette.example/tunnel?id=1' WHERE id = 3",
        "UPDATE revisions SET url = 'https://[' WHERE id = 3",
        "UPDATE revisions SET url = NULL WHERE id = 3",
        "UPDATE articles SET canonical_url = 'https://x.example' WHERE revision_id = 3",
        "UPDATE articles SET canonical_url = NULL WHERE revision_id = 3",
    ],
)
def test_an_altered_date_or_link_is_found(stocked: Wiring, sql: str) -> None:
    stocked.indexer.add(DATED)
    assert stocked.verifier.verify().clean
    _run(stocked, sql)
    problems = stocked.verifier.verify().problems
    assert "The date or link of revision(s) 3 was altered." in problems


def test_an_earlier_revision_keeps_its_own_date_and_link(stocked: Wiring) -> None:
    article = stocked.indexer.add(DATED).revision.article_id
    stocked.indexer.edit(article, Attribution("Tunnel", url="https://herald.example/moved"))
    assert stocked.verifier.verify().clean
    _run(stocked, "UPDATE revisions SET last_day = NULL WHERE id = 3")
    assert stocked.verifier.verify().problems == ("The date or link of revision(s) 3 was altered.",)


def test_what_sqlite_itself_finds_is_told_and_nothing_further_is_read(stocked: Wiring) -> None:
    _run(stocked, "UPDATE builds SET state = 'odd'")
    report = stocked.verifier.verify()
    assert (report.stories, report.chunks, report.reencoded) == (0, 0, 0)
    (problem,) = report.problems
    assert problem.startswith("The database file is damaged: CHECK constraint failed")


def test_a_story_without_a_current_revision_is_found(stocked: Wiring) -> None:
    mayor = stocked.articles.get("m").article_id
    _run(stocked, "UPDATE articles SET revision_id = NULL WHERE id = ?", mayor)
    assert f"Story {mayor} has no current revision." in stocked.verifier.verify().problems


def test_a_story_that_shows_another_storys_revision_is_found(stocked: Wiring) -> None:
    mayor = stocked.articles.get("m").article_id
    _run(stocked, "UPDATE articles SET revision_id = 2 WHERE id = ?", mayor)
    assert f"Story {mayor} has no current revision." in stocked.verifier.verify().problems


def test_a_chunk_of_an_earlier_revision_is_found(stocked: Wiring) -> None:
    old = stocked.articles.get("m")
    stocked.indexer.add(replace(MAYOR, text="The mayor closed the tunnel."))
    vector = stocked.encoder.encode_query("x").tobytes()
    (late,) = ChunkStore(stocked.db).add(
        _live(stocked).id, old, [NewChunk(Span(0, 9), vector)], searchable=True
    )
    assert stocked.verifier.verify().problems == (
        f"Chunk(s) {late} belong to a revision that is not current.",
    )


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(64),
        np.full(64, np.nan),
        np.full(64, np.inf),
        np.eye(64)[0] * 1.01,
        np.eye(63)[0],
    ],
    ids=["zero", "not a number", "infinite", "too long", "another dimension"],
)
def test_a_vector_that_is_no_unit_vector_is_found_though_its_checksum_fits(
    stocked: Wiring, vector: Vectors
) -> None:
    _set_vector(stocked, 2, vector.astype("<f4").tobytes())
    assert "The vector of chunk(s) 2 is damaged." in stocked.verifier.verify().problems


def test_a_vector_of_something_else_is_found_in_the_index_file_or_by_encoding(
    stocked: Wiring,
) -> None:
    _set_vector(stocked, 1, np.eye(64, dtype="<f4")[0].tobytes())
    report = stocked.verifier.verify()
    assert report.problems == ("The index file holds another vector for chunk(s) 1.",)
    stocked.collection.index_file.unlink()
    report = stocked.verifier.verify()
    assert report.problems == ("The vector of chunk(s) 1 is not what the encoder gives.",)
    assert report.reencoded == 2


def test_a_vector_that_is_almost_what_the_encoder_gives_is_right(stocked: Wiring) -> None:
    stocked.collection.index_file.unlink()
    row = np.frombuffer(ChunkStore(stocked.db).vectors([1])[0].data, dtype="<f4")
    other = np.eye(64, dtype="<f4")[int(np.argmin(row))]
    for share, clean in ((0.03, True), (0.1, False)):  # cosines .9996 and .995
        mixed = row + share * other
        _set_vector(stocked, 1, (mixed / np.linalg.norm(mixed)).astype("<f4").tobytes())
        assert stocked.verifier.verify().clean is clean


def _write_index(
    services: Wiring, change: Callable[[VectorIndex], object], **about: object
) -> None:
    """Write an index file with a sound checksum whose content or fingerprint is changed."""
    build = _live(services)
    chunks = ChunkStore(services.db)
    ids, vectors = read_vectors(chunks, chunks.ids(build.id), 64)
    index = VectorIndex.build(ids, vectors, 64)
    change(index)
    note = replace(fingerprint(build, len(index)), **about)  # type: ignore[arg-type]
    index.save(services.collection.index_file, note)


def test_an_index_file_with_another_vector_is_found(stocked: Wiring) -> None:
    def swap(index: VectorIndex) -> None:
        one, two = index.vectors([1, 2])
        index.remove(np.array([1, 2]))
        index.add(np.array([2, 1]), np.stack([one, two]))

    _write_index(stocked, swap)
    assert stocked.verifier.verify().problems == (
        "The index file holds another vector for chunk(s) 1, 2.",
    )


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_damaged_index_file_is_found(stocked: Wiring, keep: int) -> None:
    path = stocked.collection.index_file
    path.write_bytes(path.read_bytes()[:keep])
    (problem,) = stocked.verifier.verify().problems
    assert problem.startswith("The index file cannot be used (it is truncated")


def test_a_flipped_byte_in_the_index_file_is_found(stocked: Wiring) -> None:
    raw = bytearray(stocked.collection.index_file.read_bytes())
    raw[200] ^= 1
    stocked.collection.index_file.write_bytes(raw)
    (problem,) = stocked.verifier.verify().problems
    assert problem.startswith("The index file cannot be used (its checksum is wrong)")


@pytest.mark.parametrize(
    "about",
    [{"encoder": "other"}, {"weights_hash": "f" * 64}, {"chunker_version": 9}, {"build_id": 9}],
)
def test_an_index_file_made_from_something_else_is_found(
    stocked: Wiring, about: dict[str, object]
) -> None:
    _write_index(stocked, len, **about)
    assert stocked.verifier.verify().problems == (
        "The index file was made from something else than this database.",
    )


def test_an_index_file_of_an_earlier_build_heals_and_is_no_problem(stocked: Wiring) -> None:
    before = stocked.collection.index_file.read_bytes()
    stocked.indexer.rebuild()
    stocked.collection.index_file.write_bytes(before)
    report = stocked.verifier.verify()
    assert (report.problems, len(report.notes)) == ((), 1)
    assert "earlier build" in report.notes[0]


def test_an_index_file_that_is_behind_heals_and_is_no_problem(stocked: Wiring) -> None:
    _write_index(stocked, lambda index: index.remove(np.array([2])))
    report = stocked.verifier.verify()
    assert (report.problems, len(report.notes)) == ((), 1)
    assert "1 chunk(s) behind" in report.notes[0]
    assert report.reencoded == 2


def test_a_missing_index_file_heals_and_is_no_problem(stocked: Wiring) -> None:
    stocked.collection.index_file.unlink()
    report = stocked.verifier.verify()
    assert (report.clean, len(report.notes)) == (True, 1)
    assert "missing" in report.notes[0]


def test_several_problems_are_all_told(stocked: Wiring) -> None:
    _run(stocked, "UPDATE chunks_fts SET body = 'x' WHERE rowid = 1")
    _run(stocked, "UPDATE chunks SET checksum = 0 WHERE id = 2")
    stocked.collection.index_file.write_bytes(b"")
    report = stocked.verifier.verify()
    assert [problem.split()[1] for problem in report.problems] == ["full-text", "vector", "index"]
    assert report.reencoded == 0  # vectors are compared with the encoder's only where all is sound


def test_of_many_the_first_few_are_named(services: Wiring) -> None:
    _many(services, 7)
    _run(services, "UPDATE chunks SET checksum = 0 WHERE id <= 5")
    assert services.verifier.verify().problems == (
        "The vector of chunk(s) 1, 2, 3, 4, 5 is damaged.",
    )
    _run(services, "UPDATE chunks SET checksum = 0")
    assert services.verifier.verify().problems == (
        "The vector of chunk(s) 1, 2, 3, 4, 5 and 2 more is damaged.",
    )


def test_a_sample_is_encoded_again_or_all_that_there_is(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.verification, "SAMPLE", 4)
    _many(services, 10)
    services.encoder.encoded.clear()
    assert services.verifier.verify().reencoded == 4
    assert len(set(services.encoder.encoded)) == 4
    services.encoder.encoded.clear()
    told: list[tuple[int, int]] = []
    report = services.verifier.verify(deep=True, on_progress=lambda *at: told.append(at))
    assert (report.reencoded, told) == (10, [(4, 10), (8, 10), (10, 10)])
    assert sorted(services.encoder.encoded) == sorted(f"Day {i}\nWord{i} fell." for i in range(10))


def test_a_deep_look_finds_the_one_wrong_vector_of_many(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.verification, "SAMPLE", 4)
    _many(services, 10)
    services.collection.index_file.unlink()
    _set_vector(services, 7, np.eye(64, dtype="<f4")[0].tobytes())
    assert services.verifier.verify(deep=True).problems == (
        "The vector of chunk(s) 7 is not what the encoder gives.",
    )


def test_an_encoder_that_is_another_one_now_is_told(stocked: Wiring) -> None:
    changed = wire(stocked.home, load=lambda name: HashEncoder(name, weights="others"))
    with pytest.raises(UserError, match="weights.*changed"):
        changed.verifier.verify()
    changed.close()


def test_vectors_are_compared_with_those_of_the_encoder_that_made_them(stocked: Wiring) -> None:
    stocked.indexer.rebuild(encoder="other")
    assert stocked.verifier.verify(deep=True) == Report(2, 2, 2, (), ())
