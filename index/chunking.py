from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from data.dates import date_in_words
from data.models import Attribution, Span
from index.sentences import sentence_spans

# Both versions are part of the index fingerprint: raise one when the function below it changes
# what it returns, and `rebuild` is asked for.
CHUNKER_VERSION = 2
HEADER_VERSION = 1

# Longest chunk in the encoder's own tokens, without the two special tokens that the encoder adds,
# so that a chunk is at most 256 tokens however one counts.
CHUNK_TOKENS = 254
# A chunk repeats the end of the one before it up to this many tokens, in whole sentences.
OVERLAP_TOKENS = 48

TokenSpans = Callable[[str], Sequence[tuple[int, int]]]
"""Text -> the code point range of each of the encoder's tokens, in order."""


def header(attribution: Attribution) -> str:
    """Return the line that is encoded and indexed in front of each chunk of a story.

    It is never part of the stored text, so it is never quoted.
    """
    parts = [attribution.title, attribution.source, date_in_words(attribution.published_at)]
    return " | ".join(part for part in parts if part)


class Chunker:
    """Cuts texts into chunks of whole sentences that the encoder can take in."""

    def __init__(
        self,
        token_spans: TokenSpans,
        *,
        max_tokens: int = CHUNK_TOKENS,
        overlap_tokens: int = OVERLAP_TOKENS,
    ) -> None:
        if not 0 <= overlap_tokens < max_tokens:
            raise ValueError("the overlap must be shorter than a chunk")
        self._token_spans = token_spans
        self._max_tokens = max_tokens
        self._overlap_tokens = overlap_tokens

    def chunk(self, text: str) -> list[Span]:
        """Return the chunks of `text` in order, as code point spans.

        Each is at most `max_tokens` tokens, begins and ends with a sentence (or with a piece of
        one that is longer than that), and shares at most `overlap_tokens` tokens with the one
        before. Together they cover every sentence. A text without words has no chunks.
        """
        starts = [start for start, _ in self._token_spans(text)]

        def tokens(start: int, end: int) -> int:
            return bisect_left(starts, end) - bisect_left(starts, start)

        pieces = [
            piece
            for sentence in sentence_spans(text)
            for piece in self._pieces(sentence, starts, text)
        ]
        chunks: list[Span] = []
        first = 0
        while first < len(pieces):
            last = first
            while (
                last + 1 < len(pieces)
                and tokens(pieces[first].start, pieces[last + 1].end) <= self._max_tokens
            ):
                last += 1
            chunks.append(Span(pieces[first].start, pieces[last].end))
            if last + 1 == len(pieces):
                break
            following = last + 1
            while (
                following - 1 > first
                and tokens(pieces[following - 1].start, pieces[last].end) <= self._overlap_tokens
                and tokens(pieces[following - 1].start, pieces[last + 1].end) <= self._max_tokens
            ):
                following -= 1
            first = following
        return chunks

    def _pieces(self, sentence: Span, starts: Sequence[int], text: str) -> Iterator[Span]:
        """Yield the sentence, or pieces of at most `max_tokens` tokens cut at white space."""
        low, high = bisect_left(starts, sentence.start), bisect_left(starts, sentence.end)
        begin = sentence.start
        while high - low > self._max_tokens:
            limit = starts[low + self._max_tokens]
            cut = limit
            while cut > begin and not text[cut - 1].isspace():
                cut -= 1
            if cut == begin:  # no white space, as in Chinese: cut between two tokens
                cut = limit
            end = begin + len(text[begin:cut].rstrip())
            yield Span(begin, end)
            begin = cut
            low = bisect_left(starts, begin)
        yield Span(begin, sentence.end)
