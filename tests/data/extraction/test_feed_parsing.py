"""Feeds as they should be, as they are, and as somebody makes them who means harm."""

from datetime import UTC, datetime, timedelta

import pytest

from data.errors import StoryRefusedError
from data.extraction.feed_items import MIN_FULL_TEXT
from data.extraction.feed_parsing import feed_links, parse_feed
from data.pages import Feed, FeedItem, Page

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)
LONG = "The council met on Monday. " * 50
URL = "https://news.example/feed"


def rss(*items: str, before: str = "", version: str = "2.0") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{before}<rss version="{version}" {NAMESPACES}>'
        f"<channel><title>News</title><link>https://news.example/</link>{inside}</channel></rss>"
    )


def atom(*entries: str, about: str = "") -> str:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>{about}{inside}</feed>'


def parse(text: str | bytes, url: str | None = URL, **about: str) -> Feed:
    return parse_feed(Page(text if isinstance(text, bytes) else text.encode(), url=url, **about))


def only(text: str | bytes) -> FeedItem:
    (item,) = parse(text).items
    return item


def refusal(text: str | bytes) -> str:
    with pytest.raises(StoryRefusedError) as refused:
        parse(text)
    return str(refused.value)


def escaped(html: str) -> str:
    return html.replace("&", "&amp;").replace("<", "&lt;")


# --- the formats


def test_rss_is_read() -> None:
    feed = parse(
        rss(
            "<title>Bridge &amp;amp; road</title><link>https://news.example/1</link><guid "
            'isPermaLink="false">n1</guid><dc:creator>Jane Doe</dc:creator><pubDate>Fri, 03 May '
            "2024 10:15:00 +0200</pubDate><description>It opened.</description>"
        )
    )
    assert (feed.title, feed.url, feed.left_out) == ("News", "https://news.example/", 0)
    assert feed.items == (
        FeedItem(
            guid="n1",
            url="https://news.example/1",
            title="Bridge & road",
            author="Jane Doe",
            published_at="2024-05-03T10:15:00+02:00",
            text="It opened.",
        ),
    )


def test_atom_is_read() -> None:
    item = only(
        atom(
            '<id>urn:1</id><title type="html">A &lt;b&gt;bridge&lt;/b&gt;</title>'
            '<link rel="self" href="https://news.example/1.atom"/><link href="/1"/>'
            '<link rel="enclosure" href="https://news.example/1.jpg" type="image/jpeg"/>'
            "<author><name>Jane Doe</name></author><author><name>John Roe</name></author>"
            "<published>2024-05-03T10:15:00Z</published><updated>2024-05-04T08:00:00Z</updated>"
            f'<content type="html">&lt;p&gt;{LONG}&lt;/p&gt;&lt;p&gt;End.&lt;/p&gt;</content>'
        )
    )
    assert item == FeedItem(
        guid="urn:1",
        url="https://news.example/1",
        title="A bridge",
        author="Jane Doe, John Roe",
        published_at="2024-05-03T10:15:00Z",
        modified_at="2024-05-04T08:00:00Z",
        text=f"{LONG.strip()}\n\nEnd.",
        is_summary=False,
    )


def test_rdf_is_read() -> None:
    feed = parse(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns="http://purl.org/rss/1.0/" {NAMESPACES}><channel rdf:about="{URL}">'
        "<title>News</title><items><rdf:Seq><rdf:li/></rdf:Seq></items></channel>"
        '<item rdf:about="https://news.example/1"><title>Bridge</title>'
        "<link>https://news.example/1</link><dc:date>2024-05-03T10:15+02:00</dc:date></item>"
        "</rdf:RDF>"
    )
    (item,) = feed.items
    assert (item.guid, item.url) == ("https://news.example/1", "https://news.example/1")
    assert (item.published_at, item.modified_at) == ("2024-05-03T10:15+02:00", None)


