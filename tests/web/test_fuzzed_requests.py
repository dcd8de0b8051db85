"""Tens of thousands of damaged requests: none crashes the receiver, none gets in unsigned.

An oracle in this file says by its own few lines which requests are signed. The
bulk comes from a seeded mutator; a failure names its seed and request, and
SHOWBRIDGE_FUZZ_SEED tries another one. Hypothesis adds JSON of every shape.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import io
import json
import logging
import os
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.config import Config, load, world
from bridge.engine.queue import connect
from bridge.engine.route import Router
from bridge.ledger.bodies import body_of
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.ledger.plan import waiting
from bridge.ledger.tables import webhooks
from bridge.rules import compile_rules
from bridge.sources.showpad import Showpad
from bridge.sources.showpass import Showpass
from bridge.web.app import create_app
from tests.web.conftest import AWAY

SEED = int(os.environ.get("SHOWBRIDGE_FUZZ_SEED", "20270703"))
BULKS, BULK = 4, 5_000
EXAMPLES = settings(max_examples=450, deadline=None, database=None, derandomize=True)

CAP = 60_000
SECRETS = {
    "showpass": ("first-secret-of-showpass", "second-secret-of-showpass"),
    "showpad": ("first-secret-of-showpad", "second-secret-of-showpad"),
}
# Part of every address in the bodies, so that a leak is seen by its text.
MARK = "leak.invalid"
RULES = Path(__file__).parent.parent.parent / "config" / "rules.yaml"
BRIDGE_YAML = f"""
sources:
  showpass: {{secrets: {{env: SHOWPASS}}, max_body: {CAP}, accept_gzip: true}}
  showpad: {{secrets: {{env: SHOWPAD}}, max_body: {CAP}, accept_gzip: true}}
accounts: {{hubspot: , slack: , mailchimp: }}
"""


# What is sent


@dataclass
class Request:
    """One request as a WSGI server hands it over; `headers` by their environ names.

    `body` is what was signed, `wire` what is on its way. `sound` says that only
    harmless things were done to it: then it has to be taken.
    """

    source: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = ""
    query: str = ""
    wire: bytes = b""
    length: str | None = None
    breaks: bool = False
    sound: bool = True

    def environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": _Broken(self.wire) if self.breaks else io.BytesIO(self.wire),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            **self.headers,
        }
        return environ if self.length is None else {**environ, "CONTENT_LENGTH": self.length}


class _Broken(io.BytesIO):
    """A connection that dies in the middle of the body."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise ConnectionResetError("connection reset by peer")


# The oracle


def arrived(request: Request) -> bytes | None:
    """The body as it was before compression; None where it did not arrive whole."""
    if is_cut_short(request):
        return None
    wanted = _announced(request)
    body = request.wire if wanted is None else request.wire[:wanted]
    coding = request.headers.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding in ("gzip", "x-gzip"):
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return None
    return body if coding in ("", "identity") else None


def is_cut_short(request: Request) -> bool:
    return request.breaks or (_announced(request) or 0) > len(request.wire)


def _announced(request: Request) -> int | None:
    """What no number says, says nothing: the body is what comes until its end."""
    length = request.length or ""
    return int(length) if re.fullmatch("[0-9]{1,4000}", length) else None


def is_signed(request: Request) -> bool:
    """Whether one of the secrets signed what arrived, by a lenient reading of everything else."""
    body = b"" if request.method in ("GET", "HEAD") else arrived(request)
    if body is None:
        return False
    if request.source == "showpass":
        given = request.headers.get("HTTP_X_SHOWPASS_SIGNATURE", "").strip('" ').lower()
        name = identifier(body)
        return name is not None and given in [showpass(key, name) for key in SECRETS["showpass"]]
    stamp = request.headers.get("HTTP_X_SHOWPAD_SIGNATURE_TIMESTAMP", "")
    entries = request.headers.get("HTTP_X_SHOWPAD_SIGNATURE_V1", "").split(",")
    expected = {showpad(key, body, stamp) for key in SECRETS["showpad"]}
    return bool(expected & {entry.strip() for entry in entries})


