"""Volunteers: registered, found, read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from app import ledger
from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.ledger import NEVER_NEGATIVE, NEVER_POSITIVE, NewAccount
from app.volunteers import store
from app.volunteers.errors import AlreadyRegistered, GuardianRequired, UnknownHousehold, VolunteerErased
from app.volunteers.rules import (
    Consent,
    Guardian,
    Person,
    Volunteer,
    minutes_account,
    needs_guardian,
    owed_account,
    points_account,
    reserved_account,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Read
    from app.kernel.vault import Vault
    from app.volunteers.store import VolunteerKey

_tail_length = 4


@dataclass(frozen=True, slots=True)
class Registration:
    """A volunteer to register. `registered_on` is the day by which a minor's age counts: today when not given."""

    community: int
    person: Person
    consent: Consent
    taken_by: str
    estate: str | None = None
    political_status: str | None = None
    skills: tuple[str, ...] = ()
    external_ids: Mapping[str, str] | None = None
    registered_on: dt.date | None = None
    household_id: UUID | None = None


async def register_volunteers(session: Session, new: Sequence[Registration]) -> list[Volunteer | Refusal]:
    """Register volunteers in order with their accounts, each phone and ID number once per community."""
    communities = await session.ask(communities_by_number(session.dialect, (item.community for item in new)))
    hashed = [_hashes(session.vault, item) for item in new]
    taken_phones = set(await store.holders(session, "phone_hash", [(h.community, h.phone) for h in hashed]))
    numbers = [(h.community, h.id_number) for h in hashed if h.id_number]
    taken_numbers = set(await store.holders(session, "id_number_hash", numbers)) if numbers else set()
    named = {(item.community, item.household_id) for item in new if item.household_id}
    households = await store.known_households(session, named) if named else set()
    results: list[UUID | Refusal] = []
    accepted: list[tuple[UUID, Registration, store.Hashes]] = []
    for item, hashes in zip(new, hashed, strict=True):
        refusal = _refusal(session, communities[item.community], item, hashes, taken_phones, taken_numbers)
        if refusal is None and item.household_id and (item.community, item.household_id) not in households:
            refusal = UnknownHousehold(household_id=item.household_id)
        if refusal is not None:
            results.append(refusal)
            continue
        volunteer_id = new_id()
        accepted.append((volunteer_id, item, hashes))
        results.append(volunteer_id)
        taken_phones.add((hashes.community, hashes.phone))
        if hashes.id_number:
            taken_numbers.add((hashes.community, hashes.id_number))
    registered = await _store(session, communities, accepted)
    return [result if isinstance(result, Refusal) else registered[result] for result in results]


def _hashes(vault: Vault, item: Registration) -> store.Hashes:
    return hashes_of(vault, item.community, item.person)


def hashes_of(vault: Vault, community: int, person: Person) -> store.Hashes:
    """The keyed hashes by which a person is found in a community."""
    number = person.id_number
    return store.Hashes(
        community, phone_hash(vault, community, person.phone), number and _number_hash(vault, community, number)
    )


def phone_hash(vault: Vault, community: int, phone: str) -> str:
    """The keyed hash by which a phone number is found in a community."""
    return vault.hash("phone", str(community), phone)


def _number_hash(vault: Vault, community: int, number: str) -> str:
    return vault.hash("id number", str(community), number.upper())


def _refusal(
    session: Session,
    community: Community,
    item: Registration,
    hashes: store.Hashes,
    taken_phones: Collection[tuple[int, str]],
    taken_numbers: Collection[tuple[int, str]],
) -> Refusal | None:
    today = community.local_date(session.now(item.community))
    if community.local_date(item.consent.given_at) > today:
        return InvalidRequest(errors=(Fault("/consent/given_at", "a consent is not given in the future"),))
    if item.person.birth_date is not None and item.person.birth_date > today:
        return InvalidRequest(errors=(Fault("/birth_date", "a birth does not lie in the future"),))
    day = item.registered_on or today
    if needs_guardian(item.person.birth_date, day) and item.person.guardian is None:
        return GuardianRequired()
    if (hashes.community, hashes.phone) in taken_phones:
        return AlreadyRegistered(field="phone")
    if hashes.id_number and (hashes.community, hashes.id_number) in taken_numbers:
        return AlreadyRegistered(field="id_number")
    return None


async def _store(
    session: Session,
    communities: Mapping[int, Community],
    accepted: Sequence[tuple[UUID, Registration, store.Hashes]],
) -> dict[UUID, Volunteer]:
    if not accepted:
        return {}
    keys = await persons.make_keys(session, [(item.community, volunteer_id) for volunteer_id, item, _ in accepted])
    announced = [
        Event(item.community, "volunteer.registered", {"volunteer_id": str(volunteer_id)})
        for volunteer_id, item, _ in accepted
    ]
    numbers = await append(session, announced)
    rows = []
    registered: dict[UUID, Volunteer] = {}
    for (volunteer_id, item, hashes), number in zip(accepted, numbers, strict=True):
        rows.append(
            {
                "community_id": item.community,
                "volunteer_id": volunteer_id,
                "number": number,
                **columns_of(session.vault, hashes, item.person, keys[item.community, volunteer_id], volunteer_id),
                "estate": item.estate,
                "political_status": item.political_status,
                "skills": list(item.skills),
                "external_ids": dict(item.external_ids or {}),
                "consent_version": item.consent.version,
                "consent_given_at": item.consent.given_at,
                "consent_on": communities[item.community].local_date(item.consent.given_at),
                "consent_taken_by": item.taken_by,
                "registered_at": session.now(item.community),
            }
        )
        shown = {**rows[-1], "household_id": item.household_id, "revision": 1}
        registered[volunteer_id] = _volunteer(shown, item.person)
    await store.insert(session, rows)
    living = [(item.community, volunteer_id, item.household_id) for volunteer_id, item, _ in accepted]
    await store.move_in(session, [(number, who, home) for number, who, home in living if home])
    accounts = [account for volunteer_id, item, _ in accepted for account in accounts_of(item.community, volunteer_id)]
    await ledger.open_accounts(session, accounts)
    return registered


