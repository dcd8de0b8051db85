"""What a replay of many would mean: how many, which calls, and how long. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.cli.replay_survey import SAMPLE, Name, loads_of, surveyed
from bridge.cli.replaying import OBSTACLES, Replaying
from bridge.config import Config
from bridge.engine.estimate import Load, cost_of, speed_for
from bridge.ledger.database import Connection
from bridge.ledger.selection import Place


@dataclass(frozen=True)
class Line:
    """One action's part: calls of it that are sure, and those that there may be at most."""

    account: str
    action: str
    deliveries: int
    calls: int
    at_most: int
    seconds: float
    preview: bool


@dataclass(frozen=True)
class Plan:
    """`count` units will be replayed, `kept_back` are not. `speed` None is all at once.

    `limits` is what the slowest account's limits ask for, in seconds. `guessed`
    says that the lines were made from a sample.
    """

    count: int
    kept_back: Mapping[str, int]
    lines: Sequence[Line]
    speed: float | None
    limits: float
    guessed: bool
    last: Place

    @property
    def found(self) -> int:
        return self.count + sum(self.kept_back.values())

    @property
    def seconds(self) -> float:
        feeding = self.count / self.speed if self.speed else 0.0
        return max(feeding, self.limits)


def plan_of(
    replaying: Replaying, connection: Connection, speed: float | None, *, paced: bool
) -> Plan:
    """`paced` False: all at once; else at `speed`, or at one that leaves live traffic its place."""
    survey = surveyed(replaying, connection)
    loads = list(loads_of(replaying, connection, survey))
    if paced and speed is None:
        speed = speed_for(survey.count, _slowest(replaying.config, loads, survey.count))
    at_once = survey.count if speed is None else int(speed)
    lines = [_line(replaying.config, name, load, at_once) for name, load in loads]
    return Plan(
        count=survey.count,
        kept_back=survey.kept_back,
        lines=lines,
        speed=speed,
        limits=_slowest(replaying.config, loads, at_once),
        guessed=survey.count > SAMPLE,
        last=survey.last,
    )


def _slowest(config: Config, loads: Sequence[tuple[Name, Load]], at_once: int) -> float:
    by_account: dict[str, list[Load]] = defaultdict(list)
    for (account, _), load in loads:
        if not config.accounts[account].preview:
            by_account[account].append(load)
    seconds = [
        cost_of(config.accounts[account].connector, some, at_once).seconds
        for account, some in by_account.items()
    ]
    return max(seconds, default=0.0)


def _line(config: Config, name: Name, load: Load, at_once: int) -> Line:
    account = config.accounts[name[0]]
    cost = cost_of(account.connector, [load], at_once)
    return Line(
        account=name[0],
        action=name[1],
        deliveries=load.deliveries,
        calls=cost.calls,
        at_most=cost.at_most,
        seconds=0.0 if account.preview else cost.seconds,
        preview=account.preview,
    )


def as_object(plan: Plan) -> dict[str, object]:
    return {
        "found": plan.found,
        "to_replay": plan.count,
        "kept_back": [
            {"why": name, "about": OBSTACLES[name].about, "count": count}
            for name, count in plan.kept_back.items()
        ],
        "by_action": [vars(line) for line in plan.lines],
        "estimated_from_a_sample": plan.guessed,
        "per_second": plan.speed,
        "seconds_by_limits": round(plan.limits, 1),
        "seconds": round(plan.seconds, 1),
    }
