"""Free clinics: organised as activities with a partner, read with their shifts, and counted by heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.activities.errors import ShiftSkipped
from app.activities.rules import SKIPPED, Activity, span_refusal
from app.activities.service import (
    NewActivity,
    NewPosition,
    NewShift,
    create_activities,
    create_shifts,
    get_activity,
    get_shift,
    list_activities,
    list_shifts,
    load_activities,
    load_shifts,
)
from app.clinics import store
from app.clinics.errors import NotAClinic, ShiftNotBegun, UnknownPartner
from app.clinics.rules import CLINIC, Clinic, HeadCount, MonthOfClinic, added_up
from app.communities.service import communities_by_number
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.paging import Paging

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.activities.effects import Effects
    from app.activities.rules import Shift
    from app.kernel.database import Session

SHIFTS_SHOWN = 50
"""Of one clinic, the newest."""


@dataclass(frozen=True, slots=True)
class NewClinic:
    """A clinic to organise: an activity with its positions, and its first shift."""

    community: int
    partner_id: UUID
    name: str
    place: str
    content: str
    organiser: str
    service_kind: str
    created_by: str
    positions: tuple[NewPosition, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class NewHeadCount:
    """Who was counted on a shift: how many, by code."""

    community: int
    shift_id: UUID
    counts: Mapping[str, int]
    counted_by: str


async def create_clinics(session: Session, new: Sequence[NewClinic], *, effects: Effects) -> list[Clinic | Refusal]:
    """Organise clinics in order, each all or not at all."""
    return [await _create(session, item, effects) for item in new]


async def _create(session: Session, item: NewClinic, effects: Effects) -> Clinic | Refusal:
    partner = (await store.load_partners(session, item.community, [item.partner_id])).get(item.partner_id)
    if partner is None:
        return UnknownPartner(partner_id=item.partner_id)
    # Before anything is made: what is refused leaves nothing behind.
    refusal = span_refusal(item.starts_at, item.ends_at)
    if refusal is not None:
        return InvalidRequest(tuple(Fault(f"/shift{fault.pointer}", fault.message) for fault in refusal.errors))
    activity = NewActivity(
        community=item.community,
        kind=CLINIC,
        service_kind=item.service_kind,
        name=item.name,
        place=item.place,
        content=item.content,
        organiser=item.organiser,
        created_by=item.created_by,
        positions=item.positions,
        partner_id=partner.id,
    )
    (made,) = await create_activities(session, [activity])
    if isinstance(made, Refusal):
        return made
    shift = NewShift(item.community, made.id, item.starts_at, item.ends_at)
    shifts = [one for one in await create_shifts(session, [shift], effects=effects) if not isinstance(one, Refusal)]
    return Clinic(made, partner, tuple((one, None) for one in shifts))


async def list_clinics(session: Session, community: int, paging: Paging) -> list[Clinic]:
    """Clinics with their partners and without their shifts, newest first."""
    found = await list_activities(session, community, replace(paging, filters={"kind": CLINIC}))
    partners = await store.load_partners(session, community, {one.partner_id for one in found if one.partner_id})
    return [Clinic(one, partners.get(one.partner_id) if one.partner_id else None) for one in found]


async def get_clinic(session: Session, community: int, activity_id: UUID) -> Clinic:
    """Read one clinic with its newest shifts and the head-counts that stand. Raises `Refused(NotFound)`."""
    activity = await get_activity(session, community, activity_id)
    if activity.kind != CLINIC:
        raise Refused(NotFound(resource="clinic"))
    newest = Paging(limit=SHIFTS_SHOWN, filters={"activity_id": str(activity_id)})
    shifts = (await list_shifts(session, community, newest))[:SHIFTS_SHOWN]
    counted = await store.standing_of(session, community, [shift.id for shift in shifts])
    named = [activity.partner_id] if activity.partner_id else []
    partners = await store.load_partners(session, community, named)
    pairs = tuple((shift, counted.get(shift.id)) for shift in shifts)
    return Clinic(activity, next(iter(partners.values()), None), pairs)


async def count_heads(session: Session, new: Sequence[NewHeadCount]) -> list[HeadCount | Refusal]:
    """Keep head-counts of clinics' shifts in order; of several of a shift the last one stands."""
    shifts = await load_shifts(session, {(item.community, item.shift_id) for item in new})
    activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts.values()})
    communities = await session.ask(communities_by_number(session.dialect, {item.community for item in new}))
    outcomes: list[HeadCount | Refusal] = []
    for item in new:
        shift = shifts.get((item.community, item.shift_id))
        refusal = _count_refusal(session, shift, activities)
        if shift is None or refusal is not None:
            outcomes.append(refusal or NotFound(resource="shift"))
            continue
        head_count_id = new_id()
        ids = {"head_count_id": str(head_count_id), "shift_id": str(shift.id)}
        (number,) = await append(session, [Event(item.community, "head_count.taken", ids)])
        counted = HeadCount(
            id=head_count_id,
            community=item.community,
            number=number,
            shift_id=shift.id,
            held_on=communities[item.community].local_date(shift.starts_at),
            counts=item.counts,
            counted_by=item.counted_by,
            counted_at=session.now(item.community),
        )
        outcomes.append(counted)
    await store.insert_head_counts(session, [one for one in outcomes if isinstance(one, HeadCount)])
    return outcomes


def _count_refusal(
    session: Session, shift: Shift | None, activities: Mapping[tuple[int, UUID], Activity]
) -> Refusal | None:
    if shift is None:
        return NotFound(resource="shift")
    activity = activities[shift.community, shift.activity_id]
    if activity.kind != CLINIC:
        return NotAClinic(activity_id=activity.id, kind=activity.kind)
    if shift.status == SKIPPED:
        return ShiftSkipped(shift_id=shift.id)
    if not shift.begun_at(session.now(shift.community)):
        return ShiftNotBegun(shift_id=shift.id, starts_at=shift.starts_at)
    return None


async def list_head_counts(session: Session, community: int, shift_id: UUID, paging: Paging) -> list[HeadCount]:
    """The head-counts of a shift, newest first: the first of all stands. Raises `Refused(NotFound)`."""
    await get_shift(session, community, shift_id)
    return await store.page_of_head_counts(session, community, shift_id, paging)


async def heads_between(session: Session, community: int, first: dt.date, last: dt.date) -> list[MonthOfClinic]:
    """Add up the head-counts that stand from one local day to another, by month and clinic."""
    standing = await store.standing_between(session, community, first, last)
    shifts = await load_shifts(session, {(community, one.shift_id) for one in standing})
    counted: dict[tuple[str, UUID], list[HeadCount]] = {}
    for one in standing:
        place = (f"{one.held_on:%Y-%m}", shifts[community, one.shift_id].activity_id)
        counted.setdefault(place, []).append(one)
    activities = await load_activities(session, {(community, activity_id) for _, activity_id in counted})
    return [
        MonthOfClinic(month, activity_id, activities[community, activity_id].name, len(counts), added_up(counts))
        for (month, activity_id), counts in sorted(counted.items(), key=lambda item: item[0][0])
    ]
