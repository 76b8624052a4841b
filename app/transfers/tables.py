"""The table of transfers. None is ever changed."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Id, Instant

transfers = sa.Table(
    "transfers",
    metadata,
    tenant_key(),
    sa.Column("transfer_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("from_volunteer_id", Id, nullable=False),
    # None for a donation to the pool.
    sa.Column("to_volunteer_id", Id),
    sa.Column("points", Count, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("transferred_by", sa.Text, nullable=False),
    sa.Column("transferred_at", Instant, nullable=False),
    sa.Column("transaction_number", Count, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "transfer_id", name="transfers_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "from_volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="transfers_from_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "to_volunteer_id"],
        ["volunteers.community_id", "volunteers.volunteer_id"],
        name="transfers_to_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "transaction_number"],
        ["ledger_transactions.community_id", "ledger_transactions.transaction_number"],
        name="transfers_transaction_fkey",
    ),
    sa.UniqueConstraint("community_id", "number", name="transfers_number_key"),
    sa.UniqueConstraint("community_id", "transaction_number", name="transfers_transaction_key"),
    sa.CheckConstraint("points > 0", name="transfers_points_check"),
    sa.CheckConstraint("from_volunteer_id <> to_volunteer_id", name="transfers_other_check"),
    sa.Index("transfers_from_idx", "community_id", "from_volunteer_id", "number"),
    sa.Index("transfers_to_idx", "community_id", "to_volunteer_id", "number"),
    sqlite_strict=True,
)
