"""The table of communities: small, without a tenant's column, because it says what the tenants' numbers stand for."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata
from app.kernel.types import Flag, Id, Instant

communities = sa.Table(
    "communities",
    metadata,
    sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("id", Id, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("district", sa.Text, nullable=False),
    sa.Column("subdistrict", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("verification", sa.Text, nullable=False),
    sa.Column("redemption_hold_hours", sa.Integer, nullable=False),
    # Made of invented people: production refuses to start with one.
    sa.Column("demo", Flag, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.PrimaryKeyConstraint("number", name="communities_pkey"),
    sa.UniqueConstraint("id", name="communities_id_key"),
    sa.UniqueConstraint("code", name="communities_code_key"),
    sa.CheckConstraint("number > 0", name="communities_number_check"),
    sa.CheckConstraint("verification IN ('four_eyes', 'recorder')", name="communities_verification_check"),
    sa.CheckConstraint("redemption_hold_hours > 0", name="communities_hold_check"),
    sqlite_strict=True,
)
