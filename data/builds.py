from dataclasses import dataclass
from enum import StrEnum

from data.database import Database
from data.revisions import now, touch


class BuildState(StrEnum):
    """A collection has at most one build in each state."""

    BUILDING = "building"
    LIVE = "live"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What chunks and vectors are made with; two builds of one recipe are alike."""

    encoder: str
    weights_hash: str
    dimension: int
    chunker_version: int
    header_version: int


@dataclass(frozen=True, slots=True)
class Build:
    """One generation of the index: every current revision's chunks, made by one recipe."""

    id: int
    state: BuildState
    recipe: Recipe
    created_at: str
    finished_at: str | None


class BuildStore:
    """The index builds of one collection. Writing is done in the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, state: BuildState) -> Build | None:
        """Return the build in that state, or None."""
        rows = list(self._db.query("SELECT * FROM builds WHERE state = ?", [state.value]))
        if not rows:
            return None
        row = rows[0]
        recipe = Recipe(
            encoder=row["encoder"],
            weights_hash=row["weights_hash"],
            dimension=row["dimension"],
            chunker_version=row["chunker_version"],
            header_version=row["header_version"],
        )
        return Build(
            row["id"], BuildState(row["state"]), recipe, row["created_at"], row["finished_at"]
        )

    def create(self, state: BuildState, recipe: Recipe) -> Build:
        """Begin a build in that state; one that stood there is deleted with its chunks."""
        self.delete(state)
        created_at = now()
        cursor = self._db.execute(
            "INSERT INTO builds (state, encoder, weights_hash, dimension, chunker_version,"
            " header_version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                state.value,
                recipe.encoder,
                recipe.weights_hash,
                recipe.dimension,
                recipe.chunker_version,
                recipe.header_version,
                created_at,
            ],
        )
        return Build(int(cursor.lastrowid or 0), state, recipe, created_at, None)

    def delete(self, state: BuildState) -> None:
        """Delete the build in that state, with its chunks, where there is one."""
        self._db.execute("DELETE FROM builds WHERE state = ?", [state.value])

    def can_reopen(self) -> bool:
        """Return whether `reopen_previous` would find a build."""
        unfinished = self.get(BuildState.BUILDING)
        reopened = unfinished is not None and unfinished.finished_at is not None
        return reopened or self.get(BuildState.PREVIOUS) is not None

    def reopen_previous(self) -> Build | None:
        """Take the previous build up again as the one in progress; None where there is none.

        One that was taken up before and not finished since is taken up again.
        """
        if self.get(BuildState.PREVIOUS) is not None:
            self.delete(BuildState.BUILDING)
            self._db.execute(
                "UPDATE builds SET state = ? WHERE state = ?",
                [BuildState.BUILDING.value, BuildState.PREVIOUS.value],
            )
        build = self.get(BuildState.BUILDING)
        return build if build is not None and build.finished_at is not None else None

    def promote(self) -> None:
        """Make the build in progress live and the live one previous; the one before goes.

        Raises:
            LookupError: if no build is in progress, which would leave none live.
        """
        if self.get(BuildState.BUILDING) is None:
            raise LookupError("no build is in progress")
        self.delete(BuildState.PREVIOUS)
        for old, new in (
            (BuildState.LIVE, BuildState.PREVIOUS),
            (BuildState.BUILDING, BuildState.LIVE),
        ):
            self._db.execute(
                "UPDATE builds SET state = ?, finished_at = coalesce(finished_at, ?)"
                " WHERE state = ?",
                [new.value, now(), old.value],
            )
        touch(self._db)
