_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def date_in_words(published_at: str | None) -> str | None:
    """Return an ISO date as people write it (`25 October 2024`, `October 2024`, `2024`), or None.

    The precision stays: a month gets no day. The time of day and the offset are left out and
    nothing is converted, so the day is the publisher's own.
    """
    if published_at is None:
        return None
    year, *rest = published_at[:10].split("-")
    words = [year]
    if rest:
        words.insert(0, _MONTHS[int(rest[0]) - 1])
    if len(rest) > 1:
        words.insert(0, str(int(rest[1])))
    return " ".join(words)
