"""Small inputs of our own making, one table a kind, from which the fuzzer's changes begin.

A page or feed begins with two lines that stand for its answer's head: the Content-Type and the
address. Answers to requests begin with the path that is asked for first; the first one is that
for robots.txt, and `PART` divides it from those that come in turn.
"""

import gzip
import zlib

PART = b"\n%%\n"


def _lines(text: str) -> list[bytes]:
    """Return the lines of a block in UTF-8, their escapes resolved."""
    escaped = text.encode("ascii", "backslashreplace").strip().split(b"\n")
    return [line.decode("unicode_escape").encode() for line in escaped]


def _words(text: str) -> list[bytes]:
    """Return the words of a block as bytes, their escapes resolved."""
    return [word.encode().decode("unicode_escape").encode("latin-1") for word in text.split()]


PARAGRAPH = (
    "The council of Skerrin opened the new bridge on Monday morning, nine years after the old one "
    "was closed, and three thousand people walked across it before noon."
)
JSON_LD = """{"@context":"https://schema.org","@graph":[{"@type":["NewsArticle"],"@id":"#a",
"headline":"Council opens the bridge","datePublished":"2024-05-03T08:00:00Z",
"dateModified":"2024-05-03T10:00:00+02:00","author":[{"@id":"#p"},{"@type":"Person",
"name":"Jane Doe"}],"publisher":{"name":"Skerrin Post"},"isAccessibleForFree":"True",
"mainEntityOfPage":{"@id":"https://news.example/2024/05/bridge"}},
{"@type":"Person","@id":"#p","name":"Tom &amp; Ann Lee"},],};"""
STORY = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Council opens the bridge | Skerrin Post</title>
<link rel="canonical" href="/2024/05/bridge?id=1#top"><base href="https://news.example/">
<meta property="og:type" content="article"><meta property="og:url" content="//news.example/b">
<meta property="og:title" content="Council opens the bridge">
<meta property="article:published_time" content="2024-05-03T08:00:00Z">
<meta name="author" content="By Jane Doe and Tom Lee, Chief Reporter">
<meta itemprop="dateModified" content="20240504T1015+0200">
<script type="application/ld+json">{JSON_LD}</script></head><body>
<nav><a href="/">Home</a><a href="/a">World</a></nav><article><h1>Council opens the bridge</h1>
<p class="byline">By Jane Doe, 3 May 2024</p><time datetime="2024-05-03">3 May 2024</time>
<p>{PARAGRAPH}</p><p>{PARAGRAPH.replace("bridge", "ferry")}<br><br>“It is time,” said the mayor.
</p><h2>What follows</h2><blockquote>{PARAGRAPH.replace("Monday", "Tuesday")}</blockquote>
<table><tr><th>Year</th><td>2015</td></tr></table><ul><li>One <b>two</b></li></ul>
<p style="display: none">Hidden</p><aside><a href="/b">Another story of the day</a></aside>
<p>{PARAGRAPH.replace("old", "first")}</p></article>
<div id="comments"><p>First!</p></div><noscript>Please enable JavaScript.</noscript></body></html>
"""
LIST = "".join(f'<h2><a href="/{n}">The headline of story number {n}</a></h2>' for n in range(8))
HEADS = [
    b"text/html; charset=utf-8\nhttps://news.example/2024/05/bridge\n",
    b"text/html\nhttps://news.example/\n",
    b"application/octet-stream\n-\n",
]
PAGES = [
    HEADS[0] + STORY.encode(),
    HEADS[1] + LIST.encode(),
    HEADS[2] + STORY.encode("utf-16"),
    b"text/html; charset=utf-8\nhttps://news.example/a\n" + STORY.encode("cp1252", "replace"),
    HEADS[0] + b"<title>Page not found</title><p>The page was not found.</p>",
    HEADS[0] + b"<form><input type=password></form><h1>Log in</h1>" + b"<p>Words. " * 9,
    HEADS[0] + f"<div id=root></div><p>{PARAGRAPH}</p><p>Subscribe to read on.</p>".encode(),
    HEADS[1] + f"<p>{PARAGRAPH}</p><p>We use cookies. Accept all</p>".encode() * 3,
    HEADS[0] + b"<svg><math><table><tr><td><br><br></table></svg><frameset><p>" * 3,
    HEADS[0],
]
TEXTS = [
    b"text/plain\nhttps://news.example/a.txt\n# A heading\n\n" + PARAGRAPH.encode(),
    b"text/markdown; charset=latin-1\n-\n---\ntitle: One: another\nauthors: [A, B]\n"
    b"date: 3 May 2024\nurl: https://news.example/b\n---\n" + PARAGRAPH.encode(),
    b"text/plain\n-\n---\n{a: &a [*a], b: !!python/object:x.Y {}}\n---\ndate 2024-05-03 Words.",
    b"text/plain\n-\ndate 2024-05-03 \x93Words\x94 \xe9\xe8\xea and nothing else at all.",
    b"text/plain\n-\n\xff\xfe" + PARAGRAPH.encode("utf-16-le"),
    b"text/plain\n-\n\r\n\x85\xe2\x80\xa8 \x00\x00\r",
]

ITEM = f"""<item><title>Bridge &amp; ferry</title><link>https://news.example/1?a=1&amp;b=2</link>
<guid isPermaLink="false">tag:1</guid><pubDate>Fri, 03 May 2024 08:00:00 +0200</pubDate>
<dc:creator><![CDATA[Jane Doe]]></dc:creator><category>World</category>
<description>&lt;p&gt;Short.&lt;/p&gt; Read more</description>
<author>jane@news.example (Jane)</author>
<content:encoded><![CDATA[<p>{PARAGRAPH}</p><script>x()</script>]]></content:encoded>
<enclosure url="https://news.example/1.mp3" type="audio/mpeg"/></item>"""
RSS = f"""<?xml version="1.0" encoding="utf-8"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Skerrin Post</title>
<link>https://news.example/</link><lastBuildDate>Fri, 03 May 2024 08:00:00 GMT</lastBuildDate>
<image><url>/i.png</url></image>{ITEM}{ITEM.replace("tag:1", "tag:2")}<item/></channel></rss>"""
ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://news.example/a/">
<title type="html">Skerrin &lt;b&gt;Post&lt;/b&gt;</title><link rel="self" href="/f"/>
<author><name>Jane Doe</name><email>j@news.example</email></author><entry><id>tag:1</id>
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Bridge</div></title>
<link rel="alternate" href="1"/><updated>2024-05-03T08:00:00Z</updated>
<published>2024-05-03T07:00:00.5+02:00</published><summary type="text">Short…</summary>
<content type="html" xml:lang="en">&lt;p&gt;{PARAGRAPH}&lt;br&gt;x&lt;/p&gt;</content></entry>
</feed>"""
JSON_FEED = """{"version":"https://jsonfeed.org/version/1.1","title":"Post","home_page_url":"/",
"authors":[{"name":"Jane"}],"items":[{"id":1,"url":"1","content_html":"<p>A<br>b</p>",
"date_published":"2024-05-03T08:00:00Z","attachments":[{"mime_type":"audio/x"}]},
{"id":"2","external_url":"https://x.example/2","content_text":"Text","summary":"S","title":"T",
"date_modified":"2024-05-04","author":{"name":"Tom"}},{},null]}"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Post</title></channel>
<item rdf:about="https://news.example/1"><title>One</title><link>https://news.example/1</link>
<dc:date>2024-05-03</dc:date></item></rdf:RDF>"""
_FEED_HEAD = b"application/rss+xml\nhttps://news.example/feed\n"
FEEDS = [
    *(_FEED_HEAD + text.encode() for text in (RSS, ATOM, JSON_FEED, RDF)),
    b"text/xml; charset=iso-8859-1\n-\n" + RSS.encode("utf-16"),
    _FEED_HEAD + b'<!DOCTYPE rss SYSTEM "x"><rss><channel><title>&nbsp;<item><link>/1</rss>',
    _FEED_HEAD + b'<html><link rel=alternate type=application/rss+xml href="/f"><body>',
    _FEED_HEAD + b"<rss><item><title>&lt;!--</title><description><![CDATA[<p>x",
    _FEED_HEAD + b'<feed version="0.3"><entry><content mode="base64">eA==</content></entry></feed>',
]


