"""No address inside the operator's network is reached, however it is written or led to.

A canary listens on loopback, where a request would arrive if a check failed; `Internet` notes every
address to which a connection is begun, so that those which lead nowhere here are seen as well.
"""

import socket
from collections.abc import AsyncIterator

import pytest

from data.addresses import HostRules, is_public
from data.web.connecting import Door, is_near, leads_home
from data.web.fetch import Accept, Fetcher, FetchError
from data.web.targets import target_of
from tests.data.web.server import Internet, Names, WebServer

NEWS, NEWS_IP = "news.example.com", "93.184.216.34"
OTHER_IP = "8.8.4.4"

# Each is put into http://HOST:PORT/, with the canary's port.
LITERALS = [
    # loopback
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "127.0.0.1.", "127.0.0.1..", "localhost"),
    *("LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "ip6-localhost"),
    # decimal, octal, hexadecimal, short
    *("2130706433", "0x7f000001", "017700000001", "0x7f.0x0.0x0.0x1", "0177.0.0.01", "127.1"),
    *("127.0.1", "0x7f.1", "0177.1", "127.0x1", "00127.0.0.1", "4294967295", "0", "0.0.0.0"),  # noqa: S104
    *("0x", "127.0.0.1.5", "2130706433.", "9999999999", "0x7f.1."),
    # written with other characters
    *("１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "127．0.0.1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "𝟏𝟐𝟕.𝟎.𝟎.𝟏"),
    *("%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.1%00.example.com", "loc%61lhost"),
    *("127.0.0.1%09", "local\u00adhost", "127.0.0.1\u200b", "١٢٧.0.0.1"),
    # IPv6
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::1%25lo]", "[::1%lo]", "[fe80::1]", "[fd00::1]"),
    *("[fe80::1%25eth0]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[ff02::1]"),
    *("[::ffff:0:127.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b:1::7f00:1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[fec0::1]", "[100::1]"),
    *("[127.0.0.1]", "[v1.127.0.0.1]", "::1", "[::1"),
    # private, shared, link-local, metadata, reserved
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "169.254.169.254"),
    *("2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"),
    *("metadata.google.internal", "168.63.129.16", "100.100.100.200", "192.0.0.192"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "0.1.2.3"),
    # names of a network, and what is none
    *("printer", "printer.local", "nas.home.arpa", "router.lan", "wiki.corp", "db.internal"),
    *("", ".", "..", "a b", "user@127.0.0.1", "user:pass@127.0.0.1", "example.com@127.0.0.1"),
    *(
        "127.0.0.1\\@news.example.com",
        "news.example.com\\@127.0.0.1",
        "127.0.0.1#@news.example.com",
    ),
    *("@127.0.0.1", ":@127.0.0.1", "127.0.0.1?@news.example.com", "[::1]news.example.com"),
]

# Where the name of a host may lead, by its addresses.
RESOLVED = [
    *("127.0.0.1", "127.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254"),
    *("100.64.0.1", "0.0.0.0", "168.63.129.16", "224.0.0.1", "255.255.255.255", "192.0.2.1"),  # noqa: S104
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1", "64:ff9b:1::1"),
    *("2001::1", "2001:db8::1", "localhost", "127.1", "2130706433", "intranet.example.com"),
]


class World:
    """A public site, a canary inside, and who asks."""

    def __init__(self, site: WebServer, canary: WebServer, internet: Internet) -> None:
        self.site, self.canary, self.internet = site, canary, internet
        self.names = Names()
        self.names.know(NEWS, [NEWS_IP])
        internet.servers[NEWS_IP] = site
        site.serve("/", "<p>A story.</p>")

    async def refusal(
        self, url: str, rules: HostRules | None = None, accept: Accept = Accept.STORY
    ) -> str:
        """Return the sentence with which an address is refused."""
        with pytest.raises(FetchError) as caught:
            await self.fetch(url, rules, accept)
        return str(caught.value)

    async def fetch(
        self, url: str, rules: HostRules | None = None, accept: Accept = Accept.STORY
    ) -> bytes:
        async with Fetcher(
            rules or HostRules(), user_agent="Test", host_delay=0, resolver=self.names
        ) as fetcher:
            page = await fetcher.fetch(url, accept=accept)
        assert page is not None
        return page.body

    def nothing_inside_was_reached(self) -> bool:
        inside = [ip for ip in self.internet.connected if not is_public(ip)]
        return inside == [] and self.canary.connections == 0


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with WebServer() as site, WebServer() as canary:
        canary.serve("/", "<p>A secret.</p>")
        yield World(site, canary, Internet(monkeypatch))


