"""JSON as a security boundary: what one parser reads otherwise than another is refused.

What would take too much to build is refused before anything is built. The checks of the
whole text are made of few calls over all its bytes, whose cost does not depend on its shape.
"""

from __future__ import annotations

import hashlib
import json
import re
from itertools import accumulate
from typing import Any, NoReturn

import msgspec

from bridge.errors import Malformed

MAX_DEPTH = 64
MAX_DIGITS = 64
MAX_MEMBERS = 100_000
"""Values in one body. The largest real events have 20,000."""

FEW_BYTES = 20_000
"""A body of so many bytes holds fewer members than anybody minds."""

TOO_MANY = "too-many-members"
"""The reason of what is refused unread, whether it is JSON or not."""


def loads(body: bytes, members: int | None = None) -> Any:
    """The value in `body`, UTF-8 with or without a byte order mark.

    Raises Malformed for duplicate keys, NaN and infinities, numbers of more
    than 64 digits, nesting deeper than 64, lone surrogates, other encodings,
    an empty body, anything after the value, and, before anything is read, for
    more than 100,000 members. `members`: how many there are, if somebody has counted.
    """
    if (count_members(body) if members is None else members) > MAX_MEMBERS:
        raise Malformed(TOO_MANY)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not-utf-8") from None
    if _is_too_deep(body):
        raise Malformed("nested-too-deeply")
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise Malformed("nested-too-deeply") from None
    except ValueError:
        raise Malformed("invalid-json") from None
    if _holds_lone_surrogates(text):
        raise Malformed("lone-surrogate")
    return value


def count_members(body: bytes) -> int:
    """At least as many as there are values in it, JSON or not; the first is not counted.

    Each other value follows a comma or an opening bracket. What stands in texts counts too. Of a
    body too short to matter its length is taken, without a look at it.
    """
    if len(body) <= FEW_BYTES:
        return len(body)
    return sum(map(body.count, (b",", b"[", b"{")))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("duplicate-key")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Malformed("number-too-long")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise Malformed("number-too-long")
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Malformed("number-too-large")
    return value


def _constant(name: str) -> NoReturn:
    raise Malformed("not-a-number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)


def _is_too_deep(body: bytes) -> bool:
    """By the brackets outside of texts."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    # A text for each key and each value, with two quotes.
    if marks.count(b'"') > 4 * (MAX_MEMBERS + 1):
        raise Malformed("invalid-json")
    brackets = b"".join(marks.split(b'"')[::2])
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_STEPS = [0] * 256
for _bracket, _step in ((b"[", 1), (b"{", 1), (b"]", -1), (b"}", -1)):
    _STEPS[ord(_bracket)] = _step


def _holds_lone_surrogates(text: str) -> bool:
    """Only escapes can write them: encoded ones are no UTF-8."""
    # Most have no escapes at all, which is seen at once.
    if "\\" not in text or ("\\ud" not in text and "\\uD" not in text):
        return False
    # Not by nothing: what stands on both sides of it would become one.
    without_pairs = _PAIR.sub(" ", text.replace("\\\\", "  "))
    return _SURROGATE.search(without_pairs) is not None


_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def canonical(value: Any) -> bytes:
    """One byte string per JSON value, whatever its key order and white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def fingerprint(value: Any) -> str:
    """A hash of the content, the same whatever its key order and white space."""
    return JSON_MARK + hashlib.sha256(_in_order.encode(value)).hexdigest()


# Part of every acceptance, and many times as quick as `canonical`, by which keys are made.
_in_order = msgspec.json.Encoder(order="deterministic")


def raw_fingerprint(body: bytes) -> str:
    """The same of what cannot be read as JSON: of its very bytes."""
    return RAW_MARK + hashlib.sha256(body).hexdigest()


JSON_MARK, RAW_MARK = "json:", "raw:"
