import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import Attribution, Span
from index.chunking import Chunker, header
from index.sentences import sentence_spans
from tests.index.texts import texts

_TOKEN = re.compile(r"\w+|[^\w\s]")


def _words(text: str) -> list[tuple[int, int]]:
    """Return one token for each word and one for each mark."""
    return [match.span() for match in _TOKEN.finditer(text)]


def _characters(text: str) -> list[tuple[int, int]]:
    return [(i, i + 1) for i, character in enumerate(text) if not character.isspace()]


def _chunks(text: str, max_tokens: int, overlap: int = 0) -> list[str]:
    chunker = Chunker(_words, max_tokens=max_tokens, overlap_tokens=overlap)
    return [span.slice(text) for span in chunker.chunk(text)]


def _tokens(text: str, start: int, end: int) -> int:
    return sum(start <= first < end for first, _ in _words(text))


@pytest.mark.parametrize(
    ("attribution", "expected"),
    [
        (
            Attribution("Ferry aground", "The Ledger", "P. O.", "2025-05-11", "https://x.example"),
            "Ferry aground | The Ledger | 11 May 2025",
        ),
        (Attribution("Ferry aground"), "Ferry aground"),
        (Attribution("Ferry aground", None, None, "2025"), "Ferry aground | 2025"),
        (Attribution("Ferry aground", "The Ledger"), "Ferry aground | The Ledger"),
    ],
)
def test_the_header_names_title_publisher_and_date_as_far_as_known(
    attribution: Attribution, expected: str
) -> None:
    assert header(attribution) == expected


@pytest.mark.parametrize(("max_tokens", "overlap"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_an_overlap_as_long_as_a_chunk_is_refused(max_tokens: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        Chunker(_words, max_tokens=max_tokens, overlap_tokens=overlap)


@pytest.mark.parametrize("text", ["", " \n\n "])
def test_a_text_of_white_space_has_no_chunks(text: str) -> None:
    assert _chunks(text, 8) == []


def test_a_short_text_is_one_chunk_without_its_outer_white_space() -> None:
    assert _chunks("  One two. Three. \n", 8) == ["One two. Three."]


def test_a_chunk_takes_whole_sentences_until_it_is_full() -> None:
    # Each sentence is two tokens.
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 4) == ["Rain. Snow.", "Wind. Hail.", "Fog."]
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 5) == ["Rain. Snow.", "Wind. Hail.", "Fog."]
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 6) == ["Rain. Snow. Wind.", "Hail. Fog."]


def test_a_chunk_may_hold_more_than_one_paragraph() -> None:
    assert _chunks("Rain.\n\nSnow.\n\nWind.", 4) == ["Rain.\n\nSnow.", "Wind."]


def test_a_chunk_repeats_the_last_sentences_of_the_one_before() -> None:
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 6, overlap=2) == [
        "Rain. Snow. Wind.",
        "Wind. Hail. Fog.",
    ]
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 6, overlap=4) == [
        "Rain. Snow. Wind.",
        "Snow. Wind. Hail.",
        "Wind. Hail. Fog.",
    ]
    assert _chunks("Rain. Snow. Wind. Hail. Fog.", 6, overlap=1) == [
        "Rain. Snow. Wind.",
        "Hail. Fog.",
    ]


def test_an_overlap_never_pushes_the_next_sentence_out() -> None:
    # "Snow." could be repeated, but the four tokens after it then would not fit in.
    assert _chunks("Rain. Snow. See the cat.", 5, overlap=2) == ["Rain. Snow.", "See the cat."]


def test_a_sentence_that_is_too_long_is_cut_at_white_space() -> None:
    assert _chunks("one two three four five. Six.", 2) == [
        "one two",
        "three four",
        "five.",
        "Six.",
    ]


def test_a_word_of_many_tokens_is_not_cut_while_there_is_white_space_before_it() -> None:
    chunker = Chunker(_characters, max_tokens=6, overlap_tokens=0)
    text = "ab cde fghi"
    assert [span.slice(text) for span in chunker.chunk(text)] == ["ab cde", "fghi"]


def test_a_text_without_white_space_is_cut_between_two_tokens() -> None:
    chunker = Chunker(_characters, max_tokens=4, overlap_tokens=0)
    text = "市长昨天说新桥已经"
    assert chunker.chunk(text) == [Span(0, 4), Span(4, 8), Span(8, 9)]


@given(texts, st.integers(1, 12), st.data())
def test_chunks_cover_every_sentence_keep_to_the_limits_and_go_forward(
    text: str, max_tokens: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, max_tokens - 1))
    chunks = Chunker(_words, max_tokens=max_tokens, overlap_tokens=overlap).chunk(text)
    covered = {i for chunk in chunks for i in range(chunk.start, chunk.end)}
    assert {i for span in sentence_spans(text) for i in range(span.start, span.end)} <= {
        *covered,
        *(i for i, character in enumerate(text) if character.isspace()),
    }
    for chunk in chunks:
        assert _tokens(text, chunk.start, chunk.end) <= max_tokens
        assert chunk.slice(text) == chunk.slice(text).strip()
    for one, following in zip(chunks, chunks[1:], strict=False):
        assert one.start < following.start
        assert one.end < following.end
        assert _tokens(text, following.start, one.end) <= overlap


@given(texts, st.integers(20, 40))
def test_chunks_begin_and_end_with_a_sentence_where_all_are_short_enough(
    text: str, max_tokens: int
) -> None:
    sentences = sentence_spans(text)
    longest = max((_tokens(text, s.start, s.end) for s in sentences), default=0)
    chunks = Chunker(_words, max_tokens=max(max_tokens, longest), overlap_tokens=8).chunk(text)
    assert {chunk.start for chunk in chunks} <= {span.start for span in sentences}
    assert {chunk.end for chunk in chunks} <= {span.end for span in sentences}
