"""The tables of clients, of cards, and of attempts on PINs."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

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

cards = sa.Table(
    "cards",
    metadata,
    tenant_key(),
    sa.Column("card_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("volunteer_id", Id, nullable=False),
    sa.Column("card_number", sa.Text, nullable=False),
    sa.Column("pin_hash", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
    sa.PrimaryKeyConstraint("community_id", "card_id", name="cards_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="cards_head_fkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="cards_volunteer_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="cards_number_key"),
    sa.UniqueConstraint("community_id", "card_number", name="cards_card_number_key"),
    sa.Index("cards_volunteer_idx", "community_id", "volunteer_id"),
    sqlite_strict=True,
)

# One row for a card and a source, and one for a card over all sources (with an empty hash). Cards that do not exist
# are counted too, all as one under the city. No reference to the head: who guesses must not wait for a writer.
pin_attempts = sa.Table(
    "pin_attempts",
    metadata,
    tenant_key(),
    sa.Column("card_id", Id, nullable=False),
    sa.Column("source_hash", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failed_at", Instant),
    sa.Column("succeeded_at", Instant),
    sa.Column("tried_at", Instant, nullable=False),
    sa.CheckConstraint("failures >= 0", name="pin_attempts_failures_check"),
    sa.PrimaryKeyConstraint("community_id", "card_id", "source_hash", name="pin_attempts_pkey"),
    sa.Index("pin_attempts_age_idx", "community_id", "tried_at"),
    sqlite_strict=True,
)