def _pdf(*objects: bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1, with the table of where they stand."""
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<</Size %d/Root 1 0 R/Info %d 0 R>>" % (len(objects) + 1, len(objects))
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return out + head + table + b"trailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(out))


def _stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), extra, content)


_DRAWN = b"""BT /F1 11 Tf 1 0 0 1 72 700 Tm (The council opened the bridge-) Tj 0 -14 Td
[(head on) -250 (Monday.)] TJ T* <48656C6C6F> Tj ET q 1 0 0 1 0 9 cm /X1 Do Q
BT /F2 20 Tf 14 TL 72 600 Td (A headline) ' 2 1 (words) " 5 Ts 90 Tz ET"""
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 7 0 R>>"
_CMAP = b"1 beginbfchar <41> <0061D83D> endbfchar 1 beginbfrange <42> <44> <0062> endbfrange"


def _document(drawn: bytes) -> bytes:
    return _pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 612 792]>>",
        b"<</Type/Page/Parent 2 0 R/Contents[4 0 R]/Resources<</Font<</F1 5 0 R/F2 5 0 R>>"
        b"/XObject<</X1 6 0 R>>>>>>",
        drawn,
        _FONT,
        _stream(b"BT /F1 9 Tf (In a form) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
        _stream(_CMAP),
        b"<</Title(Bridge)/Author<FEFF004A>/CreationDate(D:20240503080000+02'00')>>",
    )


