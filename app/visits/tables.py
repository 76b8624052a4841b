"""The tables of visits. A visit itself is a shift; what came of it is never changed: a later outcome takes its place.

Why a plan ended and how somebody was found who had been missed is about the person served, and sealed under their key.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Document, Id, Instant

visit_plans = sa.Table(
    "visit_plans",
    metadata,
    tenant_key(),
    sa.Column("plan_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("activity_id", Id, nullable=False),
    sa.Column("position_id", Id, nullable=False),
    sa.Column("series_id", Id, nullable=False),
    sa.Column("beneficiary_id", Id, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # Who brought its end forward last, when and why; until which day it goes on stands with the series.
    sa.Column("ended_by", sa.Text),
    sa.Column("ended_at", Instant),
    sa.Column("sealed", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "plan_id", name="visit_plans_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "activity_id"],
        ["activities.community_id", "activities.activity_id"],
        name="visit_plans_activity_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "position_id"],
        ["positions.community_id", "positions.position_id"],
        name="visit_plans_position_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "series_id"], ["series.community_id", "series.series_id"], name="visit_plans_series_fkey"
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "beneficiary_id"],
        ["beneficiaries.community_id", "beneficiaries.beneficiary_id"],
        name="visit_plans_beneficiary_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="visit_plans_number_key"),
    sa.UniqueConstraint("community_id", "activity_id", name="visit_plans_activity_key"),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="visit_plans_ended_check"),
    sa.Index("visit_plans_person_idx", "community_id", "beneficiary_id", "number"),
    sqlite_strict=True,
)

visit_outcomes = sa.Table(
    "visit_outcomes",
    metadata,
    tenant_key(),
    sa.Column("outcome_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("shift_id", Id, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    # Codes of what was done. No column holds what was measured.
    sa.Column("tasks", Document, nullable=False),
    sa.Column("started_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("break_minutes", sa.Integer, nullable=False),
    sa.Column("absent_volunteer_ids", Document, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "outcome_id", name="visit_outcomes_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="visit_outcomes_shift_fkey"
    ),
    sa.UniqueConstraint("community_id", "number", name="visit_outcomes_number_key"),
    sa.CheckConstraint("outcome IN ('done', 'absent', 'refused')", name="visit_outcomes_outcome_check"),
    sa.CheckConstraint(
        "outcome = 'done' OR (started_at IS NULL AND ended_at IS NULL AND break_minutes = 0)",
        name="visit_outcomes_done_check",
    ),
    sa.Index("visit_outcomes_shift_idx", "community_id", "shift_id", "number"),
    sqlite_strict=True,
)

visit_escalations = sa.Table(
    "visit_escalations",
    metadata,
    tenant_key(),
    sa.Column("escalation_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("beneficiary_id", Id, nullable=False),
    sa.Column("first_shift_id", Id, nullable=False),
    sa.Column("second_shift_id", Id, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", Instant),
    # When the last visit that was known at the closing began.
    sa.Column("closed_through", Instant),
    sa.Column("sealed", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "escalation_id", name="visit_escalations_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "beneficiary_id"],
        ["beneficiaries.community_id", "beneficiaries.beneficiary_id"],
        name="visit_escalations_beneficiary_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "first_shift_id"],
        ["shifts.community_id", "shifts.shift_id"],
        name="visit_escalations_first_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "second_shift_id"],
        ["shifts.community_id", "shifts.shift_id"],
        name="visit_escalations_second_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="visit_escalations_number_key"),
    sa.CheckConstraint("status IN ('open', 'closed')", name="visit_escalations_status_check"),
    sa.CheckConstraint(
        "(status = 'closed') = (closed_at IS NOT NULL)"
        " AND (closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (closed_through IS NULL)",
        name="visit_escalations_closed_check",
    ),
    sa.Index("visit_escalations_person_idx", "community_id", "beneficiary_id", "number"),
    sqlite_strict=True,
)
partial_index(
    visit_escalations,
    "visit_escalations_open_key",
    "community_id",
    "beneficiary_id",
    where="status = 'open'",
    unique=True,
)
