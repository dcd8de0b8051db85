"""What is in quarantine lies packed, and is listed with its size and what its signature covers.

A process of the version before names webhooks otherwise. If one still runs beside this
version, what it would write down is refused, so that its sender comes again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("received_bytes", sa.BigInteger(), nullable=True))
    _add_signed_part()
    op.create_table(
        "quarantine",
        sa.Column(
            "webhook",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signed_part", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.number"], name=op.f("fk_quarantine_webhook")
        ),
        sa.PrimaryKeyConstraint("webhook", name=op.f("pk_quarantine")),
    )
    op.create_index(
        "ix_quarantine_source_signed_part_webhook",
        "quarantine",
        ["source", "signed_part", "webhook"],
        unique=False,
    )


def _add_signed_part() -> None:
    """Null in the rows that are there; whoever adds one from now on has to name it."""
    connection = op.get_bind()
    # Nobody adds a row between this and the check.
    if connection.dialect.name == "postgresql":
        op.execute("LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE")
    last = connection.execute(sa.text("SELECT coalesce(max(number), 0) FROM webhooks")).scalar_one()
    check = (
        "CONSTRAINT ck_webhooks_signed_part "
        f"CHECK (signed_part IS NOT NULL OR number <= {int(last)})"
    )
    if connection.dialect.name == "sqlite":
        op.execute(f"ALTER TABLE webhooks ADD COLUMN signed_part TEXT {check}")
    else:
        op.execute("ALTER TABLE webhooks ADD COLUMN signed_part TEXT")
        op.execute(f"ALTER TABLE webhooks ADD {check}")