PDFS = [
    _document(_stream(_DRAWN)),
    _document(_stream(zlib.compress(_DRAWN), b"/Filter/FlateDecode")),
    _document(_stream(_DRAWN.hex().encode() + b">", b"/Filter[/ASCIIHexDecode]")),
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]>>endobj trailer<</Root 1 0 R>>",
    b"%PDF-1.7\ntrailer<</Root 1 0 R/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(x)/U(x)>>"
    b"/ID[(a)(b)]>>",
]

ROBOTS = [
    b"https://news.example/world/a?b=c\n\xef\xbb\xbfUser-agent: *\nDisallow: /world # x\n"
    b"Allow: /world/*.html$\nCrawl-delay: 2.5\n\nUser-agent: Pullquote/1\nDisallow:\n",
    b"https://news.example/%7Ea//b\nuser agent pullquote\r\nDisallow: /*?*b=*$\r"
    b"Request-rate: 1/5m\nVisit-time: 0600-0845\nSitemap: https://x.example/s\nCrawl-delay: 1e9",
    b"https://news.example/\nDisallow: /\n\x00\xff\xfe\nUser-agent:\nAllow: https://[",
]
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
_PAGE = b"<html><p>Words.</p></html>"
_NO_ROBOTS = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_MOVED = b"HTTP/1.1 301 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
_PACKED = gzip.compress(_PAGE, mtime=0)


def answers(path: str, location: str) -> bytes:
    """Return the input that asks for a path, and is sent on from there."""
    return f"{path}\n".encode() + PART.join((_NO_ROBOTS, _MOVED % location.encode(), b""))


