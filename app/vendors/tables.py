"""The table of vendors. Who they are stands sealed under each one's own key, and is found by the phone's keyed hash."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Id, Instant

vendors = sa.Table(
    "vendors",
    metadata,
    tenant_key(),
    sa.Column("vendor_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("phone_hash", sa.Text, nullable=False),
    sa.Column("goods_sold", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("registered_by", sa.Text, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("ended_by", sa.Text),
    sa.Column("erased_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "vendor_id", name="vendors_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="vendors_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="vendors_number_key"),
    sa.CheckConstraint("status IN ('active', 'ended', 'erased')", name="vendors_status_check"),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="vendors_ended_check"),
    sa.CheckConstraint("(erased_at IS NOT NULL) = (status = 'erased')", name="vendors_erased_check"),
    sqlite_strict=True,
)
# Who left may come back, and is registered anew.
partial_index(vendors, "vendors_active_key", "community_id", "phone_hash", where="status = 'active'", unique=True)
