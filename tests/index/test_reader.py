import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import index.reader
from data.models import Span
from index.models import Evidence
from index.reader import (
    CALIBRATION,
    COVERAGE_WEIGHT,
    HIGHEST_SCORE,
    LEAD_WEIGHT,
    PASSAGE_WEIGHT,
    SIMILARITY_WEIGHT,
    TITLE_SHARE,
    TYPE_WEIGHT,
    SentenceReader,
    probability,
)
from index.sentences import sentence_spans
from tests.fakes import HashEncoder, passage, revision
from tests.index.texts import stories

TEXT = "The mayor opened the bridge. Rain fell on Tuesday. The ferry ran aground."


def _read(question: str, *texts: str) -> list[Evidence]:
    passages = [passage(revision(text, id=i), rank=i) for i, text in enumerate(texts, start=1)]
    return SentenceReader(HashEncoder).read(question, passages)


def _quotes(evidence: list[Evidence]) -> list[str]:
    return [item.span.slice(item.revision.text) for item in evidence]


def test_no_passages_give_no_evidence() -> None:
    assert SentenceReader(HashEncoder).read("Who opened the bridge?", []) == []


def test_every_sentence_comes_back_once_and_the_one_that_answers_first() -> None:
    found = _quotes(_read("Which ferry ran aground?", TEXT))
    assert found[0] == "The ferry ran aground."
    assert sorted(found) == sorted(span.slice(TEXT) for span in sentence_spans(TEXT))


def test_only_sentences_that_a_passage_touches_are_read_and_those_whole() -> None:
    story = revision(TEXT)
    touching = passage(story, Span(40, 55))  # from inside the second sentence into the third
    found = SentenceReader(HashEncoder).read("Rain?", [touching])
    assert _quotes(found) == ["Rain fell on Tuesday.", "The ferry ran aground."]


def test_a_sentence_that_ends_where_a_passage_begins_is_not_read() -> None:
    story = revision(TEXT)
    found = SentenceReader(HashEncoder).read("Rain?", [passage(story, Span(29, 50))])
    assert _quotes(found) == ["Rain fell on Tuesday."]


def test_a_sentence_in_two_passages_is_read_once_under_the_better_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COVERAGE_WEIGHT", "SIMILARITY_WEIGHT", "TYPE_WEIGHT", "LEAD_WEIGHT"):
        monkeypatch.setattr(index.reader, name, 0.0)
    story = revision(TEXT)
    best = passage(story, Span(29, 50), rank=1, score=1.0)
    overlapping = passage(story, Span(29, 73), rank=2, score=0.5)
    rest = passage(story, Span(0, 28), rank=3, score=0.7)
    found = _quotes(SentenceReader(HashEncoder).read("Why?", [best, overlapping, rest]))
    assert found == [
        "Rain fell on Tuesday.",
        "The mayor opened the bridge.",
        "The ferry ran aground.",
    ]


def test_the_probability_is_a_logistic_function_of_both_features() -> None:
    z = 0.5 * CALIBRATION["coverage"] + 0.25 * CALIBRATION["similarity"] + CALIBRATION["constant"]
    assert probability(0.5, 0.25) == pytest.approx(1 / (1 + math.exp(-z)))
    assert 0 < probability(0, 0) < probability(0.5, 0) < probability(0.5, 0.5) < probability(1, 1)


def test_the_score_of_evidence_is_its_probability() -> None:
    # One sentence of two: "bridge" is in one, "zebra" in none.
    evidence = {q: e for e in _read("zebra bridge", TEXT) for q in _quotes([e])}
    bridge, zebra = math.log(1 + 2.5 / 1.5), math.log(1 + 3.5 / 0.5)
    encoder = HashEncoder()
    sentence = "The mayor opened the bridge."
    similar = float(encoder.encode_documents([sentence])[0] @ encoder.encode_query("zebra bridge"))
    expected = probability(bridge / (bridge + zebra), similar)
    assert evidence[sentence].score == pytest.approx(expected, abs=1e-6)
    assert 0 < evidence["Rain fell on Tuesday."].score < expected < 1


def test_sentences_are_ordered_by_the_weighted_sum_of_their_features() -> None:
    question = "How many people of the ferry came on Tuesday?"
    text = "The ferry left. On Tuesday 12 came. Rain fell. The ferry came on Tuesday."
    story = revision(text)
    encoder = HashEncoder()
    found = SentenceReader(lambda: encoder).read(question, [passage(story, score=0.4)])
    # Of "many people ferry came tuesday": how often each is in the four sentences.
    weights = {
        "many": math.log(1 + 4.5 / 0.5),
        "people": math.log(1 + 4.5 / 0.5),
        "ferry": math.log(1 + 2.5 / 2.5),
        "came": math.log(1 + 2.5 / 2.5),
        "tuesday": math.log(1 + 2.5 / 2.5),
    }
    words = [("ferry",), ("tuesday", "came"), (), ("ferry", "came", "tuesday")]
    query = encoder.encode_query(question)
    expected = []
    for place, span in enumerate(sentence_spans(text)):
        quote = span.slice(text)
        covered = sum(weights[word] for word in words[place]) / sum(weights.values())
        score = (
            COVERAGE_WEIGHT * covered
            + SIMILARITY_WEIGHT * float(encoder.encode_documents([quote])[0] @ query)
            + TYPE_WEIGHT * ("12" in quote)
            + LEAD_WEIGHT / (1 + place)
            + PASSAGE_WEIGHT * 0.4
        )
        expected.append((score, quote))
    expected.sort(reverse=True)
    assert _quotes(found) == [quote for _, quote in expected]
    strengths = [score / HIGHEST_SCORE for score, _ in expected]
    assert [item.rank_score for item in found] == pytest.approx(strengths, abs=1e-6)


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("How many came?", "They came.", "So 12 came."),
        ("When was it?", "It was then.", "It was in May."),
        ("Who was it?", "It was him.", "It was Ann Lee."),
    ],
)
def test_a_sentence_with_the_kind_of_answer_that_is_asked_for_goes_first(
    monkeypatch: pytest.MonkeyPatch, question: str, first: str, second: str
) -> None:
    for name in ("SIMILARITY_WEIGHT", "LEAD_WEIGHT"):
        monkeypatch.setattr(index.reader, name, 0.0)
    assert _quotes(_read(question, f"{first} {second}")) == [second, first]


