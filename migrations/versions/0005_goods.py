"""Goods, stock movements and redemptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant, LocalDate
from migrations import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ORDER = (
    "community_id",
    "redemption_id",
    "number",
    "volunteer_id",
    "points",
    "pickup_code",
    "occurred_at",
    "occurred_on",
    "reserved_by",
    "reserved_at",
    "lapses_at",
)


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_goods()
    _create_stock_movements()
    _create_redemptions()
    _create_redemption_lines()
    guards.append_only(
        "stock_movements",
        ("community_id", "stock_movement_id"),
        ("community_id", "number"),
        ("community_id", "transaction_number"),
    )
    guards.append_only("redemption_lines", ("community_id", "redemption_id", "goods_id"))
    guards.frozen("redemptions", _ORDER, ("community_id", "redemption_id"), ("community_id", "number"))
    guards.grant("goods", "SELECT, INSERT, UPDATE")
    for table in ("stock_movements", "redemption_lines"):
        guards.grant(table, "SELECT, INSERT")
    guards.grant("redemptions", "SELECT, INSERT, UPDATE (status, closed_at, closed_by, reason)")
    for table in ("goods", "stock_movements", "redemptions", "redemption_lines"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("redemption_lines")
    op.drop_table("redemptions")
    op.drop_table("stock_movements")
    op.drop_table("goods")


def _create_goods() -> None:
    op.create_table(
        "goods",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("goods_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("specification", sa.Text, nullable=True),
        sa.Column("points_price", sa.Integer, nullable=False),
        sa.Column("limit_per_person", sa.Integer, nullable=True),
        sa.Column("limit_period", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("limit_period IN ('day', 'month', 'quarter', 'year')", name="goods_period_check"),
        sa.CheckConstraint("limit_per_person > 0", name="goods_limit_check"),
        sa.CheckConstraint("points_price > 0", name="goods_price_check"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="goods_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "goods_id", name="goods_pkey"),
        sa.UniqueConstraint("community_id", "code", name="goods_code_key"),
        sa.UniqueConstraint("community_id", "number", name="goods_number_key"),
        sqlite_strict=True,
    )


def _create_stock_movements() -> None:
    op.create_table(
        "stock_movements",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("stock_movement_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("goods_id", Id, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("change", Count, nullable=False),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("moved_by", sa.Text, nullable=False),
        sa.Column("moved_at", Instant, nullable=False),
        sa.Column("transaction_number", Count, nullable=True),
        sa.CheckConstraint("kind IN ('received', 'written_off', 'counted')", name="stock_movements_kind_check"),
        sa.CheckConstraint("(change <> 0) = (transaction_number IS NOT NULL)", name="stock_movements_change_check"),
        sa.CheckConstraint("quantity >= 0", name="stock_movements_quantity_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "goods_id"], ["goods.community_id", "goods.goods_id"], name="stock_movements_goods_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "transaction_number"],
            ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
            name="stock_movements_transaction_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "stock_movement_id", name="stock_movements_pkey"),
        sa.UniqueConstraint("community_id", "number", name="stock_movements_number_key"),
        sa.UniqueConstraint("community_id", "transaction_number", name="stock_movements_transaction_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "stock_movements_goods_idx", "stock_movements", ["community_id", "goods_id", "number"], unique=False
    )


def _create_redemptions() -> None:
    op.create_table(
        "redemptions",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("redemption_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("points", Count, nullable=False),
        sa.Column("pickup_code", sa.Text, nullable=False),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("occurred_on", LocalDate, nullable=False),
        sa.Column("reserved_by", sa.Text, nullable=False),
        sa.Column("reserved_at", Instant, nullable=False),
        sa.Column("lapses_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("closed_at", Instant, nullable=True),
        sa.Column("closed_by", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.CheckConstraint("(status = 'reserved') = (closed_at IS NULL)", name="redemptions_closed_check"),
        sa.CheckConstraint(
            "status IN ('reserved', 'collected', 'cancelled', 'lapsed', 'returned')", name="redemptions_status_check"
        ),
        sa.CheckConstraint("points > 0", name="redemptions_points_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="redemptions_volunteer_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "redemption_id", name="redemptions_pkey"),
        sa.UniqueConstraint("community_id", "number", name="redemptions_number_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "redemptions_person_idx", "redemptions", ["community_id", "volunteer_id", "occurred_on"], unique=False
    )
    op.create_index("redemptions_status_idx", "redemptions", ["community_id", "status", "number"], unique=False)


def _create_redemption_lines() -> None:
    op.create_table(
        "redemption_lines",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("redemption_id", Id, nullable=False),
        sa.Column("goods_id", Id, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("points_each", sa.Integer, nullable=False),
        sa.CheckConstraint("quantity > 0", name="redemption_lines_quantity_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "goods_id"], ["goods.community_id", "goods.goods_id"], name="redemption_lines_goods_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "redemption_id"],
            ["redemptions.community_id", "redemptions.redemption_id"],
            name="redemption_lines_redemption_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "redemption_id", "goods_id", name="redemption_lines_pkey"),
        sqlite_strict=True,
    )
