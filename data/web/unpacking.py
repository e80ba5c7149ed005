import zlib

# A packed file may have several members; more than these is no page but an attempt to keep us busy.
_MAX_MEMBERS = 1000
_GZIP = 16 + zlib.MAX_WBITS  # what zlib calls "expect a gzip header"
_GZIP_START = b"\x1f\x8b"


class DamagedError(Exception):
    """Packed bytes that cannot be unpacked."""


class Unpacker:
    """Collects a body of at most `limit` bytes, unpacking it as it comes.

    `encoding` is `gzip`, `deflate` or "" for a body that is not packed. Memory stays within the
    limit whatever the bytes would unpack to.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding
        self._limit = limit
        self._packed = 0
        self._output = bytearray()
        self._held = b""  # the first byte of deflate, of which two tell the kind
        self._inflater: zlib._Decompress | None = None
        self._members = 0
        self._over = False  # what follows the last member is padding

    @property
    def output(self) -> bytes:
        """Return what was collected."""
        return bytes(self._output[: self._limit])

    def feed(self, data: bytes) -> bool:
        """Take the next bytes in; return whether all is still within the limit.

        Raises:
            DamagedError: if they cannot be unpacked.
        """
        self._packed += len(data)
        if not self._encoding:
            self._output += data[: self._limit + 1 - len(self._output)]
        else:
            try:
                self._unpack(self._held + data)
            except zlib.error as error:
                raise DamagedError("cannot be unpacked") from error
        return self._packed <= self._limit and len(self._output) <= self._limit

    def finish(self) -> None:
        """Say that there is no more.

        Raises:
            DamagedError: if the packed bytes end too early.
        """
        ended = self._inflater is None and self._members > 0
        if self._encoding and self._packed and not ended:
            raise DamagedError("ends too early")

    def _unpack(self, data: bytes) -> None:
        self._held = b""
        while data and not self._over and len(self._output) <= self._limit:
            if self._inflater is None:
                self._begin(data)
                if self._inflater is None:
                    return
            room = self._limit + 1 - len(self._output)
            self._output += self._inflater.decompress(data, room)
            data = self._inflater.unconsumed_tail
            if self._inflater.eof:
                data = self._inflater.unused_data
                self._inflater = None
                self._over = self._encoding != "gzip"

    def _begin(self, data: bytes) -> None:
        """Make ready for the member that begins with `data`, or hold it until there is more."""
        if len(data) < len(_GZIP_START):
            self._held = data
        elif self._encoding == "deflate":
            self._inflater = zlib.decompressobj(_deflate_kind(data))
            self._members = 1
        elif self._members and not data.startswith(_GZIP_START):
            self._over = True
        else:
            self._members += 1
            if self._members > _MAX_MEMBERS:
                raise DamagedError("has too many members")
            self._inflater = zlib.decompressobj(_GZIP)


def _deflate_kind(data: bytes) -> int:
    """Return what zlib has to expect: servers send "deflate" with and without its header."""
    with_header = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS
