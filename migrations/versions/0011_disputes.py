"""Disputes: what volunteers contest, and the answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_CONTESTED = (
    "community_id",
    "dispute_id",
    "number",
    "volunteer_id",
    "service_record_id",
    "transaction_number",
    "reference",
    "due_at",
)


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_disputes()
    _create_dispute_steps()
    guards.frozen("disputes", _CONTESTED, ("community_id", "dispute_id"), ("community_id", "number"))
    guards.append_only("dispute_steps", ("community_id", "dispute_id", "step"))
    guards.grant("disputes", "SELECT, INSERT, UPDATE (status)")
    guards.grant("dispute_steps", "SELECT, INSERT")
    for table in ("disputes", "dispute_steps"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("dispute_steps")
    op.drop_table("disputes")


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("dispute_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("service_record_id", Id, nullable=True),
        sa.Column("transaction_number", Count, nullable=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("due_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.CheckConstraint(
            "(service_record_id IS NULL) <> (transaction_number IS NULL)", name="disputes_contested_check"
        ),
        sa.CheckConstraint("status IN ('open', 'upheld', 'rejected', 'withdrawn')", name="disputes_status_check"),
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
        sa.PrimaryKeyConstraint("community_id", "dispute_id", name="disputes_pkey"),
        sa.UniqueConstraint("community_id", "number", name="disputes_number_key"),
        sqlite_strict=True,
    )
    op.create_index("disputes_person_idx", "disputes", ["community_id", "volunteer_id", "number"], unique=False)
    op.create_index("disputes_status_idx", "disputes", ["community_id", "status", "number"], unique=False)


def _create_dispute_steps() -> None:
    op.create_table(
        "dispute_steps",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("dispute_id", Id, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("taken_at", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.CheckConstraint("(step = 1) = (status = 'open')", name="dispute_steps_status_check"),
        sa.ForeignKeyConstraint(
            ["community_id", "dispute_id"],
            ["disputes.community_id", "disputes.dispute_id"],
            name="dispute_steps_dispute_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "dispute_id", "step", name="dispute_steps_pkey"),
        sqlite_strict=True,
    )
