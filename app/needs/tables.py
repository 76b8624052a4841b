"""The table of needs. What was asked never changes; it is decided once, and told once.

What a person said or was told is sealed: under the key of the volunteer or beneficiary who asked, or under a key that
the need has of its own.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Flag, Id, Instant

needs = sa.Table(
    "needs",
    metadata,
    tenant_key(),
    sa.Column("need_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    # A complaint's, for counting; a need's is sealed, and stands here as an empty text.
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    # Whether nobody said who asked, so that there is nobody to tell.
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
    sa.Index("needs_status_idx", "community_id", "status", "number"),
    sa.Index("needs_place_idx", "community_id", "place", "filed_at"),
    sa.Index("needs_volunteer_idx", "community_id", "volunteer_id", "number"),
    sqlite_strict=True,
)
