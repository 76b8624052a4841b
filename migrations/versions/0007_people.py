"""Households, erasures, and the revisions that changes of communities, volunteers and goods are made on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations.guards import append_only, bind_to_tenant, grant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_revised = ("communities", "volunteers", "goods")


def upgrade() -> None:
    """Create the tables and their guards."""
    for table in _revised:
        op.add_column(table, sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("volunteers", sa.Column("erased_at", Instant, nullable=True))
    _create_households()
    _create_erasures()


def downgrade() -> None:
    """Drop them. What was erased stays erased."""
    op.drop_table("erasures")
    op.drop_table("household_members")
    op.drop_table("households")
    op.drop_column("volunteers", "erased_at")
    for table in reversed(_revised):
        op.drop_column(table, "revision")


def _create_households() -> None:
    op.create_table(
        "households",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("household_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("name", sa.Text, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="households_head_fkey"),
        sa.PrimaryKeyConstraint("community_id", "household_id", name="households_pkey"),
        sa.UniqueConstraint("community_id", "number", name="households_number_key"),
        sqlite_strict=True,
    )
    op.create_table(
        "household_members",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("household_id", Id, nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id", "household_id"],
            ["households.community_id", "households.household_id"],
            name="household_members_household_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="household_members_volunteer_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="household_members_pkey"),
        sqlite_strict=True,
    )
    op.create_index("household_members_household_idx", "household_members", ["community_id", "household_id"])
    append_only("households", ["community_id", "household_id"], ["community_id", "number"])
    grant("households", "SELECT, INSERT")
    grant("household_members", "SELECT, INSERT, UPDATE, DELETE")
    bind_to_tenant("households")
    bind_to_tenant("household_members")


def _create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("erased_at", Instant, nullable=False),
        sa.Column("erased_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="erasures_volunteer_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="erasures_pkey"),
        sa.UniqueConstraint("community_id", "number", name="erasures_number_key"),
        sqlite_strict=True,
    )
    append_only("erasures", ["community_id", "volunteer_id"], ["community_id", "number"])
    grant("erasures", "SELECT, INSERT")
    bind_to_tenant("erasures")
