"""Free clinics: partner organisations, and head-counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Id, Instant, LocalDate
from migrations import guards

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their guards and walls."""
    _create_partners()
    _create_head_counts()
    guards.frozen(
        "partners",
        ("community_id", "partner_id", "number", "created_by", "created_at"),
        ("community_id", "partner_id"),
        ("community_id", "number"),
        ("community_id", "uscc"),
    )
    guards.grant("partners", "SELECT, INSERT, UPDATE (revision, name, kind, uscc)")
    guards.append_only("head_counts", ("community_id", "head_count_id"), ("community_id", "number"))
    guards.grant("head_counts", "SELECT, INSERT")
    for table in ("partners", "head_counts"):
        guards.wall_in(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("head_counts")
    op.drop_table("partners")


def _create_partners() -> None:
    op.create_table(
        "partners",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("partner_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("uscc", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "partner_id", name="partners_pkey"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="partners_head_fkey"),
        sa.UniqueConstraint("community_id", "number", name="partners_number_key"),
        sa.UniqueConstraint("community_id", "uscc", name="partners_uscc_key"),
        sa.CheckConstraint(
            "kind IN ('red_cross', 'hospital', 'school', 'company', 'ngo', 'government', 'other')",
            name="partners_kind_check",
        ),
        sqlite_strict=True,
    )


def _create_head_counts() -> None:
    op.create_table(
        "head_counts",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("head_count_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("shift_id", Id, nullable=False),
        sa.Column("held_on", LocalDate, nullable=False),
        sa.Column("counts", Document, nullable=False),
        sa.Column("counted_by", sa.Text, nullable=False),
        sa.Column("counted_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "head_count_id", name="head_counts_pkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="head_counts_shift_fkey"
        ),
        sa.UniqueConstraint("community_id", "number", name="head_counts_number_key"),
        sqlite_strict=True,
    )
    op.create_index("head_counts_shift_idx", "head_counts", ["community_id", "shift_id", "number"], unique=False)
    op.create_index("head_counts_day_idx", "head_counts", ["community_id", "held_on"], unique=False)
