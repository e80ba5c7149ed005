"""Which hosts may be asked: those of the public web, and what the operator says beside that."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

# What is not the public internet, from the IANA registries of special-purpose addresses
# (https://www.iana.org/assignments/iana-ipv4-special-registry), read in November 2026. The lists
# are our own because those of `ipaddress` differ between the releases of Python.
_NOT_PUBLIC_V4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider (CGNAT); Alibaba's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata and host agent; public only by its number
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # measurements inside a network
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# In IPv6 the public part is the smaller one: 2000::/3 less what is taken out of it here. The
# forms of a transition that carry an IPv4 address as 6to4 and Teredo do are given up by all, so
# they are refused whatever they carry.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
# Networks of IPv6 alone reach the IPv4 web by this prefix, so what it carries decides.
_NAT64 = IPv6Network("64:ff9b::/96")

# Names that mean something inside a network only (RFC 6761, RFC 8375, ICANN's .internal) or that
# routers and companies use as if they did.
_INSIDE_NAMES = (
    *("localhost", "localdomain", "local", "internal", "intranet", "private"),
    *("home.arpa", "home", "lan", "corp"),
)
# A label as it stands in the DNS; the underscore is not allowed there and is used all the same.
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# Browsers read a host that ends so as an IPv4 address (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


def is_public(address: str) -> bool:
    """Return whether an IP address, as text, belongs to the public internet.

    One that carries an IPv4 address is judged by it. What is no address at all is not public.
    """
    if "%" in address:
        return False  # a zone: the address holds on one network only
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(ip) if isinstance(ip, IPv4Address) else _is_public_v6(ip)


def _is_public_v4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _NOT_PUBLIC_V4)


def _is_public_v6(ip: IPv6Address) -> bool:
    if ip.ipv4_mapped is not None:
        return _is_public_v4(ip.ipv4_mapped)
    if ip in _NAT64:
        return _is_public_v4(IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _NOT_PUBLIC_V6)


def is_ip(host: str) -> bool:
    """Return whether a host is an IP address in its usual spelling."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def may_be_public(host: str) -> bool:
    """Return whether a host, in its plain form, can be one of the public web.

    An IP address has to be public. A name may still turn out to lead inside; what is refused here
    is what is no name: names of one's own network, and every other spelling of an IP address
    (`2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`, `127.0.0.1%00.example.com`).
    """
    if is_ip(host):
        return is_public(host)
    if not _NAME.fullmatch(host) or _ENDS_IN_NUMBER.fullmatch(host):
        return False
    return "." in host and not any(in_domain(host, name) for name in _INSIDE_NAMES)


def plain_host(host: str) -> str:
    """Return a host in lower case, as ASCII, without brackets and without a dot at its end."""
    host = host.strip().lower().removeprefix("[").removesuffix("]")
    if not host.isascii():
        try:
            host = URL.build(scheme="http", host=host).raw_host or ""
        except ValueError:  # UnicodeError is one
            return host
    return host.removesuffix(".")


def in_domain(host: str, domain: str) -> bool:
    """Return whether a host is the domain or lies below it; an IP address lies below nothing."""
    host, domain = plain_host(host), plain_host(domain.strip().removeprefix("*."))
    if host == domain:
        return bool(host)
    return bool(domain) and not is_ip(host) and host.endswith(f".{domain}")


@dataclass(frozen=True, slots=True)
class HostRules:
    """Which hosts may be asked, as the operator says: beside the rule that only public ones may.

    `allowed` are reached although they lie in the operator's own network: `host`, `host:port` or
    `*.domain`, an IPv6 address with a port in brackets. `refused` are domains that are never
    asked, with all their subdomains.
    """

    allowed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def allows(self, host: str, port: int) -> bool:
        """Return whether the operator allows a host, in its plain form, at that port."""
        return any(_matches(entry, host, port) for entry in self.allowed)

    def refuses(self, host: str, taken_out: Iterable[str] = ()) -> bool:
        """Return whether a host lies in a domain that is refused, or in one of `taken_out`."""
        return any(in_domain(host, domain) for domain in (*self.refused, *taken_out))


_ENTRY = re.compile(r"(?P<host>\[[^\]]*\]|[^:]+)(?::(?P<port>[0-9]{1,5}))?")


def _matches(entry: str, host: str, port: int) -> bool:
    entry = entry.strip()
    parts = _ENTRY.fullmatch(entry)
    name, at = (parts["host"], parts["port"]) if parts else (entry, None)  # entry: a bare IPv6
    if at is not None and int(at) != port:
        return False
    if name.startswith("*."):
        is_name = _NAME.fullmatch(host) is not None
        return is_name and host != plain_host(name[2:]) and in_domain(host, name)
    name = plain_host(name)
    if is_ip(name) and is_ip(host):
        return ip_address(name) == ip_address(host)
    return name == host
