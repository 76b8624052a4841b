"""The table of audits that were asked for: who asked, how far it is, and in the end what was found."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Document, Id, Instant

audits = sa.Table(
    "audits",
    metadata,
    tenant_key(),
    sa.Column("audit_id", Id, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("requested_at", Instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    # Everything up to this number was checked.
    sa.Column("last_transaction", Count),
    sa.Column("discrepancies_count", sa.Integer),
    sa.Column("discrepancies", Document),
    sa.PrimaryKeyConstraint("community_id", "audit_id", name="audits_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="audits_head_fkey"),
    sa.CheckConstraint("status IN ('pending', 'running', 'done', 'failed')", name="audits_status_check"),
    sa.CheckConstraint("(status IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="audits_finished_check"),
    sa.CheckConstraint("(status = 'done') = (discrepancies_count IS NOT NULL)", name="audits_result_check"),
    sa.Index("audits_status_idx", "community_id", "status"),
    sqlite_strict=True,
)
