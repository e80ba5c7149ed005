from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.database import Database
from data.fulltext import MAX_QUERY_WORDS, STOP_WORDS, index_text, match_expression, query_words

# The database is only read by the examples, so they can share it.
reading = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LETTERS = "abcdefgstßéłñöčșЖжяΣσ0123456789 .,-'_\"*中文字ไทかكَتَبहिन्दीതമிשָލް"


@pytest.fixture
def rows(db: Database) -> Iterator[Database]:
    """Return a database whose full-text index holds one row with the word `mayor`."""
    db.execute("INSERT INTO chunks_fts (rowid, title, body) VALUES (1, 'T', 'The mayor spoke.')")
    yield db


def _found(db: Database, question: str) -> list[int]:
    expression = match_expression(query_words(question))
    found = db.execute("SELECT rowid FROM chunks_fts WHERE chunks_fts MATCH ?", [expression])
    return [row[0] for row in found.fetchall()]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who opened the bridge?", ["opened", "bridge"]),
        ("Bridge, bridge: BRIDGE!", ["bridge"]),
        ("Was it 3,000 or 4?", ["3", "000", "4"]),
        ("What did O'Neil say?", ["neil", "say"]),
        ("snake_case e-mail", ["snake", "case", "e", "mail"]),
        ("Cafe\u0301 Łódź", ["café", "łódź"]),
        ("市长说了什么?", ["市", "长", "说", "了", "什", "么"]),
        ("Who is 习近平?", ["习", "近", "平"]),
    ],
)
def test_keeps_the_content_words_of_a_question_in_order(question: str, words: list[str]) -> None:
    assert query_words(question) == words


def test_a_question_of_stop_words_keeps_them_all() -> None:
    assert query_words("Who is he?") == ["who", "is", "he"]


@pytest.mark.parametrize("question", ["", "   ", "?!…", '" ( * ) ^ :', "___"])
def test_a_question_without_words_has_none(question: str) -> None:
    assert query_words(question) == []


def test_a_long_question_is_cut_at_the_limit() -> None:
    words = query_words(" ".join(f"w{i}" for i in range(MAX_QUERY_WORDS + 10)))
    assert words == [f"w{i}" for i in range(MAX_QUERY_WORDS)]


def test_spaces_out_scripts_that_write_without_spaces() -> None:
    assert index_text("市长 met").split() == ["市", "长", "met"]
    assert index_text("ไทย").split() == ["ไ", "ท", "ย"]
    assert index_text("かな").split() == ["か", "な"]


def test_leaves_scripts_with_spaces_as_they_are_but_composed() -> None:
    assert index_text("The cafe\u0301 в Москве, 서울에서.") == "The café в Москве, 서울에서."


@pytest.mark.parametrize(
    "word",
    [
        *("हिन्दी", "मुंबई", "ক্ষমা", "ਪੰਜਾਬ", "ગુજરાતી", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "සිංහල"),
        *("ދިވެހި", "བོད་", "كَتَبَ", "العُمْدَة", "שָׁלוֹם", "ọ̀rọ̀"),
    ],
)
def test_a_word_is_one_word_with_its_combining_marks(db: Database, word: str) -> None:
    db.execute("INSERT INTO chunks_fts (rowid, body) VALUES (1, ?)", [index_text(f"1 {word} 2")])
    assert len(query_words(word)) == 1
    assert _found(db, word) == [1]
    db.execute("CREATE VIRTUAL TABLE words USING fts5vocab(chunks_fts, row)")
    terms = [row[0] for row in db.execute("SELECT term FROM words").fetchall()]
    assert len(terms) == 3  # the numbers and the word in one piece
    assert _found(db, word[0]) == []  # which its first letter alone does not find


def test_words_that_differ_in_a_vowel_sign_are_two_words(db: Database) -> None:
    db.execute("INSERT INTO chunks_fts (rowid, body) VALUES (1, ?)", [index_text("दिन")])
    assert (_found(db, "दिन"), _found(db, "दान"), _found(db, "दन")) == ([1], [], [])


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("كَتَبَ", "كتب"),
        ("كتب", "كَتَبَ"),
        ("שָׁלוֹם", "שלום"),
        ("क्\u200dष", "क्ष"),
        ("1\ufe0f\u20e3", "1"),
    ],
)
def test_marks_that_writers_leave_out_make_no_difference(
    db: Database, written: str, asked: str
) -> None:
    db.execute("INSERT INTO chunks_fts (rowid, body) VALUES (1, ?)", [index_text(written)])
    assert _found(db, asked) == [1]


def test_quotes_each_word_for_fts5() -> None:
    assert match_expression(["mayor", "NEAR"]) == '"mayor" OR "NEAR"'
    assert match_expression(['say "no"']) == '"say ""no"""'


@pytest.mark.parametrize(
    "question",
    [
        '" OR NEAR( mayor *',
        "mayor AND NOT mayor",
        "body : mayor ^",
        "{title source} : mayor",
        'NEAR("mayor" x, 2)',
        "mayor'; DROP TABLE chunks_fts; --",
        "(((mayor",
    ],
)
def test_fts5_syntax_in_a_question_is_read_as_words(rows: Database, question: str) -> None:
    assert _found(rows, question) == [1]


def test_a_column_name_in_a_question_does_not_restrict_the_search(rows: Database) -> None:
    assert _found(rows, "title:mayor") == [1]
    assert _found(rows, "title:nothing") == []


@reading
@given(st.text(min_size=1))
def test_no_question_is_an_error_for_fts5(rows: Database, question: str) -> None:
    words = query_words(question)
    assert all(words)
    assert len(words) <= MAX_QUERY_WORDS
    if words:
        _found(rows, question)


@reading
@given(st.text(st.sampled_from("\"'()*^:{}+-,NEARORANDT mayor\x00\\")))
def test_no_piece_of_fts5_syntax_is_an_error(rows: Database, question: str) -> None:
    words = query_words(question)
    found = _found(rows, question) if words else []
    assert found == [1] or "mayor" not in words


@reading
@given(st.text(LETTERS, min_size=1))
def test_a_text_is_found_by_each_of_its_words(db: Database, text: str) -> None:
    db.execute("DELETE FROM chunks_fts")
    db.execute("INSERT INTO chunks_fts (rowid, body) VALUES (7, ?)", [index_text(text)])
    for word in query_words(text):
        assert _found(db, word) == [7]


def test_stop_words_are_written_as_query_words_are() -> None:
    assert all(query_words(word) == [word] for word in STOP_WORDS)
