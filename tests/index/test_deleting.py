"""Delete means delete: nothing of a removed story is left in any file under the home."""

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from data.answers import AnswerStore, GivenCitation, Place, open_memory
from data.builds import BuildState, BuildStore
from data.chunks import ChunkStore, NewChunk
from data.database import integrity_problems, read, scalar, write
from data.feeds import FeedStore
from data.followed import Outcome
from data.models import Attribution, Draft, Span
from data.origins import Origin, OriginStore
from data.pages import Page
from data.rechecks import RecheckStore
from index.preparation import recipe_of
from index.vectors import VectorIndex
from tests.fakes import HashEncoder, Wiring, story, wire

# Words that are in no language and begin with letters of their own, so that an index that leaves
# out what a word shares with its neighbour still holds most of it.
EARLIER, TEXT, TITLE, EARLIER_TITLE = (
    "Drumblefortings",
    "Vlonkerwicked",
    "Xantoquibbs",
    "Qorbelspiny",
)
AUTHOR, PUBLISHER, HOST, EXTERNAL_ID = (
    "Pfeffernussov",
    "Krumhornblatt",
    "umbrafexwick",
    "zzyglothwurm",
)
WORDS = (EARLIER, TEXT, TITLE, EARLIER_TITLE, AUTHOR, PUBLISHER, HOST, EXTERNAL_ID)
URL = f"https://{HOST}.example/a"
GONE = replace(
    story(
        f"The {EARLIER} came to the town hall. Nobody had asked it to.",
        title=EARLIER_TITLE,
        source=PUBLISHER,
        author=AUTHOR,
        url=URL,
        external_id=EXTERNAL_ID,
    ),
    said=Attribution(EARLIER_TITLE, PUBLISHER, AUTHOR, "2024-10-25", URL),
)
CHANGED = replace(
    GONE,
    text=f"The {TEXT} came to the town hall. " * 30,
    attribution=replace(GONE.attribution, title=TITLE),
    said=replace(GONE.attribution, title=TITLE),
)
KEPT = {
    "ferry": story("The ferry ran aground. Nobody was hurt.", title="Ferry", source="Herald"),
    "toll": story("The toll is three euros from Monday on.", title="Toll", author="Ann Lee"),
    "rain": story("Rain fell all day over the valley. " * 40, title="Rain", date="2024-10-25"),
}


