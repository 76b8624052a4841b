"""The end of a vendor's coming."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.kernel import persons
from app.kernel.effects import follow
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append
from app.vendors import store
from app.vendors.errors import VendorEnded
from app.vendors.rules import ENDED, Particulars, Vendor
from app.vendors.service import absence, event, opened, sealed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.effects import PersonEffects
    from app.vendors.store import VendorKey


@dataclass(frozen=True, slots=True)
class Ending:
    """A vendor who comes no more, and why."""

    community: int
    vendor_id: UUID
    reason: str
    ended_by: str


async def end_vendors(session: Session, endings: Sequence[Ending], *, effects: PersonEffects) -> list[Vendor | Refusal]:
    """End vendors, in order: they give up every pitch to come and sign up for none. What is known of them stays."""
    rows = await store.load(session, {(item.community, item.vendor_id) for item in endings})
    there = await opened(session, [row for row in rows.values() if row.erased_at is None])
    found = {(one.community, one.id): one for one in there}
    outcomes: list[Vendor | Refusal] = []
    ended: list[Vendor] = []
    for item in endings:
        key: VendorKey = (item.community, item.vendor_id)
        vendor, refusal = found.get(key), absence(rows.get(key))
        if vendor is None or refusal is not None:
            outcomes.append(refusal or NotFound(resource="vendor"))
        elif vendor.ended_at is not None:
            outcomes.append(VendorEnded(ended_at=vendor.ended_at))
        else:
            found[key] = _ended(vendor, item, session)
            ended.append(found[key])
            outcomes.append(found[key])
    await _store(session, ended)
    await follow(session, effects.gone, [(one.community, one.id) for one in ended])
    return outcomes


def _ended(vendor: Vendor, item: Ending, session: Session) -> Vendor:
    return replace(
        vendor,
        status=ENDED,
        ended_at=session.now(item.community),
        ended_by=item.ended_by,
        ended_reason=item.reason,
    )


async def _store(session: Session, ended: Sequence[Vendor]) -> None:
    keys = await persons.load_keys(session, [(one.community, one.id) for one in ended])
    rows = [
        {
            "community_id": one.community,
            "vendor_id": one.id,
            "sealed": sealed(keys[one.community, one.id], _of(one), one.id),
            "status": one.status,
            "ended_at": one.ended_at,
            "ended_by": one.ended_by,
        }
        for one in ended
    ]
    await store.update(session, rows)
    await append(session, [event(one.community, one.id, "ended") for one in ended])


def _of(vendor: Vendor) -> Particulars:
    return Particulars(str(vendor.name), str(vendor.phone), vendor.ended_reason)
