from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# Texts encoded together. They are sorted by length first, so that little is padded.
BATCH_SIZE = 16


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What makes two encoders interchangeable: the same name, weights and dimension."""

    name: str
    weights_hash: str
    dimension: int


class Encoder(ABC):
    """Turns texts into unit vectors whose inner product is their similarity."""

    @property
    @abstractmethod
    def identity(self) -> EncoderIdentity:
        """The identity that is written into every index made with this encoder."""

    @property
    @abstractmethod
    def runtime(self) -> str:
        """What runs the model, in words for people: `openvino bf16`, `torch fp32`."""

    @abstractmethod
    def encode_documents(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> Vectors:
        """Return one unit row for each text, shape (n, d), float32.

        `on_batch` is told how many texts each finished batch had.
        """

    @abstractmethod
    def encode_query(self, text: str) -> Vectors:
        """Return the unit vector of a question, shape (d,), float32."""

    @abstractmethod
    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return the code point range of each token of the text, in order, no special tokens."""


class Runtime(Protocol):
    """The part of an encoder that computes: a batch of texts in, unit rows out."""

    name: str

    def run(self, texts: Sequence[str]) -> Vectors:
        """Return one unit row for each text, shape (n, d), float32."""
        ...


def unit_rows(matrix: NDArray[np.floating]) -> Vectors:
    """Return the rows scaled to length 1 as float32; a zero row stays zero.

    Raises:
        FloatingPointError: if a number is not finite, which a sound model never gives.
    """
    rows = np.ascontiguousarray(matrix, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise FloatingPointError("the encoder gave numbers that are not finite")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    norms[norms == 0] = 1
    scaled: Vectors = rows / norms
    return scaled


def encode_sorted(
    runtime: Runtime,
    texts: Sequence[str],
    dimension: int,
    on_batch: Callable[[int], None] | None = None,
) -> Vectors:
    """Return one unit row for each text, shape (n, dimension), in the order of `texts`.

    Works through the texts from the longest to the shortest in batches of 16.
    """
    rows = np.zeros((len(texts), dimension), dtype=np.float32)
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for first in range(0, len(order), BATCH_SIZE):
        batch = order[first : first + BATCH_SIZE]
        rows[batch] = runtime.run([texts[i] for i in batch])
        if on_batch is not None:
            on_batch(len(batch))
    return rows
