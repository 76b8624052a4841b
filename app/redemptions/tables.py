"""The tables of redemptions.

An order never changes; its status moves on once, with who closed it and when. A collected one can be returned besides.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant, LocalDate

redemptions = sa.Table(
    "redemptions",
    metadata,
    tenant_key(),
    sa.Column("redemption_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("points", Count, nullable=False),
    sa.Column("pickup_code", sa.Text, nullable=False),
    sa.Column("occurred_at", Instant, nullable=False),
    # The local date by which limits count.
    sa.Column("occurred_on", LocalDate, nullable=False),
    sa.Column("reserved_by", sa.Text, nullable=False),
    sa.Column("reserved_at", Instant, nullable=False),
    sa.Column("lapses_at", Instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("closed_at", Instant),
    sa.Column("closed_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "redemption_id", name="redemptions_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="redemptions_volunteer_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="redemptions_number_key"),
    sa.CheckConstraint(
        "status IN ('reserved', 'collected', 'cancelled', 'lapsed', 'returned')", name="redemptions_status_check"
    ),
    sa.CheckConstraint("points > 0", name="redemptions_points_check"),
    sa.CheckConstraint("(status = 'reserved') = (closed_at IS NULL)", name="redemptions_closed_check"),
    sa.Index("redemptions_person_idx", "community_id", "volunteer_id", "occurred_on"),
    sa.Index("redemptions_status_idx", "community_id", "status", "number"),
    sqlite_strict=True,
)

redemption_lines = sa.Table(
    "redemption_lines",
    metadata,
    tenant_key(),
    sa.Column("redemption_id", Id, nullable=False),
    sa.Column("goods_id", Id, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("points_each", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "redemption_id", "goods_id", name="redemption_lines_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "redemption_id"],
        ["redemptions.community_id", "redemptions.redemption_id"],
        name="redemption_lines_redemption_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "goods_id"], ["goods.community_id", "goods.goods_id"], name="redemption_lines_goods_fkey"
    ),
    sa.CheckConstraint("quantity > 0", name="redemption_lines_quantity_check"),
    sqlite_strict=True,
)

redemption_returns = sa.Table(
    "redemption_returns",
    metadata,
    tenant_key(),
    sa.Column("redemption_id", Id, nullable=False),
    sa.Column("transaction_number", Count, nullable=False),
    sa.Column("return_reason", sa.Text, nullable=False),
    sa.Column("returned_by", sa.Text, nullable=False),
    sa.Column("returned_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "redemption_id", name="redemption_returns_pkey"),
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
    sa.UniqueConstraint("community_id", "transaction_number", name="redemption_returns_transaction_key"),
    sqlite_strict=True,
)
