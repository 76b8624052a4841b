"""The table of clients."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Instant

clients = sa.Table(
    "clients",
    metadata,
    tenant_key(),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "client_id", name="clients_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="clients_head_fkey"),
    sa.UniqueConstraint("community_id", "number", name="clients_number_key"),
    sqlite_strict=True,
)
