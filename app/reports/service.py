"""The audit of a community: ledger, service records, stock, redemptions, transfers and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import ledger
from app.goods import audit as goods
from app.hours import audit as hours
from app.kernel.errors import NotFound, Refused
from app.kernel.paging import Paging
from app.ledger import Discrepancy, Line
from app.redemptions import audit as redemptions
from app.reports import heads, opened, references
from app.seals import audit as seals
from app.transfers import audit as transfers
from app.volunteers import audit as volunteers

if TYPE_CHECKING:
    from datetime import datetime

    from app.kernel.database import Session

_claimed = hours.KINDS | goods.KINDS | redemptions.KINDS | transfers.KINDS
"""Kinds that a feature answers for, one transaction at a time; of any other kind only reversals belong here."""

_unclaimed_max = 1000


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction of the ledger with its entries."""

    id: int
    kind: str
    posted_at: datetime
    posted_by: str
    reference: str
    reverses: int | None
    reason: str | None
    entries: tuple[Line, ...]


async def audit_community(session: Session, community: int) -> list[Discrepancy]:
    """Recompute everything of a community from its postings; an empty list means that all agrees."""
    await session.read_whole_tables()
    books = await ledger.Books.open(session, community)
    audits = [feature.Audit(books) for feature in (hours, goods, redemptions, transfers, seals)]
    async for stretch in books.stretches():
        for audit in audits:
            await audit.step(stretch)
    of_features = [one for audit in audits for one in await audit.finish()]
    of_features += await volunteers.audit(session, community)
    await session.join_whole_tables()
    found = await ledger.audit(session, community) + of_features
    for number, kind in await ledger.unclaimed(session, community, _claimed, limit=_unclaimed_max):
        found.append(Discrepancy("transaction-unclaimed", f"transaction/{number}", f"kind {kind}"))
    found += await opened.audit(books)
    found += await references.audit(session, community)
    found += await heads.audit(session, community)
    return found


async def list_transactions(
    session: Session, community: int, paging: Paging, *, number: int | None = None
) -> list[Transaction]:
    """Transactions with their entries, newest first."""
    rows = await ledger.transactions(session, community, paging, number=number)
    lines = await ledger.lines_of_transactions(session, community, [row["transaction_number"] for row in rows])
    return [
        Transaction(
            row["transaction_number"],
            row["kind"],
            row["posted_at"],
            row["posted_by"],
            row["reference"],
            row["reverses"],
            row["reason"],
            tuple(lines.get(row["transaction_number"], [])),
        )
        for row in rows
    ]


async def get_transaction(session: Session, community: int, number: int) -> Transaction:
    """Read one transaction. Raises `Refused(NotFound)`."""
    found = await list_transactions(session, community, Paging(limit=1), number=number)
    if not found:
        raise Refused(NotFound(resource="transaction"))
    return found[0]
