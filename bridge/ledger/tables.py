"""The ledger's tables. Times are Unix seconds by our clock; JSON is plain data.

webhooks ─< events            what arrived, and what it meant when it was routed
webhooks ─< deliveries ─< attempts   what is owed for it, and each try
endings                       which refund ended which matter, for its purchase if that comes late
occasions                     what was done already of that which is done once
deliveries ─< cancellers      by which events what is not sent yet is called off
threads                       which message began what is said of one topic in one lane
consents                      who was put on a list or taken off it, on whose word
lanes, accounts, offices      who may do what right now: wakes, leases, rests
alerts                        what a person should know
rule_versions ─< rule_publications   the rules that were live: their texts, when, by whom
tallies                       what was counted on its way in, to balance the books by
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

# Spelled out in every query that means them: a bound value would miss the partial index.
WAITING_WEBHOOK = text("state = 'waiting'")
OPEN_DELIVERY = text("state IN ('waiting', 'sending')")
SCHEDULED_DELIVERY = text("state = 'scheduled'")
ENDED_WEBHOOK = text("state <> 'waiting'")
ENDED_DELIVERY = text("state NOT IN ('waiting', 'sending', 'scheduled')")
REPEAT = text("repeats IS NOT NULL")
EXPIRES = text("expires_at IS NOT NULL")
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
    Column("id", Text, primary_key=True),
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
    Column("repeats", Text),
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
Index("ix_deliveries_webhook", deliveries.c.webhook)
Index(
    "ix_deliveries_repeats",
    deliveries.c.repeats,
    sqlite_where=REPEAT,
    postgresql_where=REPEAT,
)

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
    Column("delivery", Text, ForeignKey("deliveries.id"), primary_key=True),
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
    Column("delivery", Text, nullable=False),
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

attempts = Table(
    "attempts",
    metadata,
    Column("delivery", Text, ForeignKey("deliveries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
    # started, delivered, previewed, retry, rejected, suppressed, unknown, halted
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("calls", JSON, nullable=False),
    Column("worker", Text, nullable=False),
)

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

# Accounts that have had credentials: without them they wait rather than preview.
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
