"""Visits and their plans as they are read: what is to come, what came of it, and how many there were."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.activities.series import load_series
from app.activities.service import load_activities, load_shifts
from app.communities.service import communities_by_number
from app.kernel import persons
from app.kernel.errors import NotFound, Refused
from app.kernel.events import Event
from app.kernel.vault import unseal
from app.signups.rules import CONFIRMED
from app.signups.service import live_signups
from app.signups.standing import standing_of
from app.visits import store
from app.visits.errors import VisitInVain
from app.visits.rules import ABSENT, DONE, DUE, OVERDUE, REFUSED, PlanInFull, Visit

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.errors import Refusal
    from app.kernel.paging import Paging
    from app.signups.rules import Signup
    from app.visits.rules import Plan
    from app.visits.store import Key


class MonthOfVisits(NamedTuple):
    """How many visits of a month there were: still to be made, done, in vain, refused, and not accounted for."""

    month: str
    due: int
    done: int
    absent: int
    refused: int
    overdue: int


async def load_visits(session: Session, shift_keys: Collection[Key]) -> dict[Key, Visit]:
    """Load visits by their shifts; shifts of no plan are missing."""
    shifts = await load_shifts(session, shift_keys)
    plans = await store.plans_of_activities(session, {(one.community, one.activity_id) for one in shifts.values()})
    of_plans = {key: shift for key, shift in shifts.items() if (shift.community, shift.activity_id) in plans}
    outcomes = await store.standing_outcomes(session, of_plans)
    seats = await live_signups(session, of_plans)
    visits = {}
    for key, shift in of_plans.items():
        plan = plans[shift.community, shift.activity_id]
        pair = [one for one in seats.get(key, []) if one.status == CONFIRMED and one.position_id == plan.position_id]
        visits[key] = Visit(shift, plan, tuple(pair), outcomes.get(key))
    return visits


async def visits_in_vain(session: Session, signups: Collection[Signup]) -> dict[Key, Refusal]:
    """Why nobody has given time at the visits of these sign-ups of which it was said that they were in vain."""
    said = await store.standing_outcomes(session, {(one.community, one.shift_id) for one in signups})
    return {
        (one.community, one.id): VisitInVain(outcome=outcome.outcome)
        for one in signups
        if (outcome := said.get((one.community, one.shift_id))) and outcome.outcome != DONE
    }


async def get_visit(session: Session, community: int, shift_id: UUID) -> Visit:
    """Read one visit. Raises `Refused(NotFound)`."""
    visit = (await load_visits(session, [(community, shift_id)])).get((community, shift_id))
    if visit is None:
        raise Refused(NotFound(resource="visit"))
    return visit


async def list_visits(
    session: Session, community: int, paging: Paging, *, volunteer_id: UUID | None = None
) -> list[Visit]:
    """Visits, newest first, those to which a volunteer is signed up if one is named.

    Filters: `plan_id`, `beneficiary_id`, `status`, and `from` and `to` of their starts.
    """
    now = session.now(community)
    keys = await store.page_of_visits(session, community, paging, now=now, volunteer_id=volunteer_id)
    visits = await load_visits(session, keys)
    return [visits[key] for key in keys]


async def in_full(session: Session, plans: Sequence[Plan]) -> list[PlanInFull]:
    """Plans as their table has them, with what they stand for, and readable."""
    activities = await load_activities(session, {(one.community, one.activity_id) for one in plans})
    series = await load_series(session, {(one.community, one.series_id) for one in plans})
    pairs: dict[Key, list[UUID]] = {}
    for standing in await standing_of(session, series):
        pairs.setdefault((standing.community, standing.series_id), []).append(standing.participant_id)
    keys = await persons.load_keys(session, [(one.community, one.beneficiary_id) for one in plans])
    return [
        PlanInFull(
            _opened(one, keys.get((one.community, one.beneficiary_id))),
            activities[one.community, one.activity_id],
            series[one.community, one.series_id],
            tuple(sorted(pairs.get((one.community, one.series_id), []))),
            erased=(one.community, one.beneficiary_id) not in keys,
        )
        for one in plans
    ]


def _opened(plan: Plan, key: bytes | None) -> Plan:
    if plan.ended_reason is None:
        return plan
    reason = unseal(key, plan.ended_reason, reason_context(plan)).decode() if key else None
    return replace(plan, ended_reason=reason)


def reason_context(plan: Plan) -> str:
    """What the seal of a plan's reason is bound to."""
    return f"visit plan {plan.community}/{plan.id}"


async def get_plan(session: Session, community: int, plan_id: UUID) -> PlanInFull:
    """Read one plan. Raises `Refused(NotFound)`."""
    plan = (await store.load_plans(session, [(community, plan_id)])).get((community, plan_id))
    if plan is None:
        raise Refused(NotFound(resource="visit plan"))
    return (await in_full(session, [plan]))[0]


async def list_plans(session: Session, community: int, paging: Paging) -> list[PlanInFull]:
    """Plans, newest first; filters: `beneficiary_id`."""
    return await in_full(session, await store.page_of_plans(session, community, paging))


def visit_event(visit: Visit, what: str) -> Event:
    """The event of what became of a visit."""
    ids = {
        "shift_id": str(visit.shift.id),
        "plan_id": str(visit.plan.id),
        "beneficiary_id": str(visit.plan.beneficiary_id),
    }
    return Event(visit.shift.community, f"visit.{what}", ids)


async def visits_by_month(session: Session, community: int, first: dt.date, last: dt.date) -> list[MonthOfVisits]:
    """Count a community's visits from one local date to another, both included, by month; skipped ones are none."""
    home = (await session.ask(communities_by_number(session.dialect, [community])))[community]
    begin, end = home.moment_of(first, 0), home.moment_of(last + timedelta(days=1), 0)
    counted: Counter[tuple[str, str]] = Counter()
    for starts_at, status, visits in await store.count_visits(
        session, community, begin, end, now=session.now(community)
    ):
        counted[f"{home.local_date(starts_at):%Y-%m}", status] += visits
    months = sorted({month for month, status in counted if status in _counted})
    return [MonthOfVisits(month, *(counted[month, status] for status in _counted)) for month in months]


_counted = (DUE, DONE, ABSENT, REFUSED, OVERDUE)
