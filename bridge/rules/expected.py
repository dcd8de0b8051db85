"""What `tests:` ask of the rules, once read: what comes in, and what must be done then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.rules.conditions import Condition


@dataclass(frozen=True)
class Change:
    """A fact that a test sets on what comes in; `value` is of the field's kind, or a Relative."""

    path: str
    value: Any


@dataclass(frozen=True)
class Given:
    """What comes in: a `sample` of a `source`, or the recorded `event` of that id.

    `received` None: when the source's samples are taken to have come in, or when the
    recorded event did.
    """

    source: str = ""
    sample: str = ""
    event: str = ""
    changes: tuple[Change, ...] = ()
    received: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """What one field of a delivery must be: `value`, with its capitals, or as `conditions` say.

    `path` leads to it through groups; the conditions call it `name`.
    """

    path: tuple[str, ...]
    name: str
    value: Any = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Expected:
    """One delivery, of which only what is said is compared.

    `at` is when it must be due, `after` how many seconds after it came in. `suppressed`
    is a part of the reason for which it must be left out; None: it must be sent.
    """

    account: str
    action: str
    fields: tuple[Wanted, ...] = ()
    at: datetime | None = None
    after: float | None = None
    suppressed: str | None = None
    line: int = 0

    @property
    def step(self) -> str:
        """As rules write it: `slack.post_message`."""
        return f"{self.account}.{self.action}"


@dataclass(frozen=True)
class Expectation:
    """One entry of `tests:`; `only` is the rule that it is about, empty: all."""

    name: str
    given: Given
    expect: tuple[Expected, ...]
    only: str
    file: str
    line: int