def identifier(body: bytes) -> str | None:
    """The `id` that a Showpass signature is of."""
    try:
        payload = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    value = payload.get("id") if isinstance(payload, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def showpass(secret: str, name: str) -> str:
    signed = name.encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode(), signed, hashlib.sha1).hexdigest()


def showpad(secret: str, body: bytes, stamp: str) -> str:
    signed = body + b"." + stamp.encode("latin-1", "replace")
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


# The receiver, and what it may never do


@dataclass(frozen=True)
class Answer:
    status: int
    result: str
    said: str
    """All that leaves: headers, body and log lines."""


class Bench:
    """A receiver on a SQLite ledger that is judged after each request."""

    def __init__(self, config: Config, database: Database) -> None:
        self.config = config
        self.database = database
        self.app: Flask = create_app(config, database, connect(AWAY))
        self.records: list[logging.LogRecord] = []
        self.taken: Counter[tuple[str, bytes]] = Counter()
        self.statuses: Counter[int] = Counter()
        self.results: Counter[str] = Counter()

    def judge(self, request: Request) -> Answer:
        answer = self._answer(request)
        self.statuses[answer.status] += 1
        self.results[answer.result] += 1
        assert answer.status in _allowed(request), answer
        for private in _private(request):
            assert private not in answer.said, f"{private!r} gets out"
        if answer.result in ("accepted", "quarantined", "duplicate"):
            assert is_signed(request), "a forgery was taken"
            if answer.result != "duplicate":
                self.taken[(request.source, _kept(request))] += 1
        elif request.method == "POST":
            assert answer.status >= 400, "acknowledged, but not taken"
        if request.sound:
            assert answer.result in ("accepted", "quarantined", "duplicate"), "refused, but sound"
        return answer

    def ledger(self) -> Counter[tuple[str, bytes]]:
        """Without what is kept beside the first of its key, since it differs from that."""
        first = ~webhooks.c.idempotency_key.startswith("differs:")
        with self.database.read() as connection:
            rows = connection.execute(select(webhooks).where(first)).mappings()
            return Counter((row["source"], body_of(row)) for row in rows)

    def _answer(self, request: Request) -> Answer:
        seen: list[Any] = []
        self.records.clear()
        chunks = self.app(request.environ(), lambda *start: seen.extend(start))  # type: ignore[arg-type]
        body = b"".join(chunks)
        status, headers = seen[0], seen[1]
        told = [record for record in self.records if record.message == "webhook"]
        assert not [r for r in self.records if r.levelno >= logging.ERROR], self.records
        lines = "\n".join(f"{record.message} {vars(record)}" for record in self.records)
        result = vars(told[0])["result"] if told else "none"
        return Answer(int(status[:3]), result, f"{headers} {body.decode()} {lines}")


def _allowed(request: Request) -> set[int]:
    """No 5xx but where the body was cut short; no redirect, which senders do not follow."""
    if request.method not in ("POST", "post"):
        return {200, 400, 404, 405}
    if is_cut_short(request):
        return {404, 413, 503}
    return {200, 202, 400, 401, 404, 413, 415}


def _kept(request: Request) -> bytes:
    """Of a delivery by GET the query is kept."""
    if request.method in ("GET", "HEAD"):
        return request.query.encode("latin-1", "replace")
    body = arrived(request)
    assert body is not None
    return body


def _private(request: Request) -> list[str]:
    sent = [value for name, value in request.headers.items() if "SIGNATURE" in name]
    entries = [entry.strip('" ') for value in sent for entry in value.split(",")]
    body = arrived(request)
    name = identifier(body) if body else None
    expected = [showpass(key, name) for key in SECRETS["showpass"]] if name else []
    secrets = [secret for both in SECRETS.values() for secret in both]
    return [MARK, *secrets, *expected, *(entry for entry in entries if len(entry) > 20)]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("fuzzed")
    (folder / "bridge.yaml").write_text(BRIDGE_YAML)
    environ = {name.upper(): ",".join(both) for name, both in SECRETS.items()}
    config = load({**environ, "SHOWBRIDGE_DATA": str(folder)}, folder)
    database = Database(config.database_url)
    migrate(database)
    made = Bench(config, database)
    with _listening(made.records):
        yield made
    made.app.extensions["bell"].stop()
    database.close()


