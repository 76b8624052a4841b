"""Erasure of a vendor's personal data: the key is destroyed; ids, and which pitches the vendor had, stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.kernel.effects import follow
from app.kernel.erasures import Erasure, NewErasure, erase_person
from app.vendors import store
from app.vendors.rules import ERASED
from app.vendors.service import absence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.effects import PersonEffects
    from app.kernel.errors import Refusal

VENDOR = "vendor"
"""How the log of erasures calls a vendor."""


async def erase_vendors(
    session: Session, new: Sequence[NewErasure], *, effects: PersonEffects
) -> list[Erasure | Refusal]:
    """Erase vendors' personal data in order."""
    outcomes: list[Erasure | Refusal] = []
    for item in new:
        refusal = await _absence(session, item.community, item.person_id)
        if refusal:
            outcomes.append(refusal)
            continue
        erasure = Erasure(VENDOR, item.person_id, session.now(item.community), item.erased_by, item.reason)
        await _erase(session, item.community, erasure)
        await follow(session, effects.gone, [(item.community, item.person_id)])
        outcomes.append(erasure)
    return outcomes


async def _absence(session: Session, community: int, vendor_id: UUID) -> Refusal | None:
    key = (community, vendor_id)
    return absence((await store.load(session, [key])).get(key))


async def _erase(session: Session, community: int, erasure: Erasure) -> None:
    blank = {
        "community_id": community,
        "vendor_id": erasure.person_id,
        "sealed": "",
        "phone_hash": "",
        "goods_sold": "",
        "status": ERASED,
        "erased_at": erasure.erased_at,
    }
    await store.update(session, [blank])
    await erase_person(session, community, erasure)


async def erase_vendor_again(session: Session, community: int, erasure: Erasure) -> bool:
    """Erase a vendor whom a restored backup brought back; whether there was one to erase."""
    there = await _absence(session, community, erasure.person_id) is None
    if there:
        await _erase(session, community, erasure)
    return there
