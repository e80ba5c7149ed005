import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.models import Span
from index.sentences import (
    LONG_SENTENCE,
    LONGEST_PARAGRAPH,
    WRAP_MAX,
    WRAP_MIN,
    paragraph_spans,
    paragraph_starts,
    same_paragraph,
    sentence_spans,
    tells_what_was_wrong,
)
from tests.index.texts import texts


def _sentences(text: str) -> list[str]:
    return [span.slice(text) for span in sentence_spans(text)]


def _paragraphs(text: str) -> list[str]:
    return [span.slice(text) for span in paragraph_spans(text)]


def _inked(text: str, spans: list[Span]) -> list[int]:
    """Return the places of the characters inside the spans that are not white space."""
    return [i for span in spans for i in range(span.start, span.end) if not text[i].isspace()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\n ", []),
        ("One.", ["One."]),
        ("  One. \n", ["One."]),
        ("One.\n\nTwo.", ["One.", "Two."]),
        ("One.\r\n\r\nTwo.", ["One.", "Two."]),
        ("One.\n \t\nTwo.", ["One.", "Two."]),
        ("One.\nTwo.", ["One.", "Two."]),  # as web text has it
        ("One.\u2028Two.\u2029Three.", ["One.", "Two.", "Three."]),
        ("One. Two.", ["One. Two."]),
    ],
)
def test_a_line_break_ends_a_paragraph(text: str, expected: list[str]) -> None:
    assert _paragraphs(text) == expected


def test_lines_wrapped_at_a_fixed_width_are_one_paragraph() -> None:
    wrapped = "\n".join(["w" * WRAP_MIN, "x" * WRAP_MAX, "the end."])
    assert _paragraphs(wrapped) == [wrapped]
    assert _paragraphs(f"{wrapped}\n\n{wrapped}") == [wrapped, wrapped]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028"])
def test_one_line_end_of_any_kind_is_no_blank_line(end: str) -> None:
    wrapped = end.join(["w" * WRAP_MIN, "x" * WRAP_MAX, "the end."])
    assert _paragraphs(wrapped) == [wrapped]
    assert _paragraphs(f"{wrapped}{end} {end}{wrapped}") == [wrapped, wrapped]


@pytest.mark.parametrize(
    "lines",
    [
        ["w" * 60, "x" * 60],  # two lines are no pattern yet
        ["w" * 60, "x" * (WRAP_MIN - 1), "y" * 60],
        ["w" * 60, "x" * (WRAP_MAX + 1), "y" * 60],
    ],
)
def test_lines_of_other_lengths_are_paragraphs_of_their_own(lines: list[str]) -> None:
    assert _paragraphs("\n".join(lines)) == lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   ", []),
        ("No full stop", ["No full stop"]),
        ("It rained. It stopped! Did it? Yes.", ["It rained.", "It stopped!", "Did it?", "Yes."]),
        ("Dr. Smith paid $3.5 million. He left.", ["Dr. Smith paid $3.5 million.", "He left."]),
        ("He lives in the U.S. now. She left.", ["He lives in the U.S. now.", "She left."]),
        ("市长昨天说话。新桥已经开放。", ["市长昨天说话。", "新桥已经开放。"]),
        ("😀 rained. 👩‍👩‍👧 left.", ["😀 rained.", "👩‍👩‍👧 left."]),
        ("One sentence\nover two lines.", ["One sentence", "over two lines."]),
    ],
)
def test_a_text_is_cut_into_its_sentences(text: str, expected: list[str]) -> None:
    assert _sentences(text) == expected


def test_a_sentence_runs_on_over_wrapped_lines() -> None:
    wrapped = "\n".join(["w" * 60, "x" * 60, "y" * 60 + ". Next", "one."])
    assert _sentences(wrapped) == ["\n".join(["w" * 60, "x" * 60, "y" * 60 + "."]), "Next\none."]


def test_a_short_speech_stays_in_one_piece() -> None:
    text = '"It rained. It stopped," said the mayor. He left.'
    assert _sentences(text) == ['"It rained. It stopped," said the mayor.', "He left."]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ('It stopped!" said the mayor.', "He left."),
        ("It stopped!” said the mayor.", "He left."),
        ("It stopped!’ said the mayor.", "He left."),
        ("It stopped!“ sagte er.", "He left."),
        ("Did it stop?” asked Ann Lee.", "“No,” he said."),
    ],
)
def test_who_said_it_stays_with_the_speech_whose_beginning_is_elsewhere(
    told: str, left: str
) -> None:
    assert _sentences(f"It rained. {told} {left}") == ["It rained.", told, left]


