from dataclasses import dataclass

from data.database import Database, scalar, write


@dataclass(frozen=True, slots=True)
class RunningRebuild:
    """A rebuild that was begun from Discord, and the message that shows its progress.

    `kind` is `rebuild` or `undo`; `build_id` is the build that was live when it began, by which a
    later start knows whether it was done.
    """

    guild_id: int
    channel_id: int
    message_id: int
    kind: str
    build_id: int | None = None


class GuildStore:
    """What the bot remembers about servers and about its own state."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def choose_for_direct(self, user_id: int, guild_id: int | None) -> None:
        """Remember which server's stories a person reads in direct messages; None forgets it."""
        with write(self._db):
            self._db.execute("DELETE FROM direct_choices WHERE user_id = ?", [user_id])
            if guild_id is not None:
                self._db.execute("INSERT INTO direct_choices VALUES (?, ?)", [user_id, guild_id])

    def chosen_for_direct(self, user_id: int) -> int | None:
        """Return the server that a person chose for direct messages, or None."""
        found = scalar(self._db, "SELECT guild_id FROM direct_choices WHERE user_id = ?", user_id)
        return None if found is None else int(found)

    def rebuild_begins(self, rebuild: RunningRebuild) -> None:
        """Remember a rebuild, so that the next start can go on with it."""
        with write(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO rebuilds VALUES (?, ?, ?, ?, ?)",
                [
                    rebuild.guild_id,
                    rebuild.channel_id,
                    rebuild.message_id,
                    rebuild.kind,
                    rebuild.build_id,
                ],
            )

    def rebuild_ends(self, guild_id: int) -> None:
        """Forget a rebuild that is done, failed or was cancelled."""
        with write(self._db):
            self._db.execute("DELETE FROM rebuilds WHERE guild_id = ?", [guild_id])

    def rebuilds(self) -> list[RunningRebuild]:
        """Return the rebuilds that were begun and did not end."""
        rows = self._db.query("SELECT * FROM rebuilds ORDER BY guild_id")
        return [RunningRebuild(**row) for row in rows]

    def state(self, key: str) -> str | None:
        """Return a value that the bot keeps for itself, or None."""
        found = scalar(self._db, "SELECT value FROM state WHERE key = ?", key)
        return None if found is None else str(found)

    def set_state(self, key: str, value: str) -> None:
        """Keep a value."""
        with write(self._db):
            self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", [key, value])
