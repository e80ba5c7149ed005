from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.articles import ArticleStore
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk, StoredVector
from data.database import Database, write
from data.fulltext import query_words
from data.models import Attribution, Chunk, Draft, Filters, Revision, Span, normalise
from tests.data.conftest import RECIPE, VECTOR, add_chunks, draft, live_build

POINTS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXT = "The mayor spoke. The bridge opened."


@pytest.fixture
def chunks(db: Database) -> ChunkStore:
    return ChunkStore(db)


def _save(db: Database, text: str = TEXT, **fields: str | None) -> Revision:
    return ArticleStore(db).save(draft(text, **fields)).revision


def _found(chunks: ChunkStore, question: str, filters: Filters | None = None) -> list[int]:
    return [chunk_id for chunk_id, _ in chunks.search(query_words(question), 10, filters)]


def test_chunks_come_back_with_their_spans_and_vectors(db: Database, chunks: ChunkStore) -> None:
    revision = _save(db)
    build = live_build(db)
    new = [NewChunk(Span(0, 16), VECTOR), NewChunk(Span(17, 35), VECTOR[::-1])]
    one, two = chunks.add(build, revision, new, searchable=True)
    assert one < two
    assert chunks.get([two, one, 999]) == {
        one: Chunk(one, revision.id, Span(0, 16)),
        two: Chunk(two, revision.id, Span(17, 35)),
    }
    assert chunks.spans(build, revision.id) == [Span(0, 16), Span(17, 35)]
    assert chunks.vectors([two, one, 999]) == [
        StoredVector(one, VECTOR, intact=True),
        StoredVector(two, VECTOR[::-1], intact=True),
    ]
    assert (chunks.ids(build), chunks.count(build)) == ([one, two], 2)


def test_many_chunks_are_read_at_once(db: Database, chunks: ChunkStore) -> None:
    revision = _save(db, "x" * 501)
    ids = add_chunks(db, revision, *((i, i + 1) for i in range(501)))
    assert list(chunks.get(reversed(ids))) == ids
    assert [vector.chunk_id for vector in chunks.vectors(ids)] == ids


def test_chunk_ids_are_never_used_again(db: Database, chunks: ChunkStore) -> None:
    revision = _save(db)
    first = add_chunks(db, revision)
    db.execute("DELETE FROM chunks")
    assert add_chunks(db, revision)[0] > first[0]


def test_a_vector_that_was_altered_is_told_from_a_sound_one(
    db: Database, chunks: ChunkStore
) -> None:
    one, two = add_chunks(db, _save(db), (0, 3), (4, 9))
    db.execute("UPDATE chunks SET vector = ? WHERE id = ?", [VECTOR[::-1], two])
    assert [vector.intact for vector in chunks.vectors([one, two])] == [True, False]


def test_reading_keeps_to_the_build_that_is_named(db: Database, chunks: ChunkStore) -> None:
    revision = _save(db)
    live_ids = add_chunks(db, revision)
    building = BuildStore(db).create(BuildState.BUILDING, RECIPE).id
    assert chunks.unchunked_revisions(building) == [revision.id]
    new_ids = chunks.add(building, revision, [NewChunk(Span(0, 3), VECTOR)], searchable=False)
    assert chunks.ids(live_build(db)) == live_ids
    assert chunks.ids(building) == chunks.matching_ids(building, Filters()) == new_ids
    assert chunks.spans(building, revision.id) == [Span(0, 3)]
    assert chunks.unchunked_revisions(building) == []
    assert _found(chunks, "mayor") == live_ids  # the other build is not searchable yet


def test_making_a_build_searchable_replaces_the_rows_of_the_one_before(
    db: Database, chunks: ChunkStore
) -> None:
    revision = _save(db, title="Town news", source="Herald", date="2024-10")
    add_chunks(db, revision)
    building = BuildStore(db).create(BuildState.BUILDING, RECIPE).id
    spans = [NewChunk(Span(0, 16), VECTOR), NewChunk(Span(17, 35), VECTOR)]
    mayor, bridge = chunks.add(building, revision, spans, searchable=False)
    assert _found(chunks, "bridge") == chunks.ids(live_build(db))
    with write(db):
        chunks.make_searchable(building)
    assert _found(chunks, "mayor") == [mayor]
    assert _found(chunks, "bridge") == [bridge]
    assert sorted(_found(chunks, "Herald October")) == [mayor, bridge]
    assert chunks.wrong_fulltext(building) == []


