import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from data.articles import Saved, SaveStatus
from data.models import Attribution, Filters, Revision, Span, normalise
from handlers.console import (
    CUT,
    Screen,
    answer_view,
    articles_view,
    attribution_line,
    filter_words,
    passages_view,
    printable,
    report_view,
    saved_line,
    status_view,
    story_view,
    sureness,
    where_to_read,
)
from index.models import IndexStatus, Reason
from index.verification import Report
from tests import fakes
from tests.handlers.stories import ATTRIBUTION, answered, citation, refused, story

WIDTHS = [80, 40]
LONG = (
    "The ferry that ran aground off Skerrin on Friday had left the marked channel to make up lost "
    "time, two members of her crew have told The Larkmoor Ledger."
)
# What may never reach a terminal: it would move the cursor, set titles or reorder a line.
STEERING = "\x1b\x07\x08\x00\x9b\x7f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = "The \x1b]0;owned\x07mayor \x1b[2J\x9b31mwas \u202edehsup\u202c and \u2066fell\u2069."

REASON_WORDS = {
    Reason.EMPTY_COLLECTION: "There are no stories here yet.",
    Reason.NO_PASSAGE: "Nothing in the stories here is about that.",
    Reason.LOW_CONFIDENCE: "Nothing in the stories here answers that well enough to quote.",
    Reason.FILTERED_OUT: "No story here passes the filters",
}

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=80)
_fields = st.none() | _texts.filter(str.strip)


@st.composite
def _revisions(draw: st.DrawFn) -> Revision:
    text = normalise(draw(_texts.filter(str.strip)))
    dates = st.sampled_from([None, "2024", "2024-10", "2024-10-25", "2024-10-25T10:00:00Z"])
    title = draw(_texts.filter(str.strip))
    attribution = Attribution(title, draw(_fields), draw(_fields), draw(dates), draw(_fields))
    return story(text, attribution, external_id=draw(_fields))


@st.composite
def _spans(draw: st.DrawFn, within: Span) -> Span:
    start = draw(st.integers(within.start, within.end - 1))
    return Span(start, draw(st.integers(start + 1, within.end)))


def shown(view: RenderableType, width: int = 80) -> str:
    """Return what a terminal of that width is sent, without colours."""
    console = Console(
        file=io.StringIO(), record=True, width=width, force_terminal=True, color_system=None
    )
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def words(text: str) -> str:
    """Return the text without frames, and with white space folded."""
    return " ".join("".join(" " if c in "│╭╮╰╯─" else c for c in text).split())


