import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.articles import ArticleStore
from data.builds import Build, BuildState, BuildStore
from data.chunks import ChunkStore
from data.collections import Collection
from data.database import Database, integrity_problems, read
from data.soundness import Soundness
from index.encoder import Vectors
from index.encoders import Encoders
from index.live import fingerprint
from index.preparation import encoded_text
from index.vectors import Ids, IndexFileError, VectorIndex

# Chunks that are encoded again when not all are asked for.
SAMPLE = 64
# A vector is right when the encoder gives it again to this cosine; bf16 and fp32 runtimes of one
# model differ by less than 0.0001 (tests/index/test_encoders.py).
MIN_COSINE = 0.999
_UNIT_TOLERANCE = 1e-3
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` checked, what is off, and what is merely behind and heals by itself."""

    stories: int
    chunks: int
    reencoded: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Return whether nothing is off."""
        return not self.problems


class Verifier:
    """Checks a collection against itself; changes nothing."""

    def __init__(self, *, collection: Collection, db: Database, encoders: Encoders) -> None:
        self._collection = collection
        self._db = db
        self._encoders = encoders
        self._articles = ArticleStore(db)
        self._soundness = Soundness(db)
        self._chunks = ChunkStore(db)

    def verify(
        self, *, deep: bool = False, on_progress: Callable[[int, int], None] | None = None
    ) -> Report:
        """Check every hash, offset, vector, full-text row and the index file.

        Vectors are checked by checksum, length and norm; 64 at random, or all with `deep`, are
        encoded again as well. A date or link is checked against what was derived from it when it
        was stored. An altered author, time of day or other spelling of the same link cannot be
        told: nothing is derived from these, and only the text has a hash.

        Raises:
            UserError: if the encoder of the index is not there.
        """
        problems = integrity_problems(self._db)
        if problems:
            return Report(0, 0, 0, tuple(problems), ())
        notes: list[str] = []
        sound = self._chunks.fulltext_is_sound()
        if sound is None:
            notes.append("The inverted index was not checked: the database cannot be written now.")
        elif not sound:
            problems.append("The full-text index is damaged.")
        with read(self._db):
            problems += self._check_stories()
            build = BuildStore(self._db).get(BuildState.LIVE)
            stories = self._articles.count()
            if build is None:
                if stories:
                    problems.append("There are stories but no index; run `rebuild`.")
                return Report(stories, 0, 0, tuple(problems), ())
            problems += self._check_chunks(build)
            ids, vectors, bad = self._read_vectors(build)
            problems += bad
            self._check_index_file(build, ids, vectors, problems, notes)
            reencoded = 0
            if not problems:
                reencoded, wrong = self._reencode(build, ids, vectors, deep, on_progress)
                problems += wrong
            return Report(stories, len(ids), reencoded, tuple(problems), tuple(notes))

    def _check_stories(self) -> list[str]:
        return _listed(
            (
                "The text of revision(s) {} no longer matches its hash.",
                self._soundness.altered_revisions(),
            ),
            (
                "The date or link of revision(s) {} was altered.",
                self._soundness.altered_attributions(),
            ),
            ("Story {} has no current revision.", self._soundness.broken_articles()),
        )

    def _check_chunks(self, build: Build) -> list[str]:
        return _listed(
            ("Chunk(s) {} reach beyond their story's text.", self._chunks.invalid_spans()),
            ("Chunk(s) {} belong to a revision that is not current.", self._chunks.outdated()),
            ("Revision(s) {} have no chunk.", self._chunks.unchunked_revisions(build.id)),
            (
                "The chunks of revision(s) {} leave out a part of the text.",
                self._chunks.incomplete_revisions(build.id),
            ),
            (
                "The full-text row of chunk(s) {} is missing or wrong.",
                self._chunks.wrong_fulltext(build.id),
            ),
        )

    def _read_vectors(self, build: Build) -> tuple[Ids, Vectors, list[str]]:
        dimension = build.recipe.dimension
        damaged: list[int] = []
        ids: list[int] = []
        rows: list[Vectors] = []
        for stored in self._chunks.vectors(self._chunks.ids(build.id)):
            if not stored.intact or len(stored.data) != 4 * dimension:
                damaged.append(stored.chunk_id)
                continue
            row = np.frombuffer(stored.data, dtype="<f4")
            if not abs(float(row @ row) - 1) <= _UNIT_TOLERANCE:
                damaged.append(stored.chunk_id)
                continue
            ids.append(stored.chunk_id)
            rows.append(row)
        vectors = np.stack(rows) if rows else np.empty((0, dimension), dtype=np.float32)
        problems = _listed(("The vector of chunk(s) {} is damaged.", damaged))
        return np.asarray(ids, dtype=np.int64), vectors, problems

    def _check_index_file(
        self, build: Build, ids: Ids, vectors: Vectors, problems: list[str], notes: list[str]
    ) -> None:
        path = self._collection.index_file
        if not path.exists():
            if len(ids):
                notes.append("The index file is missing; the next question makes it again.")
            return
        try:
            index, found = VectorIndex.load(path)
        except IndexFileError as error:
            problems.append(
                f"The index file cannot be used ({error}); the next question makes it again."
            )
            return
        if found.build_id < build.id:
            notes.append("The index file is of an earlier build; the next question makes it again.")
            return
        if found != fingerprint(build, found.count, found.token):
            problems.append("The index file was made from something else than this database.")
            return
        known = {int(i): row for row, i in enumerate(ids)}
        common = sorted(index.ids & known.keys())
        behind = len(index.ids ^ known.keys())
        if behind:
            notes.append(f"The index file is {behind} chunk(s) behind; the next question heals it.")
        if common:
            differs = np.any(index.vectors(common) != vectors[[known[i] for i in common]], axis=1)
            problems += _listed(
                (
                    "The index file holds another vector for chunk(s) {}.",
                    [i for i, wrong in zip(common, differs, strict=True) if wrong],
                )
            )

    def _reencode(
        self,
        build: Build,
        ids: Ids,
        vectors: Vectors,
        deep: bool,
        on_progress: Callable[[int, int], None] | None,
    ) -> tuple[int, list[str]]:
        rows = list(range(len(ids)))
        if not deep and len(rows) > SAMPLE:
            rows = random.sample(rows, SAMPLE)  # noqa: S311  # which ones is no secret
        encoder = self._encoders.of(build.recipe)
        wrong: list[int] = []
        for first in range(0, len(rows), SAMPLE):
            part = rows[first : first + SAMPLE]
            chunks = self._chunks.get(int(ids[row]) for row in part)
            revisions = self._articles.revisions(c.revision_id for c in chunks.values())
            texts = []
            for row in part:
                chunk = chunks[int(ids[row])]
                revision = revisions[chunk.revision_id]
                texts.append(encoded_text(revision.attribution, revision.text, chunk.span))
            cosines = np.sum(encoder.encode_documents(texts) * vectors[part], axis=1)
            wrong += [
                int(ids[r]) for r, c in zip(part, cosines, strict=True) if not c >= MIN_COSINE
            ]
            if on_progress is not None:
                on_progress(first + len(part), len(rows))
        return len(rows), _listed(
            ("The vector of chunk(s) {} is not what the encoder gives.", sorted(wrong))
        )


def _listed(*checks: tuple[str, list[int] | list[str]]) -> list[str]:
    """Return the sentences of the checks that found something, each with the first few ids."""
    found = []
    for sentence, ids in checks:
        if ids:
            shown = ", ".join(str(i) for i in ids[:_SHOWN])
            more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
            found.append(sentence.format(shown + more))
    return found
