"""The tables of tide stalls. None has a place for money: a pitch costs nothing, whoever has it."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Document, Id, Instant, LocalDate

sites = sa.Table(
    "sites",
    metadata,
    tenant_key(),
    sa.Column("site_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("pitches", sa.Integer, nullable=False),
    sa.Column("draw_hours_before", sa.Integer, nullable=False),
    # Its stalls, with the pitches as seats and those on guard; and what residents help with, which counts.
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

footfall_calendars = sa.Table(
    "footfall_calendars",
    metadata,
    tenant_key(),
    sa.Column("calendar_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("site_id", Id, nullable=False),
    sa.Column("threshold", sa.Integer, nullable=False),
    sa.Column("effective_from", LocalDate, nullable=False),
    # By hour of the week, people an hour: [weekday, hour, people].
    sa.Column("lines", Document, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "calendar_id", name="footfall_calendars_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "site_id"], ["sites.community_id", "sites.site_id"], name="footfall_calendars_site_fkey"
    ),
    sa.UniqueConstraint("community_id", "number", name="footfall_calendars_number_key"),
    sa.Index("footfall_calendars_site_idx", "community_id", "site_id", "number"),
    sqlite_strict=True,
)

# When a site opens by a calendar, and the series that this is.
openings = sa.Table(
    "openings",
    metadata,
    tenant_key(),
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
