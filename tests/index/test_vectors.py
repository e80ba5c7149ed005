import json
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.encoder import Vectors, unit_rows
from index.vectors import Fingerprint, Ids, IndexFileError, VectorIndex

D = 3
EXACT, CELLS = 1000, 4  # exact_limit: with more than 4 vectors the second one divides into cells
FINGERPRINT = Fingerprint(
    build_id=1,
    encoder="tiny",
    weights_hash="0" * 64,
    dimension=D,
    chunker_version=1,
    header_version=1,
    count=0,
)


def _ids(*ids: int) -> Ids:
    return np.array(ids, dtype=np.int64)


def _rows(count: int, *, seed: int = 0, dimension: int = D) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dimension)))


def _index(ids: Ids, vectors: Vectors, exact_limit: int = EXACT) -> VectorIndex:
    return VectorIndex.build(ids, vectors, vectors.shape[1], exact_limit=exact_limit)


def _naive(
    stored: dict[int, Vectors], query: Vectors, top_k: int, allowed: list[int] | None = None
) -> list[tuple[int, float]]:
    scored = [
        (i, float(row @ query)) for i, row in stored.items() if allowed is None or i in allowed
    ]
    return sorted(scored, key=lambda pair: -pair[1])[:top_k]


def _same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> bool:
    """Return whether ids and scores agree; ids whose scores are all but equal may change places."""
    if len(found) != len(expected):
        return False
    scores = np.array([score for _, score in found]), np.array([score for _, score in expected])
    if not np.allclose(*scores, atol=1e-5):
        return False
    return all(i == j or abs(a - b) < 1e-5 for (i, a), (j, b) in zip(found, expected, strict=True))


def _saved(path: Path, count: int = 6, exact_limit: int = EXACT) -> Fingerprint:
    index = _index(np.arange(count, dtype=np.int64), _rows(count), exact_limit)
    fingerprint = replace(FINGERPRINT, count=count)
    index.save(path, fingerprint)
    return fingerprint


def test_search_returns_ids_and_inner_products_the_best_first() -> None:
    index = VectorIndex(2)
    index.add(_ids(7, 3, 5), np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32))
    found = index.search(np.array([0, 1], dtype=np.float32), 2)
    assert [chunk_id for chunk_id, _ in found] == [3, 5]
    assert [score for _, score in found] == pytest.approx([1.0, 0.8])


@pytest.mark.parametrize("top_k", [0, -1])
def test_a_search_for_nothing_finds_nothing(top_k: int) -> None:
    assert _index(_ids(1, 2), _rows(2)).search(_rows(1)[0], top_k) == []


def test_an_empty_index_finds_nothing() -> None:
    index = VectorIndex(D)
    assert (len(index), index.ids, index.exact) == (0, frozenset(), True)
    assert index.search(_rows(1)[0], 5) == []


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_a_search_that_asks_for_more_than_there_is_gets_what_there_is(exact_limit: int) -> None:
    index = _index(np.arange(9, dtype=np.int64), _rows(9), exact_limit)
    found = index.search(_rows(1, seed=1)[0], 50, allowed=list(range(9)))
    assert sorted(chunk_id for chunk_id, _ in found) == list(range(9))  # and no -1


def test_an_index_is_divided_into_cells_only_above_its_limit() -> None:
    assert _index(np.arange(4, dtype=np.int64), _rows(4), CELLS).exact
    assert not _index(np.arange(5, dtype=np.int64), _rows(5), CELLS).exact


def test_an_exact_index_tells_when_it_has_outgrown_its_form() -> None:
    exact = _index(np.arange(4, dtype=np.int64), _rows(4), CELLS)
    cells = _index(np.arange(5, dtype=np.int64), _rows(5), CELLS)
    assert [exact.outgrown(4), exact.outgrown(5), cells.outgrown(500)] == [False, True, False]


