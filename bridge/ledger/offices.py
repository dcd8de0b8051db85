"""What one process does for all: whoever holds an office does it, the others stand by."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from bridge.ledger.moments import moment
from bridge.ledger.tables import offices
from bridge.ledger.upsert import insert

CLOCK = "clock"
# Watching in the clock's place.
STAND_IN = "stand-in"


def hold(connection: Connection, office: str, holder: str, now: float, seconds: float) -> bool:
    """Take the office where it is free, or keep it, for so long; False where another has it."""
    at = moment(connection, now)
    statement = insert(connection, offices).values(
        name=office, held_by=holder, held_until=at + seconds
    )
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"held_by": holder, "held_until": at + seconds},
        where=(offices.c.held_by == holder) | (offices.c.held_until <= at),
    )
    return connection.execute(statement.returning(offices.c.name)).first() is not None


def is_held(connection: Connection, office: str, now: float) -> bool:
    """Whether anybody holds it."""
    held = offices.c.held_until > moment(connection, now)
    query = select(offices.c.name).where(offices.c.name == office, held)
    return connection.execute(query).first() is not None


def leave(connection: Connection, office: str, holder: str) -> None:
    """Free the office at once, so that nobody has to wait until it lapses."""
    connection.execute(delete(offices).where(offices.c.name == office, offices.c.held_by == holder))
