"""Who takes part: of each kind of participants, the feature that knows them; and what volunteers are qualified for.

A kind is one line of `KINDS`, for a feature on which sign-ups stand.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from app.activities.rules import BENEFICIARIES, MEMBERS, VENDORS, VOLUNTEERS
from app.beneficiaries.errors import UnknownBeneficiary
from app.beneficiaries.service import known_beneficiaries
from app.kernel.heads import CITY
from app.qualifications.service import held
from app.teams.service import known_members
from app.vendors.errors import UnknownVendor
from app.vendors.service import known_vendors
from app.volunteers.errors import UnknownVolunteer
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.qualifications.rules import Holding

    Participant: TypeAlias = tuple[int, UUID]
    """A participant: the small number of the community, and the participant's id."""

    Objections: TypeAlias = Mapping[
        str, Callable[[Session, Collection[Participant]], Awaitable[Mapping[Participant, Refusal]]]
    ]
    """By kind of participants: what a feature above has against some of them signing up for anything now."""


NO_OBJECTIONS: Objections = MappingProxyType({})


class Presence(NamedTuple):
    """Somebody who is to take part in a community on a local day."""

    community: int
    participant_id: UUID
    day: dt.date


class Kind(NamedTuple):
    """A kind of participants: why some may not take part, of those who may not; and whether they are the city's.

    The city's can be asked about only where a transaction sees the city's rows.
    """

    refusals: Callable[[Session, Collection[Presence]], Awaitable[Mapping[Presence, Refusal]]]
    of_city: bool = False


async def _volunteers(session: Session, asked: Collection[Presence]) -> Mapping[Presence, Refusal]:
    known = await session.ask(consent_dates(session.dialect, {one[:2] for one in asked}))
    return {one: UnknownVolunteer(volunteer_id=one.participant_id) for one in asked if one[:2] not in known}


async def _beneficiaries(session: Session, asked: Collection[Presence]) -> Mapping[Presence, Refusal]:
    known = await known_beneficiaries(session, {one[:2] for one in asked})
    return {one: UnknownBeneficiary(beneficiary_id=one.participant_id) for one in asked if one[:2] not in known}


async def _vendors(session: Session, asked: Collection[Presence]) -> Mapping[Presence, Refusal]:
    known = await known_vendors(session, {one[:2] for one in asked})
    return {one: UnknownVendor(vendor_id=one.participant_id) for one in asked if one[:2] not in known}


async def _members(session: Session, asked: Collection[Presence]) -> Mapping[Presence, Refusal]:
    found = await known_members(session, asked)
    return {one: refusal for one in asked if (refusal := found[one]) is not None}


KINDS: Mapping[str, Kind] = {
    VOLUNTEERS: Kind(_volunteers),
    BENEFICIARIES: Kind(_beneficiaries),
    VENDORS: Kind(_vendors),
    MEMBERS: Kind(_members, of_city=True),
}
"""By what positions say of their participants."""


def is_known_here(session: Session, kind: str) -> bool:
    """Whether a transaction can tell who of a kind may take part: of the city's, only if it sees the city's rows."""
    return CITY in session.seen or not KINDS[kind].of_city


async def refusals_of(
    session: Session, asked: Mapping[str, Collection[Presence]], objections: Objections = NO_OBJECTIONS
) -> dict[tuple[str, Presence], Refusal]:
    """Why participants, given by their kind, may not take part, of those who may not or to whom somebody objects."""
    found: dict[tuple[str, Presence], Refusal] = {}
    for kind in sorted(asked):
        if kind in objections:
            objected = await objections[kind](session, {one[:2] for one in asked[kind]})
            found |= {(kind, one): objected[one[:2]] for one in asked[kind] if one[:2] in objected}
        if is_known_here(session, kind):
            refusals = await KINDS[kind].refusals(session, asked[kind])
            found |= {(kind, one): refusal for one, refusal in refusals.items()}
    return found


async def held_among(session: Session, needed: Collection[Holding]) -> Collection[Holding]:
    """Which of these qualifications the volunteers hold, checked and valid, on the days."""
    return await session.ask(held(session.dialect, needed)) if needed else ()
