"""Calendar feeds, and activities by their site."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_made = ("community_id", "feed_id", "number", "subject", "subject_id", "token_hash", "created_by", "created_at")
_shown = "community_id, feed_id, number, subject, subject_id, created_by, created_at, revoked_at, revoked_by"


def upgrade() -> None:
    """Create the table with its guards, and the index."""
    op.create_table(
        "calendar_feeds",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("feed_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
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
        sqlite_strict=True,
    )
    op.create_index(
        "calendar_feeds_subject_idx", "calendar_feeds", ["community_id", "subject_id", "number"], unique=False
    )
    keys = (("community_id", "feed_id"), ("community_id", "number"), ("community_id", "token_hash"))
    guards.frozen("calendar_feeds", _made, *keys)
    guards.grant("calendar_feeds", "SELECT, INSERT, UPDATE (revoked_at, revoked_by)")
    guards.wall_in("calendar_feeds", shown=_shown)
    op.create_index(
        "activities_site_idx",
        "activities",
        ["community_id", "site_id"],
        unique=False,
        sqlite_where=sa.text("site_id IS NOT NULL"),
        postgresql_where=sa.text("site_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("activities_site_idx", "activities")
    op.drop_table("calendar_feeds")
