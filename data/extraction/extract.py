"""From a page, whatever it is, to the story in it: HTML, PDF, plain text or Markdown."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from data.dates import is_future
from data.errors import StoryRefusedError
from data.extraction.charsets import decode_page
from data.extraction.html_body import body_paragraphs, visible
from data.extraction.html_tree import letters, parse_html
from data.extraction.page_addresses import host_of, same_site
from data.extraction.page_authors import joined_names
from data.extraction.page_checks import (
    NO_TEXT,
    PAYWALL,
    SCRIPT_ONLY,
    TOO_LITTLE,
    problem,
    without_offers,
)
from data.extraction.page_dates import standard_date
from data.extraction.page_evidence import Evidence
from data.extraction.page_fields import tidied
from data.extraction.page_metadata import PageMetadata, page_metadata
from data.extraction.pdf import pdf_text
from data.models import normalise
from data.pages import Extracted, Page
from data.plaintext import split_story
from data.urls import is_web_address

if TYPE_CHECKING:
    from lxml.html import HtmlElement

BINARY = "This is neither a web page, nor a PDF, nor a text, so there is no story to be read in it."
TOO_MANY_PARTS = "The page is made of so many parts that it cannot be read as a story."
NOT_FREE = "The publisher marks this story as not free to read for everybody."

MAX_ELEMENTS = 50_000  # of a page; long stories with their readers' comments have 20,000
# Share of control characters from which on it is no text: of bytes at random they are a tenth.
_CONTROLS = 0.05
_LOOKED_AT = 2048  # bytes at the beginning by which a page's kind is told
_PDF_TYPES = ("application/pdf", "application/x-pdf")
_TEXT_TYPES = ("text/plain", "text/markdown", "text/x-markdown")
_DOCUMENT = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_MARKUP = re.compile(rb"<(?:p|div|article|section|h1|span|table|meta|title|br|a)\b[^>]*>", re.I)
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f]")  # those that no text needs
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PARAGRAPH_END = re.compile(r"\s*\n\s*|</p\s*>|<br\s*/?>\s*<br\s*/?>", re.IGNORECASE)
_LEAST_MORE = 250  # letters of a text in JSON-LD from which on it can be the story itself
# With these it is worth a look whether the text stands in JSON-LD; never behind a paywall.
_MAY_BE_MORE = (None, NO_TEXT, TOO_LITTLE, SCRIPT_ONLY)


def extract(page: Page) -> Extracted:
    """Return what a page says: its story, whose it is, or why it holds none.

    A page that holds no story is no error: what text there is comes with the reason.
    """
    kind = _kind(page)
    if kind == "pdf":
        return _from_pdf(page)
    if kind == "binary":
        return Extracted(url=page.url, source=host_of(page.url), reason=BINARY)
    text = decode_page(page.body, declared=page.charset)
    if len(_CONTROL.findall(text)) > _CONTROLS * len(text):
        return Extracted(url=page.url, source=host_of(page.url), reason=BINARY)
    return _from_text(text, page.url) if kind == "text" else _from_html(text, page.url)


def _kind(page: Page) -> str:
    """Return what the bytes are; they are believed before the media type, as browsers do."""
    head = page.body[:_LOOKED_AT]
    if head.startswith(_UTF16_MARKS):
        head = head.decode("utf-16", "ignore").encode("utf-8", "replace")
    if head.lstrip().startswith(b"%PDF-"):
        return "pdf"
    if _DOCUMENT.match(head):
        return "html"
    if page.media_type in _PDF_TYPES:
        return "pdf"
    if b"\x00" in head.strip(b"\x00"):
        return "html" if "html" in page.media_type else "binary"
    if page.media_type in _TEXT_TYPES:
        return "text"
    return "html" if "html" in page.media_type or _MARKUP.search(head) else "text"


def _from_html(text: str, url: str | None) -> Extracted:
    tree = parse_html(text)
    if tree is None:
        return Extracted(url=url, source=host_of(url), reason=NO_TEXT)
    if sum(1 for _ in tree.iter()) > MAX_ELEMENTS:
        return Extracted(url=url, source=host_of(url), reason=TOO_MANY_PARTS)
    about = page_metadata(tree, text, url)
    shown = visible(tree)
    scripted = any(_runs(script) for script in tree.iter("script"))
    found = Evidence(
        shown, body_paragraphs(shown, about.titles, about.credits), about, url, scripted=scripted
    )
    reason = problem(found)
    stated = _stated_body(about) if reason in _MAY_BE_MORE else []
    if sum(map(len, found.paragraphs)) < sum(map(len, stated)) / 2:
        found = replace(found, paragraphs=stated)
        reason = problem(found)
    if reason == PAYWALL:
        found = replace(found, paragraphs=without_offers(found.paragraphs))
    notes = about.notes
    if reason is None and about.free is False:
        notes = (*notes, NOT_FREE)
    return Extracted(
        title=about.title,
        author=about.author,
        source=about.source,
        published_at=about.published_at,
        modified_at=about.modified_at,
        url=about.url,
        text=normalise("\n\n".join(found.paragraphs)) or None,
        reason=reason,
        notes=notes,
    )


def _runs(script: "HtmlElement") -> bool:
    """Return whether a <script> is a program; others hold data, as JSON-LD."""
    kind = (script.get("type") or "").lower()
    return not kind or "javascript" in kind or "ecmascript" in kind or kind.strip() == "module"


def _stated_body(about: PageMetadata) -> list[str]:
    """Return the paragraphs of the text in JSON-LD; none where the page says it is not free."""
    body = about.data.text("articleBody")
    if body is None or about.free is False or len(letters(body)) < _LEAST_MORE:
        return []
    return [text for part in _PARAGRAPH_END.split(body) if (text := tidied(part, len(body) + 1))]


def _from_text(text: str, url: str | None) -> Extracted:
    try:
        parts = split_story(text)
    except StoryRefusedError as error:
        return Extracted(url=url, source=host_of(url), text=text, reason=str(error))
    fields = {name: tidied(value) or None for name, value in parts.fields.items()}
    stated = fields.get("url")
    believed = stated and is_web_address(stated) and (url is None or same_site(stated, url))
    address = stated if believed else url
    day, note = _day(fields.get("published_at"))
    return Extracted(
        title=fields.get("title"),
        author=fields.get("author"),
        source=fields.get("source") or host_of(url),
        published_at=day,
        url=address,
        text=parts.text if letters(parts.text) else None,
        reason=None if letters(parts.text) else NO_TEXT,
        notes=(note,) if note else (),
    )


def _day(text: str | None) -> tuple[str | None, str | None]:
    """Return a stated date, or a sentence that says why it stays unknown."""
    if text is None:
        return None, None
    day = standard_date(text)
    if day is None:
        return None, (
            f"The date {text[:80]!r} cannot be read for certain, so the date stays unknown."
        )
    if is_future(day):
        return None, f"The date {text[:80]!r} is in the future, so the date stays unknown."
    return day, None


def _from_pdf(page: Page) -> Extracted:
    found = pdf_text(page.body)
    notes = found.notes
    if found.created is not None and found.reason is None:
        made = f"The PDF was made on {found.created[:10]}; it does not say when it was published."
        notes = (*notes, made)
    return Extracted(
        title=tidied(found.title) if found.title else None,
        author=joined_names([found.author] if found.author else []),
        source=host_of(page.url),
        url=page.url,
        text=found.text,
        reason=found.reason,
        notes=notes,
    )