def accounts_of(community: int, volunteer_id: UUID) -> list[NewAccount]:
    """The accounts that are opened for a volunteer."""
    return [
        NewAccount(community, minutes_account(volunteer_id), "MINUTE", NEVER_NEGATIVE),
        NewAccount(community, points_account(volunteer_id), "POINT", NEVER_NEGATIVE),
        NewAccount(community, reserved_account(volunteer_id), "POINT", NEVER_NEGATIVE),
        NewAccount(community, owed_account(volunteer_id), "POINT", NEVER_POSITIVE),
    ]


def columns_of(
    vault: Vault, hashes: store.Hashes, person: Person, key: bytes, volunteer_id: UUID
) -> dict[str, str | None]:
    """A person as the table keeps one: sealed, and findable by hashes."""
    community = str(hashes.community)
    return {
        "sealed": seal(key, orjson.dumps(person), _context(volunteer_id)),
        "name_hash": vault.hash("name", community, person.name),
        "phone_hash": hashes.phone,
        "phone_tail_hash": vault.hash("phone tail", community, person.phone[-_tail_length:]),
        "id_number_hash": hashes.id_number,
    }


def _context(volunteer_id: UUID) -> str:
    return f"volunteer {volunteer_id}"


def _volunteer(row: Mapping[Any, Any], person: Person) -> Volunteer:
    return Volunteer(
        id=row["volunteer_id"],
        number=row["number"],
        name=person.name,
        phone=person.phone,
        sex=person.sex,
        id_number=person.id_number,
        birth_date=person.birth_date,
        guardian=person.guardian,
        estate=row["estate"],
        political_status=row["political_status"],
        consent=Consent(row["consent_version"], row["consent_given_at"]),
        registered_at=row["registered_at"],
        skills=tuple(row["skills"]),
        external_ids=row["external_ids"],
        household_id=row["household_id"],
        revision=row["revision"],
    )


def _unsealed(sealed: str, key: bytes, volunteer_id: UUID) -> Person:
    fields = orjson.loads(unseal(key, sealed, _context(volunteer_id)))
    if fields["birth_date"]:
        fields["birth_date"] = dt.date.fromisoformat(fields["birth_date"])
    if fields["guardian"]:
        fields["guardian"] = Guardian(**fields["guardian"])
    return Person(**fields)


async def opened(session: Session, community: int, rows: Sequence[AnyRow]) -> list[Volunteer]:
    """Volunteers from their rows, with all personal data."""
    keys = await persons.load_keys(session, [(community, row.volunteer_id) for row in rows])
    return [
        _volunteer(row._mapping, _unsealed(row.sealed, keys[community, row.volunteer_id], row.volunteer_id))
        for row in rows
    ]


def absence(row: AnyRow | None) -> Refusal | None:
    """Why a volunteer's row cannot be read: it is not there, or erased."""
    if row is None:
        return NotFound(resource="volunteer")
    return VolunteerErased(erased_at=row.erased_at) if row.erased_at else None


async def get_volunteer(session: Session, community: int, volunteer_id: UUID) -> Volunteer:
    """Read one volunteer with all personal data. Raises `Refused` with `NotFound` or `VolunteerErased`."""
    row = await store.find(session, community, volunteer_id)
    refusal = absence(row)
    if row is None or refusal:
        raise Refused(refusal or NotFound(resource="volunteer"))
    return (await opened(session, community, [row]))[0]


async def list_volunteers(
    session: Session, community: int, paging: Paging, *, phone: str | None = None, id_number: str | None = None
) -> list[Volunteer]:
    """Volunteers with all personal data, newest first; by exact phone or ID number."""
    matching = {}
    if phone is not None:
        matching["phone_hash"] = phone_hash(session.vault, community, phone)
    if id_number is not None:
        matching["id_number_hash"] = _number_hash(session.vault, community, id_number)
    rows = await store.page(session, community, paging, matching=matching)
    return await opened(session, community, rows)


class PhoneHolder(NamedTuple):
    """Who has a phone number: its keyed hash in the community, and the volunteer if it is registered."""

    phone_hash: str
    volunteer_id: UUID | None


async def find_by_phone(session: Session, community: int, phones: Iterable[str]) -> dict[str, PhoneHolder]:
    """Find who has each of these phone numbers."""
    hashes = {phone: phone_hash(session.vault, community, phone) for phone in phones}
    found = await store.holders(session, "phone_hash", [(community, value) for value in hashes.values()])
    return {phone: PhoneHolder(value, found.get((community, value))) for phone, value in hashes.items()}


def consent_dates(dialect: str, asked: Collection[VolunteerKey]) -> Read[dict[VolunteerKey, dt.date]]:
    """Ask for the local dates on which these volunteers gave their consent; unknown and erased ones are missing."""
    return store.consent_dates(dialect, asked)


async def housemates(session: Session, community: int, volunteer_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Who shares limits with each of these volunteers: all of the household, or the volunteer alone without one."""
    living = await store.housemates(session, [(community, volunteer_id) for volunteer_id in volunteer_ids])
    return {
        volunteer_id: frozenset(living.get((community, volunteer_id), {volunteer_id})) for volunteer_id in volunteer_ids
    }
