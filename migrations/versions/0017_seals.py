"""Transactions carry what they are bound to be, and trees of them are sealed.

Transactions of before carry no leaf: theirs is worked out from their rows when they are sealed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Digest, Id, Instant
from migrations import guards

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_leaves = ("salt", "evidence", "leaf")
_tables = {
    "tree_nodes": ("community_id", "level", "place"),
    "checkpoints": ("community_id", "tree_size"),
    "city_leaves": ("community_id", "number"),
    "witnesses": ("community_id", "witness_id"),
    "witness_signatures": ("community_id", "tree_size", "witness"),
}
_other_keys: dict[str, list[tuple[str, ...]]] = {
    "city_leaves": [("community_id", "sealed_community", "tree_size")],
    "witnesses": [("community_id", "number"), ("community_id", "name")],
}


def upgrade() -> None:
    """Add the columns and make the tables; what was posted until now waits to be sealed."""
    for column in _leaves:
        op.add_column("ledger_transactions", sa.Column(column, Digest))
    op.add_column("ledger_heads", sa.Column("sealed_number", Count, nullable=False, server_default="0"))
    guards.grant("ledger_heads", "UPDATE (sealed_number)")
    op.add_column("due_work", sa.Column("unsealed_since", Instant))
    op.execute(
        "UPDATE due_work SET unsealed_since = ledger_heads.last_at FROM ledger_heads"
        " WHERE ledger_heads.community_id = due_work.community_id AND ledger_heads.transaction_number > 0"
    )
    _create_trees()
    _create_city_leaves()
    _create_witnesses()
    _create_witness_signatures()
    for table, key in _tables.items():
        guards.append_only(table, key, *_other_keys.get(table, ()))
        guards.grant(table, "SELECT, INSERT")
        guards.wall_in(table)


def downgrade() -> None:
    """Drop the tables and the columns."""
    for table in reversed(_tables):
        op.drop_table(table)
    op.drop_column("due_work", "unsealed_since")
    op.drop_column("ledger_heads", "sealed_number")
    for column in reversed(_leaves):
        op.drop_column("ledger_transactions", column)


def _community() -> sa.Column[int]:
    return sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False)


def _head(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name=f"{table}_head_fkey")


def _create_trees() -> None:
    op.create_table(
        "tree_nodes",
        _community(),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("place", Count, nullable=False),
        sa.Column("hash", Digest, nullable=False),
        _head("tree_nodes"),
        sa.PrimaryKeyConstraint("community_id", "level", "place", name="tree_nodes_pkey"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoints",
        _community(),
        sa.Column("tree_size", Count, nullable=False),
        sa.Column("previous_size", Count, nullable=False),
        sa.Column("sealed_at", Instant, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.CheckConstraint("tree_size > previous_size AND previous_size >= 0", name="checkpoints_size_check"),
        _head("checkpoints"),
        sa.PrimaryKeyConstraint("community_id", "tree_size", name="checkpoints_pkey"),
        sqlite_strict=True,
    )


def _create_city_leaves() -> None:
    op.create_table(
        "city_leaves",
        _community(),
        sa.Column("number", Count, nullable=False),
        sa.Column("sealed_community", sa.Integer, nullable=False),
        sa.Column("tree_size", Count, nullable=False),
        sa.Column("leaf", Digest, nullable=False),
        sa.CheckConstraint("community_id = 0", name="city_leaves_city_check"),
        _head("city_leaves"),
        sa.PrimaryKeyConstraint("community_id", "number", name="city_leaves_pkey"),
        sa.UniqueConstraint("community_id", "sealed_community", "tree_size", name="city_leaves_checkpoint_key"),
        sqlite_strict=True,
    )


def _create_witnesses() -> None:
    op.create_table(
        "witnesses",
        _community(),
        sa.Column("witness_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("named_by", sa.Text, nullable=False),
        sa.Column("named_at", Instant, nullable=False),
        _head("witnesses"),
        sa.PrimaryKeyConstraint("community_id", "witness_id", name="witnesses_pkey"),
        sa.UniqueConstraint("community_id", "number", name="witnesses_number_key"),
        sa.UniqueConstraint("community_id", "name", name="witnesses_name_key"),
        sqlite_strict=True,
    )


def _create_witness_signatures() -> None:
    op.create_table(
        "witness_signatures",
        _community(),
        sa.Column("tree_size", Count, nullable=False),
        sa.Column("witness", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("received_by", sa.Text, nullable=False),
        sa.Column("received_at", Instant, nullable=False),
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
        sa.PrimaryKeyConstraint("community_id", "tree_size", "witness", name="witness_signatures_pkey"),
        sqlite_strict=True,
    )
