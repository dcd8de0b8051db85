"""What rules are once compiled: frozen, checked, and free of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.connector import Action, Connector, ConnectorSettings
from bridge.errors import Mistake
from bridge.rules.conditions import Condition
from bridge.rules.templates import Filling
from bridge.source import Source


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
class Rule:
    """`sources` and `events` are globs, of which one has to match; none means all.

    `conditions` must all hold, and are asked in the order of the file.
    """

    name: str
    sources: tuple[str, ...]
    events: tuple[str, ...]
    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class RuleSet:
    """All the rules of one file, in its order. `version` is the same for the same text.

    `warnings` are no mistakes, but deserve a look. Two sets are never equal, so
    that one can be a key without its contents being looked at.
    """

    rules: tuple[Rule, ...]
    version: str
    warnings: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether a rule matched an event; if not, the first condition that failed, in words."""

    rule: str
    matched: bool
    why_not: str = ""
