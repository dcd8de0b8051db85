"""What rules are once compiled: frozen, checked, and free of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from bridge.connector import Action, Connector, ConnectorSettings
from bridge.errors import Mistake
from bridge.rules.conditions import Condition
from bridge.rules.expected import Expectation
from bridge.rules.templates import Filling, Text
from bridge.rules.timing import Timing
from bridge.source import Source

Same = Literal["transaction", "contact"]


@dataclass(frozen=True)
class World:
    """What rules may name: configured sources and accounts, by the names that YAML uses.

    `settings` are those of the accounts, as far as they are known.
    """

    sources: Mapping[str, type[Source]]
    accounts: Mapping[str, type[Connector]]
    settings: Mapping[str, ConnectorSettings] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One entry of a rule's `do`. `number` starts at 1; `action` is the name of `declared`."""

    rule: str
    number: int
    account: str
    action: str
    declared: Action = field(repr=False)
    filling: Mapping[str, Filling] = field(repr=False)


@dataclass(frozen=True)
class ForEach:
    """The list that a rule goes through (`tickets`) and what one member is called (`ticket`)."""

    path: str
    name: str


@dataclass(frozen=True)
class Between:
    """The first moment at which a rule holds, and the first at which it does no more.

    `line` and `column` are where it stands in its file, from 1.
    """

    start: datetime | None
    end: datetime | None
    said: str
    line: int = field(default=0, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True)
class OncePer:
    """What a rule does once for: contact, transaction, event (the show), or what `text` becomes.

    `period` in seconds; None: for ever. `said` is as written.
    """

    of: Literal["contact", "transaction", "event", "text"]
    period: float | None
    said: str
    text: Text | None = None


@dataclass(frozen=True)
class Unless:
    """What cancels that which waits: events of one of these types (globs) about the same."""

    types: tuple[str, ...]
    same: Same


@dataclass(frozen=True)
class Rule:
    """`sources` and `events` are globs, of which one has to match; none means all.

    `conditions` must all hold, and are asked in the order of the file; those that
    name a member of `for_each` are asked of each. `sample` is in per cent. `stop`:
    where it matches, no later rule is asked.
    """

    name: str
    sources: tuple[str, ...]
    events: tuple[str, ...]
    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]
    enabled: bool = True
    stop: bool = False
    for_each: ForEach | None = None
    sample: float | None = None
    between: Between | None = None
    once: OncePer | None = None
    timing: Timing | None = None
    unless: Unless | None = None
    file: str = ""
    line: int = 0
    column: int = 1


@dataclass(frozen=True, eq=False)
class RuleSet:
    """All the rules of some files, in their order.

    `version` is the same for the same `files` (names and texts). `warnings` are no
    mistakes, but deserve a look. `names_zone`: the files or
    the accounts give `time_zone`. Two sets are never equal, so that one can be a key
    without its contents being looked at.
    """

    rules: tuple[Rule, ...]
    version: str
    warnings: tuple[Mistake, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    names_zone: bool = False
    lists: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tests: tuple[Expectation, ...] = ()


class Verdict(NamedTuple):
    """Whether a rule matched an event; if not, all the conditions that failed, in words.

    `members` are the numbers, from 1, of those that fit, where the rule is for each.
    """

    rule: str
    matched: bool
    why_not: str = ""
    members: tuple[int, ...] = ()
