import json
from dataclasses import replace

import pytest

from data.models import Attribution, Filters, Span
from handlers.terminal.records import (
    answer_record,
    article_record,
    invalid_record,
    passage_record,
    status_record,
    story_record,
)
from index.models import IndexStatus, Reason, Speaker
from tests import fakes
from tests.handlers.stories import ATTRIBUTION, TEXT, answered, citation, refused, story

ANSWER_KEYS = [
    *("id", "question", "answered", "reason", "confidence", "filters", "citations", "nearest"),
    "independent_publishers",
]
CITATION_KEYS = [
    *("number", "quote", "highlight", "article_id", "external_id", "revision_id", "start", "end"),
    *("title", "source", "author", "published_at", "url", "speaker", "score"),
    "also_carried_by",
]
PASSAGE_KEYS = [
    *("rank", "score", "article_id", "external_id", "revision_id", "start", "end", "text"),
    *("title", "source", "published_at"),
]
ARTICLE_KEYS = ["id", "external_id", "title", "source", "author", "published_at", "url"]
STORY_KEYS = [*ARTICLE_KEYS, "withdrawn_at", "revision_id", "sha256", "text"]


def test_an_answer_has_exactly_the_promised_keys_in_their_order() -> None:
    record = answer_record(answered(citation(story())), query_id="q1")
    assert list(record) == ANSWER_KEYS
    assert list(record["filters"]) == ["source", "after", "before"]
    assert [list(c) for c in record["citations"]] == [CITATION_KEYS]


def test_an_answer_tells_its_question_its_confidence_and_the_id_it_was_asked_with() -> None:
    record = answer_record(answered(citation(story()), confidence=0.123456), query_id=7)
    assert record["id"] == 7
    assert record["question"] == "Who opened it?"
    assert record["answered"] is True
    assert record["reason"] is None
    assert record["confidence"] == pytest.approx(0.1235)
    assert record["nearest"] == []


def test_filters_that_applied_are_told_and_others_are_null() -> None:
    filters = Filters(source="The Ledger", before="2024-10-31", article="story-1")
    record = answer_record(answered(citation(story()), filters=filters))
    assert record["filters"] == {"source": "The Ledger", "after": None, "before": "2024-10-31"}


def test_a_citation_carries_the_slice_and_the_attribution_of_its_own_revision() -> None:
    span = Span(39, 66)
    record = answer_record(answered(citation(story(external_id="x9"), span, number=2)))
    assert record["citations"] == [
        {
            "number": 2,
            "quote": "It cost two million crowns.",
            "highlight": None,
            "article_id": "story-1",
            "external_id": "x9",
            "revision_id": 1,
            "start": 39,
            "end": 66,
            "title": ATTRIBUTION.title,
            "source": ATTRIBUTION.source,
            "author": ATTRIBUTION.author,
            "published_at": "2024-10-25T23:30:00-05:00",
            "url": ATTRIBUTION.url,
            "speaker": None,
            "score": 0.8124,
            "also_carried_by": [],
        }
    ]


def test_the_highlight_is_counted_inside_the_quote() -> None:
    found = citation(story(), Span(39, 66), highlight=Span(47, 65))
    record = answer_record(answered(found))["citations"][0]
    start, end = record["highlight"]
    assert record["quote"][start:end] == "two million crowns"
    assert TEXT[record["start"] :][start:end] == "two million crowns"


def test_offsets_count_code_points_not_bytes_or_grapheme_clusters() -> None:
    text = "👩‍👩‍👧 كتب: 市长昨天说。 The ferry sank."
    start = text.index("The")
    found = citation(story(text), Span(start, len(text)), highlight=Span(start + 4, start + 9))
    record = answer_record(answered(found))["citations"][0]
    assert text[record["start"] : record["end"]] == record["quote"] == "The ferry sank."
    assert record["highlight"] == [4, 9]


def test_unknown_attribution_is_null() -> None:
    record = answer_record(answered(citation(story(attribution=Attribution("T")))))
    unknown = ("external_id", "source", "author", "published_at", "url", "speaker", "highlight")
    assert [record["citations"][0][name] for name in unknown] == [None] * len(unknown)


@pytest.mark.parametrize(
    "published_at",
    ["2024", "2024-10", "2024-10-25", "2024-10-25T23:59:59+14:00", "2024-10-25T01:00Z"],
)
def test_a_date_is_written_with_the_precision_and_the_offset_it_came_with(
    published_at: str,
) -> None:
    revision = story(attribution=replace(ATTRIBUTION, published_at=published_at))
    assert article_record(revision)["published_at"] == published_at
    assert passage_record(fakes.passage(revision))["published_at"] == published_at
    found = answer_record(answered(citation(revision)))["citations"][0]
    assert found["published_at"] == published_at


