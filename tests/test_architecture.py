"""The rules of the layout, read from the syntax trees: who may import what, what nobody does."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each may import itself and what stands behind it, never what stands before it.
LAYERS = ("bot", "handlers", "index", "data")
OURS = {*LAYERS, "benchmarks", "tests"}
MAX_LINES = 300

# Library -> where alone it may be imported.
HOMES = {
    "discord": {"bot", "handlers"},
    **dict.fromkeys(
        (
            *("faiss", "torch", "sentence_transformers", "openvino", "transformers"),
            *("huggingface_hub", "tokenizers"),
        ),
        {"index"},
    ),
    **dict.fromkeys(("sqlite3", "sqlite_utils", "aiosqlite", "apsw"), {"data"}),
    **dict.fromkeys(
        (
            *("aiohttp", "requests", "httpx", "urllib3", "urllib.request", "http.client"),
            "protego",
        ),
        {"data/web"},
    ),
    **dict.fromkeys(
        (
            *("bs4", "lxml", "trafilatura", "htmldate", "feedparser", "html.parser"),
            "pypdf",
        ),
        {"data/extraction"},
    ),
    "tld": {"data"},
}
# What reads a page cannot reach the network or a database, and what fetches it does not read it;
# what a message looks like is a pure function.
APART = {
    "data/extraction": ("data.web", "data.database", "socket", "asyncio"),
    "data/web": ("data.extraction", "data.database"),
    "handlers/layouts": ("handlers.services", "handlers.worker", "handlers.web", "asyncio"),
}

# The function that turns anything into a message, and the one that takes a failing conversion
# for one that is not possible. Everywhere else a broad handler must raise what it caught.
BROAD_HANDLERS = {
    ("handlers/terminal/cli.py", "run"),
    ("index/runtimes.py", "_export"),
    ("index/runtimes.py", "_load"),  # the tokenizer raises bare Exception
}

# In two pieces, so that this file does not hold what it looks for.
MACHINE_STRINGS = [
    "/wor" + "k/",
    "/tm" + "p/exp",
    "/ro" + "ot/",
    "/home/" + "user",
    "C:" + "\\Users",
]


def _modules() -> list[Path]:
    """Return the files of the four layers, relative to the repository."""
    found = [path for layer in LAYERS[1:] for path in (ROOT / layer).rglob("*.py")]
    return [Path("bot.py"), *sorted(path.relative_to(ROOT) for path in found)]


MODULES = _modules()
each_module = pytest.mark.parametrize("module", MODULES, ids=str)


@cache
def _tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"))


def _layer(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def _lies_in(module: Path, homes: set[str]) -> bool:
    return bool({str(module.with_suffix("")), *map(str, module.parents)} & homes)


@cache
def _imported(module: Path) -> set[str]:
    return imported(_tree(module))


def imported(tree: ast.AST) -> set[str]:
    """Return every name that is imported anywhere in the tree: `a.b` and, of it, `a.b.c`."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return names


def from_library(names: set[str], library: str) -> set[str]:
    """Return the names that are the library or lie in it."""
    return {name for name in names if name == library or name.startswith(f"{library}.")}


