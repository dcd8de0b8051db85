"""What must hold for the whole ledger, whatever was killed: every check, in bounded memory.

All is read in one snapshot, so that what happens meanwhile is no finding: the
webhooks in portions, what belongs to none as a stream, and the order of those
who were sent several things at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, text

from bridge.ledger.books import Books, books
from bridge.ledger.tables import attempts, deliveries, events, webhooks
from bridge.ledger.verify_checks import INSPECTIONS, OF_ALL, Check
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
    _take_time(connection)
    checked = {table.name: _count(connection, table) for table in _TABLES}
    # Everybody's order takes about as long as all portions together.
    steps = _Steps(progress, checked["webhooks"] * 2)
    collected = _Collected()
    _check_portions(connection, collected, steps, portion)
    for each in OF_ALL:
        lost = connection.execute(each.query, execution_options={"yield_per": ROWS})
        collected.sort(lost, each.checks)
    late = overtaken(connection, clocks_differ)
    collected.add("deliveries that overtook another", _OVERTOOK, late)
    progress(steps.total, steps.total)
    return Verdict(checked, collected.findings(), books(connection))


_TABLES = (webhooks, events, deliveries, attempts)
_OVERTOOK = (
    "Of one person, in one lane, a later one arrived while an earlier one was still waiting or "
    "being sent: what the vendor shows of that person may be out of date."
)


def _take_time(connection: Connection) -> None:
    """To look at all that was ever sent may take long."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        # It is made anew for each portion, and takes longer than the portion.
        connection.execute(text("SET LOCAL jit = off"))
        # All rows of a cursor are wanted, and not a few of them soon.
        connection.execute(text("SET LOCAL cursor_tuple_fraction = 1"))


@contextmanager
def _nearby_rows(connection: Connection) -> Iterator[None]:
    """What belongs to a portion is looked up row by row.

    PostgreSQL would rather read whole tables for it, once for each portion.
    """
    _may_read_whole_tables(connection, "off")
    yield
    _may_read_whole_tables(connection, "on")


def _may_read_whole_tables(connection: Connection, answer: str) -> None:
    if connection.dialect.name == "postgresql":
        for way in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(text(f"SET LOCAL enable_{way} = {answer}"))


class _Collected:
    """Findings of the same kind become one, with the first as the example."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int, Place]] = {}

    def sort(self, rows: Iterable[Sequence[Any]], checks: Sequence[Check]) -> None:
        """What an inspection found, by check."""
        for webhook, delivery, *wrong in rows:
            for check, is_wrong in zip(checks, wrong, strict=True):
                if is_wrong:
                    self.add(check.what, check.means, [(webhook, delivery)])

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
        self.done = min(self.done + count, self.total)
        self.progress(self.done, self.total)


def _check_portions(
    connection: Connection, collected: _Collected, steps: _Steps, portion: int
) -> None:
    first = 0
    while (last := _end_of_portion(connection, first, portion)) is not None:
        with _nearby_rows(connection):
            for inspection in INSPECTIONS:
                rows = connection.execute(inspection.query, {"first": first, "last": last})
                collected.sort(rows, inspection.checks)
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


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
