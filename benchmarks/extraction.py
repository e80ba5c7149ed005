"""Does a page's story come out whole, with its day? Beside plain trafilatura and htmldate.

Data: a folder with `article_extraction` (news pages as they were served, with bodies marked by
hand) and `htmldate` (pages with a checked day of publication), see README.

Text is measured as in evaluate.py of github.com/scrapinghub/article-extraction-benchmark. Tokens
are runs of word characters, shingles are four tokens in a row, counted as often as they occur. What
a page's shingles have in common with the marked text, have too much and too little is divided by
their sum, so that each page weighs the same. Precision is the mean over pages of which something
was extracted, recall over those where something was marked, and F1 their harmonic mean.
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from htmldate import find_date
from rich.progress import track
from trafilatura import extract as plain_text

from benchmarks.common import arguments, console, report
from data.extraction.extract import extract
from data.pages import Page

_TOKEN = re.compile(r"\w+")
_SHINGLE = 4  # tokens
_DAY = 10  # characters of an ISO day


@dataclass(frozen=True, slots=True)
class Sample:
    """A page as it was served, and what is known of it: the marked text, or the day, or neither."""

    url: str
    body: bytes
    marked: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """Shares of a page's shingles: common to both texts, extracted alone, marked alone."""

    common: float
    extra: float
    missing: float


def load_stories(folder: Path) -> list[Sample]:
    """Return the pages of `article_extraction` with their marked texts."""
    truth = json.loads((folder / "ground-truth.dev.json").read_text("utf-8"))
    return [
        Sample(item["url"], _unpacked(folder / "html" / f"{name}.html.gz"), item["articleBody"])
        for name, item in truth.items()
    ]


def load_days(folder: Path) -> list[Sample]:
    """Return the pages of `htmldate` with their ISO days; None where a page has none."""
    truth = json.loads((folder / "dates.dev.json").read_text("utf-8"))
    return [
        Sample(url, _unpacked(folder / "pages" / f"{item['file']}.gz"), _day(item["date"]))
        for url, item in truth.items()
    ]


def _unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _day(value: object) -> str | None:
    return value if isinstance(value, str) else None  # no day is written as NaN


def matched(marked: str, extracted: str) -> Match:
    """Return what the shingles of two texts have in common and what not, as shares of all."""
    wanted, given = _shingles(marked), _shingles(extracted)
    common = (wanted & given).total()
    extra, missing = (given - wanted).total(), (wanted - given).total()
    total = common + extra + missing
    return Match(common / total, extra / total, missing / total) if total else Match(0, 0, 0)


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    starts = range(max(1, len(tokens) - _SHINGLE + 1))
    return Counter(filter(None, (tuple(tokens[i : i + _SHINGLE]) for i in starts)))


def scores(matches: Sequence[Match]) -> dict[str, float]:
    """Return `f1`, `precision` and `recall` over pages."""
    precision = fmean(_share(m.common, m.extra, m.missing) for m in matches if m.common + m.extra)
    recall = fmean(_share(m.common, m.missing, m.extra) for m in matches if m.common + m.missing)
    f1 = 2 * precision * recall / (precision + recall)
    return {"f1": f1, "precision": precision, "recall": recall}


def _share(common: float, wrong: float, other: float) -> float:
    if wrong == other == 0:
        return 1.0
    return common / (common + wrong) if common + wrong else 0.0


def measure_text(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return the scores of our texts and of trafilatura's, and how many stories were flagged.

    `plain_` is trafilatura as the data set's own comparison calls it, `default_` with nothing but
    its defaults, which take readers' comments for text.
    """
    ours, plain, default = [], [], []
    reasons: Counter[str] = Counter()
    for sample in track(samples, "Reading pages", console=console):
        found = extract(Page(body=sample.body, url=sample.url, media_type="text/html"))
        reasons.update([found.reason] if found.reason else [])
        html = sample.body.decode("utf-8", "replace")
        marked = sample.marked or ""
        ours.append(matched(marked, found.text or ""))
        # Its memory of duplicates is one for the whole process, so it is left off.
        without = plain_text(html, include_comments=False, deduplicate=False)
        plain.append(matched(marked, without or ""))
        default.append(matched(marked, plain_text(html, deduplicate=False) or ""))
    return {
        "pages": len(samples),
        **scores(ours),
        **{f"plain_{name}": value for name, value in scores(plain).items()},
        **{f"default_{name}": value for name, value in scores(default).items()},
        "stories_flagged": reasons.total(),
    }


def measure_days(samples: Sequence[Sample]) -> dict[str, int]:
    """Return how many days of publication were right, and how many given, ours and htmldate's."""
    ours: list[str | None] = []
    plain: list[str | None] = []
    for sample in track(samples, "Looking for days", console=console):
        found = extract(Page(body=sample.body, url=sample.url, media_type="text/html"))
        ours.append(found.published_at and found.published_at[:_DAY])
        plain.append(find_date(sample.body.decode("utf-8", "replace"), url=sample.url))
    days = [sample.marked for sample in samples]
    return {
        "dates": sum(day is not None for day in days),
        "dates_right": _right(ours, days),
        "dates_given": sum(day is not None for day in ours),
        "plain_dates_right": _right(plain, days),
        "plain_dates_given": sum(day is not None for day in plain),
    }


def _right(given: list[str | None], days: list[str | None]) -> int:
    return sum(day is not None and one == day for one, day in zip(given, days, strict=True))


def measure(data: Path, limit: int | None = None) -> dict[str, Any]:
    """Return all figures; `data` is the folder with both data sets, of each the first `limit`."""
    return {
        **measure_text(load_stories(data / "article_extraction")[:limit]),
        **measure_days(load_days(data / "htmldate")[:limit]),
    }


def main() -> None:
    """Run the benchmark."""
    options = arguments((__doc__ or "").partition("\n")[0]).parse_args()
    report("Stories from web pages", measure(options.data, options.limit), options.json)


if __name__ == "__main__":
    main()
