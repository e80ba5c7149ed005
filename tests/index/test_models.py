from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import Filters, Span
from index.models import Answer, Citation, Reason, Speaker
from tests.fakes import evidence, passage, revision
from tests.index.texts import stories

STORY = revision("Rain fell. 😀 The mayor spoke.")


def test_a_quote_is_cut_out_of_its_revision_in_code_points() -> None:
    citation = Citation(1, STORY, Span(13, 29), 0.5)
    assert citation.quote == "The mayor spoke."
    assert Citation(1, STORY, Span(11, 12), 0.5).quote == "😀"


@given(stories, st.data())
def test_a_quote_is_always_the_slice(text: str, data: st.DataObject) -> None:
    story = revision(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert Citation(1, story, Span(start, end), 0.5).quote == story.text[start:end]


def test_a_quote_cannot_be_handed_in_or_changed() -> None:
    with pytest.raises(TypeError):
        Citation(1, STORY, Span(0, 4), 0.5, quote="Snow")  # type: ignore[call-arg]
    with pytest.raises(FrozenInstanceError):
        Citation(1, STORY, Span(0, 4), 0.5).quote = "Snow"  # type: ignore[misc]


def test_a_quote_is_not_cut_unless_that_is_said() -> None:
    citation = Citation(1, STORY, Span(13, 29), 0.5)
    assert (citation.cut_before, citation.cut_after) == (False, False)


def test_value_objects_cannot_be_changed() -> None:
    values = [
        (passage(STORY), "rank"),
        (evidence(STORY, Span(0, 10)), "span"),
        (Speaker("Ann Lee"), "name"),
        (Answer("Why?", (), Reason.NO_PASSAGE, 0.0, Filters()), "reason"),
    ]
    for value, field in values:
        with pytest.raises(FrozenInstanceError):
            setattr(value, field, None)


def test_a_quote_beyond_the_text_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="30"):
        Citation(1, STORY, Span(20, 30), 0.5)
    assert Citation(1, STORY, Span(20, 29), 0.5).quote == "or spoke."


@pytest.mark.parametrize("highlight", [Span(0, 5), Span(12, 14), Span(28, 30), Span(0, 29)])
def test_a_highlight_outside_the_quote_cannot_be_built(highlight: Span) -> None:
    with pytest.raises(ValueError, match="highlight"):
        Citation(1, STORY, Span(13, 29), 0.5, highlight)


def test_a_highlight_is_also_told_inside_the_quote() -> None:
    citation = Citation(1, STORY, Span(13, 29), 0.5, Span(17, 22))
    assert citation.highlight_in_quote == (4, 9)
    start, end = citation.highlight_in_quote
    assert citation.quote[start:end] == "mayor"
    assert Citation(1, STORY, Span(13, 29), 0.5).highlight_in_quote is None


def test_a_passage_is_its_slice_without_a_header() -> None:
    assert passage(STORY, Span(13, 22)).text == "The mayor"


def test_evidence_is_ordered_by_its_strength_or_else_by_its_score() -> None:
    assert evidence(STORY, Span(0, 10), score=0.5).rank_score == 0.5
    assert evidence(STORY, Span(0, 10), score=0.5, strength=0.0).rank_score == 0.0


def test_an_answer_has_either_quotes_or_a_reason() -> None:
    citation = Citation(1, STORY, Span(0, 10), 0.5)
    assert Answer("Why?", (citation,), None, 0.5, Filters()).answered
    assert not Answer("Why?", (), Reason.LOW_CONFIDENCE, 0.1, Filters()).answered
    with pytest.raises(ValueError, match="either"):
        Answer("Why?", (), None, 0.5, Filters())
    with pytest.raises(ValueError, match="either"):
        Answer("Why?", (citation,), Reason.LOW_CONFIDENCE, 0.5, Filters())
