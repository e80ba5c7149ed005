import pytest

from data.addresses import HostRules, in_domain, is_public, may_be_public, plain_host

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1"),
    *("172.32.0.1", "168.63.129.15", "192.0.1.1", "192.167.0.1", "198.17.0.1", "223.255.255.254"),
    *("2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:81b::200e"),
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
NOT_PUBLIC = {
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
    "link-local": ["169.254.1.1", "fe80::1", "febf::1", "fe80::1%eth0", "2606:4700::1%eth0"],
    "site-local": ["fec0::1"],
    "shared by a provider": ["100.64.0.1", "100.127.255.255"],
    "metadata": [
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
        *("fd00:ec2::254", "fd20:ce::254"),
    ],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "4000::1", "5f00::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "measurement": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "IPv4 in IPv6": [
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::8.8.8.8"),
        "::ffff:0:127.0.0.1",
    ],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::", "2002:808:808::1"],
    "NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"],
    "no address": [
        "",
        "example.com",
        "1.2.3",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "1.1.1.1.",
    ],
}
NOT_PUBLIC_CASES = [(kind, address) for kind, group in NOT_PUBLIC.items() for address in group]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(("kind", "address"), NOT_PUBLIC_CASES)
def test_an_address_of_a_network_is_not_public(kind: str, address: str) -> None:
    assert not is_public(address), kind


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("faß.example", "xn--fa-hia.example"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("１２７。0．0｡1", "127.0.0.1"),
        ("", ""),
        ("a..b", "a..b"),
        ("\udce4", "\udce4"),
    ],
)
def test_a_host_has_one_plain_form(host: str, plain: str) -> None:
    assert plain_host(host) == plain


@pytest.mark.parametrize(
    "host",
    ["example.com", "a.b.example.co.uk", "xn--mnchen-3ya.de", "my_host.example.org", "8.8.8.8"],
)
def test_a_name_may_be_public(host: str) -> None:
    assert may_be_public(host)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "a.localhost", "printer", "printer.local", "db.internal", "nas.home.arpa"),
        *("router.lan", "wiki.corp", "example.com..", ".example.com", "a..b.com", "a b.com", ""),
        *("2130706433", "0x7f000001", "0x7f.1", "127.1", "1.2.3.4.5", "08.8.8.8", "a.0x", "1.2.3"),
        *("%31.com", "a%00.com", "exa\u00admple.com", "a/b.com", "a@b.com", "x" * 64 + ".com"),
        "x." * 130 + "com",
    ],
)
def test_a_name_of_a_network_and_what_is_no_name_is_not_public(host: str) -> None:
    assert not may_be_public(host)


@pytest.mark.parametrize(
    ("host", "domain", "inside"),
    [
        ("example.com", "example.com", True),
        ("a.b.example.com", "example.com", True),
        ("A.Example.com.", "EXAMPLE.com", True),
        ("a.example.com", "*.example.com", True),
        ("münchen.example", "xn--mnchen-3ya.example", True),
        ("xn--mnchen-3ya.example", "münchen.example", True),
        ("notexample.com", "example.com", False),
        ("example.com", "a.example.com", False),
        ("example.com.evil.org", "example.com", False),
        ("10.2.3.4", "3.4", False),
        ("10.2.3.4", "10.2.3.4", True),
        ("example.com", "", False),
        ("", "", False),
    ],
)
def test_a_domain_holds_its_subdomains(host: str, domain: str, inside: bool) -> None:
    assert in_domain(host, domain) is inside


@pytest.mark.parametrize(
    ("entry", "host", "port", "allowed"),
    [
        ("wiki.lan", "wiki.lan", 80, True),
        ("wiki.lan", "wiki.lan", 8080, True),
        ("wiki.lan", "a.wiki.lan", 80, False),
        ("wiki.lan:8080", "wiki.lan", 8080, True),
        ("wiki.lan:8080", "wiki.lan", 80, False),
        ("*.wiki.lan", "a.b.wiki.lan", 80, True),
        ("*.wiki.lan", "wiki.lan", 80, False),
        ("*.wiki.lan:81", "a.wiki.lan", 80, False),
        ("127.0.0.1:8000", "127.0.0.1", 8000, True),
        ("127.0.0.1", "127.0.0.2", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]", "::1", 80, True),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 80, False),
        ("[0:0::1]", "::1", 80, True),
        (" Wiki.LAN. ", "wiki.lan", 80, True),
        ("", "wiki.lan", 80, False),
        (":80", "wiki.lan", 80, False),
        ("*", "wiki.lan", 80, False),
        ("*.", "wiki.lan", 80, False),
    ],
)
def test_the_operator_allows_a_host_by_name_and_port(
    entry: str, host: str, port: int, allowed: bool
) -> None:
    assert HostRules(allowed=(entry,)).allows(host, port) is allowed


def test_the_operator_refuses_a_domain_with_all_below_it() -> None:
    rules = HostRules(refused=("example.com",))
    assert rules.refuses("www.example.com")
    assert not rules.refuses("example.org")
    assert rules.refuses("example.org", ["example.org"])
