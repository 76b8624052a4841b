"""Beneficiaries: registered, found, read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.beneficiaries import store
from app.beneficiaries.errors import BeneficiaryErased, BeneficiaryRegistered
from app.beneficiaries.rules import ACTIVE, Beneficiary, Consent, Particulars
from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.beneficiaries.store import BeneficiaryKey
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow
    from app.kernel.vault import Vault


@dataclass(frozen=True, slots=True)
class Registration:
    """A beneficiary to register."""

    community: int
    particulars: Particulars
    needs: tuple[str, ...]
    living_alone: bool
    consent: Consent


async def register_beneficiaries(session: Session, new: Sequence[Registration]) -> list[Beneficiary | Refusal]:
    """Register beneficiaries in order; who is being served is not registered again, though families share a phone."""
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    hashes = [identity_hash(session.vault, item.community, item.particulars) for item in new]
    places = [(item.community, value) for item, value in zip(new, hashes, strict=True)]
    taken = set(await store.holders(session, places))
    outcomes: list[UUID | Refusal] = []
    accepted: list[tuple[UUID, Registration, str]] = []
    for item, place in zip(new, places, strict=True):
        refusal = _refusal(session, communities[item.community], item)
        if refusal is None and place in taken:
            refusal = BeneficiaryRegistered()
        if refusal is not None:
            outcomes.append(refusal)
            continue
        taken.add(place)
        accepted.append((new_id(), item, place[1]))
        outcomes.append(accepted[-1][0])
    registered = await _store(session, accepted)
    return [outcome if isinstance(outcome, Refusal) else registered[outcome] for outcome in outcomes]


def _refusal(session: Session, community: Community, item: Registration) -> Refusal | None:
    today = community.local_date(session.now(item.community))
    if community.local_date(item.consent.given_at) > today:
        return InvalidRequest(errors=(Fault("/consent/given_at", "a consent is not given in the future"),))
    return birth_fault(item.particulars.birth_date, today)


def birth_fault(birth_date: dt.date | None, today: dt.date) -> Refusal | None:
    """Why a birth date cannot be."""
    if birth_date is not None and birth_date > today:
        return InvalidRequest(errors=(Fault("/birth_date", "a birth does not lie in the future"),))
    return None


def identity_hash(vault: Vault, community: int, particulars: Particulars) -> str:
    """The keyed hash of who somebody is: name, phone and address together."""
    who = (particulars.name, particulars.phone or "", particulars.address)
    return vault.hash("beneficiary", str(community), *who)


async def _store(session: Session, accepted: Sequence[tuple[UUID, Registration, str]]) -> dict[UUID, Beneficiary]:
    if not accepted:
        return {}
    keys = await persons.make_keys(session, [(item.community, one) for one, item, _ in accepted])
    numbers = await append(session, [event(item.community, one, "registered") for one, item, _ in accepted])
    rows = [
        {
            "community_id": item.community,
            "beneficiary_id": one,
            "number": number,
            "sealed": sealed(keys[item.community, one], item.particulars, one),
            "identity_hash": identity,
            "needs": list(item.needs),
            "living_alone": item.living_alone,
            "consent_version": item.consent.version,
            "consent_given_at": item.consent.given_at,
            "consent_taken_by": item.consent.taken_by,
            "status": ACTIVE,
            "revision": 1,
            "registered_at": session.now(item.community),
        }
        for (one, item, identity), number in zip(accepted, numbers, strict=True)
    ]
    await store.insert(session, rows)
    shown = [{**row, "ended_at": None, "ended_by": None} for row in rows]
    return {one: _beneficiary(row, item.particulars) for (one, item, _), row in zip(accepted, shown, strict=True)}


def event(community: int, beneficiary_id: UUID, what: str) -> Event:
    """An event of a beneficiary."""
    return Event(community, f"beneficiary.{what}", {"beneficiary_id": str(beneficiary_id)})


def _context(beneficiary_id: UUID) -> str:
    return f"beneficiary {beneficiary_id}"


def sealed(key: bytes, particulars: Particulars, beneficiary_id: UUID) -> str:
    """Personal data as the table keeps it."""
    return seal(key, orjson.dumps(particulars), _context(beneficiary_id))


def _unsealed(key: bytes, text: str, beneficiary_id: UUID) -> Particulars:
    fields = orjson.loads(unseal(key, text, _context(beneficiary_id)))
    born = fields["birth_date"]
    return Particulars(**{**fields, "birth_date": born and dt.date.fromisoformat(born)})


def _beneficiary(row: Mapping[Any, Any], particulars: Particulars) -> Beneficiary:
    return Beneficiary(
        id=row["beneficiary_id"],
        community=row["community_id"],
        number=row["number"],
        name=particulars.name,
        phone=particulars.phone,
        address=particulars.address,
        birth_date=particulars.birth_date,
        ended_reason=particulars.ended_reason,
        needs=tuple(row["needs"]),
        living_alone=row["living_alone"],
        consent=Consent(row["consent_version"], row["consent_given_at"], row["consent_taken_by"]),
        status=row["status"],
        registered_at=row["registered_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        revision=row["revision"],
    )


async def opened(session: Session, rows: Collection[AnyRow]) -> list[Beneficiary]:
    """Beneficiaries from their rows, none of an erased one, with all personal data."""
    keys = await persons.load_keys(session, [(row.community_id, row.beneficiary_id) for row in rows])
    return [
        _beneficiary(
            row._mapping, _unsealed(keys[row.community_id, row.beneficiary_id], row.sealed, row.beneficiary_id)
        )
        for row in rows
    ]


def absence(row: AnyRow | None) -> Refusal | None:
    """Why a beneficiary's row cannot be read: it is not there, or erased."""
    if row is None:
        return NotFound(resource="beneficiary")
    return BeneficiaryErased(erased_at=row.erased_at) if row.erased_at else None


async def get_beneficiary(session: Session, community: int, beneficiary_id: UUID) -> Beneficiary:
    """Read one beneficiary with all personal data. Raises `Refused` with `NotFound` or `BeneficiaryErased`."""
    row = (await store.load(session, [(community, beneficiary_id)])).get((community, beneficiary_id))
    refusal = absence(row)
    if row is None or refusal:
        raise Refused(refusal or NotFound(resource="beneficiary"))
    return (await opened(session, [row]))[0]


async def list_beneficiaries(session: Session, community: int, paging: Paging) -> list[Beneficiary]:
    """Beneficiaries with all personal data, newest first; filters: `status`, `living_alone`, `need`."""
    return await opened(session, await store.page(session, community, paging))


async def load_beneficiaries(session: Session, keys: Collection[BeneficiaryKey]) -> dict[BeneficiaryKey, Beneficiary]:
    """Load beneficiaries with all personal data; unknown and erased ones are missing."""
    rows = [row for row in (await store.load(session, keys)).values() if row.erased_at is None]
    return {(one.community, one.id): one for one in await opened(session, rows)}


async def remembered_beneficiaries(session: Session, keys: Collection[BeneficiaryKey]) -> set[BeneficiaryKey]:
    """Find which of these beneficiaries are there, being served still or not: what was done for them is told later."""
    return {key for key, row in (await store.load(session, keys)).items() if row.erased_at is None} if keys else set()


async def known_beneficiaries(session: Session, keys: Collection[BeneficiaryKey]) -> set[BeneficiaryKey]:
    """Find which of these beneficiaries are there and being served: neither ended nor erased."""
    return await session.ask(store.active(session.dialect, keys)) if keys else set()
