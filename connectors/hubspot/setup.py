"""Making the custom properties that the rules need and HubSpot does not have.

https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide: a
property belongs to a group, and one of options needs them when it is made.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bridge.connector import Change, Halted, Use
from connectors.hubspot import needs
from connectors.hubspot.answers import Answer
from connectors.hubspot.calls import Line
from connectors.hubspot.contacts import COUNTED
from connectors.hubspot.definitions import Property, dicts
from connectors.hubspot.needs import CHECKBOXES, NUMBER, TEXT, YES_OR_NO, Need
from connectors.hubspot.schema import PROPERTIES, NotRead, Schema

GROUP = "showbridge"

_TYPES = {
    TEXT: ("string", "text"),
    NUMBER: ("number", "number"),
    YES_OR_NO: ("bool", "booleancheckbox"),
    CHECKBOXES: ("enumeration", "checkbox"),
}
_NAME = re.compile(r"(?!hs_)[a-z][a-z0-9_]{0,99}")


def changes(line: Line, schema: Schema, uses: Sequence[Use]) -> list[Change]:
    """The groups and properties that are missing, in the order to make them. Raises Halted."""
    try:
        return list(_changes(line, schema, needs.needs(uses)))
    except NotRead as why:
        raise Halted(f"HubSpot cannot be asked about its properties now: {why}") from why


def _changes(line: Line, schema: Schema, needs: Sequence[Need]) -> Iterator[Change]:
    for object_type in dict.fromkeys(need.object_type for need in needs):
        known = schema.properties(object_type)
        if known is None:
            raise Halted(
                f"the access token may not read the properties of {object_type}; "
                f"grant it crm.schemas.{object_type}.read and crm.schemas.{object_type}.write"
            )
        missing = [
            need for need in needs if need.object_type == object_type and need.name not in known
        ]
        if missing and not _has_group(line, object_type):
            yield _group(line, object_type)
        for need in missing:
            yield _property(line, need, known)


def _has_group(line: Line, object_type: str) -> bool:
    answer = line.request("GET", f"{PROPERTIES}/{object_type}/groups")
    return any(each.get("name") == GROUP for each in dicts(answer.body.get("results")))


def _group(line: Line, object_type: str) -> Change:
    body = {"name": GROUP, "label": "Showbridge", "displayOrder": -1}
    singular = object_type.removesuffix("s")
    return Change(
        f"create the {singular} property group “Showbridge”",
        _making(line, f"{PROPERTIES}/{object_type}/groups", body, object_type),
    )


def _property(line: Line, need: Need, known: Mapping[str, Property]) -> Change:
    singular = need.object_type.removesuffix("s")
    close = difflib.get_close_matches(need.name, known, n=1, cutoff=0.8)
    doubt = f"; HubSpot has `{close[0]}`: is that meant?" if close else ""
    unique = ", unique values" if need.unique else ""
    what = f"create the {singular} property `{need.name}` ({_told(need)}{unique}){doubt}"
    if obstacle := _obstacle(need):
        return Change(what, lambda: obstacle)
    path = f"{PROPERTIES}/{need.object_type}"
    return Change(what, _making(line, path, definition(need), need.object_type))


def _told(need: Need) -> str:
    if need.kind != CHECKBOXES or not need.texts:
        return need.kind
    return f"{need.kind}: {', '.join(need.texts)}"


def _obstacle(need: Need) -> str:
    if not _NAME.fullmatch(need.name):
        return (
            "HubSpot's names are of small letters, figures and underscores, "
            "begin with a letter, and not with hs_; change it in the rule"
        )
    if need.kind == CHECKBOXES and not need.texts:
        return (
            "its options come from events, so that nobody can know them here; "
            "create it in HubSpot, as multiple checkboxes with these options"
        )
    return ""


def definition(need: Need) -> dict[str, Any]:
    """The body that makes the property."""
    kind, field_type = _TYPES[need.kind]
    body: dict[str, Any] = {
        "name": need.name,
        "label": _label(need.name),
        "groupName": GROUP,
        "type": kind,
        "fieldType": field_type,
        "description": "Filled in by Showbridge.",
        "formField": False,
    }
    if need.unique:
        body["hasUniqueValue"] = True
    if options := _options(need):
        body["options"] = options
    return body


def _label(name: str) -> str:
    if name == COUNTED:
        return "Showbridge: deliveries counted"
    return name.replace("_", " ").strip().capitalize()


def _options(need: Need) -> list[dict[str, Any]]:
    pairs = [("Yes", "true"), ("No", "false")] if need.kind == YES_OR_NO else []
    if need.kind == CHECKBOXES:
        pairs = [(text, text) for text in need.texts]
    return [
        {"label": label, "value": value, "displayOrder": place, "hidden": False}
        for place, (label, value) in enumerate(pairs)
    ]


def _making(
    line: Line, path: str, body: Mapping[str, Any], object_type: str
) -> Callable[[], str | None]:
    return lambda: _failure(line.request("POST", path, dict(body)), object_type)


def _failure(answer: Answer, object_type: str) -> str | None:
    """None where it was made, or somebody else made it in between."""
    if answer.ok or answer.status == 409:
        return None
    if answer.trouble:
        return answer.trouble.reason
    if answer.status == 401:
        return "HubSpot does not accept the access token; copy it again from the Service Key"
    if answer.status == 403:
        return f"the access token may not do this; grant it crm.schemas.{object_type}.write"
    category = str(answer.body.get("category") or "")
    named = f" {category}" if re.fullmatch(r"[A-Z_]{1,60}", category) else ""
    return f"HubSpot refuses it ({answer.status}{named})"
