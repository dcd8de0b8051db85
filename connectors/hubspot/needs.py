"""What the rules name at HubSpot, as they write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.connector import Use
from connectors.hubspot import deals
from connectors.hubspot.answers import CONTACT
from connectors.hubspot.contacts import COUNTED
from connectors.hubspot.deals import DEAL
from connectors.hubspot.events import EVENT
from connectors.hubspot.lists import LIST
from connectors.hubspot.subscriptions import SUBSCRIPTION

CONTACTS = "contacts"

_SCOPE = r"[a-z_]+(?:\.[a-z_]+)+"

TEXT, NUMBER, YES_OR_NO, CHECKBOXES = "text", "number", "yes or no", "checkboxes"
_STRONGEST = (NUMBER, CHECKBOXES, YES_OR_NO, TEXT)
"""Where rules use one property in several ways, what it has to be."""

_SUBJECTS = {
    "upsert_contact": (CONTACT,),
    "upsert_deal": (CONTACT, DEAL),
    "move_deal": (DEAL,),
    "add_note": (CONTACT,),
    "add_to_list": (LIST,),
    "remove_from_list": (LIST,),
    "log_event": (CONTACT, EVENT),
    "subscribe": (SUBSCRIPTION,),
}
_LISTS = ("add_to_list", "remove_from_list")
_DEALS = ("upsert_deal", "move_deal")


@dataclass(frozen=True)
class Need:
    """A property that rules name, and the texts that they give it for every event.

    `kind` is what it would be made as; `asked` whether it must be that to work at all.
    """

    object_type: str
    name: str
    kind: str = TEXT
    asked: bool = False
    unique: bool = False
    texts: tuple[str, ...] = ()

    def beside(self, other: Need) -> Need:
        """What does for both."""
        return replace(
            self,
            kind=min(self.kind, other.kind, key=_STRONGEST.index),
            asked=self.asked or other.asked,
            unique=self.unique or other.unique,
            texts=tuple(dict.fromkeys([*self.texts, *other.texts])),
        )


@dataclass(frozen=True)
class StageNamed:
    """`pipeline` is empty where the rule names none."""

    pipeline: str
    stage: str


def needs(uses: Iterable[Use]) -> list[Need]:
    """Each property once, in the order in which rules name them."""
    found: dict[tuple[str, str], Need] = {}
    for use in uses:
        for need in _of_contact(use) if use.action == "upsert_contact" else _of_deals(use):
            key = need.object_type, need.name
            found[key] = found[key].beside(need) if key in found else need
    return list(found.values())


def scopes(uses: Iterable[Use]) -> list[str]:
    """Those that the actions need, each once."""
    subjects = [subject for use in uses for subject in _SUBJECTS.get(use.action, ())]
    found = [scope for subject in subjects for scope in re.findall(_SCOPE, subject.scopes)]
    return list(dict.fromkeys(found))


def stages(uses: Iterable[Use]) -> list[StageNamed]:
    """The deal stages that rules name, where they are the same for every event."""
    found = [
        StageNamed((use.literal("pipeline") or "").strip(), stage.strip())
        for use in uses
        if use.action in _DEALS and (stage := use.literal("stage"))
        if "pipeline" not in use.fields or use.literal("pipeline") is not None
    ]
    return list(dict.fromkeys(found))


def lists(uses: Iterable[Use]) -> list[str]:
    """The lists that rules name."""
    return _named(uses, _LISTS, "list")


def subscriptions(uses: Iterable[Use]) -> list[str]:
    """The subscription types that rules name."""
    return _named(uses, ("subscribe",), "subscription")


def _named(uses: Iterable[Use], actions: Sequence[str], field: str) -> list[str]:
    named = [use.literal(field) for use in uses if use.action in actions]
    return list(dict.fromkeys(name.strip() for name in named if name and name.strip()))


def _of_contact(use: Use) -> Iterator[Need]:
    for section in ("properties", "only_if_empty"):
        for name, value in _section(use, section):
            yield _of_value(CONTACTS, name, value)
    for name, _ in _section(use, "increment"):
        yield Need(CONTACTS, name, NUMBER, asked=True)
    if list(_section(use, "increment")):
        yield Need(CONTACTS, COUNTED)
    for name, value in _section(use, "append"):
        given = [str(each) for each in (value if isinstance(value, list) else [value])]
        known = [text for each in given if not _varies(each) for text in _parts(each)]
        yield Need(CONTACTS, name, CHECKBOXES, asked=True, texts=tuple(known))


def _of_deals(use: Use) -> Iterator[Need]:
    for object_type, name, _, unique in deals.needed(use):
        value = None if unique else _mapping(use.fields.get("properties")).get(name)
        yield replace(_of_value(object_type, name, value), unique=unique)


def _of_value(object_type: str, name: str, value: Any) -> Need:
    if isinstance(value, bool):
        return Need(object_type, name, YES_OR_NO, texts=(str(value).lower(),))
    if isinstance(value, int | float):
        return Need(object_type, name, NUMBER, texts=(str(value),))
    if not isinstance(value, str) or not value.strip() or _varies(value):
        return Need(object_type, name)
    return Need(object_type, name, texts=(value,))


def _section(use: Use, section: str) -> Sequence[tuple[str, Any]]:
    return [(str(name), value) for name, value in _mapping(use.fields.get(section)).items()]


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _varies(text: str) -> bool:
    return bool(re.search(r"\{\{|\{%", text))