@pytest.mark.parametrize(("opening", "closing"), ["“”", '""', "«»"])
def test_who_said_it_stays_with_the_end_of_a_long_speech(opening: str, closing: str) -> None:
    speech = [f"Sentence number {i} of a long speech." for i in range(10)]
    text = f"{opening}{' '.join(speech)} Is it over?{closing} asked the mayor. He left."
    assert _sentences(text) == [
        f"{opening}{speech[0]}",
        *speech[1:],
        f"Is it over?{closing} asked the mayor.",
        "He left.",
    ]


def test_a_long_speech_is_not_cut_in_front_of_a_word_in_lower_case() -> None:
    counted = "We counted approx. five of them."
    text = f"“{'It rained on and on. ' * 15}{counted} It stopped.”"
    assert _sentences(text)[-2:] == [counted, "It stopped.”"]


def test_a_name_in_lower_case_begins_a_sentence_where_no_speech_ends() -> None:
    assert _sentences("It rained. iPhone sales fell.") == ["It rained.", "iPhone sales fell."]


@pytest.mark.parametrize(("length", "pieces"), [(LONG_SENTENCE, 1), (LONG_SENTENCE + 1, 2)])
def test_a_speech_is_cut_when_it_is_longer_than_a_sentence_gets(length: int, pieces: int) -> None:
    text = f"“It rained. {'X' * (length - 14)}.”"
    assert len(text) == length
    assert len(_sentences(text)) == pieces


def test_a_long_speech_is_cut_and_each_mark_stays_with_its_own_side() -> None:
    speech = [f"Sentence number {i} of a long speech." for i in range(10)]
    text = f"“{' '.join(speech)}” The crowd left."
    assert len(" ".join(speech)) > LONG_SENTENCE
    assert _sentences(text) == [
        f"“{speech[0]}",
        *speech[1:-1],
        f"{speech[-1]}”",
        "The crowd left.",
    ]


@pytest.mark.parametrize("text", ["字" * 3 * LONGEST_PARAGRAPH, "word " * LONGEST_PARAGRAPH])
def test_a_paragraph_of_any_length_is_covered(text: str) -> None:
    spans = list(sentence_spans(text))
    assert _inked(text, spans) == [i for i, point in enumerate(text) if not point.isspace()]
    assert all(len(span) <= LONGEST_PARAGRAPH for span in spans)


def test_two_sentences_are_in_one_paragraph_when_no_break_is_between_them() -> None:
    text = "One. Two.\n\nThree."
    one, two, three = sentence_spans(text)
    starts = paragraph_starts(text)
    assert starts == [0, 11]
    assert same_paragraph(starts, one, two)
    assert not same_paragraph(starts, two, three)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("A previous version of the article gave another name.", True),
        ("Earlier versions of this report named Ann Lee.", True),
        ("AN EARLIER VERSION OF THIS STORY", True),
        ("An earlier version of the bridge fell.", False),
        ("This story is of an earlier time.", False),
    ],
)
def test_a_correction_is_told_from_other_sentences(sentence: str, expected: bool) -> None:
    assert tells_what_was_wrong(sentence) is expected


@given(texts)
def test_sentences_cover_every_character_that_is_not_white_space_once(text: str) -> None:
    everything = [i for i, character in enumerate(text) if not character.isspace()]
    assert _inked(text, list(sentence_spans(text))) == everything
    assert _inked(text, paragraph_spans(text)) == everything


@given(texts)
def test_sentences_have_no_outer_white_space_and_stay_in_their_paragraph(text: str) -> None:
    paragraphs = paragraph_spans(text)
    for span in sentence_spans(text):
        assert span.slice(text) == span.slice(text).strip()
        assert sum(paragraph.contains(span) for paragraph in paragraphs) == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.sampled_from(["\n\n", "\r\n\r\n"]))
def test_paragraph_offsets_count_code_points(lengths: list[int], gap: str) -> None:
    text = gap.join("😀" * length for length in lengths)
    expected, at = [], 0
    for length in lengths:
        expected.append(Span(at, at + length))
        at += length + len(gap)
    assert paragraph_spans(text) == expected


def test_a_very_long_paragraph_is_never_cut_inside_a_sentence() -> None:
    said = [f"Sentence {i:04} ends right here." for i in range(300)]
    text = " ".join(said)
    assert [span.slice(text) for span in sentence_spans(text)] == said
