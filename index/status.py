from pathlib import Path

from data.articles import ArticleStore
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore
from data.collections import Collection
from data.database import Database, read
from data.signatures import SignatureStore
from data.standing import StandingStore
from index.chunking import CHUNKER_VERSION, HEADER_VERSION
from index.encoders import Encoders
from index.models import IndexStatus
from index.vectors import IndexFileError, VectorIndex


def index_status(collection: Collection, db: Database, encoders: Encoders) -> IndexStatus:
    """Return what the collection holds, what its index was made with, and what is stale."""
    articles, builds, chunks = ArticleStore(db), BuildStore(db), ChunkStore(db)
    with read(db):
        build = builds.get(BuildState.LIVE)
        recipe = build.recipe if build else None
        return IndexStatus(
            collection=collection.name,
            stories=articles.count(),
            revisions=articles.revision_count(),
            chunks=chunks.count(build.id) if build else 0,
            newest=articles.newest(),
            encoder=recipe.encoder if recipe else None,
            weights_hash=recipe.weights_hash if recipe else None,
            dimension=recipe.dimension if recipe else None,
            chunker_version=recipe.chunker_version if recipe else None,
            header_version=recipe.header_version if recipe else None,
            built_at=(build.finished_at or build.created_at) if build else None,
            database_bytes=_size(collection.database_file)
            + _size(collection.database_file.with_name("stories.db-wal")),
            index_bytes=_size(collection.index_file),
            stale=tuple(_stale(collection, build, builds, chunks, encoders, db)),
            withdrawn=len(StandingStore(db).withdrawn()),
        )


def _stale(
    collection: Collection,
    build: Build | None,
    builds: BuildStore,
    chunks: ChunkStore,
    encoders: Encoders,
    db: Database,
) -> list[str]:
    if build is None:
        return []
    found = []
    recipe = build.recipe
    if encoders.wanted is not None and encoders.wanted != recipe.encoder:
        found.append(
            f"The setting asks for the encoder {encoders.wanted!r}, but the index was made with "
            f"{recipe.encoder!r} and goes on using it. Run `rebuild` to change over."
        )
    if (recipe.chunker_version, recipe.header_version) != (CHUNKER_VERSION, HEADER_VERSION):
        found.append("Stories are cut or labelled in a newer way now. Run `rebuild` to use it.")
    if SignatureStore(db).missing():
        found.append("Some stories were stored before copies were looked for. Run `rebuild`.")
    if builds.get(BuildState.BUILDING) is not None:
        found.append("A rebuild is running or was interrupted. `rebuild` goes on with it.")
    try:
        index, _ = VectorIndex.load(collection.index_file)
    except IndexFileError as error:
        if chunks.count(build.id):
            found.append(f"The index file is not usable ({error}); the next question heals it.")
    else:
        behind = len(index.ids ^ set(chunks.ids(build.id)))
        if behind:
            found.append(f"The index file is {behind} chunks behind; the next question heals it.")
    return found


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
