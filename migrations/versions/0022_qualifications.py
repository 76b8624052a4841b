"""Volunteers' qualifications, as they were checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant, LocalDate
from migrations import guards

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_checked = (
    "community_id",
    "qualification_id",
    "number",
    "volunteer_id",
    "code",
    "certificate",
    "valid_from",
    "valid_until",
    "checked_by",
    "checked_at",
)


def upgrade() -> None:
    """Create the table with its guards and walls."""
    op.create_table(
        "qualifications",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("qualification_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("certificate", sa.Text),
        sa.Column("valid_from", LocalDate, nullable=False),
        sa.Column("valid_until", LocalDate),
        sa.Column("checked_by", sa.Text, nullable=False),
        sa.Column("checked_at", Instant, nullable=False),
        sa.Column("revoked_on", LocalDate),
        sa.Column("revoked_at", Instant),
        sa.Column("revoked_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("community_id", "qualification_id", name="qualifications_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="qualifications_volunteer_fkey",
        ),
        sa.UniqueConstraint("community_id", "number", name="qualifications_number_key"),
        sa.CheckConstraint("valid_from <= valid_until", name="qualifications_span_check"),
        sa.CheckConstraint(
            "(revoked_on IS NULL) = (revoked_at IS NULL) AND (revoked_on IS NULL) = (revoked_by IS NULL)",
            name="qualifications_revoked_check",
        ),
        sqlite_strict=True,
    )
    op.create_index("qualifications_volunteer_idx", "qualifications", ["community_id", "volunteer_id", "code"])
    guards.frozen("qualifications", _checked, ("community_id", "qualification_id"), ("community_id", "number"))
    guards.grant("qualifications", "SELECT, INSERT, UPDATE (revoked_on, revoked_at, revoked_by, reason)")
    shown = [*_checked, "revoked_on", "revoked_at", "revoked_by"]
    guards.wall_in("qualifications", shown=", ".join(one for one in shown if one != "certificate"))


def downgrade() -> None:
    """Drop it."""
    op.drop_table("qualifications")
