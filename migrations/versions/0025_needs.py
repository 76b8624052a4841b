"""Needs and complaints of residents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Flag, Id, Instant
from migrations import guards

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_filed = (
    "community_id",
    "need_id",
    "number",
    "kind",
    "category",
    "place",
    "sealed",
    "anonymous",
    "volunteer_id",
    "beneficiary_id",
    "filed_by",
    "filed_at",
)
_decided = ("status", "activity_id", "reason", "decided_by", "decided_at", "told_by", "told_at", "channel")


def upgrade() -> None:
    """Create the table with its guards and walls."""
    _create_needs()
    guards.frozen("needs", _filed, ("community_id", "need_id"), ("community_id", "number"))
    guards.grant("needs", f"SELECT, INSERT, UPDATE ({', '.join(_decided)})")
    shown = [name for name in (*_filed, *_decided) if name not in {"sealed", "reason"}]
    guards.wall_in("needs", shown=", ".join(shown))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("needs")


def _create_needs() -> None:
    op.create_table(
        "needs",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("need_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("anonymous", Flag, nullable=False),
        sa.Column("volunteer_id", Id),
        sa.Column("beneficiary_id", Id),
        sa.Column("filed_by", sa.Text, nullable=False),
        sa.Column("filed_at", Instant, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("activity_id", Id),
        sa.Column("reason", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", Instant),
        sa.Column("told_by", sa.Text),
        sa.Column("told_at", Instant),
        sa.Column("channel", sa.Text),
        sa.PrimaryKeyConstraint("community_id", "need_id", name="needs_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="needs_volunteer_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "beneficiary_id"],
            ["beneficiaries.community_id", "beneficiaries.beneficiary_id"],
            name="needs_beneficiary_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "activity_id"],
            ["activities.community_id", "activities.activity_id"],
            name="needs_activity_fkey",
        ),
        sa.UniqueConstraint("community_id", "number", name="needs_number_key"),
        sa.CheckConstraint("kind IN ('need', 'complaint')", name="needs_kind_check"),
        sa.CheckConstraint("status IN ('open', 'planned', 'answered', 'withdrawn')", name="needs_status_check"),
        sa.CheckConstraint("volunteer_id IS NULL OR beneficiary_id IS NULL", name="needs_asker_check"),
        sa.CheckConstraint("(activity_id IS NOT NULL) = (status = 'planned')", name="needs_planned_check"),
        sa.CheckConstraint("(decided_at IS NULL) = (status = 'open')", name="needs_decided_check"),
        sa.CheckConstraint("told_at IS NULL OR status IN ('planned', 'answered')", name="needs_told_check"),
        sqlite_strict=True,
    )
    op.create_index("needs_status_idx", "needs", ["community_id", "status", "number"])
    op.create_index("needs_place_idx", "needs", ["community_id", "place", "filed_at"])
    op.create_index("needs_volunteer_idx", "needs", ["community_id", "volunteer_id", "number"])
