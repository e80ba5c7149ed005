from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings

from data.answers import GivenCitation
from data.errors import StorageError
from data.models import Attribution, Draft, Revision, Span
from data.standing import StandingStore
from index.corrections import Change, Correction, Standing, changes, correction, details_changed
from index.sentences import paragraph_spans
from tests.fakes import Wiring, revision, story
from tests.index.texts import texts

TEXT = "Rain fell all day. The mayor opened the bridge.\n\nNobody was hurt."
QUOTE = "The mayor opened the bridge."
STORY = story(TEXT, title="Bridge", source="Herald", date="2025-01-01", external_id="m")
AT = "2026-0{}-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote that was given, and the services of the collection that it came from."""

    services: Wiring
    citation: GivenCitation

    @property
    def now(self) -> Correction:
        """Return how the quote stands."""
        standing = StandingStore(self.services.db)
        return correction(self.services.articles, standing, self.citation)

    def becomes(self, text: str, **attribution: str) -> Revision:
        """Store another version of the quoted story."""
        changed = replace(STORY.attribution, **attribution)
        draft = Draft(text, changed, article_id=self.citation.article_id)
        return self.services.indexer.add(draft).revision


@pytest.fixture
def quoted(services: Wiring) -> Quoted:
    services.indexer.add(story("Another story.", title="Other"))
    stored = services.indexer.add(STORY).revision
    start = TEXT.index(QUOTE)
    span = Span(start, start + len(QUOTE))
    citation = GivenCitation(1, "shared", stored.article_id, stored.id, span, None)
    return Quoted(services, citation)


def _stored_at(services: Wiring, stored: Revision, moment: str) -> None:
    services.db.execute("UPDATE revisions SET created_at = ? WHERE id = ?", [moment, stored.id])


def test_a_quote_of_the_present_version_stands_unchanged(quoted: Quoted) -> None:
    now = quoted.now
    assert (now.standing, now.still_there, now.mark) == (Standing.UNCHANGED, True, "")
    assert now.current == quoted.services.articles.get("m")


def test_a_story_that_was_read_again_and_is_the_same_stands_unchanged(quoted: Quoted) -> None:
    before = quoted.now
    quoted.services.indexer.add(STORY)
    assert quoted.now == before


def test_other_stories_that_change_or_go_do_not_matter(quoted: Quoted) -> None:
    before = quoted.now
    other = quoted.services.indexer.add(story("Snow fell.", title="Snow")).revision
    quoted.services.indexer.remove(other.article_id)
    assert quoted.now == before


@pytest.mark.parametrize(
    ("text", "still_there"),
    [
        (f"Snow fell all day. {QUOTE}\n\nNobody was hurt.", True),
        (QUOTE, True),
        (f"{TEXT}\n\nThis was added.", True),
        # White space aside: lines that break elsewhere, a blank that does not break, a paragraph.
        ("The mayor\nopened  the\tbridge.", True),
        ("The mayor\u00a0opened\u2003the bridge. More.", True),
        ("The mayor\n\nopened the bridge.", True),
        (f"  {QUOTE}  ", True),
        # A word, a mark or a capital is another matter.
        ("The mayor did not open the bridge.", False),
        ("The mayor opened the bridge", False),
        ("The mayor opened the bridge!", False),
        ("the mayor opened the bridge.", False),
        ("Themayor opened the bridge.", False),
        ("The mayor opened the new bridge.", False),
        ("Nobody was hurt.", False),
        # The same characters inside of another sentence are not the sentence.
        (f"It is not true that {QUOTE}", False),
        (f"“{QUOTE}” That is what we wrote, and it was wrong.", False),
    ],
)
def test_a_changed_story_is_told_with_whether_the_quote_is_in_it(
    quoted: Quoted, text: str, still_there: bool
) -> None:
    changed = quoted.becomes(text)
    now = quoted.now
    assert (now.standing, now.still_there) == (Standing.CHANGED, still_there)
    assert (now.current, now.at) == (changed, changed.created_at)
    assert now.mark == f"changed:{changed.id}"


