"""The tables that ledgers begin with. Those of 0.1.0, which was 0001, are not taken over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = None

NAME = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("rest_until", sa.Float(), nullable=False),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "alerts",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("last_at", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_alerts")),
    )
    op.create_table(
        "live_accounts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_live_accounts")),
    )
    op.create_table(
        "lanes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("woken_at", sa.Float(), nullable=True),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lanes")),
    )
    op.create_table(
        "offices",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_offices")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "writer", name=op.f("pk_tallies")),
    )
    op.create_table(
        "rule_versions",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rule_versions")),
    )
    op.create_table(
        "rule_publications",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Float(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["rule_versions.version"], name=op.f("fk_rule_publications_version")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rule_publications")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhooks",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("replayed", sa.Boolean(), nullable=False),
        sa.Column("pruned_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_webhooks")),
        sa.UniqueConstraint(
            "source", "idempotency_key", name=op.f("uq_webhooks_source_idempotency_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_webhooks_waiting",
        "webhooks",
        ["number"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_webhooks_ended",
        "webhooks",
        ["state", "number"],
        unique=False,
        sqlite_where=sa.text("state <> 'waiting'"),
        postgresql_where=sa.text("state <> 'waiting'"),
    )
    op.create_index(
        "ix_webhooks_with_body",
        "webhooks",
        ["number"],
        unique=False,
        sqlite_where=sa.text("state IN ('routed', 'unrouted') AND pruned_at IS NULL"),
        postgresql_where=sa.text("state IN ('routed', 'unrouted') AND pruned_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", NAME, nullable=False),
        sa.Column("webhook", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("repeats", NAME, nullable=True),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.Column("gist", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("event", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("quiet", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.Float(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Boolean(), nullable=False),
        sa.Column("sent_as", sa.Text(), nullable=True),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.number"], name=op.f("fk_deliveries_webhook")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("webhook", "id", name=op.f("uq_deliveries_webhook_id")),
    )
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["lane", "webhook"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index(
        "ix_deliveries_order",
        "deliveries",
        ["lane", "order_key", "webhook"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index(
        "ix_deliveries_scheduled",
        "deliveries",
        ["state", "due_at", "webhook"],
        unique=False,
        sqlite_where=sa.text("state = 'scheduled'"),
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        "ix_deliveries_ended",
        "deliveries",
        ["state", "webhook", "position"],
        unique=False,
        sqlite_where=sa.text("state NOT IN ('waiting', 'sending', 'scheduled')"),
        postgresql_where=sa.text("state NOT IN ('waiting', 'sending', 'scheduled')"),
    )
    op.create_index(
        "ix_deliveries_repeats",
        "deliveries",
        ["repeats"],
        unique=False,
        sqlite_where=sa.text("repeats IS NOT NULL"),
        postgresql_where=sa.text("repeats IS NOT NULL"),
    )
    op.create_table(
        "events",
        sa.Column("webhook", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("verdicts", sa.JSON(), nullable=False),
        sa.Column("remarks", sa.JSON(), nullable=False),
        sa.Column("begins", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("routed_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.number"], name=op.f("fk_events_webhook")),
        sa.PrimaryKeyConstraint("webhook", "position", name=op.f("pk_events")),
    )
    op.create_table(
        "endings",
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("webhook", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("known_since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("known_by", "webhook", "position", name=op.f("pk_endings")),
    )
    op.create_index("ix_endings_known_since", "endings", ["known_since"], unique=False)
    op.create_table(
        "occasions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("webhook", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("deliveries", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", "webhook", "position", name=op.f("pk_occasions")),
    )
    op.create_index("ix_occasions_webhook", "occasions", ["webhook"], unique=False)
    op.create_index(
        "ix_occasions_expires_at",
        "occasions",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "cancellers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("delivery", NAME, nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery"], ["deliveries.id"], name=op.f("fk_cancellers_delivery")
        ),
        sa.PrimaryKeyConstraint("key", "delivery", name=op.f("pk_cancellers")),
    )
    op.create_index("ix_cancellers_delivery", "cancellers", ["delivery"], unique=False)
    op.create_table(
        "threads",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("known_since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "topic", name=op.f("pk_threads")),
    )
    op.create_index("ix_threads_known_since", "threads", ["known_since"], unique=False)
    op.create_table(
        "consents",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("delivery", NAME, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("flag", sa.Boolean(), nullable=True),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("webhook", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consents")),
        sa.UniqueConstraint("delivery", "webhook", name=op.f("uq_consents_delivery_webhook")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_consents_address", "consents", ["address"], unique=False)
    op.create_index("ix_consents_webhook", "consents", ["webhook"], unique=False)
    op.create_table(
        "attempts",
        sa.Column(
            "webhook",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("delivery", NAME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("calls", sa.JSON(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook", "delivery"],
            ["deliveries.webhook", "deliveries.id"],
            name=op.f("fk_attempts_webhook"),
        ),
        sa.PrimaryKeyConstraint("webhook", "delivery", "number", name=op.f("pk_attempts")),
    )