async def test_the_public_site_can_be_reached(world: World) -> None:
    assert await world.fetch(f"http://{NEWS}/") == b"<p>A story.</p>"


async def test_the_canary_would_count(world: World) -> None:
    assert await world.fetch(world.canary.url(), world.canary.rules) == b"<p>A secret.</p>"
    assert world.canary.connections == 2  # robots.txt and the page
    assert not world.nothing_inside_was_reached()


@pytest.mark.parametrize("host", LITERALS)
async def test_a_host_inside_is_not_reached(world: World, host: str) -> None:
    port = world.canary.port
    for url in (f"http://{host}:{port}/", f"https://{host}:{port}/", f"http://{host}/"):
        await world.refusal(url)
    assert world.nothing_inside_was_reached()
    assert world.internet.connected == []


@pytest.mark.parametrize("host", LITERALS)
async def test_a_redirect_does_not_lead_inside(world: World, host: str) -> None:
    world.site.redirect("/go", f"http://{host}:{world.canary.port}/", 302)
    await world.refusal(f"http://{NEWS}/go")
    assert world.site.paths == ["/go"]
    assert world.nothing_inside_was_reached()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("accept", Accept)
async def test_a_chain_of_redirects_does_not_lead_inside(
    world: World, status: int, accept: Accept
) -> None:
    world.site.redirect("/1", f"http://{NEWS}/2", status)
    world.site.redirect("/2", "/3", status)
    world.site.redirect("/3", f"//127.0.0.1:{world.canary.port}/", status)
    await world.refusal(f"http://{NEWS}/1", accept=accept)
    assert world.site.paths == ["/1", "/2", "/3"]
    assert world.nothing_inside_was_reached()


@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/_x", "data:text/html,x"),
        *("javascript:alert(1)", "unix:///run/docker.sock", "ws://127.0.0.1/", "//", "http://"),
        *("http:127.0.0.1", "https:///127.0.0.1/", "http://[", "http://a:b/", "\u2028"),
    ],
)
async def test_a_redirect_leads_to_the_web_only(world: World, location: str) -> None:
    world.site.redirect("/go", location)
    await world.refusal(f"http://{NEWS}/go")
    assert world.nothing_inside_was_reached()


@pytest.mark.parametrize("address", RESOLVED)
async def test_a_name_that_leads_inside_is_not_reached(world: World, address: str) -> None:
    world.names.know("evil.example.com", [address])
    world.site.redirect("/go", f"http://evil.example.com:{world.canary.port}/")
    await world.refusal(f"http://evil.example.com:{world.canary.port}/")
    await world.refusal(f"http://{NEWS}/go")
    assert world.nothing_inside_was_reached()


@pytest.mark.parametrize("address", RESOLVED)
async def test_one_address_inside_among_public_ones_is_enough(world: World, address: str) -> None:
    for answer in ([NEWS_IP, address], [address, NEWS_IP], [NEWS_IP, OTHER_IP, address]):
        world.names.know("mixed.example.com", answer)
        await world.refusal("http://mixed.example.com/")
    assert world.internet.connected == []


async def test_an_answer_that_changes_between_two_look_ups_does_not_lead_inside(
    world: World,
) -> None:
    world.names.know("rebind.example.com", [NEWS_IP], ["127.0.0.1"])
    world.internet.servers[NEWS_IP] = world.site
    await world.refusal(f"http://rebind.example.com:{world.canary.port}/")
    assert world.names.asked == ["rebind.example.com"] * 2  # its robots.txt was had
    assert world.internet.connected == [NEWS_IP]
    assert world.nothing_inside_was_reached()


async def test_a_connection_goes_to_the_address_that_was_checked(world: World) -> None:
    # Robots.txt, page, page: each has one look-up, and its connection no other.
    world.names.know("turn.example.com", [NEWS_IP], [NEWS_IP], ["10.0.0.1"], [NEWS_IP])
    world.site.redirect("/go", "/")
    await world.refusal("http://turn.example.com/go")
    assert len(world.names.asked) == 3
    assert world.internet.connected == [NEWS_IP, NEWS_IP]


async def test_a_robots_file_does_not_lead_inside(world: World) -> None:
    world.site.redirect("/robots.txt", world.canary.url("/"))
    await world.refusal(f"http://{NEWS}/")
    assert world.site.paths == []
    assert world.nothing_inside_was_reached()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_the_environments_proxy_is_not_used(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, world.canary.url())
    await world.fetch(f"http://{NEWS}/")
    assert world.nothing_inside_was_reached()


