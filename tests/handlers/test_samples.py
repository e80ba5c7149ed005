from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import bot
from data.ingestion import read_story
from data.models import Revision
from handlers.samples import load_samples
from handlers.services import Services
from tests.fakes import HashEncoder
from tests.handlers.conftest import Terminal

BUNDLED = bot.ROOT / "data/samples"


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    opened = bot.open_services(bot.settings_for(terminal.home), "samples")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two short stories of its own."""
    made = tmp_path / "stories"
    made.mkdir()
    _write(made, "bridge", "The mayor opened the bridge.")
    _write(made, "ferry", "The ferry sank at noon.")
    return made


def _write(folder: Path, name: str, text: str, title: str = "Title") -> None:
    (folder / f"{name}.md").write_text(f"---\ntitle: {title}\n---\n{text}\n", "utf-8")


def _stories(services: Services) -> dict[str | None, Revision]:
    return {revision.external_id: revision for revision in services.articles.current()}


def _encoder(services: Services) -> HashEncoder:
    found = services.encoders.get(services.encoders.default)
    assert isinstance(found, HashEncoder)
    return found


@pytest.mark.parametrize("path", sorted(BUNDLED.iterdir()), ids=lambda path: path.stem)
def test_a_bundled_story_reads_without_notes_and_says_who_published_it_and_when(
    path: Path,
) -> None:
    draft = read_story(path)
    assert draft.notes == ()
    assert draft.title_given
    assert draft.attribution.source
    assert draft.attribution.published_at
    assert draft.external_id is None
    assert "---" not in draft.text


def test_ten_stories_are_bundled() -> None:
    assert len(list(BUNDLED.glob("*.md"))) == len(list(BUNDLED.iterdir())) == 10


def test_bundled_stories_link_only_to_hosts_that_cannot_exist() -> None:
    urls = [read_story(path).attribution.url for path in BUNDLED.glob("*.md")]
    hosts = [urlsplit(url).hostname or "" for url in urls if url]
    assert hosts
    assert all(host.endswith(".example") for host in hosts)


def test_an_empty_collection_gets_all_bundled_stories(services: Services) -> None:
    load_samples(services, BUNDLED)
    assert services.articles.count() == 10
    assert services.verifier.verify(deep=True).clean


def test_loading_twice_changes_nothing_and_encodes_nothing(services: Services) -> None:
    load_samples(services, BUNDLED)
    before = services.articles.generation(), services.articles.current()
    _encoder(services).encoded.clear()
    load_samples(services, BUNDLED)
    assert (services.articles.generation(), services.articles.current()) == before
    assert _encoder(services).encoded == []


def test_a_file_that_changed_becomes_a_new_revision_of_its_story(
    services: Services, folder: Path
) -> None:
    load_samples(services, folder)
    before = _stories(services)
    _write(folder, "ferry", "The ferry sank at one, not at noon.")
    load_samples(services, folder)
    after = _stories(services)
    old, new = before["sample:ferry"], after["sample:ferry"]
    assert new.article_id == old.article_id
    assert new.id != old.id
    assert new.text == "The ferry sank at one, not at noon.\n"
    assert services.articles.revision(old.id).text == "The ferry sank at noon.\n"
    assert after["sample:bridge"] == before["sample:bridge"]


def test_a_title_that_changed_becomes_a_new_revision_too(services: Services, folder: Path) -> None:
    load_samples(services, folder)
    _write(folder, "ferry", "The ferry sank at noon.", title="Ferry lost")
    load_samples(services, folder)
    assert _stories(services)["sample:ferry"].attribution.title == "Ferry lost"
    assert services.articles.revision_count() == 3


def test_a_file_that_vanished_takes_its_story_along(services: Services, folder: Path) -> None:
    load_samples(services, folder)
    (folder / "ferry.md").unlink()
    load_samples(services, folder)
    assert set(_stories(services)) == {"sample:bridge"}
    assert services.verifier.verify(deep=True).clean


def test_a_file_that_is_new_is_added(services: Services, folder: Path) -> None:
    load_samples(services, folder)
    _write(folder, "mine", "The mine reopened.")
    load_samples(services, folder)
    assert set(_stories(services)) == {"sample:bridge", "sample:ferry", "sample:mine"}
