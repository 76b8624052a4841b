"""The table of attendance: at most one row a sign-up, which changes until it is submitted."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Id, Instant, LocalDate

attendances = sa.Table(
    "attendances",
    metadata,
    tenant_key(),
    sa.Column("signup_id", Id, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    # How it was recorded last: by the organiser's list, at the desk, or with the code of the place.
    sa.Column("method", sa.Text, nullable=False),
    # What the desk or the code saw, whatever the organiser's list says later.
    sa.Column("checked_in_at", Instant),
    sa.Column("checked_out_at", Instant),
    # What is proposed for the service record: the local date is that of the start.
    sa.Column("starts_at", Instant),
    sa.Column("ends_at", Instant),
    sa.Column("service_date", LocalDate),
    sa.Column("break_minutes", sa.Integer, nullable=False),
    sa.Column("minutes", sa.Integer),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    # From then on nothing of it changes. What is no volunteering is submitted too, without a record.
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
partial_index(attendances, "attendances_absent_idx", "community_id", "signup_id", where="outcome = 'absent'")
# For reports.
partial_index(attendances, "attendances_day_idx", "community_id", "service_date", where="service_date IS NOT NULL")
