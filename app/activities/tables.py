"""The tables of activities. A position never changes; a shift may be moved or skipped, and keeps the day it was for."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Flag, Id, Instant, LocalDate

activities = sa.Table(
    "activities",
    metadata,
    tenant_key(),
    sa.Column("activity_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("counts_as_volunteering", Flag, nullable=False),
    # What volunteers' time on it is recorded as; of what does not count, nothing is.
    sa.Column("service_kind", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("organiser", sa.Text, nullable=False),
    # Until so long before a shift's start who signed up may cancel.
    sa.Column("cancellation_hours", sa.Integer, nullable=False),
    # What the activity is for: a beneficiary's visits, a partner's clinic, a site's stalls.
    sa.Column("beneficiary_id", Id),
    sa.Column("partner_id", Id),
    sa.Column("site_id", Id),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "activity_id", name="activities_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "service_kind"],
        ["service_kinds.community_id", "service_kinds.code"],
        name="activities_service_kind_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="activities_number_key"),
    sa.CheckConstraint(
        "kind IN ('home_visit', 'free_clinic', 'team_duty', 'tide_stall', 'other')", name="activities_kind_check"
    ),
    sa.CheckConstraint("counts_as_volunteering = (service_kind IS NOT NULL)", name="activities_counting_check"),
    sa.Index("activities_kind_idx", "community_id", "kind", "number"),
    sqlite_strict=True,
)
partial_index(activities, "activities_site_idx", "community_id", "site_id", where="site_id IS NOT NULL")

positions = sa.Table(
    "positions",
    metadata,
    tenant_key(),
    sa.Column("position_id", Id, nullable=False),
    sa.Column("activity_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # Who fills it: volunteers, members of embedded teams, vendors, or the residents for whom a clinic is held.
    sa.Column("participants", sa.Text, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("required_qualification", sa.Text),
    # Who gets the seats: whoever comes first, or who is drawn.
    sa.Column("allocation", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "position_id", name="positions_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "activity_id"],
        ["activities.community_id", "activities.activity_id"],
        name="positions_activity_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="positions_number_key"),
    sa.CheckConstraint(
        "participants IN ('volunteer', 'member', 'vendor', 'beneficiary')", name="positions_participants_check"
    ),
    sa.CheckConstraint("capacity BETWEEN 1 AND 1000", name="positions_capacity_check"),
    sa.CheckConstraint("allocation IN ('first_come', 'draw')", name="positions_allocation_check"),
    sa.Index("positions_activity_idx", "community_id", "activity_id", "number"),
    sqlite_strict=True,
)

series = sa.Table(
    "series",
    metadata,
    tenant_key(),
    sa.Column("series_id", Id, nullable=False),
    sa.Column("activity_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    # A recurrence rule of RFC 5545 over local days, and when its shifts begin on each.
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("starts_on", LocalDate, nullable=False),
    sa.Column("starts_at_minute", sa.Integer, nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    # Up to which day its shifts have been made.
    sa.Column("made_until", LocalDate),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # The last day that may have a shift, once somebody ended it.
    sa.Column("ends_on", LocalDate),
    sa.PrimaryKeyConstraint("community_id", "series_id", name="series_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "activity_id"],
        ["activities.community_id", "activities.activity_id"],
        name="series_activity_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="series_number_key"),
    sa.CheckConstraint("starts_at_minute BETWEEN 0 AND 1439", name="series_start_check"),
    sa.CheckConstraint("minutes BETWEEN 1 AND 1440", name="series_minutes_check"),
    sa.Index("series_activity_idx", "community_id", "activity_id", "number"),
    sqlite_strict=True,
)

shifts = sa.Table(
    "shifts",
    metadata,
    tenant_key(),
    sa.Column("shift_id", Id, nullable=False),
    sa.Column("activity_id", Id, nullable=False),
    sa.Column("series_id", Id),
    # The day that the rule gave, wherever the shift was moved to.
    sa.Column("occurs_on", LocalDate),
    sa.Column("number", Count, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("starts_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # Why it was moved or skipped last.
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "shift_id", name="shifts_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "activity_id"],
        ["activities.community_id", "activities.activity_id"],
        name="shifts_activity_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "series_id"], ["series.community_id", "series.series_id"], name="shifts_series_fkey"
    ),
    sa.UniqueConstraint("community_id", "number", name="shifts_number_key"),
    sa.UniqueConstraint("community_id", "series_id", "occurs_on", name="shifts_occurrence_key"),
    sa.CheckConstraint("starts_at < ends_at", name="shifts_span_check"),
    sa.CheckConstraint("(series_id IS NULL) = (occurs_on IS NULL)", name="shifts_occurrence_check"),
    sa.CheckConstraint("status IN ('planned', 'skipped')", name="shifts_status_check"),
    sa.Index("shifts_activity_idx", "community_id", "activity_id", "starts_at"),
    sa.Index("shifts_start_idx", "community_id", "starts_at"),
    sqlite_strict=True,
)
