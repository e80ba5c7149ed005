from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.encoder import BATCH_SIZE, Vectors, encode_sorted, unit_rows
from tests.fakes import HashEncoder
from tests.index.texts import texts


class _LengthRuntime:
    """Gives each text the row (its length, 0) and remembers what came together."""

    name = "lengths"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def run(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return np.array([[len(text), 0] for text in texts], dtype=np.float32)


def test_rows_are_scaled_to_length_one() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, -2.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, -1.0]], rtol=1e-6)
    assert rows.dtype == np.float32


def test_a_zero_row_stays_zero() -> None:
    assert unit_rows(np.zeros((1, 3))).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(FloatingPointError, match="not finite"):
        unit_rows(np.array([[1.0, 0.0], [wrong, 0.0]]))


def test_no_rows_stay_no_rows() -> None:
    assert unit_rows(np.empty((0, 3))).shape == (0, 3)


def test_rows_that_are_not_contiguous_are_scaled_as_well() -> None:
    wide = np.array([[3.0, 9.0, 4.0, 9.0]])
    rows = unit_rows(wide[:, ::2])
    np.testing.assert_allclose(rows, [[0.6, 0.8]], rtol=1e-6)
    assert rows.flags.c_contiguous
    assert wide.tolist() == [[3.0, 9.0, 4.0, 9.0]]


def test_texts_go_through_the_runtime_from_the_longest_to_the_shortest() -> None:
    runtime = _LengthRuntime()
    rows = encode_sorted(runtime, ["bb", "a", "dddd", "ccc"], 2)
    assert runtime.batches == [["dddd", "ccc", "bb", "a"]]
    assert rows[:, 0].tolist() == [2, 1, 4, 3]  # and come back in their own order


def test_texts_go_through_in_batches_and_each_is_told() -> None:
    runtime, told = _LengthRuntime(), list[int]()
    texts = ["x" * (i + 1) for i in range(2 * BATCH_SIZE + 3)]
    rows = encode_sorted(runtime, texts, 2, told.append)
    assert told == [len(batch) for batch in runtime.batches] == [BATCH_SIZE, BATCH_SIZE, 3]
    assert rows[:, 0].tolist() == [len(text) for text in texts]


def test_no_texts_are_no_rows_and_no_batch() -> None:
    runtime, told = _LengthRuntime(), list[int]()
    rows = encode_sorted(runtime, [], 2, told.append)
    assert rows.shape == (0, 2)
    assert rows.dtype == np.float32
    assert runtime.batches == []
    assert told == []


@given(st.lists(texts, max_size=40))
def test_every_text_gets_the_row_that_it_would_get_alone(many: list[str]) -> None:
    rows = encode_sorted(_LengthRuntime(), many, 2)
    assert rows[:, 0].tolist() == [len(text) for text in many]


@pytest.mark.parametrize("text", ["", "😀", "The mayors opened a bridge.", "市长"])
def test_the_encoder_of_the_tests_gives_unit_rows_and_true_token_spans(text: str) -> None:
    encoder = HashEncoder()
    assert float(np.linalg.norm(encoder.encode_query(text))) == pytest.approx(1)
    assert encoder.encode_documents([text])[0].tolist() == encoder.encode_query(text).tolist()
    inked = [character for character in text if not character.isspace()]
    assert list("".join(text[a:b] for a, b in encoder.token_spans(text))) == inked


def test_the_encoder_of_the_tests_finds_texts_that_share_words_similar() -> None:
    encoder = HashEncoder()
    query = encoder.encode_query("Which bridge did the mayor open?")
    near, far = encoder.encode_documents(["The mayor opened a bridge.", "Rain fell on Tuesday."])
    assert near @ query > 0.5 > far @ query
