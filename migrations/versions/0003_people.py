"""Communities, their clients and their volunteers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Document, Flag, Id, Instant, LocalDate
from migrations import guards

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_communities()
    _create_clients()
    _create_volunteers()
    guards.grant("communities", "SELECT, INSERT, UPDATE")
    guards.grant("clients", "SELECT, INSERT, UPDATE (revoked_at)")
    guards.grant("volunteers", "SELECT, INSERT, UPDATE")
    for table in ("clients", "volunteers"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("volunteers")
    op.drop_table("clients")
    op.drop_table("communities")


def _create_communities() -> None:
    op.create_table(
        "communities",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("subdistrict", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("verification", sa.Text, nullable=False),
        sa.Column("redemption_hold_hours", sa.Integer, nullable=False),
        sa.Column("demo", Flag, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.CheckConstraint("verification IN ('four_eyes', 'recorder')", name="communities_verification_check"),
        sa.CheckConstraint("number > 0", name="communities_number_check"),
        sa.CheckConstraint("redemption_hold_hours > 0", name="communities_hold_check"),
        sa.PrimaryKeyConstraint("number", name="communities_pkey"),
        sa.UniqueConstraint("code", name="communities_code_key"),
        sa.UniqueConstraint("id", name="communities_id_key"),
        sqlite_strict=True,
    )


def _create_clients() -> None:
    op.create_table(
        "clients",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="clients_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "client_id", name="clients_pkey"),
        sa.UniqueConstraint("community_id", "number", name="clients_number_key"),
        sqlite_strict=True,
    )


def _create_volunteers() -> None:
    op.create_table(
        "volunteers",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("name_hash", sa.Text, nullable=False),
        sa.Column("phone_hash", sa.Text, nullable=False),
        sa.Column("phone_tail_hash", sa.Text, nullable=False),
        sa.Column("id_number_hash", sa.Text, nullable=True),
        sa.Column("estate", sa.Text, nullable=True),
        sa.Column("political_status", sa.Text, nullable=True),
        sa.Column("skills", Document, nullable=False),
        sa.Column("external_ids", Document, nullable=False),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("consent_given_at", Instant, nullable=False),
        sa.Column("consent_on", LocalDate, nullable=False),
        sa.Column("consent_taken_by", sa.Text, nullable=False),
        sa.Column("registered_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="volunteers_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="volunteers_pkey"),
        sa.UniqueConstraint("community_id", "id_number_hash", name="volunteers_id_number_key"),
        sa.UniqueConstraint("community_id", "number", name="volunteers_number_key"),
        sa.UniqueConstraint("community_id", "phone_hash", name="volunteers_phone_key"),
        sqlite_strict=True,
    )
