"""Checks that no volunteer has points to spend while spent points are owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.kernel.paging import Paging
from app.ledger import Account, Discrepancy
from app.volunteers.rules import is_owed_account, points_of_debt

if TYPE_CHECKING:
    from app.kernel.database import Session

_accounts_per_step = 5000


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare every debt with the points beside it."""
    found: list[Discrepancy] = []
    position = 0
    while rows := await ledger.accounts(session, community, Paging(limit=_accounts_per_step, position=position)):
        debts = {
            Account(community, points_of_debt(row["address"])): row["balance"]
            for row in rows
            if is_owed_account(row["address"]) and row["balance"]
        }
        for account, points in (await ledger.balances(session, list(debts))).items():
            if points:
                found.append(
                    Discrepancy("points-while-owed", account.address, f"points {points}, owed {debts[account]}")
                )
        position = rows[-1]["account_number"]
    return found
