import gzip
import tracemalloc
import zlib

import pytest

from data.web.unpacking import DamagedError, Unpacker

TEXT = b"Ferries stay in port. " * 50
RAW_DEFLATE = zlib.compress(TEXT)[2:-4]


def unpacked(encoding: str, data: bytes, *, step: int = 10_000, limit: int = 100_000) -> bytes:
    unpacker = Unpacker(encoding, limit)
    for start in range(0, len(data), step):
        assert unpacker.feed(data[start : start + step])
    unpacker.finish()
    return unpacker.output


@pytest.mark.parametrize("step", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("", TEXT, TEXT),
        ("gzip", gzip.compress(TEXT), TEXT),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), TEXT),
        ("gzip", gzip.compress(TEXT) + b"\0" * 50, TEXT),
        ("gzip", gzip.compress(TEXT) + b"\n", TEXT),
        ("gzip", gzip.compress(b""), b""),
        ("gzip", b"", b""),
        ("deflate", zlib.compress(TEXT), TEXT),
        ("deflate", RAW_DEFLATE, TEXT),
        ("deflate", zlib.compress(TEXT) + b"more", TEXT),
    ],
)
def test_a_body_is_unpacked_however_it_comes_in(
    encoding: str, data: bytes, text: bytes, step: int
) -> None:
    assert unpacked(encoding, data, step=step) == text


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", TEXT),
        ("gzip", b"\x1f"),
        ("gzip", gzip.compress(TEXT)[:-1]),
        ("gzip", gzip.compress(TEXT)[:-8] + b"12345678"),
        ("gzip", gzip.compress(TEXT) + b"\x1f\x8b"),
        ("gzip", gzip.compress(b"") * 1001),
        ("deflate", b"x"),
        ("deflate", zlib.compress(TEXT)[:-5]),
        ("deflate", RAW_DEFLATE[:-5]),
        ("deflate", b"\xff" * 100),
    ],
)
def test_a_damaged_body_is_refused(encoding: str, data: bytes) -> None:
    with pytest.raises(DamagedError):
        unpacked(encoding, data)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", b"x" * 1001),
        ("gzip", gzip.compress(b"x" * 1001)),
        ("gzip", gzip.compress(b"x" * 600) + gzip.compress(b"x" * 401)),
        ("deflate", zlib.compress(b"x" * 100_000)),
    ],
)
def test_what_is_beyond_the_limit_is_said_and_left_out(encoding: str, data: bytes) -> None:
    unpacker = Unpacker(encoding, 1000)
    assert not unpacker.feed(data)
    assert unpacker.output == b"x" * 1000


def test_a_body_of_just_the_limit_is_whole() -> None:
    assert unpacked("", b"x" * 10, limit=10) == b"x" * 10
    packed = zlib.compress(b"x" * 100_000)
    assert unpacked("deflate", packed, limit=100_000) == b"x" * 100_000


def test_packed_bytes_beyond_the_limit_are_too_many_though_they_unpack_to_nothing() -> None:
    unpacker = Unpacker("gzip", 100)
    assert not unpacker.feed(gzip.compress(b"") * 6)


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    unpacker = Unpacker("gzip", 100_000)
    assert not unpacker.feed(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
