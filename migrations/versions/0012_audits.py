"""Audits of the ledger that were asked for, and their results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Id, Instant
from migrations import guards

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    op.create_table(
        "audits",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("audit_id", Id, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", Instant, nullable=True),
        sa.Column("finished_at", Instant, nullable=True),
        sa.Column("last_transaction", Count, nullable=True),
        sa.Column("discrepancies_count", sa.Integer, nullable=True),
        sa.Column("discrepancies", Document, nullable=True),
        sa.CheckConstraint("status IN ('pending', 'running', 'done', 'failed')", name="audits_status_check"),
        sa.CheckConstraint("(status IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="audits_finished_check"),
        sa.CheckConstraint("(status = 'done') = (discrepancies_count IS NOT NULL)", name="audits_result_check"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="audits_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "audit_id", name="audits_pkey"),
        sqlite_strict=True,
    )
    op.create_index("audits_status_idx", "audits", ["community_id", "status"], unique=False)
    guards.frozen("audits", ("community_id", "audit_id", "requested_by", "requested_at"), ("community_id", "audit_id"))
    guards.grant(
        "audits",
        "SELECT, INSERT,"
        " UPDATE (status, started_at, finished_at, last_transaction, discrepancies_count, discrepancies)",
    )
    guards.bind_to_tenant("audits")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("audits")