@settings(deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 12), st.integers(0, 10**6), st.sampled_from([EXACT, CELLS])
)
def test_a_filtered_search_agrees_with_a_naive_one_and_filters_before_it_cuts(
    count: int, top_k: int, seed: int, exact_limit: int
) -> None:
    ids = np.random.default_rng(seed).permutation(100)[:count].astype(np.int64)
    rows = _rows(count, seed=seed)
    query = _rows(1, seed=seed + 1)[0]
    allowed = sorted(ids.tolist())[::2] + [1000]  # an id that is not there does no harm
    found = _index(ids, rows, exact_limit).search(query, top_k, allowed=allowed)
    stored = dict(zip(ids.tolist(), rows, strict=True))
    assert _same(found, _naive(stored, query, top_k, allowed))


@settings(deadline=None)
@given(st.data())
def test_an_exact_index_agrees_with_a_naive_one_after_any_adding_and_removing(
    data: st.DataObject,
) -> None:
    index, stored = VectorIndex(D), dict[int, Vectors]()
    for step in range(data.draw(st.integers(1, 5))):
        drawn = data.draw(st.lists(st.integers(0, 50), unique=True))
        new = [chunk_id for chunk_id in drawn if chunk_id not in stored]
        rows = _rows(len(new), seed=step)
        index.add(_ids(*new), rows)
        stored.update(zip(new, rows, strict=True))
        gone = data.draw(st.lists(st.integers(0, 50), unique=True))
        assert index.remove(_ids(*gone)) == len(stored.keys() & set(gone))
        stored = {i: row for i, row in stored.items() if i not in gone}
    query = _rows(1, seed=99)[0]
    assert index.ids == stored.keys()
    assert len(index) == len(stored)
    assert _same(index.search(query, 8), _naive(stored, query, 8))
    for chunk_id, row in stored.items():
        assert index.vectors([chunk_id]).tolist() == [row.tolist()]


def test_an_index_in_cells_is_changed_as_an_exact_one_is() -> None:
    rows = _rows(40)
    index = _index(np.arange(30, dtype=np.int64), rows[:30], CELLS)
    index.add(np.arange(30, 40, dtype=np.int64), rows[30:])
    assert index.remove(_ids(3, 35, 77)) == 2
    assert index.ids == frozenset(range(40)) - {3, 35}
    kept = [i for i in range(40) if i not in (3, 35)]
    assert np.array_equal(index.vectors(kept), rows[kept])
    query = rows[3]
    found = index.search(query, 38, allowed=list(range(40)))
    assert _same(found, _naive({i: rows[i] for i in kept}, query, 38))


def test_an_index_in_cells_finds_a_vector_by_itself_without_looking_everywhere() -> None:
    # Ten well-parted groups: the cell of a vector holds the vector.
    centres = np.eye(10, dtype=np.float32)
    rows = unit_rows(np.repeat(centres, 10, axis=0) + 0.01 * _rows(100, dimension=10))
    index = _index(np.arange(100, dtype=np.int64), rows, CELLS)
    assert not index.exact
    for chunk_id in range(0, 100, 7):
        assert index.search(rows[chunk_id], 1)[0][0] == chunk_id
    assert len(index.search(rows[0], 100)) < 50


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_an_allowed_vector_is_found_though_all_others_are_nearer(exact_limit: int) -> None:
    near = unit_rows(np.array([[1, 0.001 * i, 0] for i in range(50)]))
    rows = np.concatenate([near, np.array([[-1, 0, 0]], dtype=np.float32)])
    index = _index(np.arange(51, dtype=np.int64), rows, exact_limit)
    found = index.search(np.array([1, 0, 0], dtype=np.float32), 1, allowed=[50])
    assert [chunk_id for chunk_id, _ in found] == [50]


def test_a_filter_that_allows_nothing_finds_nothing() -> None:
    assert _index(_ids(1, 2), _rows(2)).search(_rows(1)[0], 5, allowed=[]) == []


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_an_id_is_never_added_twice(exact_limit: int) -> None:
    index = _index(np.arange(6, dtype=np.int64), _rows(6), exact_limit)
    with pytest.raises(ValueError, match="already"):
        index.add(_ids(9, 5), _rows(2))
    with pytest.raises(ValueError, match="already"):
        index.add(_ids(9, 9), _rows(2))
    assert index.ids == frozenset(range(6))
    assert len(index.search(_rows(1)[0], 20, allowed=list(range(20)))) == 6


