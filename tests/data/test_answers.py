import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Migrations

from data.answers import AnswerStore, Carrier, GivenCitation, Place, Votes, open_memory
from data.database import Database, open_database, scalar
from data.domains import DomainStore
from data.errors import StorageError
from data.feeds import FeedStore
from data.migrations import m001_memory, m002_web
from data.models import Span

LARGE = 2**63 - 1  # as large as Discord's ids can get
PLACE = Place(10, 20)
CARRIERS = (Carrier("shared", "ghi", 9, "c" * 64), Carrier("10", "jkl", 3, "d" * 64))
CITATIONS = (
    GivenCitation(1, "10", "abc", 7, Span(3, 40), Span(5, 9), "a" * 64, CARRIERS),
    GivenCitation(2, "shared", "def", 8, Span(0, 1), None, "b" * 64),
)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = open_memory(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def answers(db: Database) -> AnswerStore:
    return AnswerStore(db)


def test_an_answer_is_kept_with_its_place_its_asker_and_what_it_quoted(
    answers: AnswerStore,
) -> None:
    answer_id = answers.add(PLACE, LARGE, CITATIONS)
    found = answers.get(answer_id)
    assert found is not None
    assert (found.id, found.place, found.asker_id) == (answer_id, PLACE, LARGE)
    assert found.message_id is None
    assert found.citations == CITATIONS


def test_citations_come_back_in_the_order_of_their_numbers(answers: AnswerStore) -> None:
    found = answers.get(answers.add(PLACE, 1, CITATIONS[::-1]))
    assert found is not None
    assert [citation.number for citation in found.citations] == [1, 2]


def test_a_refusal_and_a_direct_message_are_kept_too(answers: AnswerStore) -> None:
    found = answers.get(answers.add(Place(None, 20), 1, []))
    assert found is not None
    assert found.place.guild_id is None
    assert found.citations == ()


def test_the_question_is_stored_nowhere(db: Database) -> None:
    columns = {
        column.name for table in db.tables for column in table.columns if table.name != "state"
    }
    assert not {name for name in columns if re.search("question|text|content", name)}


def test_ids_are_long_random_and_fit_a_button(answers: AnswerStore) -> None:
    ids = {answers.add(PLACE, 1, []) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[A-Za-z0-9_-]{12}", answer_id) for answer_id in ids)


def test_the_message_that_an_answer_became_is_filled_in(answers: AnswerStore) -> None:
    answer_id, other = answers.add(PLACE, 1, CITATIONS), answers.add(PLACE, 1, [])
    answers.sent(answer_id, LARGE, 21)
    found, untouched = answers.get(answer_id), answers.get(other)
    assert found is not None
    assert untouched is not None
    assert (found.message_id, found.place) == (LARGE, Place(10, 21))
    assert (untouched.message_id, untouched.place) == (None, PLACE)


def test_an_unknown_answer_is_none(answers: AnswerStore) -> None:
    assert answers.get("nothing") is None
    answers.remove("nothing")
    answers.forget_message(5)
    answers.sent("nothing", 1, 2)
    assert answers.get("nothing") is None


def _rows(db: Database) -> dict[str, int]:
    return {name: db[name].count for name in ("answers", "citations", "votes")}


def test_removing_an_answer_takes_its_citations_and_votes_and_no_others(
    db: Database, answers: AnswerStore
) -> None:
    gone, kept = answers.add(PLACE, 1, CITATIONS), answers.add(PLACE, 1, CITATIONS)
    for answer_id in (gone, kept):
        answers.vote(answer_id, 5, helpful=True)
    answers.remove(gone)
    assert answers.get(gone) is None
    assert answers.get(kept) is not None
    assert _rows(db) == {"answers": 1, "citations": 2, "votes": 1}


def test_an_answer_is_forgotten_with_its_message(db: Database, answers: AnswerStore) -> None:
    gone, kept = answers.add(PLACE, 1, CITATIONS), answers.add(PLACE, 1, CITATIONS)
    answers.sent(gone, 30, 20)
    answers.sent(kept, 31, 20)
    answers.forget_message(30)
    assert answers.get(gone) is None
    assert answers.get(kept) is not None
    assert _rows(db) == {"answers": 1, "citations": 2, "votes": 0}


def test_each_person_has_one_vote_which_can_change(answers: AnswerStore) -> None:
    answer_id = answers.add(PLACE, 1, [])
    assert answers.votes(10) == Votes(0, 0)
    answers.vote(answer_id, 5, helpful=True)
    answers.vote(answer_id, 6, helpful=True)
    answers.vote(answer_id, 7, helpful=False)
    answers.vote(answer_id, 5, helpful=True)
    assert answers.votes(10) == Votes(2, 1)
    answers.vote(answer_id, 6, helpful=False)
    assert answers.votes(10) == Votes(1, 2)


def test_votes_are_counted_for_one_server_alone(answers: AnswerStore) -> None:
    for place in (PLACE, Place(10, 99), Place(11, 20), Place(None, 20)):
        answers.vote(answers.add(place, 1, []), 5, helpful=True)
    assert answers.votes(10) == Votes(2, 0)
    assert answers.votes(11) == Votes(1, 0)
    assert answers.votes(12) == Votes(0, 0)


def test_what_is_remembered_outlives_the_connection(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    with closing(open_memory(home)) as db:
        answer_id = AnswerStore(db).add(PLACE, 1, CITATIONS)
    with closing(open_memory(home)) as db:
        found = AnswerStore(db).get(answer_id)
    assert found is not None
    assert found.citations == CITATIONS


def test_a_new_home_can_be_opened_by_many_threads_at_once(tmp_path: Path) -> None:
    # As at the very first start, when the bot looks for its commands and its rebuilds at once.
    failed: list[StorageError] = []

    def open_at_once(home: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            open_memory(home).close()
        except StorageError as error:
            failed.append(error)

    for number in range(30):
        together = threading.Barrier(4)
        threads = [
            threading.Thread(target=open_at_once, args=(tmp_path / str(number), together))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []


# --- the quotes that stand in messages


def test_the_quotes_of_a_collection_that_stand_in_messages_are_listed(
    answers: AnswerStore,
) -> None:
    answer_id = answers.add(PLACE, 1, CITATIONS)
    answers.sent(answer_id, LARGE, 21)
    (own,) = answers.standing("10")
    assert (own.answer_id, own.channel_id, own.message_id) == (answer_id, 21, LARGE)
    assert (own.citation, own.marked) == (CITATIONS[0], "")
    (shared,) = answers.standing("shared")
    assert shared.citation == CITATIONS[1]
    assert answers.standing("11") == []


def test_quotes_stand_in_the_order_in_which_they_were_given(answers: AnswerStore) -> None:
    both = (CITATIONS[0], GivenCitation(2, "10", "def", 8, Span(0, 1), None))
    given = []
    for message_id in (32, 30, 31):
        given.append(answers.add(PLACE, 1, both))
        answers.sent(given[-1], message_id, 20)
    found = [(standing.answer_id, standing.citation.number) for standing in answers.standing("10")]
    assert found == [(answer_id, number) for answer_id in given for number in (1, 2)]


def test_what_was_never_sent_is_lost_or_is_gone_does_not_stand(answers: AnswerStore) -> None:
    unsent, lost, gone, removed, stands = (answers.add(PLACE, 1, CITATIONS) for _ in range(5))
    for message_id, answer_id in enumerate((lost, gone, removed, stands), start=30):
        answers.sent(answer_id, message_id, 20)
    answers.lose(lost)
    answers.forget_message(31)
    answers.remove(removed)
    assert [standing.answer_id for standing in answers.standing("10")] == [stands]
    # Behind its button a lost one tells still, as the one does that is about to be sent.
    assert answers.get(lost) is not None
    assert answers.get(unsent) is not None


def test_a_mark_is_remembered_at_its_quote_and_at_no_other(answers: AnswerStore) -> None:
    both = (CITATIONS[0], GivenCitation(2, "10", "def", 8, Span(0, 1), None))
    marked, other = answers.add(PLACE, 1, both), answers.add(PLACE, 1, both)
    answers.sent(marked, 30, 20)
    answers.sent(other, 31, 20)
    answers.marked(marked, {2: "changed:9", 7: "removed:0"})
    assert [standing.marked for standing in answers.standing("10")] == ["", "changed:9", "", ""]
    answers.marked(marked, {1: "withdrawn:3", 2: ""})
    assert [standing.marked for standing in answers.standing("10")] == ["withdrawn:3", "", "", ""]
    answers.marked(marked, {})
    answers.marked("nothing", {1: "removed:0"})
    assert [standing.marked for standing in answers.standing("10")] == ["withdrawn:3", "", "", ""]


def test_the_collections_that_were_quoted_are_each_named_once(answers: AnswerStore) -> None:
    assert answers.quoted_collections() == []
    first = answers.add(PLACE, 1, CITATIONS)
    answers.add(PLACE, 1, CITATIONS[:1])
    assert answers.quoted_collections() == ["10", "shared"]
    answers.remove(first)
    assert answers.quoted_collections() == ["10"]


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_version_before_remembered_is_kept_and_can_be_marked(
    tmp_path: Path, version: int
) -> None:
    older = Migrations("memory")
    for step in (m001_memory, m002_web)[:version]:
        older()(step)
    with closing(open_database(tmp_path / "pullquote.db", older)) as db:
        db.execute(
            "INSERT INTO answers (id, guild_id, channel_id, message_id, asker_id, created_at)"
            " VALUES ('old', 10, 20, 30, 1, '2026-01-01T00:00:00+00:00')"
        )
        db.execute(
            "INSERT INTO citations (answer_id, number, collection, article_id, revision_id, start,"
            ' "end", highlight_start, highlight_end)'
            " VALUES ('old', 1, '10', 'abc', 7, 3, 40, 5, 9)"
        )
        db.execute("INSERT INTO votes VALUES ('old', 5, 1)")
    with closing(open_memory(tmp_path)) as db:
        answers = AnswerStore(db)
        found = answers.get("old")
        assert found is not None
        # Its text is not known again by a hash, and who carried it was not remembered.
        quoted = replace(CITATIONS[0], sha256=None, carriers=())
        assert (found.place, found.message_id, found.citations) == (PLACE, 30, (quoted,))
        assert answers.votes(10) == Votes(1, 0)
        (standing,) = answers.standing("10")
        assert (standing.citation, standing.marked) == (quoted, "")
        answers.marked("old", {1: "changed:8"})
        assert answers.standing("10")[0].marked == "changed:8"
        answers.lose("old")
        assert answers.standing("10") == []
        new = answers.add(PLACE, 1, CITATIONS)
        assert answers.get(new) is not None
        assert FeedStore(db, "10").all() == []
        assert DomainStore(db).all() == []
    with closing(open_memory(tmp_path)) as db:  # and once more, with nothing left to do
        assert scalar(db, "SELECT count(*) FROM answers") == 2
