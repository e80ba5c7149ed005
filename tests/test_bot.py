import subprocess
import sys
from pathlib import Path
from sqlite3 import ProgrammingError

import pytest

import bot
from data.settings import Settings
from index.encoder import Encoder
from tests.fakes import HashEncoder, story

LOADED = "import sys, bot; print(*sorted({name.split('.')[0] for name in sys.modules}))"


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path | None, bool]]:
    """The encoders that were loaded: name, cache folder, and whether the fast runtime may run."""
    found: list[tuple[str, Path | None, bool]] = []

    def load(name: str, *, cache: Path | None, fast: bool) -> Encoder:
        found.append((name, cache, fast))
        return HashEncoder(name)

    monkeypatch.setattr(bot, "load_encoder", load)
    return found


def _settings(home: Path, *, threshold: float | None = None) -> Settings:
    return Settings(
        home=home,
        cache=home / "cache",
        encoder=None,
        fast_runtime=False,
        confidence_threshold=threshold,
    )


def test_the_home_is_the_one_that_is_named_or_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULLQUOTE_HOME", str(tmp_path / "there"))
    assert bot.settings_for(None).home == tmp_path / "there"
    assert bot.settings_for(tmp_path / "here").home == tmp_path / "here"


def test_the_converted_encoder_is_kept_beside_the_program_for_all_homes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULLQUOTE_CACHE", raising=False)
    assert bot.settings_for(tmp_path).cache == bot.ROOT / "var" / "cache"


def test_services_work_on_one_collection_of_the_home(
    tmp_path: Path, asked_for: list[tuple[str, Path | None, bool]]
) -> None:
    services = bot.open_services(_settings(tmp_path), "mine")
    try:
        services.indexer.add(story("The mayor opened the bridge."))
        answer = services.answerer.answer("Who opened the bridge?")
        assert [c.quote for c in answer.citations] == ["The mayor opened the bridge."]
        assert services.verifier.verify().clean
        assert services.collection.folder == tmp_path / "collections" / "mine"
    finally:
        services.close()


def test_an_encoder_is_loaded_when_it_is_needed_once_and_as_the_settings_say(
    tmp_path: Path, asked_for: list[tuple[str, Path | None, bool]]
) -> None:
    services = bot.open_services(_settings(tmp_path), "mine")
    try:
        assert services.articles.current() == []
        assert asked_for == []
        services.indexer.add(story())
        services.answerer.answer("Who opened the bridge?")
        assert asked_for == [("all-MiniLM-L6-v2", tmp_path / "cache", False)]
    finally:
        services.close()


def test_the_threshold_of_the_settings_decides_whether_there_is_an_answer(
    tmp_path: Path, asked_for: list[tuple[str, Path | None, bool]]
) -> None:
    found = []
    for threshold in (0.0, 1.0):
        services = bot.open_services(_settings(tmp_path, threshold=threshold), "mine")
        try:
            services.indexer.add(story())
            found.append(services.answerer.answer("Who opened the bridge?").answered)
        finally:
            services.close()
    assert found == [True, False]


def test_closed_services_can_be_used_no_more(
    tmp_path: Path, asked_for: list[tuple[str, Path | None, bool]]
) -> None:
    services = bot.open_services(_settings(tmp_path), "mine")
    services.close()
    with pytest.raises(ProgrammingError):
        services.articles.count()


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["nope"], 2)])
def test_the_program_exits_with_the_code_of_its_command(
    monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    monkeypatch.setattr(sys, "argv", ["bot.py", *words])
    monkeypatch.setattr("handlers.terminal.cli._configure_logging", lambda: None)
    with pytest.raises(SystemExit) as left:
        bot.main()
    assert left.value.code == code


@pytest.mark.slow
def test_the_program_starts_without_loading_what_only_encoding_needs() -> None:
    result = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=bot.ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"torch", "sentence_transformers", "transformers", "openvino", "dateparser"}
    assert "click" in result.stdout.split()
    assert heavy & set(result.stdout.split()) == set()
