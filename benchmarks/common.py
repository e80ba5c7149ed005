"""What the benchmarks share: a collection in a scratch home, tables, and JSON results."""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bot import open_services, settings_for
from data.ingestion import Row
from handlers.services import Services

console = Console(stderr=True)


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--limit", type=int, help="use only the first N questions")
    return parser


@contextmanager
def scratch_services(rows: Iterator[Row], total: int) -> Iterator[tuple[Services, float]]:
    """Give services on a new collection with the rows in it, and the seconds the import took.

    Raises:
        RuntimeError: if a row was refused: a benchmark measures all or nothing.
    """
    with TemporaryDirectory(prefix="pullquote-benchmark-") as home:
        services = open_services(settings_for(Path(home)), "shared")
        try:
            begun = time.perf_counter()
            outcomes = services.indexer.add_rows(rows)
            for outcome in track(outcomes, "Importing", total=total or None, console=console):
                if outcome.saved is None:
                    raise RuntimeError(f"row {outcome.line} was refused: {outcome.refused}")
            yield services, time.perf_counter() - begun
        finally:
            services.close()


def report(title: str, figures: dict[str, Any], to: Path | None) -> None:
    """Print the figures as a table and write them as JSON where asked for."""
    figures = {**figures, "peak_memory_mb": peak_memory_mb()}
    table = Table("figure", "value", title=title)
    for name, value in figures.items():
        table.add_row(name, f"{value:.4f}" if isinstance(value, float) else str(value))
    Console().print(table)
    if to is not None:
        to.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def peak_memory_mb() -> int:
    """Return the most memory that this process has held so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