@pytest.mark.parametrize("question", ["Why?", "What did she say?"])
def test_every_sentence_fits_a_question_that_asks_for_no_kind(question: str) -> None:
    encoder = HashEncoder()
    for text in ("Rain fell.", "“Rain fell”, he noted."):
        (found,) = SentenceReader(lambda: encoder).read(question, [passage(revision(text))])
        similar = float(encoder.encode_documents([text])[0] @ encoder.encode_query(question))
        score = SIMILARITY_WEIGHT * similar + TYPE_WEIGHT + LEAD_WEIGHT + PASSAGE_WEIGHT
        assert found.rank_score == pytest.approx(score / HIGHEST_SCORE, abs=1e-6)


def test_a_term_that_only_the_title_has_counts_in_part() -> None:
    question = "bridge orrick"
    bridge, orrick = math.log(1 + 1.5 / 1.5), math.log(1 + 2.5 / 0.5)
    text = "The bridge opened. Rain fell."
    for title, share in (("Title", 0.0), ("News from Orrick", TITLE_SHARE), ("Bridges", 0.0)):
        scored = SentenceReader(HashEncoder).score(question, [passage(revision(text, title=title))])
        (found,) = (s for s in scored if s.span == Span(0, 18))
        expected = (bridge + share * orrick) / (bridge + orrick)
        assert found.covered == pytest.approx(expected)


def test_a_correction_that_repeats_what_was_wrong_goes_last() -> None:
    wrong = "An earlier version of this story said that Ann Lee opened the bridge."
    found = _quotes(_read("Who opened the bridge?", f"{wrong} Bob Ray opened the bridge."))
    assert found == ["Bob Ray opened the bridge.", wrong]


def test_a_story_begins_with_what_sums_it_up() -> None:
    found = _quotes(_read("Why?", "Fog. Hail. Rain. Snow.", "Hail. Fog. Rain. Snow."))
    assert set(found[:2]) == {"Fog.", "Hail."}
    assert found[0] == "Fog."  # equal scores keep the order of the passages


def test_the_answer_is_highlighted_inside_its_sentence() -> None:
    (evidence,) = _read("Who opened the bridge?", "It was opened by Ann Lee.")
    assert evidence.highlight == Span(17, 24)
    (evidence,) = _read("Who opened the bridge?", "It was opened.")
    assert evidence.highlight is None


def test_a_sentence_is_encoded_once_and_remembered() -> None:
    encoder = HashEncoder()
    reader = SentenceReader(lambda: encoder)
    story = revision("Rain fell. Snow fell.")
    first = reader.read("Why?", [passage(story)])
    assert encoder.encoded == ["Rain fell.", "Snow fell."]
    assert reader.read("Why?", [passage(story)]) == first
    longer = revision("Rain fell. Snow fell. Hail fell.", id=2)
    reader.read("Why?", [passage(story), passage(longer)])
    # Another text, whose offsets may mean other words, is another sentence.
    assert encoder.encoded[2:] == ["Rain fell.", "Snow fell.", "Hail fell."]


def test_only_the_sentences_that_were_used_last_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index.reader, "_VECTORS_REMEMBERED", 2)
    encoder = HashEncoder()
    reader = SentenceReader(lambda: encoder)
    rain, snow, hail = (revision(f"{name} fell.") for name in ("Rain", "Snow", "Hail"))
    for story in (rain, snow, rain, hail, rain, snow):
        reader.read("Why?", [passage(story)])
    # Rain was used again before hail came, so that snow was forgotten.
    assert encoder.encoded == ["Rain fell.", "Snow fell.", "Hail fell.", "Snow fell."]


def test_more_sentences_than_are_remembered_can_still_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = _read("Why?", TEXT)
    monkeypatch.setattr(index.reader, "_VECTORS_REMEMBERED", 1)
    assert _read("Why?", TEXT) == expected


def test_copies_of_one_story_are_read_side_by_side() -> None:
    found = _read("mayor", "The mayor spoke.", "The mayor spoke.")
    assert [item.revision.id for item in found] == [1, 2]
    assert found[0].score == found[1].score


@settings(deadline=None)
@given(st.lists(stories, min_size=1, max_size=3), st.sampled_from(["Who?", "市长?", "ferry 3.5"]))
def test_evidence_of_any_text_is_its_own_sentences_with_sound_scores(
    many: list[str], question: str
) -> None:
    found = _read(question, *many)
    expected = [(i, span) for i, text in enumerate(many, 1) for span in sentence_spans(text)]
    assert sorted((item.revision.id, item.span) for item in found) == expected
    strengths = [item.rank_score for item in found]
    assert strengths == sorted(strengths, reverse=True)
    for item in found:
        assert 0 < item.score < 1
        assert 0 <= item.rank_score <= 1
        assert np.isfinite(item.score)
        assert item.highlight is None or item.span.contains(item.highlight)
