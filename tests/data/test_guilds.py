from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.answers import open_memory
from data.database import Database
from data.guilds import GuildStore, RunningRebuild

LARGE = 2**63 - 1  # as large as Discord's ids can get


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = open_memory(tmp_path)
    yield connection
    connection.close()


def test_nobody_has_chosen_a_server_at_first(db: Database) -> None:
    assert GuildStore(db).chosen_for_direct(1) is None


def test_each_person_has_one_choice_the_latest(db: Database) -> None:
    guilds = GuildStore(db)
    guilds.choose_for_direct(1, 10)
    guilds.choose_for_direct(LARGE, LARGE)
    guilds.choose_for_direct(1, 11)
    assert guilds.chosen_for_direct(1) == 11
    assert guilds.chosen_for_direct(LARGE) == LARGE


def test_a_choice_can_be_forgotten_and_others_stay(db: Database) -> None:
    guilds = GuildStore(db)
    for person in (1, 2):
        guilds.choose_for_direct(person, 10)
    guilds.choose_for_direct(1, None)
    guilds.choose_for_direct(3, None)  # who never chose
    assert [guilds.chosen_for_direct(person) for person in (1, 2, 3)] == [None, 10, None]


def test_rebuilds_that_did_not_end_are_known_to_the_next_process(tmp_path: Path) -> None:
    begun = [RunningRebuild(2, 3, LARGE, "undo"), RunningRebuild(1, 2, 3, "rebuild")]
    with closing(open_memory(tmp_path)) as db:
        for rebuild in begun:
            GuildStore(db).rebuild_begins(rebuild)
    with closing(open_memory(tmp_path)) as db:
        assert GuildStore(db).rebuilds() == begun[::-1]
        GuildStore(db).rebuild_ends(1)
        GuildStore(db).rebuild_ends(1)  # it may have ended already
        assert GuildStore(db).rebuilds() == begun[:1]


def test_a_server_has_one_rebuild_the_latest(db: Database) -> None:
    guilds = GuildStore(db)
    guilds.rebuild_begins(RunningRebuild(1, 2, 3, "rebuild"))
    guilds.rebuild_begins(RunningRebuild(1, 4, 5, "undo"))
    assert guilds.rebuilds() == [RunningRebuild(1, 4, 5, "undo")]


def test_the_bot_keeps_values_for_itself(db: Database) -> None:
    guilds = GuildStore(db)
    assert guilds.state("commands") is None
    guilds.set_state("commands", "one")
    guilds.set_state("other", "x")
    guilds.set_state("commands", "two")
    assert (guilds.state("commands"), guilds.state("other")) == ("two", "x")
