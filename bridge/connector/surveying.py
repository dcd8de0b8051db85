"""Asking a vendor, before anything is sent, whether what the rules name is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Use:
    """One step of a rule that uses the account: `fields` as the rule writes them.

    A text that holds `{{` or `{%` is filled in from the event, so that nobody
    can know it before; `literal` leaves those out.
    """

    rule: str
    action: str
    fields: Mapping[str, Any]

    def literal(self, name: str) -> str | None:
        """The text of a field, where it is the same for every event."""
        value = self.fields.get(name)
        return value if isinstance(value, str) and not is_filled_in(value) else None


def is_filled_in(text: str) -> bool:
    """Whether a rule's text differs from event to event."""
    return "{{" in text or "{%" in text


@dataclass(frozen=True)
class Checked:
    """One thing that the vendor was asked about.

    `what` names it ("the contact property `vip_tier`"); `advice` says what to do
    where it is wrong. `unknown`: it could not be asked.
    """

    what: str
    state: Literal["right", "wrong", "unknown"]
    advice: str = ""


@dataclass(frozen=True)
class Change:
    """One thing to be made at the vendor; `make` does it and answers with why it failed, or None.

    `what` completes "would ...": "create the contact property `vip_tier` (text)".
    """

    what: str
    make: Callable[[], str | None]
