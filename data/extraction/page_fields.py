"""The short texts about a page: its <meta> elements, and how one is made fit to be shown."""

import html
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from data.ingestion import MAX_FIELD_LENGTH

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Metas = dict[str, list[str]]

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
# Control characters, marks of direction and other characters that take no place.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\ufeff]")
_MOST = 50  # contents of one name that are looked at
_SOFT_HYPHEN = "\u00ad"


def metas_of(tree: "HtmlElement") -> Metas:
    """Return the contents of the page's <meta> elements by property, name or itemprop.

    Names are in lower case; a name's contents stand in the page's order, each once.
    """
    found: Metas = defaultdict(list)
    for element in tree.iter("meta"):
        content = (element.get("content") or "").strip()
        stated = (element.get(attribute) or "" for attribute in ("property", "name", "itemprop"))
        # An itemprop can hold several names; the names of others hold no white space.
        for name in dict.fromkeys(" ".join(stated).lower().split()):
            if content and len(found[name]) < _MOST and content not in found[name]:
                found[name].append(content)
    return dict(found)


def contents(metas: Metas, names: tuple[str, ...]) -> list[str]:
    """Return the contents under all of the names, in the names' order."""
    return [text for name in names for text in metas.get(name, ())]


def tidied(text: str, limit: int = MAX_FIELD_LENGTH) -> str:
    """Return a text on one line without tags, entities and characters that nobody sees.

    One longer than `limit` characters is cut between words and ends in an ellipsis.
    """
    # Many pages write entities for entities: `&amp;quot;`.
    text = _TAG.sub(" ", html.unescape(html.unescape(text[: limit * 20])))
    text = " ".join(_UNSEEN.sub(" ", text.replace(_SOFT_HYPHEN, "")).split())
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-–—") + "…"