@contextmanager
def _listening(records: list[logging.LogRecord]) -> Iterator[None]:
    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            record.message = record.getMessage()
            if record.threadName != "bell":
                records.append(record)

    keeper, logger = Keeper(), logging.getLogger("bridge")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(keeper)
    logger.propagate = False
    yield
    logger.propagate = True
    logger.removeHandler(keeper)
    logger.setLevel(level)


# The mutator


def _payloads() -> list[tuple[str, Any]]:
    shipped = [("showpass", one.text) for one in Showpass.samples()]
    shipped += [("showpad", one.text) for one in Showpad.samples()]
    marked = [(name, text.replace("@example", f"@{MARK}.example")) for name, text in shipped]
    return [(name, json.loads(text)) for name, text in marked]


PAYLOADS = _payloads()
STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**40, -1e300, "", " ", "\0", "\u202e", "x" * 400, "No Name"),
    *("é\U0001f39f", "²", "١", "<!channel>", "2022-15-30T06:45:00.250Z", "NaN", "5.84", [], {}),
    *([[]], [None], {"id": {}}, {"email": []}, f"a@{MARK}", f"{{{{ 7 * 7 }}}}@{MARK}"),
)
UNREADABLE: tuple[bytes, ...] = (
    *(b"", b" ", b"\0", b"null", b"[]", b'"id"', b"{", b'{"id": "1", "id": "2"}', b'{"id": NaN}'),
    *(b'{"id": 1e999}', b'{"id": "\\ud800"}', b'{"id": ' + b"1" * 5000 + b"}", b"\xff\xfe"),
    *(b"[" * 50_000, b'{"id": "1", "data": ' + b"[" * 70 + b"]" * 70 + b"}"),
    *(b'{"id": "1"} {"id": "2"}', '{"id": "1"}'.encode("utf-16"), b'{"id": "\xed\xa0\x80"}'),
)
METHODS = (
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "post",
    "",
    "X\0",
)
LENGTHS = (
    None,
    "",
    "0",
    "1",
    "7",
    "-1",
    "+5",
    " 5",
    "5, 5",
    "٣",
    "0x10",
    "1e3",
    "9" * 9,
    "9" * 5000,
)
CODINGS = ("gzip", "x-gzip", "GZIP ", "identity", "br", "deflate", "gzip, gzip", "\xff", "zstd")
PATHS = (
    *("/hooks/nobody", "/hooks", "/", "", "*", "/hooks/{0}/secret", "/hooks/{0}/a/b", "/HOOKS/{0}"),
    *("/hooks/{0}\0", "/hooks/../hooks/{0}", "/hooks/\xff\xfe", "/hooks/%2e%2e", "hooks/{0}"),
    *("/hooks/{0};x", "/hooks/" + "x" * 3000, "//evil.example/hooks/{0}", "/static/x", "/metricsx"),
)
HARMLESS_PATHS = ("/hooks/{0}/", "//hooks/{0}", "/hooks//{0}", "///hooks///{0}///")
SIGNATURES = {
    "showpass": "HTTP_X_SHOWPASS_SIGNATURE",
    "showpad": "HTTP_X_SHOWPAD_SIGNATURE_V1",
}
STAMP = "HTTP_X_SHOWPAD_SIGNATURE_TIMESTAMP"


def made_up(random: Random) -> Request:
    """A good request with up to four things done to it."""
    source, payload = random.choice(PAYLOADS)
    payload = json.loads(json.dumps(payload))
    if random.random() < 0.9:
        payload["id" if source == "showpad" else "webhook_event_uuid"] = _uuid(random)
    for _ in range(random.choice((0, 0, 1, 3))):
        _change_a_value(random, payload)
    request = Request(source, json.dumps(payload).encode(), path=f"/hooks/{source}")
    request.sound = source == "showpad" or _usable(payload.get("id"))
    if random.random() < 0.12:
        _replace_body(random, request)
    _sign(random, request)
    request.wire = request.body
    request.length = str(len(request.wire))
    request.sound &= len(request.wire) <= CAP
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        random.choice(MUTATORS)(random, request)
    return request


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128)))


