"""Changes of what is known of a volunteer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.editing import edited
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal
from app.kernel.events import Event, append
from app.volunteers import store
from app.volunteers.errors import AlreadyRegistered, GuardianRequired, UnknownHousehold
from app.volunteers.rules import Person, Volunteer, birth_date_in, needs_guardian
from app.volunteers.service import absence, columns_of, hashes_of, opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.editing import Expected

_person_fields = tuple(one.name for one in fields(Person))
_row_fields = ("estate", "political_status", "skills", "external_ids")


@dataclass(frozen=True, slots=True)
class VolunteerChange:
    """New values of a volunteer, by name as in `Volunteer`, and the revision that they were made on."""

    community: int
    volunteer_id: UUID
    values: Mapping[str, Any]
    expected: Expected


async def change_volunteers(session: Session, changes: Sequence[VolunteerChange]) -> list[Volunteer | Refusal]:
    """Change volunteers in order; each phone and ID number stays once per community."""
    return [await _change(session, item) for item in changes]


async def _change(session: Session, item: VolunteerChange) -> Volunteer | Refusal:
    row = await store.find(session, item.community, item.volunteer_id)
    if row is None:
        return NotFound(resource="volunteer")
    refusal = absence(row) or item.expected.refusal(row.revision)
    if refusal:
        return refusal
    (before,) = await opened(session, item.community, [row])
    values = dict(item.values)
    if values.get("id_number") and "birth_date" not in values:
        # A birth date is taken from the ID number when it is not given, as at registration.
        values["birth_date"] = birth_date_in(values["id_number"])
    after = edited(before, values)
    if after is before:
        return before
    refusal = await _refusal(session, item, before, after)
    if refusal:
        return refusal
    await _store(session, item, before, after)
    return after


async def _refusal(session: Session, item: VolunteerChange, before: Volunteer, after: Volunteer) -> Refusal | None:
    community = (await session.ask(communities_by_number(session.dialect, [item.community])))[item.community]
    today = community.local_date(session.now(item.community))
    if after.birth_date is not None and after.birth_date > today:
        return InvalidRequest(errors=(Fault("/birth_date", "a birth does not lie in the future"),))
    if after.id_number and after.birth_date and birth_date_in(after.id_number) != after.birth_date:
        return InvalidRequest(errors=(Fault("/birth_date", "is not the one in id_number"),))
    if needs_guardian(after.birth_date, today) and after.guardian is None:
        return GuardianRequired()
    hashes = hashes_of(session.vault, item.community, _person(after))
    for name, column, value in (
        ("phone", "phone_hash", hashes.phone),
        ("id_number", "id_number_hash", hashes.id_number),
    ):
        holders = await store.holders(session, column, [(item.community, value)]) if value else {}
        if set(holders.values()) - {item.volunteer_id}:
            return AlreadyRegistered(field=name)
    home = after.household_id
    if home and home != before.household_id and not await store.known_households(session, [(item.community, home)]):
        return UnknownHousehold(household_id=home)
    return None


def _person(volunteer: Volunteer) -> Person:
    return Person(**{name: getattr(volunteer, name) for name in _person_fields})


async def _store(session: Session, item: VolunteerChange, before: Volunteer, after: Volunteer) -> None:
    keys = await persons.load_keys(session, [(item.community, item.volunteer_id)])
    person = _person(after)
    hashes = hashes_of(session.vault, item.community, person)
    values: dict[str, Any] = {
        "revision": after.revision,
        **{name: getattr(after, name) for name in _row_fields},
        "skills": list(after.skills),
    }
    if person != _person(before):
        key = keys[item.community, item.volunteer_id]
        values |= columns_of(session.vault, hashes, person, key, item.volunteer_id)
    await store.update(session, item.community, item.volunteer_id, values)
    if after.household_id is None:
        await store.move_out(session, [(item.community, item.volunteer_id)])
    elif after.household_id != before.household_id:
        await store.move_in(session, [(item.community, item.volunteer_id, after.household_id)])
    ids = {"volunteer_id": str(item.volunteer_id)}
    await append(session, [Event(item.community, "volunteer.changed", ids)])
