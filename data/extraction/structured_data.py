"""What a page says of itself in JSON-LD (https://schema.org/Article), however badly written."""

import html
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.extraction.html_tree import letters

if TYPE_CHECKING:
    from lxml.html import HtmlElement

Node = dict[str, Any]

_STORY_TYPES_LIST = """
article newsarticle reportagenewsarticle analysisnewsarticle backgroundnewsarticle
opinionnewsarticle reviewnewsarticle askpublicnewsarticle satiricalarticle
advertisercontentarticle blogposting liveblogposting socialmediaposting techarticle
scholarlyarticle medicalscholarlyarticle report claimreview
"""
_STORY_TYPES = frozenset(_STORY_TYPES_LIST.split())
# Under these names stand other pages' stories.
_ELSEWHERE_LIST = """
itemlistelement mentions citation relatedlink haspart ispartof isbasedon comment liveblogupdate
video about subjectof potentialaction breadcrumb review reviews
"""
_ELSEWHERE = frozenset(_ELSEWHERE_LIST.split())
_MAX_BLOCKS = 50  # of JSON-LD; pages have one to ten
_MAX_NODES = 20_000  # in all of them
# As scripts are hidden from old browsers and XML parsers, with the comment marks around that.
_HIDING = re.compile(
    r"<!--|(?:(?://|/\*)\s{0,99})?(?:<!\[CDATA\[|\]\]>)(?:\s{0,99}\*/)?|(?://\s{0,99})?-->"
)
_TRAILING_COMMA = re.compile(r",\s{0,99}([}\]])")
_NOT_FREE = ("false", "no", "0")


# `.paywall`, `#paid`: more than one class or id in a row is not what these parts are named by.
_SIMPLE_SELECTOR = re.compile(r"[.#][\w-]+")


@dataclass(frozen=True, slots=True)
class StructuredData:
    """The page's own story in JSON-LD, and what its parts refer to.

    `story` is empty where there is none. `types` are the types of what is said of the page itself,
    in lower case. `free` tells whether anybody may read it; None where nothing is said about it.
    """

    story: Node = field(default_factory=dict)
    types: frozenset[str] = frozenset()
    free: bool | None = None
    paid: frozenset[str] = frozenset()
    by_id: dict[str, Node] = field(default_factory=dict)

    def nodes(self, name: str) -> list[Node | str]:
        """Return what stands under a name of the story, references followed, always as a list."""
        value = _get(self.story, name)
        values = value if isinstance(value, list) else [value]
        found: list[Node | str] = []
        for item in values:
            if isinstance(item, dict):
                known = self.by_id.get(str(item.get("@id", "")), {})
                found.append({**known, **item})
            elif isinstance(item, str) and item.strip():
                found.append(self.by_id.get(item, item))
        return found

    def text(self, name: str) -> str | None:
        """Return the first text under a name of the story, or None."""
        for item in self.nodes(name):
            value = item if isinstance(item, str) else _get(item, "@value")
            if isinstance(value, str) and value.strip():
                return html.unescape(value.strip())
        return None

    def names(self, name: str) -> list[str]:
        """Return the names of the people or organisations under a name of the story."""
        found: list[str] = []
        for item in self.nodes(name):
            value = item if isinstance(item, str) else _get(item, "name")
            values = value if isinstance(value, list) else [value]
            found.extend(
                html.unescape(v.strip()) for v in values if isinstance(v, str) and v.strip()
            )
        return found


def structured_data(tree: "HtmlElement", title: str | None) -> StructuredData:
    """Return what the page says in JSON-LD; `title` tells its own story from others on it."""
    stories: list[Node] = []
    types: set[str] = set()
    by_id: dict[str, Node] = {}
    said_free: list[bool] = []
    for node, is_own in _all_nodes(tree):
        kinds = _types(node)
        types |= kinds if is_own else set()
        if len(node) > 1 and isinstance(node.get("@id"), str):
            by_id.setdefault(node["@id"], node)
        if is_own and kinds & _STORY_TYPES:
            stories.append(node)
        if is_own and (free := _get(node, "isAccessibleForFree")) is not None:
            said_free.append(_is_free(free))
    story = _best(stories, title)
    own = _get(story, "isAccessibleForFree")
    return StructuredData(
        story=story,
        types=frozenset(types),
        free=_is_free(own) if own is not None else all(said_free) if said_free else None,
        paid=frozenset(_paid_parts(story)),
        by_id=by_id,
    )


def _paid_parts(story: Node) -> Iterator[str]:
    """Yield the classes and ids of the elements that the story says have to be paid for.

    As https://schema.org/hasPart and search engines' rules for paywalled content have it.
    """
    parts = _get(story, "hasPart")
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, dict) and not _is_free(_get(part, "isAccessibleForFree")):
            yield from _SIMPLE_SELECTOR.findall(str(_get(part, "cssSelector") or ""))


def _is_free(value: object) -> bool:
    return str(value).strip().rsplit("/", 1)[-1].lower() not in _NOT_FREE


def _best(stories: list[Node], title: str | None) -> Node:
    """Return the story that has the page's own headline, else the one that says most of itself."""
    key = letters(title or "").casefold()
    for story in stories:
        headline = letters(str(_get(story, "headline") or "")).casefold()
        if headline and key and (headline in key or key in headline):
            return story
    wanted = ("headline", "datePublished", "author", "publisher")
    return max(stories, key=lambda s: sum(name in s for name in wanted), default={})


def _get(node: Node, name: str) -> Any:
    """Return what stands under a name, whatever its case; None where nothing does."""
    if name in node:
        return node[name]
    lower = name.lower()
    return next((v for k, v in node.items() if isinstance(k, str) and k.lower() == lower), None)


def _types(node: Node) -> set[str]:
    value = node.get("@type")
    values = value if isinstance(value, list) else [value]
    return {v.rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower() for v in values if isinstance(v, str)}


def _all_nodes(tree: "HtmlElement") -> Iterator[tuple[Node, bool]]:
    """Yield the objects of all blocks, and whether each is said of this page itself."""
    left = _MAX_NODES
    for text in _blocks(tree):
        waiting: deque[tuple[Any, bool]] = deque((value, True) for value in _loaded(text))
        while waiting and left:
            value, is_own = waiting.popleft()
            left -= 1
            if isinstance(value, list):
                waiting.extend((item, is_own) for item in value)
            elif isinstance(value, dict):
                yield value, is_own
                waiting.extend(
                    (item, is_own and str(name).lower() not in _ELSEWHERE)
                    for name, item in value.items()
                    if isinstance(item, dict | list)
                )


def _blocks(tree: "HtmlElement") -> list[str]:
    found = []
    for script in tree.iter("script"):
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        if kind == "application/ld+json" and script.text:
            found.append(script.text)
    return found[:_MAX_BLOCKS]


def _loaded(text: str) -> Iterator[Any]:
    """Yield the values in a block: as it stands, or with the usual mistakes put right."""
    text = _HIDING.sub("", text).strip().rstrip(";")
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text), html.unescape(text)):
        try:
            # Pages put line breaks and tabs into strings, which strict JSON has no place for.
            yield json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
        return
    yield from _in_a_row(text)


def _in_a_row(text: str) -> Iterator[Any]:
    """Yield the values that stand one behind another, as far as they can be read."""
    decoder = json.JSONDecoder(strict=False)
    position = 0
    for _ in range(_MAX_BLOCKS):
        start = text.find("{", position)
        if start < 0:
            return
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            return
        yield value
