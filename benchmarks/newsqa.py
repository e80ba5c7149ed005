"""Does the first quote hold the answer? NewsQA stories, each asked its own questions.

Data: the NewsQA part of a SQuAD-format file (`newsqa.dev.json`), see README.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.progress import track

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import arguments, console, report, scratch_services
from data.ingestion import Row, draft_from_fields
from data.models import Filters, normalise
from handlers.services import Services
from index.models import Answer


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one story, with the places where its answer stands."""

    story: str
    text: str
    answers: tuple[tuple[int, int], ...]


def load(folder: Path) -> tuple[list[tuple[str, str]], list[Question]]:
    """Return (id, text) of the stories and the answerable questions.

    Answer offsets count code points of the text. Punctuation and white space around an annotated
    answer are not part of it.
    """
    stories: list[tuple[str, str]] = []
    questions: list[Question] = []
    for article in json.loads((folder / "newsqa.dev.json").read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            story, text = f"newsqa-{len(stories)}", paragraph["context"]
            if normalise(text) != text:
                raise ValueError(f"{story} is not NFC, so its offsets would move")
            stories.append((story, text))
            for qa in paragraph["qas"]:
                answers = tuple(_place(a["answer_start"], a["text"]) for a in qa["answers"])
                if answers:
                    questions.append(Question(story, qa["question"], answers))
    return stories, questions


def _place(start: int, text: str) -> tuple[int, int]:
    stripped = text.strip(" \t\n.,;:!?\"'")
    return (start + text.index(stripped), start + text.index(stripped) + len(stripped))


def rows(stories: list[tuple[str, str]]) -> Iterator[Row]:
    """Yield the stories as import rows."""
    for line, (story, text) in enumerate(stories, start=1):
        yield Row(line, len(text), draft_from_fields({"id": story, "text": text}), None)


def holds(answer: Answer, question: Question, quotes: int) -> bool:
    """Return whether one of the first quotes holds a whole annotated answer."""
    return any(
        citation.revision.external_id == question.story
        and citation.span.start <= start
        and end <= citation.span.end
        for citation in answer.citations[:quotes]
        for start, end in question.answers
    )


def measure(services: Services, questions: list[Question]) -> dict[str, float]:
    """Return the figures for the questions, each restricted to its own story."""
    first: list[bool] = []
    any_of_three: list[bool] = []
    lengths: list[int] = []
    all_lengths: list[int] = []
    lit: list[bool] = []
    for question in track(questions, "Asking", console=console):
        answer = services.answerer.answer(question.text, Filters(article=question.story))
        first.append(holds(answer, question, 1))
        any_of_three.append(holds(answer, question, 3))
        all_lengths.extend(len(c.quote) for c in answer.citations)
        if answer.citations:
            top = answer.citations[0]
            lengths.append(len(top.quote))
            if first[-1] and top.highlight is not None:
                lit.append(
                    any(
                        top.highlight.start < end and start < top.highlight.end
                        for start, end in question.answers
                    )
                )
    return {
        "questions": len(questions),
        "answered": len(lengths) / len(questions),
        "first_quote_holds_answer": fmean(first),
        "one_of_three_holds_answer": fmean(any_of_three),
        "mean_first_quote_length": fmean(lengths),
        "mean_quote_length": fmean(all_lengths),
        "highlights_shown_where_right": len(lit) / max(sum(first), 1),
        "highlight_meets_answer": fmean(lit) if lit else 0.0,
    }


def main() -> None:
    """Run the benchmark."""
    options = arguments(__doc__ or "").parse_args()
    stories, questions = load(options.data)
    with scratch_services(rows(stories), len(stories)) as (services, _):
        report("NewsQA, story given", measure(services, questions[: options.limit]), options.json)


if __name__ == "__main__":
    main()
