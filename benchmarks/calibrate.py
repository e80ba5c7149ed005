"""Fits the reader's probability: does the best sentence answer? Prints what reader.py holds.

Each NewsQA question is asked of its own story and of another one. The label is whether the best
sentence holds the annotated answer, so every sentence of a wrong story is a no.
"""

import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import arguments, console, report, scratch_services
from benchmarks.newsqa import Question, load, rows
from data.models import Filters
from handlers.services import Services
from index.encoders import DEFAULT_ENCODER
from index.reader import SentenceReader

QUESTIONS = 1000
THRESHOLDS = (0.12, 0.15, 0.18, 0.2, 0.25, 0.3)


@dataclass(frozen=True, slots=True)
class Example:
    """The best sentence's features, whether it answers, and whether the story was the right one."""

    covered: float
    similar: float
    answers: bool
    right_story: bool


def examples(services: Services, questions: list[Question], stories: list[str]) -> list[Example]:
    """Return two examples a question: of its own story and of one drawn at random."""
    reader = SentenceReader(lambda: services.encoders.get(DEFAULT_ENCODER))
    draw = random.Random(1)
    found = []
    for question in track(questions, "Reading", console=console):
        other = draw.choice([story for story in stories if story != question.story])
        for story in (question.story, other):
            article = services.articles.get(story).article_id
            passages = services.retriever.retrieve(question.text, filters=Filters(article=article))
            best = reader.score(question.text, passages)[0]
            right = story == question.story
            answers = right and any(
                best.span.start <= start and end <= best.span.end for start, end in question.answers
            )
            found.append(Example(best.covered, best.similar, answers, right))
    return found


def main() -> None:
    """Fit and print."""
    options = arguments(__doc__ or "").parse_args()
    stories, questions = load(options.data)
    chosen = random.Random(0).sample(questions, min(options.limit or QUESTIONS, len(questions)))
    with scratch_services(rows(stories), len(stories)) as (services, _):
        found = examples(services, chosen, [story for story, _ in stories])
    features = np.array([(e.covered, e.similar) for e in found])
    answers = np.array([e.answers for e in found])
    right = np.array([e.right_story for e in found])
    model = LogisticRegression(C=100).fit(features, answers)
    chance = model.predict_proba(features)[:, 1]
    figures = {
        "coverage": float(model.coef_[0][0]),
        "similarity": float(model.coef_[0][1]),
        "constant": float(model.intercept_[0]),
        "auc_right_story": float(roc_auc_score(right, chance)),
        "auc_answers": float(roc_auc_score(answers, chance)),
    }
    for threshold in THRESHOLDS:
        figures[f"right_story_answered_at_{threshold}"] = float((chance[right] >= threshold).mean())
        figures[f"wrong_story_answered_at_{threshold}"] = float(
            (chance[~right] >= threshold).mean()
        )
    report("Calibration on NewsQA", figures, options.json)


if __name__ == "__main__":
    main()
