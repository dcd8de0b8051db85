"""Dead letters and rejections, together by what went wrong, and one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, select

from bridge.ledger.failures import VARIES, in_general
from bridge.ledger.selection import KEPT, Selection, chosen_deliveries
from bridge.ledger.stories import event_id
from bridge.ledger.tables import deliveries

LONGEST_PART = 120


@dataclass(frozen=True)
class Group:
    """What ended in one way for one reason; `reason` has VARIES where those of its members differ.

    Times are of the ends. `event` and `delivery` are of the newest. `unfilled`
    says that there is nothing to be sent: the rule could not fill it in.
    """

    state: str
    account: str
    action: str
    reason: str
    count: int
    first_at: float
    last_at: float
    event: str
    delivery: str
    unfilled: bool

    @property
    def may_be_done(self) -> bool:
        return self.reason.startswith(KEPT)


@dataclass(frozen=True)
class Letter:
    """A single one."""

    delivery: str
    event: str
    state: str
    account: str
    action: str
    rule: str
    reason: str
    ended_at: float


def groups(connection: Connection, chosen: Selection) -> list[Group]:
    """The largest first."""
    found: dict[tuple[str, str, str, bool], Group] = {}
    query = chosen_deliveries(select(*_LETTER), chosen)
    for row in connection.execute(query):
        one = _group(row)
        key = (one.account, one.action, one.reason, one.unfilled)
        found[key] = _together(found[key], one) if key in found else one
    return sorted(found.values(), key=lambda group: (-group.count, group.account, group.reason))


def letters(connection: Connection, chosen: Selection, limit: int) -> list[Letter]:
    """The newest webhook's first."""
    query = chosen_deliveries(select(*_LETTER), chosen).order_by(
        deliveries.c.webhook.desc(), deliveries.c.position.desc(), deliveries.c.place.desc()
    )
    return [_letter(row) for row in connection.execute(query.limit(limit))]


def count(connection: Connection, chosen: Selection) -> int:
    query = chosen_deliveries(select(func.count()), chosen)
    return int(connection.execute(query).scalar_one())


def constant_part(reason: str) -> str:
    """The longest part of a reason in general, which a filter for it can look for."""
    longest = max((part.strip(" ,;:()") for part in reason.split(VARIES)), key=len)
    return longest[:LONGEST_PART]


_LETTER = [
    deliveries.c[name]
    for name in (
        *("id", "webhook", "position", "state", "account", "action", "rule"),
        *("attempts", "reason", "settled_at"),
    )
]


def _letter(row: Any) -> Letter:
    return Letter(
        delivery=row.id,
        event=event_id(row.webhook, row.position),
        state=row.state,
        account=row.account,
        action=row.action,
        rule=row.rule,
        reason=row.reason or "",
        ended_at=row.settled_at or 0.0,
    )


def _group(row: Any) -> Group:
    letter = _letter(row)
    return Group(
        state=letter.state,
        account=letter.account,
        action=letter.action,
        reason=in_general(letter.reason),
        count=1,
        first_at=letter.ended_at,
        last_at=letter.ended_at,
        event=letter.event,
        delivery=letter.delivery,
        unfilled=row.attempts == 0,
    )


def _together(group: Group, one: Group) -> Group:
    newest = one if one.last_at >= group.last_at else group
    return replace(
        newest,
        count=group.count + one.count,
        first_at=min(group.first_at, one.first_at),
    )
