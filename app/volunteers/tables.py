"""The tables of volunteers. Who they are stands sealed there, findable only by keyed hashes."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Document, Id, Instant, LocalDate

volunteers = sa.Table(
    "volunteers",
    metadata,
    tenant_key(),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("name_hash", sa.Text, nullable=False),
    sa.Column("phone_hash", sa.Text, nullable=False),
    sa.Column("phone_tail_hash", sa.Text, nullable=False),
    sa.Column("id_number_hash", sa.Text),
    sa.Column("estate", sa.Text),
    sa.Column("political_status", sa.Text),
    sa.Column("skills", Document, nullable=False),
    sa.Column("external_ids", Document, nullable=False),
    sa.Column("consent_version", sa.Text, nullable=False),
    sa.Column("consent_given_at", Instant, nullable=False),
    # The local date of the consent: no service before it is recorded.
    sa.Column("consent_on", LocalDate, nullable=False),
    sa.Column("consent_taken_by", sa.Text, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("erased_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="volunteers_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="volunteers_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="volunteers_number_key"),
    sa.UniqueConstraint("community_id", "phone_hash", name="volunteers_phone_key"),
    sa.UniqueConstraint("community_id", "id_number_hash", name="volunteers_id_number_key"),
    sqlite_strict=True,
)

households = sa.Table(
    "households",
    metadata,
    tenant_key(),
    sa.Column("household_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "household_id", name="households_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="households_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="households_number_key"),
    sqlite_strict=True,
)

# Who lives together now: one household a volunteer.
household_members = sa.Table(
    "household_members",
    metadata,
    tenant_key(),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("household_id", Id, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="household_members_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="household_members_volunteer_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "household_id"],
        ["households.community_id", "households.household_id"],
        name="household_members_household_fkey",
    ),
    sa.Index("household_members_household_idx", "community_id", "household_id"),
    sqlite_strict=True,
)

# The log of erasures, append-only: it is kept apart from backups and replayed over one that is restored.
erasures = sa.Table(
    "erasures",
    metadata,
    tenant_key(),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("erased_at", Instant, nullable=False),
    sa.Column("erased_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "volunteer_id", name="erasures_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="erasures_volunteer_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="erasures_number_key"),
    sqlite_strict=True,
)
