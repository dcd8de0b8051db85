"""Which clock leases and wakes are measured by.

The clocks of several machines differ, and a lease that one machine sees lapse
while another still holds it is none. So where the database is a server, its
clock counts for all. A SQLite file has one machine's processes, and one clock.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Double, cast, extract, func

# Set for the connections of a `Database` whose server's clock counts.
SERVER_TIME = "showbridge_server_time"


def moment(connection: Connection, now: float) -> float | ColumnElement[float]:
    """Unix seconds for a statement: the server's where they count, else `now`."""
    if connection.get_execution_options().get(SERVER_TIME):
        # Unlike `now()` it goes on during a transaction.
        return cast(extract("epoch", func.clock_timestamp()), Double)
    return now
