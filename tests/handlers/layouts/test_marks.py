"""How the message of an answer says what became of its stories, within Discord's limits."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.answers import GivenCitation, StandingQuote
from data.models import Attribution, Filters, Revision, Span
from data.origins import Origin
from handlers.layouts.layout import Action, Layout, button, panel, parse_custom_id, section, text
from handlers.layouts.marks import TAKEN_OUT, Marked, correction_words, marked_layout
from handlers.layouts.render import (
    MAX_QUESTION,
    MAX_SOURCE,
    Shown,
    answer_layout,
    filters_of,
    question_of,
)
from index.answerer import clean_question
from index.carriers import Carriers
from index.corrections import Correction, Standing
from index.models import Answer, Citation
from tests import fakes
from tests.handlers import stories
from tests.handlers.layouts.test_layout import broken_limits, payload, walk
from tests.handlers.layouts.test_markdown import read
from tests.handlers.layouts.test_render import (
    ANSWER_ID,
    LINK,
    QUOTED,
    _longest,
    anything,
    attributions,
    message_of,
    shown,
)

NOW = "2026-01-02T03:04:05+00:00"
STAMP = "<t:1767323045:f>"
Components = list[dict[str, Any]]
few = settings(deadline=None, max_examples=40)
ANSWERS = shown().filter(lambda what: what.answer.answered)


def standing(citation: Citation, marked: str = "") -> StandingQuote:
    """Return a citation as it is remembered beside the message that it stands in."""
    revision = citation.revision
    given = GivenCitation(
        citation.number, "", revision.article_id, revision.id, citation.span, citation.highlight
    )
    return StandingQuote(ANSWER_ID, 1, 2, given, marked)


def marked(citation: Citation, correction: Correction) -> Marked:
    return Marked(standing(citation), correction, Origin(citation.revision.article_id, 1, LINK))


def changed(citation: Citation, *, still_there: bool = False, at: str | None = NOW) -> Correction:
    later = fakes.revision("Another text.", id=99, article_id=citation.revision.article_id)
    return told(Standing.CHANGED, citation, later, at=at, still_there=still_there)


def told(
    kind: Standing,
    citation: Citation,
    current: Revision,
    *,
    at: str | None = NOW,
    still_there: bool = False,
    by_publisher: bool = True,
) -> Correction:
    """Return what became of a citation's story, which is the given revision now."""
    quoted, cited = citation.quote, citation.revision
    details = {Standing.UNCHANGED: current, Standing.CORRECTED: current}
    whose = current if still_there else details.get(kind, cited)
    if kind is Standing.MISSING:
        return Correction(kind, None, False, current)
    return Correction(kind, at, still_there, current, quoted, cited, whose, by_publisher)


def unchanged(citation: Citation) -> Correction:
    return told(Standing.UNCHANGED, citation, citation.revision, at=None, still_there=True)


def removed(at: str | None = NOW) -> Correction:
    return Correction(Standing.REMOVED, at, False, None)


@st.composite
def corrections(draw: st.DrawFn, citation: Citation) -> Correction:
    """Return what may have become of a citation's story."""
    kind = draw(st.sampled_from(Standing))
    at = draw(st.sampled_from((None, NOW)))
    if kind is Standing.REMOVED:
        return removed(at)
    if kind is Standing.CHANGED:
        return changed(citation, still_there=draw(st.booleans()), at=at)
    if kind is Standing.CORRECTED:
        later = replace(citation.revision, id=99, attribution=draw(attributions))
        return told(kind, citation, later, at=at, still_there=True)
    return told(kind, citation, citation.revision, at=at, still_there=kind is Standing.UNCHANGED)


def sent(what: Shown) -> Components:
    """Return the components of an answer's message, as Discord gives them back."""
    return payload(lambda: answer_layout(what))


def remade(components: Components, marks: Sequence[Marked]) -> Components:
    """Return a message's components with its quotes marked."""

    def made() -> discord.ui.LayoutView:
        layout = marked_layout(message_of(components), ANSWER_ID, marks)
        assert layout is not None
        return layout

    after: Components = plain(payload(made))
    return after