def broad_handlers(tree: ast.Module) -> set[str]:
    """Return the functions with a handler of everything that does not raise it again."""
    found = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.ExceptHandler) and _catches_everything(node):
                last = node.body[-1]
                if not (isinstance(last, ast.Raise) and last.exc is None):
                    found.add(function.name)
    return found


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def environment_reads(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that reach for the process's environment."""
    wanted = {"environ", "environb", "getenv", "putenv"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in wanted:
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in wanted)


def _text_files() -> Iterator[tuple[str, str]]:
    """Yield the names and texts of the repository's own files, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        raw = path.read_bytes() if path.is_file() else b""
        if b"\0" not in raw:
            yield name, raw.decode("utf-8")


@each_module
def test_imports_go_one_way(module: Path) -> None:
    allowed = LAYERS[LAYERS.index(_layer(module)) :]
    names = _imported(module)
    assert not any(name.startswith(".") for name in names), "imports are absolute here"
    ours = {name.split(".")[0] for name in names} & OURS
    assert ours <= set(allowed), f"{module} may import {allowed} only"


@each_module
def test_bot_is_imported_by_nobody(module: Path) -> None:
    assert not from_library(_imported(module), "bot")


@pytest.mark.parametrize("library", sorted(HOMES))
def test_a_library_stays_in_its_layer(library: str) -> None:
    users = {m for m in MODULES if from_library(_imported(m), library)}
    assert {str(m) for m in users if not _lies_in(m, HOMES[library])} == set()


@pytest.mark.parametrize("library", ["faiss", "torch", "openvino", "sqlite3", "sqlite_utils"])
def test_the_layer_of_a_library_is_known_because_it_is_used_there(library: str) -> None:
    users = {_layer(m) for m in MODULES if from_library(_imported(m), library)}
    assert users == HOMES[library]


@pytest.mark.parametrize("folder", APART)
def test_a_folder_does_not_reach_for_what_is_kept_apart_from_it(folder: str) -> None:
    modules = [module for module in MODULES if _lies_in(module, {folder})]
    names = {str(m): [n for n in APART[folder] if from_library(_imported(m), n)] for m in modules}
    assert len(modules) > 5
    assert {module: found for module, found in names.items() if found} == {}


def test_only_the_program_knows_the_terminal() -> None:
    users = {str(m) for m in MODULES if from_library(_imported(m), "handlers.terminal")}
    assert {user for user in users if not user.startswith("handlers/terminal/")} == {"bot.py"}


@each_module
def test_nothing_is_imported_by_a_computed_name(module: Path) -> None:
    names = {node.id for node in ast.walk(_tree(module)) if isinstance(node, ast.Name)}
    assert "__import__" not in names
    assert "importlib.import_module" not in _imported(module)


@each_module
def test_the_environment_is_read_by_the_settings_alone(module: Path) -> None:
    lines = list(environment_reads(_tree(module)))
    assert bool(lines) == (module == Path("data/settings.py")), lines


def test_errors_are_caught_wholesale_in_the_listed_places_only() -> None:
    found = {(str(m), name) for m in MODULES for name in broad_handlers(_tree(m))}
    outside = {place for place in found if place[0] != "handlers/errors.py"}
    assert outside == BROAD_HANDLERS


@each_module
def test_nothing_is_printed(module: Path) -> None:
    printed = [
        node.lineno
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Name) and node.id in ("print", "pprint", "breakpoint")
    ]
    assert printed == []


@each_module
def test_a_module_has_at_most_300_lines(module: Path) -> None:
    assert len((ROOT / module).read_text("utf-8").splitlines()) <= MAX_LINES


@each_module
def test_conditions_of_the_program_are_not_asserted(module: Path) -> None:
    asserted = [node.lineno for node in ast.walk(_tree(module)) if isinstance(node, ast.Assert)]
    assert asserted == [], "an assert is gone under -O; raise with a text"


def test_no_file_names_the_machine_it_was_written_on() -> None:
    found = [
        (name, string)
        for name, text in _text_files()
        for string in MACHINE_STRINGS
        if string in text
    ]
    assert found == []


# --- that the rules can find something


@pytest.mark.parametrize(
    ("source", "library"),
    [
        ("import torch", "torch"),
        ("import torch.nn as nn", "torch"),
        ("from torch.nn import Module", "torch"),
        ("from urllib import request", "urllib.request"),
        ("import urllib.request", "urllib.request"),
        ("def f():\n    from sqlite_utils.db import Database", "sqlite_utils"),
        ("if TYPE_CHECKING:\n    import sqlite3", "sqlite3"),
    ],
)
def test_an_import_is_found_however_it_is_written(source: str, library: str) -> None:
    assert from_library(imported(ast.parse(source)), library)


@pytest.mark.parametrize("source", ["import torchvision", "from urllib.parse import quote"])
def test_a_name_that_only_begins_alike_is_not_the_library(source: str) -> None:
    names = imported(ast.parse(source))
    assert not from_library(names, "torch")
    assert not from_library(names, "urllib.request")


@pytest.mark.parametrize(
    ("handler", "broad"),
    [
        ("except Exception: pass", True),
        ("except BaseException as e: log(e)", True),
        ("except: pass", True),
        ("except (ValueError, Exception): pass", True),
        ("except Exception as e: raise KeyError from e", True),
        ("except Exception: raise", False),
        ("except ValueError: pass", False),
    ],
)
def test_a_broad_handler_is_one_that_does_not_raise_what_it_caught(
    handler: str, broad: bool
) -> None:
    tree = ast.parse(f"def f():\n    try:\n        g()\n    {handler}")
    assert broad_handlers(tree) == ({"f"} if broad else set())


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['A']", "import os\nos.getenv('A')", "from os import environ as e"],
)
def test_a_reach_for_the_environment_is_found(source: str) -> None:
    assert list(environment_reads(ast.parse(source)))
