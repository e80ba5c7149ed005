import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import StorageError
from data.models import Attribution, Revision, Span, normalise, text_hash
from index.citations import (
    FURTHER_SHARE,
    MAX_CITATIONS,
    MAX_QUOTE,
    MAX_SENTENCES,
    SAME_STORY_SHARE,
    check,
    cite,
)
from index.models import Citation, Evidence, QuoteMismatchError
from index.sentences import paragraph_spans, sentence_spans
from tests.fakes import Wiring, evidence, revision, story
from tests.index.texts import stories

WEATHER = "Rain fell. Snow melted. Hail struck. Fog rose. Wind blew."


def _every_sentence(of: Revision, *scores: float) -> list[Evidence]:
    """Return the first sentences as evidence, one for each score."""
    return [
        evidence(of, span, score=score)
        for span, score in zip(sentence_spans(of.text), scores, strict=False)
    ]


def _quotes(citations: tuple[Citation, ...]) -> list[str]:
    return [citation.quote for citation in citations]


def _long(words: int) -> str:
    """Return one sentence of different words, seven characters each with the space."""
    return " ".join(f"wo{i:04}" for i in range(words))


def test_nothing_is_quoted_below_the_threshold() -> None:
    found = _every_sentence(revision(WEATHER), 0.3)
    assert cite("Why?", found, threshold=0.31) == ()
    assert _quotes(cite("Why?", found, threshold=0.3)) == ["Rain fell."]
    assert cite("Why?", [], threshold=0.0) == ()


def test_quotes_are_numbered_and_the_strongest_comes_first() -> None:
    many = [revision(text, id=i) for i, text in enumerate(("Rain.", "Snow.", "Hail."))]
    found = [evidence(r, Span(0, 5), score=s) for r, s in zip(many, (0.9, 0.89, 0.88), strict=True)]
    citations = cite("Why?", found, threshold=0.1)
    assert [(c.number, c.quote, c.score) for c in citations] == [
        (1, "Rain.", 0.9),
        (2, "Snow.", 0.89),
        (3, "Hail.", 0.88),
    ]


def test_quotes_are_numbered_by_strength_where_the_reader_tells_one() -> None:
    rain, snow, hail = (revision(text, id=i) for i, text in enumerate(("Rain.", "Snow.", "Hail.")))
    found = [
        evidence(rain, Span(0, 5), score=0.8, strength=0.6),
        evidence(snow, Span(0, 5), score=0.9, strength=0.5),
        evidence(hail, Span(0, 5), score=0.9, strength=0.55),
    ]
    citations = cite("Why?", found, threshold=0.1)
    assert [(c.number, c.quote, c.score) for c in citations] == [
        (1, "Rain.", 0.6),
        (2, "Hail.", 0.55),
        (3, "Snow.", 0.5),
    ]


def test_the_threshold_is_one_of_probability_and_not_of_strength() -> None:
    story = revision("Rain.")
    unlikely = [evidence(story, Span(0, 5), score=0.3, strength=0.9)]
    likely = [evidence(story, Span(0, 5), score=0.9, strength=0.3)]
    assert cite("Why?", unlikely, threshold=0.5) == ()
    assert len(cite("Why?", likely, threshold=0.5)) == 1


def test_at_most_three_are_quoted() -> None:
    assert MAX_CITATIONS == 3
    citations = cite("Why?", _every_sentence(revision(WEATHER), *[0.9] * 5), threshold=0.1)
    assert _quotes(citations) == ["Rain fell.", "Snow melted.", "Hail struck."]


def test_other_stories_are_quoted_before_one_is_quoted_twice() -> None:
    one, two, three = revision(WEATHER), revision("Ice.", id=2), revision("Sun.", id=3)
    found = [
        *_every_sentence(one, 0.9, 0.89),
        evidence(two, Span(0, 4), score=0.88),
        evidence(three, Span(0, 4), score=0.87),
    ]
    assert _quotes(cite("Why?", found, threshold=0.1)) == ["Rain fell.", "Ice.", "Sun."]
    both = cite("Why?", found[:3], threshold=0.1)
    assert _quotes(both) == ["Rain fell.", "Snow melted.", "Ice."]  # chosen so, shown by strength


def test_two_revisions_of_one_story_are_one_story() -> None:
    one = revision(WEATHER, id=1, article_id="a")
    again, other = revision("Ice.", id=2, article_id="a"), revision("Sun.", id=3)
    found = [
        evidence(one, Span(0, 10), score=0.9),
        evidence(again, Span(0, 4), score=0.9),
        evidence(other, Span(0, 4), score=0.9),
    ]
    assert _quotes(cite("Why?", found, threshold=0.1)) == ["Rain fell.", "Sun.", "Ice."]


