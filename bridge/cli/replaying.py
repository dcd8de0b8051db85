"""A replay of many: what belongs to it, what must not be sent again, and doing it in portions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.config import Config
from bridge.engine.late import repeatable
from bridge.ledger.database import Connection
from bridge.ledger.newer import Newer
from bridge.ledger.repeats import MayRepeat
from bridge.ledger.replay import replay_deliveries, replay_webhooks
from bridge.ledger.selection import (
    WEBHOOK_STATES,
    Place,
    Selection,
    Unit,
    next_deliveries,
    next_webhooks,
)

# Before all.
FIRST: Place = (0, 0, 0)


@dataclass(frozen=True)
class Obstacle:
    """Why something is not replayed; `option` is what replays it all the same, if anything does."""

    about: str
    advice: str
    option: str = ""


# The first that holds is told.
OBSTACLES: Mapping[str, Obstacle] = {
    "pruned": Obstacle(
        "their webhooks' bodies were deleted for their age", "they cannot be routed again"
    ),
    "gone": Obstacle(
        "bridge.yaml has no such account, or its connector no such action",
        "add the account again, or route by the rules of now: --reroute",
    ),
    "unfilled": Obstacle(
        "their rule could not fill them in: there is nothing to send",
        "correct the rule, then route them again: --reroute",
    ),
    "done": Obstacle(
        "they may have been done already, and nobody could tell",
        "look there first, then `showbridge replay` with the id of each (`showbridge dead --list`)",
        "--even-if-done",
    ),
    "newer": Obstacle(
        "a later one for the same person has arrived: the older would be written over it",
        "--even-if-newer sends them all the same",
        "--even-if-newer",
    ),
}


def may_repeat(config: Config) -> MayRepeat:
    """By the accounts of now."""
    return repeatable({name: each.connector for name, each in config.accounts.items()})


def overwrites(config: Config, account: str, action: str) -> bool:
    """Whether it takes the place of what it did before; a message stands beside others."""
    known = config.accounts.get(account)
    declared = known.connector.actions().get(action) if known else None
    return declared is not None and (declared.idempotent or declared.overwrites)


@dataclass(frozen=True)
class Replaying:
    """`by_event` routes again by the rules of now; `anyway` names the obstacles to ignore."""

    config: Config
    chosen: Selection
    by_event: bool
    anyway: frozenset[str]
    newer: Newer

    @classmethod
    def begun(
        cls,
        config: Config,
        connection: Connection,
        chosen: Selection,
        *,
        reroute: bool,
        anyway: frozenset[str],
        now: float,
    ) -> Replaying:
        """Of what has ended by now, so that nothing is replayed twice by one command."""
        of_webhooks = chosen.state in WEBHOOK_STATES
        chosen = chosen if of_webhooks else replace(chosen, ended_by=now)
        # What was never routed has no deliveries, and so no persons yet.
        newer = Newer(connection, chosen, whole_webhooks=reroute)
        return cls(config, chosen, reroute or of_webhooks, anyway, newer)

    def next(self, connection: Connection, after: Place, limit: int) -> list[Unit]:
        choose = next_webhooks if self.by_event else next_deliveries
        return choose(connection, self.chosen, after, limit)

    def obstacle(self, unit: Unit) -> str | None:
        """The name of what keeps it from being replayed."""
        found = (name for name in OBSTACLES if name not in self.anyway and self._is(name, unit))
        return next(found, None)

    def replay(self, connection: Connection, units: Sequence[Unit], now: float) -> int:
        """Those that nothing keeps back, by what is known now; how many."""
        owed = [each for unit in units for each in unit.deliveries]
        self.newer.look_again(connection, owed)
        free = [unit for unit in units if self.obstacle(unit) is None]
        if self.by_event:
            return replay_webhooks(connection, [unit.webhook for unit in free])
        ids = [unit.deliveries[0].id for unit in free]
        return replay_deliveries(connection, ids, now, may_repeat(self.config)).sent

    def _is(self, name: str, unit: Unit) -> bool:
        owed = unit.deliveries
        if name == "pruned":
            return self.by_event and unit.is_pruned
        if name == "done":
            return any(each.may_be_done for each in owed)
        if name == "newer":
            return any(
                self.newer.has_passed(each) and overwrites(self.config, each.account, each.action)
                for each in owed
            )
        if self.by_event:
            return False
        if name == "unfilled":
            return any(not each.is_filled_in for each in owed)
        return any(not self._has_action(each.account, each.action) for each in owed)

    def _has_action(self, account: str, action: str) -> bool:
        known = self.config.accounts.get(account)
        return known is not None and action in known.connector.actions()
