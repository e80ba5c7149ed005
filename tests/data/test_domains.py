from collections.abc import Iterator
from pathlib import Path

import pytest

from data.answers import open_memory
from data.articles import ArticleStore
from data.database import Database
from data.domains import DomainStore, RefusedDomains, domain_of, refusal
from data.errors import UserError
from data.standing import StandingStore
from data.urls import lies_in
from tests.data.conftest import draft


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Database]:
    connection = open_memory(tmp_path)
    yield connection
    connection.close()


# --- what somebody names


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("example.com", "example.com"),
        ("  Example.COM \n", "example.com"),
        ("example.com.", "example.com"),
        ("www.example.com", "example.com"),
        ("www.gov.uk", "www.gov.uk"),
        ("news.example.com", "news.example.com"),
        ("https://example.com", "example.com"),
        ("HTTP://WWW.Example.com:8080/a?b=c#d", "example.com"),
        ("example.com/news", "example.com"),
        ("example.com:443", "example.com"),
        ("https://user:word@example.com/", "example.com"),
        ("//example.com/a", "example.com"),
        ("a-b.example.com", "a-b.example.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("BÜCHER.de", "xn--bcher-kva.de"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("ｅｘａｍｐｌｅ.com", "example.com"),
    ],
)
def test_a_domain_is_named_by_itself_or_by_an_address_of_it(text: str, domain: str) -> None:
    assert domain_of(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "..", "//", "https://", "https:///a", "example", "com", "localhost"),
        *("example..com", "-.com", "[::1]", "https://[::1]/", "192.0.2.1", "example.com@", "/a/b"),
        *("a" * 64 + ".com", "a." * 200 + "com"),
        # Nothing of these is ever a host, so nothing would be refused by them.
        *("exa mple.com", "example.com, example.org", "example.com;example.org"),
        *("all of it. please", "<example.com>", "\x00example.com"),
        # And these the standard library itself trips over.
        *("https://[bad", "[example.com", "exa\u2100mple.com", "https://exa\uff0fmple.com"),
    ],
)
def test_refuses_what_is_no_domain(text: str) -> None:
    with pytest.raises(UserError, match="is no domain. Write it like example.com"):
        domain_of(text)


@pytest.mark.parametrize(
    "name",
    [
        *("example.com", "bücher.de", "例え.jp", "straße.de", "faß.example.org", "βόλος.com"),
        *("i❤.ws", "a_b.example.com", "نامه‌ای.com", "ÅNGSTRÖM.se", "a_b.bücher.de"),
    ],
)
def test_a_domain_is_found_again_in_its_own_addresses(name: str) -> None:
    assert lies_in(f"https://{name}/a", domain_of(name))
    assert lies_in(f"https://{name}/a", domain_of(f"https://{name}/b"))


@pytest.mark.parametrize("name", ["*.example.com", "*.bücher.de"])
def test_a_domain_written_with_a_star_is_that_domain_or_none(name: str) -> None:
    try:
        domain = domain_of(name)
    except UserError:
        return
    assert domain == domain_of(name.removeprefix("*."))  # so that it can be permitted again


# --- what was taken out


def test_domains_that_were_taken_out_are_remembered_until_they_are_permitted(
    memory: Database,
) -> None:
    domains = DomainStore(memory)
    assert domains.all() == []
    for name in ("example.org", "example.com", "example.org"):
        domains.refuse(name)
    assert domains.all() == ["example.com", "example.org"]
    assert domains.permit("example.org")
    assert not domains.permit("example.org")
    assert not domains.permit("never.example")
    assert domains.all() == ["example.com"]


def test_the_settings_domains_are_refused_with_those_that_were_taken_out(tmp_path: Path) -> None:
    assert RefusedDomains(tmp_path)() == []
    refused = RefusedDomains(tmp_path, ["always.example"])
    assert refused() == ["always.example"]
    memory = open_memory(tmp_path)  # as another process does it
    DomainStore(memory).refuse("example.com")
    assert refused() == ["always.example", "example.com"]
    DomainStore(memory).permit("example.com")
    memory.close()
    assert refused() == ["always.example"]


def test_asking_for_the_domains_often_leaves_no_connections_behind(tmp_path: Path) -> None:
    refused = RefusedDomains(tmp_path)
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("open files cannot be counted here")
    refused()
    before = len(list(handles.iterdir()))
    for _ in range(20):
        refused()
    assert len(list(handles.iterdir())) <= before


def test_a_refusal_says_which_domain_was_taken_out() -> None:
    domains = ["example.org", "example.com"]
    why = refusal("https://news.example.com/a", domains)
    assert why == "the operator took example.com out, so nothing from there is stored"
    assert refusal("https://example.net/", domains) is None
    assert refusal(None, domains) is None
    assert refusal("https://example.com/", []) is None


# --- whose stories are of a domain


def test_the_stories_of_a_domain_are_those_with_a_link_into_it_now_or_before(
    db: Database,
) -> None:
    store = ArticleStore(db)
    ids = {}
    for name, url in (
        ("itself", "https://example.com/a"),
        ("below", "http://NEWS.example.com:8080/a"),
        ("dot", "https://example.com./b"),
        ("alike", "https://notexample.com/a"),
        ("longer", "https://example.com.evil.org/a"),
        ("path", "https://evil.org/example.com"),
        ("user", "https://example.com@evil.org/a"),
        ("none", None),
        ("before", "https://example.com/moved"),
    ):
        ids[name] = store.save(draft(f"Story {name}.", title=name, url=url)).revision.article_id
    moved = store.get(ids["before"])
    store.edit(moved.article_id, draft(title="before", url="https://example.org/a").attribution)
    store.edit(ids["itself"], draft(title="another", url="https://example.com/a2").attribution)
    found = store.of_domain("example.com")
    assert sorted(found) == sorted(ids[name] for name in ("itself", "below", "dot", "before"))
    assert store.of_domain("news.example.com") == [ids["below"]]
    assert store.of_domain("example.net") == []


def test_a_withdrawn_story_is_of_its_domain_still(db: Database) -> None:
    article_id = ArticleStore(db).save(draft(url="https://example.com/a")).revision.article_id
    StandingStore(db).withdraw(article_id)
    assert ArticleStore(db).of_domain("example.com") == [article_id]
