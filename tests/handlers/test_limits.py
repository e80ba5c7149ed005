from contextlib import ExitStack

import pytest

from handlers.limits import QUESTIONS, SECONDS, WAITING, BusyError, Limits

ANN, BEN = 1, 2
HERE, THERE = 10, 20


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock)


def ask(limits: Limits, user: int = ANN, place: int = HERE) -> None:
    """Ask a question that is answered at once."""
    with limits.question(user, place):
        pass


def ask_all(limits: Limits, user: int = ANN) -> None:
    for _ in range(QUESTIONS):
        ask(limits, user)


def test_so_many_questions_are_let_through_and_not_one_more(limits: Limits) -> None:
    ask_all(limits)
    with pytest.raises(BusyError, match=r"a lot of questions .* in 20 seconds\.$"):
        ask(limits)


def test_one_person_does_not_use_up_what_another_may_ask(limits: Limits) -> None:
    ask_all(limits, ANN)
    ask(limits, BEN)


def test_a_person_is_counted_wherever_they_ask(limits: Limits) -> None:
    ask_all(limits)
    with pytest.raises(BusyError):
        ask(limits, ANN, THERE)


def test_the_wait_that_is_named_is_long_enough_and_not_longer(limits: Limits, clock: Clock) -> None:
    ask(limits)
    clock.now += SECONDS - 1
    for _ in range(QUESTIONS - 1):
        ask(limits)
    with pytest.raises(BusyError, match="in 1 second\\.$"):
        ask(limits)
    clock.now += 1
    ask(limits)
    # The next one has to wait for the second question, which was asked much later.
    with pytest.raises(BusyError, match=f"in {SECONDS - 1:.0f} seconds"):
        ask(limits)


def test_a_refused_question_does_not_make_the_wait_longer(limits: Limits, clock: Clock) -> None:
    ask_all(limits)
    clock.now += SECONDS / 2
    for _ in range(3):
        with pytest.raises(BusyError):
            ask(limits)
    clock.now += SECONDS / 2
    ask_all(limits)


def test_a_server_has_so_many_questions_under_way_and_not_one_more(limits: Limits) -> None:
    with ExitStack() as under_way:
        for user in range(100, 100 + WAITING):
            under_way.enter_context(limits.question(user, HERE))
        with pytest.raises(BusyError, match=f"busy with {WAITING} questions from here"):
            ask(limits, BEN)
        ask(limits, ANN, THERE)
    ask(limits, ANN)


def test_a_question_that_fails_makes_room_for_the_next(limits: Limits) -> None:
    with ExitStack() as under_way:
        for user in range(100, 100 + WAITING - 1):
            under_way.enter_context(limits.question(user, HERE))
        with pytest.raises(ValueError, match="no such"), limits.question(ANN, HERE):
            raise ValueError("no such story")
        ask(limits, BEN)


def test_people_whose_questions_are_long_past_are_forgotten(limits: Limits, clock: Clock) -> None:
    for user in range(10_001):
        ask(limits, user)
    clock.now += SECONDS + 1
    ask_all(limits, 20_000)
    assert len(limits._asked) == 1
    with pytest.raises(BusyError):
        ask(limits, 20_000)
