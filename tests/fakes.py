import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from snowballstemmer import stemmer

from data.articles import ArticleStore
from data.collections import Collection, Collections
from data.database import Database
from data.models import Attribution, Draft, Revision, Span, normalise, text_hash
from index.answerer import Answerer, Searchable
from index.encoder import Encoder, EncoderIdentity, Vectors, unit_rows
from index.encoders import DEFAULT_ENCODER, Encoders
from index.indexer import Indexer
from index.live import LiveIndex
from index.models import Evidence, Passage
from index.reader import SentenceReader
from index.retriever import Retriever
from index.verification import Verifier

DIMENSION = 64
# Keeps the vector of a text without words from being zero.
_EVERYWHERE = 0.01
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_STEMMER = stemmer("english")


class HashEncoder(Encoder):
    """A bag of stemmed words, hashed into 64 dimensions: texts that share words are similar.

    Two names give two unrelated encoders. `encoded` keeps the documents that were asked for, and
    `before_encoding` is called before each such batch, so that a test can let something happen
    while stories are being encoded.
    """

    def __init__(
        self, name: str = DEFAULT_ENCODER, *, weights: str = "", dimension: int = DIMENSION
    ) -> None:
        digest = hashlib.sha256((name + weights).encode()).hexdigest()
        self._identity = EncoderIdentity(name, digest, dimension)
        self._seed = zlib.crc32((name + weights).encode())
        self.encoded: list[str] = []
        self.before_encoding: Callable[[], None] | None = None

    @property
    def identity(self) -> EncoderIdentity:
        return self._identity

    @property
    def runtime(self) -> str:
        return "hashed words"

    def encode_documents(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None
    ) -> Vectors:
        if self.before_encoding is not None:
            self.before_encoding()
        self.encoded.extend(texts)
        rows = np.full((len(texts), self._identity.dimension), _EVERYWHERE, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _WORD.findall(text.lower()):
                stem = _STEMMER.stemWord(word)
                row[zlib.crc32(stem.encode(), self._seed) % self._identity.dimension] += 1
        if on_batch is not None and texts:
            on_batch(len(texts))
        return unit_rows(rows)

    def encode_query(self, text: str) -> Vectors:
        hook, self.before_encoding = self.before_encoding, None
        row: Vectors = self.encode_documents([text])[0]
        self.before_encoding = hook
        self.encoded.pop()
        return row

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(text)]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The real services of one collection, wired as bot.py does, around a `HashEncoder`."""

    home: Path
    collection: Collection
    db: Database
    articles: ArticleStore
    encoders: Encoders
    live: LiveIndex
    indexer: Indexer
    retriever: Retriever
    answerer: Answerer
    verifier: Verifier

    @property
    def encoder(self) -> HashEncoder:
        """Return the default encoder, which the reader always uses."""
        found = self.encoders.get(DEFAULT_ENCODER)
        if not isinstance(found, HashEncoder):
            raise TypeError("the default encoder of these services is another one")
        return found

    def close(self) -> None:
        self.db.close()


def wire(
    home: Path,
    *,
    name: str = "shared",
    wanted: str | None = None,
    load: Callable[[str], Encoder] = HashEncoder,
    threshold: float | None = None,
) -> Wiring:
    """Return services on a connection of their own; call it again for a second process's."""
    collection = Collections(home).get(name)
    db = collection.connect()
    encoders = Encoders(wanted=wanted, load=load)
    live = LiveIndex(collection)
    retriever = Retriever(db=db, encoders=encoders, live=live)
    reader = SentenceReader(lambda: encoders.get(DEFAULT_ENCODER))
    return Wiring(
        home=home,
        collection=collection,
        db=db,
        articles=ArticleStore(db),
        encoders=encoders,
        live=live,
        indexer=Indexer(collection=collection, db=db, encoders=encoders, live=live),
        retriever=retriever,
        answerer=Answerer(
            [Searchable(db, ArticleStore(db), retriever)], reader=reader, threshold=threshold
        ),
        verifier=Verifier(collection=collection, db=db, encoders=encoders),
    )


def story(
    text: str = "The mayor opened the bridge.",
    *,
    title: str = "Bridge opened",
    source: str | None = None,
    author: str | None = None,
    date: str | None = None,
    url: str | None = None,
    external_id: str | None = None,
) -> Draft:
    """Return a draft as the parsers make them: its text normalised, its title given."""
    return Draft(normalise(text), Attribution(title, source, author, date, url), external_id)


def revision(
    text: str,
    *,
    id: int = 1,  # noqa: A002  # the field's own name
    article_id: str | None = None,
    title: str = "Title",
) -> Revision:
    """Return a revision that is in no database; each id is a story of its own."""
    text = normalise(text)
    return Revision(
        id=id,
        article_id=article_id or f"story-{id}",
        external_id=None,
        text=text,
        sha256=text_hash(text),
        attribution=Attribution(title),
        created_at="2025-01-01T00:00:00+00:00",
    )


def passage(
    of: Revision, span: Span | None = None, *, rank: int = 1, score: float = 1.0
) -> Passage:
    """Return a retrieved passage, the whole text where no span is named."""
    return Passage(rank, of, span or Span(0, len(of.text)), rank, score, similarity=score)


def evidence(
    of: Revision,
    quote: Span,
    *,
    score: float = 0.9,
    strength: float | None = None,
    highlight: Span | None = None,
) -> Evidence:
    """Return what a reader may have found."""
    return Evidence(of, quote, score, highlight, strength=strength)
