"""Checks that transfers and the ledger tell the same story."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app import ledger
from app.communities.rules import POINTS_POOL
from app.ledger import Account, Booked, Claims, Discrepancy
from app.transfers import store
from app.transfers.rules import DONATION, GIFT, evidence_of, movements_of
from app.volunteers.rules import with_debts_merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.ledger import Books, Stretch
    from app.transfers.rules import Transfer

KINDS = frozenset({GIFT, DONATION})
"""The kinds of transactions that transfers account for."""


class Audit:
    """Every transfer beside its transaction, and the pool beside what was donated to it."""

    def __init__(self, books: Books) -> None:
        """Begin with nothing compared."""
        self._books = books
        self._claims = Claims("posting-without-transfer", KINDS)
        self._found: list[Discrepancy] = []
        self._donated = 0

    async def step(self, stretch: Stretch) -> None:
        """Compare the transfers of a stretch, and name its transactions that are without one."""
        transfers = await store.transfers_of(self._books.session, stretch)
        for one in transfers:
            self._found += _wrong_posting(one, stretch.booked.get(one.transaction_id))
        self._claims.hold(stretch, [one.transaction_id for one in transfers])
        self._donated += sum(one.points for one in transfers if one.kind == DONATION)

    async def finish(self) -> list[Discrepancy]:
        """Sum up the pool, and give what disagreed."""
        found = self._found + self._claims.finish()
        pool = Account(self._books.community, POINTS_POOL)
        held = (await ledger.balances(self._books.session, [pool])).get(pool)
        if held != self._donated:
            found.append(Discrepancy("pool-wrong", POINTS_POOL, f"balance {held}, donations {self._donated}"))
        return found


def _wrong_posting(one: Transfer, posted: Booked | None) -> Sequence[Discrepancy]:
    """Say what a transfer's transaction should have been, points owed counted as points."""
    if posted is not None:
        posted = replace(posted, movements=with_debts_merged(posted.movements))
    movements = dict(movements_of(one.from_volunteer_id, one.to_volunteer_id, one.points))
    expected = Booked(one.kind, f"transfers/{one.id}", movements)
    if posted == expected:
        if posted.stands_for(evidence_of(one)):
            return []
        detail = f"it is not what transaction {one.transaction_id} stands for"
        return [Discrepancy("evidence-differs", f"transfer/{one.id}", detail)]
    return [Discrepancy("transfer-wrong", f"transfer/{one.id}", f"posted {posted}, expected {expected}")]
