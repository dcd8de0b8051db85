"""Who is at which lane: wakes that coalesce, leases that lapse.

The order of the steps is what makes a wake impossible to lose. Whoever adds
work commits it, then wakes. A worker taking its turn clears the wake and takes
the lease in one statement, so that any work committed before is seen by the
turn, and any wake after it starts another. A worker that leaves looks once
more after it has let go. What remains, a worker killed or a queue wiped, the
clock finds.

`now` is the caller's time; where the database is a server, its own counts
instead (see `bridge.ledger.moments`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, null, select, update

from bridge.errors import LeaseLost
from bridge.ledger.moments import moment
from bridge.ledger.tables import lanes
from bridge.ledger.upsert import insert

INBOX = "inbox"
# More than any lease lasts. What seems to end later was written by a clock that was wrong, and
# put right since: it holds nothing, or the lane would stand still until then.
LONGEST_LEASE = 600.0


@dataclass(frozen=True)
class Wake:
    """A turn that was asked for and has not begun; `job` is its name in the queue."""

    lane: str
    job: str
    at: float


def is_quiet(connection: Connection, lane: str, now: float) -> bool:
    """Nobody is at the lane and no turn is on its way: a wake is needed."""
    quiet = lanes.c.woken_at.is_(None) & ~_is_leased(moment(connection, now))
    found = connection.execute(select(quiet).where(lanes.c.name == lane)).scalar_one_or_none()
    return found is None or bool(found)


def occupied(connection: Connection, now: float) -> set[str]:
    """Lanes that need no wake: somebody is there, or a turn is on its way."""
    leased = _is_leased(moment(connection, now))
    query = select(lanes.c.name).where(lanes.c.woken_at.is_not(None) | leased)
    return set(connection.execute(query).scalars())


def leased(connection: Connection, now: float) -> set[str]:
    """Lanes that somebody is at."""
    query = select(lanes.c.name).where(_is_leased(moment(connection, now)))
    return set(connection.execute(query).scalars())


def _is_leased(at: float | ColumnElement[float]) -> ColumnElement[bool]:
    return (lanes.c.leased_until > at) & (lanes.c.leased_until <= at + LONGEST_LEASE)


def wake(connection: Connection, lane: str, job: str, now: float) -> bool:
    """Note that `job` is about to be queued; False where that is not needed."""
    at = moment(connection, now)
    statement = insert(connection, lanes).values(
        name=lane, woken_at=at, job=job, leased_by=null(), leased_until=0.0
    )
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"woken_at": at, "job": job},
        where=lanes.c.woken_at.is_(None) & ~_is_leased(at),
    )
    return connection.execute(statement.returning(lanes.c.name)).first() is not None


def wake_again(connection: Connection, lost: Wake, job: str, now: float) -> bool:
    """Replace a wake whose job is gone; False where somebody else was faster."""
    statement = (
        update(lanes)
        .where(lanes.c.name == lost.lane, lanes.c.job == lost.job, lanes.c.woken_at.is_not(None))
        .values(woken_at=moment(connection, now), job=job)
    )
    return connection.execute(statement).rowcount == 1


def take(connection: Connection, lane: str, turn: str, now: float, seconds: float) -> bool:
    """Begin a turn: clear the wake and, unless somebody is at the lane, lease it to `turn`."""
    at = moment(connection, now)
    free = ~_is_leased(at)
    statement = (
        update(lanes)
        .where(lanes.c.name == lane)
        .values(
            woken_at=null(),
            leased_by=case((free, turn), else_=lanes.c.leased_by),
            leased_until=case((free, at + seconds), else_=lanes.c.leased_until),
        )
        .returning(lanes.c.leased_by)
    )
    return connection.execute(statement).scalar_one_or_none() == turn


def renew(connection: Connection, lane: str, turn: str, now: float, seconds: float) -> bool:
    """False where the lease lapsed and somebody else has it, or may have had it."""
    at = moment(connection, now)
    statement = (
        update(lanes)
        .where(lanes.c.name == lane, lanes.c.leased_by == turn, lanes.c.leased_until > at)
        .values(leased_until=at + seconds)
    )
    return connection.execute(statement).rowcount == 1


def hold(connection: Connection, lane: str, turn: str) -> None:
    """Let nobody take the lane before the transaction ends; raises LeaseLost."""
    query = select(lanes.c.name).where(lanes.c.name == lane, lanes.c.leased_by == turn)
    if connection.execute(query.with_for_update()).first() is None:
        raise LeaseLost(lane)


def release(connection: Connection, lane: str, turn: str) -> None:
    connection.execute(
        update(lanes)
        .where(lanes.c.name == lane, lanes.c.leased_by == turn)
        .values(leased_by=null(), leased_until=0.0)
    )


def wakes_before(connection: Connection, now: float, seconds: float) -> list[Wake]:
    """Wakes older than `seconds`, which should have begun a turn: their jobs may be lost.

    The oldest first. Those of a clock that was ahead are as old as any.
    """
    at = moment(connection, now)
    lost = (lanes.c.woken_at < at - seconds) | (lanes.c.woken_at > at + LONGEST_LEASE)
    query = (
        select(lanes.c.name, lanes.c.job, lanes.c.woken_at).where(lost).order_by(lanes.c.woken_at)
    )
    return [Wake(lane=name, job=job or "", at=at) for name, job, at in connection.execute(query)]
