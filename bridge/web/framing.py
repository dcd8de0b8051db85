"""Where a request ends among the bytes that have arrived so far. Pure.

This decides when a request is handed on, not what it says: gunicorn's parser
reads it afterwards, and a connection on which the two disagree is closed. So
whatever is odd is handed on at once, as far as it has come.

https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.errors import SenderError, TooLarge

MAX_HEAD = 32_768
# What a loop may verify by itself without keeping others waiting.
MAX_SMALL = 65_536
# Each chunk costs a parser as much as a kilobyte: senders that stream send far larger ones.
MAX_CHUNKS = 100
BYTES_FOR_EACH_CHUNK = 1024
MAX_CHUNK_LINE = 256
MAX_TRAILERS = 8_192

_END = b"\r\n\r\n"
_MORE: None = None
# Also what is spelled so oddly that two readers may differ about it.
_FRAMED_BY = re.compile(
    rb"^([^\S\r\n]*(?:content-length|transfer-encoding)[^\S\r\n]*):([^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_DIGITS = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")
_ENCODED = re.compile(rb"\r\nContent-Encoding:", re.IGNORECASE)
# HTTP/1.0 knows no such answer: RFC 9110, section 10.1.1.
_KNOWS_CONTINUE = re.compile(rb"[^\r\n]* HTTP/1\.1\r\n")
_CONTINUES = re.compile(rb"\r\nExpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class HeadTooLarge(SenderError):
    """The headers do not end."""

    status = 431


@dataclass
class Framing:
    """Follows one request as it arrives; a connection makes a new one for each.

    `max_body` is in bytes, chunks' own framing not counted.
    """

    max_body: int
    inflates: bool = False
    """Whether some source takes compressed bodies, which are larger than they look."""
    head: int | None = field(default=None, init=False)
    """How long the head is, with its empty line, once it is there."""
    _end: int | None = field(default=None, init=False)
    _looked_at: int = field(default=0, init=False)
    _chunks: int = field(default=0, init=False)
    _size: int = field(default=0, init=False)

    def end(self, received: bytearray) -> int | None:
        """How many bytes are the request, once all are there; None while there are too few.

        Raises TooLarge or HeadTooLarge for what need not be waited for.
        """
        if self.head is None and not self._find_head(received):
            return _MORE
        if self._end is None:
            self._end = self._follow_chunks(received)
        return self._end if self._end is not None and self._end <= len(received) else _MORE

    def is_small(self, received: bytearray, end: int) -> bool:
        """Whether it costs next to nothing to read and verify its first `end` bytes."""
        return end <= MAX_SMALL and not (
            self.inflates and _ENCODED.search(received, 0, self.head or end)
        )

    def wants_to_be_told_to_continue(self, received: bytearray) -> bool:
        """Whether the sender holds its body back."""
        return (
            self.head is not None
            and _CONTINUES.search(received, 0, self.head) is not None
            and _KNOWS_CONTINUE.match(received) is not None
        )

    def _find_head(self, received: bytearray) -> bool:
        found = received.find(_END, max(0, self._looked_at - 3), MAX_HEAD)
        if found < 0:
            self._looked_at = len(received)
            if len(received) >= MAX_HEAD:
                raise HeadTooLarge("headers-too-large")
            return False
        self.head = self._looked_at = found + len(_END)
        self._end = self._announced(bytes(received[:found]))
        return True

    def _announced(self, head: bytes) -> int | None:
        """Where the request ends by its headers; None if its chunks are to say so."""
        assert self.head is not None  # noqa: S101  # just found
        fields = [(name.lower(), value.strip(b" \t")) for name, value in _FRAMED_BY.findall(head)]
        if len(fields) != 1:
            return self.head
        [(name, value)] = fields
        if name == b"transfer-encoding" and value.lower() == b"chunked":
            return None
        if name != b"content-length" or not _DIGITS.fullmatch(value):
            return self.head
        if int(value) > self.max_body:
            raise TooLarge("body-too-large")
        return self.head + int(value)

    def _follow_chunks(self, received: bytearray) -> int | None:
        """Each chunk is looked at once; `_looked_at` is where the next one begins."""
        while self._looked_at < len(received):
            line_end = received.find(b"\r\n", self._looked_at, self._looked_at + MAX_CHUNK_LINE)
            if line_end < 0:
                is_odd = len(received) - self._looked_at >= MAX_CHUNK_LINE
                return len(received) if is_odd else _MORE
            digits = bytes(received[self._looked_at : line_end]).partition(b";")[0].strip(b" \t")
            if not _CHUNK_SIZE.fullmatch(digits):
                return len(received)
            size = int(digits, 16)
            if size == 0:
                return self._trailers_end(received, line_end)
            self._count_chunk(size)
            self._looked_at = line_end + 2 + size + 2
        return _MORE

    def _count_chunk(self, size: int) -> None:
        self._chunks += 1
        self._size += size
        if self._size > self.max_body:
            raise TooLarge("body-too-large")
        if self._chunks > MAX_CHUNKS + self._size // BYTES_FOR_EACH_CHUNK:
            raise TooLarge("too-many-chunks")

    def _trailers_end(self, received: bytearray, line_end: int) -> int | None:
        found = received.find(_END, line_end, line_end + MAX_TRAILERS)
        if found >= 0:
            return found + len(_END)
        return len(received) if len(received) - line_end > MAX_TRAILERS else _MORE
