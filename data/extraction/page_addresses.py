"""The one address of a page, among those that lead to it."""

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from data.urls import is_web_address

if TYPE_CHECKING:
    from lxml.html import HtmlElement


def canonical(tree: "HtmlElement", metas: dict[str, list[str]], url: str | None) -> str | None:
    """Return the address that the page calls its own, else `url`, where it came from.

    An address of another site is not believed, nor is one of a mere home page: many pages name
    theirs by mistake. None where nothing is known, as of a file.
    """
    base = base_address(tree, url)
    named = [
        *(link.get("href") or "" for link in tree.iter("link") if _is_canonical(link)),
        *metas.get("og:url", ()),
    ]
    for text in named:
        address = _joined(base, text)
        if address is not None and _is_of_same_page(address, url):
            return address
    return url


def base_address(tree: "HtmlElement", url: str | None) -> str | None:
    """Return what the page's links are relative to: its <base>, else its own address."""
    element = tree.find(".//base[@href]")
    if element is None:
        return url
    return _joined(url, element.get("href") or "") or url


def host_of(url: str | None) -> str | None:
    """Return an address's host in lower case without `www.`, or None."""
    if url is None or not is_web_address(url):
        return None
    return (urlsplit(url).hostname or "").removeprefix("www.") or None


def _is_canonical(link: "HtmlElement") -> bool:
    return "canonical" in (link.get("rel") or "").lower().split()


def _joined(base: str | None, text: str) -> str | None:
    try:
        address = urljoin(base or "", text.strip())
    except ValueError:
        return None
    return address if text.strip() and is_web_address(address) else None


def _is_of_same_page(address: str, url: str | None) -> bool:
    parts = urlsplit(address)
    if parts.path in ("", "/") and not parts.query:
        # Only the home page itself has such an address.
        return url is not None and urlsplit(url).path in ("", "/") and not urlsplit(url).query
    return url is None or same_site(address, url)


def same_site(one: str, other: str) -> bool:
    """Return whether two addresses belong to one domain that somebody registered."""
    return _site(one) == _site(other)


def site_label(url: str | None) -> str:
    """Return the name in the domain that somebody registered, as in `herald.example`, or ""."""
    return _site(url).partition(".")[0] if host_of(url) and url else ""


def _site(url: str) -> str:
    """Return the domain that somebody registered; of an address in numbers the whole host."""
    from tld import get_tld

    found = get_tld(url, as_object=True, fail_silently=True, search_private=True)
    if found is not None and not isinstance(found, str):
        return str(found.fld)
    host = (urlsplit(url).hostname or "").lower()
    # Of a top level that is not known, as in a private network, the last two names.
    return host if _is_number(host) else ".".join(host.split(".")[-2:])


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