def plain(part: Any) -> Any:
    """Return components without the numbers that stand for their places."""
    if isinstance(part, list):
        return [plain(one) for one in part]
    if isinstance(part, dict):
        return {name: plain(value) for name, value in part.items() if name != "id"}
    return part


def custom_ids(components: Components) -> list[str]:
    return [part["custom_id"] for part in walk(components) if "custom_id" in part]


def quotes(components: Components) -> dict[int, list[str]]:
    """Return the texts of each quote that stands in a message, by its number."""
    found = {}
    for part in walk(components):
        if part["type"] != 9:
            continue
        pressed = parse_custom_id(part["accessory"].get("custom_id", ""))
        if pressed is not None and pressed.action is Action.CONTEXT:
            found[pressed.number(1)] = [child["content"] for child in part["components"]]
    return found


# --- any answer, whatever became of its stories


@anything
@given(st.data())
def test_any_answer_with_any_marks_keeps_discords_limits_and_stays_itself(
    data: st.DataObject,
) -> None:
    what = data.draw(ANSWERS)
    before = sent(what)
    cited = [c for c in what.answer.citations if data.draw(st.booleans())]
    cited = [c for c in cited if c.number in quotes(before)]
    if not cited:
        return
    after = remade(before, [marked(c, data.draw(corrections(c))) for c in cited])
    assert broken_limits(after) == []
    assert question_of(message_of(after)) == what.answer.question
    assert filters_of(message_of(after)) == what.answer.filters
    assert custom_ids(after) == custom_ids(before)
    untouched = set(quotes(before)) - {c.number for c in cited}
    assert {n: quotes(after)[n] for n in untouched} == {n: quotes(before)[n] for n in untouched}


@anything
@given(st.data())
def test_marking_again_says_what_is_so_now_and_nothing_of_before(data: st.DataObject) -> None:
    what = data.draw(ANSWERS)
    before = sent(what)
    cited = [c for c in what.answer.citations if c.number in quotes(before)]
    first = [marked(c, data.draw(st.sampled_from(_passing(c)))) for c in cited]
    second = [marked(c, data.draw(st.sampled_from((*_passing(c), removed())))) for c in cited]
    assert remade(remade(before, first), second) == remade(before, second)


def _passing(citation: Citation) -> tuple[Correction, ...]:
    """Return what can become of a story that leaves its quote as it stands."""
    withdrawn = told(Standing.WITHDRAWN, citation, citation.revision)
    return changed(citation), changed(citation, still_there=True), withdrawn


@few
@given(ANSWERS)
def test_a_story_that_is_as_it_was_takes_the_mark_away(what: Shown) -> None:
    before = sent(what)
    cited = [c for c in what.answer.citations if c.number in quotes(before)]
    origins = {c.number: what.origins.get(c.revision.article_id) for c in cited}
    after = remade(before, [marked(c, changed(c)) for c in cited])
    again = [Marked(standing(c), unchanged(c), origins[c.number]) for c in cited]
    assert remade(after, again) == plain(before)


@few
@given(st.data())
def test_a_removed_story_leaves_nothing_of_its_own_in_the_message(data: st.DataObject) -> None:
    what = data.draw(ANSWERS)
    before = sent(what)
    cited = [c for c in what.answer.citations if c.number in quotes(before)]
    after = quotes(remade(before, [marked(c, removed()) for c in cited]))
    words = f"⚠️ The story was removed on {STAMP}, so it is no longer quoted."
    assert after == {c.number: [f"**{c.number}.**\n{TAKEN_OUT}", words] for c in cited}


@few
@given(st.data())
def test_corrected_details_show_as_they_are_and_as_nothing_more(data: st.DataObject) -> None:
    what = data.draw(ANSWERS)
    before = sent(what)
    citation = what.answer.citations[0]
    later = replace(citation.revision, id=99, attribution=data.draw(attributions))
    correction = told(Standing.CORRECTED, citation, later, still_there=True)
    quote, whose, word = quotes(remade(before, [marked(citation, correction)]))[1]
    assert quote == quotes(before)[1][0]
    assert word == f"-# The story’s details were corrected on {STAMP}."
    seen = read(whose)
    assert seen.quote == ""
    assert seen.kinds <= {"bold", "small", "link", "time", "code"}
    assert len(seen.of("link")) <= 1


