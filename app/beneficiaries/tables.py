"""The table of beneficiaries. Who they are and where they live stands sealed under each one's own key."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, partial_index, tenant_key
from app.kernel.types import Count, Document, Flag, Id, Instant

beneficiaries = sa.Table(
    "beneficiaries",
    metadata,
    tenant_key(),
    sa.Column("beneficiary_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    # Of name, phone and address together: nothing finds a person by it who does not know all three.
    sa.Column("identity_hash", sa.Text, nullable=False),
    sa.Column("needs", Document, nullable=False),
    sa.Column("living_alone", Flag, nullable=False),
    sa.Column("consent_version", sa.Text, nullable=False),
    sa.Column("consent_given_at", Instant, nullable=False),
    sa.Column("consent_taken_by", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("ended_by", sa.Text),
    sa.Column("erased_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "beneficiary_id", name="beneficiaries_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="beneficiaries_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="beneficiaries_number_key"),
    sa.CheckConstraint("status IN ('active', 'ended', 'erased')", name="beneficiaries_status_check"),
    sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="beneficiaries_ended_check"),
    sa.CheckConstraint("(erased_at IS NOT NULL) = (status = 'erased')", name="beneficiaries_erased_check"),
    sqlite_strict=True,
)
# Who left may come back, and is registered anew.
partial_index(
    beneficiaries, "beneficiaries_active_key", "community_id", "identity_hash", where="status = 'active'", unique=True
)
