"""Bodies that no source may stumble over, and every variation of a good one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"id=1&event=purchase",
    "cut short": b'{"id": "1"',
    "two objects": b'{"id": "1"} {"id": "2"}',
    "a key twice": b'{"id": "1", "id": "2"}',
    "NaN": b'{"id": "1", "amount": NaN}',
    "an infinity": b'{"id": "1", "amount": 1e999}',
    "an integer of 5000 digits": b'{"id": "1", "amount": ' + b"9" * 5000 + b"}",
    "150,000 members": b'{"id": "1", "data": [0' + b",0" * 150_000 + b"]}",
    "100,000 brackets": b"[" * 100_000 + b"]" * 100_000,
    "a lone surrogate": b'{"id": "1", "name": "\\ud83d"}',
    "UTF-16": '{"id": "1"}'.encode("utf-16"),
    "not UTF-8": b'{"id": "\xff"}',
}
"""What is not exactly one JSON value that every parser reads alike."""

STRANGE: dict[str, bytes] = {
    "null": b"null",
    "a number": b"0",
    "a text": b'""',
    "a list": b'[{"id": "1"}]',
    "an empty object": b"{}",
    "an id only": b'{"id": "1"}',
    "an id that is a list": b'{"id": ["1"]}',
    "forty brackets": b'{"id": "1", "data": ' + b"[" * 40 + b"]" * 40 + b"}",
    "U+0000 everywhere": b'{"id": "1", "\\u0000": "\\u0000", "type": "\\u0000"}',
    "a byte order mark": b'\xef\xbb\xbf{"id": "1"}',
}
"""JSON, but not what anybody sends."""

COSTLY: dict[str, bytes] = {
    "lists": b'{"id": "1", "data": [' + b"[]," * 30_000 + b"0]}",
    "lists in lists": b'{"id": "1", "data": [' + (b"[" * 50 + b"]" * 50 + b",") * 1_000 + b"0]}",
    "keys": b'{"id": "1"' + b"".join(b',"%05d":0' % number for number in range(10_000)) + b"}",
    "escapes": b'{"id": "1", "data": "' + b"\\u00e9" * 30_000 + b'"}',
    "a long id": b'{"id": "' + b"1" * 200_000 + b'"}',
    "ids": b'{"id": "1"' + b',"id": "1"' * 10_000 + b"}",
}
"""What costs most to build, for each byte that was sent."""

SUBSTITUTES: tuple[Any, ...] = (
    None,
    " ",
    "\0" + "\u202eé\U0001f39f" * 200,
    "2022-15-30T06:45:00.250Z",
    -1.5e300,
    10**40,
    True,
    [[None], "x", {"id": {}}],
    {"id": [], "email": {"x": 1}, "name": 7},
)


def variations(body: bytes) -> Iterator[bytes]:
    """The body with each of its values left out once, and replaced by each substitute.

    Of a list only the first member is varied, the others being alike.
    """
    payload = json.loads(body)
    for holder, place in _places(payload, longest=1):
        kept = holder[place]
        for substitute in SUBSTITUTES:
            holder[place] = substitute
            yield json.dumps(payload).encode()
        holder[place] = kept
        if isinstance(holder, dict):
            del holder[place]
            yield json.dumps(payload).encode()
            holder[place] = kept


UNREADABLE_VALUES: tuple[Any, ...] = (["unreadable"], "2027-15-30T00:00:00Z", "1,234", 0.5)
"""What is no text, no date, no amount or no whole number."""


def replacing(body: bytes, value: Any) -> Iterator[bytes]:
    """The body with each of its values replaced by this one once; of a list the first member's."""
    payload = json.loads(body)
    for holder, place in _places(payload, longest=1):
        kept = holder[place]
        holder[place] = value
        yield json.dumps(payload).encode()
        holder[place] = kept


def spellings(event_type: str) -> Iterator[str]:
    """Of the type, which people and rules take for the same."""
    yield event_type.upper()
    yield event_type.title()
    yield f" \t{event_type}\u3000\n"
    yield f"\0{event_type[:3]}\0{event_type[3:]}"
    yield "".join(chr(ord(character) + 0xFEE0) for character in event_type)
    yield event_type.replace("s", "\u017f")


def replaced(value: Any, old: Any, new: Any) -> Any:
    """A copy with every `old` of the same type replaced."""
    if type(value) is type(old) and value == old:
        return new
    if isinstance(value, dict):
        return {name: replaced(member, old, new) for name, member in value.items()}
    if isinstance(value, list):
        return [replaced(member, old, new) for member in value]
    return value


def members(value: Any, name: str) -> Iterator[Any]:
    """Every value that stands under `name`, at any depth."""
    for holder, place in _places(value):
        if place == name:
            yield holder[place]


def _places(value: Any, longest: int | None = None) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        places: list[Any] = list(value)
    else:
        places = list(range(len(value)))[:longest] if isinstance(value, list) else []
    for place in places:
        yield value, place
        yield from _places(value[place], longest)
