"""What HubSpot's answer to a batch says of each of its inputs. Pure.

Results and errors come in no particular order, and addresses in lower case.
Where every input has its own `objectWriteTraceId`, a batch of which some inputs
fail is answered with 207, and each of its `errors` tells whom it is about in
`context.objectWriteTraceId`, a list (the section Multi-status errors of
https://developers.hubspot.com/docs/api-reference/error-handling; the SDK has it
as `SimplePublicObjectBatchInput.object_write_trace_id`). A contact that was
merged into another one while the batch was on its way is in neither list.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.connector import Retry
from connectors.hubspot.answers import Answer, values_of
from connectors.hubspot.contacts import ADDRESS
from connectors.hubspot.writes import key_of

TRACE = "objectWriteTraceId"
OTHERS = "hs_additional_emails"
"""The addresses of a contact beside its first one, with semicolons between them."""

# The status with which the same error answers a call for one contact.
_STATUS = {
    "VALIDATION_ERROR": 400,
    "INVALID_AUTHENTICATION": 401,
    "MISSING_SCOPES": 403,
    "OBJECT_NOT_FOUND": 404,
    "CONFLICT": 409,
    "RATE_LIMITS": 429,
}
_UNTOLD = Answer(trouble=Retry("HubSpot's answer says nothing of this contact"))
UNCLEAR = Answer()
"""Something is wrong, and only a call for the contact alone can tell what."""

Inputs = Mapping[str, Mapping[str, Any]]
"""By their trace ids."""


def shares(answer: Answer, inputs: Inputs) -> dict[str, Answer]:
    """For each input the answer that a call for it alone would have got."""
    if not answer.ok:
        return dict.fromkeys(inputs, answer)
    errors = _dicts(answer.body.get("errors"))
    told = {name: _made(contact) for name, contact in _results(answer, inputs)}
    untold = _UNTOLD if all(_named(error, inputs) for error in errors) else UNCLEAR
    return dict.fromkeys(inputs, untold) | told | blamed(answer, inputs)


def blamed(answer: Answer, inputs: Inputs) -> dict[str, Answer]:
    """The inputs that an error names, and what it says of them."""
    return {
        name: _error(answer, error)
        for error in _dicts(answer.body.get("errors"))
        for name in _named(error, inputs)
    }


@dataclass(frozen=True)
class Found:
    """A contact that is there: its id, and what of it was asked for."""

    id: str
    values: Mapping[str, str]


def found(answer: Answer, addresses: Collection[str]) -> dict[str, Found] | None:
    """Contacts by address, as a read tells them; None where the answer is none."""
    if not answer.ok or not isinstance(answer.body.get("results"), list):
        return None
    return {
        address: Found(contact, values_of(result))
        for result in _dicts(answer.body["results"])
        for address in _addresses(result) & set(addresses)
        if (contact := _id(result))
    }


def _results(answer: Answer, inputs: Inputs) -> Iterator[tuple[str, str]]:
    names = {key: name for name, body in inputs.items() for key in _keys(body)}
    for result in _dicts(answer.body.get("results")):
        traced = str(result.get(TRACE))
        known = (names[key] for key in _keys(result) if key in names)
        name = traced if traced in inputs else next(known, None)
        if name and (contact := _id(result)):
            yield name, contact


def _keys(contact: Mapping[str, Any]) -> list[str]:
    """By which an input is known again in the answer: id for updates, address for new contacts."""
    properties = contact.get("properties")
    address = properties.get(ADDRESS) if isinstance(properties, Mapping) else None
    return [key for key in (_id(contact), key_of(str(address or ""))) if key]


def _named(error: Mapping[str, Any], inputs: Inputs) -> set[str]:
    context = error.get("context")
    if not isinstance(context, Mapping):
        return set()
    traces = _texts(context.get(TRACE))
    ids = _texts(context.get("ids"))
    return {name for name, body in inputs.items() if name in traces or _id(body) in ids}


def _error(answer: Answer, error: Mapping[str, Any]) -> Answer:
    status = _STATUS.get(str(error.get("category")))
    return Answer(status, json.dumps(dict(error)), answer.headers) if status else UNCLEAR


def _made(contact: str) -> Answer:
    return Answer(200, json.dumps({"id": contact}))


def _addresses(result: Mapping[str, Any]) -> set[str]:
    properties = result.get("properties")
    if not isinstance(properties, Mapping):
        return set()
    told = [str(properties.get(name) or "") for name in (ADDRESS, OTHERS)]
    return {key_of(address) for address in ";".join(told).split(";")}


def _id(contact: Mapping[str, Any]) -> str:
    given = contact.get("id")
    return str(given) if isinstance(given, str | int) else ""


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _texts(value: Any) -> set[str]:
    """Without the empty ones: HubSpot has been seen to blame an empty id."""
    values = value if isinstance(value, list) else [value]
    return {str(each) for each in values if each}