async def test_all_that_lies_inside_is_refused_with_the_same_words(world: World) -> None:
    async with WebServer() as closed:
        port = closed.port
    names = {
        "open.example.com": ["127.0.0.1"],
        "private.example.com": ["10.0.0.1"],
        "six.example.com": ["fd00::1"],
        "mixed.example.com": [NEWS_IP, "127.0.0.1"],
    }
    for name, answer in names.items():
        world.names.know(name, answer)
    hosts = [*names, "missing.example.com", "127.0.0.1", "10.0.0.1", "printer", "2130706433"]
    said = {
        (await world.refusal(f"http://{host}:{at}/")).replace(host, "HOST")
        for host in hosts
        for at in (world.canary.port, port)
    }
    assert said == {"HOST is not to be found on the public web, and only pages there are read."}
    assert world.nothing_inside_was_reached()


# --- what the operator allows


async def test_a_host_is_allowed_by_its_name_and_not_by_where_it_leads(world: World) -> None:
    rules = HostRules(allowed=("wiki.example.com",))
    world.names.know("wiki.example.com", ["127.0.0.1"])
    world.names.know("evil.example.com", ["127.0.0.1"])
    port = world.canary.port
    for host in ("evil.example.com", "a.wiki.example.com", "127.0.0.1", "localhost", "2130706433"):
        await world.refusal(f"http://{host}:{port}/", rules)
    assert world.canary.connections == 0
    assert await world.fetch(f"http://wiki.example.com:{port}/", rules) == b"<p>A secret.</p>"


async def test_an_allowed_address_is_allowed_in_its_own_spelling(world: World) -> None:
    port = world.canary.port
    rules = HostRules(allowed=(f"127.0.0.1:{port}",))
    world.names.know("evil.example.com", ["127.0.0.1"])
    refused = ("127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]", "evil.example.com")
    for host in refused:
        await world.refusal(f"http://{host}:{port}/", rules)
    assert world.canary.connections == 0


async def test_an_allowed_port_opens_no_other(world: World) -> None:
    rules = HostRules(allowed=(f"127.0.0.1:{world.site.port}",))
    await world.refusal(world.canary.url(), rules)
    world.site.redirect("/go", world.canary.url())
    await world.refusal(world.site.url("/go"), rules)
    assert world.canary.connections == 0


async def test_an_allowed_host_that_is_refused_too_is_refused(world: World) -> None:
    rules = HostRules(allowed=(world.canary.host,), refused=("127.0.0.1",))
    assert "operator" in await world.refusal(world.canary.url(), rules)
    assert world.canary.connections == 0


# --- the door itself, behind the checks before it


def door(address: str, *, allowed: str = "") -> Door:
    target = target_of(address, HostRules(allowed=(allowed,)), ())
    return Door(target, Names(), most=1000)


@pytest.mark.parametrize("ip", [ip for ip in RESOLVED if ip[-1].isdigit()])
def test_no_socket_is_made_for_an_address_inside(ip: str) -> None:
    opened = door(f"http://{NEWS}/")
    with pytest.raises(PermissionError):
        opened.socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (ip, 80)))
    assert opened.barred


@pytest.mark.parametrize(("ip", "port"), [("127.0.0.2", 8000), ("127.0.0.1", 8001), (NEWS_IP, 81)])
def test_no_socket_is_made_for_another_address_than_the_allowed_one(ip: str, port: int) -> None:
    opened = door("http://127.0.0.1:8000/", allowed="127.0.0.1:8000")
    opened.socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 8000))).close()
    with pytest.raises(PermissionError):
        opened.socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (ip, port)))


async def test_of_many_addresses_a_few_are_tried(world: World) -> None:
    world.names.know("many.example.com", [f"8.8.{n}.1" for n in range(200)])
    await world.refusal("http://many.example.com/")
    assert set(world.internet.connected) == {"8.8.0.1", "8.8.1.1"}


@pytest.mark.parametrize(
    ("address", "own", "near"),
    [
        ("93.184.216.34", "93.184.216.34", True),
        ("93.184.216.35", "93.184.216.34", False),
        ("2a00:1450:4001:81b::1", "2a00:1450:4001:81b::200e", True),
        ("2a00:1450:4001:81c::1", "2a00:1450:4001:81b::200e", False),
        ("93.184.216.34", "2a00:1450:4001:81b::200e", False),
    ],
)
def test_this_machine_and_its_neighbours_are_near(address: str, own: str, near: bool) -> None:
    assert is_near(address, own) is near


def test_this_machine_is_known_by_the_way_to_it() -> None:
    assert leads_home("127.0.0.1")


async def test_a_public_address_of_this_machine_is_not_reached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.web.connecting.leads_home", lambda address: address == NEWS_IP)
    for host in (NEWS, NEWS_IP):
        assert "public web" in await world.refusal(f"http://{host}/")
    assert world.internet.connected == []
