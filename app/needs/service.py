"""Needs: filed at the desk or by volunteers, planned as activities or answered, told, counted, and read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from app.activities.service import load_activities, running
from app.beneficiaries.errors import UnknownBeneficiary
from app.beneficiaries.service import known_beneficiaries
from app.kernel import persons
from app.kernel.erasures import Erasure, NewErasure, erase_person
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.needs import store
from app.needs.errors import (
    AlreadyTold,
    NeedErased,
    NeedNotDecided,
    NeedNotOpen,
    NobodyToTell,
    PersonRegistered,
    UnknownActivity,
)
from app.needs.rules import OPEN, PLANNED, TOLD_OF, Ages, Asker, Decision, Need, Telling
from app.needs.store import Stored
from app.volunteers.errors import UnknownVolunteer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Activity
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.persons import Person
    from app.needs.store import NeedKey

NEED = "need"
"""How the log of erasures calls somebody who asked and is registered nowhere."""


@dataclass(frozen=True, slots=True)
class NewNeed:
    """A need or complaint to file, and who asked: one of volunteer, beneficiary and somebody else, or not said."""

    community: int
    kind: str
    category: str
    place: str
    text: str
    filed_by: str
    asker: Asker | None = None
    volunteer_id: UUID | None = None
    beneficiary_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewDecision:
    """What is to become of a need. `volunteer_id` is given when only that volunteer's own may be decided."""

    community: int
    need_id: UUID
    status: str
    decided_by: str
    activity_id: UUID | None = None
    reason: str | None = None
    volunteer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewTelling:
    """That whoever asked was told what became of it, and how."""

    community: int
    need_id: UUID
    channel: str
    told_by: str


async def file_needs(session: Session, new: Sequence[NewNeed]) -> list[Need | Refusal]:
    """File needs in order."""
    named = {(item.community, item.beneficiary_id) for item in new if item.beneficiary_id is not None}
    served = await known_beneficiaries(session, named)
    askers = [(item.community, item.volunteer_id) for item in new if item.volunteer_id is not None]
    keys = await persons.load_keys(session, [*askers, *served])
    outcomes = [_filed(session, item, keys) for item in new]
    filed = [outcome for outcome in outcomes if isinstance(outcome, Need)]
    own = [(one.community, one.id) for one in filed if one.person_id == one.id]
    keys |= await persons.make_keys(session, own)
    numbers = await append(session, [_event(one, "filed") for one in filed])
    numbered = {one.id: replace(one, number=number) for one, number in zip(filed, numbers, strict=True)}
    await store.insert(session, [Stored(one, _sealed(one, keys)) for one in numbered.values()])
    return [numbered[outcome.id] if isinstance(outcome, Need) else outcome for outcome in outcomes]


def _filed(session: Session, item: NewNeed, keys: Mapping[Person, bytes]) -> Need | Refusal:
    # Who was erased has no key, and asks nothing any more.
    if item.volunteer_id is not None and (item.community, item.volunteer_id) not in keys:
        return UnknownVolunteer(volunteer_id=item.volunteer_id)
    if item.beneficiary_id is not None and (item.community, item.beneficiary_id) not in keys:
        return UnknownBeneficiary(beneficiary_id=item.beneficiary_id)
    return Need(
        id=new_id(),
        community=item.community,
        number=0,
        kind=item.kind,
        category=item.category,
        place=item.place,
        text=item.text,
        asker=item.asker,
        anonymous=item.asker is None and item.volunteer_id is None and item.beneficiary_id is None,
        volunteer_id=item.volunteer_id,
        beneficiary_id=item.beneficiary_id,
        filed_by=item.filed_by,
        filed_at=session.now(item.community),
    )


def _event(need: Need, what: str) -> Event:
    return Event(need.community, f"need.{what}", {"need_id": str(need.id)})


async def decide_needs(session: Session, new: Sequence[NewDecision]) -> list[Need | Refusal]:
    """Plan, answer or withdraw open needs in order, each once; one activity may meet several."""
    found = await _load(session, [(item.community, item.need_id) for item in new])
    named = {(item.community, item.activity_id) for item in new if item.activity_id is not None}
    activities = await load_activities(session, named)
    outcomes: list[NeedKey | Refusal] = []
    for item in new:
        place = (item.community, item.need_id)
        refusal = _decision_refusal(found.get(place), item, activities)
        outcomes.append(refusal or place)
        if refusal is None:
            # Nothing that may be personal is kept of somebody who was erased.
            reason = None if found[place].erased else item.reason
            decision = Decision(item.status, item.decided_by, session.now(item.community), item.activity_id, reason)
            found[place] = replace(found[place], decision=decision)
    decided = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    await store.decide(session, await _with_sealed_reasons(session, decided))
    await append(session, [_event(one, one.status) for one in decided])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _decision_refusal(
    need: Need | None, item: NewDecision, activities: Mapping[tuple[int, UUID], Activity]
) -> Refusal | None:
    if need is None or item.volunteer_id not in {None, need.volunteer_id}:
        return NotFound(resource="need")
    if need.status != OPEN:
        return NeedNotOpen(need_status=need.status)
    if item.status != PLANNED or item.activity_id is None:
        return None
    activity = activities.get((item.community, item.activity_id))
    if activity is None:
        return UnknownActivity(activity_id=item.activity_id)
    goes_on = running(activity, item.activity_id)
    return goes_on if isinstance(goes_on, Refusal) else None