@pytest.mark.parametrize("kind", [Standing.UNCHANGED, Standing.CORRECTED, Standing.CHANGED])
def test_who_else_carries_a_story_is_still_said(kind: Standing) -> None:
    story = stories.story()
    others = (Attribution("Bridge", "The Gazette"), Attribution("Bridge", "The Courier"))
    copies = tuple(replace(stories.story(number=n), attribution=a) for n, a in enumerate(others, 2))
    citation = replace(stories.citation(story), carriers=copies)
    answer = Answer("Who opened it?", (citation,), None, 0.9, Filters())
    before = sent(Shown(answer, ANSWER_ID))
    words = "also carried by The Gazette, The Courier"
    assert words in quotes(before)[1][1]
    current = replace(story, id=99, attribution=replace(story.attribution, source="The Mail"))
    later = {Standing.UNCHANGED: story, Standing.CORRECTED: current, Standing.CHANGED: current}
    after = remade(before, [marked(citation, told(kind, citation, later[kind], still_there=True))])
    assert words in quotes(after)[1][1]


# --- as long as may be


@pytest.mark.parametrize("kind", Standing)
@pytest.mark.parametrize("unit", QUOTED)
def test_the_longest_answer_keeps_discords_limits_with_every_quote_marked(
    unit: str, kind: Standing
) -> None:
    story, citation = _longest(unit)
    numbered = tuple(replace(citation, number=n) for n in (1, 2, 3))
    question = clean_question("a" + (unit.strip() * MAX_QUESTION)[: MAX_QUESTION - 1])
    narrow = Filters((unit.strip() * 100)[:MAX_SOURCE], "2024-10-25", "2024-10-26", "abcdefgh2345")
    origins = {story.article_id: Origin(story.article_id, 1, LINK)}
    answer = Answer(question, numbered, None, 0.2, narrow)
    before = sent(Shown(answer, ANSWER_ID, origins, threads=True, in_server=True))
    _check_limits(before, numbered, kind, story.attribution)


@pytest.mark.parametrize("kind", Standing)
@pytest.mark.parametrize("unit", QUOTED)
def test_short_details_that_become_the_longest_keep_discords_limits(
    unit: str, kind: Standing
) -> None:
    story, citation = _longest(unit)
    brief = replace(
        story, attribution=replace(story.attribution, title="a", source=None, author=None, url=None)
    )
    numbered = tuple(replace(citation, number=n, revision=brief, speaker=None) for n in (1, 2, 3))
    answer = Answer("a" * MAX_QUESTION, numbered, None, 0.2, Filters())
    before = sent(Shown(answer, ANSWER_ID, threads=True, in_server=True))
    _check_limits(before, numbered, kind, story.attribution)


def _check_limits(
    before: Components, cited: Sequence[Citation], kind: Standing, attribution: Any
) -> None:
    assert broken_limits(before) == []
    current = replace(cited[0].revision, id=99, attribution=attribution)
    correction = told(kind, cited[0], current, still_there=True)
    if kind is Standing.REMOVED:
        correction = removed()
    seen = [c for c in cited if c.number in quotes(before)]
    after = remade(before, [marked(c, correction) for c in seen])
    assert broken_limits(after) == []
    assert custom_ids(after) == custom_ids(before)
    words = correction_words(correction)
    assert all(words in found for found in quotes(after).values() if words is not None)