@pytest.mark.parametrize(
    ("share", "quoted"), [(FURTHER_SHARE + 0.01, 2), (FURTHER_SHARE - 0.01, 1)]
)
def test_a_further_quote_must_be_nearly_as_likely_as_the_first(share: float, quoted: int) -> None:
    one, two = revision("Rain."), revision("Snow.", id=2)
    found = [evidence(one, Span(0, 5), score=0.8), evidence(two, Span(0, 5), score=0.8 * share)]
    assert len(cite("Why?", found, threshold=0.1)) == quoted


def test_a_further_quote_must_pass_the_threshold_by_itself() -> None:
    one, two = revision("Rain."), revision("Snow.", id=2)
    found = [evidence(one, Span(0, 5), score=0.5), evidence(two, Span(0, 5), score=0.45)]
    assert len(cite("Why?", found, threshold=0.45)) == 2
    assert len(cite("Why?", found, threshold=0.46)) == 1


def test_a_second_quote_of_one_story_must_be_stronger_than_one_of_another() -> None:
    share = FURTHER_SHARE / SAME_STORY_SHARE
    one, two = revision("Rain fell. Snow melted."), revision("Hail.", id=2)
    weaker = _every_sentence(one, 0.8, 0.8 * (share - 0.01))
    stronger = _every_sentence(one, 0.8, 0.8 * (share + 0.01))
    elsewhere = evidence(two, Span(0, 5), score=0.8 * (share - 0.01))
    assert len(cite("Why?", weaker, threshold=0.1)) == 1
    assert len(cite("Why?", stronger, threshold=0.1)) == 2
    assert len(cite("Why?", [weaker[0], elsewhere], threshold=0.1)) == 2


def test_a_copy_in_another_story_is_left_out() -> None:
    one = revision("The mayor opened the bridge.")
    copy = revision("THE MAYOR OPENED the bridges!", id=2)
    other = revision("The mayor closed a tunnel.", id=3)
    found = [evidence(r, Span(0, len(r.text)), score=0.9) for r in (one, copy, other)]
    assert [c.revision.id for c in cite("Why?", found, threshold=0.1)] == [1, 3]


def test_a_quote_that_says_no_more_than_one_before_it_is_left_out() -> None:
    one = revision("The mayor of Orrick opened the bridge on Monday.")
    less = revision("The mayor opened the bridge.", id=2)
    found = [evidence(r, Span(0, len(r.text)), score=0.9) for r in (one, less)]
    assert [c.revision.id for c in cite("Why?", found, threshold=0.1)] == [1]


def test_a_quote_that_shares_just_four_words_of_five_is_no_copy() -> None:
    one = revision("Mayor opened bridge near Orrick.")
    other = revision("Mayor opened bridge near Quill.", id=2)
    found = [evidence(r, Span(0, len(r.text)), score=0.9) for r in (one, other)]
    assert len(cite("Why?", found, threshold=0.1)) == 2
    six = revision("Mayor opened small bridge near Orrick.", id=3)
    seven = revision("Mayor opened small bridge near Quill.", id=4)
    found = [evidence(r, Span(0, len(r.text)), score=0.9) for r in (six, seven)]
    assert len(cite("Why?", found, threshold=0.1)) == 1  # five of six


@pytest.mark.parametrize(
    ("one", "other", "quoted"),
    [
        ("23 crew", "26 crew", 2),
        ("4,200 sheep", "5,100 sheep", 2),
        ("four men", "Five men", 2),
        ("a man on Monday", "a man on Friday", 2),
        ("23 crew", "the crew", 1),
        ("23 crew of 4 ships", "23 crew of the ships", 1),
        ("some crew", "the crew", 1),
    ],
)
def test_publishers_who_disagree_are_both_quoted(one: str, other: str, quoted: int) -> None:
    rest = "were aboard the cargo ship when she ran aground off the harbour of Quillhaven"
    both = [revision(f"There {rest} {what}.", id=n) for n, what in enumerate((one, other))]
    found = [evidence(r, Span(0, len(r.text)), score=0.9) for r in both]
    assert len(cite("Who was aboard?", found, threshold=0.1)) == quoted


def _said_by(number: int, **known: str) -> Revision:
    named = Attribution("Ship aground", **known)
    return replace(revision("The ship ran aground. Rain fell.", id=number), attribution=named)


