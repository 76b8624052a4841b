"""Attendance by day, for reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "attendances_day_idx",
        "attendances",
        ["community_id", "service_date"],
        unique=False,
        sqlite_where=sa.text("service_date IS NOT NULL"),
        postgresql_where=sa.text("service_date IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("attendances_day_idx", "attendances")
