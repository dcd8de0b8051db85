"""What runs it: turns, rests, alerts, the rules that are live, and what was counted."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Integer, Table, Text

from bridge.ledger.tables.metadata import Number, metadata

lanes = Table(
    "lanes",
    metadata,
    Column("name", Text, primary_key=True),
    # Set while a turn is on its way through the queue.
    Column("woken_at", Float),
    Column("job", Text),
    Column("leased_by", Text),
    Column("leased_until", Float, nullable=False),
)

# What one process does for all, such as the clock: who does it, and until when.
offices = Table(
    "offices",
    metadata,
    Column("name", Text, primary_key=True),
    Column("held_by", Text, nullable=False),
    Column("held_until", Float, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("halted", Boolean, nullable=False),
    Column("rest_until", Float, nullable=False),
    # How often in a row it was sent to rest: each rest is longer.
    Column("rests", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Float, nullable=False),
    # Of the settings that were refused: another fingerprint ends the halt.
    Column("fingerprint", Text, nullable=False),
)

# Accounts that have had credentials: without them they wait rather than preview. And sources
# that have had a secret, as `source showpass`: without it nothing of them is taken.
live_accounts = Table(
    "live_accounts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", Float, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("count", Integer, nullable=False),
    # When a person was last told of it.
    Column("told_at", Float),
    # It has ended, which who was told of it is yet to be told.
    Column("over", Boolean, nullable=False),
)

rule_versions = Table(
    "rule_versions",
    metadata,
    Column("version", Text, primary_key=True),
    # A text for each name below the configuration's folder, in their order.
    Column("files", JSON, nullable=False),
)

# The last one is live.
rule_publications = Table(
    "rule_publications",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("version", Text, ForeignKey("rule_versions.version"), nullable=False),
    Column("published_at", Float, nullable=False),
    Column("author", Text, nullable=False),
    # saved, published, rolled back
    Column("how", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Counted in the transaction that writes the rows, and by itself. Each process writes a row of
# its own, so that none waits for another's.
tallies = Table(
    "tallies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("writer", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
