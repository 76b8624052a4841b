"""Checks that stock movements and the ledger tell the same story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.goods import store
from app.goods.rules import shelf_account
from app.ledger import Discrepancy

if TYPE_CHECKING:
    from app.kernel.database import Session

_movements_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare every stock movement with its transaction."""
    found: list[Discrepancy] = []
    after, moved = 0, 0
    while movements := await store.movements_after(session, community, after=after, limit=_movements_per_step):
        numbers = [one.transaction_id for one in movements if one.transaction_id is not None]
        lines = await ledger.lines_of_transactions(session, community, numbers)
        for one in movements:
            posted = {line.account: line.amount for line in lines.get(one.transaction_id or 0, [])}
            change = posted.get(shelf_account(one.goods_id), 0)
            if change != one.change:
                detail = f"posted {change}, stated {one.change}"
                found.append(Discrepancy("stock-wrong", f"stock-movement/{one.id}", detail))
        moved += len(numbers)
        after = movements[-1].number
    kinds = await ledger.count_by_kind(session, community)
    posted_count = sum(count for kind, count in kinds.items() if kind.startswith("stock_"))
    if posted_count != moved:
        found.append(
            Discrepancy("stock-without-movement", "community", f"transactions {posted_count}, movements {moved}")
        )
    return found
