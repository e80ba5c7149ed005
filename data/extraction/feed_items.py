import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from data.dates import is_future, parse_date
from data.extraction.markup import one_line
from data.ingestion import MAX_ID_LENGTH
from data.pages import FeedItem
from data.urls import is_web_address

# Characters from which the full content of an entry counts as the whole story: nineteen in twenty
# news stories are longer (5 % of 2,915 stories of 2020-2026 and 2 % of 316 CNN stories are
# shorter), and hardly a teaser is. Too high costs one look at the page, too low half a story.
MIN_FULL_TEXT = 1000

# How a text ends that goes on elsewhere.
_GOES_ON = re.compile(
    r"(?:\.\.\.|…|\[…\]|\[\.\.\.\]|\(more\)|"
    r"\b(?:read|see|view|learn) (?:more|on|the (?:full|rest|whole)\b.{0,60}|full\b.{0,40})|"
    r"\b(?:continue|keep) reading\b.{0,200})[\s.…»›→>)\]]*\Z",
    re.IGNORECASE,
)
_TAIL = 300  # characters at the end in which that is looked for
# What publishing programs put under an entry; none of it is the story's.
_FOOTER = re.compile(
    r"The post .{1,400} (?:first )?appeared (?:first )?on .{1,200}"
    r"|(?:Continue reading|Read more|Read the full (?:story|article))\b.{0,200}",
    re.IGNORECASE | re.DOTALL,
)

# Beginnings of the months' names, by number: English ones, as RFC 822 wants them, and those of
# other languages that publishers write in their place, where they mean one month alone.
_MONTHS = {
    **dict.fromkeys(("jan", "ene", "gen", "jän"), 1),
    **dict.fromkeys(("feb", "fev", "fév"), 2),
    **dict.fromkeys(("mar", "mär", "mrt"), 3),
    **dict.fromkeys(("apr", "abr", "avr"), 4),
    **dict.fromkeys(("may", "mai", "mag", "mei", "maj"), 5),
    **dict.fromkeys(("jun", "giu"), 6),
    **dict.fromkeys(("jul", "lug"), 7),
    **dict.fromkeys(("aug", "ago", "aoû"), 8),
    **dict.fromkeys(("sep", "set"), 9),
    **dict.fromkeys(("oct", "okt", "out", "ott"), 10),
    "nov": 11,
    **dict.fromkeys(("dec", "dez", "dic", "déc"), 12),
}
# Read here because it is the form of most dates and parse_date needs milliseconds for it.
_RFC_822 = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,? )?(\d{1,2}) ([^\W\d_]{3})[^\W\d_]{0,7}\.? (\d{4})"
    r" (\d\d:\d\d(?::\d\d)?) ?([a-z]{1,3}|[+-]\d\d:?\d\d)",
    re.IGNORECASE,
)
_ZONES = {  # those that RFC 822 names (section 5.1), and two that mean the same
    **dict.fromkeys(("z", "ut", "utc", "gmt"), "+00:00"),
    **{"edt": "-04:00", "est": "-05:00", "cdt": "-05:00", "cst": "-06:00"},
    **{"mdt": "-06:00", "mst": "-07:00", "pdt": "-07:00", "pst": "-08:00"},
}
_NAMED_UTC = re.compile(r" ?(?:UTC|GMT|UT)\Z")
_EMAIL = re.compile(r"<?\b[\w.+-]{1,64}@[\w.-]{1,255}\.\w{1,63}>?")  # lengths: RFC 5321, 4.5.3.1


@dataclass(frozen=True, slots=True)
class RawItem:
    """An entry as the feed has it, of whatever format; "" is what it does not have.

    `links` begins with the best one. `full` are the texts of elements that are meant to hold the
    whole story, `short` those of the others; all are plain paragraphs.
    """

    guid: str = ""
    links: Sequence[str] = ()
    title: str = ""
    authors: Sequence[str] = ()
    published: str = ""
    modified: str = ""
    full: Sequence[str] = ()
    short: Sequence[str] = ()


