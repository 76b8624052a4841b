"""The table of calendar feeds. Of an address only a keyed hash is known."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

calendar_feeds = sa.Table(
    "calendar_feeds",
    metadata,
    tenant_key(),
    sa.Column("feed_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    # A volunteer of the community, a team of the city, or a site: who writes it has looked it up.
    sa.Column("subject_id", Id, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_by", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "feed_id", name="calendar_feeds_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="calendar_feeds_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="calendar_feeds_number_key"),
    sa.UniqueConstraint("community_id", "token_hash", name="calendar_feeds_token_key"),
    sa.CheckConstraint("subject IN ('volunteer', 'team', 'site')", name="calendar_feeds_subject_check"),
    sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="calendar_feeds_revoked_check"),
    sa.Index("calendar_feeds_subject_idx", "community_id", "subject_id", "number"),
    sqlite_strict=True,
)
