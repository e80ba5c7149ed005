from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index.answerer
from data.errors import NotFoundError, UserError
from data.models import Filters, Revision, text_hash
from index.answerer import DEFAULT_THRESHOLD, MAX_QUESTION, NEAREST, clean_question
from index.models import QuoteMismatchError, Reason
from tests.fakes import Wiring, story, wire

BRIDGE = story(
    "Ann Lee opened the bridge on Monday. It cost four million.",
    title="Bridge opened",
    source="Herald",
    date="2024-10-25",
    external_id="ext-1",
)
FERRY = story("The ferry ran aground.", title="Ferry", source="Gazette", date="2025-05")
RAIN = story("Rain fell.", title="Weather", source="Gazette", date="2023-01-02")
SNOW = story("Snow fell.", title="Winter")
QUESTION = "Who opened the bridge?"


@pytest.fixture
def stocked(services: Wiring) -> Wiring:
    for draft in (BRIDGE, FERRY, RAIN, SNOW):
        services.indexer.add(draft)
    return services


@pytest.fixture
def strict(stocked: Wiring) -> Iterator[Wiring]:
    """Services that are never sure enough, on the same stories."""
    wiring = wire(stocked.home, threshold=1.0)
    yield wiring
    wiring.close()


def _titles(revisions: tuple[Revision, ...]) -> list[str]:
    return [revision.attribution.title for revision in revisions]


def _story(services: Wiring, title: str) -> Revision:
    return next(r for r in services.articles.current() if r.attribution.title == title)


def test_an_answer_quotes_the_story_that_has_it(stocked: Wiring) -> None:
    answer = stocked.answerer.answer(QUESTION)
    assert (answer.question, answer.reason, answer.filters) == (QUESTION, None, Filters())
    first = answer.citations[0]
    assert (first.number, first.quote) == (1, "Ann Lee opened the bridge on Monday.")
    assert first.revision == _story(stocked, "Bridge opened")
    assert first.highlight_in_quote == (0, 7)
    assert answer.confidence > DEFAULT_THRESHOLD
    assert 0 < first.score <= 1


def test_the_question_is_answered_as_it_was_cleaned(stocked: Wiring) -> None:
    assert stocked.answerer.answer(f"  {QUESTION}\n ") == stocked.answerer.answer(QUESTION)


def test_an_empty_collection_is_told(services: Wiring) -> None:
    answer = services.answerer.answer(QUESTION)
    assert (answer.reason, answer.citations) == (Reason.EMPTY_COLLECTION, ())
    assert (answer.nearest, answer.newest, answer.confidence) == ((), None, 0.0)


def test_an_emptied_collection_is_told_whatever_the_filters_are(stocked: Wiring) -> None:
    for revision in stocked.articles.current():
        stocked.indexer.remove(revision.article_id)
    answer = stocked.answerer.answer(QUESTION, Filters(source="Herald"))
    assert answer.reason is Reason.EMPTY_COLLECTION
    assert answer.filters == Filters(source="Herald")


def test_stories_that_were_never_indexed_have_no_passage(services: Wiring) -> None:
    revision = services.articles.save(BRIDGE).revision
    answer = services.answerer.answer(QUESTION)
    assert (answer.reason, answer.nearest) == (Reason.NO_PASSAGE, ())
    assert answer.newest == revision
    services.indexer.rebuild()
    assert services.answerer.answer(QUESTION).answered


def test_refuses_when_nothing_passes_the_threshold_and_names_the_nearest(strict: Wiring) -> None:
    answer = strict.answerer.answer(QUESTION)
    assert (answer.reason, answer.citations) == (Reason.LOW_CONFIDENCE, ())
    assert 0 < answer.confidence < 1
    assert len(answer.nearest) == NEAREST
    assert _titles(answer.nearest)[0] == "Bridge opened"
    assert len(set(_titles(answer.nearest))) == NEAREST
    assert answer.newest == _story(strict, "Ferry")


def test_refuses_what_no_story_is_about(stocked: Wiring) -> None:
    answer = stocked.answerer.answer("Which zebra won the chess tournament?")
    assert answer.reason is Reason.LOW_CONFIDENCE
    assert answer.confidence < DEFAULT_THRESHOLD