def traces(home: Path, pieces: list[bytes]) -> dict[str, list[bytes]]:
    """Return which pieces stand in which files under the home, whatever their case."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(home.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            held = [piece for piece in pieces if piece in raw or piece in raw.lower()]
            if held:
                found[path.name] = held
    return found


def _words() -> list[bytes]:
    """Return the middle of each word: without its end, which may be stemmed, and its beginning."""
    return [word[2:10].lower().encode() for word in WORDS]


def _vectors(services: Wiring) -> list[bytes]:
    """Return the vectors of the story that is to go, of every build."""
    rows = services.db.execute(
        "SELECT c.vector FROM chunks c JOIN revisions r ON r.id = c.revision_id"
        " JOIN external_ids e ON e.article_id = r.article_id WHERE e.external_id = ?",
        [EXTERNAL_ID],
    )
    return [row[0] for row in rows.fetchall()]


def _stocked(services: Wiring) -> str:
    """Store the stories, and all that is remembered beside the one that is to go; return its id."""
    services.indexer.add(KEPT["ferry"])
    revision = services.indexer.add(GONE).revision
    services.indexer.add(KEPT["toll"])
    services.indexer.add(CHANGED)
    services.indexer.add(KEPT["rain"])
    article_id = revision.article_id
    RecheckStore(services.db).record(article_id, Page(b"", asked_url=URL, etag=f'"{HOST}"'))
    OriginStore(services.db).record(Origin(article_id, 1, f"https://discord.com/{HOST}"))
    with closing(open_memory(services.home)) as memory:
        quoted = GivenCitation(1, "shared", article_id, revision.id, Span(0, 9), None)
        answers = AnswerStore(memory)
        answers.sent(answers.add(Place(1, 2), 3, [quoted]), 4, 2)
    return article_id


def _found(services: Wiring, question: str) -> list[str]:
    return [passage.revision.attribution.title for passage in services.retriever.retrieve(question)]


def _check_the_others(services: Wiring) -> None:
    """Check that the stories that stay are whole, and are found by their words."""
    for draft in KEPT.values():
        title = draft.attribution.title
        assert _found(services, draft.text[:40])[0] == title
        assert (
            scalar(services.db, "SELECT text FROM revisions WHERE title = ?", title) == draft.text
        )
    assert not set(_found(services, f"{TEXT} {EARLIER} {TITLE}")) & {TITLE, EARLIER_TITLE}
    answer = services.answerer.answer("Where did the ferry run aground?")
    assert [citation.quote for citation in answer.citations][:1] == ["The ferry ran aground."]
    assert integrity_problems(services.db) == []
    report = services.verifier.verify(deep=True)
    assert (report.problems, report.notes) == ((), ())


def _stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _nothing(_: Wiring) -> None:
    pass


def _rebuilt(services: Wiring) -> None:
    services.indexer.rebuild()


def _rebuilt_with_another(services: Wiring) -> None:
    services.indexer.rebuild(encoder="other")


def _half_rebuilt(services: Wiring) -> None:
    services.indexer.rebuild()
    with pytest.raises(KeyboardInterrupt):
        services.indexer.rebuild(encoder="other", on_progress=_stop)
    assert BuildStore(services.db).get(BuildState.BUILDING) is not None


def _half_undone(services: Wiring) -> None:
    services.indexer.rebuild(encoder="other")
    services.indexer.add(replace(CHANGED, text=CHANGED.text + " Again."))
    with pytest.raises(KeyboardInterrupt):
        services.indexer.undo(on_progress=_stop)


def _undone(services: Wiring) -> None:
    services.indexer.rebuild(encoder="other")
    services.indexer.undo()


def _withdrawn(services: Wiring) -> None:
    assert services.indexer.withdraw(services.articles.get(EXTERNAL_ID).article_id)


def _withdrawn_and_back(services: Wiring) -> None:
    _withdrawn(services)
    services.indexer.add(CHANGED)


def _edited(services: Wiring) -> None:
    services.indexer.edit(EXTERNAL_ID, Attribution(TITLE, PUBLISHER, AUTHOR, "2024", URL))
    services.indexer.edit(EXTERNAL_ID, Attribution("Another"))


STATES: dict[str, Callable[[Wiring], None]] = {
    "as it is": _nothing,
    "with an earlier build": _rebuilt,
    "with a build of another encoder": _rebuilt_with_another,
    "with a half-done build": _half_rebuilt,
    "with a half-done undo": _half_undone,
    "undone": _undone,
    "withdrawn": _withdrawn,
    "withdrawn and back": _withdrawn_and_back,
    "edited": _edited,
}
each_state = pytest.mark.parametrize("state", STATES)


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiring]:
    monkeypatch.setattr("index.building.BATCH_STORIES", 3)  # so that a build can be half done
    # How long the emptying of the log waits for a reader before each further try, in seconds.
    monkeypatch.setattr("data.standing._SCRUB_PAUSE", 0.001)
    wiring = wire(tmp_path)
    yield wiring
    wiring.close()


@each_state
def test_nothing_of_a_removed_story_is_left_in_any_file(services: Wiring, state: str) -> None:
    article_id = _stocked(services)
    STATES[state](services)
    words, vectors = _words(), _vectors(services)
    held = traces(services.home, words + vectors)
    assert {piece for pieces in held.values() for piece in pieces} >= set(words)  # as it can tell
    assert (state == "withdrawn") is not any(piece in held["index.faiss"] for piece in vectors)
    services.indexer.remove(article_id)
    assert traces(services.home, words + vectors) == {}
    _check_the_others(services)
    assert traces(services.home, words + vectors) == {}


@each_state
def test_a_story_that_was_removed_stays_so_for_whoever_opens_the_collection_next(
    services: Wiring, state: str
) -> None:
    _stocked(services)
    STATES[state](services)
    pieces = _words() + _vectors(services)
    services.db.close()
    with closing(wire(services.home)) as fresh:
        fresh.indexer.remove(EXTERNAL_ID)
        assert traces(services.home, pieces) == {}
    with closing(wire(services.home)) as fresh:
        _check_the_others(fresh)
        fresh.indexer.rebuild(rechunk=True)
        fresh.indexer.undo()
        _check_the_others(fresh)
        assert traces(services.home, pieces) == {}


def test_nothing_of_the_only_story_is_left(services: Wiring) -> None:
    services.indexer.add(GONE)
    pieces = _words() + _vectors(services)
    services.indexer.remove(EXTERNAL_ID)
    assert traces(services.home, pieces) == {}
    assert services.retriever.retrieve(TEXT) == []
    assert len(VectorIndex.load(services.collection.index_file)[0]) == 0


def test_nothing_is_left_of_any_of_many_stories_of_every_size(services: Wiring) -> None:
    """Removed one by one: pages of the database are split and joined, and cells copied about."""
    encoder = HashEncoder()
    with write(services.db):
        build = BuildStore(services.db).create(BuildState.LIVE, recipe_of(encoder))
    # These counts of chunks, in this order, are ones that left vectors behind in such copies.
    counts = [2, 1, 2, 1, 12, 5, 5, 2, 2, 5, 2, 5, 5, 2, 12, 1, 5, 12, 2, 12]
    counts += [12, 2, 12, 1, 1, 1, 12, 1, 2, 12, 5, 1, 5, 2, 12, 5, 5, 2, 1, 2]
    order = [21, 36, 30, 12, 0, 27, 14, 32, 2, 9, 4, 16, 5, 38, 19]
    noise = random.Random(4)
    ids, vectors = [], []
    for number, count in enumerate(counts):
        text = f"w{number:03d} " * (count * 2)
        chunks = [NewChunk(Span(2 * i, 2 * i + 2), noise.randbytes(256)) for i in range(count)]
        with write(services.db):
            revision = services.articles.save(Draft(text, Attribution(f"T{number:03d}"))).revision
            ChunkStore(services.db).add(build.id, revision, chunks, searchable=True)
        ids.append(revision.article_id)
        vectors.append([chunk.vector for chunk in chunks])
    for number in order:
        services.indexer.remove(ids[number])
        parts = [vector[i : i + 16] for vector in vectors[number] for i in (0, 100, 240)]
        assert traces(services.home, parts) == {}, f"of story {number}"


def test_the_title_of_a_story_that_a_feed_brought_is_left_nowhere(services: Wiring) -> None:
    article_id = services.indexer.add(CHANGED).revision.article_id
    with closing(open_memory(services.home)) as memory:
        feeds = FeedStore(memory, "shared")
        feed = feeds.add("https://example.org/feed")
        feeds.see(feed.id, "7", "f", Outcome.NEW, title=TITLE, article_id=article_id)
    services.indexer.remove(article_id)
    assert traces(services.home, _words()) == {}


def test_of_a_removed_story_its_id_is_all_that_is_left(services: Wiring) -> None:
    article_id = _stocked(services)
    services.indexer.remove(article_id)
    tables = {
        table.name
        for table in services.db.tables
        if not table.name.startswith("chunks_fts")
        for row in table.rows
        if article_id in row.values()
    }
    assert tables == {"removals"}


# --- with others who read and write meanwhile


def test_a_story_is_removed_while_somebody_reads_and_wiped_with_the_next_one(
    services: Wiring,
) -> None:
    article_id = _stocked(services)
    pieces = _words() + _vectors(services)
    with closing(wire(services.home)) as other, read(other.db):
        assert TITLE in _found(other, TEXT)
        services.indexer.remove(article_id)
        assert TITLE not in _found(services, TEXT)
        assert other.articles.get(article_id).attribution.title == TITLE  # its view is unchanging
        services.indexer.add(story("Snow fell.", title="Snow", external_id="s"))  # nobody waits
    services.indexer.remove("s")
    assert traces(services.home, pieces) == {}
    _check_the_others(services)


def test_what_a_reader_held_up_is_wiped_when_all_is_closed(services: Wiring) -> None:
    article_id = _stocked(services)
    pieces = _words() + _vectors(services)
    with closing(wire(services.home)) as other, read(other.db):
        assert TITLE in _found(other, TEXT)
        services.indexer.remove(article_id)
    services.close()
    assert traces(services.home, pieces) == {}


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_question_that_began_before_a_removal_does_not_write_its_vectors_back(
    services: Wiring, asked_before: bool
) -> None:
    article_id = _stocked(services)
    vectors = _vectors(services)
    with closing(wire(services.home)) as other:
        if asked_before:
            assert TITLE in _found(other, TEXT)
        with read(other.db):
            assert other.articles.count() == 4
            services.indexer.remove(article_id)
            _found(other, TEXT)
    assert "index.faiss" not in traces(services.home, vectors)


def test_questions_in_one_process_share_an_index_and_do_not_write_it_back(
    services: Wiring,
) -> None:
    article_id = _stocked(services)
    vectors = _vectors(services)
    with closing(services.collection.connect()) as connection:
        with read(connection):
            assert scalar(connection, "SELECT count(*) FROM articles") == 4
            services.indexer.remove(article_id)
            services.live.current(connection)  # as the second half of a long question does
        assert "index.faiss" not in traces(services.home, vectors)


def test_vectors_that_another_process_put_into_the_file_are_taken_out_of_it(
    services: Wiring,
) -> None:
    services.indexer.add(KEPT["ferry"])
    assert _found(services, "ferry") == ["Ferry"]
    with closing(wire(services.home)) as other:
        other.indexer.add(GONE)
        vectors = _vectors(other)
        assert "index.faiss" in traces(services.home, vectors)
        services.indexer.remove(EXTERNAL_ID)
        assert traces(services.home, vectors) == {}


def test_another_process_does_not_bring_back_what_was_removed(services: Wiring) -> None:
    article_id = _stocked(services)
    pieces = _words() + _vectors(services)
    with closing(wire(services.home)) as other:
        assert TITLE in _found(other, TEXT)
        services.indexer.remove(article_id)
        assert TITLE not in _found(other, TEXT)
        other.indexer.add(story("Snow fell.", title="Snow", external_id="s"))
        other.indexer.remove("s")
    assert traces(services.home, pieces) == {}


@pytest.mark.parametrize("moment", ["before", "while"])
def test_a_story_that_is_removed_during_a_rebuild_is_in_no_build(
    services: Wiring, moment: str
) -> None:
    article_id = _stocked(services)
    pieces = _words() + _vectors(services)
    with closing(wire(services.home)) as other:
        waiting = [lambda: services.indexer.remove(article_id)]

        def remove(*_: int) -> None:
            if waiting:
                waiting.pop()()

        if moment == "while":
            other.encoder.before_encoding = remove
            other.indexer.rebuild()
        else:
            other.indexer.rebuild(on_progress=remove)
        _check_the_others(other)
    assert traces(services.home, pieces) == {}


def test_a_rebuild_goes_on_when_stories_are_removed_as_they_are_looked_up(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stocked(services)
    waiting = ["s1", EXTERNAL_ID, "s2"]  # the last one first
    for number in (1, 2):
        services.indexer.add(story(f"Snow {number} fell.", title="Snow", external_id=f"s{number}"))
    look = ChunkStore.unchunked_revisions
    with closing(wire(services.home)) as other:

        def look_and_let_another_remove(chunks: ChunkStore, build_id: int) -> list[int]:
            found = look(chunks, build_id)
            if waiting and not services.db.conn.in_transaction:
                other.indexer.remove(waiting.pop())
            return found

        monkeypatch.setattr(ChunkStore, "unchunked_revisions", look_and_let_another_remove)
        services.indexer.rebuild()
    assert waiting == []
    _check_the_others(services)


def test_a_crash_that_left_a_part_of_the_index_file_behind_is_cleaned_up(
    services: Wiring,
) -> None:
    article_id = _stocked(services)
    vectors = _vectors(services)
    left = services.collection.folder / ".index-abc123"
    left.write_bytes(services.collection.index_file.read_bytes())
    services.indexer.remove(article_id)
    assert traces(services.home, vectors) == {}


@pytest.mark.parametrize(
    "where", ["data.standing.StandingStore.scrub", "index.live.LiveIndex.current"]
)
@each_state
def test_what_a_killed_process_deleted_is_wiped_by_the_next_one(
    services: Wiring, where: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    article_id = _stocked(services)
    STATES[state](services)
    pieces = _words() + _vectors(services)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(where, _stop)
        services.indexer.remove(article_id)
    services.db.close()
    assert traces(services.home, pieces) != {}
    with closing(wire(services.home)) as fresh:
        fresh.indexer.finish_removals()
        assert traces(services.home, pieces) == {}
        _check_the_others(fresh)


def test_what_is_wiped_is_not_wiped_again(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.indexer.remove(_stocked(services))
    with monkeypatch.context() as patch:
        patch.setattr("data.standing.StandingStore.scrub", _stop)
        services.indexer.finish_removals()


def test_an_index_file_that_cannot_be_written_does_not_keep_what_was_removed(
    services: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    article_id = _stocked(services)
    pieces = _words() + _vectors(services)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(VectorIndex, "save", full)
        services.indexer.remove(article_id)
    assert traces(services.home, pieces) == {}
    assert TITLE not in _found(services, TEXT)
