import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import StoryRefusedError
from data.plaintext import decode, split_story, title_from

GERMAN = "Der Bürgermeister sagte, daß die Straße für zwei Wochen gesperrt wird."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_decodes_a_file_in_the_encodings_that_editors_write(encoding: str) -> None:
    assert decode(GERMAN.encode(encoding), "a.txt") == GERMAN


def test_decodes_both_byte_orders_of_utf16() -> None:
    assert decode(b"\xff\xfeH\x00i\x00", "a.txt") == "Hi"
    assert decode(b"\xfe\xff\x00H\x00i", "a.txt") == "Hi"


def test_decodes_the_typographic_signs_of_windows() -> None:
    text = "“We’ll be back,” she said — in “spring”. The price was €5."
    assert decode(text.encode("cp1252"), "a.txt") == text


def test_keeps_line_ends_and_white_space_while_decoding() -> None:
    assert decode(b"  one\r\ntwo\t\n\n", "a.txt") == "  one\r\ntwo\t\n\n"


@pytest.mark.parametrize("raw", [b"", b"  \r\n\t\n"])
def test_refuses_a_file_that_is_empty(raw: bytes) -> None:
    with pytest.raises(StoryRefusedError, match=r"^a\.txt is empty\.$"):
        decode(raw, "a.txt")


def test_refuses_a_file_that_is_binary() -> None:
    with pytest.raises(StoryRefusedError, match=r"^a\.txt is a binary file, not a text\.$"):
        decode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.txt")


def test_refuses_bytes_that_are_in_no_encoding() -> None:
    with pytest.raises(StoryRefusedError, match="its encoding cannot be told"):
        decode(bytes(range(1, 256)), "a.txt")


def test_refuses_utf16_that_breaks_off_in_a_character() -> None:
    with pytest.raises(StoryRefusedError, match="not sound UTF-16"):
        decode(b"\xff\xfeH\x00i", "a.txt")


def test_takes_yaml_front_matter_off_the_text() -> None:
    parts = split_story("---\ntitle: Bridge\nsource: Herald\n---\n\nThe bridge is open.\n")
    assert parts.text == "The bridge is open.\n"
    assert parts.fields == {"title": "Bridge", "source": "Herald"}


def test_front_matter_may_have_windows_line_ends_or_close_with_dots() -> None:
    for text in ("---\r\ntitle: A\r\n---\r\nBody.\r\n", "---\ntitle: A\n...\nBody.\r\n"):
        parts = split_story(text)
        assert (parts.text, parts.fields) == ("Body.\r\n", {"title": "A"})


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("headline: X", "title"),
        ("publisher: X", "source"),
        ("site: X", "source"),
        ("byline: X", "author"),
        ("authors: [X]", "author"),
        ("date: X", "published_at"),
        ("pubdate: X", "published_at"),
        ("link: X", "url"),
        ("external_id: X", "id"),
    ],
)
def test_front_matter_has_more_than_one_name_for_a_field(line: str, name: str) -> None:
    assert split_story(f"---\n{line}\n---\nBody.").fields == {name: "X"}


def test_a_list_of_authors_is_joined() -> None:
    parts = split_story("---\nauthors:\n- Ann Lee\n- Bo Ray\n---\nBody.")
    assert parts.fields == {"author": "Ann Lee, Bo Ray"}


@pytest.mark.parametrize("value", ["2024-10", "2024", "2024-10-25", "2024-10-25T09:00:00Z", "007"])
def test_front_matter_is_read_as_text_so_that_dates_keep_their_precision(value: str) -> None:
    assert split_story(f"---\ndate: {value}\n---\nBody.").fields == {"published_at": value}


def test_front_matter_with_a_colon_in_the_title_is_read_all_the_same() -> None:
    parts = split_story('---\ntitle: Vote: the end\nsource: "Herald"\n---\nBody.')
    assert parts.fields == {"title": "Vote: the end", "source": "Herald"}


def test_fields_that_are_empty_or_unknown_are_left_out() -> None:
    assert split_story("---\ntitle:\ntags: [a]\nauthor: '  '\n---\nBody.").fields == {}


def test_refuses_front_matter_that_cannot_be_read() -> None:
    with pytest.raises(StoryRefusedError, match=r"cannot be read as YAML: .+\.$"):
        split_story("---\n{title\n---\nBody.")


