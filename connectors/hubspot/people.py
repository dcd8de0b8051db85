"""The contacts that deals, notes and lists are about, by their addresses.

Two calls for up to 100: who is there, and the bare contacts that are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bridge.connector import Call, Delivered, Rejected, Retry
from connectors.hubspot.answers import CONTACT, Answer, existing, outcome
from connectors.hubspot.bulk import write
from connectors.hubspot.calls import Turn
from connectors.hubspot.contacts import ADDRESS
from connectors.hubspot.shares import OTHERS, found

CONTACTS = "/crm/v3/objects/contacts"

Person = str | Retry | Rejected
"""A contact's id, or why there is none."""


def key_of(address: str) -> str:
    """HubSpot keeps addresses in lower case."""
    return address.strip().lower()


def known(turn: Turn, addresses: Iterable[str]) -> dict[str, Person]:
    """By their keys; who is not there is in it not. Raises Halted."""
    keys = sorted(set(map(key_of, addresses)))
    if not keys:
        return {}
    answer = turn.request("POST", f"{CONTACTS}/batch/read", _reading(keys))
    told = found(answer, keys)
    if told is not None:
        return {key: each.id for key, each in told.items()}
    came_to = _trouble(answer)
    if isinstance(came_to, Retry) or len(keys) == 1:
        return dict.fromkeys(keys, came_to)
    middle = len(keys) // 2
    return known(turn, keys[:middle]) | known(turn, keys[middle:])


def made_sure(turn: Turn, addresses: Iterable[str]) -> dict[str, Person]:
    """By their keys; who is not there is made, with nothing but the address. Raises Halted."""
    keys = sorted(set(map(key_of, addresses)))
    people = known(turn, keys)
    absent = [key for key in keys if key not in people]
    inputs = {str(number): _bare(key) for number, key in enumerate(absent)}
    answers = write(turn, f"{CONTACTS}/batch/create", inputs, CONTACT)
    made = {key: _made(answers[str(number)]) for number, key in enumerate(absent)}
    return people | made


def preview(address: str, *, makes: bool = True) -> list[Call]:
    """As for somebody who is not there."""
    key = key_of(address)
    body = {"inputs": [_bare(key) | {"objectWriteTraceId": "0"}]}
    calls = [
        Call("POST", f"{CONTACTS}/batch/read", body=_reading([key])),
        Call(
            "POST",
            f"{CONTACTS}/batch/create",
            body=body,
            when="no contact with this address yet",
        ),
    ]
    return calls if makes else calls[:1]


def _reading(keys: Sequence[str]) -> dict[str, Any]:
    inputs = [{"id": key} for key in keys]
    return {"idProperty": ADDRESS, "properties": [ADDRESS, OTHERS], "inputs": inputs}


def _bare(key: str) -> dict[str, Any]:
    return {"properties": {ADDRESS: key}}


def _made(answer: Answer) -> Person:
    """Somebody may have made the contact in between."""
    if there := existing(answer):
        return there
    came_to = outcome(answer, about=CONTACT)
    if isinstance(came_to, Delivered):
        return came_to.reference
    return _trouble(answer)


def _trouble(answer: Answer) -> Retry | Rejected:
    came_to = outcome(answer, about=CONTACT)
    if isinstance(came_to, Retry | Rejected):
        return came_to
    return Retry("HubSpot's answer makes no sense")
