"""Domains that the operator took out: nothing with a link into one of them is stored."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data.answers import open_memory
from data.domains import DomainStore, RefusedDomains, domain_of
from data.errors import StorageError, StoryRefusedError
from data.ingestion import Row
from data.models import Attribution, Draft
from index.building import BATCH_STORIES
from index.indexer import Indexer
from tests.fakes import Wiring, story

REFUSED = ("example.com", "bücher.de")


@pytest.fixture
def domains() -> list[str]:
    return list(REFUSED)


@pytest.fixture
def indexer(services: Wiring, domains: list[str]) -> Indexer:
    return _indexer(services, domains)


def _indexer(services: Wiring, domains: list[str] | RefusedDomains) -> Indexer:
    return Indexer(
        collection=services.collection,
        db=services.db,
        encoders=services.encoders,
        live=services.live,
        refused_domains=domains if isinstance(domains, RefusedDomains) else lambda: domains,
    )


def _draft(url: str | None, text: str = "The mayor opened the bridge.") -> Draft:
    return story(text, title=text, url=url)


refused_links = pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a",
        "http://example.com",
        "https://www.example.com/a",
        "https://news.local.example.com/a",
        "https://NEWS.Example.COM/a",
        "https://example.com:8443/a",
        "https://example.com./a",
        "https://user:word@example.com/a",
        "https://ｅｘａｍｐｌｅ.com/a",
        "https://xn--bcher-kva.de/a",
        "https://Bücher.de/a",
        "https://laden.bücher.de./a",
    ],
)
other_links = pytest.mark.parametrize(
    "url",
    [
        None,
        "https://notexample.com/a",
        "https://my-example.com/a",
        "https://example.com.evil.org/a",
        "https://evil.org/example.com",
        "https://evil.org/?from=https://example.com/a",
        "https://example.com@evil.org/a",
        "https://example.org/a",
        "https://com/a",
        "https://buecher.de/a",
    ],
)


@refused_links
def test_nothing_of_a_domain_that_was_taken_out_is_stored(
    services: Wiring, indexer: Indexer, url: str
) -> None:
    with pytest.raises(StoryRefusedError, match="^It cannot be stored: the operator took .* out"):
        indexer.add(_draft(url))
    assert services.articles.count() == 0
    assert services.encoder.encoded == []


@other_links
def test_what_only_looks_so_is_stored(services: Wiring, indexer: Indexer, url: str | None) -> None:
    indexer.add(_draft(url))
    assert services.articles.count() == 1


@refused_links
def test_of_an_import_the_other_rows_come_in(services: Wiring, indexer: Indexer, url: str) -> None:
    links = ["https://example.org/1", url, None, "https://notexample.com/"]
    rows = [Row(n, 9, _draft(link, f"Story {n}."), None) for n, link in enumerate(links, start=1)]
    outcomes = {outcome.line: outcome for outcome in indexer.add_rows(rows)}
    assert sorted(outcomes) == [1, 2, 3, 4]
    assert {line for line, outcome in outcomes.items() if outcome.saved is None} == {2}
    why = outcomes[2].refused or ""
    assert why.startswith("the operator took ")
    assert why.endswith(" out, so nothing from there is stored")
    titles = {revision.attribution.title for revision in services.articles.current()}
    assert titles == {"Story 1.", "Story 3.", "Story 4."}
    assert services.verifier.verify(deep=True).clean


def test_an_import_of_nothing_else_stores_nothing(services: Wiring, indexer: Indexer) -> None:
    count = 2 * BATCH_STORIES + 1
    rows = [Row(n, 9, _draft(f"https://example.com/{n}", f"S {n}."), None) for n in range(count)]
    outcomes = list(indexer.add_rows(rows))
    assert sorted(outcome.line for outcome in outcomes) == list(range(count))
    assert all(outcome.refused and outcome.saved is None for outcome in outcomes)
    assert services.articles.count() == 0


@refused_links
def test_a_link_is_not_corrected_into_such_a_domain(
    services: Wiring, indexer: Indexer, url: str
) -> None:
    stored = indexer.add(_draft("https://example.org/a")).revision
    with pytest.raises(StoryRefusedError, match="^Nothing was changed: the operator took .* out"):
        indexer.edit(stored.article_id, replace(stored.attribution, url=url))
    assert services.articles.get(stored.article_id) == stored


def test_a_version_of_a_known_story_is_refused_too(services: Wiring, indexer: Indexer) -> None:
    stored = indexer.add(replace(_draft(None), external_id="x")).revision
    changed = replace(_draft("https://example.com/a", "Other."), external_id="x")
    for draft in (changed, replace(changed, article_id=stored.article_id)):
        with pytest.raises(StoryRefusedError):
            indexer.add(draft)
    assert services.articles.get("x") == stored


def test_stories_of_a_permitted_domain_are_taken_again(
    services: Wiring, indexer: Indexer, domains: list[str]
) -> None:
    draft = _draft("https://example.com/a")
    with pytest.raises(StoryRefusedError):
        indexer.add(draft)
    domains.clear()
    indexer.add(draft)
    assert services.articles.count() == 1


def test_a_domain_that_is_taken_out_while_a_story_is_encoded_keeps_it_out(
    services: Wiring, indexer: Indexer, domains: list[str]
) -> None:
    """Whoever takes the domain out deletes what is stored by then, and no more is to follow."""
    services.encoder.before_encoding = lambda: domains.append("example.org")
    with pytest.raises(StoryRefusedError):
        indexer.add(_draft("https://example.org/a"))
    assert services.articles.count() == 0


def test_a_domain_that_is_taken_out_in_the_midst_of_an_import_is_kept_out_from_then_on(
    services: Wiring, indexer: Indexer, domains: list[str]
) -> None:
    def rows() -> Iterator[Row]:
        for number in range(2 * BATCH_STORIES):
            if number == BATCH_STORIES:
                domains.append("example.org")
            yield Row(number, 9, _draft(f"https://example.org/{number}", f"S {number}."), None)

    refused = {outcome.line for outcome in indexer.add_rows(rows()) if outcome.refused}
    assert refused == set(range(BATCH_STORIES, 2 * BATCH_STORIES))
    assert services.articles.count() == BATCH_STORIES


def test_what_another_process_takes_out_counts_at_once(services: Wiring) -> None:
    indexer = _indexer(services, RefusedDomains(services.home, ["always.example"]))
    indexer.add(_draft("https://example.com/a", "One."))
    memory = open_memory(services.home)
    DomainStore(memory).refuse(domain_of("https://www.Example.com/news"))
    for number, url in enumerate(("https://example.com/b", "https://a.always.example/")):
        with pytest.raises(StoryRefusedError):
            indexer.add(_draft(url, f"Story {number}."))
    DomainStore(memory).permit("example.com")
    memory.close()
    indexer.add(_draft("https://example.com/b", "Two."))
    assert services.articles.count() == 2


def test_taking_a_domain_out_as_it_is_done_leaves_the_other_stories(services: Wiring) -> None:
    refused = RefusedDomains(services.home)
    indexer = _indexer(services, refused)
    for number, url in enumerate(
        ("https://example.com/a", "https://news.example.com/b", "https://notexample.com/c", None)
    ):
        indexer.add(_draft(url, f"Story {number}."))
    moved = indexer.add(_draft("https://example.com/d", "Story 4.")).revision
    indexer.edit(moved.article_id, Attribution("Story 4.", url="https://example.org/d"))
    memory = open_memory(services.home)
    DomainStore(memory).refuse("example.com")
    memory.close()
    for article_id in services.articles.of_domain("example.com"):
        indexer.remove(article_id)
    titles = {revision.attribution.title for revision in services.articles.current()}
    assert titles == {"Story 2.", "Story 3."}
    assert services.articles.of_domain("example.com") == []
    assert services.verifier.verify(deep=True).clean


def test_where_it_cannot_be_known_what_was_taken_out_nothing_is_stored(
    services: Wiring, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "pullquote.db").write_bytes(b"no database" * 999)
    indexer = _indexer(services, RefusedDomains(damaged))
    with pytest.raises(StorageError):
        indexer.add(_draft("https://example.org/a"))
    assert services.articles.count() == 0
