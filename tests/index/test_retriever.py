import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import index.retriever
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore
from data.database import read
from data.fulltext import query_words
from data.ingestion import Row
from data.models import Draft, Filters, Span
from index.models import Passage
from index.preparation import encoded_text
from index.retriever import CANDIDATES, DENSE_SHARE, TOP_K
from tests.fakes import Wiring, story

NEWS = (
    story("The mayor opened the bridge.", title="Bridge", source="Herald", date="2024-10-25"),
    story("The bridge cost four million.", title="Cost", source="Gazette", date="2024-11"),
    story("The ferry ran aground near the bridge.", title="Ferry", source="Herald"),
    story("Rain fell on the mayor.", title="Rain", source="Gazette", date="2023"),
)


def _import(services: Wiring, *drafts: Draft) -> None:
    list(services.indexer.add_rows(Row(i, 1, draft, None) for i, draft in enumerate(drafts)))


def _titles(services: Wiring, question: str, filters: Filters | None = None) -> list[str]:
    return [p.revision.attribution.title for p in _all(services, question, filters)]


def _all(services: Wiring, question: str, filters: Filters | None = None) -> list[Passage]:
    return services.retriever.retrieve(question, filters=filters)


def _cosines(services: Wiring, question: str, *drafts: Draft) -> dict[str, float]:
    """Return the cosine between the question and each story of one chunk, by title."""
    query = services.encoder.encode_query(question)
    texts = [encoded_text(d.attribution, d.text, Span(0, len(d.text))) for d in drafts]
    rows = services.encoder.encode_documents(texts)
    return {d.attribution.title: float(row @ query) for d, row in zip(drafts, rows, strict=True)}


def test_an_empty_collection_has_no_passages(services: Wiring) -> None:
    assert _all(services, "Who opened the bridge?") == []
    services.indexer.rebuild()  # an index without a chunk
    assert _all(services, "Who opened the bridge?") == []


def test_the_passage_that_shares_the_questions_words_comes_first(services: Wiring) -> None:
    _import(services, *NEWS)
    assert _titles(services, "Who opened the bridge?")[0] == "Bridge"
    assert _titles(services, "How much did it cost?")[0] == "Cost"
    assert _titles(services, "Where is the ferry?")[0] == "Ferry"


def test_ranks_count_from_one_and_scores_go_down(services: Wiring) -> None:
    _import(services, *NEWS)
    passages = _all(services, "Who opened the bridge?")
    assert [passage.rank for passage in passages] == [1, 2, 3, 4]
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_passage_carries_its_chunk_its_story_and_the_true_cosine(services: Wiring) -> None:
    _import(services, *NEWS)
    cosines = _cosines(services, "Who opened the bridge?", *NEWS)
    chunks = ChunkStore(services.db)
    for passage in _all(services, "Who opened the bridge?"):
        chunk = chunks.get([passage.chunk_id])[passage.chunk_id]
        assert (chunk.revision_id, chunk.span) == (passage.revision.id, passage.span)
        assert services.articles.revision(passage.revision.id) == passage.revision
        expected = cosines[passage.revision.attribution.title]
        assert passage.similarity == pytest.approx(expected, abs=1e-6)


def test_the_score_is_the_weighted_sum_of_both_scaled_scores(services: Wiring) -> None:
    _import(services, *NEWS)
    question = "Who opened the bridge?"
    passages = {p.chunk_id: p for p in _all(services, question)}
    bm25 = dict(ChunkStore(services.db).search(query_words(question), 10))
    assert 0 < len(bm25) < len(passages)  # one story shares no content word with the question
    cosines = [passage.similarity for passage in passages.values()]
    low, high = min(cosines), max(cosines)
    for chunk_id, passage in passages.items():
        dense = (passage.similarity - low) / (high - low)
        lexical = bm25.get(chunk_id, 0.0) / max(bm25.values())
        expected = DENSE_SHARE * dense + (1 - DENSE_SHARE) * lexical
        assert passage.score == pytest.approx(expected, abs=1e-6)


def test_a_collection_of_one_passage_finds_it(services: Wiring) -> None:
    _import(services, NEWS[0])
    (passage,) = _all(services, "Who opened the bridge?")
    assert passage.rank == 1
    assert passage.score == pytest.approx(1 - DENSE_SHARE)


def test_equal_passages_stand_in_the_order_of_their_ids(services: Wiring) -> None:
    copies = [story("The mayor spoke.", title="Same", url=f"https://x.example/{i}") for i in "abc"]
    _import(services, *copies)
    passages = _all(services, "mayor")
    assert len({passage.score for passage in passages}) == 1
    ids = [passage.chunk_id for passage in passages]
    assert ids == sorted(ids)


def test_at_most_top_k_passages_come_back(services: Wiring) -> None:
    _import(services, *(story(f"Bridge {i} opened.", title=f"T{i}") for i in range(TOP_K + 3)))
    everything = services.retriever.retrieve("bridge", top_k=100)
    assert (len(everything), len(_all(services, "bridge"))) == (TOP_K + 3, TOP_K)
    assert services.retriever.retrieve("bridge", top_k=3) == everything[:3]