def test_a_prefix_on_every_element_is_read() -> None:
    text = (
        atom("<id>urn:1</id><title>A</title>").replace("</", "</a:").replace("xmlns=", "xmlns:a=")
    )
    for name in ("feed", "entry", "id", "title"):
        text = text.replace(f"<{name}", f"<a:{name}")
    assert only(text).title == "A"


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0", ""])
def test_any_version_of_rss_is_read(version: str) -> None:
    assert only(rss("<title>A</title><link>/1</link>", version=version)).url is not None


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse(rss()).items == ()


# --- what an entry says


@pytest.mark.parametrize(
    ("inside", "guid"),
    [
        ("<guid>https://news.example/1</guid>", "https://news.example/1"),
        ("<guid isPermaLink='false'> 17 </guid><link>/1</link>", "17"),
        ("<link>/1</link>", "https://news.example/1"),
        (f"<guid>{'x' * 5000}</guid>", "sha256:"),
        ("<title>A</title>", "sha256:"),
    ],
)
def test_an_entry_is_named_by_its_id_or_link_or_all_that_it_says(inside: str, guid: str) -> None:
    assert only(rss(inside)).guid.startswith(guid)


def test_entries_without_a_name_are_told_apart_by_title_and_text() -> None:
    items = parse(rss("<title>A</title>", "<title>B</title>", "<title>A</title>")).items
    assert len({item.guid for item in items}) == 2


@pytest.mark.parametrize(
    ("inside", "url"),
    [
        ("<link>https://news.example/1</link>", "https://news.example/1"),
        ("<link> /a b </link>", "https://news.example/a%20b"),
        ("<guid>https://news.example/1</guid>", "https://news.example/1"),
        ("<guid isPermaLink='false'>https://news.example/1</guid>", None),
        ("<link>javascript:alert(1)</link>", None),
        ("<link>file:///etc/hostname</link>", None),
        ("<link>http://[bad/</link>", None),
        ("<enclosure url='https://news.example/1.mp3' type='audio/mpeg'/>", None),
        (
            "<feedburner:origLink>https://news.example/1</feedburner:origLink>"
            "<link>https://feeds.example/~r/1</link>",
            "https://news.example/1",
        ),
        (
            "<link>https://www.google.com/url?rct=j&amp;url=https://news.example/1&amp;ct=ga</link>",
            "https://news.example/1",
        ),
        ("<link>https://www.google.com/url?url=file:///x</link>", None),
    ],
)
def test_an_entrys_address_is_that_of_its_page(inside: str, url: str | None) -> None:
    found = only(rss(inside)).url
    assert found == url or (url is None and found is not None and "google" in found)


def test_without_an_address_relative_links_are_none() -> None:
    (item,) = parse(rss("<link>/1</link><title>A</title>"), url=None).items
    assert item.url is None


@pytest.mark.parametrize(
    ("inside", "author"),
    [
        ("<author>jane@news.example (Jane Doe)</author>", "Jane Doe"),
        ("<author>jane@news.example</author>", None),
        (
            "<dc:creator>By Jane Doe</dc:creator><dc:creator>John Roe</dc:creator>",
            "Jane Doe, John Roe",
        ),
        ("<dc:creator>Jane Doe</dc:creator><itunes:author>Jane Doe</itunes:author>", "Jane Doe"),
        ("<dc:creator></dc:creator>", None),
    ],
)
def test_authors_are_names(inside: str, author: str | None) -> None:
    assert only(rss(inside)).author == author


def test_the_author_of_an_atom_feed_wrote_what_names_no_other() -> None:
    about = "<author><name>Jane Doe</name></author>"
    assert only(atom("<title>A</title>", about=about)).author == "Jane Doe"
    assert only(atom("<title>A</title>", about=about.replace("Jane Doe", "News"))).author is None


