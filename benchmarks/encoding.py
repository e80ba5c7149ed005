"""How much faster is the fast runtime, and does it say the same? Ratios within one run.

Encodes the same passages with plain sentence-transformers and with OpenVINO, in turn. Needs no
data: the passages are pieces of the bundled samples.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.common import report
from data.ingestion import read_story
from index.chunking import CHUNK_TOKENS, Chunker
from index.encoders import DEFAULT_ENCODER, SentenceEncoder, load_encoder

ROUNDS = 3
SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"


def passages(encoder: SentenceEncoder, count: int) -> list[str]:
    """Return `count` passages of up to 254 tokens, cut from all the samples put together."""
    text = "\n\n".join(read_story(path).text for path in sorted(SAMPLES.glob("*.md")))
    spans = Chunker(encoder.token_spans, max_tokens=CHUNK_TOKENS, overlap_tokens=128).chunk(text)
    return [spans[i % len(spans)].slice(text) for i in range(count)]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=128)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cache = SAMPLES.parent.parent / "var" / "cache"
    fast = load_encoder(DEFAULT_ENCODER, cache=cache)
    plain = load_encoder(DEFAULT_ENCODER, cache=None, fast=False)
    texts = passages(fast, options.passages)
    rates: dict[str, list[float]] = {fast.runtime: [], plain.runtime: []}
    for _ in range(ROUNDS):
        for encoder in (fast, plain):
            begun = time.perf_counter()
            encoder.encode_documents(texts)
            rates[encoder.runtime].append(len(texts) / (time.perf_counter() - begun))
    cosines = np.sum(fast.encode_documents(texts) * plain.encode_documents(texts), axis=1)
    figures = {f"passages_per_second {name}": statistics.median(r) for name, r in rates.items()}
    ratios = [a / b for a, b in zip(rates[fast.runtime], rates[plain.runtime], strict=True)]
    figures["ratio"] = statistics.median(ratios)
    figures["lowest_cosine"] = float(cosines.min())
    report("Encoding", figures, options.json)


if __name__ == "__main__":
    main()
