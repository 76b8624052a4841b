"""A service record may name whom it was for and the shift that it was given in. Neither changes, like its other facts.

They are looked up by who writes them: a reference would cost every deposit something, and nearly all name neither.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Id
from migrations import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_facts = (
    "community_id",
    "service_record_id",
    "number",
    "volunteer_id",
    "service_kind",
    "activity_name",
    "place",
    "content",
    "organiser",
    "recorder_name",
    "external_ids",
    "started_at",
    "ended_at",
    "service_date",
    "minutes",
    "late",
    "manager_required",
    "recorded_by",
    "recorded_at",
)
_origin = ("beneficiary_id", "shift_id")


def upgrade() -> None:
    """Add the columns and freeze them with the others."""
    for column in _origin:
        op.add_column("service_records", sa.Column(column, Id))
    _freeze((*_facts, *_origin))


def downgrade() -> None:
    """Drop them."""
    _freeze(_facts)
    for column in reversed(_origin):
        op.drop_column("service_records", column)


def _freeze(columns: tuple[str, ...]) -> None:
    """Freeze these columns of service records and no others."""
    if guards.on_postgresql():
        op.execute("DROP TRIGGER IF EXISTS service_records_frozen ON service_records")
    else:
        for what in ("no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER IF EXISTS service_records_{what}")
    guards.frozen("service_records", columns, ("community_id", "service_record_id"), ("community_id", "number"))
