from sqlite_utils import Database, Migrations

stories = Migrations("stories")


@stories()
def m001_stories(db: Database) -> None:
    """Create articles, their revisions, and the counter that tells that something changed."""
    db.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT")
    db.execute("INSERT INTO state VALUES ('generation', 0), ('token', random())")
    db.execute("""
        CREATE TABLE articles (
            id TEXT PRIMARY KEY,
            canonical_url TEXT,
            revision_id INTEGER REFERENCES revisions(id) DEFERRABLE INITIALLY DEFERRED,
            added_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX articles_url ON articles(canonical_url)")
    db.execute("""
        CREATE TABLE external_ids (
            external_id TEXT PRIMARY KEY,
            article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
            is_primary INTEGER NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX external_ids_article ON external_ids(article_id)")
    db.execute("""
        CREATE TABLE revisions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
            text TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            title TEXT NOT NULL,
            source TEXT,
            author TEXT,
            published_at TEXT,
            url TEXT,
            first_day TEXT,
            last_day TEXT,
            created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX revisions_article ON revisions(article_id)")
    db.execute("CREATE INDEX revisions_text ON revisions(sha256)")


@stories()
def m002_chunks(db: Database) -> None:
    """Create the index builds, the chunks with their vectors, and the full-text index."""
    db.execute("""
        CREATE TABLE builds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            state TEXT NOT NULL CHECK (state IN ('building', 'live', 'previous')),
            encoder TEXT NOT NULL,
            weights_hash TEXT NOT NULL,
            dimension INTEGER NOT NULL,
            chunker_version INTEGER NOT NULL,
            header_version INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            finished_at TEXT
        ) STRICT""")
    db.execute("CREATE UNIQUE INDEX builds_one_of_each_state ON builds(state)")
    db.execute("""
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            build_id INTEGER NOT NULL REFERENCES builds(id) ON DELETE CASCADE,
            revision_id INTEGER NOT NULL REFERENCES revisions(id) ON DELETE CASCADE,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            vector BLOB NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX chunks_build ON chunks(build_id, revision_id)")
    db.execute("CREATE INDEX chunks_revision ON chunks(revision_id)")
    db.execute("""
        CREATE VIRTUAL TABLE chunks_fts USING fts5(
            title, source, date, body, tokenize = 'porter unicode61 remove_diacritics 2'
        )""")
    # Whatever removes a chunk, a cascade included, takes its full-text row along.
    db.execute("""
        CREATE TRIGGER chunks_fts_follows AFTER DELETE ON chunks
        BEGIN DELETE FROM chunks_fts WHERE rowid = old.id; END""")


@stories()
def m003_origins(db: Database) -> None:
    """Remember who added a story, and the message that it came with."""
    db.execute("""
        CREATE TABLE origins (
            article_id TEXT PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
            added_by INTEGER NOT NULL,
            link TEXT
        ) STRICT""")


@stories()
def m004_web(db: Database) -> None:
    """Remember what a story's page says and when it is looked at again; withdrawals; removals.

    `said` is the attribution as a machine read it last, by which a correction of the publisher's
    is told from one that somebody made here. Of a removed story only its id stays, so that an
    answer that quoted it can say so.
    """
    db.execute("ALTER TABLE articles ADD COLUMN withdrawn_at TEXT")
    db.execute("ALTER TABLE revisions ADD COLUMN modified_at TEXT")
    db.execute("""
        CREATE TABLE pages (
            article_id TEXT PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
            url TEXT NOT NULL,
            etag TEXT,
            last_modified TEXT,
            checked_at TEXT NOT NULL,
            next_check_at TEXT NOT NULL,
            problem TEXT
        ) STRICT""")
    db.execute("CREATE INDEX pages_next ON pages(next_check_at)")
    db.execute("""
        CREATE TABLE said (
            article_id TEXT PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
            title TEXT,
            source TEXT,
            author TEXT,
            published_at TEXT,
            url TEXT
        ) STRICT""")
    db.execute("""
        CREATE TABLE removals (
            article_id TEXT PRIMARY KEY,
            removed_at TEXT NOT NULL
        ) STRICT""")


@stories()
def m005_signatures(db: Database) -> None:
    """Create what copies of one story are found by."""
    db.execute("""
        CREATE TABLE signatures (
            revision_id INTEGER PRIMARY KEY REFERENCES revisions(id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            minhash BLOB NOT NULL
        ) STRICT""")
    db.execute("""
        CREATE TABLE signature_bands (
            band INTEGER NOT NULL,
            revision_id INTEGER NOT NULL REFERENCES signatures(revision_id) ON DELETE CASCADE,
            PRIMARY KEY (band, revision_id)
        ) STRICT, WITHOUT ROWID""")
    db.execute("CREATE INDEX signature_bands_revision ON signature_bands(revision_id)")


@stories()
def m006_read_pages(db: Database) -> None:
    """Remember whether a story's text was read from its page, and by which address that was asked.

    Whatever else changes the text makes it another one than the page's, and what the page's server
    said of it worthless. Before, a feed's text could stand there with its page's validators, so
    each page is asked for whole once.
    """
    db.execute("ALTER TABLE pages ADD COLUMN was_read INTEGER NOT NULL DEFAULT 1")
    db.execute("ALTER TABLE pages ADD COLUMN asked_url TEXT")
    db.execute("UPDATE pages SET etag = NULL, last_modified = NULL")
    db.execute("""
        CREATE TRIGGER pages_of_another_text AFTER UPDATE OF revision_id ON articles
        WHEN (SELECT sha256 FROM revisions WHERE id = new.revision_id)
            IS NOT (SELECT sha256 FROM revisions WHERE id = old.revision_id)
        BEGIN UPDATE pages SET was_read = 0, etag = NULL, last_modified = NULL
            WHERE article_id = new.id; END""")


memory = Migrations("memory")


@memory()
def m001_memory(db: Database) -> None:
    """Create what the bot remembers of its own doings: answers, votes, choices, rebuilds."""
    db.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    db.execute("""
        CREATE TABLE answers (
            id TEXT PRIMARY KEY,
            guild_id INTEGER,
            channel_id INTEGER NOT NULL,
            message_id INTEGER,
            asker_id INTEGER NOT NULL,
            created_at TEXT NOT NULL
        ) STRICT""")
    db.execute("CREATE INDEX answers_guild ON answers(guild_id)")
    db.execute("CREATE INDEX answers_message ON answers(message_id)")
    db.execute("""
        CREATE TABLE citations (
            answer_id TEXT NOT NULL REFERENCES answers(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            collection TEXT NOT NULL,
            article_id TEXT NOT NULL,
            revision_id INTEGER NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            highlight_start INTEGER,
            highlight_end INTEGER,
            PRIMARY KEY (answer_id, number)
        ) STRICT""")
    db.execute("CREATE INDEX citations_article ON citations(collection, article_id)")
    db.execute("""
        CREATE TABLE votes (
            answer_id TEXT NOT NULL REFERENCES answers(id) ON DELETE CASCADE,
            user_id INTEGER NOT NULL,
            helpful INTEGER NOT NULL,
            PRIMARY KEY (answer_id, user_id)
        ) STRICT""")
    db.execute("""
        CREATE TABLE direct_choices (
            user_id INTEGER PRIMARY KEY,
            guild_id INTEGER NOT NULL
        ) STRICT""")
    # A rebuild that this process runs; one that is here at a start was interrupted.
    db.execute("""
        CREATE TABLE rebuilds (
            guild_id INTEGER PRIMARY KEY,
            channel_id INTEGER NOT NULL,
            message_id INTEGER NOT NULL,
            kind TEXT NOT NULL,
            build_id INTEGER
        ) STRICT""")


@memory()
def m002_web(db: Database) -> None:
    """Create what feeds, corrected answers and domains that were taken out need.

    `citations.marked` says which state of its story stands in the message; an answer is `lost`
    where Discord no longer lets it be edited.
    """
    db.execute("ALTER TABLE citations ADD COLUMN marked TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE answers ADD COLUMN lost INTEGER NOT NULL DEFAULT 0")
    db.execute("""
        CREATE TABLE feeds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            collection TEXT NOT NULL,
            url TEXT NOT NULL,
            title TEXT,
            added_by INTEGER,
            channel_id INTEGER,
            announce_id INTEGER,
            daily_limit INTEGER NOT NULL,
            paused TEXT,
            etag TEXT,
            last_modified TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            problem TEXT,
            polled_at TEXT,
            next_poll_at TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (collection, url)
        ) STRICT""")
    db.execute("CREATE INDEX feeds_next ON feeds(next_poll_at)")
    db.execute("""
        CREATE TABLE feed_items (
            feed_id INTEGER NOT NULL REFERENCES feeds(id) ON DELETE CASCADE,
            guid TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            outcome TEXT NOT NULL,
            reason TEXT,
            title TEXT,
            article_id TEXT,
            tries INTEGER NOT NULL,
            seen_at TEXT NOT NULL,
            taken_at TEXT,
            PRIMARY KEY (feed_id, guid)
        ) STRICT""")
    db.execute("""
        CREATE TABLE refused_domains (
            domain TEXT PRIMARY KEY,
            refused_at TEXT NOT NULL
        ) STRICT""")


@memory()
def m003_citations(db: Database) -> None:
    """Remember by what the quoted version is known again, and who else carried the quote then.

    `carriers` is a JSON list of `[collection, article_id, revision_id, sha256]`, by ids and never
    by names. Answers of before have no `sha256`, and who carried them is not known.
    """
    db.execute("ALTER TABLE citations ADD COLUMN sha256 TEXT")
    db.execute("ALTER TABLE citations ADD COLUMN carriers TEXT NOT NULL DEFAULT '[]'")


@memory()
def m004_waiting(db: Database) -> None:
    """Keep the items of feeds that wait for another day or another try, as JSON."""
    db.execute("""
        CREATE TABLE feed_waiting (
            feed_id INTEGER NOT NULL REFERENCES feeds(id) ON DELETE CASCADE,
            guid TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            item TEXT NOT NULL,
            PRIMARY KEY (feed_id, guid)
        ) STRICT""")
