"""Checks that transfers and the ledger tell the same story."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app import ledger
from app.communities.rules import POINTS_POOL
from app.ledger import Account, Booked, Discrepancy
from app.transfers import store
from app.transfers.rules import DONATION, GIFT, evidence_of, movements_of
from app.volunteers.rules import with_debts_merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.transfers.rules import Transfer

KINDS = frozenset({GIFT, DONATION})
"""The kinds of transactions that transfers account for."""

_per_step = 500


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare every transfer with its transaction, count that no transaction is without one, and sum up the pool."""
    found: list[Discrepancy] = []
    after, count, donated = 0, 0, 0
    while transfers := await store.transfers_after(session, community, after=after, limit=_per_step):
        booked = await ledger.booked(session, community, [one.transaction_id for one in transfers])
        for one in transfers:
            found += _wrong_posting(one, booked.get(one.transaction_id))
        count += len(transfers)
        donated += sum(one.points for one in transfers if one.kind == DONATION)
        after = transfers[-1].number
    kinds = await ledger.count_by_kind(session, community)
    posted = sum(kinds.get(kind, 0) for kind in KINDS)
    if posted != count:
        found.append(Discrepancy("posting-without-transfer", "community", f"transactions {posted}, transfers {count}"))
    pool = Account(community, POINTS_POOL)
    held = (await ledger.balances(session, [pool])).get(pool)
    if held != donated:
        found.append(Discrepancy("pool-wrong", POINTS_POOL, f"balance {held}, donations {donated}"))
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
