"""Plans of visits: made with all that carries them, given another pair, and ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.activities.calendar import AHEAD_DAYS
from app.activities.changing import ActivityEnding, end_activities
from app.activities.series import (
    NewSeries,
    SeriesEnding,
    create_series,
    end_series,
    first_day,
    load_coming_shifts,
    load_series,
)
from app.activities.service import (
    NewActivity,
    NewPosition,
    Skipping,
    create_activities,
    load_coming_of_activities,
    skip_shifts,
)
from app.beneficiaries.errors import UnknownBeneficiary
from app.beneficiaries.service import known_beneficiaries
from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal
from app.signups.closing import Cancellation, cancel_signups
from app.signups.service import NewSignup, live_signups, sign_up
from app.signups.standing import NewStandingSignup, Standing, StandingEnding, end_standing, set_standing
from app.visits import store
from app.visits.errors import VisitPlanEnded
from app.visits.rules import HOME_VISIT, PAIR, Plan, PlanInFull
from app.visits.service import in_full, reason_context
from app.volunteers.errors import UnknownVolunteer
from app.volunteers.service import consent_dates

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from uuid import UUID

    from app.activities.effects import Effects
    from app.activities.rules import Activity, Series, Shift
    from app.communities.rules import Community
    from app.kernel.database import Session
    from app.visits.store import Key

_name, _content, _position = "入户探访", "上门看望、陪伴和帮忙", "探访"
# What shifts show that are skipped: why the plan ended is about the person served, and stands sealed with the plan.
_skipped_because = "探访计划已结束"
_for_the_service = "service"


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A pair that is to visit a person; `place` is a neutral one, the community's name where none is given."""

    community: int
    beneficiary_id: UUID
    volunteer_ids: tuple[UUID, ...]
    service_kind: str
    rule: str
    starts_on: dt.date
    starts_at_minute: int
    minutes: int
    place: str | None
    organiser: str
    created_by: str


@dataclass(frozen=True, slots=True)
class PairChange:
    """Who visits from a day on, and why the pair changes."""

    community: int
    plan_id: UUID
    volunteer_ids: tuple[UUID, ...]
    from_day: dt.date | None
    reason: str
    changed_by: str


@dataclass(frozen=True, slots=True)
class PlanEnding:
    """A plan that is to have no visit after a day, and why."""

    community: int
    plan_id: UUID
    last_day: dt.date
    reason: str
    ended_by: str


class NotSignedUp(NamedTuple):
    """A visit to come for which one of the pair could not be signed up, and why."""

    volunteer_id: UUID
    shift_id: UUID
    code: str


class Paired(NamedTuple):
    """A plan whose pair was set, and the visits for which one of them could not be signed up."""

    of: PlanInFull
    refused: list[NotSignedUp]


async def create_plans(session: Session, new: Sequence[NewPlan], *, effects: Effects) -> list[Paired | Refusal]:
    """Make plans in order, each with all that carries it or not at all."""
    return [await _create(session, item, effects) for item in new]


async def _create(session: Session, item: NewPlan, effects: Effects) -> Paired | Refusal:
    home = (await session.ask(communities_by_number(session.dialect, [item.community])))[item.community]
    # Before anything is made: what is refused leaves nothing behind.
    refusal = await _persons_refusal(session, item) or _begin_refusal(item, home, session)
    if refusal is not None:
        return refusal
    activity = await _make_activity(session, item, home)
    if isinstance(activity, Refusal):
        return activity
    (series,) = await create_series(session, [_series_of(item, activity)], effects=effects)
    if isinstance(series, Refusal):
        return series
    plan = await _keep(session, item, activity, series)
    return await _pair_up(session, plan, item.volunteer_ids, item.created_by, None)


async def _persons_refusal(session: Session, item: NewPlan) -> Refusal | None:
    person = (item.community, item.beneficiary_id)
    if person not in await known_beneficiaries(session, {person}):
        return UnknownBeneficiary(beneficiary_id=item.beneficiary_id)
    return await _volunteers_refusal(session, item.community, item.volunteer_ids)


async def _volunteers_refusal(session: Session, community: int, volunteer_ids: Sequence[UUID]) -> Refusal | None:
    known = await session.ask(consent_dates(session.dialect, {(community, one) for one in volunteer_ids}))
    unknown = next((one for one in volunteer_ids if (community, one) not in known), None)
    return UnknownVolunteer(volunteer_id=unknown) if unknown else None