ANSWERS = [
    PART.join((b"/a\n" + _NO_ROBOTS, _HEAD + b'Content-Length: 26\r\nETag: W/"1"\r\n\r\n' + _PAGE)),
    PART.join(
        (
            b"/a\n" + _HEAD + b"\r\nUser-agent: *\nCrawl-delay: 9",
            _MOVED % b"/b",
            _HEAD + b"\r\n" + _PAGE,
        )
    ),
    PART.join(
        (
            b"/a\n" + _MOVED % b"/b",
            _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"",
        )
    ),
    PART.join((b"/a\n" + _NO_ROBOTS, _HEAD + b"Content-Encoding: gzip\r\n\r\n" + _PACKED)),
    PART.join(
        (b"/a\n" + _NO_ROBOTS, _HEAD + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(_PAGE))
    ),
    answers("/a", "http://10.0.0.7/"),
    answers("/a", "https://inside.example:8443/x"),
    PART.join(
        (b"/a\n" + _NO_ROBOTS, _MOVED % b"//public.example/\xe9 x", _MOVED % b"\\\\127.1/", b"")
    ),
    PART.join((b"/a\n" + _NO_ROBOTS, b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', b"")),
    PART.join(
        (
            b"/a\n" + _NO_ROBOTS,
            b"HTTP/1.1 503 No\r\nRetry-After: Fri, 03 May 2024 08:00:00 GMT\r\n\r\n",
            b"",
        )
    ),
    PART.join(
        (
            b"/a\n" + b"HTTP/1.1 500 No\r\n\r\n",
            b"HTTP/1.0 200\r\n\r\n%PDF-1.4",
            b"HTTP/1.1 100 C\r\n\r\n",
        )
    ),
    PART.join((b"/a%2Fb%20c/\xc3\xa9?d\n" + _NO_ROBOTS, _MOVED % b"e", _MOVED % b"../f?g", b"")),
]
ADDRESSES = _lines(r"""
https://news.example/a?b=c#d\n/e
http://user:secret@news.example:8080/
//x.example/
http://127.0.0.1/
http://0x7f.1/
http://2130706433/
http://[::ffff:10.0.0.1]/
http://[fe80::1%25eth0]/
http://127.0.0.1%00.example.com/
http://①②⑦.0.0.1/
HTTP://NEWS.example.:80/%zz
http://bücher.example/ä?ö=ü€
http://a。b/
http://[]@
https://inside.lan/
http://allowed.lan:81/
https://a.refused.example/
file:///x
https://www.google.com/url?url=http://10.0.0.1/
http://[64:ff9b::a00:1]/
javascript:x
https://news.example/a\n\\\\evil.example\\x
http://a.example:65536/
http://１２７.1/
https://news.example/a%20b%2F%C3%A9/c\nd
""")
PACKED = [
    b"\x00" + gzip.compress(b"Words " * 99, mtime=0) + gzip.compress(b"More", mtime=0) + b"\0\0",
    b"\x11" + zlib.compress(b"Words " * 9),
    b"\x21" + zlib.compress(b"Words " * 9)[2:-4],
    b"\x32" + b"Words " * 9,
    b"\x40" + gzip.compress(b"\0" * 100_000, mtime=0),
]
DATES = _lines(r"""
2024-05-03T08:00:00Z
2024-05-03 8:00 PM EST
20240503T101500+0200
May 2024
Fri, 03 May 2024 08:00:00 GMT
3 mai 2024
1714723200000
03/04/2024
9999-12-31
Fri May 03 2024 08:00:00 GMT+0200 (CEST)
0000-00-00
2024-02-30
120
2024.5.3
Fr, 3. Mai 2024 08:00 +02:00
2024-05-03T24:00:00
٢٠٢٤-٠٥-٠٣
2024-05-03[Europe]
""")
FILES = [
    b"story.html\n" + STORY.encode(),
    b"story.html.gz\n" + gzip.compress(STORY.encode(), mtime=0),
    b"../a.md\n---\ntitle: A\nid: 7\n---\n" + PARAGRAPH.encode(),
    b"a.txt\n\xff\xfe" + PARAGRAPH.encode("utf-16-le"),
    b"a\n\x93Words\x94 \xe9\xe8 " + PARAGRAPH.encode(),
]
REPLIES = [
    b'\x00\x00\x00\x00\x0b["ok",null]',
    b'\x01["ok",{"title":"\\ud800"}]',
    b'\x01["refused","It is empty."]',
    b"\x02" + bytes(range(1, 120, 7)),
    b"\x03" + bytes(range(1, 200, 3)),
]
TEXT_PAIRS = [
    f"{PARAGRAPH}\n\nOld.\n\nEnd.".encode() + PART + f"{PARAGRAPH}\r\n\r\nNew.\nEnd.".encode(),
    b"One line\nof text" + PART,
    "\n".join([PARAGRAPH[:80]] * 4).encode() + PART + b"\xe2\x80\xa9 \x1c \x85 \xc2\xa0",
]
SHAPES = [JSON_LD.encode(), bytes(range(0, 250, 3)), b"[[{}]]", b'{"@type":"NewsArticle"} {"a":1}']

TAGS = _words(r"""
<p> </p> <br> <div> </div> <article> </article> <h1> <a\x20href= <table> <tr> <td> <script>
</script> <!-- --> <![CDATA[ ]]> <title> <meta\x20property= \x20content= <time\x20datetime=
<link\x20rel=canonical\x20href= <base\x20href= <svg> <math> <noscript> <iframe> <template>
<?xml\x20 &#0; &#xD800; &#x10FFFF; &nbsp; &amp;quot; \xef\xbf\xbe \xed\xa0\x80 \xe2\x80\xae
\xc2\xad \x00 charset=utf-16 charset=shift_jis \x1b$B "datePublished":" "headline":
"articleBody":" "@type":"NewsArticle" 9999-12-31 https://news.example/ http://[ ?q=\xe2\x82\xac
2024-05-03 \n\n hidden\x20
""")
FEED_TAGS = _words(r"""
<item> </item> <entry> </entry> <link> <guid> <category> <source> <media:credit> <media:rating>
<media:thumbnail\x20url= <content\x20type= <author> <name> <georss:point>1\x202 <gml:pos> <where>
<cc:license> <textinput> <itunes:image\x20href= mode="base64" xml:base="http://[" <pubDate>
<dc:date> <psc:chapter\x20start=" <dcterms:valid>start=x; <newlocation> <width> <!ENTITY\x20x
&#99999999999; &#55357; <!-- --> <![CDATA[ ]]> null [ { 1e999 xmlns:a= <rdf:RDF> <rss> <feed>
?q=\xe2\x82\xac https://news.example/
""")
PDF_WORDS = _words(r"""
/Filter /FlateDecode /LZWDecode /ASCII85Decode /RunLengthDecode /Length /DecodeParms
/Predictor\x2012 /Encoding /Differences /Identity-H /ToUnicode /DescendantFonts /Type0 /Type3 /W
/Widths /Kids /Count /MediaBox /Rotate\x2090 /Parent /Encrypt /Prev /XRefStm /ObjStm /Resources
stream endstream endobj BT ET Tj TJ Tf Tm cm Do BI ID EI << >> 1\x200\x20R null <FEFF beginbfrange
endbfrange begincmap -1e400
""")
HTTP_WORDS = _words(r"""
HTTP/1.1\x20 301 304 \r\n\r\n Location:\x20 Content-Encoding:\x20 gzip deflate Content-Length:\x20
Transfer-Encoding:\x20chunked Retry-After:\x20 Content-Type:\x20 ETag:\x20 http://127.0.0.1:22/
http://localhost/ //inside.example/ http://[::1]/ text/plain http://169.254.169.254/ http://0/
\xff \xed\xa0\x80 charset= Connection:\x20close application/rss+xml Last-Modified:\x20
Set-Cookie:\x20 \r\n\x20 0\r\n\r\n \n%%\n @ \\
""")
ADDRESS_WORDS = _words(r"""
http:// https:// 127.0.0.1 0x7f [::1] %00 %2e @ \\ # ? :80 localhost .lan allowed.lan
refused.example xn-- \xef\xbc\x8f \xe3\x80\x82 \xe2\x82\xac \xc2\xad \xc3\x9f [ ] %25eth0 ::ffff:
64:ff9b:: // .. news.example 169.254.169.254 \n : utm_a= & = ; \t
""")
LINES = _words(r"""
User-agent:\x20*\n User-agent:\x20Pullquote\n Disallow:\x20 Allow:\x20 Crawl-delay:\x20 * $
Sitemap:\x20 Request-rate:\x201/5 Visit-time:\x200600-0845 %2F % nan 1e999 -1
""")
TEXT_WORDS = _words(r"""
---\n title:\x20 date:\x20 url:\x20 \r\n\r\n \xe2\x80\xa8 \xe2\x80\x9c \x85 #\x20
!!python/object:os.system\x20 &a\x20 *a <<:\x20 { [ date\x202024-05-03\x20 \xef\xbb\xbf \n%%\n
\n\n Mr.\x20 ... \xe3\x80\x82 \xcc\x81 \x1c \xe2\x80\xa9 \xff\xfe
""")
DATE_WORDS = _words(r"""
2024 -05- T 08:00 Z +02:00 \x20GMT \x20EST May Fri,\x20 PM [ 1970-01-01 0000 9999 1714723200
+99:99 . / 24:00:00 -0000 \xd9\xa2
""")

# For values of any shape: what JSON-LD, feeds and replies are made of.
_NAME_LIST = """
@type @id @graph @value headline name author creator publisher datePublished dateModified url
articleBody isAccessibleForFree mainEntityOfPage hasPart itemListElement sourceOrganization HEADLINE
title source published_at modified_at text reason notes items left_out guid is_summary refused
"""
NAMES = _NAME_LIST.split()
VALUES = (
    *(
        "",
        "NewsArticle",
        "Bridge",
        "#p",
        "Jane Doe",
        "2024-05-03",
        "9999-01-01",
        "2024-05-03T08:00Z",
    ),
    *(
        "https://news.example/?q=\u20ac",
        "\ud800",
        "\x00",
        " ",
        "<b>&amp;lt;</b>",
        "false",
        "1" * 600,
    ),
)