@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_of_a_quote_is_shown_at_any_width(width: int, boxed: bool) -> None:
    view = answer_view(answered(citation(story(LONG), highlight=Span(4, 9))), boxed=boxed)
    found = shown(view, width)
    assert LONG in words(found)
    assert max(map(len, found.splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_quote_is_followed_by_who_published_it_who_wrote_it_when_and_where_to_read_it(
    width: int,
) -> None:
    found = words(shown(answer_view(answered(citation(story()))), width))
    line = "The Larkmoor Ledger, Ann Reed, 25 October 2024, “Bridge opened”"
    assert found.index("Nobody fell in.") < found.index(line) < found.index("https://ledger.exam")


@pytest.mark.parametrize("boxed", [True, False])
def test_quotes_are_shown_with_their_numbers_in_order(boxed: bool) -> None:
    first, second = story("Alpha spoke."), story("Beta spoke.", number=2)
    view = answer_view(answered(citation(first), citation(second, number=2)), boxed=boxed)
    found = shown(view)
    places = [found.index(part) for part in ("1", "Alpha spoke.", "2 ", "Beta spoke.")]
    assert places == sorted(places)


def test_the_answer_is_emphasised_and_nothing_else_of_the_quote() -> None:
    console = Console(file=io.StringIO(), record=True, width=80, highlight=False)
    found = citation(story("It cost two crowns."), highlight=Span(8, 18))
    console.print(answer_view(answered(found), boxed=False))
    assert "It cost \x1b[1;4mtwo crowns\x1b[0m." in console.export_text(styles=True)


@pytest.mark.parametrize(
    ("before", "after"), [(True, False), (False, True), (True, True), (False, False)]
)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_cut_is_marked_outside_the_quoted_characters(
    width: int, before: bool, after: bool
) -> None:
    found = replace(citation(story(LONG), Span(4, 40)), cut_before=before, cut_after=after)
    quote = LONG[4:40]
    expected = (f"{CUT} " if before else "") + quote + (f" {CUT}" if after else "")
    text = words(shown(answer_view(answered(found)), width))
    assert expected in text
    assert text.count(CUT) == before + after
    assert CUT not in found.quote


def test_what_is_unknown_is_said_to_be_unknown_or_left_out() -> None:
    unknown = story(attribution=Attribution("Bridge opened"))
    assert attribution_line(unknown) == "publisher unknown, date unknown, “Bridge opened”"
    assert where_to_read(unknown) == "story story-1"
    found = words(shown(answer_view(answered(citation(unknown)))))
    assert "publisher unknown, date unknown, “Bridge opened” story story-1" in found
    assert "None" not in found


@pytest.mark.parametrize(
    ("published_at", "in_words"),
    [
        ("2024", "2024"),
        ("2024-10", "October 2024"),
        ("2024-10-05", "5 October 2024"),
        ("2024-12-31T23:59:00-11:00", "31 December 2024"),
    ],
)
def test_a_date_is_shown_in_words_with_the_precision_it_came_with(
    published_at: str, in_words: str
) -> None:
    revision = story(attribution=Attribution("T", published_at=published_at))
    assert attribution_line(revision) == f"publisher unknown, {in_words}, “T”"


def test_white_space_around_a_name_is_not_shown() -> None:
    revision = story(attribution=Attribution(" Title ", " Ledger ", " Ann "))
    assert attribution_line(revision) == "Ledger, Ann, date unknown, “Title”"


@pytest.mark.parametrize(
    ("confidence", "how_sure"),
    [
        (1.0, "very sure"),
        (0.75, "very sure"),
        (0.7499, "fairly sure"),
        (0.55, "fairly sure"),
        (0.5499, "not very sure"),
        (0.0, "not very sure"),
    ],
)
def test_how_sure_the_bot_is_is_said_in_words(confidence: float, how_sure: str) -> None:
    assert sureness(confidence) == how_sure
    found = words(shown(answer_view(answered(citation(story()), confidence=confidence))))
    assert f"I am {how_sure} that this answers the question." in found


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (Filters(), ""),
        (Filters(source="The Ledger"), "(only publisher The Ledger)"),
        (Filters(after="2024-10-01"), "(only from 2024-10-01 on)"),
        (Filters(before="2024-10-31"), "(only up to 2024-10-31)"),
        (Filters(article="abc"), "(only story abc)"),
        (
            Filters("L", "2024", "2025", "abc"),
            "(only publisher L, from 2024 on, up to 2025, story abc)",
        ),
    ],
)
def test_filters_that_applied_are_said_with_the_answer(filters: Filters, sentence: str) -> None:
    assert filter_words(filters) == sentence
    found = words(shown(answer_view(answered(citation(story()), filters=filters)), 120))
    assert found.endswith(f"answers the question {sentence}".strip() + ".")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("reason", list(Reason))
def test_a_refusal_says_why_and_names_the_nearest_stories_and_the_newest_date(
    reason: Reason, width: int
) -> None:
    near = story(attribution=replace(ATTRIBUTION, published_at="2023-05-01"))
    found = words(shown(answer_view(refused(reason, nearest=(near,), newest=story())), width))
    assert REASON_WORDS[reason] in found
    assert "The nearest stories:" in found
    assert "The Larkmoor Ledger, Ann Reed, 1 May 2023, “Bridge opened” (story-1)" in found
    assert found.endswith("The newest story here is of 25 October 2024.")


def test_a_refusal_of_an_empty_collection_says_how_to_add_a_story() -> None:
    found = words(shown(answer_view(refused(Reason.EMPTY_COLLECTION))))
    assert "python bot.py add FILE" in found
    assert "nearest" not in found
    assert "newest" not in found


@pytest.mark.parametrize("reason", [Reason.FILTERED_OUT, Reason.LOW_CONFIDENCE])
def test_a_refusal_says_which_filters_applied(reason: Reason) -> None:
    filters = Filters(source="Nobody", after="2025-01-01")
    found = words(shown(answer_view(refused(reason, filters=filters))))
    assert "(only publisher Nobody, from 2025-01-01 on)" in found


def test_a_publisher_that_is_not_here_is_answered_with_those_that_are() -> None:
    answer = refused(Reason.FILTERED_OUT, filters=Filters(source="Nobody"))
    found = words(shown(answer_view(answer, sources=[" The Ledger ", "The [bold]Gazette"])))
    assert "Publishers here: The Ledger, The [bold]Gazette." in found


