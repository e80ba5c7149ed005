import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from data.addresses import in_domain

# Query parameters that tell how a reader came to a page, not which page it is.
_TRACKING = ("utm_", "fbclid", "gclid", "mc_cid", "mc_eid")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))  # what stays as it is in a query that is encoded
_DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_LENGTH = 2000


def is_web_address(url: str) -> bool:
    """Return whether the text is an absolute http or https address with a host.

    One with a user name is none (`https://news.example@other.example/`), nor one with a backslash,
    which browsers take for a slash: both lead elsewhere than they seem to.
    """
    if len(url) > MAX_URL_LENGTH or any(c.isspace() or not c.isprintable() for c in url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    hides = "@" in parts.netloc or "\\" in url
    return parts.scheme.lower() in _DEFAULT_PORTS and bool(parts.hostname) and not hides


def canonical_url(url: str | None) -> str | None:
    """Return the form of an address by which two links to one page are equal; None stays None.

    Host in lower case, http as https, no `www.`, no default port, fragment, tracking parameter
    or slash at the end. It is compared, never shown.
    """
    if url is None:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    query = quote(parts.query, safe=_ASCII)
    kept = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True, encoding="latin-1")
        if not name.lower().startswith(_TRACKING)
    ]
    return urlunsplit(
        ("https", host + port, parts.path.rstrip("/"), urlencode(kept, encoding="latin-1"), "")
    )


def lies_in(url: str | None, domain: str) -> bool:
    """Return whether an address leads to a domain or one of its subdomains; None leads nowhere."""
    try:
        host = unquote(urlsplit(url).hostname or "") if url else ""
    except ValueError:
        return False
    return bool(host) and in_domain(host, domain)


# Words at each end by which a browser finds a longer passage.
_FRAGMENT_WORDS = 5
_SHORT_PASSAGE = 80  # characters: named whole
# In a link in a message these would end it.
_UNSAFE = re.compile(r"""[\x00-\x20()<>"\\`|^{}\x7f]""")


def passage_url(url: str, passage: str, *, limit: int) -> str | None:
    """Return a link that opens a page at the passage, of at most `limit` characters.

    The passage is named by a text fragment (https://wicg.github.io/scroll-to-text-fragment/).
    Where that makes the link too long it opens the page alone; None where even that is too long.
    """
    safe = _safe(url)
    mark = "" if "#" in safe else "#"
    link = f"{safe}{mark}:~:text={_fragment(passage)}"
    if len(link) <= limit and ":~:" not in safe:
        return link
    return page_url(url, limit=limit)


def page_url(url: str, *, limit: int) -> str | None:
    """Return a page's address as it can stand in a message's link; None where it is too long."""
    safe = _safe(url)
    return safe if len(safe) <= limit else None


def _safe(url: str) -> str:
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", url)


def _fragment(passage: str) -> str:
    words = passage.split()
    if len(passage) <= _SHORT_PASSAGE or len(words) <= 2 * _FRAGMENT_WORDS:
        return _encoded(words)
    return f"{_encoded(words[:_FRAGMENT_WORDS])},{_encoded(words[-_FRAGMENT_WORDS:])}"


def _encoded(words: list[str]) -> str:
    # A hyphen has a meaning of its own in a text fragment.
    return quote(" ".join(words), safe="").replace("-", "%2D")
