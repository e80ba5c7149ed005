import tomllib
from pathlib import Path

import pytest

from data.errors import UserError
from data.settings import Settings, default_home, load_settings, read_token
from data.version import VERSION, user_agent

_FOUR = ("a.example", "b.example", "c.example", "c.example:8080")


def _load(home: Path, **environment: str) -> Settings:
    return load_settings(home, root=Path("/app"), environment=environment)


def _token(home: Path, **environment: str) -> str | None:
    return read_token(home, environment=environment)


def _write(home: Path, text: str) -> None:
    (home / "pullquote.toml").write_text(text, "utf-8")


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    assert _load(tmp_path) == Settings(
        home=tmp_path,
        cache=Path("/app/var/cache"),
        encoder=None,
        fast_runtime=True,
        confidence_threshold=None,
    )


def test_a_home_that_does_not_exist_has_the_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path / "none").encoder is None
    assert not (tmp_path / "none").exists()


def test_settings_come_from_the_file_in_the_home(tmp_path: Path) -> None:
    _write(
        tmp_path,
        'encoder = "my/model"\nfast_runtime = false\nconfidence_threshold = 0\ncache = "/big"\n',
    )
    settings = _load(tmp_path)
    assert settings.encoder == "my/model"
    assert settings.fast_runtime is False
    assert settings.confidence_threshold == 0
    assert settings.cache == Path("/big")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    _write(tmp_path, 'encoder = "file"\nconfidence_threshold = 0.9\n')
    settings = _load(tmp_path, PULLQUOTE_ENCODER="env", PULLQUOTE_CONFIDENCE_THRESHOLD="0.25")
    assert (settings.encoder, settings.confidence_threshold) == ("env", 0.25)
    assert _load(tmp_path, PULLQUOTE_CONFIDENCE_THRESHOLD="1").confidence_threshold == 1


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    _write(tmp_path, 'encoder = "file"\n')
    settings = _load(tmp_path, PULLQUOTE_ENCODER="", DISCORD_TOKEN="")
    assert settings.encoder == "file"


def test_the_token_does_not_stand_among_the_settings(tmp_path: Path) -> None:
    _write(tmp_path, 'discord_token = "from-file"\n')
    assert _token(tmp_path) is None
    assert _token(tmp_path, DISCORD_TOKEN="from-env") == "from-env"


