"""JSON as a security boundary: what one parser reads otherwise than another is refused.

A source that signs only a part of the body has to parse before it can verify,
so this module meets hostile bytes first.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from bridge.errors import Malformed

MAX_DEPTH = 64
MAX_DIGITS = 64


def loads(body: bytes) -> Any:
    """The value in `body`, UTF-8 with or without a byte order mark.

    Raises Malformed for duplicate keys, NaN and infinities, numbers of more
    than 64 digits, nesting deeper than 64, lone surrogates, other encodings,
    an empty body, and anything after the value.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not-utf-8") from None
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise Malformed("nested-too-deeply") from None
    except ValueError:
        raise Malformed("invalid-json") from None
    if _may_nest_deeply(body) or _may_hold_surrogates(text):
        _inspect(value)
    return value


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


def _may_nest_deeply(body: bytes) -> bool:
    return body.count(b"[") + body.count(b"{") > MAX_DEPTH


def _may_hold_surrogates(text: str) -> bool:
    return "\\ud" in text or "\\uD" in text


def _inspect(value: Any) -> None:
    """Walks without recursion, since the value may be nested up to the interpreter's limit."""
    pending = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise Malformed("nested-too-deeply")
        if isinstance(item, str):
            _refuse_surrogates(item)
        elif isinstance(item, dict):
            for key, member in item.items():
                _refuse_surrogates(key)
                pending.append((member, depth + 1))
        elif isinstance(item, list):
            pending.extend((member, depth + 1) for member in item)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Malformed("lone-surrogate") from None


def canonical(value: Any) -> bytes:
    """One byte string per JSON value, whatever its key order and white space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
