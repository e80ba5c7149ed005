"""Entry of Pullquote: settings, then services, then the command line."""

import io
import sys
import threading
from collections import OrderedDict
from functools import partial
from pathlib import Path

from data.addresses import HostRules
from data.answers import AnswerStore, open_memory
from data.articles import ArticleStore
from data.collections import Collection, Collections
from data.database import Database
from data.domains import RefusedDomains
from data.guilds import GuildStore
from data.headlines import HeadlineStore
from data.origins import OriginStore
from data.rechecks import RecheckStore
from data.settings import Settings, default_home, load_settings
from data.standing import StandingStore
from data.version import user_agent
from data.web.fetch import Fetcher
from handlers.app import DEFAULT_COLLECTION, App
from handlers.services import Services, Session
from handlers.terminal.cli import run
from index.answerer import Answerer, Searchable
from index.encoders import DEFAULT_ENCODER, Encoders, load_encoder
from index.indexer import Indexer
from index.live import LiveIndex
from index.reader import SentenceReader
from index.retriever import Retriever
from index.verification import Verifier

ROOT = Path(__file__).resolve().parent
# Vector indexes that are kept in memory, those of the collections that were asked last.
_LIVE_INDEXES = 64


def settings_for(home: Path | None) -> Settings:
    """Return the settings of a home folder; None is the one that the environment names.

    Raises:
        UserError: if a setting has the wrong form.
    """
    return load_settings(home or default_home(), root=ROOT)


class Opener:
    """Opens services on connections of their own; models and vector indexes are shared."""

    def __init__(self, settings: Settings) -> None:
        load = partial(load_encoder, cache=settings.cache, fast=settings.fast_runtime)
        self.encoders = Encoders(wanted=settings.encoder, load=load)
        self._settings = settings
        self._collections = Collections(settings.home)
        self._refused_domains = RefusedDomains(settings.home, settings.refused_hosts)
        self._reader = SentenceReader(lambda: self.encoders.get(DEFAULT_ENCODER))
        self._live: OrderedDict[str, LiveIndex] = OrderedDict()
        self._lock = threading.Lock()

    def services(self, name: str) -> Services:
        """Return the services of one collection.

        Raises:
            UserError: if the name is none, or the home folder cannot be used.
        """
        collection = self._collections.get(name)
        db = collection.connect()
        live = self._live_index(collection)
        retriever = Retriever(db=db, encoders=self.encoders, live=live)
        articles = ArticleStore(db)
        return Services(
            settings=self._settings,
            collection=collection,
            db=db,
            articles=articles,
            headlines=HeadlineStore(db),
            origins=OriginStore(db),
            rechecks=RecheckStore(db),
            standing=StandingStore(db),
            encoders=self.encoders,
            indexer=Indexer(
                collection=collection,
                db=db,
                encoders=self.encoders,
                live=live,
                refused_domains=self._refused_domains,
            ),
            retriever=retriever,
            answerer=self._answerer(Searchable(db, articles, retriever)),
            verifier=Verifier(collection=collection, db=db, encoders=self.encoders),
        )

    def session(self, guild_id: int | None) -> Session:
        """Return what one request of a server may touch; None is a direct message.

        Raises:
            StorageError: if the home folder cannot be used.
        """
        own = None if guild_id is None else self.services(str(guild_id))
        shared = self.services(DEFAULT_COLLECTION)
        readable = (shared,) if own is None else (own, shared)
        memory = open_memory(self._settings.home)
        return Session(
            own=own,
            shared=shared,
            answerer=self._answerer(*(Searchable(s.db, s.articles, s.retriever) for s in readable)),
            memory=memory,
            answers=AnswerStore(memory),
            guilds=GuildStore(memory),
        )

    def memory(self) -> Database:
        """Return a connection to what the bot itself remembers.

        Raises:
            StorageError: if the home folder cannot be used.
        """
        return open_memory(self._settings.home)

    def fetcher(self) -> Fetcher:
        """Return what fetches pages and feeds, for one event loop."""
        return Fetcher(
            HostRules(self._settings.allowed_hosts, self._settings.refused_hosts),
            user_agent=user_agent(self._settings.source_url),
            refused_domains=self._refused_domains,
        )

    def warm_up(self) -> None:
        """Load the encoder that questions are read with, so that the first one need not wait."""
        self.encoders.get(DEFAULT_ENCODER).encode_query("warm up")

    def _answerer(self, *collections: Searchable) -> Answerer:
        threshold = self._settings.confidence_threshold
        return Answerer(collections, reader=self._reader, threshold=threshold)

    def _live_index(self, collection: Collection) -> LiveIndex:
        with self._lock:
            live = self._live.setdefault(collection.name, LiveIndex(collection))
            self._live.move_to_end(collection.name)
            while len(self._live) > _LIVE_INDEXES:
                self._live.popitem(last=False)
            return live


def open_services(settings: Settings, collection_name: str) -> Services:
    """Return the services of one collection, with models and an index of their own."""
    return Opener(settings).services(collection_name)


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no é still gets the rest
    app = App(
        settings_for=settings_for,
        open_services=open_services,
        opener=Opener,
        samples=ROOT / "data/samples",
    )
    sys.exit(run(app))


if __name__ == "__main__":
    main()
