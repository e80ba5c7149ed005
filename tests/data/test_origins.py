from pathlib import Path

from data.articles import ArticleStore
from data.collections import Collections
from data.database import Database
from data.origins import Origin, OriginStore
from tests.data.conftest import draft

LINK = "https://discord.com/channels/1/2/3"
SOMEBODY = 2**63 - 1  # as large as the ids of people can get


def stored(db: Database, text: str = "The mayor spoke.") -> str:
    return ArticleStore(db).save(draft(text)).revision.article_id


def test_who_brought_a_story_and_where_from_is_kept(db: Database) -> None:
    origins = OriginStore(db)
    origin = Origin(stored(db), SOMEBODY, LINK)
    origins.record(origin)
    assert origins.of([origin.article_id]) == {origin.article_id: origin}


def test_a_story_nobody_is_known_to_have_brought_has_no_origin(db: Database) -> None:
    assert OriginStore(db).of([stored(db), "nothing"]) == {}
    assert OriginStore(db).of([]) == {}


def test_the_first_who_brought_it_stays(db: Database) -> None:
    origins = OriginStore(db)
    article_id = stored(db)
    origins.record(Origin(article_id, 1, LINK))
    origins.record(Origin(article_id, 2, "https://discord.com/channels/1/2/4"))
    assert origins.of([article_id]) == {article_id: Origin(article_id, 1, LINK)}


def test_a_link_is_filled_in_later_and_not_taken_away(db: Database) -> None:
    origins = OriginStore(db)
    article_id = stored(db)
    origins.record(Origin(article_id, 1, None))
    origins.record(Origin(article_id, 1, LINK))
    origins.record(Origin(article_id, 1, None))
    assert origins.of([article_id]) == {article_id: Origin(article_id, 1, LINK)}


def test_the_origin_goes_with_its_story_and_no_other_does(db: Database) -> None:
    origins = OriginStore(db)
    gone, kept = stored(db), stored(db, "The toll was raised.")
    for article_id in (gone, kept):
        origins.record(Origin(article_id, 1, None))
    ArticleStore(db).remove(gone)
    assert list(origins.of([gone, kept])) == [kept]


def test_the_origin_outlives_a_correction(db: Database) -> None:
    articles, origins = ArticleStore(db), OriginStore(db)
    revision = articles.save(draft()).revision
    origins.record(Origin(revision.article_id, 1, LINK))
    articles.edit(revision.article_id, draft(title="Another").attribution)
    assert list(origins.of([revision.article_id])) == [revision.article_id]


def test_more_can_be_asked_for_than_one_query_takes(db: Database) -> None:
    origins = OriginStore(db)
    ids = [stored(db, f"Story {n}.") for n in range(1001)]
    for article_id in ids:
        origins.record(Origin(article_id, 1, None))
    found = origins.of(iter([*ids, *ids]))
    assert sorted(found) == sorted(ids)
    assert all(origin.article_id == article_id for article_id, origin in found.items())


def test_another_collection_knows_nothing_of_it(db: Database, tmp_path: Path) -> None:
    article_id = stored(db)
    OriginStore(db).record(Origin(article_id, 1, LINK))
    other = Collections(tmp_path).get("other").connect()
    try:
        assert OriginStore(other).of([article_id]) == {}
    finally:
        other.close()
