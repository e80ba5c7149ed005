"""Whose story a page holds, by a stated precedence: JSON-LD, then <meta>, then what can be seen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.extraction.html_tree import letters, text_of
from data.extraction.page_addresses import canonical, host_of, site_label
from data.extraction.page_authors import author_names, first_name_first
from data.extraction.page_byline import byline_names, under_headline
from data.extraction.page_dates import MODIFIED_NAMES, PUBLISHED_NAMES, day_in_line, page_dates
from data.extraction.page_fields import Metas, contents, metas_of, tidied
from data.extraction.structured_data import StructuredData, structured_data

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TITLE_NAMES = (
    *("og:title", "twitter:title", "parsely-title", "sailthru.title", "citation_title"),
    *("dc.title", "dcterms.title", "title", "headline"),
)
_SITE_NAMES = ("og:site_name", "application-name", "apple-mobile-web-app-title")
_PUBLISHER_NAMES = ("citation_journal_title", "dc.publisher", "dcterms.publisher", "publisher")
# Programs that name themselves as the publisher of what is written with them.
_PLATFORMS = ("blogger", "blogspot", "wordpress", "wordpress.com", "wix", "squarespace", "joomla")
_AUTHOR_NAMES = (
    *("author", "parsely-author", "sailthru.author", "article:author", "og:author"),
    *("byl", "byline"),
)
_CREATOR_NAMES = ("citation_author", "dc.creator", "dcterms.creator")  # as in a catalogue

# What divides a headline from the site's name, with white space around it.
_DIVIDER = re.compile(r"\s+(?:[|\-–—·•»«:]|::|//)\s+")
_LONGEST_TAIL = 60  # characters of a site's name in a title
_SHORTEST_NAME = 3  # letters by which a site's name is told within a longer one
_CUT_SHORT = re.compile(r"\s*(?:\.\.\.|…)$")


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """Whose a page's story is; None is unknown. Dates are ISO 8601 as they came.

    `titles` are all that the page calls the story, as they stand, and `credits` what it says of
    its authors above the text: both are repeated in no body. `data` and `metas` are what it
    was read from. `notes` are sentences for the person who adds the story.
    """

    title: str | None
    author: str | None
    source: str | None
    published_at: str | None
    modified_at: str | None
    url: str | None
    titles: tuple[str, ...]
    credits: tuple[str, ...]
    data: StructuredData
    metas: Metas
    notes: tuple[str, ...] = ()

    @property
    def free(self) -> bool | None:
        """Return whether anybody may read the story; None where the page says nothing of it."""
        tiers = {tier.strip().lower() for tier in self.metas.get("article:content_tier", [])}
        return False if self.data.free is None and "locked" in tiers else self.data.free


def page_metadata(tree: "HtmlElement", source_text: str, url: str | None) -> PageMetadata:
    """Return whose story the page holds.

    `source_text` is the page as it came, in which a date is looked for where none is stated;
    `url` is where it came from, None for a file.
    """
    metas = metas_of(tree)
    data = structured_data(tree, next(iter(metas.get("og:title", ())), None) or _title_tag(tree))
    address = canonical(tree, metas, url)
    source = _source(data, metas, _title_tag(tree) or "", address or url)
    stated = [
        *(text for name in ("headline", "name") if (text := data.text(name))),
        *contents(metas, _TITLE_NAMES),
    ]
    seen = [text_of(element) for element in tree.iter("h1")]
    titles = _tidied([*stated, *seen, _title_tag(tree) or ""])
    sites = _site_names(source, metas, address or url)
    title = _title(titles, sites)
    top = under_headline(tree, [title or "", *titles])
    days = (day for line in top if (day := day_in_line(line.text)))
    dates = page_dates(
        published=[*_stated(tree, data, metas, "datePublished", PUBLISHED_NAMES), *days],
        modified=list(_stated(tree, data, metas, "dateModified", MODIFIED_NAMES)),
        tree=tree,
        source=source_text,
        url=address or url,
    )
    language = tree.get("lang") or ""
    bylines = {line.text: names for line in top if (names := byline_names(line.text, language))}
    author = author_names(
        [*_stated_authors(data, metas), *bylines.values()], tree, not_people=sites
    )
    # Of several <h1> all but one are headlines of other stories, or of the page's sections.
    own = [*stated, title or "", *(seen if len(seen) == 1 else []), _title_tag(tree) or ""]
    return PageMetadata(
        title=title,
        author=author,
        source=source,
        published_at=dates.published_at,
        modified_at=dates.modified_at,
        url=address,
        titles=_tidied(own),
        credits=(*bylines, *([author, *author.split(", ")] if author else [])),
        data=data,
        metas=metas,
        notes=(dates.note,) if dates.note else (),
    )


def _title_tag(tree: "HtmlElement") -> str | None:
    element = tree.find(".//title")
    return text_of(element) if element is not None else None


def _stated(
    tree: "HtmlElement", data: StructuredData, metas: Metas, name: str, names: tuple[str, ...]
) -> Iterator[str]:
    """Yield what the page states about a date: JSON-LD, then <meta>, then microdata."""
    if text := data.text(name):
        yield text
    yield from contents(metas, names)
    for element in tree.iterfind(f'.//*[@itemprop="{name}"]'):
        if text := element.get("datetime") or element.get("content") or text_of(element):
            yield text


def _stated_authors(data: StructuredData, metas: Metas) -> Iterator[list[str]]:
    """Yield what the page states about its authors: JSON-LD, then <meta>."""
    yield from (data.names("author"), data.names("creator"))
    yield from (metas.get(name, []) for name in _AUTHOR_NAMES)
    yield from ([first_name_first(n) for n in metas.get(name, [])] for name in _CREATOR_NAMES)


def _tidied(titles: list[str]) -> tuple[str, ...]:
    """Return the titles fit to be shown, each once and none of them empty."""
    return tuple(dict.fromkeys(text for title in titles if (text := tidied(title))))


def _title(titles: tuple[str, ...], sites: list[str]) -> str | None:
    """Return the first title that is more than the site's name, without that name at its end.

    One that was cut short gives way to a longer one that begins like it.
    """
    keys = {letters(site).casefold() for site in sites}
    for title in titles:
        headline = _without_site(title, keys)
        if not letters(headline) or letters(headline).casefold() in keys:
            continue
        if _CUT_SHORT.search(headline):
            opening = _CUT_SHORT.sub("", headline)
            longer = (_without_site(other, keys) for other in titles)
            return next((o for o in longer if o.startswith(opening) and o != headline), headline)
        return _alone(headline, titles)
    return titles[0] if titles else None


def _alone(headline: str, titles: tuple[str, ...]) -> str:
    """Return the headline without the sections behind it, where the page has it without them."""
    for other in titles:
        if headline.startswith(other) and _DIVIDER.match(headline, len(other)):
            return other
    return headline


def _without_site(title: str, sites: set[str]) -> str:
    while True:
        *_, last = [None, *_DIVIDER.finditer(title)]
        if last is None or not _names_site(title[last.end() :], sites):
            break
        title = title[: last.start()]
    first = _DIVIDER.search(title)
    if first is not None and letters(title[: first.start()]).casefold() in sites:
        return title[first.end() :]
    return title


def _names_site(tail: str, sites: set[str]) -> bool:
    key = letters(tail).casefold()
    if not key or len(tail) > _LONGEST_TAIL:
        return not key
    return key in sites or any(
        len(site) >= _SHORTEST_NAME and (key.startswith(site) or site.startswith(key))
        for site in sites
        if len(key) >= _SHORTEST_NAME
    )


def _source(data: StructuredData, metas: Metas, title_tag: str, url: str | None) -> str | None:
    """Return the publisher's name, else the host it publishes at.

    What a title ends in is the name where its letters are those of the domain.
    """
    candidates = [
        *data.names("publisher"),
        *data.names("sourceOrganization"),
        *contents(metas, _SITE_NAMES),
        *contents(metas, _PUBLISHER_NAMES),
    ]
    for text in candidates:
        name = tidied(text).lstrip("@")
        if letters(name) and "://" not in name and name.lower() not in _PLATFORMS:
            return name
    tail = tidied(_DIVIDER.split(title_tag)[-1])
    label = letters(site_label(url)).casefold()
    return tail if label and letters(tail).casefold() == label else host_of(url)


def _site_names(source: str | None, metas: Metas, url: str | None) -> list[str]:
    """Return what the site is called: its publisher, its other names, its host."""
    host = host_of(url) or ""
    names = [source or "", *contents(metas, _SITE_NAMES), host]
    names.append(host.split(".")[0])
    return [name for name in map(tidied, names) if letters(name)]