def feed_item(raw: RawItem, *, base: str | None) -> FeedItem:
    """Return the entry as it is handed on; relative links are taken to be relative to `base`."""
    url = next(filter(None, (web_address(link, base) for link in raw.links)), None)
    title = one_line(raw.title) or None
    full = [_without_footer(text) for text in raw.full]
    whole = max(filter(_is_whole, full), key=len, default=None)
    short = map(_without_footer, raw.short)
    text = whole or max((*full, *short), key=len, default="") or None
    published = item_date(raw.published)
    modified = item_date(raw.modified)
    if published and modified and (modified == published or modified[:10] < published[:10]):
        modified = None
    return FeedItem(
        guid=_guid(raw.guid, url, title, text),
        url=url,
        title=title,
        author=author_names(raw.authors),
        published_at=published,
        modified_at=modified,
        text=text,
        is_summary=whole is None,
        refused=None if url or text else "The entry has neither a link nor a text.",
    )


def _guid(guid: str, url: str | None, title: str | None, text: str | None) -> str:
    """Return what names the entry; one that is not named is known by all that it says."""
    name = one_line(guid) or url
    if name and len(name) <= MAX_ID_LENGTH:
        return name
    said = name or f"{title or ''}\n{text or ''}"
    return f"sha256:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()}"


def web_address(link: str, base: str | None) -> str | None:
    """Return a link as an absolute http or https address, or None where it is none."""
    link = one_line(link)
    try:
        url = urljoin(base, link) if base and link else link
    except ValueError:
        return None
    url = quote(url, safe="".join(map(chr, range(0x21, 0x7F)))) if " " in url else url
    return _target(url) if is_web_address(url) else None


def _target(url: str) -> str:
    """Return where a link of Google Alerts leads; it goes by a counter that bars robots."""
    parts = urlsplit(url)
    if (parts.hostname or "") == "www.google.com" and parts.path == "/url":
        target = parse_qs(parts.query, max_num_fields=50).get("url", [""])[0]
        return target if is_web_address(target) else url
    return url


def author_names(names: Iterable[str]) -> str | None:
    """Return the names in one line, each once and without e-mail addresses, or None."""
    found: dict[str, str] = {}
    for name in names:
        bare = one_line(_EMAIL.sub(" ", name)).strip(" ()<>,;")
        bare = re.sub(r"\Aby\s+", "", bare, flags=re.IGNORECASE)
        if bare:
            found.setdefault(bare.casefold(), bare)
    return ", ".join(found.values()) or None


def item_date(text: str) -> str | None:
    """Return a feed's date as ISO 8601 with the offset that it came with; None where unknown.

    A date in the future, before the printing press, or at the moment at which computers begin to
    count (1970-01-01, what is written where no date is known) is unknown.
    """
    text = one_line(text)
    match = _RFC_822.fullmatch(text)
    found = _rfc_822(match) if match else None
    if found is None:
        found = parse_date(_NAMED_UTC.sub("Z", text))
    if found is None or is_future(found) or found.startswith("1970-01-01"):
        return None
    return found


def _rfc_822(match: re.Match[str]) -> str | None:
    day, name, year, time, zone = match.groups()
    month = _MONTHS.get(name.lower())
    offset = f"{zone[:3]}:{zone[-2:]}" if zone[0] in "+-" else _ZONES.get(zone.lower())
    if month is None or offset is None:
        return None
    return parse_date(f"{year}-{month:02}-{int(day):02}T{time}{offset}")


def _is_whole(text: str) -> bool:
    return len(text) >= MIN_FULL_TEXT and _GOES_ON.search(text[-_TAIL:]) is None


def _without_footer(text: str) -> str:
    """Return the text without what the publishing program put under it."""
    body, mark, last = text.rpartition("\n\n")
    return body if mark and len(last) <= 700 and _FOOTER.fullmatch(last) else text