@pytest.mark.parametrize(
    ("ids", "vectors"),
    [
        (_ids(1), _rows(2)),
        (_ids(1, 2), _rows(1)),
        (_ids(1), _rows(1, dimension=D + 1)),
        (_ids(1), _rows(1)[0]),
        (_ids(1).reshape(1, 1), _rows(1)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(ids: Ids, vectors: Vectors) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        VectorIndex(D).add(ids, vectors)


def test_a_query_of_another_dimension_is_refused() -> None:
    index = _index(_ids(1), _rows(1))
    for query in (_rows(1, dimension=D - 1)[0], _rows(1)):
        with pytest.raises(ValueError, match="shape"):
            index.search(query, 1)


def test_an_index_needs_a_dimension() -> None:
    with pytest.raises(ValueError, match="dimension"):
        VectorIndex(0)


def test_vectors_that_are_not_there_are_an_error() -> None:
    index = _index(_ids(1, 2), _rows(2))
    assert index.vectors([]).shape == (0, D)
    with pytest.raises(KeyError, match="3"):
        index.vectors([1, 3])


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_a_copy_is_changed_alone(exact_limit: int) -> None:
    rows = _rows(8)
    index = _index(np.arange(8, dtype=np.int64), rows, exact_limit)
    twin = index.copy()
    twin.remove(_ids(0, 1))
    twin.add(_ids(20), rows[:1])
    assert twin.exact == index.exact
    assert index.ids == frozenset(range(8))
    assert twin.ids == frozenset(range(2, 8)) | {20}
    everything = list(range(30))
    assert {i for i, _ in index.search(rows[0], 30, allowed=everything)} == index.ids
    assert {i for i, _ in twin.search(rows[0], 30, allowed=everything)} == twin.ids
    assert np.array_equal(index.vectors(list(range(8))), rows)


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_an_index_comes_back_from_its_file_as_it_was(
    tmp_path: Path, count: int, exact_limit: int
) -> None:
    path, rows = tmp_path / "index.faiss", _rows(count)
    index = _index(np.arange(5, count + 5, dtype=np.int64), rows, exact_limit)
    index.save(path, replace(FINGERPRINT, count=count))
    loaded, fingerprint = VectorIndex.load(path, exact_limit=exact_limit)
    assert fingerprint == replace(FINGERPRINT, count=count)
    assert (loaded.ids, loaded.exact, loaded.dimension) == (index.ids, index.exact, D)
    query = _rows(1, seed=3)[0]
    assert loaded.search(query, 9) == index.search(query, 9)
    assert np.array_equal(loaded.vectors(sorted(loaded.ids)), rows)
    assert list(tmp_path.iterdir()) == [path]  # and leaves nothing else behind


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_an_index_from_a_file_can_be_changed(tmp_path: Path, exact_limit: int) -> None:
    path = tmp_path / "index.faiss"
    _saved(path, 10, exact_limit)
    loaded, _ = VectorIndex.load(path)
    assert loaded.remove(_ids(4)) == 1
    loaded.add(_ids(50), _rows(1))
    with pytest.raises(ValueError, match="already"):
        loaded.add(_ids(3), _rows(1))
    assert loaded.ids == (frozenset(range(10)) - {4}) | {50}
    found = loaded.search(_rows(1)[0], 20, allowed=list(range(60)))
    assert {chunk_id for chunk_id, _ in found} == loaded.ids


def test_the_file_is_one_that_faiss_reads_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    _saved(path)
    assert faiss.read_index(str(path)).ntotal == 6


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match="missing"):
        VectorIndex.load(tmp_path / "index.faiss")


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexFileError, match="cannot be read"):
        VectorIndex.load(tmp_path)


def test_a_file_that_was_cut_off_anywhere_is_told(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    _saved(path)
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        with pytest.raises(IndexFileError):
            VectorIndex.load(path)


@pytest.mark.parametrize("exact_limit", [EXACT, CELLS])
def test_a_flipped_bit_anywhere_is_told_or_changes_the_fingerprint(
    tmp_path: Path, exact_limit: int
) -> None:
    path = tmp_path / "index.faiss"
    fingerprint = _saved(path, exact_limit=exact_limit)
    raw = path.read_bytes()
    for place in range(len(raw)):
        damaged = bytearray(raw)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            _, found = VectorIndex.load(path)
        except IndexFileError:
            continue
        assert found != fingerprint, f"byte {place} was flipped and nothing noticed"
        assert place > raw.index(b'{"build_id"')  # every byte of the vectors is covered


@pytest.mark.parametrize("content", [b"", b"x", b"PQFAISS1", b"not an index" * 100, b"\x00" * 500])
def test_a_foreign_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "index.faiss"
    path.write_bytes(content)
    with pytest.raises(IndexFileError):
        VectorIndex.load(path)


def test_a_plain_file_of_faiss_is_foreign(tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    faiss.write_index(faiss.IndexFlatIP(D), str(path))
    with pytest.raises(IndexFileError, match="not Pullquote's"):
        VectorIndex.load(path)


@pytest.mark.parametrize("note", [{}, [], "x", {"sha256": "0"}, {"sha256": "0", "count": 1}])
def test_a_file_with_a_fingerprint_of_another_form_is_told(tmp_path: Path, note: object) -> None:
    path, encoded = tmp_path / "index.faiss", json.dumps(note).encode()
    path.write_bytes(b"body" + encoded + len(encoded).to_bytes(8, "big") + b"PQFAISS1")
    with pytest.raises(IndexFileError, match="fingerprint"):
        VectorIndex.load(path)


@pytest.mark.parametrize(
    "wrong",
    [{"count": 7}, {"dimension": D + 1}, {"dimension": 0}, {"dimension": -D}, {"dimension": "3"}],
)
def test_a_file_whose_content_is_not_what_it_says_is_told(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    path = tmp_path / "index.faiss"
    index = _index(np.arange(6, dtype=np.int64), _rows(6))
    index.save(path, replace(FINGERPRINT, **{"count": 6, **wrong}))  # type: ignore[arg-type]
    with pytest.raises(IndexFileError, match="does not match"):
        VectorIndex.load(path)


@pytest.mark.parametrize(
    "foreign",
    [
        faiss.IndexFlatIP(D),
        faiss.IndexIDMap(faiss.IndexFlatIP(D)),
        faiss.IndexHNSWFlat(D, 4),
        faiss.IndexLSH(D, 8),
        faiss.IndexIDMap2(faiss.IndexFlatL2(D)),  # its scores would be distances
    ],
    ids=lambda index: type(index).__name__,
)
def test_a_file_with_an_index_of_another_kind_is_told(tmp_path: Path, foreign: object) -> None:
    path, index = tmp_path / "index.faiss", VectorIndex(D)
    index._index = foreign
    index.save(path, FINGERPRINT)
    with pytest.raises(IndexFileError, match="another kind"):
        VectorIndex.load(path)


def test_a_file_whose_vectors_have_no_dimension_is_told(tmp_path: Path) -> None:
    path, index = tmp_path / "index.faiss", VectorIndex(D)
    index._index = faiss.IndexIDMap2(faiss.IndexFlatIP(0))
    index.save(path, replace(FINGERPRINT, dimension=0))
    with pytest.raises(IndexFileError, match="does not match"):
        VectorIndex.load(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.faiss"
    _saved(path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for call in ("os.fsync", "os.replace"):
        with monkeypatch.context() as patch:
            patch.setattr(call, full)
            with pytest.raises(OSError, match="No space"):
                _index(_ids(99), _rows(1)).save(path, replace(FINGERPRINT, count=1))
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