def test_the_operators_threshold_decides(stocked: Wiring) -> None:
    confidence = stocked.answerer.answer(QUESTION).confidence
    for threshold, answered in ((0.0, True), (confidence, True), (confidence + 1e-6, False)):
        services = wire(stocked.home, threshold=threshold)
        assert services.answerer.answer(QUESTION).answered is answered
        services.close()


def test_a_story_of_many_passages_is_named_once_among_the_nearest(tmp_path: Path) -> None:
    services = wire(tmp_path, threshold=1.0)
    long = story(" ".join(f"The bridge opened on day {i}." for i in range(200)), title="Long")
    services.indexer.add(long)
    services.indexer.add(FERRY)
    assert len(services.retriever.retrieve(QUESTION)) > 3
    assert sorted(_titles(services.answerer.answer(QUESTION).nearest)) == ["Ferry", "Long"]
    services.close()


@pytest.mark.parametrize(
    "filters",
    [
        Filters(source="Nobody"),
        Filters(after="2025-06-01"),
        Filters(before="2020-01-01"),
        Filters(source="Herald", after="2025-01-01"),
    ],
)
def test_filters_that_leave_nothing_are_told_with_the_nearest_and_the_newest(
    stocked: Wiring, filters: Filters
) -> None:
    answer = stocked.answerer.answer(QUESTION, filters)
    assert (answer.reason, answer.confidence) == (Reason.FILTERED_OUT, 0.0)
    assert answer.filters == filters
    assert _titles(answer.nearest)[0] == "Bridge opened"
    assert answer.newest == _story(stocked, "Ferry")


def test_filters_keep_quotes_to_the_stories_that_pass(stocked: Wiring) -> None:
    answer = stocked.answerer.answer("What fell?", Filters(source="gazette"))
    assert [c.quote for c in answer.citations] == ["Rain fell."]
    assert answer.filters == Filters(source="gazette")


def test_a_question_is_kept_to_a_story_by_either_of_its_ids(stocked: Wiring) -> None:
    revision = _story(stocked, "Bridge opened")
    for article in (revision.article_id, "ext-1"):
        answer = stocked.answerer.answer("How much did it cost?", Filters(article=article))
        assert [c.quote for c in answer.citations] == ["It cost four million."]
        assert answer.filters == Filters(article=revision.article_id)
    both = Filters(source="Herald", after="2024-01-01", before="2024-12-31", article="ext-1")
    answer = stocked.answerer.answer("How much did it cost?", both)
    assert answer.answered
    assert answer.filters == replace(both, article=revision.article_id)


def test_a_story_that_is_not_here_is_an_error_and_not_a_refusal(stocked: Wiring) -> None:
    with pytest.raises(NotFoundError, match="'nothing'"):
        stocked.answerer.answer(QUESTION, Filters(article="nothing"))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "no question"),
        (" \n\t\u00a0\x00 ", "no question"),
        ("?", "no words"),
        ("😀 … _", "no words"),
        ("x" * (MAX_QUESTION + 1), "2,001 characters"),
    ],
)
def test_what_is_no_question_is_refused(stocked: Wiring, question: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        stocked.answerer.answer(question)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("  Who\n is\t\u2003it? ", "Who is it?"),
        ("cafe\u0301?", "café?"),
        ("a\x00b", "a b"),
        ("who\ud800?", "who?"),
        ("x" * MAX_QUESTION, "x" * MAX_QUESTION),
        (" " * MAX_QUESTION + "why?", "why?"),  # what is folded away does not count
        ("市长?", "市长?"),
    ],
)
def test_a_question_is_cleaned(question: str, expected: str) -> None:
    assert clean_question(question) == expected


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60))
def test_any_text_gets_quotes_a_reason_or_an_error_for_the_person(
    stocked: Wiring, question: str
) -> None:
    try:
        answer = stocked.answerer.answer(question)
    except UserError:
        assert not any(character.isalnum() for character in _encodable(question))
        return
    for citation in answer.citations:
        stored = stocked.articles.revision(citation.revision.id).text
        assert citation.quote == stored[citation.span.start : citation.span.end]


def _encodable(question: str) -> str:
    """Return the question without what can be no part of a word."""
    return "".join(c for c in question if not "\ud800" <= c <= "\udfff")


