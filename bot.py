"""Entry of Pullquote: settings, then services, then the command line."""

import io
import sys
from functools import partial
from pathlib import Path

from data.articles import ArticleStore
from data.collections import Collections
from data.settings import Settings, default_home, load_settings
from handlers.app import App
from handlers.cli import run
from handlers.services import Services
from index.answerer import Answerer, Searchable
from index.encoders import DEFAULT_ENCODER, Encoders, load_encoder
from index.indexer import Indexer
from index.live import LiveIndex
from index.reader import SentenceReader
from index.retriever import Retriever
from index.verification import Verifier

ROOT = Path(__file__).resolve().parent


def settings_for(home: Path | None) -> Settings:
    """Return the settings of a home folder; None is the one that the environment names.

    Raises:
        UserError: if a setting has the wrong form.
    """
    return load_settings(home or default_home(), root=ROOT)


def open_services(settings: Settings, collection_name: str) -> Services:
    """Return the services of one collection, on a connection of their own.

    Raises:
        UserError: if the name is none, or the home folder cannot be used.
    """
    collection = Collections(settings.home).get(collection_name)
    db = collection.connect()
    load = partial(load_encoder, cache=settings.cache, fast=settings.fast_runtime)
    encoders = Encoders(wanted=settings.encoder, load=load)
    live = LiveIndex(collection)
    retriever = Retriever(db=db, encoders=encoders, live=live)
    reader = SentenceReader(lambda: encoders.get(DEFAULT_ENCODER))
    return Services(
        settings=settings,
        collection=collection,
        db=db,
        articles=ArticleStore(db),
        encoders=encoders,
        indexer=Indexer(collection=collection, db=db, encoders=encoders, live=live),
        retriever=retriever,
        answerer=Answerer(
            [Searchable(db, ArticleStore(db), retriever)],
            reader=reader,
            threshold=settings.confidence_threshold,
        ),
        verifier=Verifier(collection=collection, db=db, encoders=encoders),
    )


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no é still gets the rest
    app = App(settings_for=settings_for, open_services=open_services, samples=ROOT / "data/samples")
    sys.exit(run(app))


if __name__ == "__main__":
    main()
