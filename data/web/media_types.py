import re
from enum import Enum

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9][A-Za-z0-9._:+-]{0,39})", re.IGNORECASE)
_UNSAID = ("", "application/octet-stream", "binary/octet-stream", "application/x-download")
_PDF = "application/pdf"
_STORY_TYPES = frozenset(
    {
        *("text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown"),
        *(_PDF, "application/x-pdf"),
    }
)
_FEED_TYPE = re.compile(r"text/(?:plain|html)|(?:application|text)/.*(?:xml|json|rss|atom|rdf).*")
_LOOKED_AT = 1024  # bytes at the beginning; readers of PDF look for its mark as far as this


class Accept(Enum):
    """What is wanted from an address, a story or a feed; the value is the header that asks."""

    STORY = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.1"
    FEED = (
        "application/rss+xml,application/atom+xml,application/feed+json,"
        "application/xml;q=0.9,text/xml;q=0.9,application/json;q=0.8,*/*;q=0.1"
    )

    def refusal(self, media_type: str) -> str | None:
        """Return the sentence that says why a media type is not this, or None if it is.

        One that says nothing ("") is taken; `sniffed_refusal` judges what comes with it.
        """
        if not media_type or self._takes(media_type):
            return None
        if self is Accept.FEED:
            return (
                f"The address leads to a file of the kind {media_type}. "
                "A feed is RSS, Atom or JSON Feed."
            )
        return (
            f"The address leads to a file of the kind {media_type}. "
            "A story is a web page, plain text or a PDF."
        )

    def _takes(self, media_type: str) -> bool:
        if self is Accept.FEED:
            return _FEED_TYPE.fullmatch(media_type) is not None
        return media_type in _STORY_TYPES

    def sniffed_refusal(self, body: bytes) -> str | None:
        """Return why bytes that came without a media type are not this, or None if they may be."""
        head = body[:_LOOKED_AT]
        is_text = b"\0" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff"))
        if is_text and not head.startswith(b"%PDF"):
            return None
        if self is Accept.STORY and b"%PDF" in head:
            return None
        wanted = "a feed" if self is Accept.FEED else "a web page, plain text or a PDF"
        return f"The address leads to a file of an unknown kind, which is not {wanted}."


def split_content_type(header: str) -> tuple[str, str | None]:
    """Return the media type and the charset that a Content-Type header names.

    The media type is in lower case, and "" where there is none, none that is well-formed, or one
    that says nothing, such as `application/octet-stream`.
    """
    media_type, _, parameters = header.partition(";")
    media_type = media_type.strip().lower()
    charset = _CHARSET.search(parameters)
    if media_type in _UNSAID or not _TYPE.fullmatch(media_type):
        media_type = ""
    return media_type, charset[1] if charset else None
