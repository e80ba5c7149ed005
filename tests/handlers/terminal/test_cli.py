import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from discord.http import Route
from filelock import FileLock

import bot
from data.errors import UserError
from data.ingestion import read_story
from index.answerer import Answerer
from index.encoder import Encoder
from index.models import Answer, QuoteMismatchError
from tests.fakes import HashEncoder
from tests.handlers.conftest import Terminal
from tests.handlers.terminal.test_records import (
    ANSWER_KEYS,
    ARTICLE_KEYS,
    CITATION_KEYS,
    PASSAGE_KEYS,
    STORY_KEYS,
)

BRIDGE = "The mayor opened the bridge on Friday. It cost two million crowns."
FERRY = "The ferry Merrow Lass sank at noon. Nobody was hurt."
QUESTION = "Who opened the bridge?"
FIRST_SENTENCE = "The mayor opened the bridge on Friday."
COMMANDS = {
    *("ask", "search", "add", "import", "articles", "show", "edit", "remove"),
    *("rebuild", "undo", "status", "verify", "chat", "discord", "run"),
    *("extract", "history", "check"),
}
GROUPS = {"feed", "domain"}


def _jsonl(path: Path, *rows: Any) -> Path:
    """Write rows as JSON lines, and text as it stands."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def _two_stories(terminal: Terminal) -> tuple[str, str]:
    """Add the bridge (Ledger, October 2024) and the ferry (Gazette, a day in 2025)."""
    bridge = terminal.add(BRIDGE, "--title", "Bridge", "--source", "Ledger", "--date", "2024-10")
    ferry = terminal.add(FERRY, "--title", "Ferry", "--source", "Gazette", "--date", "2025-05-09")
    return bridge, ferry


# --- the group


def test_help_names_every_command_with_what_it_does(terminal: Terminal) -> None:
    result = terminal("--help")
    listed = {line.split()[0] for line in result.out.split("Commands:")[1].splitlines() if line}
    assert listed == COMMANDS | GROUPS
    assert "Usage: python bot.py" in result.out
    assert result.err == ""


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_and_takes_home_and_collection(
    terminal: Terminal, command: str
) -> None:
    result = terminal(command, "--help")
    assert f"Usage: python bot.py {command}" in result.out
    assert "--home DIR" in result.out
    assert "--collection NAME" in result.out
    assert not terminal.home.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        [],
        ["--nope"],
        ["ask", "--nope", "x"],
        ["ask"],
        ["ask", "x", "--jsonl", "-"],
        ["ask", "x", "--after", "03/04/2024"],
        ["ask", "x", "--before", "soon"],
        ["ask", "--jsonl", "missing.jsonl"],
        ["search"],
        ["search", "x", "-k", "0"],
        ["search", "x", "-k", "many"],
        ["add"],
        ["import"],
        ["show"],
        ["edit", "some-id"],
        ["remove"],
        ["articles", "too", "much"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong_on_standard_error(
    terminal: Terminal, words: list[str]
) -> None:
    result = terminal(*words, code=2)
    assert result.out == ""
    assert "Usage: python bot.py" in result.err


@pytest.mark.parametrize("name", ["../x", "", "A", "a b", "/etc", "x" * 65, "."])
def test_a_collection_name_that_is_no_folder_name_is_refused(terminal: Terminal, name: str) -> None:
    result = terminal("articles", "--collection", name, code=1)
    assert "cannot be a collection's name" in result.err
    assert result.out == ""
    assert not terminal.home.exists()


@pytest.mark.parametrize("before", [True, False])
def test_home_and_collection_may_stand_before_or_after_the_command(
    terminal: Terminal, tmp_path: Path, before: bool
) -> None:
    place = ["--home", str(tmp_path / "elsewhere"), "--collection", "mine"]
    command = ["add", "-"]
    terminal(*(place + command if before else command + place), stdin=BRIDGE)
    assert (tmp_path / "elsewhere/collections/mine/stories.db").is_file()
    assert not terminal.home.exists()
    listed = terminal(
        *(["articles", "--json"] + place if before else place + ["articles", "--json"])
    )
    assert len(listed.json) == 1


def test_what_stands_after_the_command_wins(terminal: Terminal, tmp_path: Path) -> None:
    terminal("--collection", "one", "add", "--collection", "two", "-", stdin=BRIDGE)
    assert terminal("articles", "--collection", "one", "--json").json == []
    assert len(terminal("articles", "--collection", "two", "--json").json) == 1


def test_without_a_word_the_collection_is_shared_in_the_home_of_the_environment(
    terminal: Terminal,
) -> None:
    terminal.add(BRIDGE)
    assert (terminal.home / "collections/shared/stories.db").is_file()


def test_a_home_that_is_a_file_is_refused_in_a_sentence(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = terminal("articles", "--home", tmp_path / "file", code=1)
    assert "a file stands where a folder is needed" in result.err


def test_a_setting_of_the_wrong_form_is_told(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULLQUOTE_CONFIDENCE_THRESHOLD", "much")
    result = terminal("ask", QUESTION, code=1)
    assert "confidence_threshold" in result.err


def _raising(error: BaseException) -> Any:
    def load(name: str, *, cache: Path | None, fast: bool) -> Encoder:
        raise error

    return load


def test_an_interruption_says_that_what_was_stored_is_safe(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot, "load_encoder", _raising(KeyboardInterrupt()))
    result = terminal("add", "-", stdin=BRIDGE, code=130)
    assert "Stopped. What was stored before is safe." in result.err


def test_an_encoder_that_is_not_there_is_told_and_stores_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot, "load_encoder", _raising(UserError("There is no such encoder.")))
    assert terminal("add", "-", stdin=BRIDGE, code=1).err == "There is no such encoder.\n"
    assert terminal("articles", "--json").json == []


# --- ask


def test_an_answer_shows_the_quote_its_attribution_and_how_sure_the_bot_is(
    terminal: Terminal,
) -> None:
    terminal.add(
        BRIDGE, "--title", "Bridge", "--source", "Ledger", "--author", "Ann", "--date", "2024-10"
    )
    result = terminal("ask", QUESTION)
    assert f"1 > {FIRST_SENTENCE}" in result.out
    assert "Ledger, Ann, October 2024, “Bridge”" in result.out
    assert "sure that this answers the question." in result.out
    assert result.err == ""


def test_an_answer_as_json_is_alone_on_one_line_and_its_quote_is_the_storys_own_slice(
    terminal: Terminal,
) -> None:
    story = terminal.add(BRIDGE, "--title", "Bridge", "--url", "https://ledger.example/1")
    result = terminal("ask", QUESTION, "--json")
    answer = result.json
    assert list(answer) == ANSWER_KEYS
    assert answer["id"] is None
    assert answer["question"] == QUESTION
    assert result.err == ""
    first = answer["citations"][0]
    assert list(first) == CITATION_KEYS
    assert first["quote"] == FIRST_SENTENCE == BRIDGE[first["start"] : first["end"]]
    assert first["article_id"] == story
    assert first["url"] == "https://ledger.example/1"
    assert first["source"] is None


def test_an_empty_collection_refuses_with_that_reason(terminal: Terminal) -> None:
    assert "There are no stories here yet." in terminal("ask", QUESTION).out
    answer = terminal("ask", QUESTION, "--json").json
    assert (answer["answered"], answer["reason"]) == (False, "empty_collection")


def test_a_question_that_nothing_answers_is_refused_with_the_nearest_and_the_newest(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULLQUOTE_CONFIDENCE_THRESHOLD", "1")
    bridge, ferry = _two_stories(terminal)
    result = terminal("ask", QUESTION)
    assert "Nothing in the stories here answers that well enough to quote." in result.out
    assert bridge in result.out
    assert "The newest story here is of 9 May 2025." in result.out
    answer = terminal("ask", QUESTION, "--json").json
    assert answer["reason"] == "low_confidence"
    assert {near["article_id"] for near in answer["nearest"]} == {bridge, ferry}


def test_article_restricts_to_one_story_by_our_id_or_its_external_one(
    terminal: Terminal, tmp_path: Path
) -> None:
    rows = [{"id": "x1", "text": BRIDGE}, {"id": "x2", "text": FERRY}]
    terminal("import", _jsonl(tmp_path / "s.jsonl", *rows))
    listed = terminal("articles", "--json").json
    ours = {story["external_id"]: story["id"] for story in listed}
    for named in ("x2", ours["x2"]):
        answer = terminal("ask", "What sank at noon?", "--article", named, "--json").json
        assert {c["external_id"] for c in answer["citations"]} == {"x2"}
        found = terminal("search", QUESTION, "--article", named, "--json").json
        assert {passage["external_id"] for passage in found} == {"x2"}


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_story_that_is_not_here_is_told(terminal: Terminal, command: str) -> None:
    terminal.add(BRIDGE)
    result = terminal(command, QUESTION, "--article", "nope", "--json", code=1)
    assert result.err == "There is no story with the id 'nope' here.\n"
    assert result.out == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--source", "Gazette"], {"Gazette"}),
        (["--source", "gAZETTE"], {"Gazette"}),
        (["--after", "2025"], {"Gazette"}),
        (["--before", "2024-12-31"], {"Ledger"}),
        (["--after", "2024-10", "--before", "2024-10"], {"Ledger"}),
        (["--after", "2025-05-09", "--before", "2025-05-09"], {"Gazette"}),
        (["--after", "2025-05-10"], set()),
        (["--source", "Nobody"], set()),
        (["--source", "Ledger", "--after", "2025"], set()),
    ],
)
def test_source_and_dates_restrict_what_is_found(
    terminal: Terminal, options: list[str], expected: set[str]
) -> None:
    _two_stories(terminal)
    found = terminal("search", "bridge or ferry", *options, "--json").json
    assert {passage["source"] for passage in found} == expected
    answer = terminal("ask", "What of the bridge and the ferry?", *options, "--json").json
    assert {c["source"] for c in answer["citations"]} <= expected
    assert (answer["reason"] == "filtered_out") == (not expected)


def test_dates_are_told_as_the_days_they_were_read_as(terminal: Terminal) -> None:
    _two_stories(terminal)
    words = ["ask", QUESTION, "--after", "2024-10", "--before", "2024-10", "--json"]
    filters = terminal(*words).json["filters"]
    assert filters == {"source": None, "after": "2024-10-01", "before": "2024-10-31"}


def test_a_publisher_that_is_not_here_is_answered_with_those_that_are(terminal: Terminal) -> None:
    _two_stories(terminal)
    result = terminal("ask", QUESTION, "--source", "Nobody")
    assert "No story here passes the filters (only publisher Nobody)." in result.out
    assert "Publishers here: Gazette, Ledger." in result.out


@pytest.mark.parametrize(
    "question", ["", "   ", "\t\n", "😀 🎉", "?!", "x" * 20_000, "word " * 4_000, "\x00"]
)
@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_question_without_words_or_too_long_is_answered_with_a_sentence(
    terminal: Terminal, command: str, question: str
) -> None:
    terminal.add(BRIDGE)
    result = terminal(command, question, "--json", code=1)
    assert result.out == ""
    assert result.err.count("\n") == 1
    assert "question" in result.err


@pytest.mark.parametrize(
    "question",
    [
        '" OR NEAR( *',
        "'; DROP TABLE articles; --",
        "title:bridge AND (",
        "Who\x00 opened it?",
        "^a*",
    ],
)
@pytest.mark.parametrize("command", ["ask", "search"])
def test_syntax_of_sql_and_full_text_search_is_only_words(
    terminal: Terminal, command: str, question: str
) -> None:
    terminal.add(BRIDGE)
    terminal(command, question, "--json")
    assert len(terminal("articles", "--json").json) == 1


@pytest.mark.parametrize("from_file", [True, False])
def test_questions_of_a_file_get_one_answer_a_line_in_order(
    terminal: Terminal, tmp_path: Path, from_file: bool
) -> None:
    bridge, _ = _two_stories(terminal)
    rows: list[dict[str, Any]] = [
        {"id": "q1", "question": QUESTION},
        {"id": 2, "question": "What sank?", "source": "Gazette", "note": "ignored"},
        {"question": QUESTION, "article": bridge, "after": "2024-10", "before": "2024"},
        {"id": None, "question": QUESTION, "article": None, "source": "", "after": None},
    ]
    path = _jsonl(tmp_path / "q.jsonl", rows[0], "", *rows[1:])
    if from_file:
        result = terminal("ask", "--jsonl", path)
    else:
        result = terminal("ask", "--jsonl", "-", stdin=path.read_bytes())
    answers = result.lines
    assert [answer["id"] for answer in answers] == ["q1", 2, None, None]
    assert [list(answer) for answer in answers] == [ANSWER_KEYS] * 4
    assert [answer["question"] for answer in answers] == [row["question"] for row in rows]
    assert {c["source"] for c in answers[1]["citations"]} == {"Gazette"}
    assert {c["article_id"] for c in answers[2]["citations"]} == {bridge}
    assert answers[2]["filters"] == {"source": None, "after": "2024-10-01", "before": "2024-12-31"}
    assert answers[3]["filters"] == {"source": None, "after": None, "before": None}
    assert result.err == ""


BROKEN = [
    ("{broken", None, "Line 2 is not valid JSON."),
    ("[" * 100_000, None, "Line 2 is not valid JSON."),
    ('["a list"]', None, "Line 2 has no question."),
    ('"text"', None, "Line 2 has no question."),
    ('{"id": "b"}', "b", "Line 2 has no question."),
    ('{"id": "b", "question": 5}', "b", "Line 2 has no question."),
    ('{"id": "b", "question": ""}', "b", "There is no question."),
    ('{"id": "b", "question": "😀"}', "b", "no words"),
    ('{"id": "b", "question": "Who?", "after": "soon"}', "b", "'soon' is no date"),
    ('{"id": "b", "question": "Who?", "before": 2024}', "b", "'before' is not text"),
    ('{"id": "b", "question": "Who?", "source": ["x"]}', "b", "'source' is not text"),
    ('{"id": "b", "question": "Who?", "article": "nope"}', "b", "no story with the id 'nope'"),
    ('{"id": "b", "error": "mine", "question": null}', "b", "Line 2 has no question."),
]


@pytest.mark.parametrize(("line", "query_id", "problem"), BROKEN)
def test_a_broken_line_gets_an_object_of_its_own_and_the_others_their_answers(
    terminal: Terminal, line: str, query_id: str | None, problem: str
) -> None:
    terminal.add(BRIDGE)
    good = [json.dumps({"id": name, "question": QUESTION}) for name in ("a", "c")]
    text = "\n".join([good[0], line, good[1]])
    answers = terminal("ask", "--jsonl", "-", stdin=text).lines
    assert [answer["id"] for answer in answers] == ["a", query_id, "c"]
    assert [answer["answered"] for answer in answers] == [True, False, True]
    assert list(answers[1]) == [*ANSWER_KEYS, "error"]
    assert problem in answers[1]["error"]
    found = terminal("search", "--jsonl", "-", stdin=text).lines
    assert [record["id"] for record in found] == ["a", query_id, "c"]
    assert found[1]["passages"] == []
    assert problem in found[1]["error"]
    assert found[0]["passages"] == found[2]["passages"] != []


def test_a_line_that_is_not_utf_8_gets_an_object_of_its_own(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    lines = b'{"question": "caf\xe9"}\n\xef\xbb\xbf{"id": 2, "question": "Who opened it?"}'
    answers = terminal("ask", "--jsonl", "-", stdin=lines).lines
    assert answers[0]["error"] == "Line 1 is not valid JSON."
    assert (answers[1]["id"], answers[1]["question"]) == (2, "Who opened it?")


def test_no_questions_give_no_answers(terminal: Terminal) -> None:
    result = terminal("ask", "--jsonl", "-", stdin="\n \n")
    assert (result.out, result.err) == ("", "")


# --- search


def test_a_search_writes_the_best_passages_as_one_json_list(terminal: Terminal) -> None:
    bridge, ferry = _two_stories(terminal)
    passages = terminal("search", QUESTION, "--json").json
    assert [list(passage) for passage in passages] == [PASSAGE_KEYS] * 2
    assert [passage["rank"] for passage in passages] == [1, 2]
    assert [passage["article_id"] for passage in passages] == [bridge, ferry]
    assert passages[0]["text"] == BRIDGE == BRIDGE[passages[0]["start"] : passages[0]["end"]]
    assert passages[0]["score"] >= passages[1]["score"]


def test_a_search_gives_as_many_passages_as_asked_for(terminal: Terminal) -> None:
    _two_stories(terminal)
    assert len(terminal("search", QUESTION, "-k", "1", "--json").json) == 1
    record = terminal("search", "-k", "1", "--jsonl", "-", stdin='{"id": 1, "question": "ferry"}')
    assert len(record.lines[0]["passages"]) == 1


def test_a_search_shows_passages_in_words(terminal: Terminal) -> None:
    _two_stories(terminal)
    result = terminal("search", QUESTION)
    assert "1. Ledger, October 2024, “Bridge”" in result.out
    assert BRIDGE in result.out


def test_a_search_that_finds_nothing_says_so_or_writes_an_empty_list(terminal: Terminal) -> None:
    result = terminal("search", QUESTION)
    assert (result.out, result.err) == ("", "Nothing was found.\n")
    assert terminal("search", QUESTION, "--json").json == []


def test_searches_of_a_file_write_id_and_passages_a_line(
    terminal: Terminal, tmp_path: Path
) -> None:
    _two_stories(terminal)
    rows = [{"id": "a", "question": QUESTION}, {"question": "ferry", "source": "Gazette"}]
    records = terminal("search", "--jsonl", _jsonl(tmp_path / "q.jsonl", *rows)).lines
    assert [list(record) for record in records] == [["id", "passages"]] * 2
    assert [record["id"] for record in records] == ["a", None]
    assert list(records[0]["passages"][0]) == PASSAGE_KEYS
    assert [p["source"] for p in records[1]["passages"]] == ["Gazette"]


# --- add


@pytest.mark.parametrize("name", ["story.txt", "story.md", "story"])
def test_a_story_in_a_file_is_added_and_can_be_asked(
    terminal: Terminal, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(BRIDGE)
    result = terminal("add", tmp_path / name)
    assert result.out.startswith("Added story ")
    assert result.out.count("\n") == 1
    assert result.err == ""
    assert FIRST_SENTENCE in terminal("ask", QUESTION).out


def test_options_say_title_publisher_author_date_and_link(terminal: Terminal) -> None:
    result = terminal(
        *("add", "-", "--json", "--title", "Bridge", "--source", "Ledger", "--author", "Ann"),
        *("--date", "October 25, 2024", "--url", "https://ledger.example/1"),
        stdin=BRIDGE,
    )
    record = result.json
    assert list(record) == ["status", *ARTICLE_KEYS, "revision_id", "notes"]
    del record["id"], record["revision_id"]
    assert record == {
        "status": "new",
        "external_id": None,
        "title": "Bridge",
        "source": "Ledger",
        "author": "Ann",
        "published_at": "2024-10-25",
        "url": "https://ledger.example/1",
        "notes": [],
    }


def test_options_win_over_front_matter(terminal: Terminal) -> None:
    text = f"---\ntitle: Old\nsource: Gazette\ndate: 2024-10\n---\n{BRIDGE}"
    record = terminal("add", "-", "--json", "--title", "New", stdin=text).json
    assert (record["title"], record["source"], record["published_at"]) == (
        "New",
        "Gazette",
        "2024-10",
    )


def test_the_bare_shape_is_taken_as_it_is(terminal: Terminal) -> None:
    record = terminal("add", "-", "--json", stdin=f" date 2024-10-25 {BRIDGE}").json
    assert record["published_at"] == "2024-10-25"
    assert record["title"] == "The mayor opened the bridge on Friday"
    assert record["source"] is None
    assert terminal("show", record["id"], "--json").json["text"] == BRIDGE


def test_adding_again_is_the_same_and_with_another_attribution_a_new_version(
    terminal: Terminal,
) -> None:
    words = ("add", "-", "--json", "--url", "https://ledger.example/1")
    first = terminal(*words, stdin=BRIDGE).json
    same = terminal(*words, stdin=BRIDGE).json
    changed = terminal(*words, "--author", "Ann", stdin=BRIDGE).json
    assert [r["status"] for r in (first, same, changed)] == ["new", "same", "changed"]
    assert {r["id"] for r in (first, same, changed)} == {first["id"]}
    assert same["revision_id"] == first["revision_id"] != changed["revision_id"]
    assert terminal(*words[:2], *words[3:], stdin=BRIDGE).out.startswith("Nothing changed in story")


@pytest.mark.parametrize(
    ("option", "value", "note"),
    [
        ("--date", "2999-01-01", "is in the future, so the date stays unknown."),
        ("--date", "03/04/2024", "cannot be read for certain, so the date stays unknown."),
        ("--url", "not a link", "is no web address, so the link stays unknown."),
    ],
)
def test_what_cannot_be_believed_stays_unknown_and_that_is_said_on_standard_error(
    terminal: Terminal, option: str, value: str, note: str
) -> None:
    result = terminal("add", "-", "--json", option, value, stdin=BRIDGE)
    assert note in result.err
    assert result.json["notes"] == [result.err.strip()]
    assert result.json["published_at"] is None
    assert result.json["url"] is None


@pytest.mark.parametrize(
    ("name", "raw", "sentence"),
    [
        ("a.txt", b"", "a.txt is empty."),
        ("a.txt", b" \n\t", "a.txt is empty."),
        ("a.txt", b"GIF89a\x00\x01\x02", "a.txt is a binary file, not a text."),
        ("a.txt", bytes(range(128, 256)) * 8, "its encoding cannot be told."),
        ("a.txt", b"x" * 20_000_000, "a.txt is larger than 5 MB"),
        ("a.doc", b"text", "a.doc is not a kind of file that holds a story"),
    ],
    ids=["empty", "white space", "binary", "no encoding", "20 MB", "suffix"],
)
def test_a_file_that_is_no_story_is_refused_in_a_sentence(
    terminal: Terminal, tmp_path: Path, name: str, raw: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    result = terminal("add", tmp_path / name, code=1)
    assert sentence in result.err
    assert result.out == ""
    assert terminal("articles", "--json").json == []


def test_a_file_that_is_missing_or_a_folder_is_told(terminal: Terminal, tmp_path: Path) -> None:
    assert "cannot be read" in terminal("add", tmp_path / "no.txt", code=1).err
    assert "is a folder" in terminal("add", tmp_path, code=1).err


def test_a_story_in_an_old_encoding_is_read(terminal: Terminal, tmp_path: Path) -> None:
    text = "Die Bürgermeisterin eröffnete die Brücke über den Fluß. Es gab Blüten für alle Gäste."
    (tmp_path / "a.txt").write_bytes(text.encode("latin-1"))
    story = terminal("add", tmp_path / "a.txt", "--json").json["id"]
    assert terminal("show", story, "--json").json["text"] == text


def test_adding_a_jsonl_file_adds_all_its_stories(terminal: Terminal, tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "s.jsonl", {"text": BRIDGE}, {"text": FERRY})
    assert terminal("add", path).out == "Imported s.jsonl: 2 new, 0 changed, 0 same, 0 refused.\n"
    counts = terminal("add", path, "--json").json
    assert counts == {"new": 0, "changed": 0, "same": 2, "refused": 0, "refusals": []}
    result = terminal("add", path, "--title", "One title for all", code=1)
    assert "says title, source and date of each story itself" in result.err


# --- import


def test_an_import_keeps_ids_and_fields_ignores_others_and_counts(
    terminal: Terminal, tmp_path: Path
) -> None:
    row: dict[str, Any] = {
        "id": "x1",
        "title": "Bridge",
        "source": "Ledger",
        "author": "Ann",
        "published_at": "2024-10-25T10:00:00+02:00",
        "url": "https://ledger.example/1",
        "text": BRIDGE,
        "category": "ignored",
    }
    path = _jsonl(tmp_path / "s.jsonl", row, "", {"id": 7, "text": FERRY})
    result = terminal("import", path)
    assert result.out == "Imported s.jsonl: 2 new, 0 changed, 0 same, 0 refused.\n"
    assert result.err == ""
    story = terminal("show", "x1", "--json").json
    kept = ("title", "source", "author", "published_at", "url", "text")
    assert {name: story[name] for name in kept} == {name: row[name] for name in kept}
    assert story["external_id"] == "x1"
    assert terminal("show", "7", "--json").json["text"] == FERRY


def test_a_second_import_changes_nothing_and_a_changed_row_is_a_new_version(
    terminal: Terminal, tmp_path: Path
) -> None:
    rows = [{"id": "x1", "text": BRIDGE}, {"id": "x2", "text": FERRY}]
    path = _jsonl(tmp_path / "s.jsonl", *rows)
    terminal("import", path)
    before = terminal("status", "--json").json
    assert terminal("import", path).out.endswith("0 new, 0 changed, 2 same, 0 refused.\n")
    assert terminal("status", "--json").json == before
    _jsonl(path, {"id": "x1", "text": BRIDGE + " Nobody came."}, rows[1])
    counts = terminal("import", path, "--json").json
    assert counts == {"new": 0, "changed": 1, "same": 1, "refused": 0, "refusals": []}


def test_bad_rows_are_told_and_the_good_ones_taken(terminal: Terminal, tmp_path: Path) -> None:
    bad = ["{broken", '"text"', {"id": "b"}, {"text": "  "}, {"text": 5}, {"text": "a", "title": 5}]
    path = _jsonl(tmp_path / "s.jsonl", {"text": BRIDGE}, *bad, {"text": FERRY})
    result = terminal("import", path, "--json")
    counts = result.json
    assert (counts["new"], counts["refused"]) == (2, 6)
    assert [refusal["line"] for refusal in counts["refusals"]] == [2, 3, 4, 5, 6, 7]
    assert all(refusal["reason"] for refusal in counts["refusals"])
    assert result.err.count("\n") == 6
    assert "Line 2 is refused: it is not valid JSON." in result.err
    assert "Line 4 is refused: it has no text." in result.err
    shown = terminal("import", path)
    assert shown.out == "Imported s.jsonl: 0 new, 0 changed, 2 same, 6 refused.\n"


def test_what_stays_unknown_in_a_row_is_said_with_its_line(
    terminal: Terminal, tmp_path: Path
) -> None:
    row = {"id": "x1", "text": BRIDGE, "published_at": "2999-01-01"}
    result = terminal("import", _jsonl(tmp_path / "s.jsonl", row))
    assert "Line 1: The date '2999-01-01' is in the future" in result.err
    assert terminal("show", "x1", "--json").json["published_at"] is None


@pytest.mark.parametrize("name", ["s.jsonl.gz", "s.jsonl"])
def test_a_packed_file_is_imported_whatever_its_name(
    terminal: Terminal, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(json.dumps({"id": "x1", "text": BRIDGE}).encode()))
    assert "1 new" in terminal("import", path).out
    assert terminal("show", "x1", "--json").json["text"] == BRIDGE


def test_a_packed_file_that_is_cut_short_keeps_what_came_before(
    terminal: Terminal, tmp_path: Path
) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"text": BRIDGE}).encode())[:-12])
    result = terminal("import", path, code=1)
    assert "cannot be read" in result.err
    assert terminal("verify").code == 0


@pytest.mark.parametrize("content", ["", "\n\n", "{broken\n", '{"text": ""}\n[1]\n'])
def test_an_import_that_reads_nothing_exits_with_1(
    terminal: Terminal, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(content)
    result = terminal("import", path, code=1)
    assert f"No story could be read from {path}." in result.err


def test_an_import_of_a_missing_file_exits_with_1(terminal: Terminal, tmp_path: Path) -> None:
    assert "cannot be read" in terminal("import", tmp_path / "no.jsonl", code=1).err


# --- articles, show, edit, remove


def test_stories_are_listed_the_newest_first(terminal: Terminal) -> None:
    bridge, ferry = _two_stories(terminal)
    undated = terminal.add("Nobody knows when this happened.")
    stories = terminal("articles", "--json").json
    assert [story["id"] for story in stories] == [ferry, bridge, undated]
    assert [list(story) for story in stories] == [[*ARTICLE_KEYS, "withdrawn_at"]] * 3
    lines = terminal("articles").out.splitlines()
    assert lines[0].split() == ["Id", "Date", "Publisher", "Title"]
    assert lines[1].split() == [ferry, "2025-05-09", "Gazette", "Ferry"]
    assert lines[3].split()[:3] == [undated, "unknown", "unknown"]


def test_a_list_of_no_stories_says_how_to_add_one(terminal: Terminal) -> None:
    result = terminal("articles")
    assert result.out == ""
    assert "python bot.py add FILE" in result.err
    assert terminal("articles", "--json").json == []


def test_a_story_is_shown_by_our_id_and_by_its_external_one(
    terminal: Terminal, tmp_path: Path
) -> None:
    row = {"id": "x1", "title": "Bridge", "text": BRIDGE, "source": "Ledger"}
    terminal("import", _jsonl(tmp_path / "s.jsonl", row))
    by_theirs = terminal("show", "x1", "--json").json
    assert list(by_theirs) == STORY_KEYS
    assert by_theirs["text"] == BRIDGE
    assert terminal("show", by_theirs["id"], "--json").json == by_theirs


def test_the_text_of_a_story_is_shown_when_asked_for(terminal: Terminal) -> None:
    story = terminal.add(BRIDGE, "--title", "Bridge")
    assert BRIDGE not in terminal("show", story).out
    assert BRIDGE in terminal("show", story, "--text").out


def test_an_edit_changes_what_is_named_and_nothing_else(terminal: Terminal) -> None:
    story = terminal.add(BRIDGE, "--title", "Brigde", "--source", "Ledger", "--author", "Ann")
    before = terminal("show", story, "--json").json
    words = ("--title", "Bridge", "--date", "2024-10", "--url", "https://ledger.example/1")
    result = terminal("edit", story, *words, "--json").json
    after = terminal("show", story, "--json").json
    assert result == {"status": "changed", **{name: after[name] for name in ARTICLE_KEYS}}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"title", "published_at", "url", "revision_id"}
    assert (after["title"], after["published_at"]) == ("Bridge", "2024-10")
    cited = terminal("ask", QUESTION, "--json").json["citations"][0]
    assert (cited["title"], cited["published_at"]) == ("Bridge", "2024-10")


def test_an_edit_with_nothing_makes_a_field_unknown(terminal: Terminal) -> None:
    story = terminal.add(BRIDGE, "--source", "Ledger", "--author", "Ann", "--date", "2024")
    terminal("edit", story, "--source", "", "--author", " ", "--date", "")
    after = terminal("show", story, "--json").json
    assert [after[name] for name in ("source", "author", "published_at")] == [None] * 3


def test_an_edit_that_changes_nothing_says_so(terminal: Terminal) -> None:
    story = terminal.add(BRIDGE, "--source", "Ledger")
    assert terminal("edit", story, "--source", "Ledger").out.startswith("Nothing changed in story")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--date", "soon"), ("--date", "2999"), ("--url", "not a link"), ("--title", " ")],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(
    terminal: Terminal, option: str, value: str
) -> None:
    story = terminal.add(BRIDGE, "--source", "Ledger")
    before = terminal("show", story, "--json").json
    result = terminal("edit", story, "--source", "Gazette", option, value, code=1)
    assert "Nothing was changed." in result.err
    assert terminal("show", story, "--json").json == before


def test_a_story_that_is_removed_is_gone_for_good(terminal: Terminal) -> None:
    bridge, ferry = _two_stories(terminal)
    result = terminal("remove", bridge)
    assert result.out == f"Removed story {bridge}: Bridge\n"
    assert [story["id"] for story in terminal("articles", "--json").json] == [ferry]
    assert {p["article_id"] for p in terminal("search", QUESTION, "--json").json} == {ferry}
    for file in (terminal.home / "collections/shared").iterdir():
        assert b"mayor opened" not in file.read_bytes()


@pytest.mark.parametrize(
    "words", [["show", "nope"], ["remove", "nope"], ["edit", "nope", "--title", "x"]]
)
def test_an_id_that_is_not_here_is_told(terminal: Terminal, words: list[str]) -> None:
    result = terminal(*words, code=1)
    assert result.err == "There is no story with the id 'nope' here.\n"
    assert result.out == ""


# --- rebuild, status, verify


@pytest.mark.parametrize("options", [[], ["--rechunk"], ["--encoder", "other"]])
def test_a_rebuild_keeps_every_story_and_answers_as_before(
    terminal: Terminal, options: list[str]
) -> None:
    _two_stories(terminal)
    stories = terminal("articles", "--json").json
    result = terminal("rebuild", *options)
    encoder = options[1] if "--encoder" in options else "all-MiniLM-L6-v2"
    assert result.out == f"Rebuilt the index of 2 stories with {encoder}.\n"
    assert terminal("status", "--json").json["encoder"] == encoder
    assert terminal("articles", "--json").json == stories
    assert FIRST_SENTENCE in terminal("ask", QUESTION).out
    assert terminal("verify", "--deep", "--json").json["clean"]


def test_a_rebuild_with_an_encoder_that_is_not_there_leaves_the_old_index(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_stories(terminal)

    def load(name: str, *, cache: Path | None, fast: bool) -> Encoder:
        if name == "nowhere":
            raise UserError("The encoder 'nowhere' is not here.")
        return HashEncoder(name)

    monkeypatch.setattr(bot, "load_encoder", load)
    result = terminal("rebuild", "--encoder", "nowhere", code=1)
    assert (result.out, result.err) == ("", "The encoder 'nowhere' is not here.\n")
    assert FIRST_SENTENCE in terminal("ask", QUESTION).out


def test_a_rebuild_of_nothing_is_no_error(terminal: Terminal) -> None:
    assert "0 stories" in terminal("rebuild").out


def test_a_status_counts_stories_and_tells_the_newest_and_the_encoder(terminal: Terminal) -> None:
    _, ferry = _two_stories(terminal)
    terminal("edit", ferry, "--author", "Ann")
    status = terminal("status", "--json").json
    assert (status["collection"], status["stories"], status["revisions"]) == ("shared", 2, 3)
    assert status["chunks"] == 2
    assert status["newest"]["id"] == ferry
    assert status["encoder"] == "all-MiniLM-L6-v2"
    assert status["fingerprint"]["dimension"] == 64
    assert status["database_bytes"] > 0
    assert status["index_bytes"] > 0
    assert status["stale"] == []
    shown = terminal("status").out
    assert "2, in 3 versions" in shown
    assert "(hashed words)" in shown


def test_a_status_of_an_empty_collection_tells_what_is_unknown_as_null(terminal: Terminal) -> None:
    status = terminal("status", "--json").json
    assert (status["stories"], status["newest"], status["encoder"]) == (0, None, None)
    assert "none yet" in terminal("status").out


def test_a_setting_for_another_encoder_is_said_to_need_a_rebuild(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.add(BRIDGE)
    monkeypatch.setenv("PULLQUOTE_ENCODER", "other")
    stale = terminal("status", "--json").json["stale"]
    assert len(stale) == 1
    assert "other" in stale[0]
    assert "rebuild" in stale[0]
    terminal("rebuild")
    status = terminal("status", "--json").json
    assert (status["encoder"], status["stale"]) == ("other", [])


def test_a_sound_collection_verifies_with_0(terminal: Terminal) -> None:
    _two_stories(terminal)
    assert "Everything is in order." in terminal("verify").out
    assert terminal("verify", "--json").json == {
        "clean": True,
        "stories": 2,
        "chunks": 2,
        "reencoded": 2,
        "problems": [],
        "notes": [],
    }


TAMPERING = [
    ("UPDATE revisions SET text = replace(text, 'mayor', 'queen')", "no longer matches its hash"),
    ('UPDATE chunks SET "end" = 100000 WHERE id = 1', "reach beyond their story's text"),
    ("UPDATE chunks SET vector = zeroblob(256) WHERE id = 1", "vector of chunk(s) 1 is damaged"),
    ("DELETE FROM chunks_fts WHERE rowid = 1", "full-text row of chunk(s) 1"),
    ("UPDATE chunks_fts SET body = 'x' WHERE rowid = 1", "full-text row of chunk(s) 1"),
    ("DELETE FROM chunks WHERE id = 1", "have no chunk"),
]


@pytest.mark.parametrize(("sql", "problem"), TAMPERING)
def test_tampering_is_found_listed_and_exits_with_1(
    terminal: Terminal, sql: str, problem: str
) -> None:
    _two_stories(terminal)
    path = terminal.home / "collections/shared/stories.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)
    shown = terminal("verify", code=1).out
    assert "Problem: " in shown
    assert problem in shown
    assert "in order" not in shown
    report = terminal("verify", "--json", code=1).json
    assert report["clean"] is False
    assert any(problem in found for found in report["problems"])


def test_a_story_whose_text_was_altered_is_never_quoted(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    path = terminal.home / "collections/shared/stories.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE revisions SET text = replace(text, 'mayor', 'queen')")
    result = terminal("ask", QUESTION)
    assert "queen" not in result.out
    assert "was altered, so it is not quoted" in result.err


def test_an_index_file_that_is_cut_short_is_found_and_the_next_question_heals_it(
    terminal: Terminal,
) -> None:
    terminal.add(BRIDGE)
    path = terminal.home / "collections/shared/index.faiss"
    path.write_bytes(path.read_bytes()[:20])
    assert "index file" in terminal("verify", code=1).out
    assert terminal("status", "--json").json["stale"]
    answer = terminal("ask", QUESTION, "--json")
    assert answer.json["answered"]
    assert "is made again from the database" in answer.err
    assert terminal("verify").code == 0


def test_a_lock_that_another_process_never_gives_back_is_told_and_questions_go_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.add(BRIDGE)
    monkeypatch.setattr("data.database.LOCK_TIMEOUT", 0)
    path = terminal.home / "collections/shared/stories.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = terminal("add", "-", stdin=FERRY, code=1)
        assert result.out == ""
        assert result.err.startswith("Another process has been writing")
        assert FIRST_SENTENCE in terminal("ask", QUESTION).out
        assert len(terminal("articles", "--json").json) == 1
    assert len(terminal("articles", "--json").json) == 1


def test_a_database_from_a_newer_version_is_refused(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    path = terminal.home / "collections/shared/stories.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('stories', 'm999', '2999-01-01')"
        )
    result = terminal("ask", QUESTION, code=1)
    assert "written by a newer version of Pullquote" in result.err
    assert result.out == ""


# --- collections


def test_the_same_story_in_two_collections_is_two_stories(terminal: Terminal) -> None:
    words = ("--url", "https://ledger.example/1", "--source", "Ledger")
    ids = {c: terminal.add(BRIDGE, *words, "--collection", c) for c in ("one", "two")}
    assert ids["one"] != ids["two"]
    for name, story in ids.items():
        answer = terminal("ask", QUESTION, "--collection", name, "--json").json
        assert {c["article_id"] for c in answer["citations"]} == {story}
    terminal("remove", ids["one"], "--collection", "one")
    assert terminal("articles", "--collection", "one", "--json").json == []
    assert [s["id"] for s in terminal("articles", "--collection", "two", "--json").json] == [
        ids["two"]
    ]


def test_no_command_reaches_into_another_collection(terminal: Terminal, tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "s.jsonl", {"id": "x1", "text": BRIDGE, "source": "Ledger"})
    terminal("import", path, "--collection", "one")
    terminal.add(FERRY, "--collection", "two")
    ours = terminal("show", "x1", "--collection", "one", "--json").json["id"]
    for named in ("x1", ours):
        for words in (["show"], ["remove"], ["edit", "--title", "x"], ["ask", "Who?", "--article"]):
            result = terminal(*words, named, "--collection", "two", code=1)
            assert "There is no story with the id" in result.err
    answer = terminal("ask", QUESTION, "--collection", "two", "--json").json
    found = terminal("search", QUESTION, "--collection", "two", "--json").json
    quoted = json.dumps([answer, found])
    assert "mayor" not in quoted
    assert ours not in quoted
    refused = terminal("ask", QUESTION, "--source", "Ledger", "--collection", "two").out
    assert "Publishers here" not in refused


# --- chat and run


def test_the_chat_reads_the_samples_while_the_own_collection_is_empty_and_says_so(
    terminal: Terminal,
) -> None:
    result = terminal("chat", stdin="Who is the managing director of Skerrin Line?\n")
    assert "Your collection shared is empty" in result.err
    assert "10 made-up sample stories" in result.err
    assert "python bot.py add FILE" in result.err
    asked, quoted, *_ = result.out.splitlines()
    assert asked == "? Who is the managing director of Skerrin Line?"
    quote = quoted.removeprefix("1 > ")
    texts = [read_story(path).text for path in (bot.ROOT / "data/samples").glob("*.md")]
    assert any(quote in text for text in texts)
    assert terminal("articles", "--json").json == []


def test_the_chat_reads_the_own_stories_once_there_are_some(terminal: Terminal) -> None:
    _two_stories(terminal)
    result = terminal("chat", stdin=f"{QUESTION}\n")
    assert "Reading 2 stories of the collection shared." in result.err
    assert "sample" not in result.err
    assert f"1 > {FIRST_SENTENCE}" in result.out


def test_a_pipe_is_answered_line_by_line_to_its_end(terminal: Terminal) -> None:
    _two_stories(terminal)
    result = terminal("chat", stdin=f"\n{QUESTION}\n  \n😀\nWhen did the ferry sink?")
    assert result.out.index(FIRST_SENTENCE) < result.out.index("The ferry Merrow Lass sank")
    assert "The question has no words in it." in result.err


def test_the_chat_keeps_to_the_collection_that_is_named(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    result = terminal("chat", "--collection", "other", stdin=f"{QUESTION}\n")
    assert "Your collection other is empty" in result.err
    assert FIRST_SENTENCE not in result.out


def test_the_samples_can_be_named_by_any_command(terminal: Terminal) -> None:
    assert len(terminal("articles", "--collection", "samples", "--json").json) == 10
    assert terminal("verify", "--collection", "samples", "--json").json["stories"] == 10


def test_run_says_that_it_is_the_chat_and_answers(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    result = terminal("run", stdin=f"{QUESTION}\n")
    assert "DISCORD_TOKEN is not set: this is the terminal chat." in result.err
    assert FIRST_SENTENCE in result.out


def test_run_starts_discord_where_there_is_a_token_and_never_shows_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)  # it is set for the whole process
    monkeypatch.setenv("PULLQUOTE_DISCORD_API", "http://127.0.0.1:1")  # nobody listens there
    terminal.home.mkdir()
    (terminal.home / "discord_token").write_text("very-secret\n")
    result = terminal("run", code=2)
    assert "this is the Discord bot" in result.err
    assert "cannot be reached at http://127.0.0.1:1" in result.err
    assert "very-secret" not in result.out + result.err


def test_discord_without_a_token_says_where_to_put_one(terminal: Terminal) -> None:
    result = terminal("discord", code=2)
    assert "DISCORD_TOKEN" in result.err
    assert str(terminal.home / "discord_token") in result.err


def test_a_second_bot_on_one_home_does_not_start(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "abc")
    terminal.home.mkdir()
    with FileLock(terminal.home / "discord.lock"):
        assert "runs on" in terminal("discord", code=2).err


def test_other_commands_do_not_mind_a_token_that_cannot_be_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN_FILE", str(terminal.home / "none"))
    terminal("articles")
    assert "cannot be read" in terminal("run", code=2).err


@pytest.mark.parametrize("command", ["ask", "articles", "status"])
def test_other_commands_ignore_the_token(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    result = terminal(command, *([QUESTION] if command == "ask" else []))
    assert "token" not in (result.out + result.err).lower()


def test_undo_goes_back_to_the_index_before(terminal: Terminal) -> None:
    terminal.add(BRIDGE)
    assert "no earlier index" in terminal("undo", code=1).err
    terminal("rebuild")
    assert "Went back" in terminal("undo").out
    assert FIRST_SENTENCE in terminal("ask", QUESTION).out
    terminal("verify")


# --- where things are written


def test_json_alone_is_on_standard_output_and_never_wrapped(terminal: Terminal) -> None:
    text = "The mayor opened the bridge, which is very long, " * 20 + "on Friday."
    story = terminal.add(text, "--title", "ü 市长 " * 30, "--date", "2999")
    for words in (
        ["ask", QUESTION],
        ["search", QUESTION],
        ["articles"],
        ["show", story],
        ["edit", story, "--source", "Ledger"],
        ["status"],
        ["verify"],
    ):
        result = terminal(*words, "--json")
        assert result.out == json.dumps(result.json, ensure_ascii=False) + "\n"
        assert result.err == ""


# --- what was found by trying to break it


@pytest.mark.parametrize("command", [["add", "-"], ["remove", "x"], ["edit", "x", "--title", "T"]])
def test_the_sample_stories_stay_as_they_are(terminal: Terminal, command: list[str]) -> None:
    words = [*command, "--collection", "samples"]
    result = terminal(*words, stdin="Rain fell all day.", code=1)
    assert "stay as they are" in result.err


def test_half_a_character_in_a_question_line_spoils_no_other_line(terminal: Terminal) -> None:
    terminal.add("The mayor opened the bridge on Friday.")
    lines = [
        '{"id": "\\ud800", "question": "Who opened the bridge?"}',
        '{"id": "b", "question": "Who opened the bridge?", "source": "\\ud800"}',
        '{"id": "c", "question": "\\ud800"}',
        '{"id": "d", "question": "Who opened the bridge?"}',
    ]
    result = terminal("ask", "--jsonl", "-", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [a["answered"] for a in answers] == [True, True, False, True]
    assert result.code == 0


def test_a_bug_is_told_with_an_incident_and_its_traceback_goes_to_the_log_file(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    terminal.add("The mayor opened the bridge on Friday.")
    monkeypatch.setattr("index.answerer.Answerer.answer", fail)
    result = terminal("ask", "Who opened the bridge?", code=1)
    assert "incident" in result.err
    assert "Traceback" not in result.err + result.out
    logged = (terminal.home / "pullquote.log").read_text("utf-8")
    assert "Traceback" in logged
    assert "secret detail" in logged


def test_a_story_that_goes_while_it_is_quoted_is_asked_about_again(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.add("The mayor opened the bridge on Friday.")
    plain = Answerer.recheck
    calls: list[str] = []

    def gone_once(self: Answerer, answer: Answer) -> None:
        calls.append(answer.question)
        if len(calls) == 2:  # the first is the answerer's own
            raise QuoteMismatchError("gone")
        plain(self, answer)

    monkeypatch.setattr(Answerer, "recheck", gone_once)
    result = terminal("ask", "Who opened the bridge?")
    assert "The mayor opened the bridge on Friday." in result.out
    assert len(calls) == 4
