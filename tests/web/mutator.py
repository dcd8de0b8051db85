"""Requests that strangers make from genuine ones, by a seed: damaged, forged, or both.

Every one is a forgery by how it is made, whatever is done to it afterwards: it
is signed with a wrong secret, or carries a genuine signature that was damaged
or belongs to something else. So no oracle has to say whether it may be taken.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.web import hostile_bodies
from tests.web.genuine import NAMES, new_body, sign
from tests.web.wire import chunks

SIGNATURES = {"showpass": "X-SHOWPASS-SIGNATURE", "showpad": "x-showpad-signature-v1"}


@dataclass
class Forgery:
    """`framing` is what the headers say of the end of `wire`, if not its length.

    `chunked` is the size of each chunk and its extension: chunking comes last.
    """

    source: str
    wire: bytes
    headers: list[tuple[str, str]]
    method: str = "POST"
    path: str = ""
    version: str = "HTTP/1.1"
    framing: list[tuple[str, str]] = field(default_factory=list)
    chunked: tuple[int, bytes] | None = None

    @property
    def raw(self) -> bytes:
        framing, wire = [("Content-Length", str(len(self.wire)))], self.wire
        if self.framing:
            framing = self.framing
        elif self.chunked:
            framing, wire = [("Transfer-Encoding", "chunked")], chunks(wire, *self.chunked)
        lines = [f"{self.method} {self.path} {self.version}", "Host: hooks.example.com"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *framing)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + wire

    def replace(self, name: str, change: Callable[[str], str]) -> None:
        self.headers = [
            (each, change(value) if each == name else value) for each, value in self.headers
        ]


@dataclass(frozen=True)
class Mutated:
    """`is_framed` says that where it ends is beyond doubt: then it has one answer of its own."""

    raw: bytes
    is_framed: bool


def mutated(random: Random, now: float) -> Mutated:
    """What the bytes that are changed last leave of the frame, nobody knows."""
    is_framed = random.random() < SHARE_FRAMED
    forgery = _forgery(random, now, FORGERS if is_framed else SAFE_FORGERS)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        random.choice(HARMLESS_TO_FRAMES)(random, forgery)
    raw = forgery.raw
    if is_framed:
        return Mutated(raw, is_framed=True)
    if random.random() < 0.4:
        random.choice(FRAMES)(random, forgery)
        raw = forgery.raw
    for _ in range(random.choice((0, 1, 1, 3))):
        raw = random.choice(BYTES)(random, raw)
    return Mutated(raw, is_framed=False)


SHARE_FRAMED = 0.85


# What makes it a forgery

Forger = Callable[[Random, str, bytes, float], Forgery]


def _forgery(random: Random, now: float, forgers: Sequence[Forger]) -> Forgery:
    source = random.choice(NAMES)
    return random.choice(forgers)(random, source, new_body(random, source), now)


def _stranger(random: Random, source: str, body: bytes, now: float) -> Forgery:
    """Signed, but with a secret of its own."""
    return _made(source, body, sign(source, body, now, f"guess-{random.random()}"))


def _damaged(random: Random, source: str, body: bytes, now: float) -> Forgery:
    """With a signature that was right but for one or more of its digits."""
    made = _made(source, body, sign(source, body, now))
    made.replace(SIGNATURES[source], random.choice(DAMAGES))
    return made


def _late(_: Random, source: str, body: bytes, now: float) -> Forgery:
    """At another time the same bytes are another text; Showpass signs no time."""
    made = _made(source, body, sign(source, body, now, None if source == "showpad" else "a-guess"))
    made.replace("x-showpad-signature-timestamp", lambda stamp: str(int(stamp) + 1))
    return made


def _borrowed(random: Random, source: str, body: bytes, now: float) -> Forgery:
    """The signature is genuine, and of another webhook."""
    return _made(source, body, sign(source, new_body(random, source), now))


def _made(source: str, body: bytes, headers: Mapping[str, str]) -> Forgery:
    return Forgery(source, body, list(headers.items()), path=f"/hooks/{source}")


def _other_digit(value: str) -> str:
    return ("1" if value[0] != "1" else "2") + value[1:]


FORGERS: Sequence[Forger] = (_stranger, _damaged, _borrowed, _late)
# Changing a byte may heal what the others did.
SAFE_FORGERS: Sequence[Forger] = (_stranger, _borrowed)

DAMAGES: Sequence[Callable[[str], str]] = (
    _other_digit,
    _other_digit,
    lambda value: value[1:],
    lambda value: value[:-3],
    lambda value: value[0] + value,
    lambda value: value[::-1] if value[::-1] != value else "",
    lambda value: value[0] + "," + value[1:],
    lambda value: "sha1=" + value,
    lambda value: f"'{value}'",
    lambda value: _other_digit(value) + "\xff",
    lambda value: "",
    lambda value: "0" * len(value),
    lambda value: ",".join([_other_digit(value)] * 100),
)


# What changes anything but where the request ends


def _break_json(random: Random, forgery: Forgery) -> None:
    wire = bytearray(forgery.wire)
    for _ in range(random.choice((1, 1, 2, 9))):
        at = random.randrange(len(wire) + 1)
        kind = random.randrange(4)
        if kind == 0 and at < len(wire):
            wire[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            del wire[at : at + random.choice((1, 1, 8, 500))]
        elif kind == 2:
            wire[at:at] = wire[at : at + random.choice((1, 8, 500))]
        else:
            wire[at:at] = random.choice((b"\0", b'"', b"\\", b"}", b"\xff", b',"id":"0"', b" "))
    forgery.wire = bytes(wire)


def _change_structure(random: Random, forgery: Forgery) -> None:
    try:
        payload = json.loads(forgery.wire)
    except (ValueError, RecursionError):
        return
    if not isinstance(payload, dict):
        return
    name = random.choice(("id", "event_type", "type", "data", "webhook_event_uuid", "x"))
    payload[name] = random.choice(STRANGE)
    forgery.wire = json.dumps(payload).encode()


STRANGE: tuple[object, ...] = (
    *(None, True, 0, -1, 1.5, 10**40, "", " ", "\0", "\u202e", "x" * 400, [], {}, [[]], [None]),
    *({"id": {}}, "é\U0001f39f", "\ud800", [{}] * 300, {"a": {"b": {"c": [1, 2, 3]}}}),
)


def _replace_body(random: Random, forgery: Forgery) -> None:
    forgery.wire = random.choice((*BODIES, b"\xef\xbb\xbf" + forgery.wire, forgery.wire + b"{}"))


BODIES: Sequence[bytes] = (
    *(b"", b" ", b"null", b"[]", b'"id"', b"{", b'{"id": "1", "id": "2"}', b'{"id": NaN}'),
    *(b'{"id": 1e999}', b'{"id": "\\ud800"}', b'{"id": ' + b"1" * 5000 + b"}", b"\xff\xfe"),
    *(b"[" * 5_000, b'{"id": "1"} {"id": "2"}', '{"id": "1"}'.encode("utf-16"), b"\0" * 200),
    *(make(2_000) for make in hostile_bodies.BODIES.values()),
)


def _request_inside(random: Random, forgery: Forgery) -> None:
    """A body that reads as a request, if anybody takes it for one."""
    inside = random.choice((b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", forgery.raw))
    forgery.wire = random.choice((b"", b"0\r\n\r\n", b"\r\n")) + inside


def _say_chunked(random: Random, forgery: Forgery) -> None:
    extension = random.choice((b"", b"", b";a=b", b';a="b"'))
    forgery.chunked = (random.choice((1, 7, 100, 10_000)), extension)


def _compress(random: Random, forgery: Forgery) -> None:
    forgery.wire = gzip.compress(forgery.wire, 1, mtime=0)
    forgery.headers.append(("Content-Encoding", random.choice(("gzip", "x-gzip", "br", "é"))))


def _add_headers(random: Random, forgery: Forgery) -> None:
    for _ in range(random.choice((1, 1, 3, 40))):
        at = random.randrange(len(forgery.headers) + 1)
        forgery.headers.insert(at, random.choice(HEADERS))


HEADERS: Sequence[tuple[str, str]] = (
    *(("SCRIPT_NAME", "/hooks"), ("SCRIPT-NAME", "/hooks"), ("PATH_INFO", "/readyz")),
    *(("PATH-INFO", "/readyz"), ("X-Forwarded-For", "34.83.8.110"), ("X-Forwarded-For", ",,,")),
    *(("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/x"), ("Forwarded", "for=1.2.3.4")),
    *(("X-Original-URL", "/readyz"), ("X-Rewrite-URL", "/readyz"), ("X-Http-Method", "GET")),
    *(("X-HTTP-Method-Override", "GET"), ("Cookie", "session=1"), ("Content-Type", "x" * 999)),
    *(("Content-Type", "multipart/form-data; boundary=x"), ("Accept-Encoding", "gzip;q=9")),
    *(("X-" + "Y" * 50, "z" * 2000), ("X-Latin", "\xff\xe9"), ("Upgrade", "h2c"), ("TE", "x")),
    *(("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"), ("Trailer", "X-Showpass-Signature")),
    *(("Connection", "X-Showpass-Signature"), ("Connection", "keep-alive"), ("Range", "bytes=0-")),
    *(("Wsgi-Input", "x"), ("X_SHOWPASS_SIGNATURE", "0" * 40), ("REMOTE-USER", "root")),
    *(("X-SHOWPASS-SIGNATURE", "0" * 40), ("x-showpad-signature-v1", "A" * 43 + "=")),
    *(("Expect", "100-continue"), ("Expect", "x"), ("x-showpad-signature-timestamp", "1")),
    *(("Host", "x"), ("Host", "x:1/y?z")),
)


def _drop_header(random: Random, forgery: Forgery) -> None:
    if forgery.headers:
        del forgery.headers[random.randrange(len(forgery.headers))]


def _double_header(random: Random, forgery: Forgery) -> None:
    """Of a signature that is wrong, once more; in another case, or at another place."""
    if forgery.headers:
        name, value = random.choice(forgery.headers)
        if name != "Content-Encoding":
            at = random.randrange(len(forgery.headers) + 1)
            forgery.headers.insert(at, (random.choice((name, name.upper(), name.title())), value))


def _change_path(random: Random, forgery: Forgery) -> None:
    path = random.choice(PATHS)
    forgery.path = path.format(source=forgery.source)


PATHS = (
    *("/hooks/nobody", "/hooks", "/", "/hooks/{source}/secret", "/hooks/{source}/a/b", "//"),
    *("/HOOKS/{source}", "/hooks/../hooks/{source}", "/hooks/%2e%2e/readyz", "/hooks/..;/readyz"),
    *("/hooks/{source};x", "/hooks/" + "x" * 1_500, "//evil.example/hooks/{source}", "/readyzz"),
    *("/hooks/{source}/", "//hooks/{source}", "/hooks//{source}", "/hooks/{source}?a=1&a=2"),
    *("/hooks/{source}%00", "/hooks/%ff%fe", "/hooks/{source}#x", "/%68ooks/{source}", "/hooks/é"),
    *("http://hooks.example.com/hooks/{source}", "http://x/readyzz", "/hooks/listed"),
)


def _change_method(random: Random, forgery: Forgery) -> None:
    """Not HEAD, whose answer has no body and would be hard to tell from the next."""
    forgery.method = random.choice(
        ("GET", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POSTS")
    )


Change = Callable[[Random, Forgery], None]
HARMLESS_TO_FRAMES: Sequence[Change] = (
    *(_break_json, _break_json, _change_structure, _replace_body, _request_inside, _say_chunked),
    *(_compress, _add_headers, _add_headers, _drop_header, _double_header, _change_path),
    _change_method,
)


# What leaves in doubt where it ends


def _wrong_length(random: Random, forgery: Forgery) -> None:
    length = len(forgery.wire)
    near = str(max(0, length + random.randrange(-9, 9)))
    lengths = (
        "",
        "-1",
        "+5",
        "5, 5",
        "0x10",
        "1e3",
        "9" * 30,
        "\u0663",
        f"{length} ",
        f"0{length}",
    )
    name = random.choice(("Content-Length", "content-length", "Content_Length", "Content-Length "))
    forgery.framing = [(name, random.choice((near, near, *lengths)))]


def _two_framings(random: Random, forgery: Forgery) -> None:
    length = ("Content-Length", str(len(forgery.wire)))
    coding = ("Transfer-Encoding", random.choice(CODINGS))
    others = (("Content-Length", "0"), ("Content-Length", "3"), length, coding)
    forgery.framing = [random.choice((length, coding)), random.choice(others)]
    random.shuffle(forgery.framing)


CODINGS = (
    *("chunked", "Chunked", " chunked", "\tchunked", "chunked ", "xchunked", "chunked, identity"),
    *("identity", "chunked, chunked", "gzip, chunked", "identity, chunked", "\x0bchunked", '"x"'),
    *("chunked;q=1", ",chunked", "chunked,", "", "deflate", "chunk"),
)


def _wrong_chunks(random: Random, forgery: Forgery) -> None:
    size = random.choice(CHUNK_SIZES)
    forgery.framing = [("Transfer-Encoding", random.choice(("chunked", *CODINGS)))]
    body = forgery.wire[:50]
    end = random.choice((b"0\r\n\r\n", b"0\r\nX-Trailer: y\r\n\r\n", b"00\r\n\r\n", b"0\n\n", b""))
    between = random.choice((b"\r\n", b"\r\n", b"\n", b"", b"xx"))
    forgery.wire = size % len(body) + between + body + between + end


CHUNK_SIZES = (
    *(b"%x", b"%X", b"0%x", b"0x%x", b"+%x", b"-%x", b" %x", b"%x ", b"%x;a", b"%x\t;a=b", b"1%x"),
    *(b"%xg", b"f" * 16 + b"%x", b"0" * 5_000 + b"%x", b"%x;" + b"y" * 20_000, b"%x\r", b"%x_"),
)


def _old_version(random: Random, forgery: Forgery) -> None:
    forgery.version = random.choice(
        ("HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.10", "", "http/1.1")
    )


def _head(_: Random, forgery: Forgery) -> None:
    forgery.method = "HEAD"


def _fold(random: Random, forgery: Forgery) -> None:
    """Over two lines, as was allowed long ago."""
    if forgery.headers:
        name, value = random.choice(forgery.headers)
        half = len(value) // 2
        forgery.headers.append(
            (name, value[:half] + random.choice(("\r\n ", "\r\n\t", "\r\n")) + "x")
        )


FRAMES: Sequence[Change] = (
    *(_wrong_length, _two_framings, _wrong_chunks, _old_version, _head, _fold),
)


# What knows nothing of HTTP


def _flip(random: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _flip_in_head(random: Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    changed[random.randrange(min(len(raw), 300))] = random.choice(b"\r\n\t :,;\0\xff/?x")
    return bytes(changed)


def _cut(random: Random, raw: bytes) -> bytes:
    return raw[: random.randrange(1, len(raw) + 1)]


def _take_out(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw))
    return raw[:at] + raw[at + random.choice((1, 2, 20)) :] or b"\r\n"


def _double_a_line(random: Random, raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    at = random.randrange(min(len(lines), 8))
    return b"\r\n".join([*lines[:at], lines[at], *lines[at:]])


def _break_lines(random: Random, raw: bytes) -> bytes:
    one = random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\r\n", b"\r\n "))
    return raw.replace(b"\r\n", one, random.choice((1, 2, 99)))


def _odd_space(random: Random, raw: bytes) -> bytes:
    name = random.choice((b"Content-Length", b"Transfer-Encoding", b"Host"))
    odd = random.choice(
        (name + b" :", name + b"\t:", b" " + name + b":", name + b":\0", name + b";")
    )
    return raw.replace(name + b":", odd, 1)


def _noise(random: Random, raw: bytes) -> bytes:
    return (
        random.choice((b"\r\n", b"\r\n\r\n\r\n", b"\0", b"\x16\x03\x01\x02\x00", b"PRI * ")) + raw
    )


BYTES: Sequence[Callable[[Random, bytes], bytes]] = (
    *(_flip, _flip_in_head, _cut, _take_out, _double_a_line, _break_lines, _odd_space, _noise),
)
