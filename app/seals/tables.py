"""The tables of seals, all append-only. The city's own log, of the communities' checkpoints, is that of community 0."""

from __future__ import annotations

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Digest, Id, Instant

# What the tree keeps above its leaves, which are those of the ledger's transactions: one node for 256 of them.
tree_nodes = sa.Table(
    "tree_nodes",
    metadata,
    tenant_key(),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("place", Count, nullable=False),
    sa.Column("hash", Digest, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "level", "place", name="tree_nodes_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="tree_nodes_head_fkey"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# The note stands here whole: the name and the key under which it was signed may change. Each says of which size the one
# before it is (0: none), so that one that is lost leaves a gap.
checkpoints = sa.Table(
    "checkpoints",
    metadata,
    tenant_key(),
    sa.Column("tree_size", Count, nullable=False),
    sa.Column("previous_size", Count, nullable=False),
    sa.Column("sealed_at", Instant, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "tree_size", name="checkpoints_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="checkpoints_head_fkey"),
    sa.CheckConstraint("tree_size > previous_size AND previous_size >= 0", name="checkpoints_size_check"),
    sqlite_strict=True,
)

# The leaves of the city's log: which checkpoint of which community.
city_leaves = sa.Table(
    "city_leaves",
    metadata,
    tenant_key(),
    sa.Column("number", Count, nullable=False),
    sa.Column("sealed_community", sa.Integer, nullable=False),
    sa.Column("tree_size", Count, nullable=False),
    sa.Column("leaf", Digest, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "number", name="city_leaves_pkey"),
    sa.UniqueConstraint("community_id", "sealed_community", "tree_size", name="city_leaves_checkpoint_key"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="city_leaves_head_fkey"),
    sa.CheckConstraint("community_id = 0", name="city_leaves_city_check"),
    sqlite_strict=True,
)

# Who may countersign checkpoints of a log: a name stands for one key, for good.
witnesses = sa.Table(
    "witnesses",
    metadata,
    tenant_key(),
    sa.Column("witness_id", Id, nullable=False),
    sa.Column("number", Count, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("named_by", sa.Text, nullable=False),
    sa.Column("named_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "witness_id", name="witnesses_pkey"),
    sa.UniqueConstraint("community_id", "number", name="witnesses_number_key"),
    sa.UniqueConstraint("community_id", "name", name="witnesses_name_key"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="witnesses_head_fkey"),
    sqlite_strict=True,
)

witness_signatures = sa.Table(
    "witness_signatures",
    metadata,
    tenant_key(),
    sa.Column("tree_size", Count, nullable=False),
    sa.Column("witness", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
    sa.Column("received_by", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("community_id", "tree_size", "witness", name="witness_signatures_pkey"),
    sa.ForeignKeyConstraint(
        ["community_id", "tree_size"],
        ["checkpoints.community_id", "checkpoints.tree_size"],
        name="witness_signatures_checkpoint_fkey",
    ),
    sa.ForeignKeyConstraint(
        ["community_id", "witness"],
        ["witnesses.community_id", "witnesses.name"],
        name="witness_signatures_witness_fkey",
    ),
    sqlite_strict=True,
)