@pytest.mark.parametrize("boxed", [True, False])
def test_a_story_cannot_steer_the_terminal(boxed: bool) -> None:
    revision = story(HOSTILE, Attribution(HOSTILE, HOSTILE, HOSTILE, None, f"https://{HOSTILE}"))
    other = replace(revision, attribution=replace(revision.attribution, url=None))
    named = replace(other, article_id="x", external_id=HOSTILE)
    filters = Filters(source=HOSTILE)
    views = [
        answer_view(
            answered(citation(revision, highlight=Span(5, 20)), filters=filters), boxed=boxed
        ),
        answer_view(
            refused(Reason.FILTERED_OUT, nearest=(other,), filters=filters), sources=[HOSTILE]
        ),
        articles_view([revision]),
        passages_view([fakes.passage(revision)]),
        story_view(named, text=True),
        report_view(Report(1, 1, 1, (HOSTILE,), ())),
    ]
    for view in views:
        found = shown(view)
        assert not set(found) & set(STEERING)
        assert "mayor" in found


def test_lines_told_and_said_cannot_steer_the_terminal_either() -> None:
    out, err = (Console(file=io.StringIO(), force_terminal=True, color_system=None) for _ in "oe")
    screen = Screen(out, err)
    screen.say(HOSTILE)
    screen.note(HOSTILE)
    screen.warn(HOSTILE)
    for console in (out, err):
        assert isinstance(console.file, io.StringIO)
        assert not set(console.file.getvalue()) & set(STEERING)
        assert "mayor" in console.file.getvalue()


@pytest.mark.parametrize(
    "markup",
    ["[bold]big[/bold]", "[link=https://evil.example]here[/link]", "[/]", ":smile:", "\\["],
)
def test_markup_in_a_story_is_shown_as_it_stands(markup: str) -> None:
    revision = story(f"A {markup} B.", Attribution(f"T {markup}", f"S {markup}"))
    views = [
        answer_view(answered(citation(revision))),
        answer_view(refused(Reason.NO_PASSAGE, nearest=(revision,), newest=revision)),
        articles_view([revision]),
        passages_view([fakes.passage(revision)]),
        story_view(revision, text=True),
    ]
    for view in views:
        assert f"T {markup}" in words(shown(view, 120))
    assert f"A {markup} B." in shown(views[0], 120)


@pytest.mark.parametrize(
    "text",
    [
        "القاهرة مدينة كَبيرة",
        "市长昨天说：新桥。",
        "हिन्दी",
        "می‌خواهم",
        "👩‍👩‍👧 😀",
        "e\u0323\u0301 café",
        "a\tb\nc",
    ],
)
def test_letters_marks_joiners_and_emoji_of_any_script_stay(text: str) -> None:
    assert printable(text) == text


@given(data=st.data())
def test_no_story_whatever_breaks_the_screen_or_reaches_it_unfiltered(data: st.DataObject) -> None:
    revision = data.draw(_revisions())
    span = data.draw(_spans(Span(0, len(revision.text))))
    quoted = replace(
        citation(revision, span, highlight=data.draw(st.none() | _spans(span))),
        cut_before=data.draw(st.booleans()),
        cut_after=data.draw(st.booleans()),
    )
    source = revision.attribution.source
    answers = (
        answered(quoted, filters=Filters(source=source)),
        refused(
            data.draw(st.sampled_from(list(Reason))),
            nearest=(revision,),
            newest=revision if revision.attribution.published_at else None,
            filters=Filters(source=source),
        ),
    )
    views = [
        *(answer_view(answer, boxed=boxed) for answer in answers for boxed in (True, False)),
        articles_view([revision]),
        passages_view([fakes.passage(revision, span)]),
        story_view(revision, text=True),
    ]
    width = data.draw(st.sampled_from(WIDTHS))
    for view in views:
        assert not set(shown(view, width)) & set(STEERING)


def test_a_search_shows_each_passage_below_its_rank_and_attribution() -> None:
    first = fakes.passage(story("Alpha spoke."), rank=1, score=0.9)
    second = fakes.passage(story("Beta spoke.", number=2), rank=2, score=0.12345)
    found = words(shown(passages_view([first, second]), 120))
    line = attribution_line(story())
    expected = f"1. {line} (0.900) Alpha spoke. 2. {line} (0.123) Beta spoke."
    assert found == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_of_stories_keeps_ids_and_days_whole_at_any_width(width: int) -> None:
    unknown = story(attribution=Attribution("A title of some length, longer than its column"))
    found = shown(articles_view([story(), replace(unknown, article_id="story-2")]), width)
    assert "story-1" in found
    assert "2024-10-25" in found
    assert "T23:30" not in found
    assert found.count("unknown") == 2


