"""What a story's attribution becomes when its page or feed is read again."""

from dataclasses import replace
from typing import Any

import pytest

from data.articles import ArticleStore, SaveStatus
from data.database import Database, scalar
from data.errors import StoryRefusedError
from data.ingestion import Given
from data.models import Attribution, Draft
from data.pages import Extracted
from data.plaintext import title_from
from data.webstories import draft_from_page

URL = "https://example.org/a"
TEXT = "The mayor opened the bridge. Rain fell."
PAGE = Extracted(
    title="Bridge opened",
    author="Ann Lee",
    source="Herald",
    published_at="2024-10-25",
    url=URL,
    text=TEXT,
)
FIELDS = {
    "title": ("Bridge reopened", "Bridge closed"),
    "author": ("Bob Ray", "Cy Fox"),
    "source": ("Post", "Gazette"),
    "url": ("https://example.org/b", "https://example.org/c"),
}
each_field = pytest.mark.parametrize("field", FIELDS)


@pytest.fixture
def store(db: Database) -> ArticleStore:
    return ArticleStore(db)


def _read(store: ArticleStore, page: Extracted, given: Given | None = None) -> Attribution:
    """Save what a page says, of the one story that there may be, and return how it stands."""
    drafted = draft_from_page(page, given)
    known = [revision.article_id for revision in store.current()]
    drafted = replace(drafted, article_id=known[0] if known else None)
    before = store.preview(drafted)
    saved = store.save(drafted)
    assert before == (saved.status, saved.revision.attribution), "what was previewed is not so"
    return saved.revision.attribution


def _page(**fields: Any) -> Extracted:
    """Return the page as it is when it says otherwise in these fields."""
    return replace(PAGE, **fields)


def _corrected(store: ArticleStore, **fields: Any) -> Attribution:
    (current,) = store.current()
    attribution = replace(current.attribution, **fields)
    return store.edit(current.article_id, attribution).revision.attribution


def test_a_first_reading_is_stored_as_the_page_says_it(store: ArticleStore) -> None:
    said = Attribution("Bridge opened", "Herald", "Ann Lee", "2024-10-25", URL)
    assert _read(store, PAGE) == said


def test_the_same_page_again_changes_nothing(store: ArticleStore) -> None:
    _read(store, PAGE)
    assert store.save(draft_from_page(PAGE)).status is SaveStatus.SAME
    assert store.revision_count() == 1


@each_field
@pytest.mark.parametrize("text", [TEXT, "The mayor closed the bridge."], ids=["same", "changed"])
def test_what_somebody_corrected_here_stays_when_the_page_says_what_it_said(
    store: ArticleStore, field: str, text: str
) -> None:
    _read(store, PAGE)
    corrected = _corrected(store, **{field: FIELDS[field][0]})
    assert _read(store, _page(text=text)) == corrected
    assert _read(store, _page(text=text)) == corrected  # and once more


@pytest.mark.parametrize("field", ["author", "source", "url", "published_at"])
def test_what_somebody_made_unknown_here_stays_so(store: ArticleStore, field: str) -> None:
    _read(store, PAGE)
    corrected = _corrected(store, **{field: None})
    assert _read(store, _page(text="Other.")) == corrected


@each_field
def test_what_the_publisher_corrects_comes_in(store: ArticleStore, field: str) -> None:
    before = _read(store, PAGE)
    after = FIELDS[field][0]
    expected = replace(before, **{field: after})
    assert _read(store, _page(**{field: after})) == expected
    assert _read(store, _page(**{field: after})) == expected


@each_field
def test_what_somebody_corrected_here_stays_when_the_publisher_changes_it_too(
    store: ArticleStore, field: str
) -> None:
    _read(store, PAGE)
    ours, theirs = FIELDS[field]
    corrected = _corrected(store, **{field: ours})
    assert _read(store, _page(**{field: theirs})) == corrected
    assert _read(store, _page(text="Other.", **{field: theirs})) == corrected


@pytest.mark.parametrize("field", ["author", "source", "url"])
def test_what_somebody_filled_in_stays_when_the_page_says_something_at_last(
    store: ArticleStore, field: str
) -> None:
    _read(store, _page(**{field: None}))
    ours, theirs = FIELDS[field]
    corrected = _corrected(store, **{field: ours})
    assert _read(store, _page(**{field: theirs})) == corrected


def test_what_a_page_leaves_out_for_a_while_is_no_correction_of_ours(store: ArticleStore) -> None:
    before = _read(store, PAGE)
    _read(store, _page(author=None))
    again = _read(store, _page(author="Bob Ray"))
    assert again == replace(before, author="Bob Ray")


def test_of_two_corrections_each_stays_in_its_own_field(store: ArticleStore) -> None:
    _read(store, PAGE)
    _corrected(store, author="Bob Ray")
    now = _read(store, _page(title="Bridge reopened"))
    assert (now.title, now.author) == ("Bridge reopened", "Bob Ray")
    _corrected(store, title="Bridge")
    now = _read(store, _page(title="Bridge reopened", source="Post"))
    assert (now.title, now.author, now.source) == ("Bridge", "Bob Ray", "Post")


@pytest.mark.parametrize("field", ["author", "source", "published_at", "url"])
def test_what_a_page_no_longer_says_is_not_forgotten(store: ArticleStore, field: str) -> None:
    before = _read(store, PAGE)
    assert _read(store, _page(**{field: None}, text="Other.")) == before


@pytest.mark.parametrize("field", ["author", "source", "published_at", "url"])
def test_what_was_not_known_is_filled_in(store: ArticleStore, field: str) -> None:
    _read(store, _page(**{field: None}))
    assert _read(store, PAGE) == Attribution(
        "Bridge opened", "Herald", "Ann Lee", "2024-10-25", URL
    )


