import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest

from data.errors import StoryRefusedError, UserError
from data.ingestion import MAX_FILE_BYTES
from data.page_files import is_address, is_page_file, page_in_file, page_of
from data.pages import Page

HTML = b"<html><body><p>The mayor opened the bridge.</p></body></html>"


def _packed(raw: bytes) -> bytes:
    return gzip.compress(raw, mtime=0)


@pytest.mark.parametrize(
    "text", ["http://example.org/a", "https://example.org", " HTTPS://Example.org/a.html\n"]
)
def test_an_address_of_the_web_is_told_from_a_file(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "page.html", "http", "https:example.org", "http:/example.org", "./http://x"),
        *("ftp://example.org/a.html", "file:///etc/passwd", "example.org/a.html"),
    ],
)
def test_anything_else_means_a_file(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.html", "text/html"),
        ("a.HTM", "text/html"),
        ("a.xhtml", "application/xhtml+xml"),
        ("a.pdf", "application/pdf"),
        ("a.html.gz", "text/html"),
        ("A.PDF.GZ", "application/pdf"),
        ("page.txt.html", "text/html"),
        ("2024-10-25 a.b.c.html", "text/html"),
        ("news/of/today.html", "text/html"),
        ("C:\\news\\today.html", "text/html"),
        ("../../etc/passwd.html", "text/html"),
        ("新聞.html", "text/html"),
    ],
)
def test_the_name_of_a_page_says_so(name: str, media_type: str) -> None:
    assert is_page_file(name)
    assert page_of(HTML, name=name) == Page(HTML, media_type=media_type)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.txt", "text/plain"),
        ("a.md", "text/markdown"),
        ("a.MARKDOWN", "text/markdown"),
        ("a.txt.gz", "text/plain"),
        ("a.html.txt", "text/plain"),
        ("", ""),
        (".", ""),
        ("..", ""),
        ("/", ""),
        ("html", ""),
        (".html", ""),  # a hidden file without a suffix
        ("a.gz", ""),
        ("a.html.zip", ""),
        ("a.html.gz.gz", ""),
        ("a.htmlx", ""),
        ("a.jpg", ""),
        ("a.html/", "text/html"),
        ("news.html/a", ""),
    ],
)
def test_a_name_of_another_kind_says_that_or_nothing(name: str, media_type: str) -> None:
    assert is_page_file(name) is (media_type == "text/html")
    assert page_of(HTML, name=name).media_type == media_type


def test_a_file_has_no_address_and_its_bytes_are_its_own() -> None:
    page = page_of(b"%PDF-1.7 \x00\xff", name="https://example.org/a.html")
    assert page == Page(b"%PDF-1.7 \x00\xff", media_type="text/html")
    assert (page.url, page.asked_url, page.charset, page.etag) == (None, None, None, None)


# --- packed files


@pytest.mark.parametrize("name", ["a.html.gz", "a.html", "a", "a.txt"])
def test_a_packed_file_is_unpacked_whatever_its_name(name: str) -> None:
    assert page_of(_packed(HTML), name=name).body == HTML


def test_a_file_that_is_not_packed_may_be_called_so() -> None:
    assert page_of(HTML, name="a.html.gz") == Page(HTML, media_type="text/html")


def test_what_is_packed_twice_is_unpacked_once() -> None:
    assert page_of(_packed(_packed(HTML)), name="a.html.gz").body == _packed(HTML)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = _packed(bytes(50_000_000))  # 50 kB
    real, taken = zlib.decompressobj, []

    class Watched:
        def __init__(self, *arguments: Any) -> None:
            self._inner = real(*arguments)

        def decompress(self, *arguments: Any) -> bytes:
            found: bytes = self._inner.decompress(*arguments)
            taken.append(len(found))
            return found

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    monkeypatch.setattr("data.page_files.zlib.decompressobj", Watched)
    with pytest.raises(StoryRefusedError, match=r"^a\.html is larger than 5 MB"):
        page_of(bomb, name="a.html")
    assert sum(taken) <= MAX_FILE_BYTES + 1


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x1f\x8b", id="two bytes"),
        pytest.param(b"\x1f\x8b\x08\x00", id="half a header"),
        pytest.param(b"\x1f\x8b" + b"\xff" * 100, id="no packing at all"),
        pytest.param(_packed(HTML * 1000)[:100], id="cut in the middle"),
        pytest.param(_packed(HTML)[:-9], id="cut before the checksum"),
        pytest.param(_packed(HTML)[:-1], id="cut by a byte"),
        pytest.param(_packed(HTML)[:-8] + bytes(8), id="a wrong checksum"),
    ],
)
def test_a_damaged_packing_is_refused_and_no_half_of_it_is_taken(raw: bytes) -> None:
    with pytest.raises(StoryRefusedError, match=r"^a\.html\.gz is (damaged|cut off): "):
        page_of(raw, name="a.html.gz")


def test_a_file_in_several_packed_parts_is_read_whole_or_refused() -> None:
    """As `cat one.gz two.gz` and parallel packers write it, which gunzip reads whole."""
    try:
        page = page_of(_packed(HTML) + _packed(HTML), name="a.html.gz")
    except StoryRefusedError:
        return
    assert page.body == HTML + HTML


# --- files on the disk


def test_a_page_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.html.gz"
    path.write_bytes(_packed(HTML))
    assert page_in_file(path) == Page(HTML, media_type="text/html")


def test_an_empty_file_is_an_empty_page(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"")
    assert page_in_file(tmp_path / "a.html").body == b""


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(b"a" * MAX_FILE_BYTES)
    assert len(page_in_file(path).body) == MAX_FILE_BYTES
    path.write_bytes(b"a" * (MAX_FILE_BYTES + 1))
    with pytest.raises(StoryRefusedError, match=r"^a\.html is larger than 5 MB, too large"):
        page_in_file(path)


def test_a_packed_file_larger_than_the_limit_is_not_read_in_part(tmp_path: Path) -> None:
    # What hardly packs: the part within the limit would be a page cut off in its middle.
    noise = bytes(zlib.crc32(i.to_bytes(4, "big")) & 0xFF for i in range(100_000)) * 60
    packer = zlib.compressobj(0, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    path = tmp_path / "a.html.gz"
    path.write_bytes(packer.compress(noise) + packer.flush())
    assert path.stat().st_size > MAX_FILE_BYTES
    with pytest.raises(StoryRefusedError, match=r"a\.html\.gz"):
        page_in_file(path)


def test_a_device_without_an_end_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("there is no such device here")
    with pytest.raises(StoryRefusedError, match="zero is larger than 5 MB"):
        page_in_file(Path("/dev/zero"))


def test_a_folder_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    with pytest.raises(UserError, match="is a folder; name a file"):
        page_in_file(tmp_path / "a.html")


@pytest.mark.parametrize("name", ["none.html", "none/a.html", "n" * 300 + ".html"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be read: "):
        page_in_file(tmp_path / name)


def test_a_link_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.html").symlink_to(tmp_path / "a.html")
    with pytest.raises(UserError, match="cannot be read: "):
        page_in_file(tmp_path / "a.html")