def _usable(name: Any) -> bool:
    if isinstance(name, str):
        return 0 < len(name) <= 128 and name.isascii() and name.isprintable()
    return isinstance(name, int) and not isinstance(name, bool)


def _change_a_value(random: Random, payload: Any) -> None:
    holders = [holder for holder in _holders(payload) if holder]
    if not holders:
        return
    holder = random.choice(holders)
    place = (
        random.choice(list(holder)) if isinstance(holder, dict) else random.randrange(len(holder))
    )
    done = random.random()
    if done < 0.6:
        holder[place] = deepcopy(random.choice(STRANGE))
    elif done < 0.8:
        del holder[place]
    elif isinstance(holder, dict):
        name = random.choice(("id", "data", "", "\0", "x" * 200, "email"))
        holder[name] = deepcopy(holder[place])
    else:
        holder.extend(deepcopy([holder[place]] * random.randrange(40)))


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for member in list(value.values()) if isinstance(value, dict) else value:
            yield from _holders(member)


def _replace_body(random: Random, request: Request) -> None:
    if random.random() < 0.3:
        request.body = b"\xef\xbb\xbf" + request.body
        return
    request.body = random.choice((*UNREADABLE, random.randbytes(200), request.body + b"{}"))
    request.sound &= request.source == "showpad"


def _sign(random: Random, request: Request) -> None:
    """By one of the secrets in force, or now and then by none of them."""
    secret = random.choice(SECRETS[request.source])
    if random.random() < 0.08:
        secret, request.sound = random.choice((*SECRETS["showpass"], "", "a-guess")) + "?", False
    _put_signature(request, secret, str(int(time.time()) - random.choice((0, 0, 0, 400, -400))))


def _put_signature(request: Request, secret: str, stamp: str) -> None:
    if request.source == "showpad":
        request.headers[STAMP] = stamp
        request.headers[SIGNATURES["showpad"]] = showpad(secret, request.body, stamp)
    else:
        name = identifier(request.body)
        request.sound &= name is not None
        request.headers[SIGNATURES["showpass"]] = showpass(secret, name or "")


def _damage_body(random: Random, request: Request) -> None:
    """Bytes flipped, lost, repeated, put in; the length goes along, the signature does not."""
    wire = bytearray(request.wire)
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
    _send(request, bytes(wire))


def _swap_body(random: Random, request: Request) -> None:
    """Another body under the same signature."""
    _, payload = random.choice(PAYLOADS)
    _send(request, json.dumps(payload).encode())


def _send(request: Request, wire: bytes) -> None:
    request.wire, request.length, request.sound = wire, str(len(wire)), False


def _break_length(random: Random, request: Request) -> None:
    request.length = random.choice((*LENGTHS, str(len(request.wire) + random.randrange(-9, 9))))
    request.sound = False


def _send_chunked(_: Random, request: Request) -> None:
    request.headers["HTTP_TRANSFER_ENCODING"] = "chunked"
    if request.length == str(len(request.wire)):
        request.length = None


def _hang_up(_: Random, request: Request) -> None:
    request.breaks, request.sound = True, False


def _make_huge(random: Random, request: Request) -> None:
    _send(request, request.wire + b" " * random.choice((CAP, CAP - len(request.wire), 2 * CAP)))


def _compress(_: Random, request: Request) -> None:
    if "HTTP_CONTENT_ENCODING" in request.headers or request.length != str(len(request.wire)):
        return
    request.headers["HTTP_CONTENT_ENCODING"] = "gzip"
    request.wire = gzip.compress(request.wire, 1)
    request.length = str(len(request.wire))


def _claim_coding(random: Random, request: Request) -> None:
    request.headers["HTTP_CONTENT_ENCODING"] = random.choice(CODINGS)
    request.sound = False


def _send_bomb(_: Random, request: Request) -> None:
    request.headers["HTTP_CONTENT_ENCODING"] = "gzip"
    _send(request, BOMB)


BOMB = gzip.compress(b" " * 4 * CAP)