def test_a_quote_with_white_space_of_its_own_is_found_without_it(services: Wiring) -> None:
    wrapped = "The mayor\nopened  the bridge."
    stored = services.indexer.add(story(wrapped, external_id="w")).revision
    services.indexer.add(story("Rain fell. The mayor opened the bridge.", external_id="w"))
    citation = GivenCitation(1, "shared", stored.article_id, stored.id, Span(0, len(wrapped)), None)
    now = correction(services.articles, StandingStore(services.db), citation)
    assert (now.standing, now.still_there) == (Standing.CHANGED, True)


def _quote(services: Wiring, text: str, words: str, **details: str) -> Quoted:
    """Store a story and quote words of it."""
    stored = services.indexer.add(story(text, external_id="m", **details)).revision
    start = text.index(words)
    span = Span(start, start + len(words))
    citation = GivenCitation(
        1, "shared", stored.article_id, stored.id, span, None, sha256=stored.sha256
    )
    return Quoted(services, citation)


@pytest.mark.parametrize(
    ("text", "quote", "later", "still_there"),
    [
        # a figure that grew at its front
        ("151 people were aboard.", "151 people were aboard.", "2,151 people were aboard.", False),
        # two sentences: in their order, one behind the other
        ("A ran. B sat. C lay.", "A ran. B sat.", "C lay. A ran. B sat.", True),
        ("A ran. B sat. C lay.", "A ran. B sat.", "A ran.\n\nB sat.", True),
        ("A ran. B sat. C lay.", "A ran. B sat.", "B sat. A ran.", False),
        ("A ran. B sat. C lay.", "A ran. B sat.", "A ran. C lay. B sat.", False),
        ("A ran. B sat. C lay.", "A ran. B sat.", "A ran.", False),
        # a part of a sentence: by all of it
        ("Ann Lee ran, he said.", "Ann Lee ran", "Rain. Ann Lee ran, he said.", True),
        ("Ann Lee ran, he said.", "Ann Lee ran", "Ann Lee ran, he denied.", False),
        ("Ann Lee ran, he said.", "Ann Lee ran", "Ann Lee ran", False),
    ],
)
def test_a_quote_is_still_there_where_its_sentences_are_whole_sentences(
    services: Wiring, text: str, quote: str, later: str, still_there: bool
) -> None:
    quoted = _quote(services, text, quote)
    quoted.becomes(later)
    assert (quoted.now.standing, quoted.now.still_there) == (Standing.CHANGED, still_there)


# --- whose details stand beside the quote


@pytest.mark.parametrize(("text", "theirs"), [(f"Snow fell. {QUOTE}", True), ("Other.", False)])
def test_the_details_of_another_text_are_a_quotes_only_while_it_is_in_that_text(
    quoted: Quoted, text: str, theirs: bool
) -> None:
    cited = quoted.now.cited
    changed = quoted.becomes(text, author="Another", title="Bridge stays shut")
    assert quoted.now.cited == cited
    assert quoted.now.attributed == (changed if theirs else cited)


def test_details_that_were_put_right_stay_a_quotes_when_its_text_goes(quoted: Quoted) -> None:
    edited = quoted.services.indexer.edit("m", replace(STORY.attribution, author="Ann")).revision
    assert quoted.now.attributed == edited
    quoted.becomes("Other.", author="Another")
    assert quoted.now.attributed == edited
    quoted.services.indexer.withdraw(quoted.citation.article_id)
    assert quoted.now.attributed == edited


def test_corrected_details_are_dated_by_when_they_became_what_they_are(quoted: Quoted) -> None:
    for month, (text, title) in enumerate(
        [(TEXT, "Old"), (TEXT, "New"), (f"{TEXT} More.", "New"), (TEXT, "New")], start=2
    ):
        _stored_at(quoted.services, quoted.becomes(text, title=title), AT.format(month))
    now = quoted.now
    assert (now.standing, now.at) == (Standing.CORRECTED, AT.format(3))


# --- when the publisher itself dates the change


