"""Checks that stock movements and the ledger tell the same story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.goods import store
from app.goods.rules import COUNTED, RECEIVED, WRITTEN_OFF, evidence_of, movements_of
from app.ledger import Booked, Discrepancy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.goods.rules import StockMovement
    from app.kernel.database import Session

KINDS = frozenset({f"stock_{kind}" for kind in (RECEIVED, WRITTEN_OFF, COUNTED)})
"""The kinds of transactions that stock movements account for."""

_movements_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare every stock movement with its transaction, and count that no transaction is without one."""
    found: list[Discrepancy] = []
    after, moved = 0, 0
    while movements := await store.movements_after(session, community, after=after, limit=_movements_per_step):
        numbers = [one.transaction_id for one in movements if one.transaction_id is not None]
        booked = await ledger.booked(session, community, numbers)
        for one in movements:
            found += _wrong_posting(one, booked.get(one.transaction_id or 0))
        moved += len(numbers)
        after = movements[-1].number
    kinds = await ledger.count_by_kind(session, community)
    posted = sum(kinds.get(kind, 0) for kind in KINDS)
    if posted != moved:
        found.append(Discrepancy("stock-without-movement", "community", f"transactions {posted}, movements {moved}"))
    return found


def _wrong_posting(one: StockMovement, posted: Booked | None) -> Sequence[Discrepancy]:
    """Say what a movement's transaction should have been; a count that found nothing to change has none."""
    expected = None
    if one.change:
        reference = f"goods/{one.goods_id}/stock-movements/{one.id}"
        expected = Booked(f"stock_{one.kind}", reference, dict(movements_of(one.goods_id, one.change)))
    if posted == expected:
        if posted is None or posted.stands_for(evidence_of(one)):
            return []
        detail = f"it is not what transaction {one.transaction_id} stands for"
        return [Discrepancy("evidence-differs", f"stock-movement/{one.id}", detail)]
    return [Discrepancy("stock-wrong", f"stock-movement/{one.id}", f"posted {posted}, expected {expected}")]