@pytest.mark.parametrize(
    "question",
    ["mayor", "MAYORS", "speak spoke", "cafe", "café", "Herald", "headline", "October", "2024"],
)
def test_search_finds_by_body_title_publisher_and_date(
    db: Database, chunks: ChunkStore, question: str
) -> None:
    body = "The mayor spoke in the Cafe\u0301."
    found = add_chunks(
        db, _save(db, normalise(body), title="Headlines", source="Herald", date="2024-10-25")
    )
    add_chunks(db, _save(db, "Nothing of the kind.", title="Other"))
    assert _found(chunks, question) == found


@pytest.mark.parametrize("question", ["市长说了什么", "市长?", "桥"])
def test_search_finds_words_of_a_chinese_question(
    db: Database, chunks: ChunkStore, question: str
) -> None:
    found = add_chunks(db, _save(db, "市长昨天说,新桥已经开放。"))
    add_chunks(db, _save(db, "今天下雨。"))
    assert _found(chunks, question) == found


def test_search_puts_the_chunk_with_more_of_the_words_first_and_scores_are_positive(
    db: Database, chunks: ChunkStore
) -> None:
    texts = ("The mayor spoke.", "The mayor opened a bridge.", "The mayor left.", "Rain.")
    one, two, three, _ = (add_chunks(db, _save(db, text, title="T"))[0] for text in texts)
    results = chunks.search(query_words("Which bridge has the mayor opened?"), 10)
    assert results[0][0] == two
    assert {chunk_id for chunk_id, _ in results} == {one, two, three}
    scores = [score for _, score in results]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)  # though most stories have the word


def test_search_finds_nothing_without_words_or_without_a_match(
    db: Database, chunks: ChunkStore
) -> None:
    add_chunks(db, _save(db))
    assert chunks.search([], 10) == []
    assert chunks.search(["zebra"], 10) == []


def test_search_ties_are_broken_by_id_and_the_list_is_cut(db: Database, chunks: ChunkStore) -> None:
    ids = add_chunks(db, _save(db, "mayor mayor mayor"), (0, 5), (6, 11), (12, 17))
    assert [chunk_id for chunk_id, _ in chunks.search(["mayor"], 2)] == ids[:2]


def test_filters_apply_before_the_list_is_cut(db: Database, chunks: ChunkStore) -> None:
    for i in range(3):
        add_chunks(db, _save(db, f"mayor mayor {i}", source="Herald"))
    wanted = add_chunks(db, _save(db, "mayor and many other words", source="Post"))
    found = chunks.search(["mayor"], 1, Filters(source="Post"))
    assert [chunk_id for chunk_id, _ in found] == wanted


@pytest.mark.parametrize(
    ("source", "wanted", "passes"),
    [
        ("BBC News", "bbc news", True),
        ("Straße", " STRASSE ", True),
        ("ÉCHOS", "échos", True),  # SQLite's own lower() knows only ASCII
        ("Les E\u0301chos", "les \u00e9chos", True),
        ("BBC News", "BBC", False),
        (None, "BBC", False),
    ],
)
def test_the_source_filter_ignores_case_and_no_more(
    db: Database, chunks: ChunkStore, source: str | None, wanted: str, passes: bool
) -> None:
    found = add_chunks(db, _save(db, source=source))
    expected = found if passes else []
    filters = Filters(source=wanted)
    assert chunks.matching_ids(live_build(db), filters) == expected
    assert _found(chunks, "mayor", filters) == expected


@pytest.mark.parametrize(
    ("date", "after", "before", "passes"),
    [
        ("2024-10-25", "2024-10-25", None, True),  # both ends are inclusive
        ("2024-10-25", None, "2024-10-25", True),
        ("2024-10-25", "2024-10-26", None, False),
        ("2024-10-25", None, "2024-10-24", False),
        ("2024-10-25", "2024-10-01", "2024-10-31", True),
        ("2024-10-25T23:30:00-05:00", "2024-10-26", None, False),  # not shifted to UTC
        ("2024-10", "2024-10-31", None, True),  # a month passes where it overlaps
        ("2024-10", "2024-11-01", None, False),
        ("2024-10", None, "2024-10-01", True),
        ("2024-10", None, "2024-09-30", False),
        ("2024", "2024-06-01", "2024-06-02", True),
        (None, "1400-01-01", None, False),  # an unknown date passes no date filter
        (None, None, "2999-12-31", False),
        (None, None, None, True),
    ],
)
def test_date_filters_are_inclusive_and_follow_the_precision(
    db: Database,
    chunks: ChunkStore,
    date: str | None,
    after: str | None,
    before: str | None,
    passes: bool,
) -> None:
    found = add_chunks(db, _save(db, date=date))
    expected = found if passes else []
    filters = Filters(after=after, before=before)
    assert chunks.matching_ids(live_build(db), filters) == expected
    assert _found(chunks, "mayor", filters) == expected