FUTURE = (datetime.now(UTC) + timedelta(days=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("Fri, 03 May 2024 10:15:00 GMT", "2024-05-03T10:15:00+00:00"),
        ("Fri, 3 May 2024 10:15 -0700", "2024-05-03T10:15-07:00"),
        ("Fri, 03 May 2024 10:15:00 PDT", "2024-05-03T10:15:00-07:00"),
        ("Fri, 03 May 2024 10:15:00 CEST", "2024-05-03T10:15:00+02:00"),
        ("Sex, 03 Mai 2024 10:15:00 -0300", "2024-05-03T10:15:00-03:00"),
        ("2024-05-03T10:15:00.5+02:00", "2024-05-03T10:15:00.5+02:00"),
        ("2024-05-03 10:15:00 UTC", "2024-05-03 10:15:00Z"),
        ("2024-05-03", "2024-05-03"),
        ("May 3, 2024", "2024-05-03"),
        ("Sat, 01 Jan 0000 00:00:00 GMT", None),
        ("0000-00-00T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("9999-12-31T23:59:59Z", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("Fri, 30 Feb 2024 10:15:00 GMT", None),
        ("Fri, 03 May 2024 25:15:00 GMT", None),
        ("03/04/2024", None),
        ("1714731300", None),
        ("yesterday", None),
        ("", None),
        ("9" * 5000, None),
        (FUTURE, None),
    ],
)
def test_dates_keep_their_offset_and_impossible_ones_are_unknown(
    date: str, iso: str | None
) -> None:
    item = only(rss(f"<title>A</title><pubDate>{date}</pubDate>"))
    assert (item.published_at, item.modified_at) == (iso, None)


def test_an_update_before_the_publication_is_none() -> None:
    dates = "<published>2024-05-03T10:00:00Z</published><updated>2024-05-01T10:00:00Z</updated>"
    assert only(atom(dates)).modified_at is None
    alone = only(atom("<updated>2024-05-01T10:00:00Z</updated>"))
    assert (alone.published_at, alone.modified_at) == (None, "2024-05-01T10:00:00Z")


# --- texts


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>and<br/><br/>Two", "One\nand\n\nTwo"),
        ("<h2>Head</h2>Text <b>in</b><i>side</i>.", "Head\n\nText inside."),
        ("<ul><li>One</li><li>Two</li></ul>", "One\n\nTwo"),
        ("a &lt; b &amp; caf&eacute; &#8220;x&#8221;", "a < b & café “x”"),
        ("AT&T &nbsp; <b>x", "AT&T x"),
        ("<script>alert(1)</script><style>p{}</style>Text<!-- no -->", "Text"),
        ("<figure><img alt='no'><figcaption>no</figcaption></figure>Text", "Text"),
        ("Plain\n\nparagraphs\nhere", "Plain\n\nparagraphs here"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<p>Text</p><p>The post <a>A</a> appeared first on <a>News</a>.</p>", "Text"),
        ("<p>Text</p><p><a href='/1'>Read more</a></p>", "Text"),
        ("\x0b<p>a\x00b</p>", "ab"),
        ("<img src='x'>", None),
    ],
)
def test_html_becomes_plain_paragraphs(html: str, text: str | None) -> None:
    assert only(rss(f"<title>A</title><description>{escaped(html)}</description>")).text == text


@pytest.mark.parametrize(
    ("inside", "is_summary"),
    [
        (f"<content:encoded>{LONG}</content:encoded>", False),
        (f"<content:encoded>{LONG}</content:encoded><description>It met.</description>", False),
        (f"<description>It met.</description><content:encoded>{LONG}</content:encoded>", False),
        (f"<description>{LONG}</description>", True),
        (f"<description>It met.</description><media:description>{LONG}</media:description>", True),
        (f"<content:encoded>{LONG[: MIN_FULL_TEXT - 30]}</content:encoded>", True),
        (f"<content:encoded>{LONG} ...</content:encoded>", True),
        (f"<content:encoded>{LONG} [&#8230;]</content:encoded>", True),
        (f"<content:encoded>{LONG} Continue reading the story →</content:encoded>", True),
        (f"<content:encoded>{LONG} (more)</content:encoded>", True),
        (
            f"<content:encoded>{LONG}</content:encoded>"
            "<enclosure url='https://news.example/1.mp3' type='audio/mpeg'/>",
            True,
        ),
    ],
)
def test_what_is_surely_the_whole_is_told_from_a_summary(inside: str, is_summary: bool) -> None:
    item = only(rss(inside))
    assert item.is_summary == is_summary
    assert item.text


