"""Qualifications: checked in by managers, revoked, read, and asked for where a position needs one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.effects import follow
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.qualifications import store
from app.qualifications.errors import QualificationRevoked
from app.qualifications.rules import Holding, Qualification, Revocation
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.effects import PersonEffects
    from app.kernel.paging import Paging
    from app.kernel.persons import Person
    from app.kernel.rows import Read


@dataclass(frozen=True, slots=True)
class NewQualification:
    """What a volunteer was found to be able to do, by the certificate that was shown, from one day to another."""

    community: int
    volunteer_id: UUID
    code: str
    certificate: str | None
    valid_from: dt.date
    valid_until: dt.date | None
    checked_by: str


@dataclass(frozen=True, slots=True)
class NewRevocation:
    """A qualification that is to hold no more from today, and why."""

    community: int
    qualification_id: UUID
    reason: str
    revoked_by: str


async def check_qualifications(session: Session, new: Sequence[NewQualification]) -> list[Qualification | Refusal]:
    """Check volunteers' qualifications in, in order. Who was erased holds none any more."""
    # Not by their keys: persons of other kinds have some, too.
    known = await session.ask(consent_dates(session.dialect, {(item.community, item.volunteer_id) for item in new}))
    keys = await persons.load_keys(session, list(known))
    outcomes: list[Qualification | Refusal] = [
        _checked(session, item) if (item.community, item.volunteer_id) in known else NotFound(resource="volunteer")
        for item in new
    ]
    checked = [outcome for outcome in outcomes if isinstance(outcome, Qualification)]
    numbers = await append(session, [_event(one, "checked") for one in checked])
    numbered = {one.id: replace(one, number=number) for one, number in zip(checked, numbers, strict=True)}
    await store.insert(session, [_sealed(one, keys) for one in numbered.values()])
    return [numbered[outcome.id] if isinstance(outcome, Qualification) else outcome for outcome in outcomes]


def _checked(session: Session, item: NewQualification) -> Qualification:
    return Qualification(
        id=new_id(),
        community=item.community,
        number=0,
        volunteer_id=item.volunteer_id,
        code=item.code,
        certificate=item.certificate,
        valid_from=item.valid_from,
        valid_until=item.valid_until,
        checked_by=item.checked_by,
        checked_at=session.now(item.community),
    )


def _event(qualification: Qualification, what: str) -> Event:
    ids = {"qualification_id": str(qualification.id), "volunteer_id": str(qualification.volunteer_id)}
    return Event(qualification.community, f"qualification.{what}", ids)


async def revoke_qualifications(
    session: Session, new: Sequence[NewRevocation], *, effects: PersonEffects
) -> list[Qualification | Refusal]:
    """Revoke qualifications in order, each once; what was done while one held stays as it is."""
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    sealed = await store.load(session, [(item.community, item.qualification_id) for item in new])
    keys = await _keys_of(session, sealed.values())
    found = {place: _opened(one, keys) for place, one in sealed.items()}
    outcomes: list[store.QualificationKey | Refusal] = []
    for item in new:
        place = (item.community, item.qualification_id)
        refusal = _refusal(found.get(place))
        outcomes.append(refusal or place)
        if refusal is None:
            now = session.now(item.community)
            # Nothing that may be personal is kept of somebody who was erased.
            reason = None if found[place].erased else item.reason
            today = communities[item.community].local_date(now)
            found[place] = replace(found[place], revocation=Revocation(today, now, item.revoked_by, reason))
    revoked = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    sealed_again = [_sealed(one, keys) for one in revoked]
    await store.revoke(session, [((one.community, one.id), one.revocation) for one in sealed_again if one.revocation])
    await append(session, [_event(one, "revoked") for one in revoked])
    await follow(session, effects.limited, [(one.community, one.volunteer_id) for one in revoked])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _refusal(qualification: Qualification | None) -> Refusal | None:
    if qualification is None:
        return NotFound(resource="qualification")
    revocation = qualification.revocation
    return QualificationRevoked(revoked_at=revocation.revoked_at) if revocation else None


async def list_qualifications(
    session: Session, community: int, paging: Paging, *, volunteer_id: UUID | None = None
) -> list[Qualification]:
    """Qualifications, newest first, of one volunteer if one is given; filters: `code`, `valid_on`."""
    found = await store.page(session, community, paging, volunteer_id=volunteer_id)
    keys = await _keys_of(session, found)
    return [_opened(one, keys) for one in found]


def held(dialect: str, asked: Collection[Holding]) -> Read[set[Holding]]:
    """Ask which of these qualifications their volunteers hold on the day: checked, begun, not over and not revoked."""
    return store.held(dialect, asked)


async def _keys_of(session: Session, found: Collection[Qualification]) -> dict[Person, bytes]:
    return await persons.load_keys(session, [(one.community, one.volunteer_id) for one in found])


def _context(qualification: Qualification, what: str) -> str:
    return f"qualification {qualification.community}/{qualification.id}/{what}"


def _sealed(one: Qualification, keys: Mapping[Person, bytes]) -> Qualification:
    """The qualification as it is stored: its texts sealed under the volunteer's key."""
    key = keys.get((one.community, one.volunteer_id))
    if key is None:
        return one
    certificate = one.certificate and seal(key, one.certificate.encode(), _context(one, "certificate"))
    revocation = one.revocation
    if revocation and revocation.reason:
        reason = seal(key, revocation.reason.encode(), _context(one, "revocation"))
        revocation = replace(revocation, reason=reason)
    return replace(one, certificate=certificate, revocation=revocation)


def _opened(one: Qualification, keys: Mapping[Person, bytes]) -> Qualification:
    """The qualification with its texts readable; without any if the volunteer was erased."""
    key = keys.get((one.community, one.volunteer_id))
    revocation = one.revocation

    def text(sealed: str | None, what: str) -> str | None:
        return unseal(key, sealed, _context(one, what)).decode() if key and sealed else None

    return replace(
        one,
        certificate=text(one.certificate, "certificate"),
        revocation=revocation and replace(revocation, reason=text(revocation.reason, "revocation")),
        erased=key is None,
    )
