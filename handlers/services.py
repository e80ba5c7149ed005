from dataclasses import dataclass

from data.answers import AnswerStore
from data.articles import ArticleStore
from data.collections import Collection
from data.database import Database
from data.errors import NotFoundError
from data.guilds import GuildStore
from data.headlines import HeadlineStore
from data.models import Revision
from data.origins import OriginStore
from data.rechecks import RecheckStore
from data.settings import Settings
from data.standing import StandingStore
from index.answerer import Answerer
from index.encoders import Encoders
from index.indexer import Indexer
from index.retriever import Retriever
from index.verification import Verifier


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that works on one collection, wired once by bot.py, for one thread."""

    settings: Settings
    collection: Collection
    db: Database
    articles: ArticleStore
    headlines: HeadlineStore
    origins: OriginStore
    rechecks: RecheckStore
    standing: StandingStore
    encoders: Encoders
    indexer: Indexer
    retriever: Retriever
    answerer: Answerer
    verifier: Verifier

    def close(self) -> None:
        """Close the connection; nothing of the services can be used afterwards."""
        self.db.close()


@dataclass(frozen=True, slots=True)
class Session:
    """What one request from Discord may touch: its server's stories and the operator's shared.

    `own` is None where there is no server. The answerer reads what is here and nothing else.
    """

    own: Services | None
    shared: Services
    answerer: Answerer
    memory: Database
    answers: AnswerStore
    guilds: GuildStore

    @property
    def readable(self) -> tuple[Services, ...]:
        """Return the collections that may be read, the server's own first."""
        return (self.shared,) if self.own is None else (self.own, self.shared)

    @property
    def writable(self) -> Services:
        """Return the server's own collection, the only one that it may change.

        Raises:
            LookupError: if there is no server; commands that write are not to be had there.
        """
        if self.own is None:
            raise LookupError("there is no server whose stories could be changed")
        return self.own

    def story(self, article_id: str) -> Revision:
        """Return the current revision of a story that may be read.

        Raises:
            NotFoundError: if there is none of that id here.
        """
        for services in self.readable:
            try:
                return services.articles.get(article_id)
            except NotFoundError:
                continue
        raise NotFoundError(f"There is no story with the id {article_id!r} here.")

    def of(self, collection: str) -> Services | None:
        """Return the services of a collection that may be read, or None for any other."""
        return next((s for s in self.readable if s.collection.name == collection), None)

    def close(self) -> None:
        """Close the connections."""
        for services in self.readable:
            services.close()
        self.memory.close()
