"""Corrections of service records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations.guards import append_only, bind_to_tenant, grant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    op.create_table(
        "corrections",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("service_record_id", Id, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("corrected_by", sa.Text, nullable=False),
        sa.Column("corrected_at", Instant, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.Column("replacement_id", Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id", "service_record_id"],
            ["verifications.community_id", "verifications.service_record_id"],
            name="corrections_verification_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "replacement_id"],
            ["service_records.community_id", "service_records.service_record_id"],
            name="corrections_replacement_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="corrections_transaction_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "service_record_id", name="corrections_pkey"),
        sa.UniqueConstraint("community_id", "transaction_number", name="corrections_transaction_key"),
        sa.UniqueConstraint("community_id", "replacement_id", name="corrections_replacement_key"),
        sqlite_strict=True,
    )
    append_only(
        "corrections",
        ["community_id", "service_record_id"],
        ["community_id", "transaction_number"],
        ["community_id", "replacement_id"],
    )
    grant("corrections", "SELECT, INSERT")
    bind_to_tenant("corrections")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("corrections")
