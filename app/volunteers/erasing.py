"""Erasure of personal data: the person's key is destroyed; ids and postings stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import ledger
from app.access.cards import revoke_cards_of
from app.kernel import persons
from app.kernel.effects import follow
from app.kernel.erasures import Erasure, NewErasure
from app.kernel.events import Event, append
from app.ledger import Account
from app.volunteers import store
from app.volunteers.errors import RedemptionsOpen
from app.volunteers.rules import reserved_account
from app.volunteers.service import absence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Session
    from app.kernel.effects import PersonEffects
    from app.kernel.errors import Refusal

VOLUNTEER = "volunteer"
"""How the log of erasures calls a volunteer."""


async def erase_volunteers(
    session: Session, new: Sequence[NewErasure], *, effects: PersonEffects
) -> list[Erasure | Refusal]:
    """Erase volunteers' personal data in order."""
    outcomes: list[Erasure | Refusal] = []
    for item in new:
        refusal = await _refusal(session, item)
        if refusal:
            outcomes.append(refusal)
            continue
        erasure = Erasure(VOLUNTEER, item.person_id, session.now(item.community), item.erased_by, item.reason)
        await _erase(session, item.community, erasure)
        await follow(session, effects.gone, [(item.community, item.person_id)])
        outcomes.append(erasure)
    return outcomes


async def _refusal(session: Session, item: NewErasure) -> Refusal | None:
    refusal = absence(await store.find(session, item.community, item.person_id))
    if refusal:
        return refusal
    account = Account(item.community, reserved_account(item.person_id))
    reserved = (await ledger.balances(session, [account]))[account]
    return RedemptionsOpen(points_reserved=reserved) if reserved else None


async def _erase(session: Session, community: int, erasure: Erasure) -> None:
    key = (community, erasure.person_id)
    await persons.destroy_keys(session, [key])
    await store.update(
        session,
        *key,
        {
            "sealed": "",
            "name_hash": "",
            # Nobody's number hashes to this, so that the phone and the ID number may be registered anew.
            "phone_hash": f"erased {erasure.person_id}",
            "phone_tail_hash": "",
            "id_number_hash": None,
            "estate": None,
            "political_status": None,
            "skills": [],
            "external_ids": {},
            "revision": 0,
            "erased_at": erasure.erased_at,
        },
    )
    await store.move_out(session, [key])
    await revoke_cards_of(session, *key)
    (number,) = await append(session, [Event(community, "volunteer.erased", {"volunteer_id": str(erasure.person_id)})])
    await store.insert_erasure(
        session,
        {
            "community_id": community,
            "volunteer_id": erasure.person_id,
            "number": number,
            "erased_at": erasure.erased_at,
            "erased_by": erasure.erased_by,
            "reason": erasure.reason,
        },
    )


async def log_of_erased_volunteers(session: Session, community: int) -> list[Erasure]:
    """A community's erasures of volunteers, oldest first."""
    rows = await store.all_erasures(session, community)
    return [Erasure(VOLUNTEER, row.volunteer_id, row.erased_at, row.erased_by, row.reason) for row in rows]


async def erase_volunteer_again(session: Session, community: int, erasure: Erasure) -> bool:
    """Erase a volunteer whom a restored backup brought back, whatever is open; whether there was one to erase.

    Who registered after the backup is not in it.
    """
    there = absence(await store.find(session, community, erasure.person_id)) is None
    if there:
        await _erase(session, community, erasure)
    return there
