"""Cards, by which volunteers get tokens, and the attempts on their PINs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.types import Count, Id, Instant
from migrations import guards

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ISSUED = ("community_id", "card_id", "number", "volunteer_id", "card_number", "pin_hash", "created_at")


def upgrade() -> None:
    """Create the tables and their guards."""
    _create_cards()
    _create_pin_attempts()
    guards.frozen(
        "cards", _ISSUED, ("community_id", "card_id"), ("community_id", "number"), ("community_id", "card_number")
    )
    guards.grant("cards", "SELECT, INSERT, UPDATE (revoked_at)")
    guards.grant("pin_attempts", "SELECT, INSERT, UPDATE, DELETE")
    for table in ("cards", "pin_attempts"):
        guards.bind_to_tenant(table)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("pin_attempts")
    op.drop_table("cards")


def _create_cards() -> None:
    op.create_table(
        "cards",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("number", Count, nullable=False),
        sa.Column("volunteer_id", Id, nullable=False),
        sa.Column("card_number", sa.Text, nullable=False),
        sa.Column("pin_hash", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="cards_head_fkey"),
        sa.ForeignKeyConstraint(
            ["community_id", "volunteer_id"],
            ["volunteers.community_id", "volunteers.volunteer_id"],
            name="cards_volunteer_fkey",
        ),
        sa.PrimaryKeyConstraint("community_id", "card_id", name="cards_pkey"),
        sa.UniqueConstraint("community_id", "card_number", name="cards_card_number_key"),
        sa.UniqueConstraint("community_id", "number", name="cards_number_key"),
        sqlite_strict=True,
    )
    op.create_index("cards_volunteer_idx", "cards", ["community_id", "volunteer_id"])


def _create_pin_attempts() -> None:
    op.create_table(
        "pin_attempts",
        sa.Column("community_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("card_id", Id, nullable=False),
        sa.Column("source_hash", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", Instant, nullable=True),
        sa.Column("succeeded_at", Instant, nullable=True),
        sa.Column("tried_at", Instant, nullable=False),
        sa.CheckConstraint("failures >= 0", name="pin_attempts_failures_check"),
        sa.PrimaryKeyConstraint("community_id", "card_id", "source_hash", name="pin_attempts_pkey"),
        sqlite_strict=True,
    )
    op.create_index("pin_attempts_age_idx", "pin_attempts", ["community_id", "tried_at"])
