"""Retrieval and quoting over news: the MultiHop-RAG corpus and questions (arXiv 2401.15391).

Data: a folder with `corpus.jsonl` and `questions.dev.jsonl`, see README. Questions without an
answer in the corpus (type `null_query`) are left out of the ranking figures.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, median
from typing import Any

from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import arguments, console, report, scratch_services
from data.ingestion import read_rows
from data.models import normalise
from handlers.services import Services
from handlers.terminal.records import answer_record
from index.evaluation import PASSAGES_JUDGED, ranking_metrics

Question = dict[str, Any]
NULL = "null_query"


def load_questions(folder: Path) -> list[Question]:
    """Return the questions in file order."""
    lines = (folder / "questions.dev.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def measure_ranking(services: Services, questions: Sequence[Question]) -> dict[str, float]:
    """Return the data set's own figures over at most 10 stored chunks a question."""
    results = []
    for question in track(questions, "Searching", console=console):
        if question["type"] != NULL:
            passages = services.retriever.retrieve(question["question"], top_k=PASSAGES_JUDGED)
            facts = [evidence["fact"] for evidence in question["evidence"]]
            results.append(([passage.text for passage in passages], facts))
    return asdict(ranking_metrics(results))


def measure_answers(
    services: Services, questions: Sequence[Question], corpus: Path
) -> dict[str, float]:
    """Return how often quotes meet a gold fact, how often null questions are refused, and time.

    `altered_quotes` counts quotes that are not their slice of the story as the corpus has it, and
    `wrong_attributions` citations whose title, source, author, date or link is not the corpus's.
    """
    with corpus.open(encoding="utf-8") as stream:
        stories = {row["id"]: row for row in map(json.loads, stream)}
    seconds, met, answered, refused, lengths = [], [], [], [], []
    altered = wrong = citations = 0
    for question in track(questions, "Asking", console=console):
        begun = time.perf_counter()
        answer = services.answerer.answer(question["question"])
        seconds.append(time.perf_counter() - begun)
        if question["type"] == NULL:
            refused.append(not answer.answered)
        else:
            answered.append(answer.answered)
            met.append(any(_meets(c.quote, question) for c in answer.citations))
        for record in answer_record(answer)["citations"]:
            citations += 1
            lengths.append(len(record["quote"]))
            story = stories[record["external_id"]]
            text = normalise(story["text"])
            altered += record["quote"] != text[record["start"] : record["end"]]
            names = ("title", "source", "published_at")
            wrong += any(record[name] != story[name] for name in names)
    return {
        "citations": citations,
        "altered_quotes": altered,
        "wrong_attributions": wrong,
        "answerable_answered": fmean(answered),
        "a_quote_meets_a_fact": fmean(met),
        "null_refused": fmean(refused),
        "mean_quote_length": fmean(lengths),
        "median_ms_per_answer": 1000 * median(seconds),
    }


def _meets(quote: str, question: Question) -> bool:
    """Return whether a quote and a gold fact share their words: one holds the other."""
    squeezed = "".join(quote.split())
    facts = ("".join(evidence["fact"].split()) for evidence in question["evidence"])
    return any(fact in squeezed or squeezed in fact for fact in facts)


def main() -> None:
    """Run the benchmark."""
    options = arguments(__doc__ or "").parse_args()
    corpus = options.data / "corpus.jsonl"
    questions = load_questions(options.data)[: options.limit]
    total = sum(1 for line in corpus.open("rb") if line.strip())
    with scratch_services(read_rows(corpus), total) as (services, seconds):
        figures: dict[str, Any] = {"stories": total, "import_seconds": seconds}
        figures |= measure_ranking(services, questions)
        figures |= measure_answers(services, questions, corpus)
    report("MultiHop-RAG", figures, options.json)


if __name__ == "__main__":
    main()
