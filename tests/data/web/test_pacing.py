import pytest

from data.web.fetch_errors import FetchError
from data.web.pacing import MAX_REST, MAX_WAIT, Rests, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_request_does_not_wait_and_the_next_ones_queue() -> None:
    turns = Turns(Clock())
    assert [turns.reserve("a.com", 2.0) for _ in range(3)] == [0.0, 2.0, 4.0]


def test_hosts_do_not_wait_for_each_other() -> None:
    turns = Turns(Clock())
    assert [turns.reserve(host, 2.0) for host in ("a.com", "b.com")] == [0.0, 0.0]


def test_time_that_has_passed_is_not_waited_for() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.reserve("a.com", 2.0)
    clock.now += 1.5
    assert turns.reserve("a.com", 2.0) == 0.5
    clock.now += 60.0
    assert turns.reserve("a.com", 2.0) == 0.0


def test_a_queue_that_is_too_long_is_refused_and_grows_no_more() -> None:
    turns = Turns(Clock())
    waits = [turns.reserve("a.com", 30.0) for _ in range(11)]
    assert waits[-1] == MAX_WAIT
    for _ in range(2):
        with pytest.raises(FetchError, match="waiting already") as caught:
            turns.reserve("a.com", 30.0)
        assert caught.value.retry_after == 330.0


def test_hosts_whose_time_has_passed_are_forgotten() -> None:
    clock = Clock()
    turns = Turns(clock)
    for number in range(5000):
        turns.reserve(f"{number}.com", 1.0)
        clock.now += 0.5
    assert len(turns._free_at) <= 1001


async def test_waiting_ends_when_the_turn_has_come() -> None:
    clock = Clock()
    turns = Turns(clock)
    turns.reserve("a.com", 0.01)
    await turns.wait("a.com", 0.01)
    assert turns.reserve("a.com", 0.0) == pytest.approx(0.02)


# --- hosts that asked to be left alone


def test_a_host_rests_for_as_long_as_it_asked_and_no_other_does() -> None:
    clock = Clock()
    rests = Rests(clock)
    rests.begin("a.com", 60.0)
    assert (rests.left("a.com"), rests.left("b.com")) == (60.0, 0.0)
    clock.now += 59.0
    assert rests.left("a.com") == 1.0
    clock.now += 2.0
    assert rests.left("a.com") == 0.0


def test_a_shorter_wish_does_not_cut_a_longer_one() -> None:
    rests = Rests(Clock())
    for seconds in (60.0, 10.0):
        rests.begin("a.com", seconds)
    assert rests.left("a.com") == 60.0


def test_no_host_rests_for_more_than_a_day() -> None:
    rests = Rests(Clock())
    rests.begin("a.com", 10**9)
    assert rests.left("a.com") == MAX_REST == 24 * 60 * 60


def test_hosts_whose_rest_is_over_are_forgotten() -> None:
    clock = Clock()
    rests = Rests(clock)
    for number in range(1000):
        rests.begin(f"{number}.com", 1.0)
    clock.now += 2.0
    rests.begin("a.com", 1.0)
    assert len(rests._until) == 1
