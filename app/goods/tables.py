"""The tables of goods. Pieces are units of the ledger; no table here counts them."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

goods = sa.Table(
    "goods",
    metadata,
    tenant_key(),
    sa.Column("goods_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("specification", sa.Text),
    sa.Column("points_price", sa.Integer, nullable=False),
    sa.Column("limit_per_person", sa.Integer),
    sa.Column("limit_period", sa.Text, nullable=False),
    sa.Column(
        "limit_per_household",
        sa.Integer,
        sa.CheckConstraint("limit_per_household > 0", name="goods_household_limit_check"),
    ),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("community_id", "goods_id", name="goods_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="goods_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="goods_number_key"),
    sa.UniqueConstraint("community_id", "code", name="goods_code_key"),
    sa.CheckConstraint("points_price > 0", name="goods_price_check"),
    sa.CheckConstraint("limit_per_person > 0", name="goods_limit_check"),
    sa.CheckConstraint("limit_period IN ('day', 'month', 'quarter', 'year')", name="goods_period_check"),
    sqlite_strict=True,
)

stock_movements = sa.Table(
    "stock_movements",
    metadata,
    tenant_key(),
    sa.Column("stock_movement_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("goods_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("change", Count, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("moved_by", sa.Text, nullable=False),
    sa.Column("moved_at", Instant, nullable=False),
    # None when a count found just what the ledger has.
    sa.Column("transaction_number", Count),
    sa.PrimaryKeyConstraint("community_id", "stock_movement_id", name="stock_movements_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "goods_id"], ["goods.community_id", "goods.goods_id"], name="stock_movements_goods_fkey"
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="stock_movements_transaction_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="stock_movements_number_key"),
    sa.CheckConstraint("kind IN ('received', 'written_off', 'counted')", name="stock_movements_kind_check"),
    sa.CheckConstraint("quantity >= 0", name="stock_movements_quantity_check"),
    sa.CheckConstraint("(change <> 0) = (transaction_number IS NOT NULL)", name="stock_movements_change_check"),
    sa.Index("stock_movements_goods_idx", "community_id", "goods_id", "number"),
    sa.UniqueConstraint("community_id", "transaction_number", name="stock_movements_transaction_key"),
    sqlite_strict=True,
)
