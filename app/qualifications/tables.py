"""The table of qualifications. What was checked never changes; it may be revoked, once.

The certificate's text and the reason of a revocation are sealed under the volunteer's key.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant, LocalDate

qualifications = sa.Table(
    "qualifications",
    metadata,
    tenant_key(),
    sa.Column("qualification_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text),
    sa.Column("valid_from", LocalDate, nullable=False),
    # The last day on which it holds, if it ends by itself.
    sa.Column("valid_until", LocalDate),
    sa.Column("checked_by", sa.Text, nullable=False),
    sa.Column("checked_at", Instant, nullable=False),
    # The local date from which it holds no more.
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
    sa.Index("qualifications_volunteer_idx", "community_id", "volunteer_id", "code"),
    sqlite_strict=True,
)
