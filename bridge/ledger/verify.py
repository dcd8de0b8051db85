"""What must hold for the whole ledger, whatever was killed: every check, in bounded memory.

All is read in one snapshot, so that what happens meanwhile is no finding: the
webhooks in portions, what belongs to none and everybody's order as a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select, text

from bridge.ledger.books import Books, books
from bridge.ledger.tables import attempts, deliveries, events, webhooks
from bridge.ledger.verify_checks import CHECKS, LOST_ATTEMPTS
from bridge.ledger.verify_order import ROWS, overtaken

# Of webhooks, for each query.
PORTION = 5000

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

Place = tuple[int | None, str | None]


@dataclass(frozen=True)
class Finding:
    """Something wrong: how often, and where for example; `webhook` or `delivery` may be None."""

    what: str
    means: str
    count: int
    webhook: int | None
    delivery: str | None


@dataclass(frozen=True)
class Verdict:
    """`checked` counts the rows of each table."""

    checked: Mapping[str, int]
    findings: Sequence[Finding]
    books: Books

    @property
    def is_right(self) -> bool:
        return not self.findings and self.books.are_balanced


def verify(
    connection: Connection,
    progress: Progress,
    clocks_differ: float = 0.0,
    portion: int = PORTION,
) -> Verdict:
    """Check everything, in the caller's snapshot.

    `clocks_differ`: by how many seconds the clocks of the machines that wrote
    the ledger may differ, 0 where it was one.
    """
    if connection.dialect.name == "postgresql":
        # To sort all that was ever sent may take long.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    checked = {table.name: _count(connection, table) for table in _TABLES}
    steps = _Steps(progress, checked["webhooks"] + checked["deliveries"])
    collected = _Collected()
    _check_portions(connection, collected, steps, portion)
    lost = connection.execute(LOST_ATTEMPTS.query, execution_options={"yield_per": ROWS})
    collected.add(LOST_ATTEMPTS.what, LOST_ATTEMPTS.means, (_place(row) for row in lost))
    late = overtaken(connection, clocks_differ, steps.advance)
    collected.add("deliveries that overtook another", _OVERTOOK, late)
    progress(steps.total, steps.total)
    return Verdict(checked, collected.findings(), books(connection))


_TABLES = (webhooks, events, deliveries, attempts)
_OVERTOOK = (
    "Of one person, in one lane, a later one arrived while an earlier one was still waiting or "
    "being sent: what the vendor shows of that person may be out of date."
)


class _Collected:
    """Findings of the same kind become one, with the first as the example."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int, Place]] = {}

    def add(self, what: str, means: str, places: Iterable[Place]) -> None:
        for place in places:
            _, count, example = self._found.get(what, (means, 0, place))
            self._found[what] = (means, count + 1, example)

    def findings(self) -> list[Finding]:
        return [
            Finding(what, means, count, *example)
            for what, (means, count, example) in self._found.items()
        ]


@dataclass
class _Steps:
    progress: Progress
    total: int
    done: int = 0

    def advance(self, count: int) -> None:
        before, self.done = self.done, min(self.done + count, self.total)
        if before // ROWS != self.done // ROWS:
            self.progress(self.done, self.total)


def _check_portions(
    connection: Connection, collected: _Collected, steps: _Steps, portion: int
) -> None:
    first = 0
    while (last := _end_of_portion(connection, first, portion)) is not None:
        for check in CHECKS:
            rows = connection.execute(check.query, {"first": first, "last": last})
            collected.add(check.what, check.means, (_place(row) for row in rows))
        steps.advance(portion)
        first = last + 1


def _end_of_portion(connection: Connection, first: int, portion: int) -> int | None:
    """The number of the last webhook of the next portion; None where none is left.

    What belongs to webhooks that are gone is asked for too.
    """
    numbers = (
        select(webhooks.c.number)
        .where(webhooks.c.number >= first)
        .order_by(webhooks.c.number)
        .limit(portion)
    )
    ends = [connection.execute(select(func.max(numbers.subquery().c.number))).scalar_one()]
    if ends == [None]:
        ends = [connection.execute(_last_of(table)).scalar_one() for table in (events, deliveries)]
    last = max((end for end in ends if end is not None), default=None)
    return None if last is None or last < first else int(last)


def _last_of(table: Table) -> Select[tuple[int]]:
    return select(func.max(table.c.webhook))


def _place(row: Row[Any, Any]) -> Place:
    return row[0], row[1]


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
