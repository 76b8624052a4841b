"""Erasure of a beneficiary's personal data: the key is destroyed; ids, and what was done for the person, stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.beneficiaries import store
from app.beneficiaries.rules import ERASED
from app.beneficiaries.service import absence
from app.kernel.effects import follow
from app.kernel.erasures import Erasure, NewErasure, erase_person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.effects import PersonEffects
    from app.kernel.errors import Refusal

BENEFICIARY = "beneficiary"
"""How the log of erasures calls a beneficiary."""


async def erase_beneficiaries(
    session: Session, new: Sequence[NewErasure], *, effects: PersonEffects
) -> list[Erasure | Refusal]:
    """Erase beneficiaries' personal data in order."""
    outcomes: list[Erasure | Refusal] = []
    for item in new:
        refusal = await _absence(session, item.community, item.person_id)
        if refusal:
            outcomes.append(refusal)
            continue
        erasure = Erasure(BENEFICIARY, item.person_id, session.now(item.community), item.erased_by, item.reason)
        await _erase(session, item.community, erasure)
        await follow(session, effects.gone, [(item.community, item.person_id)])
        outcomes.append(erasure)
    return outcomes


async def _absence(session: Session, community: int, beneficiary_id: UUID) -> Refusal | None:
    key = (community, beneficiary_id)
    return absence((await store.load(session, [key])).get(key))


async def _erase(session: Session, community: int, erasure: Erasure) -> None:
    blank = {
        "sealed": "",
        "identity_hash": "",
        "needs": [],
        "living_alone": False,
        "status": ERASED,
        "revision": 0,
        "erased_at": erasure.erased_at,
    }
    await store.update(session, (community, erasure.person_id), blank)
    await erase_person(session, community, erasure)


async def erase_beneficiary_again(session: Session, community: int, erasure: Erasure) -> bool:
    """Erase a beneficiary whom a restored backup brought back; whether there was one to erase."""
    there = await _absence(session, community, erasure.person_id) is None
    if there:
        await _erase(session, community, erasure)
    return there