def test_one_story_is_shown_with_everything_known_and_its_text_only_when_asked_for() -> None:
    revision = story(external_id="x9")
    found = words(shown(story_view(revision, text=False), 120))
    for value in ("Bridge opened", "The Larkmoor Ledger", "Ann Reed", "x9", "story-1"):
        assert value in found
    assert "Date 2024-10-25T23:30:00-05:00" in found
    assert revision.text not in found
    assert revision.text in words(shown(story_view(revision, text=True), 120))


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (SaveStatus.NEW, "Added story story-1: The Larkmoor Ledger, Ann Reed"),
        (SaveStatus.CHANGED, "Stored a new version of story story-1: "),
        (SaveStatus.SAME, "Nothing changed in story story-1: "),
    ],
)
def test_one_line_says_what_saving_a_story_did(status: SaveStatus, begins: str) -> None:
    assert saved_line(Saved(status, story())).startswith(begins)


def _status(newest: Revision | None, *stale: str) -> IndexStatus:
    known = newest is not None
    return IndexStatus(
        collection="shared",
        stories=1200,
        revisions=1300,
        chunks=5000,
        newest=newest,
        encoder="tiny" if known else None,
        weights_hash="0123456789abcdef" if known else None,
        dimension=64 if known else None,
        chunker_version=1 if known else None,
        header_version=2 if known else None,
        built_at="2025-01-01T00:00:00+00:00" if known else None,
        database_bytes=12_345_678,
        index_bytes=2_000_000,
        stale=stale,
    )


def test_a_status_shows_counts_newest_story_encoder_fingerprint_sizes_and_what_is_stale() -> None:
    found = words(shown(status_view(_status(story(), "It is behind."), runtime="torch fp32"), 120))
    for value in (
        "Collection shared",
        "Stories 1,200, in 1,300 versions",
        "Chunks 5,000",
        f"Newest story {attribution_line(story())}",
        "Encoder tiny (torch fp32)",
        "Fingerprint 0123456789ab, 64 dimensions, chunker 1, header 2",
        "Database 12.3 MB",
        "Index file 2.0 MB",
        "Stale It is behind.",
    ):
        assert value in found


def test_a_status_of_nothing_says_so_in_words() -> None:
    found = words(shown(status_view(_status(None), runtime="torch fp32"), 120))
    for value in ("Newest story none with a date", "Encoder none yet", "Fingerprint none yet"):
        assert value in found
    assert "Stale nothing" in found
    assert "None" not in found


def test_a_clean_report_says_what_was_checked_and_that_all_is_well() -> None:
    found = words(shown(report_view(Report(10, 20, 5, (), ("The index file is behind.",))), 120))
    assert "Checked 10 stories and 20 chunks; 5 vectors encoded again." in found
    assert "Note: The index file is behind." in found
    assert found.endswith("Everything is in order.")


def test_a_report_of_problems_lists_each_and_does_not_say_that_all_is_well() -> None:
    found = words(shown(report_view(Report(1, 1, 0, ("One is off.", "Two is off."), ())), 120))
    assert "Problem: One is off. Problem: Two is off." in found
    assert "in order" not in found


def test_into_a_pipe_nothing_is_wrapped() -> None:
    out, err = (Console(file=io.StringIO(), width=40) for _ in "oe")
    screen = Screen(out, err)
    screen.show(answer_view(answered(citation(story(LONG))), boxed=False))
    screen.warn(LONG)
    for console in (out, err):
        assert isinstance(console.file, io.StringIO)
        assert LONG in console.file.getvalue()


def test_every_character_of_a_story_that_can_be_seen_is_shown() -> None:
    seen = "10\u00a0000 crowns\u202fmore,\u3000Mr.\u2009Smith \u200d\ue000 🏴\U000e0067\U000e007f"
    assert printable(seen) == seen


def test_unusual_line_ends_part_lines_and_never_glue_words_together() -> None:
    assert printable("a\rb\r\nc\u2028d\x85e") == "a\nb\nc\nd\ne"
