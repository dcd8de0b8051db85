"""What arrived, what it meant, what is owed for it, and each try."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bridge.ledger.tables.metadata import Name, Number, metadata

# Spelled out in every query that means them: a bound value would miss the partial index.
WAITING_WEBHOOK = text("state = 'waiting'")
OPEN_DELIVERY = text("state IN ('waiting', 'sending')")
SCHEDULED_DELIVERY = text("state = 'scheduled'")
ENDED_WEBHOOK = text("state <> 'waiting'")
ENDED_DELIVERY = text("state NOT IN ('waiting', 'sending', 'scheduled')")
REPEAT = text("repeats IS NOT NULL")
WITH_BODY = text("state IN ('routed', 'unrouted') AND pruned_at IS NULL")

webhooks = Table(
    "webhooks",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("method", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # waiting, routed, unrouted, quarantined
    Column("state", Text, nullable=False),
    Column("reason", Text),
    # Set by a replay: deliveries that did not arrive are filled in and tried again.
    Column("replayed", Boolean, nullable=False),
    # When its body and headers were emptied, for their age.
    Column("pruned_at", Float),
    # The length of the body as received, if `body` holds it compressed.
    Column("received_bytes", BigInteger),
    # What its signature covers; empty if that is the whole body, null in rows of an earlier
    # version. A check in the database refuses new rows that do not name it.
    Column("signed_part", Text),
    UniqueConstraint("source", "idempotency_key"),
    sqlite_autoincrement=True,
)
Index(
    "ix_webhooks_waiting",
    webhooks.c.number,
    sqlite_where=WAITING_WEBHOOK,
    postgresql_where=WAITING_WEBHOOK,
)
Index(
    "ix_webhooks_ended",
    webhooks.c.state,
    webhooks.c.number,
    sqlite_where=ENDED_WEBHOOK,
    postgresql_where=ENDED_WEBHOOK,
)
Index(
    "ix_webhooks_with_body",
    webhooks.c.number,
    sqlite_where=WITH_BODY,
    postgresql_where=WITH_BODY,
)

# What of each source is kept for a person, to keep it within bounds.
quarantine = Table(
    "quarantine",
    metadata,
    Column("webhook", Number, ForeignKey("webhooks.number"), primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    # What the signature covers; empty if that is the whole body. Of a row of an earlier version
    # what its key begins with.
    Column("signed_part", Text, nullable=False),
    # What body, headers and row take in the ledger.
    Column("bytes", BigInteger, nullable=False),
    # When it was put here, or found here after an upgrade.
    Column("since", Float, nullable=False),
    Index("ix_quarantine_source_signed_part_webhook", "source", "signed_part", "webhook"),
)

events = Table(
    "events",
    metadata,
    Column("webhook", Number, ForeignKey("webhooks.number"), primary_key=True),
    # From 1: a webhook may tell of several events.
    Column("position", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("who", Text),
    Column("verdicts", JSON, nullable=False),
    Column("remarks", JSON, nullable=False),
    # The matters that it begins, as the source names them.
    Column("begins", JSON(none_as_null=True)),
    Column("rules_version", Text, nullable=False),
    Column("routed_at", Float, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Name, primary_key=True),
    Column("webhook", Number, ForeignKey("webhooks.number"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("step", Integer, nullable=False),
    # Among the deliveries of its event, in the order of the rules.
    Column("place", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("order_key", Text, nullable=False),
    # The delivery of an ending that this one does once more, behind a beginning.
    Column("repeats", Name),
    Column("item", JSON, nullable=False),
    # What the event comes to, where its message may become part of a digest.
    Column("gist", JSON(none_as_null=True)),
    # The event as the action wants to see it, and what it is about, where the action threads.
    Column("event", JSON(none_as_null=True)),
    Column("topic", Text),
    # The rule's quiet hours, where it is scheduled: it may come late to its time.
    Column("quiet", JSON(none_as_null=True)),
    Column("rules_version", Text, nullable=False),
    Column("planned_at", Float, nullable=False),
    # scheduled, waiting, sending, delivered, previewed, suppressed, rejected, dead
    Column("state", Text, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    # Attempts that count towards the limit; a halted account's do not.
    Column("failures", Integer, nullable=False),
    # An earlier attempt may have been done: look before repeating.
    Column("uncertain", Boolean, nullable=False),
    # The digest that an attempt was part of: the name to look for.
    Column("sent_as", Text),
    Column("claim", Text),
    Column("reason", Text),
    Column("reference", Text),
    Column("link", Text),
    Column("settled_at", Float),
    UniqueConstraint("webhook", "id"),
)
Index(
    "ix_deliveries_open",
    deliveries.c.lane,
    deliveries.c.webhook,
    sqlite_where=OPEN_DELIVERY,
    postgresql_where=OPEN_DELIVERY,
)
Index(
    "ix_deliveries_order",
    deliveries.c.lane,
    deliveries.c.order_key,
    deliveries.c.webhook,
    sqlite_where=OPEN_DELIVERY,
    postgresql_where=OPEN_DELIVERY,
)
# By when they are due; the rest, so that counting and listing them reads nothing else.
Index(
    "ix_deliveries_scheduled",
    deliveries.c.state,
    deliveries.c.due_at,
    deliveries.c.webhook,
    sqlite_where=SCHEDULED_DELIVERY,
    postgresql_where=SCHEDULED_DELIVERY,
)
# Written once for each delivery, when it ends.
Index(
    "ix_deliveries_ended",
    deliveries.c.state,
    deliveries.c.webhook,
    deliveries.c.position,
    sqlite_where=ENDED_DELIVERY,
    postgresql_where=ENDED_DELIVERY,
)
Index(
    "ix_deliveries_repeats",
    deliveries.c.repeats,
    sqlite_where=REPEAT,
    postgresql_where=REPEAT,
)

# By their webhooks, as all that belongs to one is read and deleted together.
attempts = Table(
    "attempts",
    metadata,
    Column("webhook", Number, primary_key=True),
    Column("delivery", Name, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    # started, delivered, previewed, retry, rejected, suppressed, unknown, halted
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("calls", JSON, nullable=False),
    Column("worker", Text, nullable=False),
    ForeignKeyConstraint(["webhook", "delivery"], ["deliveries.webhook", "deliveries.id"]),
)
