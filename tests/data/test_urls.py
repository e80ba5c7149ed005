from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.urls import MAX_URL_LENGTH, canonical_url, is_web_address, lies_in


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "HTTP://Example.org/a?b=c#d",
        "https://example.org:8443/@user",
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
        "https://user@example.org:8443/",
        "https://news.example:443@example.org/",
        "https://news.example\\@example.org/",
        "https://example.org/a\\b",
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


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com/a?b=c#d",
        "https://EXAMPLE.com/",
        "https://www.example.com/",
        "https://a.b.example.com/",
        "https://example.com./",
        "https://news.example.com.:8443/",
        "https://example.com:8443/",
        "https://ｅｘａｍｐｌｅ.com/",
        "https://example。com/",
        "https://b\u00fccher.example.com/",
        "https://a_b.example.com/",
    ],
)
@pytest.mark.parametrize("domain", ["example.com", "EXAMPLE.com", "*.example.com", "example.com."])
def test_an_address_lies_in_a_domain_however_it_is_written(url: str, domain: str) -> None:
    assert is_web_address(url)
    assert lies_in(url, domain)


def test_a_host_in_disguise_lies_where_browsers_go() -> None:
    assert lies_in("https://ex%61mple.com/", "example.com")


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://com/",
        "https://notexample.com/",
        "https://not-example.com/",
        "https://example.com.evil.org/",
        "https://examplescom/",
        "https://example-com.org/",
        "https://evil.org/example.com",
        "https://evil.org/?u=https://example.com/",
        "https://evil.org/#example.com",
        "https://example.com@evil.org/",
        "https://example.com:word@evil.org/",
        "https://ex\u0430mple.com/",  # a Cyrillic letter
        "https://192.0.2.1/",
    ],
)
def test_an_address_that_only_looks_so_lies_elsewhere(url: str | None) -> None:
    assert not lies_in(url, "example.com")


@pytest.mark.parametrize(
    ("url", "domain", "inside"),
    [
        ("https://example.com/", "news.example.com", False),
        ("https://bücher.de/", "xn--bcher-kva.de", True),
        ("https://BÜCHER.de/", "bücher.de", True),
        ("https://xn--bcher-kva.de/", "bücher.de", True),
        ("https://a_b.bücher.de/", "bücher.de", True),
        ("https://straße.de/", "xn--strae-oqa.de", True),
        ("https://straße.de/", "strasse.de", False),
        ("https://i❤.ws/", "xn--i-7iq.ws", True),
        ("https://192.0.2.1/", "192.0.2.1", True),
        ("https://192.0.2.1/", "2.1", False),
        ("https://[2001:db8::1]/", "2001:db8::1", True),
        ("https://example.com/", "", False),
        ("https://example.com/", ".", False),
        ("https://example.com/", "*.", False),
        ("https://example.com/", "com", True),
    ],
)
def test_names_of_every_script_and_numbers_are_compared_as_they_are_asked_for(
    url: str, domain: str, inside: bool
) -> None:
    assert lies_in(url, domain) is inside


@given(st.text(st.sampled_from("abW.:/?#[]@%&=1é+"), max_size=30), st.text("abW.1é*", max_size=9))
def test_every_web_address_lies_in_its_own_host_and_no_name_is_too_odd(
    text: str, domain: str
) -> None:
    url = f"http://{text}"
    if is_web_address(url):
        host = urlsplit(url).hostname or ""
        assert lies_in(url, host) or not host.strip(".")
        assert not lies_in(url, domain) or domain.strip("*.")
