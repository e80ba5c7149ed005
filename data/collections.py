import shutil
from dataclasses import dataclass
from pathlib import Path

from data.database import Database, open_database, storage_errors
from data.errors import NotFoundError, UserError
from data.migrations import stories
from data.models import is_collection_name


@dataclass(frozen=True, slots=True)
class Collection:
    """The folder that holds everything one group of people sees; stores open for one only."""

    name: str
    folder: Path

    @property
    def database_file(self) -> Path:
        """Return where the stories are."""
        return self.folder / "stories.db"

    @property
    def index_file(self) -> Path:
        """Return where the vector index of the live build is kept."""
        return self.folder / "index.faiss"

    @property
    def rebuild_lock_file(self) -> Path:
        """Return the file that a process holds locked while it rebuilds the index."""
        return self.folder / "rebuild.lock"

    def connect(self) -> Database:
        """Return a new connection, for the calling thread alone; the folder is made on first use.

        Raises:
            StorageError: if the folder or the database cannot be used.
        """
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        db = open_database(self.database_file, stories)
        db.collection = self.name
        return db


class Collections:
    """The collections of one home folder."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "collections"

    def get(self, name: str) -> Collection:
        """Return the collection of that name, which need not exist yet.

        Raises:
            UserError: if the name could not be a folder's (`../x`, spaces, capitals).
        """
        if not is_collection_name(name):
            raise UserError(
                f"{name!r} cannot be a collection's name: use 1 to 64 of a-z, 0-9, - and _."
            )
        return Collection(name, self._folder / name)

    def names(self) -> list[str]:
        """Return the names of the collections that exist, sorted."""
        if not self._folder.is_dir():
            return []
        return sorted(
            folder.name
            for folder in self._folder.iterdir()
            if is_collection_name(folder.name) and (folder / "stories.db").is_file()
        )

    def delete(self, name: str) -> None:
        """Remove a collection with everything in it.

        Raises:
            NotFoundError: if there is none of that name.
        """
        collection = self.get(name)
        if not collection.folder.is_dir():
            raise NotFoundError(f"There is no collection {name!r}.")
        with storage_errors(collection.folder):
            shutil.rmtree(collection.folder)
