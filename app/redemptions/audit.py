"""Checks that redemptions and the ledger tell the same story.

Every transaction of a redemption is compared with the redemption that its reference names. With no two of the same
kind for one redemption, and as many of each kind as redemptions call for, none is missing and none is too many. What
the accounts hold is compared besides, since a reversal undoes a transaction that in itself is right.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from app import ledger
from app.communities.rules import POINTS_REDEEMED
from app.goods import rules as goods_rules
from app.kernel.paging import Paging
from app.ledger import Account, Booked, Discrepancy
from app.redemptions import store
from app.redemptions.rules import (
    CANCELLED,
    COLLECTED,
    LAPSED,
    RESERVED,
    RETURNED,
    collection,
    evidence_of,
    release,
    reservation,
    takeback,
)
from app.volunteers.rules import reserved_account, with_debts_merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.redemptions.rules import Redemption

_closings = {
    "collection": {COLLECTED, RETURNED},
    "cancellation": {CANCELLED},
    "lapse": {LAPSED},
    "return": {RETURNED},
}
"""By kind of transaction, the statuses of redemptions that call for one."""

_movements = {
    "reservation": reservation,
    "collection": collection,
    "cancellation": release,
    "lapse": release,
    "return": takeback,
}

_credits = {"cancellation", "lapse", "return"}

KINDS = frozenset(_movements)
"""The kinds of transactions that redemptions account for."""

_per_step = 500
_repeated_max = 1000
_prefix = "redemptions/"


async def audit(session: Session, community: int) -> list[Discrepancy]:
    """Compare redemptions and their transactions with each other, one to one."""
    found = await _wrong_sums(session, community)
    after = 0
    while booked := await ledger.booked_after(session, community, KINDS, after=after, limit=_per_step):
        ids = {number: _redemption_id(one.reference) for number, one in booked.items()}
        redemptions = await store.load(
            session, {(community, named) for named in ids.values() if named is not None}, codes=False
        )
        for number, one in booked.items():
            named = ids[number]
            found += _wrong_posting(number, one, None if named is None else redemptions.get((community, named)))
        after = max(booked)
    for kind, reference, count in await ledger.repeated(session, community, KINDS, limit=_repeated_max):
        found.append(Discrepancy("redemption-posted-twice", reference, f"kind {kind}, transactions {count}"))
    return [*found, *await _missing_postings(session, community)]


async def _wrong_sums(session: Session, community: int) -> list[Discrepancy]:
    """Compare points with the lines they pay for, and what accounts hold with what redemptions keep there."""
    found: list[Discrepancy] = []
    expected: Counter[str] = Counter({POINTS_REDEEMED: 0})
    paging = Paging(limit=_per_step)
    while page := await store.page(session, community, paging, codes=False):
        for one in page:
            expected.update(_held(one))
            price = sum(line.quantity * line.points_each for line in one.lines)
            if price != one.points:
                detail = f"points {one.points}, lines {price}"
                found.append(Discrepancy("redemption-price-wrong", f"redemption/{one.id}", detail))
        paging = Paging(limit=_per_step, position=page[-1].number)
    held = await ledger.balances(session, [Account(community, address) for address in expected])
    for address, amount in expected.items():
        balance = held.get(Account(community, address))
        if balance != amount:
            found.append(Discrepancy("redemptions-wrong", address, f"balance {balance}, redemptions {amount}"))
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


async def _missing_postings(session: Session, community: int) -> list[Discrepancy]:
    kinds = await ledger.count_by_kind(session, community)
    statuses = await store.count_by_status(session, community)
    wanted = {"reservation": sum(statuses.values())}
    wanted |= {kind: sum(statuses.get(status, 0) for status in called) for kind, called in _closings.items()}
    return [
        Discrepancy("redemption-without-posting", kind, f"transactions {kinds.get(kind, 0)}, redemptions {count}")
        for kind, count in wanted.items()
        if kinds.get(kind, 0) != count
    ]


def _redemption_id(reference: str) -> UUID | None:
    """Which redemption a reference names; None when it is no redemption's."""
    try:
        return UUID(reference.removeprefix(_prefix))
    except ValueError:
        return None


def _wrong_posting(number: int, posted: Booked, redemption: Redemption | None) -> Sequence[Discrepancy]:
    """Say what is wrong with a transaction: nobody's, not called for by the status, or not what the lines say."""
    if redemption is None:
        detail = f"kind {posted.kind}, reference {posted.reference}"
        return [Discrepancy("redemption-missing", f"transaction/{number}", detail)]
    subject, status = f"redemption/{redemption.id}", redemption.status
    if status not in _closings.get(posted.kind, {status}):
        return [Discrepancy("redemption-status-wrong", subject, f"status {status}, transaction {number} {posted.kind}")]
    expected = Booked(posted.kind, f"{_prefix}{redemption.id}", dict(_movements[posted.kind](redemption)))
    if posted.kind in _credits:
        posted = replace(posted, movements=with_debts_merged(posted.movements))
    if posted == expected:
        if posted.stands_for(evidence_of(redemption, posted.kind)):
            return []
        return [Discrepancy("evidence-differs", subject, f"it is not what transaction {number} stands for")]
    return [Discrepancy("redemption-wrong", subject, f"posted {posted}, expected {expected}")]
