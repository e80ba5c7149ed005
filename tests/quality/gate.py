"""The figures that may not fall: runs the benchmarks and compares them with baseline.json.

`python -m tests.quality.gate` exits with 1 where a figure is below its floor or above its ceiling,
and skips with one line where $PULLQUOTE_EVAL has no data. `--update` raises floors to what was
measured, less a margin for noise; it lowers one only with `--lower`, and says so.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import duplicates, extraction, multihop_rag, newsqa
from benchmarks.common import peak_memory_mb, scratch_services
from data.ingestion import read_rows

BASELINE = Path(__file__).with_name("baseline.json")
# Figures move by this much between machines, as runtimes round differently.
MARGIN = 0.005

Figures = dict[str, Any]
Bounds = dict[str, dict[str, dict[str, float]]]


def measure(data: Path) -> dict[str, Figures]:
    """Return the figures of each benchmark, by its name."""
    folder = data / "multihop_rag"
    corpus = folder / "corpus.jsonl"
    questions = multihop_rag.load_questions(folder)
    with scratch_services(read_rows(corpus), 0) as (services, _):
        news: Figures = {
            **multihop_rag.measure_ranking(services, questions),
            **multihop_rag.measure_answers(services, questions, corpus),
        }
        report = services.verifier.verify()
        news["verify_problems"] = len(report.problems)
    news["peak_memory_mb"] = peak_memory_mb()
    stories, asked = newsqa.load(data / "newsqa")
    with scratch_services(newsqa.rows(stories), 0) as (services, _):
        reading: Figures = dict(newsqa.measure(services, asked))
    return {
        "multihop_rag": news,
        "newsqa": reading,
        "extraction": extraction.measure(data),
        "duplicates": duplicates.measure(data / "background"),
    }


def breaches(measured: dict[str, Figures], bounds: Bounds) -> list[str]:
    """Return a sentence for each figure that is out of its bounds."""
    found = []
    for benchmark, named in bounds.items():
        for name, bound in named.items():
            value = measured[benchmark][name]
            if "floor" in bound and value < bound["floor"]:
                found.append(f"{benchmark} {name}: {value:.4f} is below {bound['floor']:.4f}")
            if "ceiling" in bound and value > bound["ceiling"]:
                found.append(f"{benchmark} {name}: {value:.4f} is above {bound['ceiling']:.4f}")
    return found


def updated(
    measured: dict[str, Figures], bounds: Bounds, *, lower: bool
) -> tuple[Bounds, list[str]]:
    """Return bounds with floors moved to the measured figures, and what is to be said about it.

    A floor goes down only with `lower`. Ceilings are promises and stay.
    """
    new: Bounds = {}
    said = []
    for benchmark, named in bounds.items():
        new[benchmark] = {}
        for name, bound in named.items():
            new[benchmark][name] = dict(bound)
            if "floor" not in bound:
                continue
            floor = round(measured[benchmark][name] - MARGIN, 4)
            if floor > bound["floor"]:
                new[benchmark][name]["floor"] = floor
            elif measured[benchmark][name] < bound["floor"]:
                words = "LOWERED" if lower else "not lowered (say --lower to do so)"
                said.append(f"{words}: {benchmark} {name} {bound['floor']} -> {floor}")
                if lower:
                    new[benchmark][name]["floor"] = floor
    return new, said


def main() -> int:
    """Run the gate; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--lower", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ.get("PULLQUOTE_EVAL", ""))
    if not (data / "multihop_rag" / "corpus.jsonl").is_file():
        print("quality gate skipped: $PULLQUOTE_EVAL names no folder with the data sets")  # noqa: T201
        return 0
    bounds: Bounds = json.loads(BASELINE.read_text("utf-8"))
    measured = measure(data)
    print(json.dumps(measured, indent=2))  # noqa: T201
    if options.update:
        bounds, said = updated(measured, bounds, lower=options.lower)
        BASELINE.write_text(json.dumps(bounds, indent=2) + "\n", "utf-8")
        print("\n".join(said))  # noqa: T201
    found = breaches(measured, bounds)
    count = sum(len(named) for named in bounds.values())
    print("\n".join(f"BREACH {line}" for line in found))  # noqa: T201
    print(f"{count - len(found)} passed, {len(found)} failed")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
