import unicodedata
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import (
    Attribution,
    Filters,
    Revision,
    Span,
    folded,
    is_collection_name,
    normalise,
    text_hash,
)

SPANS = st.tuples(st.integers(0, 30), st.integers(1, 30)).map(lambda t: Span(t[0], t[0] + t[1]))


def _points(span: Span) -> set[int]:
    return set(range(span.start, span.end))


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 3), (4, 2), (-1, 2), (-2, -1)])
def test_refuses_a_span_that_is_empty_reversed_or_negative(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span"):
        Span(start, end)


def test_a_span_covers_its_first_point_and_not_its_last() -> None:
    assert Span(1, 3).slice("abcd") == "bc"
    assert Span(3, 4).slice("abcd") == "d"
    assert len(Span(1, 3)) == 2


def test_a_span_counts_code_points_and_not_bytes_or_utf16_units() -> None:
    assert Span(1, 3).slice("😀é中x") == "é中"


def test_refuses_to_slice_beyond_the_text() -> None:
    with pytest.raises(ValueError, match="ends at 5, text has 4"):
        Span(2, 5).slice("abcd")


def test_spans_are_ordered_by_start_then_end() -> None:
    assert sorted([Span(2, 3), Span(0, 9), Span(0, 2)]) == [Span(0, 2), Span(0, 9), Span(2, 3)]


@pytest.mark.parametrize(
    ("one", "other", "overlap", "contained"),
    [
        ((0, 4), (4, 6), False, False),  # they touch
        ((0, 4), (3, 6), True, False),
        ((0, 4), (1, 3), True, True),
        ((0, 4), (0, 4), True, True),
        ((1, 3), (0, 4), True, False),  # the other way round
        ((0, 2), (5, 6), False, False),
    ],
)
def test_tells_how_two_spans_lie(
    one: tuple[int, int], other: tuple[int, int], overlap: bool, contained: bool
) -> None:
    assert Span(*one).overlaps(Span(*other)) is overlap
    assert Span(*one).contains(Span(*other)) is contained


@given(SPANS, SPANS)
def test_overlaps_and_contains_agree_with_sets_of_points(one: Span, other: Span) -> None:
    assert one.overlaps(other) == bool(_points(one) & _points(other))
    assert one.contains(other) == (_points(other) <= _points(one))
    assert len(one) == len(_points(one))


@given(st.text(min_size=1), SPANS)
def test_a_slice_is_exactly_the_points_of_its_span(text: str, span: Span) -> None:
    if span.end > len(text):
        with pytest.raises(ValueError, match="span ends"):
            span.slice(text)
    else:
        assert span.slice(text) == "".join(text[i] for i in sorted(_points(span)))


def test_normalising_composes_letters() -> None:
    assert normalise("Cafe\u0301") == "Caf\u00e9"


def test_normalising_leaves_white_space_and_compatibility_letters_alone() -> None:
    text = "  \ufb01ne\u00a0print \u2014 \u00bd\r\n\t"
    assert normalise(text) == text


@given(st.text())
def test_normal_form_does_not_depend_on_how_the_text_was_composed(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(unicodedata.normalize("NFD", text)) == once


@given(st.text(min_size=1), st.data())
def test_spans_that_tile_a_normalised_text_give_it_back(text: str, data: st.DataObject) -> None:
    text = normalise(text)
    cuts = data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)}
    edges = sorted(cuts)
    spans = [Span(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    assert "".join(span.slice(text) for span in spans) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BBC News", "bbc news"),
        (" Reuters ", "Reuters"),
        ("Stra\u00dfe", "STRASSE"),
        ("Le Caf\u00e9", "LE CAFE\u0301"),
    ],
)
def test_folding_makes_two_spellings_of_a_name_equal(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_folding_keeps_different_names_apart() -> None:
    assert folded("BBC News") != folded("BBC Sport")
    assert folded(None) is None


def test_hashes_the_utf8_bytes_with_sha256() -> None:
    # FIPS 180-2, appendix B.1: the digest of "abc".
    assert text_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert text_hash("Caf\u00e9") != text_hash("Cafe\u0301")


def test_refuses_a_revision_whose_text_is_not_the_one_that_was_hashed() -> None:
    with pytest.raises(ValueError, match="revision 7 does not match"):
        Revision(7, "abcdefg", None, "He said no.", text_hash("He said yes."), Attribution("T"), "")


def test_a_revision_cannot_be_edited() -> None:
    revision = Revision(1, "abcdefg", None, "Yes.", text_hash("Yes."), Attribution("T"), "")
    with pytest.raises(FrozenInstanceError):
        revision.text = "No."  # type: ignore[misc]


def test_filters_are_true_when_one_restricts() -> None:
    assert not Filters()
    assert Filters(source="BBC")
    assert Filters(after="2024-01-01")
    assert Filters(before="2024-01-01")
    assert Filters(article="abcdefg")


@pytest.mark.parametrize("name", ["shared", "7", "guild_123-a", "a" * 64])
def test_accepts_a_name_that_can_be_a_folder(name: str) -> None:
    assert is_collection_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "../x", "a/b", "a b", "Shared", "-x", "a\n", "é", "a" * 65]
)
def test_refuses_a_name_that_could_leave_its_folder_or_clash(name: str) -> None:
    assert not is_collection_name(name)