def test_of_a_sentence_in_several_copies_the_best_known_one_is_quoted() -> None:
    nameless = _said_by(1, source="Gazette")
    later = _said_by(2, source="Post", author="Ann Lee", published_at="2025-03-05")
    first = _said_by(3, source="Ledger", author="Ann Lee", published_at="2025-03-04")
    other = _said_by(4, source="Herald", author="Ann Lee", published_at="2025-03-01")
    found = [
        evidence(r, sentence_spans(r.text)[0], score=score)
        for r, score in zip((nameless, later, first, other), (0.9, 0.89, 0.88, 0.87), strict=True)
    ]

    def copies(of: Revision) -> list[Revision]:
        family = (nameless, later, first)
        return [r for r in family if r.id != of.id] if of in family else []

    (quoted,) = cite("Where did it run?", found, threshold=0.1, copies=copies)
    assert (quoted.revision.id, quoted.quote) == (3, "The ship ran aground.")
    (quoted,) = cite("Where did it run?", found, threshold=0.885, copies=copies)
    assert quoted.revision.id == 2  # the first one is not likely enough to be quoted


def test_a_neighbour_joins_the_quote_when_it_brings_the_words_that_are_missing() -> None:
    story = revision("Rain fell. The ferry ran aground. Captain Orr blamed the fog. Snow fell.")
    found = [evidence(story, Span(34, 61), score=0.9)]
    (citation,) = cite("Did captain Orr run the ferry aground?", found, threshold=0.1)
    assert citation.quote == "The ferry ran aground. Captain Orr blamed the fog."
    assert (citation.cut_before, citation.cut_after) == (False, False)
    (citation,) = cite("What did captain Orr blame?", found, threshold=0.1)
    assert citation.quote == "Captain Orr blamed the fog."


def test_a_neighbour_that_brings_little_stays_out() -> None:
    story = revision("Rain fell. Snow melted.")
    found = _every_sentence(story, 0.9)
    (citation,) = cite("rain snow", found, threshold=0.1)  # brings half
    assert citation.quote == "Rain fell. Snow melted."
    (citation,) = cite("rain snow hail fog wind", found, threshold=0.1)  # brings a tenth
    assert citation.quote == "Rain fell."


def test_a_neighbour_in_another_paragraph_stays_out() -> None:
    story = revision("The ferry ran aground.\n\nCaptain Orr blamed the fog.")
    found = [evidence(story, Span(24, 51), score=0.9)]
    (citation,) = cite("Did captain Orr run the ferry aground?", found, threshold=0.1)
    assert citation.quote == "Captain Orr blamed the fog."


@pytest.mark.parametrize(("length", "joined"), [(MAX_QUOTE, True), (MAX_QUOTE + 1, False)])
def test_a_neighbour_that_makes_the_quote_too_long_stays_out(length: int, joined: bool) -> None:
    first = "Ferry " + "x" * (length - 20) + "."
    story = revision(f"{first} Captain Orr.")
    assert len(story.text) == length
    found = [evidence(story, Span(length - 12, length), score=0.9)]
    (citation,) = cite("captain ferry", found, threshold=0.1)
    assert citation.quote == (story.text if joined else "Captain Orr.")


def test_at_most_three_sentences_are_joined() -> None:
    story = revision("Rain fell. Snow fell. Hail fell. Fog fell.")
    found = _every_sentence(story, 0.1, 0.9)[1:]
    (citation,) = cite("rain snow hail fog", found, threshold=0.1)
    assert citation.quote == "Snow fell. Hail fell. Fog fell."
    assert MAX_SENTENCES == 3


def test_what_was_wrong_is_quoted_with_what_is_right() -> None:
    wrong = "An earlier version of this story said that Ann Lee opened the bridge."
    question = "Who opened the bridge?"
    story = revision(f"Rain fell. {wrong} It was Bob Ray. Snow fell.")
    found = [evidence(story, Span(11, 11 + len(wrong)), score=0.9)]
    (citation,) = cite(question, found, threshold=0.1)
    assert citation.quote == f"{wrong} It was Bob Ray."
    right = evidence(story, Span(len(wrong) + 12, len(wrong) + 27), score=0.9)
    assert right.span.slice(story.text) == "It was Bob Ray."
    (citation,) = cite("Who was it?", [right], threshold=0.1)
    assert citation.quote == "It was Bob Ray."


