"""Calling a connector so that neither its bugs nor lost answers do harm."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import ValidationError

from bridge.connector import (
    Action,
    Connector,
    Delivered,
    Halted,
    Item,
    Outcome,
    Rejected,
    Retry,
    Unknown,
)
from bridge.ledger.claim import Claimed
from bridge.logs import place_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tried:
    """What one claimed delivery came to, and the calls that were made or would be."""

    claimed: Claimed
    outcome: Outcome
    calls: Sequence[Mapping[str, Any]] = ()


def item_of(action: Action, claimed: Claimed) -> Item | Rejected:
    """The item as it was filled in; the action's fields may have changed since."""
    try:
        return action.item.model_validate(claimed.item).for_delivery(claimed.id)
    except ValidationError as error:
        fields = ", ".join(str(each["loc"][0]) for each in error.errors() if each["loc"])
        return Rejected(f"no longer fits {action.name} ({fields}); replay the event")


def calls_of(action: Action, settings: Any, item: Item) -> list[Mapping[str, Any]]:
    """The preview as plain data; nothing where it fails, which must not stop the delivery."""
    try:
        calls = [asdict(call) for call in action.preview(settings, item)]
        plain: list[Mapping[str, Any]] = json.loads(json.dumps(calls, default=str))
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("the preview of %s failed: %s", action.name, place_of(error))
        return []
    return plain


def try_all(
    connector: Connector, action: Action, usable: Sequence[tuple[Claimed, Item]]
) -> list[Tried]:
    """One for each, in order; raises Halted.

    What may have been done already is looked up first, and only sent where it
    is not there, or where nobody can tell and nobody has guessed before.
    """
    looked = [_look_up(connector, action, claimed, item) for claimed, item in usable]
    to_send = [item for (_, item), one in zip(usable, looked, strict=True) if one.to_be_sent]
    sent = iter(_call(connector, action, to_send))
    return [Tried(one.claimed, next(sent) if one.to_be_sent else one.outcome) for one in looked]


@dataclass(frozen=True)
class _Looked:
    claimed: Claimed
    outcome: Outcome
    to_be_sent: bool


def _look_up(connector: Connector, action: Action, claimed: Claimed, item: Item) -> _Looked:
    if action.idempotent or not claimed.uncertain:
        return _Looked(claimed, Delivered(), to_be_sent=True)
    match _find(connector, action, item):
        case None:
            return _Looked(replace(claimed, uncertain=False), Delivered(), to_be_sent=True)
        case Unknown():
            return _Looked(claimed, Delivered(), to_be_sent=True)
        case found:
            return _Looked(claimed, found, to_be_sent=False)


def _find(connector: Connector, action: Action, item: Item) -> Delivered | Retry | Unknown | None:
    try:
        return connector.find(action.name, item)
    except Halted:
        raise
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("%s.find failed: %s", connector.name, place_of(error))
        return Retry("it could not be looked up whether it was done already")


def _call(connector: Connector, action: Action, items: list[Item]) -> Sequence[Outcome]:
    if not items:
        return []
    try:
        outcomes = getattr(connector, action.name)(items)
    except Halted:
        raise
    except Exception as error:  # noqa: BLE001  # a connector's bug: its place is told
        log.error("%s.%s failed: %s", connector.name, action.name, place_of(error))
        return _no_idea(action, items, f"the connector failed with {type(error).__name__}")
    if not (isinstance(outcomes, list) and all(map(_is_outcome, outcomes))):
        log.error("%s.%s answers with what is no outcome", connector.name, action.name)
        return _no_idea(action, items, "the connector's answer makes no sense")
    if len(outcomes) != len(items):
        reason = f"the connector answered {len(outcomes)} of {len(items)} items"
        return _no_idea(action, items, reason)
    return outcomes


def _is_outcome(value: Any) -> bool:
    if isinstance(value, Retry):
        return value.after is None or isinstance(value.after, int | float)
    return isinstance(value, Outcome)


def _no_idea(action: Action, items: Sequence[Item], reason: str) -> list[Outcome]:
    return [Retry(reason) if action.idempotent else Unknown(reason)] * len(items)
