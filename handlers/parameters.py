import click

from data.dates import days_covered, parse_date


class FirstDay(click.ParamType[str]):
    """A date, read as its first day: `2024-10` is 2024-10-01."""

    name = "DATE"
    _which = 0

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the ISO day.

        Raises:
            click.BadParameter: if the date cannot be read for certain.
        """
        day = day_of(value, last=bool(self._which))
        if day is None:
            self.fail(f"{value!r} is no date that can be read for certain; write 2024-10-25.")
        return day


class LastDay(FirstDay):
    """A date, read as its last day: `2024-10` is 2024-10-31."""

    _which = 1


def whole(text: str | None) -> str | None:
    """Return the text without halves of characters, which can be typed but never stored."""
    return None if text is None else text.encode("utf-8", "ignore").decode("utf-8")


def not_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return an option's value.

    Raises:
        click.BadParameter: if it is there but empty, as from a shell variable that is not set.
    """
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty", ctx, parameter)
    return value


def day_of(text: str, *, last: bool) -> str | None:
    """Return the first or last ISO day that a date means, or None where it cannot be read."""
    days = days_covered(parse_date(text))
    return None if days is None else days[int(last)]
