"""Vendors: registered, found, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.kernel import persons
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.vendors import store
from app.vendors.errors import VendorErased, VendorRegistered
from app.vendors.rules import ACTIVE, Particulars, Vendor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow
    from app.kernel.vault import Vault
    from app.vendors.store import VendorKey


@dataclass(frozen=True, slots=True)
class Registration:
    """A vendor to register."""

    community: int
    particulars: Particulars
    goods_sold: str
    registered_by: str


async def register_vendors(session: Session, new: Sequence[Registration]) -> list[Vendor | Refusal]:
    """Register vendors in order, each phone once among those of a community who come."""
    places = [(item.community, _phone_hash(session.vault, item.community, item.particulars.phone)) for item in new]
    taken = await store.taken(session, places)
    outcomes: list[UUID | Refusal] = []
    accepted: list[tuple[UUID, Registration, str]] = []
    for item, place in zip(new, places, strict=True):
        if place in taken:
            outcomes.append(VendorRegistered())
            continue
        taken.add(place)
        accepted.append((new_id(), item, place[1]))
        outcomes.append(accepted[-1][0])
    registered = await _store(session, accepted)
    return [outcome if isinstance(outcome, Refusal) else registered[outcome] for outcome in outcomes]


def _phone_hash(vault: Vault, community: int, phone: str) -> str:
    return vault.hash("vendor phone", str(community), phone)


async def _store(session: Session, accepted: Sequence[tuple[UUID, Registration, str]]) -> dict[UUID, Vendor]:
    keys = await persons.make_keys(session, [(item.community, one) for one, item, _ in accepted])
    numbers = await append(session, [event(item.community, one, "registered") for one, item, _ in accepted])
    rows = [
        {
            "community_id": item.community,
            "vendor_id": one,
            "number": number,
            "sealed": sealed(keys[item.community, one], item.particulars, one),
            "phone_hash": phone_hash,
            "goods_sold": item.goods_sold,
            "status": ACTIVE,
            "registered_by": item.registered_by,
            "registered_at": session.now(item.community),
        }
        for (one, item, phone_hash), number in zip(accepted, numbers, strict=True)
    ]
    await store.insert(session, rows)
    shown = [{**row, "ended_at": None, "ended_by": None} for row in rows]
    return {one: _vendor(row, item.particulars) for (one, item, _), row in zip(accepted, shown, strict=True)}


def event(community: int, vendor_id: UUID, what: str) -> Event:
    """An event of a vendor."""
    return Event(community, f"vendor.{what}", {"vendor_id": str(vendor_id)})


def _context(vendor_id: UUID) -> str:
    return f"vendor {vendor_id}"


def sealed(key: bytes, particulars: Particulars, vendor_id: UUID) -> str:
    """Personal data as the table keeps it."""
    return seal(key, orjson.dumps(particulars), _context(vendor_id))


def _vendor(row: Mapping[Any, Any], particulars: Particulars) -> Vendor:
    return Vendor(
        id=row["vendor_id"],
        community=row["community_id"],
        number=row["number"],
        name=particulars.name,
        phone=particulars.phone,
        goods_sold=row["goods_sold"],
        ended_reason=particulars.ended_reason,
        status=row["status"],
        registered_by=row["registered_by"],
        registered_at=row["registered_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
    )


async def opened(session: Session, rows: Collection[AnyRow]) -> list[Vendor]:
    """Vendors from their rows, none of an erased one, with all personal data."""
    keys = await persons.load_keys(session, [(row.community_id, row.vendor_id) for row in rows])
    return [
        _vendor(
            row._mapping,
            Particulars(
                **orjson.loads(unseal(keys[row.community_id, row.vendor_id], row.sealed, _context(row.vendor_id)))
            ),
        )
        for row in rows
    ]


def absence(row: AnyRow | None) -> Refusal | None:
    """Why a vendor's row cannot be read: it is not there, or erased."""
    if row is None:
        return NotFound(resource="vendor")
    return VendorErased(erased_at=row.erased_at) if row.erased_at else None


async def get_vendor(session: Session, community: int, vendor_id: UUID) -> Vendor:
    """Read one vendor with all personal data. Raises `Refused` with `NotFound` or `VendorErased`."""
    row = (await store.load(session, [(community, vendor_id)])).get((community, vendor_id))
    refusal = absence(row)
    if row is None or refusal:
        raise Refused(refusal or NotFound(resource="vendor"))
    return (await opened(session, [row]))[0]


async def list_vendors(session: Session, community: int, paging: Paging, *, phone: str | None = None) -> list[Vendor]:
    """Vendors with all personal data, newest first; filters: `status`, and the exact phone."""
    phone_hash = None if phone is None else _phone_hash(session.vault, community, phone)
    return await opened(session, await store.page(session, community, paging, phone_hash))


async def known_vendors(session: Session, keys: Collection[VendorKey]) -> set[VendorKey]:
    """Find which of these vendors there are and come: neither ended nor erased."""
    return await store.active(session, keys)
