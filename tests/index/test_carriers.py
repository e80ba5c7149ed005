"""Copies of one story in answers: one is quoted, the others are named, and count once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from data.models import Attribution, Revision
from index.carriers import carried_by, independent_publishers
from index.citations import cite
from index.sentences import sentence_spans
from tests.fakes import Wiring, evidence, revision, story

WIRE = (
    "The harbour ferry between Oldquay and the northern shore will run around the clock from May. "
    "The port authority said on Thursday that this ends a curfew of forty-one years. "
    "A single ticket will go on costing two marks and forty cents at any hour of the day. "
    "Residents of the northern shore have complained about the noise of the engines for years. "
    "The two boats that are used at night will be electric, said its director Rasmus Vellingk."
)
OWN = (
    "A ticket for the night ferry stays at two marks and forty cents, our reporter learned from "
    "deckhands at the quay, who had feared that it would rise when the boats run all night long. "
    "They want twelve more people to be hired before the summer begins, and better shoes."
)


def _of(source: str | None, number: int, text: str = WIRE) -> Revision:
    found = revision(text, id=number)
    return replace(found, attribution=Attribution(f"Title {number}", source=source))


def test_the_copies_that_have_the_quote_are_named_once_a_publisher() -> None:
    quote = "A single ticket will go on costing two marks"
    copies = [
        _of("Herald", 2),
        _of("HERALD ", 3),
        _of("Gazette", 4, "Another text without it."),
        _of("Post", 5, "“A  SINGLE ticket\nwill go on costing two marks” a day."),
        _of(None, 6),
        _of("Ledger", 7),
    ]
    found = carried_by(_of("ledger", 1), quote, copies)
    assert [a.source for a in found] == ["Herald", "Post"]


@pytest.mark.parametrize(
    ("stories", "number"),
    [
        ([], 0),
        ([(0, "Herald")], 1),
        ([(0, "Herald"), (0, "Post")], 1),  # copies
        ([(0, "Herald"), (1, "herald ")], 1),  # one publisher
        ([(0, "Herald"), (1, "Post")], 2),
        ([(0, "Herald"), (1, "Post"), (1, "Herald")], 1),  # linked by the last
        ([(0, None), (1, None)], 2),
        ([(0, None), (0, None)], 1),
    ],
)
def test_publishers_count_where_they_say_it_on_their_own(
    stories: Sequence[tuple[int, str | None]], number: int
) -> None:
    assert independent_publishers(stories) == number


def test_a_copy_counts_as_the_story_that_is_quoted_already() -> None:
    one, copy, other = _of("Herald", 1), _of("Post", 2), _of("Gazette", 3, OWN)
    sentences = sentence_spans(WIRE)
    found = [
        evidence(one, sentences[2], score=0.9),
        evidence(copy, sentences[4], score=0.85),
        evidence(other, sentence_spans(OWN)[0], score=0.8),
    ]

    def copies(of: Revision) -> Sequence[Revision]:
        return {1: (copy,), 2: (one,)}.get(of.id, ())

    quoted = cite("Ticket?", found, threshold=0.1, limit=2, copies=copies)
    assert [c.revision.attribution.source for c in quoted] == ["Herald", "Gazette"]
    assert [a.source for a in quoted[0].carried_by] == ["Post"]
    assert quoted[1].carried_by == ()
    assert quoted[0].story != quoted[1].story
    without = cite("Ticket?", found, threshold=0.1, limit=2)
    assert [c.revision.attribution.source for c in without] == ["Herald", "Post"]


def test_an_answer_quotes_one_copy_and_names_the_other_publisher(services: Wiring) -> None:
    services.indexer.add(story(WIRE, title="Ferry all night", source="Herald"))
    byline = "OLDQUAY (Agency) — "
    services.indexer.add(story(byline + WIRE, title="Night boats", source="Post"))
    services.indexer.add(story(OWN, title="Ferry fares", source="Gazette"))
    answer = services.answerer.answer("What will a ticket for the ferry cost?")
    by_source = {c.revision.attribution.source: c for c in answer.citations}
    assert len({"Herald", "Post"} & set(by_source)) == 1
    (wire,) = [c for c in answer.citations if c.revision.attribution.source in ("Herald", "Post")]
    assert len(wire.carried_by) == 1
    assert answer.independent_publishers == len(by_source)


def test_a_copy_that_is_removed_is_no_longer_named(services: Wiring) -> None:
    services.indexer.add(story(WIRE, title="Ferry all night", source="Herald"))
    gone = services.indexer.add(story(f"{WIRE} (Agency)", title="Boats", source="Post"))
    services.indexer.remove(gone.revision.article_id)
    answer = services.answerer.answer("What will a ticket for the ferry cost?")
    assert [c.carried_by for c in answer.citations] == [()] * len(answer.citations)