@pytest.mark.parametrize("letter", ["a", "😀"])
@pytest.mark.parametrize("kind", [s for s in Standing if s is not Standing.UNCHANGED])
def test_in_a_message_that_has_no_room_left_the_quote_makes_room(
    letter: str, kind: Standing
) -> None:
    """Messages of an earlier version kept no room for a mark."""
    story = stories.story()
    citation = stories.citation(story)
    whose = "**The Larkmoor Ledger**"
    head = "### Who?"
    room = 4000 - len(head) - len("**1.**\n> ") - len(whose)
    quote = letter * (room // (len(letter.encode("utf-16-le")) // 2))

    def full() -> Layout:
        beside = button("Context", Action.CONTEXT, ANSWER_ID, 1)
        return Layout(panel(text(head), section(f"**1.**\n> {quote}", whose, beside=beside)))

    before = payload(full)
    assert broken_limits(before) == []
    correction = removed() if kind is Standing.REMOVED else told(kind, citation, story)
    after = remade(before, [marked(citation, correction)])
    assert broken_limits(after) == []
    texts = quotes(after)[1]
    assert texts[0].startswith("**1.**\n> *")
    assert letter * 30 not in texts[0]
    assert texts[-1] == correction_words(correction)
    assert custom_ids(after) == custom_ids(before)
    if kind is not Standing.REMOVED:
        assert "behind the button" in texts[0]


# --- what is said, and where


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        (Correction(Standing.UNCHANGED, None, True, None), None),
        (
            Correction(Standing.CHANGED, NOW, True, None, by_publisher=True),
            f"⚠️ The story changed on {STAMP}; the quoted sentence is still in it.",
        ),
        (
            Correction(Standing.CHANGED, NOW, False, None, by_publisher=True),
            f"⚠️ The story changed on {STAMP}; the quoted sentence is no longer in it.",
        ),
        (
            Correction(Standing.CHANGED, NOW, False, None),
            f"⚠️ The story changed on or before {STAMP}; the quoted sentence is no longer in it.",
        ),
        (
            Correction(Standing.MISSING, None, False, None),
            "⚠️ I no longer have the version that was quoted, so I cannot check the quote.",
        ),
        (
            Correction(Standing.WITHDRAWN, NOW, False, None),
            f"⚠️ Its publisher withdrew the story; seen on {STAMP}. It is no longer quoted.",
        ),
        (removed(), f"⚠️ The story was removed on {STAMP}, so it is no longer quoted."),
        (removed(None), "⚠️ The story was removed, so it is no longer quoted."),
        (
            Correction(Standing.CORRECTED, NOW, True, None),
            f"-# The story’s details were corrected on {STAMP}.",
        ),
        (
            Correction(Standing.CHANGED, None, True, None),
            "⚠️ The story changed; the quoted sentence is still in it.",
        ),
    ],
)
def test_what_became_of_a_story_is_said_in_a_sentence(
    correction: Correction, words: str | None
) -> None:
    assert correction_words(correction) == words


