import numpy as np

from data.models import Attribution, Span
from index.chunking import CHUNKER_VERSION, HEADER_VERSION
from index.preparation import encode_chunks, encoded_text, prepare, recipe_of
from tests.fakes import DIMENSION, HashEncoder

TITLE = Attribution("T", "Herald", "Ann", "2024-10", "https://herald.example")


def test_a_chunk_is_encoded_behind_its_header() -> None:
    assert encoded_text(TITLE, "Rain. Snow.", Span(6, 11)) == "T | Herald | October 2024\nSnow."


def test_stories_go_through_the_encoder_together_and_each_gets_its_own_vectors() -> None:
    encoder, calls = HashEncoder(), list[int]()
    encoder.before_encoding = lambda: calls.append(1)
    stories = [("Rain. Snow.", TITLE), ("Hail.", Attribution("U"))]
    spans = [[Span(0, 5), Span(6, 11)], [Span(0, 5)]]
    prepared = encode_chunks(stories, spans, encoder)
    assert len(calls) == 1
    assert [(item.text, item.attribution) for item in prepared] == stories
    assert [[chunk.span for chunk in item.chunks] for item in prepared] == spans
    expected = HashEncoder().encode_documents(
        ["T | Herald | October 2024\nRain.", "T | Herald | October 2024\nSnow.", "U\nHail."]
    )
    found = [np.frombuffer(chunk.vector, "<f4") for item in prepared for chunk in item.chunks]
    assert np.array_equal(np.stack(found), expected)


def test_a_story_is_cut_before_it_is_encoded() -> None:
    text = " ".join(f"The bridge opened on day {i}." for i in range(100))
    (prepared,) = prepare([(text, TITLE)], HashEncoder())
    assert len(prepared.chunks) > 1
    assert (prepared.chunks[0].span.start, prepared.chunks[-1].span.end) == (0, len(text))
    assert {len(chunk.vector) for chunk in prepared.chunks} == {4 * DIMENSION}


def test_no_stories_are_nothing() -> None:
    assert prepare([], HashEncoder()) == []


def test_a_recipe_names_the_encoder_and_the_versions() -> None:
    recipe = recipe_of(HashEncoder("other"))
    assert (recipe.encoder, recipe.dimension) == ("other", DIMENSION)
    assert recipe.weights_hash == HashEncoder("other").identity.weights_hash
    assert (recipe.chunker_version, recipe.header_version) == (CHUNKER_VERSION, HEADER_VERSION)