@pytest.mark.parametrize(
    ("modified_at", "taken"),
    [
        ("2026-03-10T08:00:00Z", True),
        ("2026-03-10T23:30:00-05:00", True),
        ("2026-03-10", True),
        ("2026-03", True),
        ("2026-03-01T00:00:00+00:00", True),
        ("2026-04-01T00:00:00Z", True),
        ("2026-02-28T23:59:59Z", False),  # before the quoted version was stored
        ("2026-03-01T00:30:00+01:00", False),
        ("2026-02-27", False),
        ("2025", False),
        ("2026-04-01T00:00:01Z", False),  # after the change was seen
        ("2026-04-03", False),
        ("9999-12-31", False),
        (None, False),
    ],
)
def test_a_change_has_its_publishers_date_where_that_can_be_right(
    quoted: Quoted, modified_at: str | None, taken: bool
) -> None:
    """The quoted version is of March the first, the changed one was seen on April the first."""
    db = quoted.services.db
    db.execute("UPDATE revisions SET created_at = ?", [AT.format(3)])
    changed = quoted.becomes("Other.")
    _stored_at(quoted.services, changed, AT.format(4))
    db.execute("UPDATE revisions SET modified_at = ? WHERE id = ?", [modified_at, changed.id])
    now = quoted.now
    assert (now.at, now.by_publisher) == ((modified_at, True) if taken else (AT.format(4), False))


# --- the quoted version is not here any more


def _missing(now: Correction, current: Revision) -> bool:
    return now == Correction(Standing.MISSING, None, False, current)


def test_a_quote_whose_version_is_gone_is_missing(quoted: Quoted) -> None:
    """As after a backup was restored that is older than the answer."""
    current = quoted.becomes("Other.")
    quoted.services.db.execute("DELETE FROM revisions WHERE id = ?", [quoted.citation.revision_id])
    now = quoted.now
    assert _missing(now, current)
    assert now.mark == f"missing:{current.id}"
    quoted.services.indexer.withdraw(quoted.citation.article_id)
    assert (quoted.now.standing, quoted.now.quote) == (Standing.WITHDRAWN, "")


def test_another_text_under_the_number_of_the_quoted_one_is_not_quoted(services: Wiring) -> None:
    quoted = _quote(services, TEXT, QUOTE)
    assert quoted.now.standing is Standing.UNCHANGED
    other = Quoted(services, replace(quoted.citation, sha256="0" * 64))
    assert _missing(other.now, services.articles.get("m"))


def test_another_storys_version_under_the_number_of_the_quoted_one_is_not_quoted(
    quoted: Quoted,
) -> None:
    other = quoted.services.indexer.add(story("Snow fell on all of the town.", title="Snow"))
    citation = replace(quoted.citation, revision_id=other.revision.id, span=Span(0, 4))
    now = Quoted(quoted.services, citation).now
    assert _missing(now, quoted.services.articles.get("m"))


def test_a_version_that_is_too_short_for_the_quote_is_not_the_quoted_one(quoted: Quoted) -> None:
    citation = replace(quoted.citation, span=Span(0, len(TEXT) + 1))
    now = Quoted(quoted.services, citation).now
    assert _missing(now, quoted.services.articles.get("m"))


def test_each_later_version_is_another_mark(quoted: Quoted) -> None:
    marks = [quoted.now.mark]
    for text in ("One.", "Two.", "Three."):
        quoted.becomes(text)
        marks.append(quoted.now.mark)
    assert len(set(marks)) == 4
    assert quoted.now.mark == marks[-1]  # and the same one as long as nothing happens


def test_a_story_that_changed_and_changed_back_stands_as_it_was_quoted(quoted: Quoted) -> None:
    quoted.becomes("The mayor closed the bridge.")
    assert quoted.now.standing is Standing.CHANGED
    back = quoted.becomes(TEXT)
    now = quoted.now
    assert back.id > quoted.citation.revision_id
    assert (now.standing, now.still_there, now.mark) == (Standing.UNCHANGED, True, "")
    assert now.current == back


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Bridge opened"},
        {"source": "Post"},
        {"author": "Ann Lee"},
        {"published_at": "2025-01-02"},
        {"url": "https://example.org/a"},
    ],
)
def test_corrected_details_are_no_change_of_the_text(
    quoted: Quoted, fields: dict[str, str]
) -> None:
    attribution = replace(STORY.attribution, **fields)
    edited = quoted.services.indexer.edit("m", attribution).revision
    now = quoted.now
    assert (now.standing, now.still_there, now.current) == (Standing.CORRECTED, True, edited)
    assert (now.at, now.mark) == (edited.created_at, f"corrected:{edited.id}")
    quoted.services.indexer.edit("m", STORY.attribution)
    assert (quoted.now.standing, quoted.now.mark) == (Standing.UNCHANGED, "")


