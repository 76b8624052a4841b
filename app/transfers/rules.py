"""Transfers, pure: who may give how many points, and what that moves in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.communities.rules import POINTS_POOL
from app.kernel.canonical import canonical
from app.kernel.errors import Fault, InvalidRequest
from app.volunteers.errors import InsufficientPoints, UnknownVolunteer
from app.volunteers.rules import points_account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from app.kernel.errors import Refusal

GIFT = "gift"
DONATION = "donation"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Points given by a volunteer to another, or to the community's pool (`to_volunteer_id` None)."""

    id: UUID
    community: int
    number: int
    from_volunteer_id: UUID
    to_volunteer_id: UUID | None
    points: int
    note: str | None
    transferred_by: str
    transferred_at: datetime
    transaction_id: int

    @property
    def kind(self) -> str:
        """The kind of its transaction: `gift` or `donation`."""
        return DONATION if self.to_volunteer_id is None else GIFT


def evidence_of(transfer: Transfer) -> bytes:
    """Write what a transfer says: its transaction is bound to it."""
    return canonical(
        {
            "from_volunteer_id": transfer.from_volunteer_id,
            "note": transfer.note,
            "number": transfer.number,
            "points": transfer.points,
            "to_volunteer_id": transfer.to_volunteer_id,
            "transfer_id": transfer.id,
            "transferred_at": transfer.transferred_at,
            "transferred_by": transfer.transferred_by,
        }
    )


@dataclass(slots=True)
class Purse:
    """What a volunteer's next transfer rests on: free points, and points owed (0 or more). It goes on as they move."""

    points: int
    owed: int

    def take_in(self, points: int) -> None:
        """Add points; they settle what is owed first."""
        settled = min(points, self.owed)
        self.owed -= settled
        self.points += points - settled


def address_fault(giver: UUID, receiver: UUID | None, *, to_pool: bool) -> InvalidRequest | None:
    """Why a transfer leads nowhere: it goes to one other volunteer or to the pool, not to both, neither or oneself."""
    if to_pool and receiver is not None:
        return InvalidRequest((Fault("/to_pool", "points go to a volunteer or to the pool; name one of the two"),))
    if not to_pool and receiver is None:
        return InvalidRequest((Fault("/to_volunteer_id", "name the volunteer who gets the points, or set to_pool"),))
    if receiver == giver:
        return InvalidRequest((Fault("/to_volunteer_id", "nobody gives points to themselves; name another volunteer"),))
    return None


def transfer_refusal(giver: UUID, receiver: UUID | None, points: int, purses: Mapping[UUID, Purse]) -> Refusal | None:
    """Why points are not given: one of the two is unknown, or the giver has too few."""
    for volunteer_id in (giver, receiver):
        if volunteer_id is not None and volunteer_id not in purses:
            return UnknownVolunteer(volunteer_id=volunteer_id)
    if purses[giver].points < points:
        return InsufficientPoints(balance=purses[giver].points, needed=points)
    return None


def movements_of(giver: UUID, receiver: UUID | None, points: int) -> tuple[tuple[str, int], ...]:
    """What a transfer moves; a debt of the receiver takes its share when it is posted."""
    to = POINTS_POOL if receiver is None else points_account(receiver)
    return ((points_account(giver), -points), (to, points))
