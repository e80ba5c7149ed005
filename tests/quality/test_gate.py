from tests.quality.gate import Bounds, breaches, updated

BOUNDS: Bounds = {"b": {"good": {"floor": 0.5}, "length": {"ceiling": 220}}}


def test_a_figure_below_its_floor_is_a_breach() -> None:
    assert len(breaches({"b": {"good": 0.49, "length": 100}}, BOUNDS)) == 1


def test_a_figure_above_its_ceiling_is_a_breach() -> None:
    assert len(breaches({"b": {"good": 0.5, "length": 221}}, BOUNDS)) == 1


def test_figures_at_their_bounds_pass() -> None:
    assert breaches({"b": {"good": 0.5, "length": 220}}, BOUNDS) == []


def test_updating_raises_a_floor_less_the_margin() -> None:
    new, said = updated({"b": {"good": 0.6, "length": 100}}, BOUNDS, lower=False)
    assert new["b"]["good"]["floor"] == 0.595
    assert new["b"]["length"]["ceiling"] == 220
    assert said == []


def test_updating_lowers_a_floor_only_when_told_to_and_says_so() -> None:
    worse = {"b": {"good": 0.4, "length": 100}}
    kept, said = updated(worse, BOUNDS, lower=False)
    assert kept["b"]["good"]["floor"] == 0.5
    assert "not lowered" in said[0]
    lowered, said = updated(worse, BOUNDS, lower=True)
    assert lowered["b"]["good"]["floor"] == 0.395
    assert said[0].startswith("LOWERED")
