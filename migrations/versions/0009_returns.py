"""Returns of redemptions, and limits per household."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its guards, and the limit."""
    op.create_table(
        "redemption_returns",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("redemption_id", Id, nullable=False),
        sa.Column("transaction_number", Count, nullable=False),
        sa.Column("return_reason", sa.Text, nullable=False),
        sa.Column("returned_by", sa.Text, nullable=False),
        sa.Column("returned_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "redemption_id"],
            ["redemptions.community_id", "redemptions.redemption_id"],
            name="redemption_returns_redemption_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="redemption_returns_transaction_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "redemption_id", name="redemption_returns_pkey"),
        sa.UniqueConstraint("community_id", "transaction_number", name="redemption_returns_transaction_key"),
        sqlite_strict=True,
    )
    guards.append_only("redemption_returns", ("community_id", "redemption_id"), ("community_id", "transaction_number"))
    guards.grant("redemption_returns", "SELECT, INSERT")
    guards.bind_to_tenant("redemption_returns")
    # In words that both databases know: the column carries its check, and goes with it.
    op.execute(
        "ALTER TABLE goods ADD COLUMN limit_per_household INTEGER"
        " CONSTRAINT goods_household_limit_check CHECK (limit_per_household > 0)"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_column("goods", "limit_per_household")
    op.drop_table("redemption_returns")
