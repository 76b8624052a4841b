"""Sites of tide stalls, their footfall calendars, and draws."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Id, Instant, LocalDate
from migrations import guards

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_of_sites = (("community_id", "site_id"), ("community_id", "number"), ("community_id", "code"))
_of_openings = ("community_id", "calendar_id", "weekday", "hour")
_of_lots = (("community_id", "shift_id", "signup_id"), ("community_id", "shift_id", "position_id", "rank"))
_rights = {
    "sites": "SELECT, INSERT",
    "footfall_calendars": "SELECT, INSERT",
    "openings": "SELECT, INSERT",
    "draws": "SELECT, INSERT, UPDATE (draws_at, drawn_at, drawn_by, revealed)",
    "lots": "SELECT, INSERT",
}


def upgrade() -> None:
    """Create the tables, their guards and walls."""
    _create_sites()
    _create_calendars()
    _create_openings()
    _create_draws()
    _create_lots()
    guards.append_only("sites", *_of_sites, ("community_id", "activity_id"))
    guards.append_only("footfall_calendars", ("community_id", "calendar_id"), ("community_id", "number"))
    guards.append_only("openings", _of_openings)
    guards.frozen("draws", ("community_id", "shift_id", "commitment", "opened_at"), ("community_id", "shift_id"))
    guards.append_only("lots", *_of_lots)
    for table, rights in _rights.items():
        guards.grant(table, rights)
        guards.wall_in(table)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_rights):
        op.drop_table(table)


def _create_sites() -> None:
    op.create_table(
        "sites",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("pitches", sa.Integer, nullable=False),
        sa.Column("draw_hours_before", sa.Integer, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("help_activity_id", Id),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.Column("registered_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "site_id", name="sites_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "activity_id"],
            ["activities.community_id", "activities.activity_id"],
            name="sites_activity_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "help_activity_id"],
            ["activities.community_id", "activities.activity_id"],
            name="sites_help_fkey",
        ),
        sa.UniqueConstraint("community_id", "number", name="sites_number_key"),
        sa.UniqueConstraint("community_id", "code", name="sites_code_key"),
        sa.UniqueConstraint("community_id", "activity_id", name="sites_activity_key"),
        sa.CheckConstraint("pitches BETWEEN 1 AND 1000", name="sites_pitches_check"),
        sqlite_strict=True,
    )


def _create_calendars() -> None:
    op.create_table(
        "footfall_calendars",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("calendar_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("threshold", sa.Integer, nullable=False),
        sa.Column("effective_from", LocalDate, nullable=False),
        sa.Column("lines", Document, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "calendar_id", name="footfall_calendars_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "site_id"], ["sites.community_id", "sites.site_id"], name="footfall_calendars_site_fkey"
        ),
        sa.UniqueConstraint("community_id", "number", name="footfall_calendars_number_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "footfall_calendars_site_idx", "footfall_calendars", ["community_id", "site_id", "number"], unique=False
    )


def _create_openings() -> None:
    op.create_table(
        "openings",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("calendar_id", Id, nullable=False),
        sa.Column("weekday", sa.Integer, nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("hours", sa.Integer, nullable=False),
        sa.Column("series_id", Id, nullable=False),
        sa.Column("help_series_id", Id),
        sa.PrimaryKeyConstraint("community_id", "calendar_id", "weekday", "hour", name="openings_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "calendar_id"],
            ["footfall_calendars.community_id", "footfall_calendars.calendar_id"],
            name="openings_calendar_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "series_id"], ["series.community_id", "series.series_id"], name="openings_series_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "help_series_id"], ["series.community_id", "series.series_id"], name="openings_help_fkey"
        ),
        sa.CheckConstraint(
            "weekday >= 1 AND weekday <= 7 AND hour >= 0 AND hour <= 23 AND hours >= 1 AND hours <= 24",
            name="openings_time_check",
        ),
        sqlite_strict=True,
    )


def _create_draws() -> None:
    op.create_table(
        "draws",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("commitment", sa.Text, nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("draws_at", Instant, nullable=False),
        sa.Column("drawn_at", Instant),
        sa.Column("drawn_by", sa.Text),
        sa.Column("revealed", sa.Text),
        sa.PrimaryKeyConstraint("community_id", "shift_id", name="draws_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="draws_shift_fkey"
        ),
        sa.CheckConstraint(
            "(drawn_at IS NULL) = (revealed IS NULL) AND (drawn_at IS NULL) = (drawn_by IS NULL)",
            name="draws_drawn_check",
        ),
        sqlite_strict=True,
    )


def _create_lots() -> None:
    op.create_table(
        "lots",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("signup_id", Id, nullable=False),
        sa.Column("position_id", Id, nullable=False),
        sa.Column("participant_id", Id, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("seat", sa.Integer),
        sa.PrimaryKeyConstraint("community_id", "shift_id", "signup_id", name="lots_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "shift_id"], ["draws.community_id", "draws.shift_id"], name="lots_draw_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "signup_id"], ["signups.community_id", "signups.signup_id"], name="lots_signup_fkey"
        ),
        sa.UniqueConstraint("community_id", "shift_id", "position_id", "rank", name="lots_rank_key"),
        sqlite_strict=True,
    )
