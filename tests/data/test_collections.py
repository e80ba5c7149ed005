from contextlib import closing
from pathlib import Path

import pytest

from data.articles import ArticleStore
from data.collections import Collections
from data.errors import NotFoundError, StorageError, UserError
from tests.data.conftest import draft


@pytest.mark.parametrize("name", ["../x", "..", "", "a/b", "/tmp", "Shared", "a b", "a\x00"])  # noqa: S108
def test_refuses_a_name_that_is_not_a_folders(tmp_path: Path, name: str) -> None:
    collections = Collections(tmp_path / "home")
    for action in (collections.get, collections.delete):
        with pytest.raises(UserError, match="cannot be a collection's name"):
            action(name)
    assert list(tmp_path.iterdir()) == []


def test_naming_a_collection_makes_nothing_and_connecting_makes_its_folder(tmp_path: Path) -> None:
    collection = Collections(tmp_path / "new" / "home").get("shared")
    assert list(tmp_path.iterdir()) == []
    collection.connect().close()
    assert collection.folder == tmp_path / "new" / "home" / "collections" / "shared"
    assert collection.database_file.is_file()


def test_lists_the_collections_that_exist_by_name(tmp_path: Path) -> None:
    collections = Collections(tmp_path)
    assert collections.names() == []
    for name in ("samples", "guild-7", "shared"):
        collections.get(name).connect().close()
    (tmp_path / "collections" / "no-database").mkdir()
    (tmp_path / "collections" / "note.txt").write_text("x")
    assert collections.names() == ["guild-7", "samples", "shared"]


def test_one_collection_never_sees_the_stories_of_another(tmp_path: Path) -> None:
    collections = Collections(tmp_path)
    with (
        closing(collections.get("one").connect()) as one,
        closing(collections.get("two").connect()) as two,
    ):
        saved = ArticleStore(one).save(draft(external_id="a-1"))
        assert ArticleStore(two).current() == []
        for article_id in (saved.revision.article_id, "a-1"):
            with pytest.raises(NotFoundError):
                ArticleStore(two).get(article_id)


def test_deleting_a_collection_removes_its_folder_and_no_other(tmp_path: Path) -> None:
    collections = Collections(tmp_path)
    for name in ("one", "two"):
        collections.get(name).connect().close()
    collections.get("one").index_file.write_bytes(b"index")
    collections.delete("one")
    assert not collections.get("one").folder.exists()
    assert collections.names() == ["two"]


def test_refuses_to_delete_a_collection_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no collection 'gone'"):
        Collections(tmp_path).delete("gone")


def test_refuses_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        Collections(tmp_path / "home").get("shared").connect()
    assert (tmp_path / "home").read_text() == "x"


def test_reopening_a_collection_finds_what_was_stored(tmp_path: Path) -> None:
    collection = Collections(tmp_path).get("shared")
    with closing(collection.connect()) as db:
        saved = ArticleStore(db).save(draft())
    with closing(collection.connect()) as db:
        assert ArticleStore(db).current() == [saved.revision]
