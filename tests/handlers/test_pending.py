import pytest

from data.errors import UserError
from handlers.layouts.layout import Action, custom_id
from handlers.pending import Pending, ReadStory, Waiting
from tests.fakes import story

QUARTER = 15 * 60.0
SERVER, PERSON = 7, 42
GONE = "I no longer have that story"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pending(clock: Clock) -> Pending:
    return Pending(clock)


def waiting(text: str = "The mayor spoke.") -> Waiting:
    return Waiting(SERVER, PERSON, (ReadStory(story(text)),), "https://example.org/message")


def test_a_story_is_handed_out_once_to_the_person_who_brought_it(pending: Pending) -> None:
    brought = waiting()
    key = pending.put(brought)
    assert pending.take(key, guild_id=SERVER, user_id=PERSON) is brought
    with pytest.raises(UserError, match=GONE):
        pending.take(key, guild_id=SERVER, user_id=PERSON)


@pytest.mark.parametrize(("guild_id", "user_id"), [(SERVER, 43), (8, PERSON), (8, 43)])
def test_nobody_else_gets_it_and_it_stays(pending: Pending, guild_id: int, user_id: int) -> None:
    brought = waiting()
    key = pending.put(brought)
    with pytest.raises(UserError, match="Somebody else is adding that story"):
        pending.take(key, guild_id=guild_id, user_id=user_id)
    assert pending.take(key, guild_id=SERVER, user_id=PERSON) is brought


def test_it_waits_for_a_quarter_of_an_hour_and_no_longer(clock: Clock, pending: Pending) -> None:
    first, second = pending.put(waiting("One.")), pending.put(waiting("Two."))
    clock.now += QUARTER
    assert pending.take(first, guild_id=SERVER, user_id=PERSON).stories[0].draft.text == "One."
    clock.now += 1
    with pytest.raises(UserError, match=GONE):
        pending.take(second, guild_id=SERVER, user_id=PERSON)


@pytest.mark.parametrize("key", ["", "nothing", "x" * 90])
def test_a_key_that_was_never_given_opens_nothing(pending: Pending, key: str) -> None:
    pending.put(waiting())
    with pytest.raises(UserError, match=GONE):
        pending.take(key, guild_id=SERVER, user_id=PERSON)


def test_of_very_many_the_oldest_are_forgotten(pending: Pending) -> None:
    keys = [pending.put(waiting(f"Story {n}.")) for n in range(201)]
    assert len(set(keys)) == 201
    with pytest.raises(UserError, match=GONE):
        pending.take(keys[0], guild_id=SERVER, user_id=PERSON)
    for number in (1, 200):
        taken = pending.take(keys[number], guild_id=SERVER, user_id=PERSON)
        assert taken.stories[0].draft.text == f"Story {number}."


def test_a_key_can_stand_in_a_button(pending: Pending) -> None:
    for _ in range(50):
        assert custom_id(Action.ADD_ANYWAY, pending.put(waiting())).startswith("pq:add_anyway:")
