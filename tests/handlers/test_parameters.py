import click
import pytest

from handlers.parameters import FirstDay, LastDay, day_of


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ("2024-10-25", "2024-10-25", "2024-10-25"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023", "2023-01-01", "2023-12-31"),
        (" 2024-10-25 ", "2024-10-25", "2024-10-25"),
        ("2024-10-25T23:30:00-11:00", "2024-10-25", "2024-10-25"),
        ("October 25, 2024", "2024-10-25", "2024-10-25"),
        ("Oct 2024", "2024-10-01", "2024-10-31"),
        ("25.10.2024", "2024-10-25", "2024-10-25"),
    ],
)
def test_a_date_is_read_as_its_first_or_its_last_day(given: str, first: str, last: str) -> None:
    assert FirstDay().convert(given, None, None) == first == day_of(given, last=False)
    assert LastDay().convert(given, None, None) == last == day_of(given, last=True)


@pytest.mark.parametrize("kind", [FirstDay, LastDay])
@pytest.mark.parametrize(
    "given", ["", "yesterday", "soon", "03/04/2024", "2024-13", "2024-02-30", "2024-10-25x", "25"]
)
def test_a_date_that_is_not_certain_is_refused_in_a_sentence(
    kind: type[FirstDay], given: str
) -> None:
    with pytest.raises(click.BadParameter, match="can be read for certain; write 2024-10-25") as e:
        kind().convert(given, None, None)
    assert repr(given) in e.value.message
    assert day_of(given, last=False) is None
