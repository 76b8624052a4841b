"""Checks that redemptions and the ledger tell the same story."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from app import ledger
from app.communities.rules import POINTS_REDEEMED
from app.goods import rules as goods_rules
from app.ledger import Account, Discrepancy
from app.redemptions import store
from app.redemptions.rules import CANCELLED, COLLECTED, LAPSED, RESERVED
from app.volunteers.rules import reserved_account

if TYPE_CHECKING:
    from app.kernel.database import Session
    from app.redemptions.rules import Redemption

_per_step = 500
_closings = {"collection": COLLECTED, "cancellation": CANCELLED, "lapse": LAPSED}


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare what open and collected redemptions say with the accounts that hold their points and pieces."""
    expected: Counter[str] = Counter({POINTS_REDEEMED: 0})
    statuses: Counter[str] = Counter()
    before: int | None = None
    while page := await store.page(session, community, before=before, limit=_per_step):
        for redemption in page:
            statuses[redemption.status] += 1
            expected.update(_held(redemption))
        before = page[-1].number
    found = []
    held = await ledger.balances(session, [Account(community, address) for address in expected])
    for address, amount in expected.items():
        balance = held.get(Account(community, address))
        if balance != amount:
            found.append(Discrepancy("redemptions-wrong", address, f"balance {balance}, redemptions {amount}"))
    kinds = await ledger.count_by_kind(session, community)
    wanted = {"reservation": statuses.total(), **{kind: statuses[status] for kind, status in _closings.items()}}
    for kind, count in wanted.items():
        if kinds.get(kind, 0) != count:
            detail = f"transactions {kinds.get(kind, 0)}, redemptions {count}"
            found.append(Discrepancy("redemption-without-posting", kind, detail))
    return found


def _held(redemption: Redemption) -> dict[str, int]:
    """What a redemption keeps on the accounts that redemptions alone move; those it once moved count with zero."""
    is_open, is_collected = redemption.status == RESERVED, redemption.status == COLLECTED
    held = {
        reserved_account(redemption.volunteer_id): redemption.points * is_open,
        POINTS_REDEEMED: redemption.points * is_collected,
    }
    for line in redemption.lines:
        held[goods_rules.reserved_account(line.goods_id)] = line.quantity * is_open
        held[goods_rules.handed_out_account(line.goods_id)] = line.quantity * is_collected
    return held