def test_a_date_that_is_known_stays_however_the_page_moves_it(store: ArticleStore) -> None:
    _read(store, PAGE)
    for moved in ("2024-10-26", "2024-10-27T08:00:00Z", "2023"):
        again = _page(published_at=moved, text=f"As of {moved}.")
        assert _read(store, again).published_at == "2024-10-25"


def test_a_date_that_somebody_corrected_stays_too(store: ArticleStore) -> None:
    _read(store, PAGE)
    _corrected(store, published_at="2024-10-20")
    assert _read(store, _page(published_at="2024-10-26")).published_at == "2024-10-20"


# --- titles that were made from the text


def test_a_made_title_follows_the_text(store: ArticleStore) -> None:
    assert _read(store, _page(title=None)).title == title_from(TEXT)
    changed = "The mayor closed the bridge. Rain fell."
    again = _read(store, _page(title=None, text=changed))
    assert again.title == title_from(changed)


def test_a_title_that_somebody_gave_in_place_of_a_made_one_stays(store: ArticleStore) -> None:
    _read(store, _page(title=None))
    _corrected(store, title="Bridge")
    changed = _page(title=None, text="The mayor closed the bridge. Rain fell.")
    assert _read(store, changed).title == "Bridge"
    assert _read(store, changed).title == "Bridge"


def test_a_headline_comes_in_for_a_made_title_and_stays(store: ArticleStore) -> None:
    _read(store, _page(title=None))
    assert _read(store, PAGE).title == "Bridge opened"
    assert _read(store, _page(title=None, text="Other.")).title == "Bridge opened"


# --- what the person who adds it says


GIVEN = {"title": "Mine", "author": "Me", "source": "My paper", "published_at": "2020-02-02"}


@pytest.mark.parametrize("field", GIVEN)
def test_what_is_given_wins_over_the_page(store: ArticleStore, field: str) -> None:
    given = Given(**{field: GIVEN[field]})
    assert getattr(_read(store, PAGE, given), field) == GIVEN[field]


@pytest.mark.parametrize("field", GIVEN)
def test_what_was_given_stays_when_the_page_is_read_again(store: ArticleStore, field: str) -> None:
    first = _read(store, PAGE, Given(**{field: GIVEN[field]}))
    assert _read(store, _page(text="Other.")) == first


@pytest.mark.parametrize("field", GIVEN)
def test_what_is_given_wins_over_what_is_known(store: ArticleStore, field: str) -> None:
    before = _read(store, PAGE)
    again = _read(store, PAGE, Given(**{field: GIVEN[field]}))
    assert again == replace(before, **{field: GIVEN[field]})


@pytest.mark.parametrize("field", GIVEN)
def test_what_is_given_wins_also_where_it_is_what_the_page_says(
    store: ArticleStore, field: str
) -> None:
    before = _read(store, PAGE)
    _corrected(store, **{field: GIVEN[field]})
    given = Given(**{field: getattr(before, field)})
    assert _read(store, PAGE, given) == before


def test_a_pasted_story_wins_and_what_the_page_said_stays_known(
    store: ArticleStore, db: Database
) -> None:
    _read(store, PAGE)
    pasted = Draft(TEXT, Attribution("Pasted", "Herald", "Me", "2024-10-26", URL))
    assert store.save(pasted).revision.attribution == pasted.attribution
    assert scalar(db, "SELECT title FROM said") == "Bridge opened"
    # The page says what it said: what a person gave since stays.
    assert _read(store, PAGE) == pasted.attribution


def test_a_page_of_a_story_that_was_pasted_corrects_it_but_for_its_date(
    store: ArticleStore,
) -> None:
    store.save(Draft(TEXT, Attribution("Pasted", "Paper", None, "2024-10-01", URL)))
    expected = Attribution("Bridge opened", "Herald", "Ann Lee", "2024-10-01", URL)
    assert _read(store, PAGE) == expected


def test_a_refused_page_leaves_the_story_and_what_was_said_alone(
    store: ArticleStore, db: Database
) -> None:
    before = _read(store, PAGE)
    with pytest.raises(StoryRefusedError, match="behind a paywall"):
        _read(store, _page(title="Subscribe", reason="It is behind a paywall."))
    (current,) = store.current()
    assert current.attribution == before
    assert scalar(db, "SELECT title FROM said") == "Bridge opened"


def test_what_a_page_said_is_kept_for_one_story_and_goes_with_it(
    store: ArticleStore, db: Database
) -> None:
    _read(store, PAGE)
    other = _page(title="Other", url="https://example.org/z", text="Other.")
    other_id = store.save(draft_from_page(other)).revision.article_id
    assert scalar(db, "SELECT count(*) FROM said") == 2
    store.remove(other_id)
    assert [row[1] for row in db.execute("SELECT * FROM said").fetchall()] == ["Bridge opened"]


def test_a_story_whose_text_was_altered_is_as_the_page_says(
    store: ArticleStore, db: Database
) -> None:
    _read(store, PAGE)
    _corrected(store, author="Bob Ray")
    db.execute("UPDATE revisions SET text = 'Altered.'")
    saved = store.save(draft_from_page(PAGE))
    assert saved.status is SaveStatus.CHANGED
    assert (saved.revision.text, saved.revision.attribution.author) == (TEXT, "Ann Lee")


def test_what_was_read_is_remembered_also_where_nothing_changed(store: ArticleStore) -> None:
    # A headline that goes away and comes back is no correction of the publisher's.
    _read(store, PAGE)
    _corrected(store, title="Bridge reopened")
    assert _read(store, _page(title="Bridge reopened")).title == "Bridge reopened"
    assert _read(store, PAGE).title == "Bridge opened"
