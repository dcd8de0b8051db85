"""Reading a request's body: never more than the cap, whatever the sender claims."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Protocol

from bridge.errors import Malformed, SenderError, TooLarge

MOST_DIGITS = 18


class Unsupported(SenderError):
    """A content coding that cannot be undone here."""

    status = 415


class Incomplete(SenderError):
    """The sender stopped in mid-body; it is asked to send the whole again."""

    status = 503


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_body(environ: Mapping[str, Any], cap: int, *, accepts_gzip: bool) -> bytes:
    """The body as the sender signed it, at most `cap` bytes of it as sent and as decompressed.

    Raises TooLarge, Unsupported, Incomplete, or Malformed for broken compression.
    """
    body = _raw(environ, cap)
    coding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if coding in ("", "identity"):
        return body
    if coding in ("gzip", "x-gzip") and accepts_gzip:
        return _gunzip(body, cap)
    raise Unsupported("unsupported-content-encoding")


def _raw(environ: Mapping[str, Any], cap: int) -> bytes:
    length = _announced(environ)
    if length is not None and length > cap:
        raise TooLarge("body-too-large")
    stream: Stream = environ["wsgi.input"]
    try:
        body = stream.read(cap + 1 if length is None else length)
    except OSError as error:
        raise Incomplete("body-incomplete") from error
    if len(body) > cap:
        raise TooLarge("body-too-large")
    if length is not None and len(body) < length:
        raise Incomplete("body-incomplete")
    return body


def _announced(environ: Mapping[str, Any]) -> int | None:
    """The body's length by its header; None where that says no number."""
    digits = str(environ.get("CONTENT_LENGTH") or "")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) > MOST_DIGITS:
        raise TooLarge("body-too-large")  # more than int() reads, and far over any cap
    return int(digits)


def _gunzip(body: bytes, cap: int) -> bytes:
    """Stops inflating one byte over the cap: a bomb costs no more than an honest body."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = inflater.decompress(body, cap + 1)
    except zlib.error as error:
        raise Malformed("invalid-gzip") from error
    if len(plain) > cap:
        raise TooLarge("body-too-large")
    if not inflater.eof or inflater.unused_data:
        raise Malformed("invalid-gzip")
    return plain
