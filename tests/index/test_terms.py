import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.terms import coverage, question_terms, term_weights, terms
from tests.index.texts import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ("... !?", set()),
        ("The mayors opened bridges", {"the", "mayor", "open", "bridg"}),
        ("OPENED, opening; opens", {"open"}),
        ("U.S. 3.5 snake_case", {"u", "s", "3", "5", "snake", "case"}),
        ("市长说", {"市", "长", "说"}),
        ("Cafe\u0301", {"café"}),
    ],
)
def test_terms_are_the_distinct_stemmed_words(text: str, expected: set[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which bridges has the mayor opened?", ("bridg", "mayor", "open")),
        ("opened open opening", ("open",)),
        ("Who is he?", ("who", "is", "he")),  # nothing but stop words: all of them
        ("", ()),
        ("?!", ()),
    ],
)
def test_the_terms_of_a_question_are_its_content_words_in_order(
    question: str, expected: tuple[str, ...]
) -> None:
    assert question_terms(question) == expected


@given(texts)
def test_every_term_of_a_question_is_a_term_of_its_text(question: str) -> None:
    assert set(question_terms(question)) <= terms(question)


def test_a_rare_term_weighs_more_by_inverse_document_frequency() -> None:
    found = [frozenset({"mayor", "bridg"}), frozenset({"mayor"}), frozenset({"rain"})]
    weights = term_weights(["mayor", "bridg", "zebra"], found)
    assert weights == {
        "mayor": pytest.approx(math.log(1 + 1.5 / 2.5)),
        "bridg": pytest.approx(math.log(1 + 2.5 / 1.5)),
        "zebra": pytest.approx(math.log(1 + 3.5 / 0.5)),
    }


@given(st.lists(st.frozensets(st.sampled_from("abc")), max_size=8))
def test_every_weight_is_above_zero(found: list[frozenset[str]]) -> None:
    assert all(weight > 0 for weight in term_weights("abc", found).values())


def test_coverage_is_the_share_of_the_weight_that_was_found() -> None:
    weights = {"mayor": 1.0, "bridg": 3.0}
    assert coverage(weights, frozenset({"bridg", "rain"})) == 0.75
    assert coverage(weights, frozenset({"mayor", "bridg"})) == 1.0
    assert coverage(weights, frozenset({"rain"})) == 0.0
    assert coverage(weights, frozenset()) == 0.0


def test_a_question_without_terms_is_covered_by_nothing() -> None:
    assert coverage({}, frozenset({"mayor"})) == 0.0
