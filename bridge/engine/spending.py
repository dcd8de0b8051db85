"""What deliveries cost their accounts, counted as they go by: lanes, and some items of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bridge.connector import Connector, ConnectorSettings, Item
from bridge.engine.estimate import Cost, Load, cost_of, load_of
from bridge.ledger.plan import PlannedDelivery

# Of each action so many are asked for the calls that they make.
SAMPLE = 300

Name = tuple[str, str]
"""An account and an action."""


@dataclass
class Spending:
    """What was done, by account and action. `weight`: one may stand for several like it."""

    lanes: dict[Name, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    items: dict[Name, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, planned: PlannedDelivery, weight: int = 1) -> None:
        name = (planned.account, planned.action)
        self.lanes[name][planned.lane] += weight
        if len(self.items[name]) < SAMPLE:
            self.items[name].append(planned.item)


@dataclass(frozen=True)
class Prices:
    """The connectors and settings of accounts, by name."""

    kinds: Mapping[str, type[Connector]]
    settings: Mapping[str, ConnectorSettings]

    def costs(self, *several: Spending) -> dict[str, Cost]:
        """Of all together, by account, where each delivery is sent by itself."""
        loads: dict[str, list[Load]] = defaultdict(list)
        for spending in several:
            for name, load in self._loads(spending):
                loads[name].append(load)
        return {name: cost_of(self.kinds[name], some, 1) for name, some in loads.items()}

    def _loads(self, spending: Spending) -> Iterator[tuple[str, Load]]:
        for (account, action), lanes in spending.lanes.items():
            declared = self.kinds[account].actions()[action]
            found = (_item(declared.item, each) for each in spending.items[account, action])
            items = [each for each in found if each is not None]
            yield account, load_of(declared, self.settings.get(account), lanes, items)


def _item(kind: type[Item], fields: Mapping[str, Any]) -> Item | None:
    try:
        return kind.model_validate(fields).for_delivery("0" * 24)
    except ValidationError:
        return None