def _begin_refusal(item: NewPlan, home: Community, session: Session) -> Refusal | None:
    day = first_day(item.rule, item.starts_on)
    if isinstance(day, Refusal):
        return day
    if home.moment_of(day, item.starts_at_minute) <= session.now(item.community):
        return InvalidRequest((Fault("/starts_on", "the first visit of a plan is still to come"),))
    return None


async def _make_activity(session: Session, item: NewPlan, home: Community) -> Activity | Refusal:
    new = NewActivity(
        community=item.community,
        kind=HOME_VISIT,
        service_kind=item.service_kind,
        name=_name,
        place=item.place or home.name,
        content=_content,
        organiser=item.organiser,
        created_by=item.created_by,
        positions=(NewPosition(_position, PAIR),),
        beneficiary_id=item.beneficiary_id,
    )
    return (await create_activities(session, [new]))[0]


def _series_of(item: NewPlan, activity: Activity) -> NewSeries:
    return NewSeries(
        community=item.community,
        activity_id=activity.id,
        rule=item.rule,
        starts_on=item.starts_on,
        starts_at_minute=item.starts_at_minute,
        minutes=item.minutes,
        created_by=item.created_by,
    )


async def _keep(session: Session, item: NewPlan, activity: Activity, series: Series) -> Plan:
    plan = Plan(
        id=new_id(),
        community=item.community,
        number=0,
        activity_id=activity.id,
        position_id=activity.positions[0].id,
        series_id=series.id,
        beneficiary_id=item.beneficiary_id,
        created_by=item.created_by,
        created_at=session.now(item.community),
    )
    (number,) = await append(session, [_event(plan, "created")])
    plan = replace(plan, number=number)
    await store.insert_plans(session, [plan])
    return plan


def _event(plan: Plan, what: str) -> Event:
    ids = {"plan_id": str(plan.id), "beneficiary_id": str(plan.beneficiary_id)}
    return Event(plan.community, f"visit_plan.{what}", ids)


async def _pair_up(
    session: Session, plan: Plan, coming: Sequence[UUID], by: str, from_day: dt.date | None
) -> Paired | Refusal:
    """Let volunteers take part in a plan's visits from a day on."""
    new = [
        NewStandingSignup(plan.community, plan.series_id, plan.position_id, volunteer_id, by, from_day)
        for volunteer_id in coming
    ]
    outcomes = await set_standing(session, new)
    refused = []
    for outcome in outcomes:
        if not isinstance(outcome, Standing):
            return outcome
        who = outcome.standing.participant_id
        refused += [NotSignedUp(who, shift.shift_id, shift.code) for shift in outcome.refused]
    (whole,) = await in_full(session, [plan])
    return Paired(whole, refused)


async def change_pairs(session: Session, changes: Sequence[PairChange]) -> list[Paired | Refusal]:
    """Change plans' pairs in order: all visits to come from a day on are the new pair's, whoever had single ones."""
    return [await _change_pair(session, item) for item in changes]


async def _change_pair(session: Session, item: PairChange) -> Paired | Refusal:
    plan = (await store.load_plans(session, [(item.community, item.plan_id)])).get((item.community, item.plan_id))
    if plan is None:
        return NotFound(resource="visit plan")
    home = (await session.ask(communities_by_number(session.dialect, [item.community])))[item.community]
    today = home.local_date(session.now(item.community))
    (whole,) = await in_full(session, [plan])
    last_day = whole.series.ends_on
    if whole.activity.ended_at is not None or (last_day is not None and last_day < today):
        return VisitPlanEnded(plan_id=plan.id)
    if item.from_day is not None and not today <= item.from_day <= today + timedelta(days=AHEAD_DAYS):
        message = f"a pair changes today at the earliest, and within {AHEAD_DAYS} days"
        return InvalidRequest((Fault("/from", message),))
    refusal = await _volunteers_refusal(session, item.community, item.volunteer_ids)
    if refusal is not None:
        return refusal
    leaving = [one for one in whole.pair if one not in item.volunteer_ids]
    coming = [one for one in item.volunteer_ids if one not in whole.pair]
    if not leaving and not coming:
        return Paired(whole, [])
    await end_standing(
        session,
        [
            StandingEnding(plan.community, plan.series_id, one, item.changed_by, item.reason, item.from_day)
            for one in leaving
        ],
    )
    await append(session, [_event(plan, "pair_changed")])
    missing = await _clear(session, plan, item)
    paired = await _pair_up(session, plan, coming, item.changed_by, item.from_day)
    if isinstance(paired, Refusal):
        return paired
    again = [
        NewSignup(plan.community, shift.id, plan.position_id, one, item.changed_by)
        for shift, there in missing
        for one in item.volunteer_ids
        if one not in coming and one not in there
    ]
    outcomes = zip(again, await sign_up(session, again), strict=True)
    refused = [
        NotSignedUp(new.participant_id, new.shift_id, one.code) for new, one in outcomes if isinstance(one, Refusal)
    ]
    return Paired(paired.of, paired.refused + refused)


