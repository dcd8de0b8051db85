"""Bodies that a stranger may send, each of about a given size, and dear in a way of its own.

Each is valid JSON with an `id`, so that whatever is done before the signature
is checked is done to all of it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import lru_cache

from tests.web.conftest import purchase

_DEEPEST = 60


def plain(size: int) -> bytes:
    """An ordinary purchase, with as many tickets as fit."""
    ticket = {"ticket_type_name": "General admission", "price": "20.00", "barcode": "0123456789"}
    room = size - len(_with("ticket_items", b"[]"))
    count = max(0, room // (len(json.dumps(ticket)) + 2))
    return _filled(purchase(data={"ticket_items": [ticket] * count}), size)


def nested(size: int) -> bytes:
    """Lists in lists, as deep as is usually allowed, and as many as fit."""
    one = b"[" * _DEEPEST + b"]" * _DEEPEST
    return _with("d", b"[" + b",".join([one] * ((size - 100) // (len(one) + 1))) + b"]")


def bare_lists(size: int) -> bytes:
    """The most objects for each byte."""
    return _with("d", b"[" + b",".join([b"[]"] * ((size - 100) // 3)) + b"]")


def too_deep(size: int) -> bytes:
    return _with("d", b"[" * ((size - 100) // 2) + b"]" * ((size - 100) // 2))


def long_string(size: int) -> bytes:
    return _with("d", b'"' + b"x" * (size - 100) + b'"')


def escapes(size: int) -> bytes:
    return _with("d", b'"' + rb"\u00e9" * ((size - 100) // 6) + b'"')


def long_key(size: int) -> bytes:
    return _with("k" * (size - 100), b"1")


def many_keys(size: int) -> bytes:
    count = (size - 100) // 12
    return _with("d", b"{" + b",".join(b'"%07x":1' % number for number in range(count)) + b"}")


def same_key(size: int) -> bytes:
    return _with("d", b"{" + b",".join([b'"a":1'] * ((size - 100) // 6)) + b"}")


def long_number(size: int) -> bytes:
    return _with("d", b"9" * (size - 100))


def many_numbers(size: int) -> bytes:
    return _with("d", b"[" + b",".join([b"1e9"] * ((size - 100) // 4)) + b"]")


def many_ids(size: int) -> bytes:
    """The member that is signed, again and again: which one counts?"""
    return b"{" + b",".join([b'"id":"x"'] * (size // 9)) + b"}"


def id_at_the_end(size: int) -> bytes:
    return b'{"d":"' + b"x" * (size - 100) + b'","id":"x"}'


def no_json(size: int) -> bytes:
    return b"\xff" * size


@lru_cache(maxsize=32)
def bomb(size: int) -> bytes:
    """Compressed; `size` is what it inflates to."""
    return gzip.compress(nested(size), 9)


BODIES: Mapping[str, Callable[[int], bytes]] = {
    "plain": plain,
    "nested": nested,
    "bare lists": bare_lists,
    "too deep": too_deep,
    "long string": long_string,
    "escapes": escapes,
    "long key": long_key,
    "many keys": many_keys,
    "same key": same_key,
    "long number": long_number,
    "many numbers": many_numbers,
    "many ids": many_ids,
    "id at the end": id_at_the_end,
    "no JSON": no_json,
}


def _with(name: str, value: bytes) -> bytes:
    return b'{"id":"x","type":"x","%s":%s}' % (name.encode(), value)


def _filled(body: bytes, size: int) -> bytes:
    """White space makes up for what is missing."""
    return body + b" " * (size - len(body))