def test_the_cache_may_be_in_the_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert _load(tmp_path, PULLQUOTE_CACHE="~/models").cache == Path("/home/ann/models")


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("on", True), ("FALSE", False), ("off", False)]
)
def test_a_switch_has_several_spellings(tmp_path: Path, text: str, value: bool) -> None:
    assert _load(tmp_path, PULLQUOTE_FAST_RUNTIME=text).fast_runtime is value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FAST_RUNTIME", "maybe", "fast_runtime is 'maybe', but it must be true or false"),
        ("CONFIDENCE_THRESHOLD", "high", "confidence_threshold is 'high', but it must be a number"),
        ("CONFIDENCE_THRESHOLD", "1.01", "from 0 to 1"),
        ("CONFIDENCE_THRESHOLD", "-0.1", "from 0 to 1"),
        ("CONFIDENCE_THRESHOLD", "nan", "from 0 to 1"),
    ],
)
def test_refuses_a_value_of_the_wrong_form(
    tmp_path: Path, name: str, value: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        _load(tmp_path, **{f"PULLQUOTE_{name}": value})


@pytest.mark.parametrize("raw", [b"encoder = ", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_refuses_a_file_that_cannot_be_read(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "pullquote.toml").write_bytes(raw)
    with pytest.raises(UserError, match=r"pullquote\.toml cannot be read"):
        _load(tmp_path)


def test_the_home_is_named_by_the_environment_or_is_var() -> None:
    assert default_home({"PULLQUOTE_HOME": "/srv/news"}) == Path("/srv/news")
    assert default_home({"PULLQUOTE_HOME": ""}) == Path("var")
    assert default_home({}) == Path("var")


def test_the_token_comes_from_the_environment_without_white_space(tmp_path: Path) -> None:
    assert _token(tmp_path, DISCORD_TOKEN=" abc\n") == "abc"


def test_the_token_can_stand_in_a_file_in_the_home(tmp_path: Path) -> None:
    (tmp_path / "discord_token").write_text("abc\n")
    assert _token(tmp_path) == "abc"
    assert _token(tmp_path, DISCORD_TOKEN="other") == "other"


def test_the_token_can_stand_in_a_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("abc")
    assert _token(tmp_path, DISCORD_TOKEN_FILE=str(tmp_path / "secret")) == "abc"


def test_an_empty_token_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "discord_token").write_text("\n")
    assert _token(tmp_path) is None


def test_a_token_file_that_is_named_but_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="token file .* cannot be read"):
        _token(tmp_path, DISCORD_TOKEN_FILE=str(tmp_path / "none"))


def test_another_server_of_the_protocol_can_be_named(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        PULLQUOTE_DISCORD_API="http://127.0.0.1:1/api",
        PULLQUOTE_DISCORD_GATEWAY="ws://127.0.0.1:1",
        PULLQUOTE_DISCORD_CDN="http://127.0.0.1:1/cdn",
    )
    assert settings.discord_api == "http://127.0.0.1:1/api"
    assert settings.discord_gateway == "ws://127.0.0.1:1"
    assert settings.discord_cdn == "http://127.0.0.1:1/cdn"


def test_a_token_file_of_windows_is_read_without_its_mark(tmp_path: Path) -> None:
    (tmp_path / "discord_token").write_bytes(b"\xef\xbb\xbfabc\r\n")
    assert _token(tmp_path) == "abc"


@pytest.mark.parametrize("token", ["a b", "a\nb", "a\x00b"])
def test_what_cannot_be_a_token_is_told(tmp_path: Path, token: str) -> None:
    with pytest.raises(UserError, match="blank or a control character"):
        _token(tmp_path, DISCORD_TOKEN=token)


@pytest.mark.parametrize("name", ["allowed_hosts", "refused_hosts"])
@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", ()),
        ("  ", ()),
        (",", ()),
        ("example.com", ("example.com",)),
        (" Example.COM,news.example.org ", ("example.com", "news.example.org")),
        ("a.example, b.example c.example\tc.example:8080", _FOUR),
        ("*.example.com,[::1]:8080,127.0.0.1:9", ("*.example.com", "[::1]:8080", "127.0.0.1:9")),
    ],
)
def test_hosts_are_listed_with_commas_or_blanks(
    tmp_path: Path, name: str, text: str, hosts: tuple[str, ...]
) -> None:
    assert getattr(_load(tmp_path, **{f"PULLQUOTE_{name.upper()}": text}), name) == hosts


@pytest.mark.parametrize("name", ["allowed_hosts", "refused_hosts"])
@pytest.mark.parametrize(
    ("value", "hosts"),
    [
        ('["a.example", "B.example:80"]', ("a.example", "b.example:80")),
        ('["a.example"]', ("a.example",)),
        ("[]", ()),
        ('""', ()),
        ('"a.example, b.example"', ("a.example", "b.example")),
    ],
)
def test_hosts_may_be_a_list_in_the_file(
    tmp_path: Path, name: str, value: str, hosts: tuple[str, ...]
) -> None:
    _write(tmp_path, f"{name} = {value}\n")
    assert getattr(_load(tmp_path), name) == hosts


def test_the_two_lists_of_hosts_are_two(tmp_path: Path) -> None:
    _write(tmp_path, 'allowed_hosts = ["a.example"]\nrefused_hosts = ["r.example"]\n')
    settings = _load(tmp_path)
    assert (settings.allowed_hosts, settings.refused_hosts) == (("a.example",), ("r.example",))
    settings = _load(tmp_path, PULLQUOTE_ALLOWED_HOSTS="b.example")
    assert (settings.allowed_hosts, settings.refused_hosts) == (("b.example",), ("r.example",))


def test_no_host_is_allowed_or_refused_unless_somebody_says_so(tmp_path: Path) -> None:
    settings = _load(tmp_path)
    assert (settings.allowed_hosts, settings.refused_hosts) == ((), ())


# --- how the program names itself


def test_web_servers_are_told_who_asks_and_where_its_source_is() -> None:
    assert user_agent("https://example.org/source") == (
        f"Pullquote/{VERSION} (quotes news stories with attribution; +https://example.org/source)"
    )


@pytest.mark.parametrize("source_url", [None, "", "https://exämple.org"])
def test_what_cannot_stand_in_a_header_is_left_out(source_url: str | None) -> None:
    assert user_agent(source_url) == f"Pullquote/{VERSION} (quotes news stories with attribution)"


@pytest.mark.parametrize("source_url", ["https://example.org/\n", "https://e.org/\r\nX: y", "\x00"])
def test_the_name_is_always_one_line_of_a_header(source_url: str) -> None:
    assert user_agent(source_url).isprintable()


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == VERSION