def test_a_question_that_shares_no_word_still_gets_the_nearest_passages(services: Wiring) -> None:
    _import(services, *NEWS)
    passages = _all(services, "zebra")
    assert len(passages) == len(NEWS)
    assert passages[0].similarity == max(passage.similarity for passage in passages)
    assert passages[0].score == pytest.approx(DENSE_SHARE)


def test_a_passage_that_only_bm25_found_has_its_true_cosine(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index.retriever, "CANDIDATES", 1)
    long = story("Toll " + " ".join(f"filler{i}" for i in range(40)), title="Long")
    short = story("The tunnel opened.", title="Short")
    _import(services, long, short)
    question = "toll of the tunnel that opened, the opened tunnel"
    cosines = _cosines(services, question, long, short)
    assert cosines["Short"] > cosines["Long"]
    # Each search hands on one candidate, and they are not the same.
    monkeypatch.setattr(ChunkStore, "search", lambda *_: [(1, 2.5)])
    first, second = _all(services, question)
    assert [p.revision.attribution.title for p in (first, second)] == ["Long", "Short"]
    assert first.similarity == pytest.approx(cosines["Long"], abs=1e-6)
    assert first.score == pytest.approx(1 - DENSE_SHARE)
    assert second.score == pytest.approx(DENSE_SHARE)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(source="herald"), {"Bridge", "Ferry"}),
        (Filters(source="Gazette"), {"Cost", "Rain"}),
        (Filters(after="2024-10-26"), {"Cost"}),
        (Filters(before="2024-10-25"), {"Bridge", "Rain"}),
        (Filters(source="Gazette", before="2023-12-31"), {"Rain"}),
        (Filters(source="Nobody"), set()),
        (Filters(), {"Bridge", "Cost", "Ferry", "Rain"}),
    ],
)
def test_filters_let_only_the_stories_that_pass_take_part(
    services: Wiring, filters: Filters, expected: set[str]
) -> None:
    _import(services, *NEWS)
    assert set(_titles(services, "Who opened the bridge?", filters)) == expected


def test_a_question_is_kept_to_one_story(services: Wiring) -> None:
    _import(services, *NEWS)
    rain = next(r for r in services.articles.current() if r.attribution.title == "Rain")
    filters = Filters(article=rain.article_id)
    assert _titles(services, "Who opened the bridge?", filters) == ["Rain"]


def test_a_story_that_ranks_far_behind_is_first_where_the_filter_leaves_only_it(
    services: Wiring,
) -> None:
    crowd = [story(f"The mayor opened bridge {i}.", title="Bridge opened") for i in range(510)]
    lost = story("Fog and hail.", title="Weather", source="Gazette", date="2020-01-01")
    _import(services, *crowd, lost)
    question = "Which bridge has the mayor opened?"
    with read(services.db):
        snapshot = services.live.current(services.db)
    assert snapshot is not None
    query = services.encoder.encode_query(question)
    ranking = [chunk_id for chunk_id, _ in snapshot.index.search(query, 1000)]
    found = {
        name: services.retriever.retrieve(question, filters=filters)
        for name, filters in {
            "source": Filters(source="gazette"),
            "date": Filters(before="2020-12-31"),
            "story": Filters(article=services.articles.newest().article_id),  # type: ignore[union-attr]
        }.items()
    }
    assert {name: len(passages) for name, passages in found.items()} == dict.fromkeys(found, 1)
    assert {passages[0].rank for passages in found.values()} == {1}
    assert ranking.index(found["source"][0].chunk_id) == 510
    everything = services.retriever.retrieve(question, top_k=1000)
    assert CANDIDATES <= len(everything) <= 2 * CANDIDATES
    assert found["source"][0].chunk_id not in [passage.chunk_id for passage in everything]


@pytest.mark.parametrize(
    "question",
    [
        'bridge" OR "',
        "bridge AND NOT mayor*",
        "title:bridge",
        "NEAR(bridge mayor, 2)",
        "^bridge",
        "bridge'); DROP TABLE chunks; --",
        "(bridge",
        "{title source} : bridge",
        "-bridge + mayor",
    ],
)
def test_nothing_in_a_question_is_a_query_language(services: Wiring, question: str) -> None:
    _import(services, *NEWS)
    assert "Bridge" in _titles(services, question)[:3]
    assert len(_all(services, question)) == len(NEWS)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_question_gets_an_orderly_list(services: Wiring, question: str) -> None:
    if services.articles.count() == 0:
        _import(services, *NEWS)
    passages = _all(services, question)
    assert [passage.rank for passage in passages] == [1, 2, 3, 4]
    assert all(0 <= p.score <= 1 and -1.001 <= p.similarity <= 1.001 for p in passages)


def test_only_the_live_build_is_searched(services: Wiring) -> None:
    _import(services, *NEWS)
    services.indexer.rebuild()
    previous = BuildStore(services.db).get(BuildState.PREVIOUS)
    assert previous is not None
    old = ChunkStore(services.db).ids(previous.id)
    assert len(old) == len(NEWS)
    found = {passage.chunk_id for passage in services.retriever.retrieve("bridge", top_k=100)}
    assert len(found) == len(NEWS)
    assert not found & set(old)
