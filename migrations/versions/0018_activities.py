"""Activities, their positions and shifts, and who signs up for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Flag, Id, Instant, LocalDate
from migrations import guards

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_rights = {
    "activities": "SELECT, INSERT, UPDATE (revision, name, place, content, organiser, cancellation_hours, ended_at)",
    "positions": "SELECT, INSERT",
    "series": "SELECT, INSERT, UPDATE (made_until, ends_on)",
    "shifts": "SELECT, INSERT, UPDATE (revision, starts_at, ends_at, place, status, reason)",
    "standing_signups": "SELECT, INSERT, DELETE",
    "signups": "SELECT, INSERT, UPDATE (status, seat, queue, closed_by, closed_at, reason)",
}


def upgrade() -> None:
    """Create the tables, their guards and walls."""
    _create_activities()
    _create_positions()
    _create_series()
    _create_shifts()
    _create_standing_signups()
    _create_signups()
    guards.append_only("positions", ("community_id", "position_id"), ("community_id", "number"))
    for table, rights in _rights.items():
        guards.grant(table, rights)
        guards.wall_in(table)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_rights):
        op.drop_table(table)


def _create_activities() -> None:
    op.create_table(
        "activities",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("counts_as_volunteering", Flag, nullable=False),
        sa.Column("service_kind", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("organiser", sa.Text, nullable=False),
        sa.Column("cancellation_hours", sa.Integer, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index("activities_kind_idx", "activities", ["community_id", "kind", "number"], unique=False)


def _create_positions() -> None:
    op.create_table(
        "positions",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("position_id", Id, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("participants", sa.Text, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("required_qualification", sa.Text),
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
        sqlite_strict=True,
    )
    op.create_index("positions_activity_idx", "positions", ["community_id", "activity_id", "number"], unique=False)


def _create_series() -> None:
    op.create_table(
        "series",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("series_id", Id, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("starts_on", LocalDate, nullable=False),
        sa.Column("starts_at_minute", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("made_until", LocalDate),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index("series_activity_idx", "series", ["community_id", "activity_id", "number"], unique=False)


def _create_shifts() -> None:
    op.create_table(
        "shifts",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("series_id", Id),
        sa.Column("occurs_on", LocalDate),
        sa.Column("number", Count, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("starts_at", Instant, nullable=False),
        sa.Column("ends_at", Instant, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index("shifts_activity_idx", "shifts", ["community_id", "activity_id", "starts_at"], unique=False)
    op.create_index("shifts_start_idx", "shifts", ["community_id", "starts_at"], unique=False)


def _create_standing_signups() -> None:
    op.create_table(
        "standing_signups",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("series_id", Id, nullable=False),
        sa.Column("participant_id", Id, nullable=False),
        sa.Column("position_id", Id, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "series_id", "participant_id", name="standing_signups_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "series_id"],
            ["series.community_id", "series.series_id"],
            name="standing_signups_series_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "position_id"],
            ["positions.community_id", "positions.position_id"],
            name="standing_signups_position_fkey",
        ),
        sqlite_strict=True,
    )


def _create_signups() -> None:
    op.create_table(
        "signups",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("signup_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("position_id", Id, nullable=False),
        sa.Column("participant_id", Id, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("seat", sa.Integer),
        sa.Column("queue", Count, nullable=False),
        sa.Column("signed_up_by", sa.Text, nullable=False),
        sa.Column("signed_up_at", Instant, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_at", Instant),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("community_id", "signup_id", name="signups_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="signups_shift_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "position_id"],
            ["positions.community_id", "positions.position_id"],
            name="signups_position_fkey",
        ),
        sa.UniqueConstraint("community_id", "number", name="signups_number_key"),
        sa.CheckConstraint(
            "status IN ('applied', 'confirmed', 'waitlisted', 'cancelled', 'released')", name="signups_status_check"
        ),
        sa.CheckConstraint("(seat IS NOT NULL) = (status = 'confirmed')", name="signups_seat_check"),
        sa.CheckConstraint(
            "(closed_at IS NOT NULL) = (status IN ('cancelled', 'released'))", name="signups_closed_check"
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "signups_seat_key",
        "signups",
        ["community_id", "shift_id", "position_id", "seat"],
        unique=True,
        sqlite_where=sa.text("seat IS NOT NULL"),
        postgresql_where=sa.text("seat IS NOT NULL"),
    )
    op.create_index(
        "signups_live_key",
        "signups",
        ["community_id", "shift_id", "participant_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("signups_shift_idx", "signups", ["community_id", "shift_id", "number"], unique=False)
    op.create_index("signups_participant_idx", "signups", ["community_id", "participant_id", "number"], unique=False)
