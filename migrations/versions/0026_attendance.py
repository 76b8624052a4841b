"""Attendance of sign-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Id, Instant, LocalDate
from migrations import guards

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_moving = (
    "outcome, method, checked_in_at, checked_out_at, starts_at, ends_at, service_date, break_minutes, minutes,"
    " recorded_by, recorded_at, submitted_by, submitted_at, service_record_id"
)


def upgrade() -> None:
    """Create the table, its guards and its wall."""
    op.create_table(
        "attendances",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("signup_id", Id, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("checked_in_at", Instant),
        sa.Column("checked_out_at", Instant),
        sa.Column("starts_at", Instant),
        sa.Column("ends_at", Instant),
        sa.Column("service_date", LocalDate),
        sa.Column("break_minutes", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Integer),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("submitted_by", sa.Text),
        sa.Column("submitted_at", Instant),
        sa.Column("service_record_id", Id),
        sa.PrimaryKeyConstraint("community_id", "signup_id", name="attendances_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "signup_id"], ["signups.community_id", "signups.signup_id"], name="attendances_signup_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "service_record_id"],
            ["service_records.community_id", "service_records.service_record_id"],
            name="attendances_record_fkey",
        ),
        sa.UniqueConstraint("community_id", "service_record_id", name="attendances_record_key"),
        sa.CheckConstraint("outcome IN ('present', 'attended', 'absent', 'excused')", name="attendances_outcome_check"),
        sa.CheckConstraint("method IN ('list', 'desk', 'code')", name="attendances_method_check"),
        sa.CheckConstraint("(outcome = 'attended') = (minutes IS NOT NULL)", name="attendances_minutes_check"),
        sa.CheckConstraint("starts_at <= ends_at", name="attendances_span_check"),
        sa.CheckConstraint(
            "service_record_id IS NULL OR (outcome = 'attended' AND submitted_at IS NOT NULL)",
            name="attendances_submitted_check",
        ),
        sqlite_strict=True,
    )
    absent = sa.text("outcome = 'absent'")
    op.create_index(
        "attendances_absent_idx",
        "attendances",
        ["community_id", "signup_id"],
        sqlite_where=absent,
        postgresql_where=absent,
    )
    guards.frozen(
        "attendances",
        ("community_id", "signup_id"),
        ("community_id", "signup_id"),
        ("community_id", "service_record_id"),
    )
    guards.grant("attendances", f"SELECT, INSERT, UPDATE ({_moving})")
    guards.wall_in("attendances")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("attendances")
