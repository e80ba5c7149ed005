import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import Span
from index.highlight import AnswerType, answer_type, highlight, typed_spans
from index.sentences import sentence_spans
from tests.index.texts import texts

QUESTIONS = (
    "Who opened the bridge?",
    "When did the ferry sail?",
    "How many people were there?",
    "What did the mayor say?",
    "Where is the bridge?",
)
WORDS = ("Ann", "Lee,", "O’Neil", "12", "million", "May", "2024", "“it”", "said", "on", "three")


def _highlighted(question: str, sentence: str) -> str | None:
    found = highlight(question, sentence, Span(0, len(sentence)))
    return None if found is None else found.slice(sentence)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who opened the bridge?", AnswerType.PERSON),
        ("Whose bridge is it?", AnswerType.PERSON),
        ("To whom was it sold?", AnswerType.PERSON),
        ("When did it open?", AnswerType.TIME),
        ("In which year did it open?", AnswerType.TIME),
        ("WHAT DAY was it?", AnswerType.TIME),
        ("How many people came?", AnswerType.NUMBER),
        ("how old is she?", AnswerType.NUMBER),
        ("What percentage voted?", AnswerType.NUMBER),
        ("What did the mayor say?", AnswerType.SPEECH),
        ("How does he describe it?", AnswerType.SPEECH),
        ("Where is it?", AnswerType.OTHER),
        ("Why?", AnswerType.OTHER),
        ("", AnswerType.OTHER),
        ("Whoever did it?", AnswerType.OTHER),
        ("Who said how many came?", AnswerType.NUMBER),  # the narrower kind wins
    ],
)
def test_the_first_words_of_a_question_tell_what_it_asks_for(
    question: str, expected: AnswerType
) -> None:
    assert answer_type(question) is expected


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Who opened the bridge?", "It was opened by Ann Lee on Monday.", "Ann Lee"),
        ("Whose is it?", "It belongs to Mr. John van Dyke now.", "Mr. John van Dyke"),
        ("When did it sail?", "It sailed on 3 May 2024 with 12 crew.", "on 3 May 2024"),
        ("When did it sail?", "It sailed in early May.", "in early May"),
        ("When was it?", "It may rain in 2024.", "in 2024"),  # may is no month here
        ("When was it?", "It was on Friday.", "on Friday"),
        ("How many were on board?", "The ferry carried 168 people.", "168 people"),
        ("How much was it?", "It cost £3.5 million then.", "£3.5 million"),
        ("What percentage voted?", "Some 45% voted in 2019.", "45%"),
        ("How many people were hurt?", "Six people were hurt on 3 May 2024.", "Six people"),
        ("How old is she?", "She is a 71-year-old woman.", "71-year-old"),
        ("How much did it cost?", "For 12 years it cost $3 million.", "$3 million"),
        ("How many ships sank?", "One ship sank.", "One"),
        ("What did he say?", "He said: “It is open,” and left.", "“It is open,”"),
        ("What did he say?", 'He said "it is open" and left.', '"it is open"'),
        ("What did he call it?", "He called it ‘a mess’ and didn’t stay.", "‘a mess’"),
    ],
)
def test_the_answer_is_highlighted_where_its_kind_is_in_the_sentence(
    question: str, sentence: str, expected: str
) -> None:
    assert _highlighted(question, sentence) == expected


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Where is the bridge?", "The bridge is in Orrick, by Ann Lee, in 2024."),
        ("Who opened it?", "The mayor opened it."),
        ("Who opened it?", "Ann opened it."),  # one word may be anything
        ("Who opened it?", "Ann Lee and Bob Ray opened it."),  # a wrong and a right one
        ("Who is Ann Lee?", "Ann Lee is the mayor."),  # the question's own words
        ("When was the Friday meeting?", "It was on Friday."),
        ("How many came in?", "They came in 2024."),  # a year is no number
        ("What did she say?", "She said that it was open."),
        ("How many of the 12 came?", "The 12 came."),
        ("How many came?", "They came on 3 May."),  # a day is no number either
        ("How much did it cost?", "It took 12 years."),  # and no price
    ],
)
def test_nothing_is_highlighted_where_the_answer_is_not_sure(question: str, sentence: str) -> None:
    assert _highlighted(question, sentence) is None


def test_every_likely_answer_is_told_apart_from_what_the_question_names() -> None:
    sentence = "Ann Lee and Bob Ray met Cy Orr."
    found = typed_spans("Who met Bob Ray?", sentence)
    assert [sentence[start:end] for start, end in found] == ["Ann Lee", "Cy Orr"]
    assert typed_spans("Where did Bob Ray go?", sentence) == []


def test_of_several_the_one_nearest_to_the_questions_words_is_highlighted() -> None:
    sentence = "The ferry carried 168 and hit a rock, and 13 crew swam."
    assert _highlighted("How many did the ferry carry?", sentence) == "168"
    assert _highlighted("How many of the crew swam?", sentence) == "13"


def test_of_several_the_first_is_highlighted_where_no_word_is_shared() -> None:
    assert _highlighted("How many?", "Some 12 came and 30 left.") == "12"


def test_a_highlight_counts_from_the_beginning_of_the_text() -> None:
    text = "😀 Rain fell. It was opened by Ann Lee. Bob Ray left."
    sentence = sentence_spans(text)[1]
    found = highlight("Who opened the bridge?", text, sentence)
    assert found is not None
    assert (found, found.slice(text)) == (Span(30, 37), "Ann Lee")


@given(texts, st.sampled_from(QUESTIONS) | texts)
def test_a_highlight_is_always_inside_its_sentence(text: str, question: str) -> None:
    for sentence in sentence_spans(text):
        found = highlight(question, text, sentence)
        assert found is None or sentence.contains(found)


@given(st.lists(st.sampled_from(WORDS)))
def test_a_highlight_is_always_inside_a_sentence_made_of_likely_words(words: list[str]) -> None:
    text = "Before. " + " ".join(words) + "."
    sentence = Span(8, len(text))
    for question in QUESTIONS:
        found = highlight(question, text, sentence)
        assert found is None or sentence.contains(found)
