import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import bot
from handlers.app import App
from handlers.terminal import (
    ask_commands,
    feed_commands,
    index_commands,
    story_commands,
    web_commands,
)
from handlers.terminal.cli import cli

ROOT = bot.ROOT
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

_FENCE = re.compile(r"^(?:```|~~~)[^\n]*\n(.*?)^(?:```|~~~)[ \t]*$", re.M | re.S)
_CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_COMMAND = re.compile(r"(?<!Usage: )\bpython bot\.py(?=[ \n]|$)([^\n]*)")
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)>\s]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.+?) *#*$", re.M)


def commands_in(markdown: str) -> list[str]:
    """Return what follows `python bot.py` in each command line of the code in a page."""
    joined = markdown.replace("\\\n", " ")
    code = [*_FENCE.findall(joined), *_CODE_SPAN.findall(_FENCE.sub("", joined))]
    return [found.strip() for block in code for found in _COMMAND.findall(block)]


def words_of(command: str) -> list[str]:
    """Return the words that a shell hands to the program: up to a pipe, redirection or comment."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|<>;&")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|<>;&"):
            break
        words.append(word)
    return words


def parse(words: list[str]) -> None:
    """Parse the words as the command line does, and run nothing.

    Raises:
        click.UsageError: if there is no such command or option, or an argument does not fit.
    """
    for module in (ask_commands, story_commands, web_commands, feed_commands, index_commands):
        for command in module.COMMANDS:
            cli.add_command(command)
    app = App(
        settings_for=bot.settings_for,
        open_services=bot.open_services,
        opener=bot.Opener,
        samples=ROOT,
    )
    try:
        group = cli.make_context("python bot.py", list(words), obj=app)
        name, command, rest = cli.resolve_command(group, [*group._protected_args, *group.args])
        if name is not None and command is not None:
            command.make_context(name, rest, parent=group)
    except click.exceptions.Exit as left:  # --help is answered while parsing
        if left.exit_code:
            raise


def _commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        if page.exists():
            for command in commands_in(page.read_text("utf-8")):
                if "..." not in command.split():
                    yield str(page.relative_to(ROOT)), command


def _plain(markdown: str) -> str:
    """Return the page without its code, where brackets are no links."""
    return _CODE_SPAN.sub("", _FENCE.sub("", markdown))


def links_in(markdown: str) -> list[str]:
    """Return where the links and images of a page lead, addresses on the web left out."""
    found = [one or other for one, other in _LINK.findall(_plain(markdown))]
    return [link for link in found if not re.match(r"[a-z][a-z0-9+.-]*:", link)]


def anchors_in(markdown: str) -> set[str]:
    """Return the names by which a page's headings can be linked to."""
    headings = _HEADING.findall(_FENCE.sub("", markdown))
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize(("page", "command"), list(_commands()))
def test_a_command_line_in_the_docs_is_one_that_the_program_takes(
    page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = words_of(command)
    for word in words:  # files that are opened while parsing
        if re.fullmatch(r"[\w-]+\.jsonl(?:\.gz)?", word):
            Path(word).touch()
    try:
        parse(words)
    except click.UsageError as error:
        pytest.fail(f"{page}: python bot.py {command}: {error.format_message()}")


def test_the_readme_shows_how_to_add_a_story_and_to_ask() -> None:
    shown = {words_of(command)[0] for page, command in _commands() if page == "README.md"}
    assert {"add", "ask"} <= shown


@each_page
def test_a_link_or_image_in_the_docs_leads_to_something(page: Path) -> None:
    for link in links_in(page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert target.resolve().is_relative_to(ROOT), f"{link} leaves the repository"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_in(target.read_text("utf-8")), link


@each_page
def test_a_make_target_in_the_docs_is_in_the_makefile(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    text = page.read_text("utf-8")
    code = "\n".join([*_FENCE.findall(text), *_CODE_SPAN.findall(_FENCE.sub("", text))])
    assert set(re.findall(r"(?:^|[|$] *)make ([a-z][\w-]*)", code, re.M)) <= targets


def test_the_readme_names_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make run" in readme
    assert "make test" in readme


def test_the_changelog_has_an_entry_for_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    headings = _HEADING.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert any(re.match(rf"\[?v?{re.escape(project['version'])}\b", h) for h in headings)


def test_the_program_names_only_commands_that_it_takes() -> None:
    named = []
    for module in sorted(ROOT.glob("handlers/*.py")):
        named += re.findall(r"python bot\.py ((?:[a-z]+ )[A-Z]+)", module.read_text("utf-8"))
    assert named
    for command in named:
        parse(words_of(command))


# --- that the reading of pages finds something

PAGE = """
# One thing, *really*

See [docs](docs/adr), ![picture](img/a.png "title"), [web](https://web.example) and [here](#one).
Call `python bot.py ask "Who?" --json` or `make run`.

```
$ printf 'Who?\\n' | python bot.py chat --home x | head
$ python bot.py import \\
    a.jsonl  # all
Usage: python bot.py [OPTIONS]
[no](link)
```
"""


def test_commands_are_found_in_code_and_cut_where_the_shell_cuts() -> None:
    found = [words_of(command) for command in commands_in(PAGE)]
    assert found == [["chat", "--home", "x"], ["import", "a.jsonl"], ["ask", "Who?", "--json"]]


def test_links_and_headings_are_found_outside_of_code() -> None:
    assert links_in(PAGE) == ["docs/adr", "img/a.png", "#one"]
    assert anchors_in(PAGE) == {"one-thing-really"}


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["ask", "--nope", "x"],
        ["ask", "x", "--after", "soon"],
        ["show"],
        ["add", "a", "b"],
    ],
)
def test_a_command_line_that_the_program_does_not_take_is_found(words: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(words)