async def _clear(session: Session, plan: Plan, item: PairChange) -> list[tuple[Shift, set[UUID]]]:
    """Sign everybody else off from a plan's visits from a day on; give these, and who of the pair has them."""
    key = (plan.community, plan.series_id)
    shifts = [one for one in (await load_coming_shifts(session, [key]))[key] if one.is_from(item.from_day)]
    live = await live_signups(session, {(one.community, one.id) for one in shifts})
    seats = {shift.id: live.get((shift.community, shift.id), []) for shift in shifts}
    others = [
        Cancellation(one.community, one.id, item.changed_by, item.reason)
        for of_shift in seats.values()
        for one in of_shift
        if one.position_id == plan.position_id and one.participant_id not in item.volunteer_ids
    ]
    await cancel_signups(session, others)
    return [(shift, {one.participant_id for one in seats[shift.id]}) for shift in shifts]


async def end_plans(session: Session, endings: Sequence[PlanEnding], *, effects: Effects) -> list[PlanInFull | Refusal]:
    """End plans in order: visits of later days that have not begun are skipped, and none are made."""
    found = await store.load_plans(session, {(item.community, item.plan_id) for item in endings})
    return [await _end(session, item, found.get((item.community, item.plan_id)), effects) for item in endings]


async def _end(session: Session, item: PlanEnding, plan: Plan | None, effects: Effects) -> PlanInFull | Refusal:
    if plan is None:
        return NotFound(resource="visit plan")
    ending = SeriesEnding(plan.community, plan.series_id, item.last_day, _skipped_because)
    (series,) = await end_series(session, [ending], effects=effects)
    if isinstance(series, Refusal):
        return series
    await _skip_single(session, plan, item.last_day, effects)
    person = (plan.community, plan.beneficiary_id)
    key = (await persons.load_keys(session, [person])).get(person)
    ended = replace(
        plan,
        ended_by=item.ended_by,
        ended_at=session.now(plan.community),
        ended_reason=seal(key, item.reason.encode(), reason_context(plan)) if key else None,
    )
    await _keep_ended(session, [ended])
    return (await in_full(session, [ended]))[0]


async def _skip_single(session: Session, plan: Plan, last_day: dt.date, effects: Effects) -> None:
    """Skip the visits of later days that are of no series: the desk added them one by one."""
    home = (await session.ask(communities_by_number(session.dialect, [plan.community])))[plan.community]
    key = (plan.community, plan.activity_id)
    later = [
        Skipping(one.community, one.id, _skipped_because)
        for one in (await load_coming_of_activities(session, [key]))[key]
        if one.series_id is None and last_day < home.local_date(one.starts_at)
    ]
    await skip_shifts(session, later, effects=effects)


async def _keep_ended(session: Session, ended: Sequence[Plan]) -> None:
    await store.update_plans(session, ended)
    await append(session, [_event(one, "ended") for one in ended])


async def end_plans_of(session: Session, gone: Sequence[Key], *, effects: Effects) -> None:
    """End the plans to visit persons who are served no more: no visit to come takes place.

    With a plan its activity ends: neither a visit that was moved from a day before is left, nor a single one, and none
    is added.
    """
    homes = await session.ask(communities_by_number(session.dialect, {community for community, _ in gone}))
    plans = await store.plans_of_persons(session, gone)
    series = await load_series(session, {_series(one) for one in plans})
    endings = [ActivityEnding(one.community, one.activity_id, _skipped_because) for one in plans]
    # Of an activity that has ended before nothing is to come.
    await end_activities(session, endings, effects=effects)
    ended = []
    for plan in plans:
        today, last_day = homes[plan.community].local_date(session.now(plan.community)), series[_series(plan)].ends_on
        if last_day is None or today < last_day:
            ended.append(replace(plan, ended_by=_for_the_service, ended_at=session.now(plan.community)))
    await _keep_ended(session, ended)


def _series(plan: Plan) -> Key:
    return plan.community, plan.series_id