def test_quotes_that_have_grown_into_one_another_are_not_both_shown() -> None:
    story = revision("The ferry ran aground. Captain Orr blamed the fog.")
    found = _every_sentence(story, 0.9, 0.9)
    citations = cite("Did captain Orr run the ferry aground?", found, threshold=0.1)
    assert _quotes(citations) == [story.text]


def test_a_highlight_stays_with_its_quote() -> None:
    story = revision("Rain fell. It was opened by Ann Lee.")
    found = [evidence(story, Span(11, 36), highlight=Span(28, 35))]
    (citation,) = cite("Who?", found, threshold=0.1)
    assert citation.highlight == Span(28, 35)
    assert citation.highlight_in_quote == (17, 24)


def test_a_sentence_of_just_the_longest_length_is_quoted_whole() -> None:
    story = revision("Rain fell. " + "x" * (MAX_QUOTE - 1) + ".")
    (citation,) = cite("Why?", [evidence(story, Span(11, 11 + MAX_QUOTE))], threshold=0.1)
    assert len(citation.quote) == MAX_QUOTE
    assert (citation.cut_before, citation.cut_after) == (False, False)


@pytest.mark.parametrize(
    ("word", "cut_before", "cut_after"),
    [("wo0001", False, True), ("wo0095", True, True), ("wo0199", True, False)],
)
def test_a_longer_sentence_is_cut_between_words_around_the_words_of_the_question(
    word: str, cut_before: bool, cut_after: bool
) -> None:
    story = revision(f"Rain fell. {_long(200)}")
    span = Span(11, len(story.text))
    (citation,) = cite(f"What about {word}?", [evidence(story, span)], threshold=0.1)
    assert word in citation.quote.split()
    assert 400 < len(citation.quote) <= MAX_QUOTE
    assert all(len(found) == 6 for found in citation.quote.split(" "))
    assert (citation.cut_before, citation.cut_after) == (cut_before, cut_after)


def test_a_longer_sentence_is_cut_around_the_answer_before_all_else() -> None:
    text = _long(200)
    story = revision(text)
    start = text.index("wo0150")
    found = [evidence(story, Span(0, len(text)), highlight=Span(start, start + 6))]
    (citation,) = cite("What about wo0001 wo0002 wo0003?", found, threshold=0.1)
    assert citation.highlight == Span(start, start + 6)
    assert citation.quote.split()[0] > "wo0003"


def test_a_cut_has_the_answer_in_its_middle_as_far_as_it_can() -> None:
    text = _long(200)
    for word, first, last in (("wo0100", 25, 35), ("wo0002", 2, 2), ("wo0198", 58, 58)):
        start = text.index(word)
        found = [evidence(revision(text), Span(0, len(text)), highlight=Span(start, start + 6))]
        (citation,) = cite("Why?", found, threshold=0.1)
        assert first <= citation.quote.split().index(word) <= last


def test_a_longer_sentence_without_a_hint_is_quoted_from_its_beginning() -> None:
    text = _long(200)
    (citation,) = cite("Why?", [evidence(revision(text), Span(0, len(text)))], threshold=0.1)
    assert citation.quote == text[:419]  # sixty words


def test_a_cut_leaves_no_white_space_at_the_ends_of_a_quote() -> None:
    text = " \n ".join(["word"] * 100)
    (citation,) = cite("Why?", [evidence(revision(text), Span(0, len(text)))], threshold=0.1)
    assert citation.quote == " \n ".join(["word"] * 60)  # 7 characters each, less the last gap
    assert citation.cut_after


def test_a_text_without_white_space_is_cut_at_the_limit() -> None:
    text = "字" * (MAX_QUOTE + 80)
    (citation,) = cite("为什么?", [evidence(revision(text), Span(0, len(text)))], threshold=0.1)
    assert citation.quote == "字" * MAX_QUOTE
    assert (citation.cut_before, citation.cut_after) == (False, True)


def _long_sentences(text: str) -> str:
    """Return the text with its full stops gone, so that its sentences get long."""
    return re.sub(r"[.!?…。؟\n]", ",", text) * 8


# Long sentences of different words, so that a cut can fall anywhere.
_WORDS = ("ferry", "rain", "market", "million", "the", "市长", "新桥", "العمدة", "e\u0301", "😀")
_GAPS = (" ", "  ", ", ", "\u00a0", " \t")
_LONG = st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_GAPS)), min_size=150).map(
    lambda pairs: normalise("".join(word + gap for word, gap in pairs))
)
_EVIDENCE = st.one_of(stories, stories.map(_long_sentences), _LONG)