def _damage_signature(random: Random, request: Request) -> None:
    name = SIGNATURES[request.source]
    value = request.headers.get(name, "")
    flipped = value[:-2] + ("0" if value[-2:-1] != "0" else "1") + value[-1:]
    changed = random.choice(
        (
            *("", " ", "\0", flipped, value[:-1], value + "0", "sha1=" + value, value[::-1]),
            *("0" * len(value), "é" + value[1:], f'""{value}""', f'"{value}', value.swapcase()),
            *(f"{value}{value}", "," * 40, "A" * 43 + "=", f"{value} x", value + "\u0130"),
        )
    )
    request.headers[name] = changed
    request.sound = False


def _drop_header(random: Random, request: Request) -> None:
    request.headers.pop(random.choice([*request.headers, ""]), None)
    request.sound = False


def _change_stamp(random: Random, request: Request) -> None:
    stamps = (
        "",
        "0",
        "1_7",
        " 17",
        "١٧",
        "-1",
        "9" * 12,
        "9" * 13,
        "1.5",
        "NaN",
        "²",
        "17\0",
        "+17",
    )
    request.headers[STAMP] = random.choice(stamps)
    request.sound &= request.source == "showpass"


def _decorate_signature(random: Random, request: Request) -> None:
    """What changes nothing: another case, quotes, a second signature after the right one."""
    name = SIGNATURES[request.source]
    value = request.headers.get(name, "")
    if request.source == "showpass" and not value.startswith('"'):
        request.headers[name] = random.choice((value.upper(), f'"{value}"'))
    elif request.source == "showpad" and value.count(",") < 6:
        request.headers[name] = random.choice((f"{value}, {'A' * 43}=", f"x,{value}", f" {value} "))


def _add_headers(random: Random, request: Request) -> None:
    request.headers |= {
        "CONTENT_TYPE": random.choice(("", "text/xml", "multipart/form-data", "\xff", "x" * 999)),
        "HTTP_X_FORWARDED_FOR": random.choice(("", "1.2.3.4", "::1, x", ",,,", "\0")),
        "HTTP_X_" + "Y" * random.randrange(60): random.choice(("", "\0", "z" * 2000, "\xff")),
        "HTTP_COOKIE": "session=1",
        "HTTP_EXPECT": "100-continue",
    }


def _change_path(random: Random, request: Request) -> None:
    request.path = random.choice(PATHS).format(request.source)
    request.sound = False


def _stretch_path(random: Random, request: Request) -> None:
    if request.path == f"/hooks/{request.source}":
        request.path = random.choice(HARMLESS_PATHS).format(request.source)


def _add_query(random: Random, request: Request) -> None:
    request.query = random.choice(("a=1", "?", "%", "%00", "\xff", "x" * 2000, "id=1&id=2"))


def _change_method(random: Random, request: Request) -> None:
    request.method = random.choice(METHODS)
    request.sound = False


def _deliver_by_get(random: Random, request: Request) -> None:
    request.method, request.body, request.sound = "GET", b"", False
    _put_signature(request, random.choice(SECRETS[request.source]), str(int(time.time())))


MUTATORS: tuple[Callable[[Random, Request], None], ...] = (
    *(_damage_body, _damage_body, _damage_body, _damage_signature, _damage_signature),
    *(_swap_body, _break_length, _send_chunked, _hang_up, _make_huge, _compress, _claim_coding),
    *(_send_bomb, _drop_header, _change_stamp, _decorate_signature, _add_headers, _change_path),
    *(_stretch_path, _add_query, _change_method, _deliver_by_get),
)


# The tests


@pytest.mark.parametrize("bulk", range(BULKS))
def test_no_damaged_request_crashes_gets_in_unsigned_or_gets_lost(bench: Bench, bulk: int) -> None:
    before = bench.taken.copy()
    kept = bench.ledger()
    random = Random(f"{SEED}/{bulk}")
    for number in range(BULK):
        request = made_up(random)
        try:
            bench.judge(request)
        except Exception as error:
            error.add_note(f"SHOWBRIDGE_FUZZ_SEED={SEED}, bulk {bulk}, request {number}: {request}")
            raise
    assert bench.ledger() - kept == bench.taken - before
    assert bench.taken.total() - before.total() > BULK / 10, "hardly anything was let in"


