import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import data.segmenter
from data.segmenter import sentence_ranges


def test_sentences_are_ranges_of_the_text() -> None:
    text = "It rained. Nobody came."
    assert [text[a:b].strip() for a, b in sentence_ranges(text)] == ["It rained.", "Nobody came."]


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\u202f", "\u3000"])
def test_a_wide_blank_between_an_initial_and_its_full_stop_is_read(blank: str) -> None:
    text = f"O{blank}. Then it rained."
    assert sentence_ranges(text)[-1][1] == len(text)


def test_a_panic_of_the_segmenter_makes_one_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class PanicException(BaseException):  # noqa: N818  # its name in the library
        pass

    def fail(language: str, text: str) -> None:
        raise PanicException

    monkeypatch.setattr(data.segmenter, "get_sentence_boundaries", fail)
    caplog.set_level(logging.WARNING)
    assert sentence_ranges("One. Two.") == [(0, 9)]
    assert "failed" in caplog.text


def test_another_error_is_not_taken_for_a_panic(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(language: str, text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data.segmenter, "get_sentence_boundaries", fail)
    with pytest.raises(KeyboardInterrupt):
        sentence_ranges("One. Two.")


@given(st.text(st.sampled_from("OÉa.!? \u00a0\u2009\u3000\n“”😀"), max_size=30))
def test_any_text_has_ranges_in_order(text: str) -> None:
    ranges = sentence_ranges(text)
    assert all(0 <= a < b <= len(text) for a, b in ranges)
    assert ranges == sorted(ranges)
