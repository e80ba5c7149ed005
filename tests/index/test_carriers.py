"""Copies of one story in answers: one is quoted, the others are named, and count once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from data.answers import Carrier, GivenCitation
from data.models import Attribution, Revision, text_hash
from data.standing import StandingStore
from index.carriers import (
    Carriers,
    carried_by,
    independent_publishers,
    standing_stories,
    still_carried,
    story_key,
)
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
    assert found == (copies[0], copies[3])


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


# --- of a quote that was given


QUOTED = _of("Ledger", 1)
SPAN = sentence_spans(WIRE)[2]
POST, HERALD = _of("Post", 2), _of("Herald", 3, f"OLDQUAY (Agency) — {WIRE}")


def _given(*carriers: Revision) -> GivenCitation:
    """Return a quote of the third sentence, which these stories carried when it was given."""
    remembered = tuple(Carrier(r.collection, r.article_id, r.id, r.sha256) for r in carriers)
    return GivenCitation(1, "", QUOTED.article_id, 1, SPAN, None, QUOTED.sha256, remembered)


def _now(given: GivenCitation, *stories: Revision, cited: Revision | None = QUOTED) -> Carriers:
    """Return who carries the quote where these stories stand."""
    standing = {story_key(story): story for story in stories}
    found = still_carried(given, standing, cited=cited, besides=QUOTED)
    assert found is not None
    return found


def _becomes(story: Revision, text: str, source: str | None = None) -> Revision:
    """Return a later version of a story."""
    attribution = replace(story.attribution, source=source or story.attribution.source)
    return replace(
        story, id=story.id + 100, text=text, sha256=text_hash(text), attribution=attribution
    )


def test_who_carried_a_quote_and_stands_as_then_still_does() -> None:
    assert _now(_given(POST, HERALD), POST, HERALD) == Carriers((POST, HERALD), "")
    assert _now(_given()) == Carriers((), "")


def test_who_is_gone_or_withdrawn_carries_it_no_more() -> None:
    assert _now(_given(POST, HERALD), HERALD) == Carriers((HERALD,), "+/3")
    assert _now(_given(POST, HERALD)) == Carriers((), "+")


@pytest.mark.parametrize(
    ("later", "carries"),
    [
        (WIRE.replace("on Thursday", "on Friday"), True),
        (f"{WIRE} It was added later that a hearing is held.", True),
        (WIRE.replace("A single ticket", "a single “ticket”"), True),
        (WIRE.replace("A single ticket", "It is not true that a single ticket"), False),
        (WIRE.replace("forty cents", "sixty cents"), False),
        ("Retraction: our report was wrong.", False),
    ],
)
def test_who_changed_carries_it_where_its_sentence_is_still_whole(
    later: str, carries: bool
) -> None:
    changed = _becomes(POST, later)
    found = _now(_given(POST), changed)
    assert found == (Carriers((changed,), "+/102") if carries else Carriers((), "+"))


def test_a_line_in_front_that_was_there_when_the_quote_was_given_does_not_matter() -> None:
    """Its words are those that were found to carry the quote then."""
    given = replace(_given(HERALD), span=sentence_spans(WIRE)[0])
    assert _now(given, HERALD).stories == (HERALD,)
    renamed = _becomes(HERALD, HERALD.text, "Herald on Sunday")
    assert _now(given, renamed) == Carriers((renamed,), "+/103")


def test_another_text_under_the_same_number_is_another_version() -> None:
    changed = replace(_becomes(POST, "Retraction."), id=POST.id)
    assert _now(_given(POST), changed) == Carriers((), "+")
    longer = replace(_becomes(POST, f"{WIRE} More."), id=POST.id)
    assert _now(_given(POST), longer) == Carriers((longer,), "+/2")


def test_the_quoted_publisher_carries_its_own_quote_under_no_other_name() -> None:
    bought = _becomes(POST, POST.text, "ledger")
    assert _now(_given(POST, HERALD), bought, HERALD).stories == (HERALD,)


def test_where_the_quoted_version_is_gone_only_those_that_are_as_then_carry_it() -> None:
    changed = _becomes(HERALD, f"{HERALD.text} More.")
    assert _now(_given(POST, HERALD), POST, changed, cited=None).stories == (POST,)


def test_who_carried_an_older_answers_quote_is_not_known() -> None:
    given = replace(_given(), sha256=None)
    assert still_carried(given, {}, cited=QUOTED, besides=QUOTED) is None


def test_stories_that_are_gone_withdrawn_or_altered_do_not_stand(services: Wiring) -> None:
    stored = [
        services.indexer.add(story(f"Story number {n}.", title=f"{n}")).revision for n in range(4)
    ]
    stands, removed, withdrawn, altered = stored
    services.indexer.remove(removed.article_id)
    services.indexer.withdraw(withdrawn.article_id)
    services.db.execute("UPDATE revisions SET text = 'False.' WHERE id = ?", [altered.id])
    found = standing_stories(
        services.articles,
        StandingStore(services.db),
        [*(revision.article_id for revision in stored), "nothing"],
    )
    assert found == {("shared", stands.article_id): stands}
