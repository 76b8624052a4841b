"""Checks that stock movements and the ledger tell the same story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.goods import store
from app.goods.rules import COUNTED, RECEIVED, WRITTEN_OFF, evidence_of, movements_of
from app.ledger import Booked, Claims, Discrepancy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.goods.rules import StockMovement
    from app.ledger import Books, Stretch

KINDS = frozenset({f"stock_{kind}" for kind in (RECEIVED, WRITTEN_OFF, COUNTED)})
"""The kinds of transactions that stock movements account for."""


class Audit:
    """Every stock movement beside its transaction."""

    def __init__(self, books: Books) -> None:
        """Begin with nothing compared."""
        self._books = books
        self._claims = Claims("stock-without-movement", KINDS)
        self._found: list[Discrepancy] = []

    async def step(self, stretch: Stretch) -> None:
        """Compare the movements of a stretch, and name its transactions that are without one."""
        movements = await store.movements_of(self._books.session, stretch)
        for one in movements:
            self._found += _wrong_posting(one, stretch.booked.get(one.transaction_id or 0))
        self._claims.hold(stretch, [one.transaction_id for one in movements if one.transaction_id is not None])

    async def finish(self) -> list[Discrepancy]:
        """Compare the counts that found nothing to change as well, and give what disagreed."""
        for one in await store.movements_of_nothing(self._books.session, self._books.community):
            self._found += _wrong_posting(one, None)
        return self._found + self._claims.finish()


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
