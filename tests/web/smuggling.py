"""Requests whose end two servers may see at two places, each with another request inside.

Wherever they are read strictly, what is inside is a part of a body or behind
something that is refused, and nobody runs it. The spellings are those of
RFC 9112, sections 6 and 7, and of what was found in proxies and servers since
(https://portswigger.net/web-security/request-smuggling).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.web.genuine import forged_headers
from tests.web.receivers import MAX_BODY
from tests.web.wire import request

Case = Callable[[bytes], Sequence[bytes]]
"""From what is to be smuggled to requests, each to be sent on a connection of its own."""


def _post(framing: str, body: bytes, path: str = "/hooks/showpass", **more: str) -> bytes:
    method, version = more.pop("method", "POST"), more.pop("version", "HTTP/1.1")
    headers = {**forged_headers("showpass", 0.0), **more}
    return request(path, body, headers, method, framing=framing, version=version)


# Both a length and chunks

_CODINGS: Mapping[str, str] = {
    "plain": "Transfer-Encoding: chunked",
    "space before the colon": "Transfer-Encoding : chunked",
    "tab before the colon": "Transfer-Encoding\t: chunked",
    "tab behind the colon": "Transfer-Encoding:\tchunked",
    "spaces around": "Transfer-Encoding:  chunked \t",
    "no space": "Transfer-Encoding:chunked",
    "capitals": "TRANSFER-ENCODING: CHUNKED",
    "identity last": "Transfer-Encoding: chunked, identity",
    "identity first": "Transfer-Encoding: identity, chunked",
    "gzip first": "Transfer-Encoding: gzip, chunked",
    "twice in a line": "Transfer-Encoding: chunked, chunked",
    "two lines": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "another line behind": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "another line before": "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "unknown before": "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "unknown": "Transfer-Encoding: xchunked",
    "a comma before": "Transfer-Encoding: , chunked",
    "a comma behind": "Transfer-Encoding: chunked,",
    "a parameter": "Transfer-Encoding: chunked;q=1",
    "in quotes": 'Transfer-Encoding: "chunked"',
    "vertical tab": "Transfer-Encoding: \x0bchunked",
    "NUL in the name": "Transfer-Encoding\x00: chunked",
    "NUL in the value": "Transfer-Encoding: chunked\x00",
    "not ASCII": "Transfer-Encoding: chun\xebed",
    "empty": "Transfer-Encoding:",
    "folded": "Transfer-Encoding:\r\n chunked",
    "folded with a tab": "Transfer-Encoding: x\r\n\tchunked",
    "on a folded line": "X-Folded: y\r\n Transfer-Encoding: chunked",
    "behind a bare LF": "X-Bare: y\nTransfer-Encoding: chunked",
    "behind a bare CR": "X-Bare: y\rTransfer-Encoding: chunked",
}


def _both(coding: str) -> Case:
    def case(inside: bytes) -> Sequence[bytes]:
        ended = b"0\r\n\r\n" + inside
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(inside), inside)
        short = f"Content-Length: {chunk.index(inside)}"
        whole = f"Content-Length: {len(ended)}"
        return (
            _post(f"{whole}\r\n{coding}", ended),
            _post(f"{coding}\r\n{whole}", ended),
            _post(f"{short}\r\n{coding}", chunk),
            _post(f"{coding}\r\n{short}", chunk),
        )

    return case


def _ignored(inside: bytes) -> Sequence[bytes]:
    """Not a coding by any reading but that of servers to which `_` is `-`."""
    ended = b"0\r\n\r\n" + inside
    return (_post(f"Transfer_Encoding: chunked\r\nContent-Length: {len(ended)}", ended),)


# Lengths

_LENGTHS: Mapping[str, str] = {
    "two, the first right": "Content-Length: {0}\r\nContent-Length: 0",
    "two, the second right": "Content-Length: 0\r\nContent-Length: {0}",
    "two that are the same": "Content-Length: {0}\r\nContent-Length: {0}",
    "a list": "Content-Length: {0}, {0}",
    "a list of two": "Content-Length: 0, {0}",
    "plus": "Content-Length: +{0}",
    "minus": "Content-Length: -{0}",
    "hexadecimal": "Content-Length: 0x{0:x}",
    "exponent": "Content-Length: {0}e0",
    "point": "Content-Length: {0}.0",
    "underscore": "Content-Length: {0}_0",
    "zeros before": "Content-Length: 000{0}",
    "empty": "Content-Length:",
    "empty first": "Content-Length:\r\nContent-Length: {0}",
    "space before the colon": "Content-Length : {0}",
    "tab behind the colon": "Content-Length:\t{0}",
    "folded": "Content-Length: {0}\r\n 0",
    "vertical tab": "Content-Length: \x0b{0}",
    "not ASCII": "Content-Length: \xb2{0}",
    "too many digits": "Content-Length: 184467440737095516{0}",
    "thousands of digits": "Content-Length: " + "9" * 1_800 + "{0}",
    "named in Connection": "Connection: Content-Length\r\nContent-Length: {0}",
    "with Expect": "Expect: 100-continue\r\nContent-Length: {0}",
    "with an unknown Expect": "Expect: x\r\nContent-Length: {0}",
}


def _length(text: str) -> Case:
    return lambda inside: (_post(text.format(len(inside)), inside),)


# Bodies that need not be read

_UNREAD: Mapping[str, Case] = {
    "of a GET": lambda inside: (_with_length(inside, method="GET"),),
    "of a HEAD": lambda inside: (_with_length(inside, method="HEAD"),),
    "of an OPTIONS": lambda inside: (_with_length(inside, method="OPTIONS"),),
    "of an unknown method": lambda inside: (_with_length(inside, method="PROPFIND"),),
    "of an unknown source": lambda inside: (_with_length(inside, "/hooks/nobody"),),
    "of an address that is not allowed": lambda inside: (_with_length(inside, "/hooks/listed"),),
    "without a signature": lambda inside: (request("/hooks/showpass", inside),),
    "that is too large": lambda inside: (_post(f"Content-Length: {MAX_BODY + 1}", inside),),
    "that never ends": lambda inside: (_post(f"Content-Length: {len(inside) + 9}", inside),),
    "of HTTP/1.0": lambda inside: (_with_length(inside, version="HTTP/1.0"),),
    "of HTTP/1.0 in chunks": lambda inside: (
        _post("Connection: keep-alive\r\n" + _CHUNKED, _chunk(inside), version="HTTP/1.0"),
    ),
    "of an upgrade": lambda inside: (
        _with_length(inside, Upgrade="h2c", Connection="Upgrade, HTTP2-Settings"),
        _with_length(inside, Upgrade="websocket", Connection="Upgrade"),
    ),
    "in a coding that is not known": lambda inside: (
        _with_length(inside, **{"Content-Encoding": "gzip"}),
        _with_length(inside, **{"Content-Encoding": "br"}),
    ),
}


def _with_length(inside: bytes, path: str = "/hooks/showpass", **more: str) -> bytes:
    return _post(f"Content-Length: {len(inside)}", inside, path, **more)


# Chunks

_CHUNKED = "Transfer-Encoding: chunked"
# Before what is inside, and behind it.
_CHUNKS: Mapping[str, tuple[bytes, bytes]] = {
    "an extension": (b"%x;a=b\r\n", b"\r\n0\r\n\r\n"),
    "an extension in quotes": (b'%x;a="b;c"\r\n', b"\r\n0\r\n\r\n"),
    "a long extension": (b"%x;a=" + b"b" * 5_000 + b"\r\n", b"\r\n0\r\n\r\n"),
    "a bare LF in an extension": (b"%x;a=b\nc\r\n", b"\r\n0\r\n\r\n"),
    "a bare CR in an extension": (b"%x;a=b\rc\r\n", b"\r\n0\r\n\r\n"),
    "a size that overflows": (b"10000000000000000\r\n", b""),
    "a size that overflows to the right one": (b"1000000000%08x\r\n", b"\r\n0\r\n\r\n"),
    "a size of thousands of digits": (b"0" * 5_000 + b"%x\r\n", b"\r\n0\r\n\r\n"),
    "0x": (b"0x%x\r\n", b"\r\n0\r\n\r\n"),
    "plus": (b"+%x\r\n", b"\r\n0\r\n\r\n"),
    "minus": (b"-%x\r\n", b"\r\n0\r\n\r\n"),
    "underscore": (b"0_%x\r\n", b"\r\n0\r\n\r\n"),
    "space before the size": (b" %x\r\n", b"\r\n0\r\n\r\n"),
    "space behind the size": (b"%x \r\n", b"\r\n0\r\n\r\n"),
    "tab behind the size": (b"%x\t\r\n", b"\r\n0\r\n\r\n"),
    "no size": (b"\r\n", b"\r\n0\r\n\r\n"),
    "an empty line first": (b"\r\n%x\r\n", b"\r\n0\r\n\r\n"),
    "bare LFs": (b"%x\n", b"\n0\n\n"),
    "a bare CR": (b"%x\r", b"\r\n0\r\n\r\n"),
    "no line break behind the data": (b"%x\r\n", b"0\r\n\r\n"),
    "something else behind the data": (b"%x\r\n", b"xx0\r\n\r\n"),
    "data that are longer": (b"1\r\n", b"\r\n0\r\n\r\n"),
    "a trailer": (b"0\r\nX-Trailer: y\r\n", b""),
    "a trailer that frames": (b"%x\r\n", b"\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "an end with a bare LF": (b"0\r\n\n", b""),
    "an end with an extension and a bare LF": (b"0;\n\r\n", b""),
    "an end that lacks a line break": (b"0\r\n", b""),
    "an end that is no number": (b"0g\r\n\r\n", b""),
}


def _chunks(before: bytes, behind: bytes) -> Case:
    def case(inside: bytes) -> Sequence[bytes]:
        start = before % len(inside) if b"%" in before else before
        return (_post(_CHUNKED, start + inside + behind),)

    return case


def _chunk(inside: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(inside), inside)


# Heads

_HEADS: Mapping[str, Case] = {
    "bare LFs": lambda inside: (_with_length(inside).replace(b"\r\n", b"\n", 5),),
    "a bare LF behind the first line": lambda inside: (
        _with_length(inside).replace(b"\r\n", b"\n", 1),
    ),
    "an end with a bare LF": lambda inside: (
        _with_length(inside).replace(b"\r\n\r\n", b"\r\n\n", 1),
    ),
    "a space before the first header": lambda inside: (
        _with_length(inside).replace(b"\r\nHost", b"\r\n Host", 1),
    ),
    "no colon": lambda inside: (_with_length(inside, X="y").replace(b"X: y", b"Xy", 1),),
    "no name": lambda inside: (_with_length(inside, X="y").replace(b"X: y", b": y", 1),),
    "a line break in the path": lambda inside: (
        b"POST /hooks/showpass\r\n\r\n" + inside,
        b"POST /hooks/showpass?\nX: HTTP/1.1\r\nHost: x\r\n\r\n" + inside,
    ),
    "HTTP/0.9": lambda inside: (b"GET /hooks/showpass\r\n" + inside,),
    "an unknown version": lambda inside: (
        _with_length(inside, version="HTTP/1.2"),
        _with_length(inside, version="HTTP/3.0"),
        _with_length(inside, version="HTTP/1.1 x"),
    ),
    "HTTP/2 without asking": lambda inside: (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + inside,
    ),
    "spaces in the first line": lambda inside: (
        _with_length(inside).replace(b"POST /", b"POST  /", 1),
        _with_length(inside).replace(b" HTTP/1.1", b"\tHTTP/1.1", 1),
    ),
    "a method with a line break": lambda inside: (
        _with_length(inside).replace(b"POST ", b"PO\rST ", 1),
    ),
    "TLS": lambda inside: (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60) + inside,),
}


def _named(prefix: str, cases: Mapping[str, Case]) -> Iterator[tuple[str, Case]]:
    for name, case in cases.items():
        yield f"{prefix}: {name}", case


CASES: Mapping[str, Case] = dict(
    (
        *_named("coding", {name: _both(text) for name, text in _CODINGS.items()}),
        ("coding: underscore", _ignored),
        *_named("length", {name: _length(text) for name, text in _LENGTHS.items()}),
        *_named("body", _UNREAD),
        *_named("chunk", {name: _chunks(*both) for name, both in _CHUNKS.items()}),
        *_named("head", _HEADS),
    )
)
