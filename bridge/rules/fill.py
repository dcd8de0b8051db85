"""From a step and an event to the item that a connector receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bridge.connector import Item, Skipped
from bridge.event import Event
from bridge.rules.records import Step
from bridge.rules.seen import Seen
from bridge.rules.templates import Filling, Text, render
from bridge.rules.values import view
from bridge.rules.work import CannotRender
from bridge.wording import complaint


class NotFilled(Exception):
    """No item could be made. `reason` names fields, never what an event holds.

    `skipped`: the event cannot feed this action, and that is no error, such as
    where nobody's address is known. Otherwise a person should look at the rule.
    """

    def __init__(self, reason: str, *, skipped: bool) -> None:
        self.reason = reason
        self.skipped = skipped
        super().__init__(reason)


def fill(step: Step, event: Event, seen: Seen | None = None) -> Item:
    """The step's item for this event, valid for its action; raises NotFilled and nothing else.

    `seen` is what is seen of the event, with the member that the rule is at, if any.
    """
    names = seen.names if seen else view(event)
    fields = {name: _filled(name, filling, names) for name, filling in step.filling.items()}
    try:
        return step.declared.item.model_validate(fields)
    except ValidationError as error:
        raise _not_filled(error) from None
    except Exception as error:  # noqa: BLE001  # a connector's validator may hold any bug
        reason = f"{step.account}.{step.action} fails on what it is given: {type(error).__name__}"
        raise NotFilled(reason, skipped=False) from None


def _filled(name: str, filling: Filling, seen: Mapping[str, Any]) -> Any:
    if isinstance(filling, Text):
        try:
            return render(filling, seen)
        except CannotRender as why:
            raise NotFilled(f"`{name}` cannot be filled in: {why}", skipped=False) from None
    if isinstance(filling, Mapping):
        return {key: _filled(f"{name}.{key}", part, seen) for key, part in filling.items()}
    if isinstance(filling, list | tuple):
        return [_filled(name, member, seen) for member in filling]
    return filling


def _not_filled(error: ValidationError) -> NotFilled:
    found = error.errors(include_input=False, include_url=False)
    for details in found:
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, Skipped):
            return NotFilled(str(cause), skipped=True)
    reasons = [f"`{_field(details)}` {complaint(details)[0]}" for details in found]
    return NotFilled("; ".join(reasons), skipped=False)


def _field(details: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in details["loc"]) or "the step"
