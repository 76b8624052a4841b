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
    from app.ledger import Books, Stretch
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


class Audit:
    """Redemptions and their transactions beside each other, one to one."""

    def __init__(self, books: Books) -> None:
        """Begin with nothing compared."""
        self._books = books
        self._found: list[Discrepancy] = []

    async def step(self, stretch: Stretch) -> None:
        """Compare the transactions of a stretch with the redemptions that they name."""
        community = stretch.community
        booked = {number: one for number, one in stretch.booked.items() if one.kind in KINDS}
        ids = {number: _redemption_id(one.reference) for number, one in booked.items()}
        redemptions = await store.load(
            self._books.session, {(community, named) for named in ids.values() if named is not None}, codes=False
        )
        for number, one in booked.items():
            named = ids[number]
            self._found += _wrong_posting(number, one, None if named is None else redemptions.get((community, named)))

    async def finish(self) -> list[Discrepancy]:
        """Compare sums and counts, and give what disagreed."""
        session, community = self._books.session, self._books.community
        repeated = [
            Discrepancy("redemption-posted-twice", reference, f"kind {kind}, transactions {count}")
            for kind, reference, count in await ledger.repeated(session, community, KINDS, limit=_repeated_max)
        ]
        sums = await _wrong_sums(session, community)
        return [*sums, *self._found, *repeated, *await _missing_postings(session, community)]


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
            found += _wrong_end(one)
        paging = Paging(limit=_per_step, position=page[-1].number)
    held = await ledger.balances(session, [Account(community, address) for address in expected])
    for address, amount in expected.items():
        balance = held.get(Account(community, address))
        if balance != amount:
            found.append(Discrepancy("redemptions-wrong", address, f"balance {balance}, redemptions {amount}"))
    return found


def _wrong_end(one: Redemption) -> Sequence[Discrepancy]:
    """Say when a redemption has an end, or a return, that its status does not go with."""
    ended = one.status != RESERVED, one.status != RESERVED, one.status == RETURNED
    stored = one.closed_at is not None, one.closed_by is not None, one.return_transaction_id is not None
    if stored == ended and (one.status != RESERVED or one.reason is None):
        return []
    detail = f"status {one.status}, closed {one.closed_at} by {one.closed_by}, returned {one.returned_at}"
    return [Discrepancy("redemption-status-wrong", f"redemption/{one.id}", detail)]


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
    """Compare counts; where one is wrong, name the redemptions without a posting of the kind, if there are any."""
    kinds = await ledger.count_by_kind(session, community)
    statuses = await store.count_by_status(session, community)
    found: list[Discrepancy] = []
    for kind, called in {"reservation": set(statuses), **_closings}.items():
        count = sum(statuses.get(status, 0) for status in called)
        if kinds.get(kind, 0) == count:
            continue
        detail = f"transactions {kinds.get(kind, 0)}, redemptions {count}"
        posted = await ledger.references_of(session, community, kind)
        ids = await store.ids_by_status(session, community, called)
        unposted = [f"redemption/{one}" for one in ids if f"{_prefix}{one}" not in posted] or [kind]
        found += [Discrepancy("redemption-without-posting", subject, f"{kind}: {detail}") for subject in unposted]
    return found


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
    if posted != expected:
        return [Discrepancy("redemption-wrong", subject, f"posted {posted}, expected {expected}")]
    if not posted.stands_for(evidence_of(redemption, posted.kind)):
        return [Discrepancy("evidence-differs", subject, f"it is not what transaction {number} stands for")]
    return _wrong_act(number, posted, redemption)


def _wrong_act(number: int, posted: Booked, redemption: Redemption) -> Sequence[Discrepancy]:
    """Compare why a redemption was closed, and the return that a transaction is of, with what was posted."""
    said = posted.act.reason if posted.act else None
    # What is said of a redemption is why it was closed, or once it is returned why that was.
    is_last = posted.kind == "return" or (posted.kind != "reservation" and redemption.status != RETURNED)
    if is_last and said != redemption.reason:
        detail = f"transaction {number} {posted.kind}: posted {said}, stored {redemption.reason}"
        return [Discrepancy("decision-differs", f"redemption/{redemption.id}", detail)]
    if posted.kind == "return" and redemption.return_transaction_id != number:
        detail = f"returned with transaction {redemption.return_transaction_id}, posted {number}"
        return [Discrepancy("redemption-wrong", f"redemption/{redemption.id}", detail)]
    return []