def test_a_change_of_the_text_weighs_more_than_corrected_details(quoted: Quoted) -> None:
    seen = []
    for text in ("Other.", TEXT):
        quoted.becomes(text, title="Corrected")
        seen.append(quoted.now.standing)
    assert seen == [Standing.CHANGED, Standing.CORRECTED]


def test_it_is_said_since_when_the_text_is_another(quoted: Quoted) -> None:
    """A headline that is corrected later is not when the story changed."""
    _stored_at(quoted.services, quoted.becomes("Other."), AT.format(2))
    assert quoted.now.at == AT.format(2)
    edited = quoted.services.indexer.edit("m", Attribution("Corrected")).revision
    _stored_at(quoted.services, edited, AT.format(3))
    assert (quoted.now.standing, quoted.now.at) == (Standing.CHANGED, AT.format(2))


def test_a_withdrawn_story_is_told_whatever_else_became_of_it(quoted: Quoted) -> None:
    changed = quoted.becomes("Other.")
    quoted.services.indexer.withdraw(quoted.citation.article_id)
    now = quoted.now
    assert (now.standing, now.still_there, now.current) == (Standing.WITHDRAWN, False, changed)
    assert now.at == StandingStore(quoted.services.db).withdrawn_at(quoted.citation.article_id)
    assert now.mark == f"withdrawn:{changed.id}"


def test_a_withdrawn_story_that_comes_back_stands_again(quoted: Quoted) -> None:
    seen = []
    for text in (TEXT, "Other."):
        quoted.services.indexer.withdraw(quoted.citation.article_id)
        seen.append(quoted.now.standing)
        quoted.becomes(text)
        seen.append(quoted.now.standing)
    withdrawn = Standing.WITHDRAWN
    assert seen == [withdrawn, Standing.UNCHANGED, withdrawn, Standing.CHANGED]


@pytest.mark.parametrize("before", ["as it is", "changed", "withdrawn"])
def test_a_removed_story_is_told_to_be_removed(quoted: Quoted, before: str) -> None:
    if before == "changed":
        quoted.becomes("Other.")
    elif before == "withdrawn":
        quoted.services.indexer.withdraw(quoted.citation.article_id)
    quoted.services.indexer.remove(quoted.citation.article_id)
    now = quoted.now
    assert (now.standing, now.still_there, now.current) == (Standing.REMOVED, False, None)
    assert now.at == StandingStore(quoted.services.db).removed_at(quoted.citation.article_id)
    assert now.at is not None
    assert now.mark == "removed:0"


def test_a_removed_story_that_was_added_again_is_another_one(quoted: Quoted) -> None:
    quoted.services.indexer.remove("m")
    quoted.services.indexer.add(STORY)
    assert quoted.now.standing is Standing.REMOVED


def test_a_story_that_calls_itself_by_a_removed_ones_id_is_another_one(quoted: Quoted) -> None:
    quoted.services.indexer.remove("m")
    impostor = story(TEXT, title="Bridge", external_id=quoted.citation.article_id)
    quoted.services.indexer.add(impostor)
    now = quoted.now
    assert (now.standing, now.current, now.still_there) == (Standing.REMOVED, None, False)


def test_a_quote_from_a_collection_that_was_begun_anew_is_of_no_story_here(
    services: Wiring,
) -> None:
    services.indexer.add(STORY)
    citation = GivenCitation(1, "shared", "nothere", 1, Span(0, 4), None)
    now = correction(services.articles, StandingStore(services.db), citation)
    assert now == Correction(Standing.REMOVED, None, False, None)


@pytest.mark.parametrize("which", ["the quoted version", "the present one"])
def test_nothing_is_said_of_a_story_whose_text_was_altered(quoted: Quoted, which: str) -> None:
    current = quoted.becomes("Other.")
    altered = current.id if which == "the present one" else quoted.citation.revision_id
    quoted.services.db.execute("UPDATE revisions SET text = 'False.' WHERE id = ?", [altered])
    with pytest.raises(StorageError, match="was altered"):
        _ = quoted.now


