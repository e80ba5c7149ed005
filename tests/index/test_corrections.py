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
