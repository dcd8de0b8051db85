"""What a replay of many would be about: counted, and some of it looked at closely."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bridge.cli.live_state import live_rules
from bridge.cli.replaying import FIRST, Replaying
from bridge.config import Config, world
from bridge.engine.estimate import Load, load_of
from bridge.engine.route import Router
from bridge.errors import OperatorError
from bridge.ledger.database import Connection
from bridge.ledger.plan import PlannedDelivery
from bridge.ledger.replay import as_if_replayed
from bridge.ledger.selection import Place, Unit, items_of, untouched_by_replay
from bridge.rule_files import read_files
from bridge.rules import RuleSet

# So many are looked at closely; the rest is taken to be like them.
SAMPLE = 300
_PORTION = 500

Name = tuple[str, str]
"""An account and an action."""


@dataclass
class Survey:
    """What there is: counted, with some of it to look at closely."""

    count: int = 0
    kept_back: Counter[str] = field(default_factory=Counter)
    last: Place = FIRST
    lanes: dict[Name, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sample: dict[Name, list[str]] = field(default_factory=lambda: defaultdict(list))
    webhooks: list[int] = field(default_factory=list)

    def note(self, unit: Unit) -> None:
        self.count += 1
        self.last = unit.place
        if len(self.webhooks) < SAMPLE:
            self.webhooks.append(unit.webhook)
        for each in unit.deliveries:
            name = (each.account, each.action)
            self.lanes[name][each.lane] += 1
            if len(self.sample[name]) < SAMPLE:
                self.sample[name].append(each.id)


def surveyed(replaying: Replaying, connection: Connection) -> Survey:
    survey, after = Survey(), FIRST
    while units := replaying.next(connection, after, _PORTION):
        after = units[-1].place
        for unit in units:
            obstacle = replaying.obstacle(unit)
            if obstacle is None:
                survey.note(unit)
            else:
                survey.kept_back[obstacle] += 1
    return survey


def loads_of(
    replaying: Replaying, connection: Connection, survey: Survey
) -> Iterator[tuple[Name, Load]]:
    """Of live accounts and of those in preview."""
    if replaying.by_event:
        owed = _routed(replaying, connection, survey.webhooks)
        scale = survey.count / max(1, len(survey.webhooks))
        yield from _planned_loads(replaying.config, owed, scale)
        return
    for name, lanes in survey.lanes.items():
        items = items_of(connection, survey.sample[name])
        yield name, _load(replaying.config, name, lanes, items)


def _planned_loads(
    config: Config, owed: Iterable[PlannedDelivery], scale: float
) -> Iterator[tuple[Name, Load]]:
    lanes: dict[Name, Counter[str]] = defaultdict(Counter)
    items: dict[Name, list[Mapping[str, Any]]] = defaultdict(list)
    for each in owed:
        lanes[each.account, each.action][each.lane] += 1
        items[each.account, each.action].append(each.item)
    for name, counts in lanes.items():
        scaled = {lane: round(count * scale) for lane, count in counts.items()}
        yield name, _load(config, name, scaled, items[name])


def _load(
    config: Config, name: Name, lanes: Mapping[str, int], items: Iterable[Mapping[str, Any]]
) -> Load:
    account = config.accounts[name[0]]
    action = account.connector.actions()[name[1]]
    return load_of(action, account.settings, lanes, filter(None, map(_reader(action.item), items)))


def _reader(kind: Any) -> Any:
    def read(item: Mapping[str, Any]) -> Any:
        """None where it no longer fits: then it is rejected before any call."""
        try:
            return kind.model_validate(item).for_delivery("0" * 24)
        except ValidationError:
            return None

    return read


def _routed(
    replaying: Replaying, connection: Connection, numbers: Sequence[int]
) -> list[PlannedDelivery]:
    """What the rules of now would plan for some webhooks, less what is not done again."""
    rules = _rules(replaying.config, connection)
    if rules is None:
        return []
    router = Router(
        sources={name: each.source for name, each in replaying.config.sources.items()},
        accounts={name: each.connector for name, each in replaying.config.accounts.items()},
        rules=rules,
    )
    now = time.time()
    plans = [router.plan(each, now) for each in as_if_replayed(connection, numbers)]
    owed = [each for plan in plans for each in plan.deliveries if each.state == "waiting"]
    untouched = untouched_by_replay(connection, [each.id for each in owed])
    return [each for each in owed if each.id not in untouched]


def _rules(config: Config, connection: Connection) -> RuleSet | None:
    """Those that are live; those of the files where none are yet."""
    try:
        return live_rules(config, connection) or read_files(config.folder).compiled(world(config))
    except OperatorError:
        return None
