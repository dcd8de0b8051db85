"""What is in quarantine lies packed, and is listed with its size and what its signature covers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("received_bytes", sa.BigInteger(), nullable=True))
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
