"""The tables of free clinics. A head-count is never changed: a later one of the same shift takes its place."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Document, Id, Instant, LocalDate

partners = sa.Table(
    "partners",
    metadata,
    tenant_key(),
    sa.Column("partner_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # The unified social credit identifier (GB 32100) of an organisation that has one.
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

head_counts = sa.Table(
    "head_counts",
    metadata,
    tenant_key(),
    sa.Column("head_count_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("shift_id", Id, nullable=False),
    # The local day of the shift, which does not move any more once it has begun.
    sa.Column("held_on", LocalDate, nullable=False),
    # How many by code: served, blood_pressure, consultation, referral. Nothing about single persons.
    sa.Column("counts", Document, nullable=False),
    sa.Column("counted_by", sa.Text, nullable=False),
    sa.Column("counted_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "head_count_id", name="head_counts_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "shift_id"], ["shifts.community_id", "shifts.shift_id"], name="head_counts_shift_fkey"
    ),
    sa.UniqueConstraint("community_id", "number", name="head_counts_number_key"),
    sa.Index("head_counts_shift_idx", "community_id", "shift_id", "number"),
    sa.Index("head_counts_day_idx", "community_id", "held_on"),
    sqlite_strict=True,
)
