"""Beneficiaries, and the log of erasures of persons beside volunteers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Flag, Id, Instant
from migrations import guards

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_registered = (
    "community_id",
    "beneficiary_id",
    "number",
    "consent_version",
    "consent_given_at",
    "consent_taken_by",
    "registered_at",
)
_rights = (
    "SELECT, INSERT, UPDATE (sealed, identity_hash, needs, living_alone, status, revision, ended_at, ended_by,"
    " erased_at)"
)
_shown = (
    "community_id, beneficiary_id, number, needs, living_alone, consent_version, consent_given_at, consent_taken_by,"
    " status, revision, registered_at, ended_at, ended_by, erased_at"
)


def upgrade() -> None:
    """Create the tables with their guards and walls."""
    _create_beneficiaries()
    keys = (("community_id", "beneficiary_id"), ("community_id", "number"), ("community_id", "identity_hash", "status"))
    guards.frozen("beneficiaries", _registered, *keys)
    guards.grant("beneficiaries", _rights)
    guards.wall_in("beneficiaries", shown=_shown)
    _create_person_erasures()


def downgrade() -> None:
    """Drop them. What was erased stays erased."""
    op.drop_table("person_erasures")
    op.drop_table("beneficiaries")


def _create_person_erasures() -> None:
    op.create_table(
        "person_erasures",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("erased_at", Instant, nullable=False),
        sa.Column("erased_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("community_id", "person_id", name="person_erasures_pkey"),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="person_erasures_head_fkey"),
        sa.UniqueConstraint("community_id", "number", name="person_erasures_number_key"),
        sqlite_strict=True,
    )
    guards.append_only("person_erasures", ("community_id", "person_id"), ("community_id", "number"))
    guards.grant("person_erasures", "SELECT, INSERT")
    guards.wall_in("person_erasures")


def _create_beneficiaries() -> None:
    op.create_table(
        "beneficiaries",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("beneficiary_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
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
    op.create_index(
        "beneficiaries_active_key",
        "beneficiaries",
        ["community_id", "identity_hash"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
