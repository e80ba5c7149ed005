"""Text out of PDFs, which are made here line by line."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfWriter
from pypdf.actions import JavaScript
from pypdf.errors import DependencyError
from pypdf.generic import (
    DecodedStreamObject,
    DictionaryObject,
    EncodedStreamObject,
    NameObject,
    NumberObject,
)

from data.extraction.pdf import MAX_PAGES, pdf_text

LEFT, TOP, LEADING = 72, 720, 14
# A line: how far below the one before it, how far to the right of the margin, the size, the text.
Line = tuple[float, float, float, str]


def line(text: str, *, fall: float = LEADING, indent: float = 0, size: float = 11) -> Line:
    return fall, indent, size, text


def pdf(
    *pages: Sequence[Line | str],
    about: dict[str, str] | None = None,
    change: Callable[[PdfWriter], object] | None = None,
) -> bytes:
    """Return a PDF with these lines on its pages; a bare text is a line like those around it."""
    writer = PdfWriter()
    for lines in pages:
        page = writer.add_blank_page(width=612, height=792)
        y, operators = float(TOP), []
        for entry in lines:
            fall, indent, size, text = entry if isinstance(entry, tuple) else line(entry)
            y -= fall
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            operators.append(f"BT /F1 {size} Tf 1 0 0 1 {LEFT + indent} {y} Tm ({escaped}) Tj ET\n")
        put(page, writer, "".join(operators).encode("cp1252"))
    writer.add_metadata(about or {})
    if change:
        change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def put(page: PageObject, writer: PdfWriter, operators: bytes) -> None:
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    named = {NameObject(key): NameObject(value) for key, value in font.items()}
    named[NameObject("/Encoding")] = NameObject("/WinAnsiEncoding")
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(DictionaryObject(named))})
    content = DecodedStreamObject()
    content.set_data(operators)
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    page[NameObject("/Contents")] = writer._add_object(content)


def add_picture(writer: PdfWriter) -> None:
    picture = EncodedStreamObject()
    picture._data = b"\xff\xd8\xff\xd9"
    for key, value in {"/Subtype": "/Image", "/Filter": "/DCTDecode"}.items():
        picture[NameObject(key)] = NameObject(value)
    for key in ("/Width", "/Height"):
        picture[NameObject(key)] = NumberObject(1)
    pictures = DictionaryObject({NameObject("/Im1"): writer._add_object(picture)})
    writer.pages[0]["/Resources"][NameObject("/XObject")] = pictures  # type: ignore[index]


LONG = "The council approved the budget on Monday night after a debate of six hours, and"
FULL = "then it rose until the autumn, when the bridge will be discussed once more in the"


def test_line_breaks_that_are_layout_go_and_gaps_part_paragraphs() -> None:
    found = pdf_text(
        pdf(
            [
                line("Council approves the budget", size=20),
                line(LONG, fall=30),
                FULL,
                "old town hall.",
                line(LONG, fall=24),
                "nobody objected.",
            ]
        )
    )
    assert found.text == (
        f"Council approves the budget\n\n{LONG} {FULL} old town hall.\n\n{LONG} nobody objected."
    )
    assert (found.pages, found.reason, found.notes) == (1, None, ())


def test_a_heading_of_two_lines_stays_one() -> None:
    heading = [line("Council approves the budget", size=20), line("at night", fall=24, size=20)]
    found = pdf_text(pdf([*heading, line(LONG, fall=30), FULL, FULL]))
    assert found.text is not None
    assert found.text.startswith("Council approves the budget at night\n\n")


@pytest.mark.parametrize(
    "second",
    [line(LONG, indent=20), line(LONG)],
    ids=["an indented line", "a line after a short one"],
)
def test_paragraphs_are_parted_without_a_gap(second: Line) -> None:
    found = pdf_text(pdf([line(LONG), FULL, "town hall.", second, FULL, "end."]))
    assert found.text == f"{LONG} {FULL} town hall.\n\n{LONG} {FULL} end."


def test_a_short_line_that_ends_no_sentence_goes_on() -> None:
    assert pdf_text(pdf([LONG, "the mayor", FULL])).text == f"{LONG} the mayor {FULL}"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["It was an exam-", "ple of it."], "It was an example of it."),
        (["It was an exam\u00ad", "ple of it."], "It was an example of it."),
        (["a well-", "known man is well-known"], "a well-known man is well-known"),
        (["a well-", "known man is wellknown"], "a wellknown man is wellknown"),
        (["The Anglo-", "American fleet"], "The Anglo-American fleet"),
        (["a two-and-a-", "half hour talk"], "a two-and-a-half hour talk"),
        (["from 1990-", "1995 only"], "from 1990- 1995 only"),
        (["he came - ", "and went"], "he came - and went"),
    ],
)
def test_a_word_that_is_broken_at_a_lines_end_is_put_together(lines: list[str], text: str) -> None:
    assert pdf_text(pdf(lines)).text == text


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages: list[list[Line | str]] = [
        [
            line("The Daily Paper, 3 May 2024", fall=10, size=9),
            line(f"{name} {LONG}", fall=30),
            f"{name} goes on.",
            line(f"Page {number} of 5", fall=500, size=9),
        ]
        for number, name in enumerate(["Anna", "Bert", "Carl", "Dora", "Emil"], start=1)
    ]
    text = pdf_text(pdf(*pages)).text or ""
    assert "Daily Paper" not in text
    assert "Page" not in text
    assert text.split("\n\n")[1] == f"Bert {LONG} Bert goes on."


def test_what_a_browser_prints_at_the_edge_is_left_out() -> None:
    edge = [line("5/3/24, 9:01 PM Council news", fall=-60, size=8)]
    foot = [line("https://example.org/council 1/1", fall=690, size=8)]
    assert pdf_text(pdf([*edge, line(LONG, fall=100), *foot])).text == LONG


def test_a_paragraph_goes_on_over_a_page_and_ends_with_a_sentence() -> None:
    found = pdf_text(pdf([LONG, FULL], ["middle of the year.", f"Now {LONG}"], ["so it ends."]))
    assert found.text == f"{LONG} {FULL} middle of the year.\n\nNow {LONG} so it ends."


def test_columns_are_read_one_after_the_other() -> None:
    right = [line("Second column goes on", fall=-28, indent=250), line("here.", indent=250)]
    found = pdf_text(pdf([line("First column"), line("is"), line("short."), *right]))
    assert found.text == "First column is short.\n\nSecond column goes on here."


def test_a_password_is_named_as_the_reason() -> None:
    body = pdf([LONG], change=lambda w: w.encrypt("secret", algorithm="RC4-128"))
    found = pdf_text(body)
    assert found.text is None
    assert found.reason is not None
    assert "password" in found.reason


def test_a_pdf_that_is_locked_for_changes_only_is_read() -> None:
    body = pdf([LONG], change=lambda w: w.encrypt("", "owner", algorithm="RC4-128"))
    assert pdf_text(body).text == LONG


@pytest.mark.parametrize("where", ["pypdf.PdfReader.decrypt", "pypdf.PageObject.extract_text"])
def test_an_encryption_that_cannot_be_opened_is_a_reason(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DependencyError("cryptography is required")

    body = pdf([LONG], change=lambda w: w.encrypt("", algorithm="RC4-128"))
    monkeypatch.setattr(where, fail)
    reason = pdf_text(body).reason
    assert reason is not None
    assert "encrypted" in reason
    assert "cryptography" not in reason


def test_pages_that_are_pictures_are_named_as_the_reason() -> None:
    found = pdf_text(pdf([], change=add_picture))
    assert found.text is None
    assert found.reason is not None
    assert "pictures" in found.reason


def test_text_beside_a_picture_is_read() -> None:
    assert pdf_text(pdf([LONG], change=add_picture)).text == LONG


def test_an_empty_page_has_no_text() -> None:
    assert pdf_text(pdf([])).reason == "There is no text in this PDF."


@pytest.mark.parametrize(
    "body",
    [b"", b"no PDF", b"%PDF-1.7", b"%PDF-1.7\n" + b"x" * 500, pdf([LONG])[:300]],
    ids=["empty", "something else", "nothing in it", "garbage", "cut off"],
)
def test_damage_is_a_reason(body: bytes) -> None:
    found = pdf_text(body)
    assert found.text is None
    assert found.reason == "This PDF is damaged and cannot be read."


def test_a_damaged_page_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    read = PageObject.extract_text

    def fail_at_the_second(page: PageObject, **options: object) -> str:
        if page.page_number == 1:
            raise KeyError("/Font")
        return read(page, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PageObject, "extract_text", fail_at_the_second)
    found = pdf_text(pdf(["One."], ["Two."], ["Three."]))
    assert found.text == "One.\n\nThree."
    assert found.notes == ("Page 2 of the PDF is damaged and left out.",)


def test_at_most_200_pages_are_read_and_it_is_said() -> None:
    found = pdf_text(pdf(*([f"Story{'x' * number}."] for number in range(MAX_PAGES + 3))))
    assert found.pages == MAX_PAGES + 3
    assert found.text is not None
    assert found.text.count("Story") == MAX_PAGES
    assert found.notes == ("Only the first 200 of the PDF's 203 pages were read.",)


def test_the_file_names_its_title_author_and_time() -> None:
    about = {
        "/Title": "Council approves  the budget",
        "/Author": "Jane Doe",
        "/CreationDate": "D:20240503101500+02'00'",
    }
    found = pdf_text(pdf([LONG], about=about))
    assert found.title == "Council approves the budget"
    assert (found.author, found.created) == ("Jane Doe", "2024-05-03T10:15:00+02:00")


@pytest.mark.parametrize(
    "title", ["", "untitled", "Microsoft Word - story final.docx", "page12.indd", "x" * 600]
)
def test_a_title_that_is_none_is_unknown(title: str) -> None:
    assert pdf_text(pdf([LONG], about={"/Title": title})).title is None


@pytest.mark.parametrize(
    "made",
    [
        *("", "yesterday", "D:00000101000000", "D:99991231235959Z"),
        (datetime.now(UTC) + timedelta(days=30)).strftime("D:%Y%m%d%H%M%SZ"),
    ],
)
def test_an_impossible_time_is_unknown(made: str) -> None:
    assert pdf_text(pdf([LONG], about={"/CreationDate": made})).created is None


def test_scripts_and_attachments_are_ignored() -> None:
    def add(writer: PdfWriter) -> None:
        writer.add_open_action(JavaScript("app.alert('ScriptText');"))
        writer.add_attachment("note.txt", b"AttachmentText")

    assert pdf_text(pdf([LONG], change=add)).text == LONG


def test_control_characters_and_ligatures_do_not_stay() -> None:
    assert pdf_text(pdf(["a \x01 b \x7f c"])).text == "a b c"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=12)), min_size=1, max_size=8))
def test_no_damage_makes_it_fail(changes: list[tuple[int, bytes]]) -> None:
    body = bytearray(pdf([LONG, FULL], [LONG]))
    for place, new in changes:
        body[place : place + len(new)] = new
    found = pdf_text(bytes(body))
    assert (found.text is None) == (found.reason is not None)