def test_a_text_that_was_altered_in_the_database_is_never_quoted(stocked: Wiring) -> None:
    stocked.db.execute(
        "UPDATE revisions SET text = replace(text, 'opened', 'closed') WHERE title LIKE 'Bridge%'"
    )
    answer = stocked.answerer.answer(QUESTION)
    assert all("closed" not in citation.quote for citation in answer.citations)
    # The stories beside it can still be quoted.
    (citation,) = stocked.answerer.answer("What ran aground?", Filters(source="Gazette")).citations
    assert citation.quote == "The ferry ran aground."


def test_a_story_that_was_altered_is_not_named_and_its_place_is_not_taken(
    stocked: Wiring,
) -> None:
    stocked.db.execute("UPDATE revisions SET text = 'x' WHERE title = 'Bridge opened'")
    answer = stocked.answerer.answer(QUESTION)
    assert answer.reason is Reason.LOW_CONFIDENCE
    assert sorted(_titles(answer.nearest)) == ["Ferry", "Weather", "Winter"]
    everything = [passage.rank for passage in stocked.retriever.retrieve(QUESTION)]
    assert everything == [1, 2, 3]


def _alter(services: Wiring, old: str, new: str) -> None:
    """Replace a word of the bridge's story as it is stored, its hash included."""
    text = BRIDGE.text.replace(old, new)
    services.db.execute(
        "UPDATE revisions SET text = ?, sha256 = ? WHERE title LIKE 'Bridge%'",
        [text, text_hash(text)],
    )


def test_a_quote_is_compared_with_the_store_once_more_before_it_is_shown(stocked: Wiring) -> None:
    answer = stocked.answerer.answer(QUESTION)
    stocked.answerer.recheck(answer)
    _alter(stocked, "four", "five")  # not in the quote
    stocked.answerer.recheck(answer)
    _alter(stocked, "Ann", "Bob")
    with pytest.raises(QuoteMismatchError, match="characters"):
        stocked.answerer.recheck(answer)


def test_a_quote_of_a_story_that_was_removed_meanwhile_is_not_shown(
    stocked: Wiring, other: Wiring
) -> None:
    answer = stocked.answerer.answer(QUESTION)
    other.indexer.remove("ext-1")
    with pytest.raises(QuoteMismatchError, match="gone"):
        stocked.answerer.recheck(answer)
    assert "Bridge opened" not in _titles(stocked.answerer.answer(QUESTION).nearest)


def test_a_quote_that_is_not_its_storys_own_is_never_answered_with(
    stocked: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    (right, *_) = stocked.answerer.answer(QUESTION).citations
    text = right.revision.text.replace("Ann Lee", "Bob Ray")
    invented = replace(right.revision, text=text, sha256=text_hash(text))
    wrong = replace(right, revision=invented)
    assert wrong.quote == "Bob Ray opened the bridge on Monday."
    monkeypatch.setattr(index.answerer, "cite", lambda *_, **__: (wrong,))
    with pytest.raises(QuoteMismatchError, match="characters"):
        stocked.answerer.answer(QUESTION)


def test_every_quote_of_an_answer_is_compared(stocked: Wiring) -> None:
    answer = stocked.answerer.answer("Rain or snow fell?")
    assert len(answer.citations) == 2
    last = answer.citations[1].revision
    stocked.indexer.remove(last.article_id)
    with pytest.raises(QuoteMismatchError, match=f"revision {last.id} is gone"):
        stocked.answerer.recheck(answer)


def test_a_story_that_changes_while_a_question_is_read_is_quoted_as_it_was(
    stocked: Wiring, other: Wiring
) -> None:
    changed: list[str] = []

    def change() -> None:
        if not changed:
            text = "Bob Ray opened the bridge."
            changed.append(other.indexer.add(replace(BRIDGE, text=text)).revision.article_id)

    stocked.encoder.before_encoding = change
    answer = stocked.answerer.answer(QUESTION)
    assert len(changed) == 1
    assert answer.citations[0].quote == "Ann Lee opened the bridge on Monday."
    assert stocked.answerer.answer(QUESTION).citations[0].quote == "Bob Ray opened the bridge."


def test_an_answer_is_the_same_each_time(stocked: Wiring, other: Wiring) -> None:
    first = stocked.answerer.answer(QUESTION)
    assert stocked.answerer.answer(QUESTION) == first
    assert other.answerer.answer(QUESTION) == first