async def tell_needs(session: Session, new: Sequence[NewTelling]) -> list[Need | Refusal]:
    """Note in order that whoever asked was told what became of it, of each need once."""
    found = await _load(session, [(item.community, item.need_id) for item in new])
    outcomes: list[NeedKey | Refusal] = []
    for item in new:
        place = (item.community, item.need_id)
        refusal = _telling_refusal(found.get(place))
        outcomes.append(refusal or place)
        if refusal is None:
            telling = Telling(item.told_by, session.now(item.community), item.channel)
            found[place] = replace(found[place], telling=telling)
    told = [found[outcome] for outcome in outcomes if not isinstance(outcome, Refusal)]
    await store.tell(session, [((one.community, one.id), one.telling) for one in told if one.telling])
    await append(session, [_event(one, "told") for one in told])
    return [outcome if isinstance(outcome, Refusal) else found[outcome] for outcome in outcomes]


def _telling_refusal(need: Need | None) -> Refusal | None:
    if need is None:
        return NotFound(resource="need")
    if need.anonymous:
        return NobodyToTell()
    if need.status not in TOLD_OF:
        return NeedNotDecided(need_status=need.status)
    return AlreadyTold(told_at=need.telling.told_at) if need.telling else None


async def erase_needs(session: Session, new: Sequence[NewErasure]) -> list[Erasure | Refusal]:
    """Erase who asked, and what was written, in order; that it was asked, and what became of it, stays."""
    outcomes: list[Erasure | Refusal] = []
    for item in new:
        refusal = await _erasing_refusal(session, item.community, item.person_id)
        if refusal:
            outcomes.append(refusal)
            continue
        erasure = Erasure(NEED, item.person_id, session.now(item.community), item.erased_by, item.reason)
        await erase_person(session, item.community, erasure)
        outcomes.append(erasure)
    return outcomes


async def _erasing_refusal(session: Session, community: int, need_id: UUID) -> Refusal | None:
    need = (await _load(session, [(community, need_id)])).get((community, need_id))
    if need is None:
        return NotFound(resource="need")
    if need.person_id != need.id:
        return PersonRegistered(volunteer_id=need.volunteer_id, beneficiary_id=need.beneficiary_id)
    return NeedErased() if need.erased else None


async def erase_need_again(session: Session, community: int, erasure: Erasure) -> bool:
    """Erase who asked once more, whom a restored backup brought back; whether there was somebody to erase."""
    there = await _erasing_refusal(session, community, erasure.person_id) is None
    if there:
        await erase_person(session, community, erasure)
    return there


async def get_need(session: Session, community: int, need_id: UUID, *, volunteer_id: UUID | None = None) -> Need:
    """Read one need, of this volunteer if one is given. Raises `Refused(NotFound)`."""
    need = (await _load(session, [(community, need_id)])).get((community, need_id))
    if need is None or volunteer_id not in {None, need.volunteer_id}:
        raise Refused(NotFound(resource="need"))
    return need


async def list_needs(
    session: Session, community: int, paging: Paging, *, volunteer_id: UUID | None = None
) -> list[Need]:
    """Needs, newest first, of one volunteer if one is given; filters: see `store.page`."""
    found = await store.page(session, community, paging, session.now(community), volunteer_id=volunteer_id)
    return await _opened(session, found)


async def ages_of_needs(session: Session, community: int) -> Ages:
    """Count a community's open needs by how long they have been waiting."""
    return await store.ages(session, community, session.now(community))


async def complaints_by_place(session: Session, community: int, begin: datetime, end: datetime) -> dict[str, int]:
    """Count the complaints filed from `begin` to before `end` by place; places without one are missing."""
    return await store.complaints_by_place(session, community, begin, end)


async def _load(session: Session, keys: Collection[NeedKey]) -> dict[NeedKey, Need]:
    stored = await store.load(session, keys)
    return {(one.community, one.id): one for one in await _opened(session, stored.values())}


def _context(need: Need, what: str) -> str:
    return f"need {need.community}/{need.id}/{what}"


def _sealed(need: Need, keys: Mapping[Person, bytes]) -> str:
    """What was said, by whom and about where, as it is stored."""
    said = {"text": need.text, "asker": need.asker, "place": need.place}
    return seal(keys[need.community, need.person_id], orjson.dumps(said), _context(need, "filed"))


async def _with_sealed_reasons(session: Session, decided: Sequence[Need]) -> list[tuple[NeedKey, Decision]]:
    keys = await persons.load_keys(session, [(one.community, one.person_id) for one in decided])
    rows = []
    for one in decided:
        decision, key = one.decision, keys.get((one.community, one.person_id))
        if decision is None:
            continue
        if decision.reason is not None and key is not None:
            decision = replace(decision, reason=seal(key, decision.reason.encode(), _context(one, "decided")))
        rows.append(((one.community, one.id), decision))
    return rows


async def _opened(session: Session, stored: Collection[Stored]) -> list[Need]:
    keys = await persons.load_keys(session, [(need.community, need.person_id) for need, _ in stored])
    return [_open(one, keys.get((one.need.community, one.need.person_id))) for one in stored]


def _open(stored: Stored, key: bytes | None) -> Need:
    """The need with what is sealed of it readable; without any of that if who asked was erased."""
    need, decision = stored.need, stored.need.decision
    if key is None:
        return replace(need, decision=decision and replace(decision, reason=None), erased=True)
    said = orjson.loads(unseal(key, stored.sealed, _context(need, "filed")))
    if decision is not None and decision.reason is not None:
        reason = unseal(key, decision.reason, _context(need, "decided")).decode()
        decision = replace(decision, reason=reason)
    asker = said["asker"]
    return replace(need, text=said["text"], asker=asker and Asker(**asker), place=said["place"], decision=decision)