CITATION = stories.citation(stories.story())
FOREIGN: dict[str, Any] = {
    "another answer's": lambda: section("**1.**", "x", beside=button("C", Action.CONTEXT, "x", 1)),
    "another number": lambda: section(
        "**2.**", "x", beside=button("C", Action.CONTEXT, ANSWER_ID, 2)
    ),
    "another button": lambda: section("**1.**", "x", beside=button("M", Action.MORE, ANSWER_ID, 1)),
    "no button": lambda: text("**1.**\n> Quoted."),
    "a link": lambda: section(
        "**1.**", beside=discord.ui.Button(label="Context", url="https://example.org")
    ),
    "a picture": lambda: discord.ui.Section("x", accessory=discord.ui.Thumbnail("https://e.org/a")),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_message_without_the_quote_is_left_alone(what: str) -> None:
    components = payload(lambda: Layout(panel(FOREIGN[what]())))

    async def made() -> object:
        return marked_layout(
            message_of(components), ANSWER_ID, [marked(CITATION, changed(CITATION))]
        )

    assert asyncio.run(made()) is None


# --- whose a quote is, and who else carries it


def _answered(citation: Citation) -> Components:
    return sent(Shown(Answer("Who opened it?", (citation,), None, 0.9, Filters()), ANSWER_ID))


LATER = stories.story(
    "Another text.", Attribution("Bridge stays shut", "The Gazette", "Bob Ray"), number=1
)


@pytest.mark.parametrize("kind", [Standing.CHANGED, Standing.WITHDRAWN])
def test_a_quote_that_is_not_in_the_text_any_more_stays_the_quoted_versions(kind: Standing) -> None:
    before = _answered(CITATION)
    after = remade(before, [marked(CITATION, told(kind, CITATION, LATER))])
    assert quotes(after)[1][:2] == quotes(before)[1]
    there = remade(before, [marked(CITATION, told(kind, CITATION, LATER, still_there=True))])
    assert "**The Gazette** · Bob Ray" in quotes(there)[1][1]


def test_where_the_quoted_version_is_gone_the_quote_and_its_details_stay_as_they_were() -> None:
    before = _answered(CITATION)
    correction = told(Standing.MISSING, CITATION, LATER)
    after = remade(before, [marked(CITATION, correction)])
    assert quotes(after)[1] == [*quotes(before)[1], correction_words(correction)]


@pytest.mark.parametrize("names", [(), ("The Courier",), ("The Courier", "The Mail")])
def test_who_else_carries_a_quote_is_said_as_it_is_now(names: tuple[str, ...]) -> None:
    gazette = replace(stories.story(number=2), attribution=Attribution("Bridge", "The Gazette"))
    before = _answered(replace(CITATION, carriers=(gazette,)))
    assert "also carried by The Gazette" in quotes(before)[1][1]
    found = tuple(
        replace(stories.story(number=n), attribution=Attribution("Bridge", name))
        for n, name in enumerate(names, start=3)
    )
    mark = replace(marked(CITATION, unchanged(CITATION)), carriers=Carriers(found, "+"))
    (_, whose) = quotes(remade(before, [mark]))[1]
    line = f"\n-# also carried by {', '.join(names)}"
    assert whose == quotes(_answered(CITATION))[1][1] + (line if names else "")
    assert mark.mark == "+"


def test_a_mark_is_of_the_story_and_of_who_else_carries_it() -> None:
    one = replace(marked(CITATION, changed(CITATION)), carriers=Carriers((), "+/7"))
    assert one.mark == "changed:99+/7"
    assert marked(CITATION, changed(CITATION)).mark == "changed:99"
    assert replace(one, correction=unchanged(CITATION), carriers=Carriers((), "")).mark == ""


# --- a quote that was left out for want of room, or taken out, comes back


def _full(quote: str) -> Components:
    """Return a message that has no room left, with a quote of a story in it."""

    def full() -> Layout:
        beside = button("Context", Action.CONTEXT, ANSWER_ID, 1)
        shown = section(f"**1.** said Ann\n{quote}", "**The Ledger**", beside=beside)
        room = 4000 - sum(
            len(child.content)
            for child in shown.walk_children()
            if isinstance(child, discord.ui.TextDisplay)
        )
        return Layout(panel(text("x" * room), shown))

    return payload(full)


@pytest.mark.parametrize(
    ("span", "block"),
    [
        (Span(0, 38), "> The mayor **opened** the bridge on Friday."),
        (Span(4, 27), "> *[…]* mayor **opened** the bridge *[…]*"),
    ],
)
def test_a_quote_that_was_left_out_comes_back_when_there_is_room(span: Span, block: str) -> None:
    story = stories.story()
    citation = stories.citation(story, span, highlight=Span(10, 16))
    after = remade(_full(block), [marked(citation, told(Standing.CHANGED, citation, story))])
    left_out = quotes(after)[1][0]
    assert left_out.startswith("**1.** said Ann\n> *For want of room")
    for part in after:
        part["components"][0]["content"] = "x"
    for correction in (unchanged(citation), told(Standing.CHANGED, citation, story)):
        again = remade(after, [marked(citation, correction)])
        assert quotes(again)[1][0] == f"**1.** said Ann\n{block}"


def test_a_quote_that_was_taken_out_comes_back_with_its_story() -> None:
    before = _answered(CITATION)
    taken_out = remade(before, [marked(CITATION, removed())])
    assert TAKEN_OUT in quotes(taken_out)[1][0]
    again = remade(taken_out, [Marked(standing(CITATION), unchanged(CITATION), None)])
    assert again == plain(before)
