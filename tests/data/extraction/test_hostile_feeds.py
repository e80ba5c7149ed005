"""Feeds that somebody made to do harm, or to take forever."""

import builtins
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import StoryRefusedError
from data.extraction.feed_parsing import MAX_ITEMS, feed_links, parse_feed
from data.pages import Feed, Page
from tests.data.extraction.test_feed_parsing import NAMESPACES, atom, rss

ENTITIES = (
    "The feed declares entities of its own in a DOCTYPE. That is a way to do harm, so it is not "
    "read."
)
SECRET = "what-only-this-file-says"


def parse(text: str | bytes) -> Feed:
    body = text if isinstance(text, bytes) else text.encode()
    return parse_feed(Page(body, url="https://news.example/feed"))


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a file; a look at it, or at the network, fails the test."""
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    opened = builtins.open

    def guarded(file: object, *args: object, **kwargs: object) -> object:
        assert str(path) not in str(file), "the file was opened"
        return opened(file, *args, **kwargs)  # type: ignore[call-overload]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(builtins, "open", guarded)
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return path.as_uri()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE rss [<!ENTITY l9 SYSTEM "SECRET">]>',
        '<!DOCTYPE rss [<!ENTITY l9 SYSTEM "http://127.0.0.1:9/">]>',
        '<!DOCTYPE rss [<!ENTITY % p SYSTEM "SECRET"> %p;]>',
        '<!DOCTYPE rss PUBLIC "x" "SECRET" [<!entity l9 "ha">]>',
        '<!-- <rss> --><!DOCTYPE rss [\n\n<!ENTITY\nl9\n"ha">]>',
        '<!DOCTYPE rss [<!ENTITY a "<rss>"><!ENTITY l9 "&a;">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_that_declares_entities_is_refused(doctype: str, encoding: str, secret: str) -> None:
    text = rss("<title>A &l9;</title>", before=doctype.replace("SECRET", secret))
    with pytest.raises(StoryRefusedError) as refused:
        parse(text.encode(encoding))
    assert str(refused.value) == ENTITIES


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "SECRET">',
        '<!DOCTYPE rss SYSTEM "SECRET">',
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE rss [<!ELEMENT rss ANY>]>",
        '<?xml-stylesheet href="SECRET"?>',
        # What hides from the look at declarations hides from the parser too.
        "<?x <!-- ?><!DOCTYPE rss [<!ENTITY l9 'ha'>]><?x --> ?>",
    ],
)
def test_a_doctype_that_points_elsewhere_is_passed_over_and_nothing_is_read(
    before: str, secret: str
) -> None:
    item = '<title>A&l9;</title><content src="SECRET"/><xi:include href="SECRET"/>'
    feed = parse(rss(item, before=before, version="0.91").replace("SECRET", secret))
    assert feed.items[0].title == "A&l9;"
    assert SECRET not in str(feed)


def test_a_feed_whose_name_is_an_address_is_not_fetched(secret: str) -> None:
    for text in (secret, "http://127.0.0.1:9/feed", "feed://127.0.0.1:9/"):
        with pytest.raises(StoryRefusedError):
            parse(text)
    base = f'<link href="{secret}"/><entry xml:base="{secret}"><link href="x"/></entry>'
    assert [item.url for item in parse(atom(about=base)).items] == [None]


@pytest.mark.parametrize(
    "extra", ["", "&nbsp; <open>", "<!-- <item> -->"], ids=["sound", "damaged", "comments"]
)
def test_of_100_000_entries_500_are_read_and_the_rest_counted(extra: str) -> None:
    items = (f"<title>{number}</title><link>/{number}</link>" for number in range(100_000))
    feed = parse(rss(*items).replace("<item>", f"{extra}<item>", 1)[:4_999_000])
    assert [item.title for item in feed.items] == [str(number) for number in range(MAX_ITEMS)]
    assert feed.left_out > 60_000


def test_what_stands_behind_the_last_entry_that_is_read_is_still_closed() -> None:
    text = rss(*(f"<title>{number}</title>" for number in range(MAX_ITEMS + 2)))
    text = text.replace("<channel><title>News</title>", "<channel>")
    feed = parse(text.replace("</channel>", "<title>Late</title></channel>"))
    assert (feed.title, len(feed.items), feed.left_out) == ("Late", MAX_ITEMS, 2)


def test_entries_that_are_only_quoted_are_not_counted() -> None:
    quoted = "<description><![CDATA[" + "<item></item>" * 1000 + "]]></description><link>/1</link>"
    feed = parse(rss(quoted, "<link>/2</link>"))
    assert (len(feed.items), feed.left_out) == (2, 0)


HEAD = f"<rss {NAMESPACES}><channel><title>News</title>"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "<item>" * 500_000,
        HEAD + "<item><title>A</title><description><![CDATA[" + "<b>" * 1_000_000 + "]]>",
        HEAD + "<item><title>A</title><a>" + "<b>" * 20_000,
        HEAD + "<item><title>A" + "<!--" * 1_000_000,
        HEAD + "<item><title>A" + "<![CDATA[" * 400_000,
        HEAD + "<item><title>" + "<" * 200_000,
        HEAD + "<item><title>" + "&" * 200_000,
        HEAD + "<item><title>" + "&#99999;" * 100_000 + "</title></item>",
        HEAD + "<item><title>" + " " * 4_000_000 + "A</title></item>",
        HEAD + "<item><guid>" + "x" * 4_000_000 + "</guid></item>",
        HEAD + '<item a="' + "x " * 1_000_000,
        "<" * 5_000_000,
        ("<" + "a" * 49) * 100_000,
        "<?xml " * 800_000,
    ],
    ids=[
        *("unclosed", "nested HTML", "nested XML", "comments", "CDATA", "less-than", "ampersands"),
        *("references", "blanks", "a long name", "an open attribute", "no tags", "no ends", "xml"),
    ],
)
def test_what_is_made_to_take_forever_ends(text: str) -> None:
    try:
        assert len(parse(text).items) <= MAX_ITEMS
    except StoryRefusedError as error:
        assert str(error).endswith(".")


def test_a_page_full_of_links_names_feeds_all_the_same() -> None:
    body = b"<link rel=alternate type=application/rss+xml href=/rss>" + b"<a><b>" * 500_000
    assert feed_links(Page(body, url="https://news.example/")) == ("https://news.example/rss",)


PIECES = st.sampled_from(
    [
        *("<item>", "</item>", "<link>", "</link>", "<title>", "</title>", "<source>", "<image>"),
        *("<!--", "-->", "<![CDATA[", "]]>", "&#55357;", "&#99999999999;", "&x;", "<media:credit>"),
        *("</media:rating>", "<content type='x'>", 'mode="base64"', "<category>", "</category>"),
        *("<author>", "<name>", "xml:base='http://['", "<svg>", "</svg>", "\0", "text", "é"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=15), st.lists(st.tuples(st.integers(0, 400), PIECES), max_size=5))
def test_no_damage_makes_it_fail(inside: list[str], changes: list[tuple[int, str]]) -> None:
    text = rss("".join(inside), "<title>A</title><link>/1</link><author>x@y.example</author>")
    for place, piece in changes:
        text = text[:place] + piece + text[place:]
    try:
        assert all(item.guid for item in parse(text).items)
    except StoryRefusedError as error:
        assert str(error).endswith(".")
