"""Weekly visits: their plans, what came of each, and escalations of persons who were missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Id, Instant
from migrations import guards

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_plan = (
    "community_id",
    "plan_id",
    "number",
    "activity_id",
    "position_id",
    "series_id",
    "beneficiary_id",
    "created_by",
    "created_at",
)
_escalation = (
    "community_id",
    "escalation_id",
    "number",
    "beneficiary_id",
    "first_shift_id",
    "second_shift_id",
    "opened_at",
)


def upgrade() -> None:
    """Create the tables, their guards and walls."""
    _create_plans()
    guards.frozen(
        "visit_plans",
        _plan,
        ("community_id", "plan_id"),
        ("community_id", "number"),
        ("community_id", "activity_id"),
    )
    guards.grant("visit_plans", "SELECT, INSERT, UPDATE (ended_by, ended_at, sealed)")
    guards.wall_in("visit_plans", shown=", ".join((*_plan, "ended_by", "ended_at")))
    _create_outcomes()
    guards.append_only("visit_outcomes", ("community_id", "outcome_id"), ("community_id", "number"))
    guards.grant("visit_outcomes", "SELECT, INSERT")
    guards.wall_in("visit_outcomes")
    _create_escalations()
    guards.frozen(
        "visit_escalations",
        _escalation,
        ("community_id", "escalation_id"),
        ("community_id", "number"),
        ("community_id", "beneficiary_id", "status"),
    )
    closing = ("status", "closed_by", "closed_at", "closed_through")
    guards.grant("visit_escalations", f"SELECT, INSERT, UPDATE ({', '.join(closing)}, sealed)")
    guards.wall_in("visit_escalations", shown=", ".join((*_escalation, *closing)))


def downgrade() -> None:
    """Drop them."""
    op.drop_table("visit_escalations")
    op.drop_table("visit_outcomes")
    op.drop_table("visit_plans")


def _create_plans() -> None:
    op.create_table(
        "visit_plans",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("plan_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("activity_id", Id, nullable=False),
        sa.Column("position_id", Id, nullable=False),
        sa.Column("series_id", Id, nullable=False),
        sa.Column("beneficiary_id", Id, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index("visit_plans_person_idx", "visit_plans", ["community_id", "beneficiary_id", "number"], unique=False)


def _create_outcomes() -> None:
    op.create_table(
        "visit_outcomes",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("outcome_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index("visit_outcomes_shift_idx", "visit_outcomes", ["community_id", "shift_id", "number"], unique=False)


def _create_escalations() -> None:
    op.create_table(
        "visit_escalations",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("escalation_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("beneficiary_id", Id, nullable=False),
        sa.Column("first_shift_id", Id, nullable=False),
        sa.Column("second_shift_id", Id, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("closed_by", sa.Text),
        sa.Column("closed_at", Instant),
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
        sqlite_strict=True,
    )
    op.create_index(
        "visit_escalations_open_key",
        "visit_escalations",
        ["community_id", "beneficiary_id"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "visit_escalations_person_idx", "visit_escalations", ["community_id", "beneficiary_id", "number"], unique=False
    )
