"""Transfers of points: made at the desk, each one transaction of the ledger, and read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import ledger
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.ledger import Account, Entry
from app.transfers import store
from app.transfers.rules import Purse, Transfer, address_fault, evidence_of, movements_of, transfer_refusal
from app.volunteers.rules import debts_of, owed_account, points_account
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """Points to give to another volunteer or to the pool."""

    community: int
    from_volunteer_id: UUID
    to_volunteer_id: UUID | None
    to_pool: bool
    points: int
    transferred_by: str
    note: str | None = None


async def transfer_points(session: Session, new: Sequence[NewTransfer]) -> list[Transfer | Refusal]:
    """Transfer points in order: each sees what those before it have moved."""
    purses = await _load(session, new)
    outcomes: list[NewTransfer | Refusal] = []
    for item in new:
        here = purses.get(item.community, {})
        giver, receiver = item.from_volunteer_id, item.to_volunteer_id
        refusal: Refusal | None = address_fault(giver, receiver, to_pool=item.to_pool)
        refusal = refusal or transfer_refusal(giver, receiver, item.points, here)
        if refusal is not None:
            outcomes.append(refusal)
            continue
        here[giver].points -= item.points
        if receiver is not None:
            here[receiver].take_in(item.points)
        outcomes.append(item)
    made = iter(await _store(session, [outcome for outcome in outcomes if not isinstance(outcome, Refusal)]))
    return [outcome if isinstance(outcome, Refusal) else next(made) for outcome in outcomes]


async def _load(session: Session, new: Sequence[NewTransfer]) -> dict[int, dict[UUID, Purse]]:
    """What the volunteers named hold, by community; unknown ones are missing."""
    asked = {
        (item.community, volunteer_id)
        for item in new
        for volunteer_id in (item.from_volunteer_id, item.to_volunteer_id)
        if volunteer_id is not None
    }
    known = await session.ask(consent_dates(session.dialect, asked))
    accounts = {key: (Account(key[0], points_account(key[1])), Account(key[0], owed_account(key[1]))) for key in known}
    states = await ledger.states(session, [account for pair in accounts.values() for account in pair])
    purses: dict[int, dict[UUID, Purse]] = {}
    for (community, volunteer_id), (points, owed) in accounts.items():
        purses.setdefault(community, {})[volunteer_id] = Purse(states[points].balance, -states[owed].balance)
    return purses


async def _store(session: Session, decided: Sequence[NewTransfer]) -> list[Transfer]:
    ids = [new_id() for _ in decided]
    numbers = await append(session, [_event(item, one) for item, one in zip(decided, ids, strict=True)])
    unposted = [
        Transfer(
            id=one,
            community=item.community,
            number=number,
            from_volunteer_id=item.from_volunteer_id,
            to_volunteer_id=item.to_volunteer_id,
            points=item.points,
            note=item.note,
            transferred_by=item.transferred_by,
            transferred_at=session.now(item.community),
            transaction_id=0,
        )
        for item, one, number in zip(decided, ids, numbers, strict=True)
    ]
    posted = await ledger.post_decided(session, [_entry(one) for one in unposted])
    made = [
        replace(one, transaction_id=transaction.transaction_id)
        for one, transaction in zip(unposted, posted, strict=True)
    ]
    await store.insert(session, made)
    return made


def _event(item: NewTransfer, transfer_id: UUID) -> Event:
    ids = {"transfer_id": str(transfer_id), "from_volunteer_id": str(item.from_volunteer_id)}
    if item.to_volunteer_id is not None:
        ids["to_volunteer_id"] = str(item.to_volunteer_id)
    return Event(item.community, "transfer.made", ids)


def _entry(transfer: Transfer) -> Entry:
    receiver = transfer.to_volunteer_id
    return Entry(
        community=transfer.community,
        kind=transfer.kind,
        movements=movements_of(transfer.from_volunteer_id, receiver, transfer.points),
        reference=f"transfers/{transfer.id}",
        posted_by=transfer.transferred_by,
        debts=() if receiver is None else debts_of(receiver),
        evidence=evidence_of(transfer),
    )


async def get_transfer(session: Session, community: int, transfer_id: UUID) -> Transfer:
    """Read one transfer. Raises `Refused(NotFound)`."""
    found = await store.find(session, community, transfer_id)
    if found is None:
        raise Refused(NotFound(resource="transfer"))
    return found


async def list_transfers(session: Session, community: int, paging: Paging) -> list[Transfer]:
    """Transfers, newest first; filters: `from_volunteer_id`, `to_volunteer_id`."""
    return await store.page(session, community, paging)