def test_filters_are_all_required_and_the_article_is_one_of_them(
    db: Database, chunks: ChunkStore
) -> None:
    one = _save(db, "The mayor spoke.", source="Herald", date="2024-10-25")
    two = _save(db, "The mayor left.", source="Herald", date="2024-10-26")
    first, second = add_chunks(db, one), add_chunks(db, two)
    build = live_build(db)
    assert chunks.matching_ids(build, Filters(article=one.article_id)) == first
    assert _found(chunks, "mayor", Filters(article=two.article_id)) == second
    assert chunks.matching_ids(build, Filters(source="herald", after="2024-10-26")) == second
    wrong_day = Filters(article=one.article_id, after="2024-10-26")
    assert chunks.matching_ids(build, wrong_day) == []
    assert chunks.matching_ids(build, Filters()) == first + second


def test_filters_are_values_and_never_sql(db: Database, chunks: ChunkStore) -> None:
    add_chunks(db, _save(db, source="Herald"))
    tricky = "x' OR '1'='1"
    assert chunks.matching_ids(live_build(db), Filters(source=tricky)) == []
    assert _found(chunks, "mayor", Filters(article=tricky)) == []


def test_verification_finds_spans_that_reach_beyond_the_text(
    db: Database, chunks: ChunkStore
) -> None:
    ids = add_chunks(db, _save(db, "日本語😀"), (0, 4), (1, 3), (2, 4))  # 4 points, 13 bytes
    assert chunks.invalid_spans() == []
    db.execute('UPDATE chunks SET "end" = 5 WHERE id = ?', [ids[0]])
    db.execute('UPDATE chunks SET "end" = start WHERE id = ?', [ids[1]])
    db.execute("UPDATE chunks SET start = -1 WHERE id = ?", [ids[2]])
    assert chunks.invalid_spans() == ids


def test_verification_finds_chunks_of_a_revision_that_is_not_current(
    db: Database, chunks: ChunkStore
) -> None:
    old = _save(db, "Old.", external_id="x")
    add_chunks(db, _save(db, "New.", external_id="x"))
    assert chunks.outdated() == []
    late = add_chunks(db, old)
    assert chunks.outdated() == late


def test_verification_finds_full_text_rows_that_are_missing_wrong_or_stray(
    db: Database, chunks: ChunkStore
) -> None:
    one, two, _ = add_chunks(db, _save(db), (0, 3), (4, 9), (10, 15))
    assert chunks.wrong_fulltext(live_build(db)) == []
    db.execute("DELETE FROM chunks_fts WHERE rowid = ?", [one])
    db.execute("UPDATE chunks_fts SET body = 'something else' WHERE rowid = ?", [two])
    db.execute("INSERT INTO chunks_fts (rowid, body) VALUES (999, 'stray')")
    assert chunks.wrong_fulltext(live_build(db)) == [one, two, 999]


def test_verification_finds_a_damaged_inverted_index(db: Database, chunks: ChunkStore) -> None:
    add_chunks(db, _save(db))
    assert chunks.fulltext_is_sound()
    db.execute("DELETE FROM chunks_fts_data WHERE id > 10")
    assert not chunks.fulltext_is_sound()


def test_a_correction_of_the_publisher_reaches_the_full_text_index(
    db: Database, chunks: ChunkStore
) -> None:
    revision = _save(db, source="Herald")
    add_chunks(db, revision)
    corrected = replace(revision.attribution, source="Gazette")
    edited = ArticleStore(db).edit(revision.article_id, corrected).revision
    found = add_chunks(db, edited)
    assert _found(chunks, "Herald") == []
    assert _found(chunks, "Gazette") == found


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(POINTS, min_size=1).map(normalise), st.data())
def test_sqlite_cuts_every_span_as_python_does(
    db: Database, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    chunks = ChunkStore(db)
    revision = ArticleStore(db).save(Draft(text, Attribution("T"))).revision
    add_chunks(db, revision, (span.start, span.end))
    assert chunks.wrong_fulltext(live_build(db)) == []
    assert chunks.invalid_spans() == []