def test_the_mutator_reaches_every_answer(bench: Bench) -> None:
    random = Random(SEED)
    for _ in range(1_500):
        bench.judge(made_up(random))
    assert {200, 202, 400, 401, 404, 405, 413, 415, 503} <= bench.statuses.keys()
    assert {"accepted", "duplicate", "quarantined", "ready", "refused"} <= bench.results.keys()


def test_whatever_was_let_in_can_be_routed(bench: Bench) -> None:
    random = Random(SEED)
    for _ in range(1_500):
        bench.judge(made_up(random))
    rules = compile_rules(RULES.read_text("utf-8"), str(RULES), world(bench.config))
    sources = {name: each.source for name, each in bench.config.sources.items()}
    accounts = {name: each.connector for name, each in bench.config.accounts.items()}
    router = Router(sources, accounts, rules)
    with bench.database.read() as connection:
        found = waiting(connection, 100_000, 10**9)
    assert len(found) > 200
    reasons = {router.plan(each, 0.0).reason for each in found}
    assert reasons == {None}


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), inner)
    ),
    max_leaves=12,
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=128)
KEYS = {
    "showpass": ("event_type", "webhook_event_uuid", "data"),
    "showpad": ("type", "specversion", "id", "time", "data"),
}


@st.composite
def envelopes(draw: st.DrawFn, source: str) -> dict[str, Any]:
    """Some of what a webhook has, each a good value or anything."""
    good = draw(st.sampled_from([payload for name, payload in PAYLOADS if name == source]))
    envelope = {key: good[key] for key in KEYS[source] if draw(st.booleans())}
    for key in KEYS[source]:
        if draw(st.integers(0, 3)) == 0:
            envelope[key] = draw(ANYTHING)
    if draw(st.booleans()) and isinstance(envelope.get("data"), dict):
        envelope["data"] = {**envelope["data"], draw(st.sampled_from(_names(good))): draw(ANYTHING)}
    return envelope


def _names(payload: Any) -> Sequence[str]:
    return sorted(
        {name for holder in _holders(payload) if isinstance(holder, dict) for name in holder}
    )


def signed(source: str, payload: Any) -> Request:
    body = json.dumps(payload).encode()
    request = Request(source, body, path=f"/hooks/{source}", wire=body, length=str(len(body)))
    _put_signature(request, SECRETS[source][0], str(int(time.time())))
    return request


@EXAMPLES
@given(envelope=envelopes("showpad"))
def test_showpad_s_signature_lets_every_envelope_in(bench: Bench, envelope: dict[str, Any]) -> None:
    assert bench.judge(signed("showpad", envelope)).status in (200, 202)


@EXAMPLES
@given(value=ANYTHING)
def test_showpad_s_signature_lets_every_json_value_in(bench: Bench, value: Any) -> None:
    assert bench.judge(signed("showpad", value)).status in (200, 202)


@EXAMPLES
@given(envelope=envelopes("showpass"), name=PRINTABLE | st.integers(-(10**60), 10**60))
def test_showpass_s_signature_lets_every_envelope_in(
    bench: Bench, envelope: dict[str, Any], name: str | int
) -> None:
    assert bench.judge(signed("showpass", {**envelope, "id": name})).status in (200, 202)


@EXAMPLES
@given(source=st.sampled_from(sorted(SECRETS)), value=st.text(st.characters(max_codepoint=255)))
def test_no_invented_signature_lets_anything_in(bench: Bench, source: str, value: str) -> None:
    _, payload = next(each for each in PAYLOADS if each[0] == source)
    request = signed(source, payload)
    request.headers[SIGNATURES[source]] = value
    request.sound = False
    assert bench.judge(request).status == 401


@EXAMPLES
@given(body=st.binary(max_size=200), source=st.sampled_from(sorted(SECRETS)))
def test_no_bytes_are_let_in_under_the_signature_of_others(
    bench: Bench, body: bytes, source: str
) -> None:
    _, payload = next(each for each in PAYLOADS if each[0] == source)
    request = signed(source, payload)
    _send(request, body)
    assert bench.judge(request).status in (400, 401)
