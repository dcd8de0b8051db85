"""Writing many objects in one call, each judged as if it had gone alone.

https://developers.hubspot.com/docs/api-reference/latest/crm/objects/deals/batch/upsert-deals:
at most 100 inputs, none of them twice, and each known again by its
`objectWriteTraceId`. A batch that is refused as a whole, without a name, is
halved until the culprits are alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bridge.connector import Rejected
from connectors.hubspot.answers import Answer, Subject, outcome
from connectors.hubspot.calls import Turn
from connectors.hubspot.definitions import dicts
from connectors.hubspot.shares import TRACE, UNCLEAR, Inputs, blamed, shares

LARGEST = 100


def write(turn: Turn, path: str, inputs: Inputs, about: Subject, known_by: str = "") -> Told:
    """The answer to each input by its trace id. Raises Halted.

    `known_by` is the property whose value is the inputs' `id`.
    """
    if not inputs:
        return {}
    answer = turn.request("POST", path, {"inputs": [_traced(*each) for each in inputs.items()]})
    if len(inputs) == 1:
        return _shares(answer, inputs, known_by)
    if is_refused(answer, about):
        told = blamed(answer, inputs)
        rest = {name: body for name, body in inputs.items() if name not in told}
        parts = [rest] if told else _halves(inputs)
    else:
        told = _shares(answer, inputs, known_by)
        parts = [{name: inputs[name]} for name, each in told.items() if each is UNCLEAR]
    for part in parts:
        told |= write(turn, path, part, about, known_by)
    return told


def is_refused(answer: Answer, about: Subject) -> bool:
    """For good, as it is: parts of the batch may still be taken."""
    return answer.status == 413 or isinstance(outcome(answer, about=about), Rejected)


Told = dict[str, Answer]


def _traced(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, TRACE: name}


def _shares(answer: Answer, inputs: Inputs, known_by: str) -> Told:
    """By the trace id that a result tells, else by its `known_by`, else as `shares` knows it."""
    ids = {str(body.get("id")): name for name, body in inputs.items()} if known_by else {}
    found = {}
    for result in dicts(answer.body.get("results")) if answer.ok else []:
        properties = result.get("properties")
        value = properties.get(known_by) if isinstance(properties, Mapping) else None
        traced = str(result.get(TRACE))
        name = traced if traced in inputs else ids.get(str(value))
        if name is not None:
            found[name] = Answer(200, json.dumps({"id": result.get("id")}), answer.headers)
    return shares(answer, inputs) | found


def _halves(whole: Inputs) -> list[Inputs]:
    names = list(whole)
    middle = len(names) // 2
    parts = (names[:middle], names[middle:])
    return [{name: whole[name] for name in part} for part in parts]