@st.composite
def _found(draw: st.DrawFn) -> list[Evidence]:
    """Return sentences of up to three stories, the strongest first, some with a highlight."""
    found: list[Evidence] = []
    for number, text in enumerate(draw(st.lists(_EVIDENCE, min_size=1, max_size=3)), start=1):
        of = revision(text, id=number)
        for span in draw(st.permutations(sentence_spans(of.text)))[:4]:
            mark = None
            if draw(st.booleans()):
                start = span.end - 1 - draw(st.integers(0, len(span) - 1))
                mark = Span(start, draw(st.integers(start + 1, min(span.end, start + 30))))
            score = draw(st.floats(0.0, 1.0))
            found.append(evidence(of, span, score=score, highlight=mark))
    return sorted(found, key=lambda item: -item.score)


@settings(deadline=None, max_examples=200)
@given(_found(), st.sampled_from(["Who?", "市长 新桥", "ferry rain mayor million", "العمدة"]))
def test_quotes_of_any_texts_keep_every_promise(found: list[Evidence], question: str) -> None:
    citations = cite(question, found, threshold=0.0)
    assert 1 <= len(citations) <= MAX_CITATIONS
    assert [citation.number for citation in citations] == list(range(1, len(citations) + 1))
    assert citations[0].revision.id == found[0].revision.id
    for citation in citations:
        _check_quote(citation)
    for i, one in enumerate(citations):
        for other in citations[:i]:
            assert one.revision.id != other.revision.id or not one.span.overlaps(other.span)


def _check_quote(citation: Citation) -> None:
    text, span = citation.revision.text, citation.span
    assert citation.quote == text[span.start : span.end] == citation.quote.strip()
    assert 1 <= len(citation.quote) <= MAX_QUOTE
    if citation.highlight is not None:
        assert span.contains(citation.highlight)
    sentences = [s for s in sentence_spans(text) if s.overlaps(span)]
    assert citation.cut_before == (span.start > sentences[0].start)
    assert citation.cut_after == (span.end < sentences[-1].end)
    assert sum(p.overlaps(span) for p in paragraph_spans(text)) == 1
    assert len(sentences) <= MAX_SENTENCES
    if citation.cut_before:
        assert text[span.start - 1].isspace()
    if citation.cut_after and not text[span.end].isspace():
        assert not any(character.isspace() for character in citation.quote)


@pytest.fixture
def stored(services: Wiring) -> Citation:
    draft = story("The mayor spoke. Rain fell.", title="Mayor", source="Herald")
    return Citation(1, services.articles.save(draft).revision, Span(0, 16), 0.9)


def test_a_quote_that_is_stored_as_it_is_quoted_passes(services: Wiring, stored: Citation) -> None:
    check(stored, services.articles)


def test_a_quote_of_an_earlier_revision_passes_while_that_is_kept(
    services: Wiring, stored: Citation
) -> None:
    services.articles.edit(stored.revision.article_id, Attribution("Another"))
    check(stored, services.articles)


def test_a_quote_of_a_story_that_is_gone_does_not_pass(services: Wiring, stored: Citation) -> None:
    services.articles.remove(stored.revision.article_id)
    with pytest.raises(QuoteMismatchError, match="gone"):
        check(stored, services.articles)


def _with_text(of: Revision, text: str) -> Revision:
    return replace(of, text=text, sha256=text_hash(text))


@pytest.mark.parametrize(
    "text", ["The mayor spoke! Rain fell.", "The mayor\u00a0spoke. Rain fell."]
)
def test_a_quote_with_other_characters_does_not_pass(
    services: Wiring, stored: Citation, text: str
) -> None:
    altered = replace(stored, revision=_with_text(stored.revision, text))
    with pytest.raises(QuoteMismatchError, match="characters"):
        check(altered, services.articles)


@pytest.mark.parametrize("field", ["title", "source", "author", "published_at", "url"])
def test_a_quote_with_another_attribution_does_not_pass(
    services: Wiring, stored: Citation, field: str
) -> None:
    attribution = replace(stored.revision.attribution, **{field: "2024"})
    altered = replace(stored, revision=replace(stored.revision, attribution=attribution))
    with pytest.raises(QuoteMismatchError, match="attribution"):
        check(altered, services.articles)


def test_a_quote_of_a_text_that_was_altered_where_it_is_stored_does_not_pass(
    services: Wiring, stored: Citation
) -> None:
    services.db.execute("UPDATE revisions SET text = 'The mayor slept. Rain fell.'")
    with pytest.raises(StorageError, match="altered"):
        check(stored, services.articles)
