import pytest

from data.extraction.html_tree import parse_html
from data.extraction.page_addresses import canonical, host_of
from data.extraction.page_fields import metas_of
from tests.data.extraction.made_pages import page

URL = "https://www.herald.example/news/bridge?utm_source=x"
OTHER = "https://mirror.test/news/bridge"


def _canonical(head: str, url: str | None = URL) -> str | None:
    tree = parse_html(page(head=head))
    assert tree is not None
    return canonical(tree, metas_of(tree), url)


@pytest.mark.parametrize(
    ("head", "address"),
    [
        ("<link rel='canonical' href='https://herald.example/n/1'>", "https://herald.example/n/1"),
        ("<link rel='Canonical nofollow' href='/n/1'>", "https://www.herald.example/n/1"),
        ("<link rel='canonical' href='1'>", "https://www.herald.example/news/1"),
        ("<link rel='canonical' href='//m.herald.example/1'>", "https://m.herald.example/1"),
        ("<base href='/en/'><link rel='canonical' href='1'>", "https://www.herald.example/en/1"),
        ("<meta property='og:url' content='https://herald.example/2'>", "https://herald.example/2"),
        (
            f"<link rel='canonical' href='{OTHER}'>"
            "<meta property='og:url' content='https://herald.example/2'>",
            "https://herald.example/2",
        ),
    ],
)
def test_the_address_that_a_page_calls_its_own_is_taken(head: str, address: str) -> None:
    assert _canonical(head) == address


@pytest.mark.parametrize(
    "head",
    [
        "",
        f"<link rel='canonical' href='{OTHER}'>",
        "<link rel='canonical' href='https://www.herald.example/'>",
        "<link rel='canonical' href='/'>",
        "<link rel='canonical' href=''>",
        "<link rel='canonical'>",
        "<link rel='canonical' href='javascript:alert(1)'>",
        "<link rel='canonical' href='http://['>",
        "<link rel='canonical' href='ftp://herald.example/x'>",
        "<base href='http://['><link rel='alternate' href='/n/1'>",
        "<link rel='canonical' href='/" + "x" * 3000 + "'>",
    ],
)
def test_an_address_that_cannot_be_the_page_s_own_is_not(head: str) -> None:
    assert _canonical(head) == URL


def test_a_site_is_what_somebody_registered() -> None:
    link = "<link rel='canonical' href='https://b.co.uk/x'>"
    assert _canonical(link, "https://a.co.uk/x") == "https://a.co.uk/x"
    link = "<link rel='canonical' href='https://b.github.io/x'>"
    assert _canonical(link, "https://a.github.io/x") == "https://a.github.io/x"
    link = "<link rel='canonical' href='http://127.0.0.1:8000/y'>"
    assert _canonical(link, "http://127.0.0.1:8000/x") == "http://127.0.0.1:8000/y"


def test_a_file_has_the_address_that_it_names_or_none() -> None:
    assert _canonical("<link rel='canonical' href='/n/1'>", None) is None
    assert _canonical(f"<link rel='canonical' href='{OTHER}'>", None) == OTHER
    assert _canonical("<link rel='canonical' href='https://herald.example/'>", None) is None


def test_the_home_page_keeps_its_own_address() -> None:
    home = "https://herald.example/"
    assert _canonical(f"<link rel='canonical' href='{home}'>", "http://herald.example") == home


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://www.Herald.example:8443/x", "herald.example"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("/x", None),
        ("", None),
        (None, None),
    ],
)
def test_the_host_stands_for_a_site_without_a_name(url: str | None, host: str | None) -> None:
    assert host_of(url) == host