def test_front_matter_never_builds_objects() -> None:
    parts = split_story("---\ntitle: !!python/object/apply:os.getcwd []\n---\nBody.")
    assert parts.fields == {}


@pytest.mark.parametrize(
    "text", ["---\n- a list\n---\nBody.", "---\nOne line.\n---\nBody.", "A rule:\n---\nx: y\n---\n"]
)
def test_a_rule_that_is_no_front_matter_stays_in_the_text(text: str) -> None:
    assert split_story(text).text == text


def test_takes_the_date_that_the_first_line_begins_with() -> None:
    parts = split_story("date 2024-10-25 The bridge is open.\nIt is long.")
    assert parts.text == "The bridge is open.\nIt is long."
    assert parts.fields == {"published_at": "2024-10-25"}


@pytest.mark.parametrize(
    "text",
    ["dated 2024-10-25 Now.", "date 2024-10 Now.", "A date 2024-10-25 Now.", "2024-10-25 Now."],
)
def test_a_first_line_of_another_form_stays_in_the_text(text: str) -> None:
    parts = split_story(text)
    assert (parts.text, parts.fields) == (text, {})


def test_takes_the_first_markdown_heading_as_the_title() -> None:
    parts = split_story("\n# Bridge opened #\n\nThe bridge is open.\n\n# Later\n")
    assert parts.text == "The bridge is open.\n\n# Later\n"
    assert parts.fields == {"title": "Bridge opened"}


@pytest.mark.parametrize("text", ["#tag first\nBody.", "## Second level\nBody.", "Body.\n# Later"])
def test_other_uses_of_the_hash_sign_stay_in_the_text(text: str) -> None:
    parts = split_story(text)
    assert (parts.text, parts.fields) == (text, {})


def test_front_matter_wins_over_the_heading_and_the_date_line() -> None:
    heading = split_story("---\ntitle: From YAML\n---\n# From YAML\nBody.")
    assert (heading.text, heading.fields) == ("Body.", {"title": "From YAML"})
    other = split_story("---\ntitle: From YAML\n---\n# From Markdown\nBody.")
    assert (other.text, other.fields) == ("# From Markdown\nBody.", {"title": "From YAML"})
    dated = split_story("---\ndate: 2024-10\n---\ndate 2024-10-25 Body.")
    assert (dated.text, dated.fields) == ("Body.", {"published_at": "2024-10"})


@settings(deadline=None)
@given(
    st.sampled_from(["", "---\ntitle: A\n---\n", "# A\n", "date 2024-10-25 ", "\ufeff"]), st.text()
)
def test_only_what_stands_in_front_is_ever_taken_off(front: str, text: str) -> None:
    try:
        parts = split_story(front + text)
    except StoryRefusedError:
        return
    assert (front + text).endswith(parts.text)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The bridge is open. It is long.", "The bridge is open"),
        ("\n\n  The  bridge\tis open!\nMore.", "The bridge is open!"),
        ("Dr. Lee spoke. He left.", "Dr. Lee spoke"),
        ("Bridge opened\nThe bridge is open.", "Bridge opened"),
        ("a" * 119 + ".", "a" * 119),
    ],
)
def test_makes_a_title_of_the_first_sentence(text: str, title: str) -> None:
    assert title_from(text) == title


def test_a_title_of_120_characters_is_not_cut_and_a_longer_one_is() -> None:
    assert title_from("a" * 60 + " " + "b" * 59) == "a" * 60 + " " + "b" * 59
    assert title_from("a" * 60 + " " + "b" * 60) == "a" * 60 + "…"


def test_cuts_a_long_title_between_words_and_marks_the_cut() -> None:
    title = title_from("word, " * 40)
    assert title == ("word, " * 20).rstrip(", ") + "…"


@pytest.mark.parametrize("null", ["null", "NULL", "~", ""])
def test_a_field_that_yaml_calls_null_is_unknown(null: str) -> None:
    parts = split_story(f"---\nsource: {null}\ntitle: T\n---\nBody.")
    assert parts.fields == {"title": "T"}


def test_front_matter_with_bare_carriage_returns_is_read() -> None:
    parts = split_story("---\rtitle: T\r---\rBody.")
    assert (parts.text, parts.fields) == ("Body.", {"title": "T"})
