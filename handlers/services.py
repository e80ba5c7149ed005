from dataclasses import dataclass

from data.articles import ArticleStore
from data.collections import Collection
from data.database import Database
from data.settings import Settings
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
    encoders: Encoders
    indexer: Indexer
    retriever: Retriever
    answerer: Answerer
    verifier: Verifier

    def close(self) -> None:
        """Close the connection; nothing of the services can be used afterwards."""
        self.db.close()
