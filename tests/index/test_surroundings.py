from hypothesis import given
from hypothesis import strategies as st

from data.models import Span
from index.citations import surroundings

TEXT = "One is first.\n\nTwo is here. Two goes on.\n\nThree is last."
QUOTE = Span(TEXT.index("Two is"), TEXT.index("Two is") + len("Two is here."))


def test_the_neighbouring_paragraphs_come_along_where_they_fit() -> None:
    assert surroundings(TEXT, QUOTE, limit=1000).slice(TEXT) == TEXT


def test_what_follows_comes_before_what_went_ahead() -> None:
    limit = len("Two is here. Two goes on.\n\nThree is last.")
    assert surroundings(TEXT, QUOTE, limit=limit).slice(TEXT) == TEXT[QUOTE.start :]


def test_the_paragraph_alone_is_given_where_no_neighbour_fits() -> None:
    assert surroundings(TEXT, QUOTE, limit=26).slice(TEXT) == "Two is here. Two goes on."


def test_a_long_paragraph_is_cut_around_the_quote() -> None:
    text = "a " * 500 + "Here it is. " + "b " * 500
    start = text.index("Here")
    around = surroundings(text, Span(start, start + 11), limit=111)
    assert len(around) == 111
    assert around.contains(Span(start, start + 11))


@given(st.text(st.sampled_from("ab. \n\r\u2028"), min_size=1, max_size=200), st.data())
def test_the_quote_is_always_inside_and_the_limit_kept(text: str, data: st.DataObject) -> None:
    visible = [i for i, c in enumerate(text) if not c.isspace()]
    if not visible:
        return
    start = data.draw(st.sampled_from(visible))
    end = data.draw(st.sampled_from([i for i in visible if i >= start])) + 1
    quote = Span(start, end)
    limit = data.draw(st.integers(len(quote) + 1, 300))
    around = surroundings(text, quote, limit=limit)
    assert around.contains(quote)
    assert len(around) <= limit
    assert around.end <= len(text)
