from dataclasses import astuple

import pytest

from index.evaluation import (
    RankingMetrics,
    average_precision,
    fact_ranks,
    hit_at,
    ranking_metrics,
    recall,
    reciprocal_rank,
)

PASSAGES = ["Rain fell.", "The mayor spoke.", "Rain fell again.", "The ferry left."]


def test_a_fact_ranks_where_it_is_held_first() -> None:
    assert fact_ranks(PASSAGES, ["Rain fell", "mayor", "snow", "ferry left."]) == [1, 2, None, 4]


def test_spaces_and_newlines_do_not_count() -> None:
    assert fact_ranks(["The may\nor spo ke."], ["The  mayor\nspoke."]) == [1]
    assert fact_ranks(["The\tmayor"], ["The mayor"]) == [None]  # as the data set's script has it


def test_a_fact_must_be_held_whole_and_in_its_own_case() -> None:
    assert fact_ranks(["The mayor", "spoke."], ["The mayor spoke.", "the mayor"]) == [None, None]


def test_only_ten_passages_are_judged() -> None:
    passages = [f"<{i}>" for i in range(1, 13)]
    assert fact_ranks(passages, ["<10>", "<11>"]) == [10, None]


def test_no_passages_hold_nothing() -> None:
    assert fact_ranks([], ["a", "b"]) == [None, None]


def test_a_hit_is_any_fact_within_the_first_k() -> None:
    assert hit_at([None, 4], 4)
    assert not hit_at([None, 5], 4)
    assert hit_at([9, 5, None], 10)
    assert not hit_at([None], 10)


def test_the_reciprocal_rank_is_that_of_the_first_passage_with_a_fact() -> None:
    assert reciprocal_rank([4, 2, None]) == 0.5
    assert reciprocal_rank([1]) == 1.0
    assert reciprocal_rank([None, None]) == 0.0


def test_average_precision_is_the_sum_of_reciprocal_ranks_over_the_facts() -> None:
    assert average_precision([1, 2, None, 4]) == (1 + 1 / 2 + 1 / 4) / 4
    assert average_precision([1, 1]) == 1.0  # two facts in one passage
    assert average_precision([None]) == 0.0
    assert average_precision([1] * 5 + [None] * 7) == 5 / 10  # of twelve facts, ten count


def test_recall_is_the_share_of_facts_that_were_found() -> None:
    assert recall([1, None, 7, None]) == 0.5
    assert recall([None]) == 0.0


def test_the_metrics_are_means_over_questions() -> None:
    passages = [f"<{i}>" for i in range(1, 11)]
    metrics = ranking_metrics(
        [
            (passages, ["<2>", "<4>"]),  # MRR 1/2, MAP (1/2 + 1/4) / 2, recall 1
            (passages, ["<5>", "<x>"]),  # MRR 1/5, MAP 1/5 / 2, recall 1/2, no hit at 4
            (passages, ["<x>"]),
            (passages, ["<1>"]),
        ]
    )
    assert astuple(metrics) == pytest.approx(
        astuple(
            RankingMetrics(
                questions=4,
                hits_at_4=2 / 4,
                hits_at_10=3 / 4,
                mrr_at_10=(1 / 2 + 1 / 5 + 0 + 1) / 4,
                map_at_10=(3 / 8 + 1 / 10 + 0 + 1) / 4,
                evidence_recall_at_10=(1 + 1 / 2 + 0 + 1) / 4,
            )
        )
    )


def test_questions_without_facts_are_not_measured() -> None:
    with pytest.raises(ValueError, match="facts"):
        ranking_metrics([])
    with pytest.raises(ValueError, match="facts"):
        ranking_metrics([(PASSAGES, ["Rain"]), (PASSAGES, [])])
