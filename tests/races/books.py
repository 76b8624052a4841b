"""What has to hold after every race: all books agree, and every unit sums to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.reports.service import audit_community

if TYPE_CHECKING:
    from app.kernel.database import Database


async def assert_books_agree(database: Database, community: int) -> None:
    """Audit a community from its postings, and sum its trial balance."""
    async with database.read(community) as session:
        discrepancies = await audit_community(session, community)
        units = await ledger.trial_balance(session, community)
    sums = {unit["unit"]: unit["sum"] for unit in units if unit["sum"]}
    assert (discrepancies, sums) == ([], {}), (discrepancies, sums)
