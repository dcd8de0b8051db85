"""What is remembered of earlier events, for later ones."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bridge.ledger.tables.metadata import Name, Number, metadata

EXPIRES = text("expires_at IS NOT NULL")

# Which event ended which matter of whom: what begins it later is looked up here.
endings = Table(
    "endings",
    metadata,
    # A hash of source, matter and person.
    Column("known_by", Text, primary_key=True),
    Column("webhook", Number, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("known_since", Float, nullable=False),
    Index("ix_endings_known_since", "known_since"),
)

# Which event had something done that is done once, for all events of the same key or for some time.
occasions = Table(
    "occasions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("webhook", Number, primary_key=True),
    Column("position", Integer, primary_key=True),
    # When the event was received.
    Column("at", Float, nullable=False),
    # None: never.
    Column("expires_at", Float),
    # The ids of what it had done.
    Column("deliveries", JSON, nullable=False),
    Index("ix_occasions_webhook", "webhook"),
)
Index(
    "ix_occasions_expires_at",
    occasions.c.expires_at,
    sqlite_where=EXPIRES,
    postgresql_where=EXPIRES,
)

# An event that is known by the key, of one of the types, calls the delivery off.
cancellers = Table(
    "cancellers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("delivery", Name, ForeignKey("deliveries.id"), primary_key=True),
    # Globs.
    Column("types", JSON, nullable=False),
    Index("ix_cancellers_delivery", "delivery"),
)

# What was delivered first in a lane about a topic: what comes later answers it.
threads = Table(
    "threads",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("known_since", Float, nullable=False),
    Index("ix_threads_known_since", "known_since"),
)

# Kept when the delivery is pruned, as the proof: `outcome` and `reason` are its last then.
consents = Table(
    "consents",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("delivery", Name, nullable=False),
    Column("address", Text, nullable=False),
    # subscribe, unsubscribe
    Column("decision", Text, nullable=False),
    Column("flag", Boolean),
    Column("wording", Text),
    Column("decided_at", Float, nullable=False),
    Column("source", Text, nullable=False),
    Column("webhook", Number, nullable=False),
    Column("position", Integer, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("settled_at", Float),
    UniqueConstraint("delivery", "webhook"),
    Index("ix_consents_address", "address"),
    Index("ix_consents_webhook", "webhook"),
    sqlite_autoincrement=True,
)
