import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from data.addresses import HostRules, is_public, plain_host
from data.web.fetch_errors import FetchError
from data.web.targets import Target, target_of

NO_RULES = HostRules()


@pytest.mark.parametrize(
    ("address", "url", "origin"),
    [
        ("http://example.com", "http://example.com", "http://example.com"),
        (" https://Example.COM/A?b=1#c\n", "https://example.com/A?b=1", "https://example.com"),
        ("HTTP://example.com.:8080/", "http://example.com:8080/", "http://example.com:8080"),
        ("http://example.com:80/", "http://example.com/", "http://example.com"),
        ("https://münchen.de/ü", "https://xn--mnchen-3ya.de/%C3%BC", "https://xn--mnchen-3ya.de"),
        ("http://8.8.8.8/", "http://8.8.8.8/", "http://8.8.8.8"),
        ("http://[2606:4700::0:1]/", "http://[2606:4700::1]/", "http://[2606:4700::1]"),
    ],
)
def test_an_address_has_one_form(address: str, url: str, origin: str) -> None:
    target = target_of(address, NO_RULES, ())
    assert str(target.url) == url
    assert target.origin == origin
    assert target.robots == f"{origin}/robots.txt"


def accepted(address: str) -> Target | None:
    try:
        return target_of(address, NO_RULES, (), base=URL("http://example.com/a/b"))
    except FetchError as error:
        assert str(error).endswith(".")
        return None


hosts = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="0123456789abcdefx.:%[]@\\#?/ ", max_size=20),
    st.ip_addresses().map(str),
    st.integers(0, 2**32).map(lambda n: f"{n}"),
    st.integers(0, 2**32).map(hex),
    st.lists(st.integers(0, 400).map(oct), min_size=1, max_size=5).map(
        lambda parts: ".".join(part.replace("o", "") for part in parts)
    ),
)


@given(host=hosts, rest=st.text(max_size=10))
@example(host="0x7f.1", rest="/")
@example(host="\udce4", rest="")
@example(host="[::ffff:127.0.0.1]", rest=":80")
def test_whatever_is_accepted_is_a_name_or_a_public_address(host: str, rest: str) -> None:
    target = accepted(f"http://{host}{rest}")
    if target is None:
        return
    assert target.host == plain_host(target.host) == plain_host(target.url.raw_host or "")
    assert target.url.scheme in ("http", "https")
    assert not target.url.user
    try:
        # What the system's own, generous reading of an address would make of it.
        meant = socket.inet_ntoa(socket.inet_aton(target.host))
    except OSError:
        assert ":" not in target.host or is_public(target.host)
    else:
        assert meant == target.host
        assert is_public(meant)


@given(address=st.text(max_size=50))
@example("http://[")
@example("http://[]@")
@example("//a:b@c")
@example("http://a\ud800b/")
def test_any_text_is_an_address_or_is_refused_in_words(address: str) -> None:
    target = accepted(address)
    assert target is None or target.url.host