def test_marks_are_told_apart_by_state_and_version() -> None:
    one, two = revision("One.", id=1), revision("One.", id=2)
    marks = [
        Correction(standing, None, False, current).mark
        for standing in (Standing.CORRECTED, Standing.CHANGED, Standing.WITHDRAWN)
        for current in (one, two)
    ]
    marks.append(Correction(Standing.REMOVED, None, False, None).mark)
    assert len(set(marks)) == len(marks)
    assert "" not in marks
    assert Correction(Standing.UNCHANGED, "x", True, two).mark == ""


# --- what differs between two versions


def _told(old: str, new: str) -> str:
    """Return the changes, a character a paragraph: `=a` kept, `-a` taken out, `+a` put in."""
    old, new = "\n\n".join(old), "\n\n".join(new)
    told = []
    for change in changes(old, new):
        sign = "=" if change.kept else "-" if change.new is None else "+"
        told.append(f"{sign}{change.old or change.new}")
    return " ".join(told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("", "ab", "+a +b"),
        ("ab", "", "-a -b"),
        ("abc", "abc", "=a =b =c"),
        ("abc", "axc", "=a -b +x =c"),
        ("abc", "ac", "=a -b =c"),
        ("ac", "abc", "=a +b =c"),
        ("abc", "xyz", "-a -b -c +x +y +z"),
        ("ab", "ba", "+b =a -b"),  # moved: once taken out and once put in
        ("aaa", "aa", "=a =a -a"),
        ("aa", "aaaa", "=a =a +a +a"),
        ("abab", "ab", "=a =b -a -b"),
        ("aba", "bab", "+b =a =b -a"),
    ],
)
def test_paragraphs_are_kept_taken_out_or_put_in(old: str, new: str, told: str) -> None:
    assert _told(old, new) == told


def test_white_space_between_paragraphs_is_no_change() -> None:
    old, new = "One line.\n\nAnother.", "\n  One line.  \n\n\n\nAnother.\n"
    assert list(changes(old, new)) == [Change("One line.", "One line."), Change(*["Another."] * 2)]


@pytest.mark.parametrize("blank", ["", " ", "\n\n\n", "\u2028"])
def test_an_empty_text_has_no_paragraphs(blank: str) -> None:
    assert list(changes(blank, blank)) == []
    assert list(changes(blank, "One.")) == [Change(None, "One.")]
    assert list(changes("One.", blank)) == [Change("One.", None)]


def test_a_change_is_kept_only_where_it_stands_in_both() -> None:
    assert Change("a", "a").kept
    assert not Change("a", None).kept
    assert not Change(None, "a").kept


def _paragraphs(text: str) -> list[str]:
    return [span.slice(text) for span in paragraph_spans(text)]


@settings(max_examples=60, deadline=None)
@given(texts, texts)
def test_both_versions_can_be_read_off_their_changes(old: str, new: str) -> None:
    found = list(changes(old, new))
    assert [c.old for c in found if c.old is not None] == _paragraphs(old)
    assert [c.new for c in found if c.new is not None] == _paragraphs(new)
    assert all(c.old == c.new for c in found if c.kept)
    assert all((c.old, c.new) != (None, None) for c in found)


def test_details_that_differ_are_told_in_peoples_words_and_in_order() -> None:
    old = revision("Text.", title="Old")
    new = replace(
        old, attribution=Attribution("New", "Herald", "Ann", "2025", "https://example.org")
    )
    assert details_changed(old, new) == [
        ("headline", "Old", "New"),
        ("publisher", None, "Herald"),
        ("author", None, "Ann"),
        ("date", None, "2025"),
        ("link", None, "https://example.org"),
    ]
    assert details_changed(new, old)[1] == ("publisher", "Herald", None)
    assert details_changed(old, old) == details_changed(new, new) == []


def test_a_text_that_differs_is_no_detail() -> None:
    assert details_changed(revision("One.", title="T"), revision("Two.", title="T", id=2)) == []
