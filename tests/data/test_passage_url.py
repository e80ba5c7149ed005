from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.urls import is_web_address, passage_url

PAGE = "https://example.org/a"
LONG = (
    "The mayor opened the new bridge over the harbour on Friday evening, and said that it had "
    "cost two million crowns in all."
)


def fragment(link: str | None) -> str:
    """Return what the link names of the page, as a browser reads it."""
    assert link is not None
    page, mark, directive = link.partition(":~:text=")
    assert mark
    assert page.endswith("#") or "#" in page
    return directive


@pytest.mark.parametrize(
    ("passage", "text"),
    [
        ("It cost two million.", "It%20cost%20two%20million."),
        ("one", "one"),
        # These have a meaning in a text fragment, so they are not written as they are.
        ("a well-known, true & tried", "a%20well%2Dknown%2C%20true%20%26%20tried"),
        ("50 % off", "50%20%25%20off"),
        ("a\nb\t c", "a%20b%20c"),
        ("é", "%C3%A9"),
        ("(see) \"it\" 'here' <b>", "%28see%29%20%22it%22%20%27here%27%20%3Cb%3E"),
    ],
)
def test_a_short_passage_is_named_whole(passage: str, text: str) -> None:
    assert passage_url(PAGE, passage, limit=700) == f"{PAGE}#:~:text={text}"


def test_a_longer_passage_is_named_by_five_words_at_each_end() -> None:
    start, end = "The mayor opened the new", "two million crowns in all."
    link = passage_url(PAGE, LONG, limit=700)
    assert [unquote(part) for part in fragment(link).split(",")] == [start, end]


def test_the_words_at_the_two_ends_never_overlap() -> None:
    ten = " ".join(f"{letter * 9}" for letter in "abcdefghij")
    assert unquote(fragment(passage_url(PAGE, ten, limit=700))) == ten
    eleven = f"{ten} {'k' * 9}"
    first, last = fragment(passage_url(PAGE, eleven, limit=700)).split(",")
    assert unquote(first) == " ".join(letter * 9 for letter in "abcde")
    assert unquote(last) == " ".join(letter * 9 for letter in "ghijk")


@pytest.mark.parametrize(
    ("url", "before"),
    [
        (PAGE, f"{PAGE}#"),
        (f"{PAGE}#part", f"{PAGE}#part"),
        (f"{PAGE}#", f"{PAGE}#"),
        (f"{PAGE}?b=1&c=2", f"{PAGE}?b=1&c=2#"),
    ],
)
def test_a_place_in_the_page_that_the_link_names_is_kept(url: str, before: str) -> None:
    assert passage_url(url, "It cost", limit=700) == f"{before}:~:text=It%20cost"


def test_a_link_that_names_a_passage_itself_is_left_as_it_is() -> None:
    url = f"{PAGE}#:~:text=other"
    assert passage_url(url, "It cost", limit=700) == url


def test_a_link_that_would_be_too_long_opens_the_page_alone() -> None:
    whole = f"{PAGE}#:~:text=It%20cost"
    assert passage_url(PAGE, "It cost", limit=len(whole)) == whole
    assert passage_url(PAGE, "It cost", limit=len(whole) - 1) == PAGE
    assert passage_url(PAGE, "It cost", limit=len(PAGE)) == PAGE


def test_a_page_whose_own_link_is_too_long_gets_none() -> None:
    assert passage_url(PAGE, "It cost", limit=len(PAGE) - 1) is None


def test_the_limit_counts_what_is_written_not_what_was_given() -> None:
    url = f"{PAGE}/(((("
    assert passage_url(url, "It", limit=len(url)) is None
    assert passage_url(url, "It", limit=len(PAGE) + 13) == f"{PAGE}/%28%28%28%28"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        (f"{PAGE}_(b)", f"{PAGE}_%28b%29"),
        (f"{PAGE} b", f"{PAGE}%20b"),
        (f"{PAGE}>b<c", f"{PAGE}%3Eb%3Cc"),
        (f'{PAGE}"b', f"{PAGE}%22b"),
        (f"{PAGE}\\b", f"{PAGE}%5Cb"),
        (f"{PAGE}||b||", f"{PAGE}%7C%7Cb%7C%7C"),
        (f"{PAGE}`b`", f"{PAGE}%60b%60"),
        (f"{PAGE}\nb\r\x00", f"{PAGE}%0Ab%0D%00"),
    ],
)
def test_characters_that_would_end_a_link_in_a_message_are_written_another_way(
    url: str, written: str
) -> None:
    assert passage_url(url, "It", limit=700) == f"{written}#:~:text=It"


def test_what_is_written_in_percent_already_stays() -> None:
    url = f"{PAGE}%20b%2Fc"
    assert passage_url(url, "It", limit=700) == f"{url}#:~:text=It"


@given(
    st.text(st.sampled_from("aé (-),&#%[]*_~|`\\'\"😀\u00a0"), max_size=30).map(
        "https://e.org/{}".format
    ),
    st.text(min_size=1, max_size=200).filter(lambda t: bool(t.strip())),
    st.integers(1, 400),
)
@example("https://e.org/", "a" * 81, 400)
def test_any_link_can_stand_in_a_message_and_leads_to_the_same_page(
    url: str, passage: str, limit: int
) -> None:
    link = passage_url(url, passage, limit=limit)
    if link is None:
        return
    assert len(link) <= limit
    assert not any(c.isspace() and c.isascii() or c in '()<>"\\`|' for c in link)
    assert urlsplit(link).netloc == "e.org"
    page, _, directive = link.partition("#:~:text=")
    if directive and "#" not in url:
        assert unquote(page) == unquote(url)
        words = passage.split()
        parts = [unquote(part).split() for part in directive.split(",")]
        assert words[: len(parts[0])] == parts[0]
        assert words[-len(parts[-1]) :] == parts[-1]
    if is_web_address(url):
        assert is_web_address(link)
