"""The head of a community's ledger: the one row that every change locks first.

One writer at a time in a community is what makes caps, limits, overlaps, stock and points hold without any other
lock. The head also hands out the gapless numbers of transactions, events and accounts, which are therefore the order
of commits, and keeps the last time, so that time never runs backwards within a community.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Count, Instant

if TYPE_CHECKING:
    from datetime import datetime

    from app.kernel.database import Session

CITY = 0
"""The reserved community of city-wide rows: its head is locked to create a community or a city client."""

ledger_heads = sa.Table(
    "ledger_heads",
    metadata,
    tenant_key(),
    sa.Column("transaction_number", Count, nullable=False),
    sa.Column("event_number", Count, nullable=False),
    sa.Column("account_number", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    # The last transaction that the tree has.
    sa.Column("sealed_number", Count, nullable=False, server_default="0"),
    sa.PrimaryKeyConstraint("community_id", name="ledger_heads_pkey"),
    sqlite_strict=True,
)


@dataclass(slots=True)
class Head:
    """A locked head. `now` is the community's time for this transaction: the later of its clock and its last time."""

    community: int
    transaction_number: int
    event_number: int
    account_number: int
    now: datetime
    sealed_number: int = 0
    changed: bool = False

    def next_transaction(self) -> int:
        """Take the next number of a transaction, from 1, without gaps."""
        self.changed = True
        self.transaction_number += 1
        return self.transaction_number

    @property
    def is_sealed(self) -> bool:
        """Whether the tree has all transactions so far."""
        return self.sealed_number == self.transaction_number

    def seal(self, number: int) -> None:
        """Note that the tree has all transactions up to this one."""
        self.changed = True
        self.sealed_number = number

    def next_event(self) -> int:
        """Take the next number of an event, from 1, without gaps."""
        self.changed = True
        self.event_number += 1
        return self.event_number

    def next_account(self) -> int:
        """Take the next number of an account, from 1, without gaps."""
        self.changed = True
        self.account_number += 1
        return self.account_number


async def head_numbers(session: Session, community: int) -> tuple[int, int]:
    """Read the numbers of a community's last transaction and last event, without locking.

    Both are zero where somebody took its head away: who asks is an audit, and it has to find that.
    """
    found = await session.execute(
        sa.select(ledger_heads.c.transaction_number, ledger_heads.c.event_number).where(
            ledger_heads.c.community_id == community
        )
    )
    rows = list(found)
    return (rows[0][0], rows[0][1]) if len(rows) == 1 else (0, 0)
