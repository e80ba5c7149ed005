import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.urls import MAX_URL_LENGTH, canonical_url, is_web_address


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "HTTP://Example.org/a?b=c#d",
        "https://user@example.org:8443/",
        "http://[::1]:8080/x",
        "https://例え.jp/新聞",
        "https://example.org/" + "a" * (MAX_URL_LENGTH - 20),
    ],
)
def test_accepts_an_absolute_web_address(url: str) -> None:
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "/a/b",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://exa mple.org",
        "https://example.org/a\nb",
        "https://example.org/\u202egnp.exe",
        "https://example.org:port/",
        "https://example.org:99999/",
        "https://[::1",
        "https://example.org/" + "a" * (MAX_URL_LENGTH - 19),
    ],
)
def test_refuses_what_is_no_web_address(url: str) -> None:
    assert not is_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?id=1",
        "http://example.org/a?id=1",
        "https://www.example.org/a?id=1",
        "https://EXAMPLE.org/a/?id=1",
        "https://example.org:443/a?id=1",
        "http://example.org:80/a?id=1",
        "https://example.org/a?id=1#comments",
        "https://example.org/a?utm_source=x&id=1&UTM_Medium=y&fbclid=z&gclid=1",
    ],
)
def test_links_to_one_page_have_one_form(url: str) -> None:
    assert canonical_url(url) == "https://example.org/a?id=1"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?id=2",
        "https://example.org/a",
        "https://example.org/A?id=1",
        "https://news.example.org/a?id=1",
        "https://example.org:8443/a?id=1",
        "https://example.org/a?id=1&page=",
    ],
)
def test_links_to_other_pages_have_other_forms(url: str) -> None:
    assert canonical_url(url) != "https://example.org/a?id=1"


def test_an_unknown_link_stays_unknown() -> None:
    assert canonical_url(None) is None


@given(st.text(st.sampled_from("abW.:/?#[]@%&=1é+"), max_size=40).map("http://{}".format))
def test_every_web_address_has_a_form_that_is_its_own_form(url: str) -> None:
    if is_web_address(url):
        form = canonical_url(url)
        assert form is not None
        assert form.startswith("https://")
        assert "#" not in form
