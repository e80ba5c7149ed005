from dataclasses import replace
from typing import Any

import pytest

from data.articles import ArticleStore, SaveStatus
from data.database import Database
from data.errors import StoryRefusedError
from data.ingestion import MAX_FIELD_LENGTH, MAX_ID_LENGTH, MAX_TEXT_LENGTH, Given
from data.models import Attribution
from data.pages import Extracted, FeedItem
from data.plaintext import title_from
from data.webstories import draft_from_item, draft_from_page

URL = "https://example.org/a"
FEED = "https://example.org/feed"
TEXT = "The mayor opened the bridge.\n\nRain fell."
PAGE = Extracted(
    title="Bridge opened",
    author="Ann Lee",
    source="Herald",
    published_at="2024-10-25",
    modified_at="2024-10-26T08:00:00Z",
    url=URL,
    text=TEXT,
    notes=("The date was taken from the text.",),
)
ITEM = FeedItem(
    guid="7",
    url=URL,
    title="Bridge opened",
    author="Ann Lee",
    published_at="2024-10-25",
    modified_at="2024-10-26",
    text=TEXT,
    is_summary=False,
)
SAID = Attribution("Bridge opened", "Herald", "Ann Lee", "2024-10-25", URL)


def _page(**fields: Any) -> Extracted:
    return replace(PAGE, modified_at=None, notes=(), **fields)


def _item(**fields: Any) -> FeedItem:
    return FeedItem(**{"guid": "7", "url": URL, "title": "T", "text": TEXT, **fields})


# --- pages


def test_a_page_becomes_a_draft_with_all_that_it_says() -> None:
    draft = draft_from_page(PAGE)
    assert (draft.text, draft.attribution, draft.said) == (TEXT, SAID, SAID)
    assert (draft.modified_at, draft.notes) == (PAGE.modified_at, PAGE.notes)
    assert (draft.external_id, draft.article_id, draft.title_given) == (None, None, True)


def test_a_page_that_is_no_story_is_refused_with_its_reason() -> None:
    page = Extracted(title="T", text=TEXT, reason="This page asks for a subscription.")
    with pytest.raises(StoryRefusedError, match=r"^This page asks for a subscription\.$"):
        draft_from_page(page, Given(title="Mine"))


@pytest.mark.parametrize("text", [None, "", " \n\u200b\u2060 "])
def test_a_page_without_text_is_refused(text: str | None) -> None:
    with pytest.raises(StoryRefusedError, match=r"^It cannot be added: it has no text\.$"):
        draft_from_page(_page(text=text))


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(StoryRefusedError, match=r"longer than 1,000,000 characters\.$"):
        draft_from_page(_page(text="a" * (MAX_TEXT_LENGTH + 1)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Mine"),
        ("source", "My paper"),
        ("author", "Me"),
        ("published_at", "2020-02-02"),
        ("url", "https://example.net/mine"),
    ],
)
def test_what_is_given_wins_and_what_the_page_says_is_kept_beside_it(
    field: str, value: str
) -> None:
    draft = draft_from_page(PAGE, Given(**{field: value}))
    assert getattr(draft.attribution, field) == value
    others = [
        name for name in ("title", "source", "author", "published_at", "url") if name != field
    ]
    assert [getattr(draft.attribution, name) for name in others] == [
        getattr(SAID, name) for name in others
    ]
    assert draft.said == SAID


def test_a_page_without_a_headline_has_a_title_made_from_its_text() -> None:
    draft = draft_from_page(_page(title=None))
    assert (draft.attribution.title, draft.title_given) == (title_from(TEXT), False)
    assert draft_from_page(_page(title=None), Given(title="Mine")).title_given


@pytest.mark.parametrize("blank", ["", "  ", "\u200b"])
def test_what_is_given_empty_leaves_what_the_page_says(blank: str) -> None:
    draft = draft_from_page(PAGE, Given(title=blank, author=blank, source=blank))
    assert draft.attribution == SAID


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"published_at": "9999-12-31"}, "is in the future"),
        ({"published_at": "0000-00-00"}, "cannot be read for certain"),
        ({"url": "javascript:alert(1)"}, "is no web address"),
    ],
)
def test_what_cannot_be_is_left_unknown_with_a_note(fields: dict[str, str], note: str) -> None:
    draft = draft_from_page(_page(**fields))
    (name,) = fields
    assert getattr(draft.attribution, name) is None
    assert len(draft.notes) == 1
    assert note in draft.notes[0]


