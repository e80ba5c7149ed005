from collections.abc import Iterator
from pathlib import Path

import pytest

from data.articles import ArticleStore
from data.errors import NotFoundError
from data.models import Filters
from index.answerer import Answerer, Searchable
from index.citations import MAX_CITATIONS
from index.models import QuoteMismatchError, Reason
from index.reader import SentenceReader
from tests.fakes import HashEncoder, Wiring, story, wire

BRIDGE = "The mayor opened the bridge on Monday."
OTHER_BRIDGE = "A bridge downriver was opened by another mayor, Ann Lee."


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Wiring, Wiring]]:
    one, two = wire(tmp_path, name="one"), wire(tmp_path, name="two")
    yield one, two
    one.close()
    two.close()


def _over(*wirings: Wiring) -> Answerer:
    encoder = HashEncoder()
    return Answerer(
        [Searchable(w.db, ArticleStore(w.db), w.retriever) for w in wirings],
        reader=SentenceReader(lambda: encoder),
        threshold=None,
    )


def test_quotes_come_from_each_collection_with_its_name(pair: tuple[Wiring, Wiring]) -> None:
    one, two = pair
    one.indexer.add(story(BRIDGE, title="One"))
    two.indexer.add(story(OTHER_BRIDGE, title="Two"))
    answer = _over(one, two).answer("Which mayor opened the bridge?", limit=8)
    assert {(c.revision.collection, c.quote) for c in answer.citations} == {
        ("one", BRIDGE),
        ("two", OTHER_BRIDGE),
    }


def test_stories_of_one_revision_number_are_not_taken_for_each_other(
    pair: tuple[Wiring, Wiring],
) -> None:
    one, two = pair
    first = one.indexer.add(story(BRIDGE)).revision
    second = two.indexer.add(story("Rain fell over Larkmoor.")).revision
    assert first.id == second.id
    answer = _over(one, two).answer("When did the mayor open the bridge?")
    assert [c.revision.key for c in answer.citations] == [("one", first.id)]


def test_a_collection_that_is_not_given_is_not_read(pair: tuple[Wiring, Wiring]) -> None:
    one, two = pair
    two.indexer.add(story(BRIDGE))
    assert _over(one).answer("Who opened the bridge?").reason is Reason.EMPTY_COLLECTION


def test_a_quote_of_a_collection_that_is_not_open_does_not_pass(
    pair: tuple[Wiring, Wiring],
) -> None:
    one, two = pair
    one.indexer.add(story(BRIDGE))
    two.indexer.add(story(BRIDGE))
    answer = _over(two).answer("Who opened the bridge?")
    with pytest.raises(QuoteMismatchError, match="'two' is not open"):
        _over(one).recheck(answer)


def test_an_article_is_found_in_either_collection(pair: tuple[Wiring, Wiring]) -> None:
    one, two = pair
    one.indexer.add(story("Rain fell."))
    wanted = two.indexer.add(story(BRIDGE, external_id="ext")).revision
    answerer = _over(one, two)
    answer = answerer.answer("Who opened the bridge?", Filters(article="ext"))
    assert answer.filters.article == wanted.article_id
    assert [c.quote for c in answer.citations] == [BRIDGE]
    with pytest.raises(NotFoundError):
        answerer.answer("Who opened the bridge?", Filters(article="none"))


def test_the_newest_story_of_all_is_named(pair: tuple[Wiring, Wiring]) -> None:
    one, two = pair
    one.indexer.add(story("Rain fell.", title="Old", date="2024"))
    two.indexer.add(story("Snow fell.", title="New", date="2025-03"))
    answer = _over(one, two).answer("Who won the cup?")
    assert answer.newest is not None
    assert answer.newest.attribution.title == "New"


def test_a_longer_answer_has_weaker_quotes_behind_the_same_first_ones(
    pair: tuple[Wiring, Wiring],
) -> None:
    one, two = pair
    for number in range(6):
        one.indexer.add(story(f"Bridge number{number} was opened by the mayor of town{number}."))
    question = "Which bridge was opened by the mayor?"
    answerer = _over(one, two)
    short, long = answerer.answer(question), answerer.answer(question, limit=8)
    assert len(short.citations) == MAX_CITATIONS
    assert len(long.citations) == 6
    assert {c.quote for c in short.citations} <= {c.quote for c in long.citations}
