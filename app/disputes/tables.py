"""The tables of disputes. What is contested never changes; the status moves on once, and each step is kept.

The reasons are sealed under the volunteer's key: they are the volunteer's words, or about the volunteer.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

disputes = sa.Table(
    "disputes",
    metadata,
    tenant_key(),
    sa.Column("dispute_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("service_record_id", Id),
    sa.Column("transaction_number", Count),
    # What the contested record or transaction is, as a path below the community.
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "dispute_id", name="disputes_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="disputes_volunteer_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "service_record_id"],
        ["service_records.community_id", "service_records.service_record_id"],
        name="disputes_record_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="disputes_transaction_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="disputes_number_key"),
    sa.CheckConstraint("(service_record_id IS NULL) <> (transaction_number IS NULL)", name="disputes_contested_check"),
    sa.CheckConstraint("status IN ('open', 'upheld', 'rejected', 'withdrawn')", name="disputes_status_check"),
    sa.Index("disputes_person_idx", "community_id", "volunteer_id", "number"),
    sa.Index("disputes_status_idx", "community_id", "status", "number"),
    sqlite_strict=True,
)

dispute_steps = sa.Table(
    "dispute_steps",
    metadata,
    tenant_key(),
    sa.Column("dispute_id", Id, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("taken_by", sa.Text, nullable=False),
    sa.Column("taken_at", Instant, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "dispute_id", "step", name="dispute_steps_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "dispute_id"],
        ["disputes.community_id", "disputes.dispute_id"],
        name="dispute_steps_dispute_fkey",
    ),
    sa.CheckConstraint("(step = 1) = (status = 'open')", name="dispute_steps_status_check"),
    sqlite_strict=True,
)
