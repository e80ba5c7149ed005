"""Fuzzes what reads hostile input: `python -m tests.fuzz --seconds 600 [--target NAME]`.

Each target runs in a process of its own for its share of the time: guided by coverage where
atheris can be imported, else with hypothesis. Whatever is found is kept in the folder of the
artifacts; the end is a table, and exit code 1 if there was anything.
"""

import argparse
import importlib
import logging
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WATCHED = ("data", "index", "trafilatura", "htmldate", "feedparser", "protego", "pypdf")
SLOW_SECONDS = 15  # for an input of a few KB; watching makes everything some times slower
MEGABYTES = 2000
GRACE_SECONDS = 60  # to start, and to end
MOST_STARTS = 5  # of a target, whose process ends at an input that is too slow or takes it down

_RUNS = re.compile(r"^(?:#|Done )(\d+)\b", re.MULTILINE)
_EDGES = re.compile(r"\bcov: (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a target did; `edges` is None where coverage was not watched."""

    target: str
    runs: int
    seconds: float
    edges: int | None
    findings: tuple[Path, ...]


def main() -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together")
    parser.add_argument("--target", help="this one alone")
    parser.add_argument("--artifacts", type=Path, help="the folder for what is found")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return _child(options.target, options.artifacts, options.seconds)
    from tests.fuzz.targets import TARGETS

    chosen = [target for target in TARGETS if options.target in (None, target.name)]
    if not chosen:
        parser.error(f"the targets are {', '.join(target.name for target in TARGETS)}")
    artifacts = options.artifacts or Path(tempfile.mkdtemp(prefix="fuzz-"))
    artifacts.mkdir(parents=True, exist_ok=True)
    shares = sum(target.share for target in chosen)
    outcomes = [
        _fuzzed(target.name, artifacts.resolve(), options.seconds * target.share / shares)
        for target in chosen
    ]
    _show(outcomes)
    return int(any(outcome.findings for outcome in outcomes))


def _fuzzed(name: str, artifacts: Path, seconds: float) -> Outcome:
    """Return how a target did in so many seconds, its process started again where it ended."""
    before = set(_findings(artifacts, name))
    began, runs, edges = time.monotonic(), 0, None
    for start in range(MOST_STARTS):
        left = seconds - (time.monotonic() - began)
        if start and left < 1:
            break
        said, ended_well = _run_child(name, artifacts, left)
        runs += max(map(int, _RUNS.findall(said)), default=0)
        edges = max([*map(int, _EDGES.findall(said)), edges or 0]) or None
        if ended_well:
            break
    found = sorted(set(_findings(artifacts, name)) - before)
    outcome = Outcome(name, runs, time.monotonic() - began, edges, tuple(found))
    print(_row(outcome), flush=True)  # noqa: T201
    return outcome


def _run_child(name: str, artifacts: Path, seconds: float) -> tuple[str, bool]:
    """Return what a target's process said, and whether it ended by itself when its time was up."""
    command = [sys.executable, "-B", "-m", "tests.fuzz", "--child", "--target", name]
    command += ["--artifacts", str(artifacts), "--seconds", str(seconds)]
    log = artifacts / f"{name}.log"
    before = set(_findings(artifacts, name))
    with log.open("ab") as file:
        start = file.tell()
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdout=file, stderr=file, timeout=seconds + GRACE_SECONDS
            )
            ended_well = done.returncode == 0
        except subprocess.TimeoutExpired:
            (artifacts / f"{name}-hung.txt").write_text(f"see the end of {log.name}")
            ended_well = False
    said = log.read_bytes()[start:].decode("utf-8", "replace")
    if not ended_well and before == set(_findings(artifacts, name)):
        (artifacts / f"{name}-ended.txt").write_text(said[-4000:])
    return said, ended_well


def _findings(artifacts: Path, name: str) -> Iterator[Path]:
    return (path for path in artifacts.glob(f"{name}-*") if path.suffix != ".trace")


def _child(name: str, artifacts: Path, seconds: float) -> int:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if find_spec("atheris") is not None:
        return _guided(name, artifacts, seconds)
    return _blind(name, artifacts, seconds)


def _guided(name: str, artifacts: Path, seconds: float) -> int:
    """Fuzz with atheris, whose libFuzzer ends this process."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(WATCHED)):
        targets = importlib.import_module("tests.fuzz.targets")
        target = targets.BY_NAME[name]
        for module in target.modules:
            importlib.import_module(module)
    from tests.fuzz.finding import Finder

    corpus = artifacts / "corpus" / name  # a later run begins with what this one comes to
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    words = artifacts / f"{name}.dict"
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.words)
    words.write_text("".join(f'"{word}"\n' for word in quoted))
    arguments = {
        "max_total_time": max(int(seconds), 1),
        "timeout": SLOW_SECONDS,
        "rss_limit_mb": MEGABYTES,
        "max_len": max(target.longest, *map(len, target.seeds)),
        "dict": words,
        "artifact_prefix": f"{artifacts}/{name}-",
    }
    flags = [f"-{flag}={value}" for flag, value in arguments.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], Finder(target, artifacts))
    atheris.Fuzz()
    return 0


def _blind(name: str, artifacts: Path, seconds: float) -> int:
    """Fuzz with hypothesis, which knows nothing of the code; the seeds are changed at random."""
    from tests.fuzz.finding import Finder, changed_seeds, run_examples
    from tests.fuzz.targets import BY_NAME

    target = BY_NAME[name]
    finder = Finder(target, artifacts)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        run_examples(finder, changed_seeds(target), count=100)
    print(f"Done {finder.runs} runs in {seconds:.0f} seconds")  # noqa: T201
    return 0


def _row(outcome: Outcome) -> str:
    edges = "n/a" if outcome.edges is None else f"{outcome.edges:,}"
    return (
        f"{outcome.target:<10} {outcome.runs:>10,} {outcome.seconds:>8.0f} {edges:>8} "
        f"{len(outcome.findings):>8}"
    )


def _show(outcomes: list[Outcome]) -> None:
    lines = ["", f"{'target':<10} {'executions':>10} {'seconds':>8} {'edges':>8} {'findings':>8}"]
    lines += map(_row, outcomes)
    lines += [f"{outcome.target}: {path}" for outcome in outcomes for path in outcome.findings]
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
