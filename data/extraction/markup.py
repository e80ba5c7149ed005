import html
import re
from collections.abc import Iterator
from typing import Any

_HAS_TAG = re.compile(r"<[a-zA-Z/!?]")
_BLANKS = re.compile(r"\s+")
_BLANK_LINE = re.compile(r"[^\S\n]*\n[^\S\n]*\n\s*")
# Control characters that no text means, and halves of a character, which cannot be stored.
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")

# Elements of which nothing is text of the story: code, controls, what a picture or frame shows.
_LEFT_OUT = frozenset(
    (
        *("script", "style", "noscript", "template", "iframe", "object", "svg", "math", "canvas"),
        *("audio", "video", "button", "select", "textarea", "figcaption", "head", "title"),
    )
)
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div"),
        *("dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table"),
        *("tr", "ul"),
    )
)
_CELLS = ("td", "th")


def plain_text(text: str) -> str:
    """Return a text without markup in it as plain paragraphs with a blank line between them.

    A single line break in it is only layout, as in HTML.
    """
    paragraphs = (" ".join(part.split()) for part in _BLANK_LINE.split(storable(text)))
    return "\n\n".join(filter(None, paragraphs))


def text_of_html(markup: str) -> str:
    """Return the text of a piece of HTML as plain paragraphs with a blank line between them.

    References such as `&eacute;` are resolved; a `<br>` is a line break, two of them part
    paragraphs. Scripts, styles and captions are left out.
    """
    if not _HAS_TAG.search(markup):
        return plain_text(html.unescape(markup))
    from lxml import etree

    parser = etree.HTMLParser(
        recover=True, no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    root = etree.fromstring(f"<div>{storable(markup)}", parser)
    if root is None:
        return ""
    paragraphs = []
    for part in _BLANK_LINE.split("".join(_pieces(root))):
        lines = (" ".join(line.split()) for line in part.split("\n"))
        paragraphs.append("\n".join(filter(None, lines)))
    return "\n\n".join(filter(None, paragraphs))


def _pieces(root: Any) -> Iterator[str]:
    """Yield the text in document order, with a blank line at the bounds of each block."""
    waiting: list[tuple[Any, bool]] = [(root, False)]
    while waiting:  # a stack of its own: markup may be nested deeper than Python calls
        element, ended = waiting.pop()
        tag = element.tag
        if ended:
            yield "\n\n" if tag in _BLOCKS else " " if tag in _CELLS else ""
            yield _inline(element.tail)
        elif tag in _LEFT_OUT:
            yield _inline(element.tail)
        else:
            yield "\n\n" if tag in _BLOCKS else "\n" if tag == "br" else ""
            yield _inline(element.text)
            waiting.append((element, True))
            waiting.extend((child, False) for child in reversed(element))


def _inline(text: str | None) -> str:
    return _BLANKS.sub(" ", text) if text else ""


def storable(text: str) -> str:
    """Return a text without the characters that XML and the store cannot hold."""
    return _UNWANTED.sub("", text)


def one_line(text: str) -> str:
    """Return a text in one line."""
    return " ".join(storable(text).split())