def test_a_headline_that_is_too_long_is_cut_and_other_long_names_are_left_out() -> None:
    long = "word " * MAX_FIELD_LENGTH
    draft = draft_from_page(_page(title=long, author=long, source=long))
    title = draft.attribution.title
    assert len(title) <= MAX_FIELD_LENGTH
    assert title.endswith("word…")
    assert long.startswith(title.removesuffix("…"))
    assert (draft.attribution.author, draft.attribution.source) == (None, None)
    assert draft.said == draft.attribution
    limit = "x" * MAX_FIELD_LENGTH
    kept = draft_from_page(_page(title=limit, author=limit, source=limit)).attribution
    assert (kept.title, kept.author, kept.source) == (limit, limit, limit)


@pytest.mark.parametrize(
    ("field", "value"),
    [("url", f"{URL}?{'q' * 2500}"), ("published_at", "2024-10-25 " + "x" * 600)],
)
def test_an_address_or_date_that_is_too_long_does_not_keep_a_story_out(
    field: str, value: str
) -> None:
    draft = draft_from_page(_page(**{field: value}))
    assert getattr(draft.attribution, field) is None
    assert draft.text == TEXT


def test_what_is_extracted_is_left_as_it_is() -> None:
    before = _page(title="word " * MAX_FIELD_LENGTH)
    assert draft_from_page(before) == draft_from_page(before)
    assert before.title == "word " * MAX_FIELD_LENGTH


# --- entries of feeds


def test_an_entry_becomes_a_draft_by_the_feeds_name() -> None:
    draft = draft_from_item(ITEM, feed_url=FEED, source="Herald")
    assert (draft.text, draft.attribution, draft.said) == (TEXT, SAID, SAID)
    assert (draft.modified_at, draft.external_id) == ("2024-10-26", None)


def test_an_entry_of_a_nameless_feed_has_no_publisher() -> None:
    assert draft_from_item(ITEM, feed_url=FEED, source=None).attribution.source is None


def test_an_entry_without_a_link_is_known_by_its_name_within_its_feed() -> None:
    def external_id(guid: str, feed: str = FEED) -> str | None:
        return draft_from_item(_item(guid=guid, url=None), feed_url=feed, source=None).external_id

    one = external_id("7")
    assert one is not None
    assert one == external_id("7")
    assert len({one, external_id("8"), external_id("7", f"{FEED}2")}) == 3


@pytest.mark.parametrize("guid", ["g" * 5000, "ж" * 190, "\ud800" * 300])
def test_a_long_name_makes_an_id_of_bounded_length_and_its_own(guid: str) -> None:
    first = draft_from_item(_item(guid=guid, url=None), feed_url=FEED, source=None).external_id
    other = draft_from_item(_item(guid=guid + "x", url=None), feed_url=FEED, source=None)
    assert first is not None
    assert len(first) <= MAX_ID_LENGTH
    assert first != other.external_id


@pytest.mark.parametrize("text", [None, "", "\u200b"])
def test_an_entry_without_text_is_refused(text: str | None) -> None:
    with pytest.raises(StoryRefusedError, match="it has no text"):
        draft_from_item(_item(text=text), feed_url=FEED, source="Herald")


def test_a_linkless_entry_that_changed_is_a_new_version_of_its_story(db: Database) -> None:
    store = ArticleStore(db)

    def save(guid: str, text: str) -> tuple[SaveStatus, str]:
        item = FeedItem(guid=guid, title="T", text=text, is_summary=False)
        saved = store.save(draft_from_item(item, feed_url=FEED, source="Herald"))
        return saved.status, saved.revision.article_id

    _, first = save("7", "The toll is two.")
    assert save("7", "The toll is two.") == (SaveStatus.SAME, first)
    assert save("7", "The toll is three.") == (SaveStatus.CHANGED, first)
    status, other = save("8", "The toll is four.")
    assert (status, other != first) == (SaveStatus.NEW, True)


def test_an_entry_and_its_page_are_one_story(db: Database) -> None:
    store = ArticleStore(db)
    first = store.save(draft_from_item(ITEM, feed_url=FEED, source="Herald")).revision
    assert store.save(draft_from_page(PAGE)).revision.article_id == first.article_id
    assert store.count() == 1
