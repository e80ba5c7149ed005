from collections.abc import Sequence
from dataclasses import dataclass

from data.builds import Recipe
from data.chunks import NewChunk
from data.models import Attribution, Span
from data.signatures import Signature, signature
from index.chunking import CHUNKER_VERSION, HEADER_VERSION, Chunker, header
from index.encoder import Encoder


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text and attribution with its chunks, encoded and not stored yet."""

    text: str
    attribution: Attribution
    chunks: tuple[NewChunk, ...]
    signature: Signature


def prepare(stories: Sequence[tuple[str, Attribution]], encoder: Encoder) -> list[Prepared]:
    """Return the stories, each a text and its attribution, cut and encoded."""
    chunker = Chunker(encoder.token_spans)
    return encode_chunks(stories, [chunker.chunk(text) for text, _ in stories], encoder)


def recipe_of(encoder: Encoder) -> Recipe:
    """Return the recipe of a build that is made with this encoder by this version."""
    identity = encoder.identity
    return Recipe(
        encoder=identity.name,
        weights_hash=identity.weights_hash,
        dimension=identity.dimension,
        chunker_version=CHUNKER_VERSION,
        header_version=HEADER_VERSION,
    )


def encoded_text(attribution: Attribution, text: str, span: Span) -> str:
    """Return what is given to the encoder for a chunk: the story's header, then the slice."""
    return f"{header(attribution)}\n{span.slice(text)}"


def encode_chunks(
    stories: Sequence[tuple[str, Attribution]], spans: Sequence[Sequence[Span]], encoder: Encoder
) -> list[Prepared]:
    """Return the stories with the given spans encoded; all go through the encoder together."""
    texts = [
        encoded_text(attribution, text, span)
        for (text, attribution), story_spans in zip(stories, spans, strict=True)
        for span in story_spans
    ]
    vectors = iter(encoder.encode_documents(texts))
    return [
        Prepared(
            text,
            attribution,
            tuple(NewChunk(span, next(vectors).astype("<f4").tobytes()) for span in story_spans),
            signature(text),
        )
        for (text, attribution), story_spans in zip(stories, spans, strict=True)
    ]