@pytest.mark.parametrize("role", ["chief executive", None])
def test_a_speaker_is_a_name_and_a_role_that_may_be_unknown(role: str | None) -> None:
    found = replace(citation(story()), speaker=Speaker("Moira Stallard", role))
    record = answer_record(answered(found))["citations"][0]
    assert record["speaker"] == {"name": "Moira Stallard", "role": role}


@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_has_the_same_keys_a_reason_and_the_nearest_stories(reason: Reason) -> None:
    record = answer_record(refused(reason, nearest=(story(external_id="x1"), story(number=2))))
    assert list(record) == ANSWER_KEYS
    assert record["answered"] is False
    assert record["reason"] == reason.value
    assert record["citations"] == []
    assert record["nearest"] == [
        {
            "article_id": f"story-{number}",
            "external_id": external_id,
            "title": ATTRIBUTION.title,
            "source": ATTRIBUTION.source,
            "published_at": ATTRIBUTION.published_at,
        }
        for number, external_id in ((1, "x1"), (2, None))
    ]
    assert list(record["nearest"][0]) == [
        *("article_id", "external_id", "title", "source", "published_at"),
    ]


def test_the_reasons_are_the_four_that_are_promised() -> None:
    promised = {"empty_collection", "no_passage", "low_confidence", "filtered_out"}
    assert {reason.value for reason in Reason} == promised


def test_a_question_that_could_not_be_asked_has_the_keys_of_an_answer_and_the_sentence_why() -> (
    None
):
    record = invalid_record("q1", "Who?", "There is no such story.")
    assert list(record) == [*ANSWER_KEYS, "error"]
    assert record["answered"] is False
    assert record["question"] == "Who?"
    assert record["error"] == "There is no such story."
    assert invalid_record("q1", 5, "That is no question.")["question"] is None


def test_a_passage_has_exactly_the_promised_keys_and_the_stored_slice_without_a_header() -> None:
    revision = story(external_id="x9")
    record = passage_record(fakes.passage(revision, Span(39, 66), rank=3, score=0.12345678))
    assert list(record) == PASSAGE_KEYS
    assert record["text"] == TEXT[39:66] == TEXT[record["start"] : record["end"]]
    assert (record["rank"], record["score"]) == (3, 0.123457)
    assert (record["article_id"], record["external_id"]) == ("story-1", "x9")


def test_an_article_has_exactly_the_promised_keys() -> None:
    record = article_record(story(external_id="x9"))
    assert list(record) == ARTICLE_KEYS
    assert list(record.values()) == [
        "story-1",
        "x9",
        ATTRIBUTION.title,
        ATTRIBUTION.source,
        ATTRIBUTION.author,
        ATTRIBUTION.published_at,
        ATTRIBUTION.url,
    ]


def test_a_whole_story_adds_its_revision_and_its_text_to_an_article() -> None:
    revision = story()
    record = story_record(revision)
    assert list(record) == STORY_KEYS
    assert (record["revision_id"], record["sha256"], record["text"]) == (1, revision.sha256, TEXT)


@pytest.mark.parametrize("filled", [True, False])
def test_a_status_tells_what_is_unknown_as_null(filled: bool) -> None:
    status = IndexStatus(
        collection="shared",
        stories=1,
        revisions=2,
        chunks=3,
        newest=story() if filled else None,
        encoder="tiny" if filled else None,
        weights_hash="ab" if filled else None,
        dimension=64 if filled else None,
        chunker_version=1 if filled else None,
        header_version=2 if filled else None,
        built_at="2025-01-01" if filled else None,
        database_bytes=10,
        index_bytes=20,
        stale=("Something is behind.",),
    )
    record = status_record(status)
    assert record["newest"] == (article_record(story()) if filled else None)
    assert list(record["fingerprint"].values()) == (["ab", 64, 1, 2] if filled else [None] * 4)
    assert (record["stories"], record["revisions"], record["chunks"]) == (1, 2, 3)
    assert (record["database_bytes"], record["index_bytes"]) == (10, 20)
    assert record["stale"] == ["Something is behind."]


def test_records_are_plain_json() -> None:
    record = answer_record(answered(citation(story(), highlight=Span(0, 3))))
    assert json.loads(json.dumps(record)) == record
