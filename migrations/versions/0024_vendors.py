"""Vendors of tide stalls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_registered = ("community_id", "vendor_id", "number", "registered_by", "registered_at")
_rights = "SELECT, INSERT, UPDATE (sealed, phone_hash, goods_sold, status, ended_at, ended_by, erased_at)"
_shown = "community_id, vendor_id, number, status, registered_by, registered_at, ended_at, ended_by, erased_at"


def upgrade() -> None:
    """Create the table with its guards."""
    op.create_table(
        "vendors",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
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
    op.create_index(
        "vendors_active_key",
        "vendors",
        ["community_id", "phone_hash"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    keys = (("community_id", "vendor_id"), ("community_id", "number"), ("community_id", "phone_hash", "status"))
    guards.frozen("vendors", _registered, *keys)
    guards.grant("vendors", _rights)
    guards.wall_in("vendors", shown=_shown)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("vendors")
