"""From an address that somebody named to what may be asked for."""

from collections.abc import Collection
from dataclasses import dataclass

from yarl import URL

from data.addresses import HostRules, may_be_public, plain_host
from data.urls import MAX_URL_LENGTH
from data.web.fetch_errors import FetchError, UnreachableError, not_on_the_web, shown

# Ports of other protocols, which browsers block for the web, since a request could be taken for
# something else there (https://fetch.spec.whatwg.org/#port-blocking).
BLOCKED_PORTS = frozenset(
    {
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95),
        *(101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161),
        *(179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563),
        *(587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060),
        *(5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: an address of which everything that can be known beforehand is checked.

    `url` has no fragment and no user; its host is `host`: plain, lower-case ASCII. `allowed` tells
    that the operator allows this host even where it leads inside.
    """

    url: URL
    host: str
    port: int
    allowed: bool

    @property
    def origin(self) -> str:
        """Return scheme, host and port: what one robots.txt holds for."""
        return str(self.url.origin())

    @property
    def robots(self) -> str:
        """Return the address of the robots.txt that holds for it."""
        return str(self.url.origin().with_path("/robots.txt"))


def target_of(
    address: str, rules: HostRules, taken_out: Collection[str], *, base: URL | None = None
) -> Target:
    """Return what to ask for; `base` is where a redirect comes from, and completes its address.

    Raises:
        UnreachableError: if its host is refused, or cannot be one of the public web.
        FetchError: if it is no address of a web page.
    """
    url = _parsed(address, base)
    if "@" in url.raw_authority:
        raise FetchError(
            f"The address {shown(str(url.with_user(None)))} holds a user name or password. "
            "Leave it out.",
            lasting=True,
        )
    host, port = plain_host(url.raw_host or ""), url.port
    if port is None or port in BLOCKED_PORTS:
        raise FetchError(
            f"{shown(host)} is asked for at port {port}, where no web pages are.", lasting=True
        )
    if rules.refuses(host, taken_out):
        raise UnreachableError(
            f"The operator of this bot has taken {shown(host)} out, so nothing is read from there.",
            lasting=True,
        )
    allowed = rules.allows(host, port)
    if not allowed and not may_be_public(host):
        raise not_on_the_web(host)
    try:
        url = url.with_host(host)
    except ValueError as error:
        raise _no_address(address) from error
    return Target(url, host, port, allowed)


def _parsed(address: str, base: URL | None) -> URL:
    address = address.strip()
    if len(address) > MAX_URL_LENGTH:
        raise _too_long(address)
    if not address.isprintable():
        raise _no_address(address)
    try:
        url = URL(address).with_fragment(None)
        if base is not None:
            url = base.join(_below(base, url))
        # Read once more, since what is wrong shows only then: "http://[::1。]" loses its brackets.
        url = URL(str(url))
        is_web = url.scheme in ("http", "https") and bool(url.raw_host)
    except (ValueError, IndexError) as error:  # UnicodeError is one; "http://[]@" gives the second
        raise _no_address(address) from error
    if not is_web:
        raise _no_address(address)
    if len(str(url)) > MAX_URL_LENGTH:
        raise _too_long(address)  # encoded it is
    return url


def _below(base: URL, url: URL) -> URL:
    """Return a relative address from the root on, with the base's folder as it was written.

    Joining decodes that folder, so that a line break may come out of it.
    """
    is_absolute = url.raw_authority or not url.raw_path or url.raw_path.startswith("/")
    if is_absolute or url.scheme not in ("", base.scheme):
        return url
    folder = base.raw_path.rpartition("/")[0]
    path = f"{folder}/{url.raw_path}"
    return URL.build(path=path, query_string=url.raw_query_string, encoded=True)


def _too_long(address: str) -> FetchError:
    return FetchError(
        f"The address {shown(address)} is longer than {MAX_URL_LENGTH} characters.", lasting=True
    )


def _no_address(address: str) -> FetchError:
    return FetchError(
        f"“{shown(address)}” is no address of a web page. "
        "It has to begin with https:// or http:// and to name a site.",
        lasting=True,
    )
