import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Bytes in which a page declares its encoding: browsers look at 1,024, many pages begin later.
_DECLARED_WITHIN = 4096
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
_XML_ENCODING = re.compile(rb"\s*<\?xml\b[^>]{0,300}?\bencoding\s*=\s*[\"']\s*([\w.:-]{1,40})")
_META_CHARSET = re.compile(
    rb"<meta\b[^>]{0,500}?\bcharset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE
)

# What a label means on the web where Python takes it by its letter, or does not know it
# (https://encoding.spec.whatwg.org/#names-and-labels). Keys are Python's names or labels.
_ON_THE_WEB = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "euc_kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "x-euc-jp": "euc_jp",
    "iso8859-8-i": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "unicode-1-1-utf-8": "utf-8",
    **{f"x-cp{number}": f"cp{number}" for number in range(1250, 1259)},
}
# Python's names of the encodings that pages are in; all its other codecs, among them some that
# are no encodings of text (rot13, hex) or do harm (utf-7, idna, unicode_escape), are never used.
# UTF-16 and UTF-32 are told by their bytes: as a mere label they are always wrong.
_ALLOWED = frozenset(
    (
        *("utf-8", "gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949"),
        *("koi8-r", "koi8-u", "cp866", "cp874", "mac-roman", "mac-cyrillic"),
        *(f"cp{number}" for number in range(1250, 1259)),
        *(f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    )
)
_LAST_RESORT = "cp1252"

# A text in another encoding that happens to hold this many sound UTF-8 sequences for each
# unsound byte is not to be met: what is wrong then is a few bytes, not the encoding.
_SOUND_FOR_EACH_UNSOUND = 10

_SAMPLE_BYTES = 20_000  # for the detector, which takes about a second for a megabyte
_TAG = re.compile(rb"<[^<>]{0,2000}>")
# Share of undecodable noise above which the detector's guess is not believed.
_MAX_CHAOS = 0.2


def decode_page(body: bytes, *, declared: str | None) -> str:
    """Return the characters of a page or feed; `declared` is the header's charset.

    A byte order mark decides. Bytes that are sound UTF-8, or nearly, are UTF-8 whatever anybody
    says. Else the header's word counts, then the page's own, where the bytes fit it; else the
    encoding is detected, or taken for Windows-1252. It never fails: what cannot be read becomes
    U+FFFD. NUL characters, which no page means, are left out.
    """
    return _decoded(body, declared).removeprefix("\ufeff").replace("\x00", "")


def _decoded(body: bytes, declared: str | None) -> str:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if wide := _wide(body):
        return body.decode(wide, "replace")
    if not body.isascii() and (text := _utf8(body)) is not None:
        return text
    named = [codec for codec in map(_codec, _labels(body, declared)) if codec]
    for codec in named:
        try:
            return body.decode(codec)
        except UnicodeDecodeError:
            continue
    if body.isascii():
        return body.decode("ascii")
    return body.decode(_detected(body) or _LAST_RESORT, "replace")


def _wide(body: bytes) -> str | None:
    """Return the form of UTF-16 or UTF-32 that a page without a mark is in, by its zero bytes.

    Markup is ASCII, so in a wide encoding about every second byte (or three in four) is zero.
    """
    sample = body[: _DECLARED_WITHIN - _DECLARED_WITHIN % 4]
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    zeros = [sample[place::4].count(0) / len(sample[place::4]) for place in range(4)]
    often, seldom = 0.4, 0.05
    if min(zeros[1], zeros[2], zeros[3]) > often and zeros[0] < seldom:
        return "utf-32-le"
    if min(zeros[0], zeros[1], zeros[2]) > often and zeros[3] < seldom:
        return "utf-32-be"
    if min(zeros[1], zeros[3]) > often and max(zeros[0], zeros[2]) < seldom:
        return "utf-16-le"
    if min(zeros[0], zeros[2]) > often and max(zeros[1], zeros[3]) < seldom:
        return "utf-16-be"
    return None


def _utf8(body: bytes) -> str | None:
    """Return the characters if the bytes are UTF-8, or UTF-8 in which a few are damaged."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    unsound = text.count("\ufffd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - unsound
    return text if sound >= _SOUND_FOR_EACH_UNSOUND * unsound else None


def _labels(body: bytes, declared: str | None) -> list[str]:
    """Return what the header, the XML declaration and the meta element name, in that order."""
    head = body[:_DECLARED_WITHIN]
    xml = _XML_ENCODING.match(head)
    meta = _META_CHARSET.search(_COMMENT.sub(b"", head))
    inside = [match[1].decode("ascii", "replace") for match in (xml, meta) if match]
    return [declared, *inside] if declared else inside


def _codec(label: str) -> str | None:
    """Return the Python codec for a label as browsers understand it; None if it is not allowed."""
    label = label.strip().strip("\"'").lower()
    if label not in _ON_THE_WEB:
        try:
            label = codecs.lookup(label).name
        except (LookupError, ValueError):  # ValueError: a NUL in the label
            return None
    name = _ON_THE_WEB.get(label, label)
    return name if name in _ALLOWED else None


def _detected(body: bytes) -> str | None:
    """Return the encoding that the text between the tags is most likely in; None if unclear.

    Windows-1252 wins a draw: for a short text the detector would as soon take a sister of it,
    and turn one letter into another.
    """
    from charset_normalizer import from_bytes

    lines = _TAG.sub(b"\n", body[: 50 * _SAMPLE_BYTES]).split(b"\n")
    foreign = b"\n".join(line for line in lines if not line.isascii())
    matches = from_bytes(foreign[:_SAMPLE_BYTES])
    best = matches.best()
    if best is None or best.chaos > _MAX_CHAOS:
        return None
    for match in matches:
        if match.chaos <= best.chaos and _LAST_RESORT in (
            match.encoding,
            *match.could_be_from_charset,
        ):
            return _LAST_RESORT
    names = (best.encoding, *best.could_be_from_charset)
    return next(filter(None, map(_codec, names)), None)
