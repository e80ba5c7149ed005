"""Whatever stories and people write, messages stay within Discord's limits and can be read back."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from discord.components import _component_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from data.answers import GivenCitation, Votes
from data.articles import Saved, SaveStatus
from data.headlines import Headline
from data.ingestion import draft_from_fields
from data.models import Attribution, Filters, Revision, Span
from data.origins import Origin
from handlers.answer_buttons import _fitting
from handlers.answer_context import Context, context_layout
from handlers.layouts import admin_views, stories
from handlers.layouts.layout import Action, Layout, panel, parse_custom_id, text
from handlers.layouts.markdown import escaped
from handlers.layouts.render import (
    MAX_QUESTION,
    MAX_SOURCE,
    Shown,
    answer_layout,
    citation_section,
    filters_of,
    question_of,
    story_line,
)
from index.answerer import clean_question
from index.citations import MAX_CITATIONS, MAX_QUOTE
from index.corrections import Correction, Standing
from index.models import Answer, Citation, IndexStatus, Reason, Speaker
from index.verification import Report
from tests import fakes
from tests.handlers.layouts.test_layout import broken_limits, payload, walk
from tests.handlers.layouts.test_markdown import as_shown, hostile, read

anything = settings(deadline=None)
ANSWER_ID = "aZ09-_aZ09-_"
LINK = "https://discord.com/channels/" + "/".join(["1" * 20] * 3)
DATES = (None, "2024", "2024-10", "2024-10-25", "2024-10-25T23:30:00-05:00", "0001-01-01T00:00Z")

# Fields as `data.ingestion` lets them in: up to 500 characters, a link up to 2,000.
fields = hostile | st.sampled_from(["*" * 500, "😀" * 500, "\u202e" * 9, "\u200b", " "])
questions = hostile.filter(lambda q: any(c.isalnum() for c in q)).map(clean_question)
links = st.none() | st.sampled_from(
    [
        "https://example.org/a_(b)",
        "https://example.org/" + "é" * 1900,
        "https://example.org/#a",
        "x",
    ]
)
attributions = st.builds(
    Attribution,
    title=fields.filter(lambda t: bool(t.strip())),
    source=st.none() | fields,
    author=st.none() | fields,
    published_at=st.sampled_from(DATES),
    url=links,
)
texts = (hostile | st.sampled_from(["#\n" * 300, "😀" * 800, "a b " * 700])).filter(
    lambda t: any(c.isalnum() or c == "#" for c in t)
)
filters = st.builds(
    Filters,
    source=st.none() | hostile.map(lambda s: " ".join(s.split())[:MAX_SOURCE] or None),
    after=st.sampled_from((None, "2024-10-25")),
    before=st.sampled_from((None, "2024-10-26")),
    article=st.none() | st.just("abcdefgh2345"),
)


@st.composite
def revisions(draw: st.DrawFn, number: int = 1) -> Revision:
    """Return a story as it may be stored, of any text and attribution."""
    made = fakes.revision(draw(texts), id=number, article_id=f"abcdefgh234{number}")
    return replace(made, attribution=draw(attributions))


@st.composite
def citations(draw: st.DrawFn, number: int = 1) -> Citation:
    """Return a quote of up to 420 characters with any part of it as the answer."""
    revision = draw(revisions(number))
    whole = len(revision.text)
    start = draw(st.integers(0, max(0, min(whole - 1, 40))))
    span = Span(start, draw(st.integers(start + 1, min(whole, start + MAX_QUOTE))))
    inner = draw(st.integers(span.start, span.end - 1))
    speaker = draw(st.none() | st.builds(Speaker, name=fields, role=st.none() | fields))
    return Citation(
        number=number,
        revision=revision,
        span=span,
        score=0.9,
        highlight=draw(st.none() | st.just(Span(inner, span.end))),
        speaker=speaker,
        cut_before=draw(st.booleans()),
        cut_after=draw(st.booleans()),
    )


@st.composite
def shown(draw: st.DrawFn) -> Shown:
    """Return an answer or a refusal with whatever stands beside it."""
    reason = draw(st.none() | st.sampled_from(Reason))
    found = tuple(draw(citations(n + 1)) for n in range(draw(st.integers(1, MAX_CITATIONS))))
    answer = Answer(
        question=draw(questions)[:MAX_QUESTION],
        citations=found if reason is None else (),
        reason=reason,
        confidence=draw(st.floats(0, 1)),
        filters=draw(filters),
        nearest=tuple(c.revision for c in found),
        newest=draw(st.none() | st.just(found[0].revision)),
    )
    return Shown(
        answer=answer,
        answer_id=ANSWER_ID,
        origins={found[0].revision.article_id: Origin(found[0].revision.article_id, 1, LINK)},
        sources=draw(st.lists(fields, max_size=15)),
        private=draw(st.booleans()),
        in_server=draw(st.booleans()),
        threads=draw(st.booleans()),
    )


def message_of(components: list[dict[str, Any]]) -> discord.Message:
    """Return a message as far as reading its components goes."""
    parts = [_component_factory(cast(Any, component)) for component in components]
    return cast(discord.Message, SimpleNamespace(components=parts))


def contents(components: list[dict[str, Any]]) -> list[str]:
    """Return the texts of a message, in order."""
    return [part["content"] for part in walk(components) if part["type"] == 10]


@anything
@given(shown())
def test_any_answer_or_refusal_keeps_discords_limits(what: Shown) -> None:
    assert broken_limits(payload(lambda: answer_layout(what))) == []


@anything
@given(shown())
def test_the_question_and_the_filters_are_read_back_from_the_message(what: Shown) -> None:
    message = message_of(payload(lambda: answer_layout(what)))
    assert question_of(message) == what.answer.question
    assert filters_of(message) == what.answer.filters


@anything
@given(citations(), st.booleans())
def test_a_quote_is_read_back_from_its_message_as_it_stands_in_the_story(
    citation: Citation, linked: bool
) -> None:
    origin = Origin(citation.revision.article_id, 1, LINK) if linked else None
    made = payload(lambda: Layout(citation_section(citation, origin, ANSWER_ID)))
    quote, source = (read(content) for content in contents(made))
    cut = ("[…] " * citation.cut_before, " […]" * citation.cut_after)
    assert quote.quote == f"{cut[0]}{as_shown(citation.quote)}{cut[1]}"
    assert quote.kinds <= {"quote", "bold", "italic"}
    assert len(quote.of("quote")) == 1
    assert source.quote == ""
    assert source.kinds <= {"bold", "small", "link", "time", "code"}
    assert len(source.of("link")) <= 1


def _longest(unit: str) -> tuple[Revision, Citation]:
    """Return a story that is as long as may be everywhere, made of one piece, and its quote."""
    field = (unit * 500)[:500]
    attribution = Attribution(field, field, field, DATES[4], "https://e.org/" + "a" * 1900)
    made = fakes.revision((unit * 3000)[:3000], article_id="abcdefgh2345")
    made = replace(made, attribution=attribution)
    span = Span(1000, 1000 + MAX_QUOTE)
    speaker = Speaker(field, field)
    return made, Citation(1, made, span, 0.9, span, speaker, cut_before=True, cut_after=True)


# Of which the longest texts are made. Lines end a quote, unless they are as wide as print.
QUOTED = ("a", "*", "😀", "a b ", "\\", "é", "*" * 44 + "\n", "a " * 22 + "\r\n", "1. ", "https://")
UNITS = (*QUOTED, "#\n", "a\n", "-\n", "\n\n.", ">\r")


@pytest.mark.parametrize("unit", QUOTED)
def test_the_longest_answer_keeps_discords_limits(unit: str) -> None:
    story, citation = _longest(unit)
    numbered = tuple(replace(citation, number=n) for n in (1, 2, 3))
    question = clean_question("a" + (unit.strip() * MAX_QUESTION)[: MAX_QUESTION - 1])
    narrow = Filters((unit.strip() * 100)[:MAX_SOURCE], "2024-10-25", "2024-10-26", "abcdefgh2345")
    origins = {story.article_id: Origin(story.article_id, 1, LINK)}
    answer = Answer(question, numbered, None, 0.2, narrow)
    what = Shown(answer, ANSWER_ID, origins, threads=True, in_server=True)
    made = payload(lambda: answer_layout(what))
    assert broken_limits(made) == []
    assert [read(c) for c in contents(made) if "[…]" in c], "the first quote is always there"


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_refusal_keeps_discords_limits(unit: str, reason: Reason) -> None:
    story, _ = _longest(unit)
    question = clean_question("a" + (unit.strip() * MAX_QUESTION)[: MAX_QUESTION - 1])
    narrow = Filters((unit.strip() * 100)[:MAX_SOURCE], "2024-10-25", "2024-10-26", "abcdefgh2345")
    answer = Answer(question, (), reason, 0.0, narrow, (story,) * 3, story)
    sources = [(unit * 100)[:100]] * 20
    what = Shown(answer, ANSWER_ID, sources=sources, in_server=True)
    assert broken_limits(payload(lambda: answer_layout(what))) == []


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_context_keeps_discords_limits(unit: str) -> None:
    story, citation = _longest(unit)
    changed = fakes.revision("Another text.", article_id=story.article_id)
    place = GivenCitation(1, "", story.article_id, 1, citation.span, citation.span)
    origin = Origin(story.article_id, 1, LINK)
    correction = Correction(Standing.CHANGED, "2025-01-01T00:00:00+00:00", False, changed)
    context = Context(story, correction, place, origin)
    assert broken_limits(payload(lambda: context_layout(context))) == []


@anything
@given(citations())
def test_any_context_keeps_discords_limits_and_shows_the_storys_own_words(
    citation: Citation,
) -> None:
    # A real quote begins and ends with a word.
    words = citation.quote.strip()
    if not words:
        return
    start = citation.span.start + citation.quote.index(words)
    span = Span(start, start + len(words))
    place = GivenCitation(1, "", citation.revision.article_id, 1, span, None)
    unchanged = Correction(Standing.UNCHANGED, None, True, citation.revision)
    context = Context(citation.revision, unchanged, place, None)
    made = payload(lambda: context_layout(context))
    assert broken_limits(made) == []
    block = read(contents(made)[0])
    assert block.text == block.quote
    assert block.quote in as_shown(citation.revision.text)
    assert as_shown(words) in block.quote
    assert block.kinds <= {"quote", "bold"}


@pytest.mark.parametrize("unit", QUOTED)
def test_a_page_of_more_quotes_keeps_discords_limits(unit: str) -> None:
    _, citation = _longest(unit)
    numbered = [replace(citation, number=n) for n in (4, 5, 6)]
    head = f"More quotes for “{escaped('*' * 120)}”"
    made = payload(
        lambda: Layout(
            panel(
                text(head),
                *_fitting([citation_section(c, None, ANSWER_ID) for c in numbered]),
            )
        )
    )
    assert broken_limits(made) == []


@anything
@given(st.lists(revisions(), max_size=stories.PAGE_STORIES), st.integers(0, 2), hostile)
def test_lists_keep_discords_limits(found: list[Revision], page: int, query: str) -> None:
    found = [replace(r, article_id=f"abcdefg{n}") for n, r in enumerate(found)]
    headlines = [Headline(r.article_id, "7", r.attribution) for r in found]
    total = len(found) and len(found) + page * stories.PAGE_STORIES
    made = payload(lambda: stories.list_layout(headlines, page=page, total=total, own="8"))
    assert broken_limits(made) == []
    assert broken_limits(payload(lambda: stories.found_layout(query, found))) == []


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_lists_keep_discords_limits(unit: str) -> None:
    story, _ = _longest(unit)
    found = [replace(story, article_id=f"abcdefg{n}") for n in range(stories.PAGE_STORIES)]
    headlines = [Headline(r.article_id, "7", r.attribution) for r in found]
    made = payload(lambda: stories.list_layout(headlines, page=1, total=10**6, own="8"))
    assert broken_limits(made) == []
    assert broken_limits(payload(lambda: stories.found_layout(unit * 200, found))) == []


@anything
@given(attributions)
def test_an_entry_of_a_list_is_a_title_a_byline_and_an_id(attribution: Attribution) -> None:
    lines = story_line(attribution, "abcdefgh2345").split("\n")
    assert len(lines) == 2
    assert read(lines[0]).kinds <= {"bold"}
    assert read(lines[1]).kinds <= {"small", "time", "code"}
    assert read(lines[1]).of("code") == ["`abcdefgh2345`"]


@anything
@given(revisions(), st.integers(0, 3), st.booleans())
def test_a_page_of_a_story_keeps_discords_limits(story: Revision, page: int, own: bool) -> None:
    origin = Origin(story.article_id, 1, LINK)
    made = payload(
        lambda: stories.story_layout(
            story, origin, page=page, versions=2, own=own, may_edit=page % 2 == 0
        )
    )
    assert broken_limits(made) == []


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_pages_of_a_story_keep_discords_limits(unit: str) -> None:
    story, _ = _longest(unit)
    url = "https://e.org/" + "_" * 185
    story = replace(story, attribution=replace(story.attribution, url=url))
    origin = Origin(story.article_id, 10**20, LINK)
    for page in range(len(stories.text_pages(story.text))):
        made = payload(
            partial(
                stories.story_layout,
                story,
                origin,
                page=page,
                versions=10**6,
                own=False,
                may_edit=True,
            )
        )
        assert broken_limits(made) == []


@anything
@given(texts)
def test_the_pages_of_a_story_hold_all_of_its_text_in_order(whole: str) -> None:
    seen = [read(page) for page in stories.text_pages(whole)]
    assert all(page.text == page.quote for page in seen)
    assert all(page.kinds <= {"quote"} for page in seen)
    together = "".join("".join(page.quote.split()) for page in seen)
    assert together == "".join(as_shown(whole).split())


@anything
@given(
    revisions(),
    st.sampled_from(SaveStatus),
    st.booleans(),
    st.sampled_from(["a", "*", "😀", "\u200b", "\U000e0041", "\\"]),
)
def test_what_was_saved_is_told_within_discords_limits(
    story: Revision, status: SaveStatus, seen_by_all: bool, unit: str
) -> None:
    fields = {"text": "x", "published_at": unit * 500, "url": unit * 2000}
    notes = draft_from_fields(fields).notes
    # What cannot be seen is nothing, and needs no note.
    assert len(notes) == (0 if unit in ("\u200b", "\U000e0041") else 2)
    saved = Saved(status, story)
    made = payload(lambda: stories.saved_layout(saved, 1, notes, seen_by_all=seen_by_all))
    assert broken_limits(made) == []


@anything
@given(revisions(), hostile)
def test_questions_back_keep_discords_limits(story: Revision, title: str) -> None:
    for layout in (
        lambda: stories.remove_layout(story),
        lambda: stories.confirm_layout([title] * 5, "aZ09-_aZ09-_"),
        lambda: admin_views.ask_layout("rebuild", 10**9),
        lambda: admin_views.ask_layout("undo", 1),
    ):
        made = payload(layout)
        assert broken_limits(made) == []
        ids = [part["custom_id"] for part in walk(made) if "custom_id" in part]
        actions = [pressed.action for i in ids if (pressed := parse_custom_id(i))]
        assert len(actions) == 2
        assert actions[1] is Action.KEEP


def _status(newest: Revision | None, encoder: str, notes: list[str]) -> IndexStatus:
    return IndexStatus(
        collection="7",
        stories=10**9,
        revisions=10**9,
        chunks=10**9,
        newest=newest,
        encoder=encoder,
        weights_hash=None,
        dimension=None,
        chunker_version=None,
        header_version=None,
        built_at="2024-10-25T12:00:00+00:00",
        database_bytes=10**15,
        index_bytes=10**15,
        stale=tuple(notes),
    )


@anything
@given(st.none() | revisions(), st.lists(fields, max_size=12), fields, st.booleans())
def test_the_state_of_an_index_keeps_discords_limits(
    newest: Revision | None, notes: list[str], encoder: str, running: bool
) -> None:
    status = _status(newest, encoder, notes)
    votes = Votes(10**9, 10**9)
    made = payload(
        lambda: admin_views.status_layout(status, runtime="torch", votes=votes, running=running)
    )
    assert broken_limits(made) == []


@anything
@given(st.lists(fields, max_size=12), st.lists(fields, max_size=5), hostile)
def test_reports_keep_discords_limits(problems: list[str], notes: list[str], words: str) -> None:
    report = Report(10**9, 10**9, 10**9, tuple(problems), tuple(notes))
    for layout in (
        lambda: admin_views.report_layout(report),
        lambda: admin_views.progress_layout("rebuild", 10**6, 10**9),
        lambda: admin_views.progress_layout("undo", 0, 0),
        lambda: admin_views.done_layout("undo", 10**9, words, 10**6),
        lambda: admin_views.failed_layout(words),
    ):
        assert broken_limits(payload(layout)) == []


@pytest.mark.parametrize("unit", UNITS)
def test_the_longest_words_about_an_index_keep_discords_limits(unit: str) -> None:
    words = (unit * 500)[:500]
    status = _status(_longest(unit)[0], words, [words] * 12)
    report = Report(1, 1, 1, (words,) * 12, (words,) * 5)
    for layout in (
        lambda: admin_views.status_layout(
            status, runtime="torch", votes=Votes(1, 1), running=False
        ),
        lambda: admin_views.report_layout(report),
    ):
        assert broken_limits(payload(layout)) == []
