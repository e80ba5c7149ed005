import pytest

from data.web.media_types import Accept, split_content_type


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("text/html", ("text/html", None)),
        ("Text/HTML; Charset=UTF-8", ("text/html", "UTF-8")),
        ('text/html;charset="windows-1252"', ("text/html", "windows-1252")),
        ("text/html; x=y; charset = 'iso-8859-1' ; z", ("text/html", "iso-8859-1")),
        ("text/html; charset=", ("text/html", None)),
        ("text/html; charset=;utf-8", ("text/html", None)),
        ("text/html, text/html", ("", None)),
        ("application/octet-stream", ("", None)),
        ("binary/octet-stream; charset=utf-8", ("", "utf-8")),
        ("html", ("", None)),
        ("", ("", None)),
        ("a/b\udce4", ("", None)),
        (f"a/{'b' * 500}", ("", None)),
    ],
)
def test_a_content_type_has_a_kind_and_a_charset(
    header: str, expected: tuple[str, str | None]
) -> None:
    assert split_content_type(header) == expected


@pytest.mark.parametrize(
    ("accept", "media_type", "taken"),
    [
        (Accept.STORY, "text/html", True),
        (Accept.STORY, "application/xhtml+xml", True),
        (Accept.STORY, "text/plain", True),
        (Accept.STORY, "text/markdown", True),
        (Accept.STORY, "application/pdf", True),
        (Accept.STORY, "", True),
        (Accept.STORY, "application/rss+xml", False),
        (Accept.STORY, "application/json", False),
        (Accept.STORY, "image/png", False),
        (Accept.STORY, "application/zip", False),
        (Accept.FEED, "application/rss+xml", True),
        (Accept.FEED, "application/atom+xml", True),
        (Accept.FEED, "application/rdf+xml", True),
        (Accept.FEED, "application/feed+json", True),
        (Accept.FEED, "application/json", True),
        (Accept.FEED, "application/xml", True),
        (Accept.FEED, "text/xml", True),
        (Accept.FEED, "application/x-rss+xml", True),
        (Accept.FEED, "text/plain", True),
        (Accept.FEED, "text/html", True),
        (Accept.FEED, "", True),
        (Accept.FEED, "application/pdf", False),
        (Accept.FEED, "image/svg+xml", False),
    ],
)
def test_what_is_wanted_decides_which_kinds_are_taken(
    accept: Accept, media_type: str, taken: bool
) -> None:
    assert (accept.refusal(media_type) is None) is taken


@pytest.mark.parametrize(
    ("accept", "body", "taken"),
    [
        (Accept.STORY, b"<html>", True),
        (Accept.STORY, b"Plain words.", True),
        (Accept.STORY, b"%PDF-1.7\n\0", True),
        (Accept.STORY, b"\0\0junk\n%PDF-1.7", True),
        (Accept.STORY, "\ufeffWords".encode("utf-16-le"), True),
        (Accept.STORY, b"PK\x03\x04\0\0", False),
        (Accept.STORY, b"\x89PNG\r\n\x1a\n\0", False),
        (Accept.FEED, b"<?xml version='1.0'?><rss/>", True),
        (Accept.FEED, b'{"version": "https://jsonfeed.org/version/1"}', True),
        (Accept.FEED, b"%PDF-1.7 words", False),
        (Accept.FEED, b"\0", False),
    ],
)
def test_what_comes_without_a_kind_is_judged_by_its_beginning(
    accept: Accept, body: bytes, taken: bool
) -> None:
    assert (accept.sniffed_refusal(body) is None) is taken


def test_a_refused_kind_is_named() -> None:
    assert Accept.STORY.refusal("image/png") == (
        "The address leads to a file of the kind image/png. "
        "A story is a web page, plain text or a PDF."
    )
