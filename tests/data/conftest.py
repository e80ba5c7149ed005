from collections.abc import Iterator
from pathlib import Path

import pytest

from data.builds import BuildState, BuildStore, Recipe
from data.chunks import ChunkStore, NewChunk
from data.collections import Collections
from data.database import Database, write
from data.models import Attribution, Draft, Revision, Span

RECIPE = Recipe("tiny", "0" * 64, dimension=2, chunker_version=1, header_version=1)
VECTOR = b"\x00\x00\x80?\x00\x00\x00\x00"  # (1, 0) as little-endian float32


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = Collections(tmp_path).get("shared").connect()
    yield connection
    connection.close()


def draft(
    text: str = "The mayor opened the bridge.",
    *,
    title: str | None = "Bridge opened",
    source: str | None = None,
    author: str | None = None,
    date: str | None = None,
    url: str | None = None,
    external_id: str | None = None,
) -> Draft:
    """Return a draft; without a title it has one that was made from its text."""
    attribution = Attribution(title or text, source, author, date, url)
    return Draft(text, attribution, external_id, title_given=title is not None)


def add_chunks(db: Database, revision: Revision, *spans: tuple[int, int]) -> list[int]:
    """Store chunks in the live build, one over the whole text if no spans are named."""
    chunks = [NewChunk(Span(*span), VECTOR) for span in spans or [(0, len(revision.text))]]
    with write(db):
        return ChunkStore(db).add(live_build(db), revision, chunks, searchable=True)


def live_build(db: Database) -> int:
    """Return the id of the live build, begun where there is none."""
    builds = BuildStore(db)
    return (builds.get(BuildState.LIVE) or builds.create(BuildState.LIVE, RECIPE)).id
