"""Characters of pages, whatever is said about their encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.extraction.charsets import decode_page

GERMAN = "Die Bürgermeisterin erklärte, dass die Brücke über den Fluss gesperrt wird. " * 3
RUSSIAN = "Президент заявил в понедельник, что правительство готово к переговорам. " * 3
JAPANESE = "首相は月曜日に、政府は交渉の準備ができていると述べた。"
CHINESE = "总统星期一表示，政府已准备好进行谈判。"
KOREAN = "대통령은 월요일 정부가 협상할 준비가 되어 있다고 밝혔다."
QUOTED = "“We won’t wait” – she said"


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>News</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    "declared", [None, "iso-8859-1", "windows-1252", "shift_jis", "gb2312", "utf-16", "us-ascii"]
)
@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, JAPANESE, QUOTED])
def test_sound_utf_8_is_utf_8_whatever_is_declared(text: str, declared: str | None) -> None:
    meta = page(text, '<meta charset="iso-8859-1">')
    assert decode_page(meta.encode(), declared=declared) == meta


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        (QUOTED * 5, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE * 5, "shift_jis"),
        (JAPANESE * 5, "euc_jp"),
        (KOREAN * 5, "euc_kr"),
        (CHINESE * 5, "gb18030"),
    ],
)
def test_a_page_that_is_not_in_the_utf_8_it_declares_is_detected(text: str, encoding: str) -> None:
    html = page(text, '<meta charset="utf-8">')
    assert decode_page(html.encode(encoding), declared="utf-8") == html


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        # What these labels mean on the web is more than what they say.
        ("iso-8859-1", "cp1252", QUOTED),
        ("latin1", "cp1252", QUOTED),
        ("us-ascii", "cp1252", QUOTED),
        ("ISO-8859-9", "cp1254", "“şı”"),
        ("gb2312", "gb18030", "㐀"),
        ("GBK", "gb18030", CHINESE),
        ("x-gbk", "gb18030", CHINESE),
        ("shift_jis", "cp932", "①高"),
        ("x-sjis", "cp932", JAPANESE),
        ("windows-31j", "cp932", JAPANESE),
        ("euc-kr", "cp949", KOREAN),
        ("ks_c_5601-1987", "cp949", KOREAN),
        ("big5", "big5hkscs", "總統"),
        ("iso-2022-jp", "iso2022_jp", JAPANESE),
        ("windows-1251", "cp1251", RUSSIAN),
        ("x-cp1251", "cp1251", RUSSIAN),
        ("macintosh", "mac-roman", GERMAN),
        ('"koi8-r"', "koi8-r", RUSSIAN),
    ],
)
def test_a_label_means_what_it_means_to_browsers(declared: str, encoding: str, text: str) -> None:
    assert decode_page(page(text).encode(encoding), declared=declared) == page(text)


@pytest.mark.parametrize(
    "head",
    [
        '<meta charset="windows-1251">',
        "<META CHARSET=windows-1251>",
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">',
        f'<script>{"x" * 2000}</script><meta charset="windows-1251">',
        '<!-- <meta charset="big5"> --><meta charset="windows-1251">',
    ],
)
def test_the_pages_own_word_counts_where_the_header_says_nothing(head: str) -> None:
    html = page("Привет", head)
    assert decode_page(html.encode("cp1251"), declared=None) == html


def test_an_xml_declaration_counts() -> None:
    xml = f'<?xml version="1.0" encoding="windows-1251"?><rss>{RUSSIAN}</rss>'
    assert decode_page(xml.encode("cp1251"), declared=None) == xml


def test_the_header_counts_before_the_page_where_the_bytes_fit_both() -> None:
    html = page("Привет", '<meta charset="iso-8859-1">')
    assert decode_page(html.encode("cp1251"), declared="windows-1251") == html


def test_a_declaration_that_the_bytes_do_not_fit_is_passed_over() -> None:
    html = page(GERMAN, '<meta charset="windows-1252">')
    assert decode_page(html.encode("cp1252"), declared="euc-jp") == html


@pytest.mark.parametrize("declared", [None, "utf-8", "iso-8859-1"])
def test_a_few_damaged_bytes_do_not_change_the_encoding(declared: str | None) -> None:
    body = GERMAN.encode() + b" \xff\xfe " + GERMAN.encode()
    assert decode_page(body, declared=declared) == f"{GERMAN} \ufffd\ufffd {GERMAN}"


def test_a_page_that_is_cut_within_a_character_is_still_utf_8() -> None:
    body = (GERMAN + "ü").encode()[:-1]
    assert decode_page(body, declared="utf-8") == GERMAN + "\ufffd"


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_and_is_no_character(mark: bytes, encoding: str) -> None:
    body = mark + page(RUSSIAN).encode(encoding)
    assert decode_page(body, declared="iso-8859-1") == page(RUSSIAN)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [GERMAN, CHINESE])
def test_wide_characters_are_told_without_a_mark(text: str, encoding: str) -> None:
    html = page(text, '<meta charset="utf-8">')
    assert decode_page(html.encode(encoding), declared=None) == html


@pytest.mark.parametrize(
    "declared",
    [
        *("utf-7", "rot13", "hex", "base64", "zlib", "bz2", "uu", "quopri", "undefined"),
        *("unicode_escape", "raw_unicode_escape", "punycode", "idna", "mbcs", "utf-16", "utf-32"),
        *("no-such-thing", "", " ", "a\0b", "../etc", "ü", "x" * 10_000),
    ],
)
def test_what_is_no_encoding_of_pages_is_never_used(declared: str) -> None:
    text = r"+ADw-script+AD4- \u0041 xn--mnchen-3ya 41 4142"
    assert decode_page(text.encode(), declared=declared) == text
    inside = f'<meta charset="{declared}">{text}'
    assert decode_page(inside.encode(), declared=None) == inside.replace("\0", "")


def test_nul_characters_are_left_out() -> None:
    assert decode_page(b"<p>a\0b" + b"." * 100, declared=None) == "<p>ab" + "." * 100


def test_an_empty_page_has_no_characters() -> None:
    assert decode_page(b"", declared="utf-8") == ""


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_any_utf_8_comes_back_as_it_was(text: str) -> None:
    assert decode_page(text.encode(), declared="utf-8") == text


@given(st.binary(max_size=300), st.none() | st.text(max_size=20))
def test_it_never_fails_and_gives_only_whole_characters(body: bytes, declared: str | None) -> None:
    assert "\0" not in decode_page(body, declared=declared).encode().decode()
