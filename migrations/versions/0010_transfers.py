"""Transfers of points: gifts and donations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    _create_transfers()
    guards.append_only(
        "transfers",
        ("community_id", "transfer_id"),
        ("community_id", "number"),
        ("community_id", "transaction_number"),
    )
    guards.grant("transfers", "SELECT, INSERT")
    guards.bind_to_tenant("transfers")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("transfers")


def _create_transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("transfer_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("from_volunteer_id", Id, nullable=False),
        sa.Column("to_volunteer_id", Id, nullable=True),
        sa.Column("points", Count, nullable=False),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("transferred_by", sa.Text, nullable=False),
        sa.Column("transferred_at", Instant, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.CheckConstraint("points > 0", name="transfers_points_check"),
        sa.CheckConstraint("from_volunteer_id <> to_volunteer_id", name="transfers_other_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "from_volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="transfers_from_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "to_volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="transfers_to_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="transfers_transaction_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "transfer_id", name="transfers_pkey"),
        sa.UniqueConstraint("community_id", "number", name="transfers_number_key"),
        sa.UniqueConstraint("community_id", "transaction_number", name="transfers_transaction_key"),
        sqlite_strict=True,
    )
    op.create_index("transfers_from_idx", "transfers", ["community_id", "from_volunteer_id", "number"])
    op.create_index("transfers_to_idx", "transfers", ["community_id", "to_volunteer_id", "number"])