def test_an_entry_with_neither_link_nor_text_is_refused() -> None:
    items = parse(rss("<title>A</title>", "<title>B</title><link>/2</link>")).items
    assert [item.refused for item in items] == ["The entry has neither a link nor a text.", None]


# --- feeds on web pages, no feeds, damage, encodings


def test_feeds_that_a_web_page_names_are_found_with_their_addresses() -> None:
    page = Page(
        b"<!doctype html><html><head><base href='https://cdn.example/x/'>"
        b"<link rel='alternate' type='application/rss+xml' href='../rss'>"
        b"<link rel=alternate type='Application/Atom+XML' href='https://news.example/atom'>"
        b"<link rel='alternate' type='application/feed+json' href='//news.example/json'>"
        b"<link rel='alternate' type='application/rss+xml' href='../rss'>"
        b"<link rel='alternate' type='text/html' hreflang='de' href='/de'>"
        b"<link rel='alternate' type='application/rss+xml' href='javascript:x'>"
        b"<link rel='stylesheet' type='application/rss+xml' href='/no'></head><p>Text",
        url="https://news.example/",
    )
    names = ("https://cdn.example/rss", "https://news.example/atom", "https://news.example/json")
    assert feed_links(page) == names
    with pytest.raises(StoryRefusedError) as refused:
        parse_feed(page)
    assert str(refused.value) == (
        "This is a web page, not a feed. It names a feed: https://cdn.example/rss"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "There is nothing at this address: the feed is empty."),
        (b" \n\0 ", "There is nothing at this address: the feed is empty."),
        (b"<html><body><p>No", "This is a web page, not a feed."),
        (b"<!DOCTYPE html><title>No</title>", "This is a web page, not a feed."),
        (b"<html><svg><rdf:RDF><item/></rdf:RDF></svg>", "This is a web page, not a feed."),
        (b"Just words.", "This is not a feed: it is neither RSS nor Atom nor JSON Feed."),
        (b"<opml><body/></opml>", "This is not a feed: it is neither RSS nor Atom nor JSON Feed."),
        (b"%PDF-1.7\xff\x00", "This is not a feed: it is neither RSS nor Atom nor JSON Feed."),
        (b"<rss></rss>", "The feed is empty: it has neither a name nor entries."),
        (b"x" * 5_000_001, "The feed is larger than 5 MB, too large to be read."),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    assert refusal(text) == reason


@pytest.mark.parametrize(
    "text",
    [
        "\n\n " + rss("<title>A</title>"),
        "<br />\n<b>Warning</b>: something failed in line 3<br />" + rss("<title>A</title>"),
        rss("<title>A</title>") + "<!-- cached --> junk <b>",
        rss("<title>A</title><description>x &nbsp; & y &bogus;</description>"),
        rss("<title>A</title><no:prefix>x</no:prefix>"),
        rss("<title>A</title><description><p>open<br></description>"),
        rss("<title>A</title><description>&#x1F; &#xD800; &#99999999999;</description>"),
        rss("<title>A</title>").removesuffix("</channel></rss>"),
        rss("<title>A</title><description><![CDATA[cut").removesuffix("</item></channel></rss>"),
    ],
    ids=["blank", "a warning", "junk", "entities", "prefix", "tags", "numbers", "cut", "cut CDATA"],
)
def test_a_damaged_feed_is_read_as_far_as_it_goes(text: str) -> None:
    assert only(text).title == "A"


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [("utf-8", "iso-8859-1"), ("cp1252", "utf-8"), ("utf-16", ""), ("cp1252", "us-ascii")],
)
def test_a_wrong_charset_is_seen_through(encoding: str, charset: str) -> None:
    title = "Die Bürgermeisterin eröffnete die Brücke über den Fluss für größere Fahrzeuge"
    body = rss(f"<title>{title}</title>").encode(encoding)
    (item,) = parse(body, charset=charset).items
    assert item.title == title
