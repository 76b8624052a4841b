"""All SQL of visits. What is about a person comes and goes sealed."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from app.activities.rules import SKIPPED
from app.activities.tables import shifts
from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.signups.rules import CONFIRMED
from app.signups.tables import signups
from app.visits.rules import DUE, OPEN, OVERDUE, OVERDUE_AFTER, Escalation, Mark, Outcome, Plan
from app.visits.tables import visit_escalations, visit_outcomes, visit_plans

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

Key = tuple[int, UUID]
"""The community's small number and an id."""

_p, _o, _e, _h, _u = visit_plans.c, visit_outcomes.c, visit_escalations.c, shifts.c, signups.c
_later = visit_outcomes.alias("later")
_replaced = (
    sa.exists()
    .where(_later.c.community_id == _o.community_id, _later.c.shift_id == _o.shift_id, _later.c.number > _o.number)
    .correlate(visit_outcomes)
)
_of_shift = (_o.community_id == _h.community_id) & (_o.shift_id == _h.shift_id) & ~_replaced
_planned = (_p.community_id == _h.community_id) & (_p.activity_id == _h.activity_id)


async def insert_plans(session: Session, new: Sequence[Plan]) -> None:
    """Insert plans that have not ended."""
    names = ("number", "activity_id", "position_id", "series_id", "beneficiary_id", "created_by", "created_at")
    rows = [{"community_id": one.community, "plan_id": one.id, **_values(one, names)} for one in new]
    await insert_rows(session, visit_plans, rows)


async def update_plans(session: Session, ended: Sequence[Plan]) -> None:
    """Store that plans end."""
    rows = [
        {
            "community_id": one.community,
            "plan_id": one.id,
            "ended_by": one.ended_by,
            "ended_at": one.ended_at,
            "sealed": one.ended_reason,
        }
        for one in ended
    ]
    await update_rows(session, visit_plans, ("community_id", "plan_id"), rows)


def _values(one: object, names: Collection[str]) -> Row:
    return {name: getattr(one, name) for name in names}


@cache
def _plans_by(dialect: str, column: str) -> Query:
    asked = rows_of(dialect, "rows", [_p.community_id, _p[column]])
    matches = (_p.community_id == asked.c.community_id) & (_p[column] == asked.c[column])
    return looked_up(dialect, asked, sa.select(visit_plans), matches)


async def _find_plans(session: Session, column: str, keys: Collection[Key]) -> list[Plan]:
    asked = [{"community_id": community, column: one} for community, one in sorted(set(keys))]
    found = await session.execute_rows(_plans_by(session.dialect, column), asked) if asked else []
    return [_plan(row) for row in found]


async def load_plans(session: Session, keys: Collection[Key]) -> dict[Key, Plan]:
    """Load plans; unknown ones are missing."""
    return {(one.community, one.id): one for one in await _find_plans(session, "plan_id", keys)}


async def plans_of_activities(session: Session, keys: Collection[Key]) -> dict[Key, Plan]:
    """Load the plans whose activities these are, by activity; activities of another kind are missing."""
    return {(one.community, one.activity_id): one for one in await _find_plans(session, "activity_id", keys)}


async def plans_of_persons(session: Session, keys: Collection[Key]) -> list[Plan]:
    """Load the plans to visit these persons."""
    return await _find_plans(session, "beneficiary_id", keys)


async def page_of_plans(session: Session, community: int, paging: Paging) -> list[Plan]:
    """Load plans, newest first; filters: `beneficiary_id`."""
    statement = sa.select(visit_plans).where(_p.community_id == community)
    if beneficiary_id := paging.filtered_id("beneficiary_id"):
        statement = statement.where(_p.beneficiary_id == beneficiary_id)
    return [_plan(row) for row in await session.execute(paging.newest_first(statement, _p.number))]


def _plan(row: AnyRow) -> Plan:
    return Plan(
        id=row.plan_id,
        community=row.community_id,
        number=row.number,
        activity_id=row.activity_id,
        position_id=row.position_id,
        series_id=row.series_id,
        beneficiary_id=row.beneficiary_id,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        ended_reason=row.sealed,
    )


def _status_at(now: datetime) -> sa.ColumnElement[str]:
    """What a visit is at a moment, as `rules.Visit.status_at` says."""
    return sa.case(
        (_h.status == SKIPPED, sa.literal(SKIPPED)),
        (_o.outcome.is_not(None), _o.outcome),
        (_h.ends_at <= now - OVERDUE_AFTER, sa.literal(OVERDUE)),
        else_=sa.literal(DUE),
    )


_visits = sa.join(visit_plans, shifts, _planned).outerjoin(visit_outcomes, _of_shift)


async def page_of_visits(
    session: Session, community: int, paging: Paging, *, now: datetime, volunteer_id: UUID | None
) -> list[Key]:
    """Find visits, newest first, of a volunteer's own if one is named.

    Filters: `plan_id`, `beneficiary_id`, `status`, and `from` and `to` (begun before that).
    """
    statement = sa.select(_h.community_id, _h.shift_id).select_from(_visits).where(_p.community_id == community)
    for name in ("plan_id", "beneficiary_id"):
        if wanted := paging.filtered_id(name):
            statement = statement.where(_p[name] == wanted)
    if status := paging.filters.get("status"):
        statement = statement.where(_status_at(now) == status)
    if first := paging.filters.get("from"):
        statement = statement.where(_h.starts_at >= datetime.fromisoformat(first))
    if end := paging.filters.get("to"):
        statement = statement.where(_h.starts_at < datetime.fromisoformat(end))
    if volunteer_id is not None:
        own = sa.exists().where(
            _u.community_id == _h.community_id,
            _u.shift_id == _h.shift_id,
            _u.participant_id == volunteer_id,
            _u.status == CONFIRMED,
        )
        statement = statement.where(own)
    found = await session.execute(paging.newest_first(statement, _h.number))
    return [(row.community_id, row.shift_id) for row in found]


async def count_visits(
    session: Session, community: int, begin: datetime, end: datetime, *, now: datetime
) -> list[tuple[datetime, str, int]]:
    """Count the visits that begin from one moment to before another, by their start and status."""
    each = (
        sa.select(_h.starts_at, _status_at(now).label("visit_status"))
        .select_from(_visits)
        .where(_p.community_id == community, _h.starts_at >= begin, _h.starts_at < end)
        .subquery("each")
    )
    by = (each.c.starts_at, each.c.visit_status)
    found = await session.execute(sa.select(*by, sa.func.count().label("visits")).group_by(*by))
    return [(row.starts_at, row.visit_status, row.visits) for row in found]


async def insert_outcomes(session: Session, new: Sequence[Outcome]) -> None:
    """Insert what came of visits."""
    names = ("number", "shift_id", "outcome", "started_at", "ended_at", "break_minutes", "recorded_by", "recorded_at")
    rows = [
        {
            "community_id": one.community,
            "outcome_id": one.id,
            **_values(one, names),
            "tasks": list(one.tasks),
            "absent_volunteer_ids": [str(volunteer_id) for volunteer_id in one.absent_volunteer_ids],
        }
        for one in new
    ]
    await insert_rows(session, visit_outcomes, rows)


@cache
def _standing_outcomes(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_o.community_id, _o.shift_id])
    matches = (_o.community_id == asked.c.community_id) & (_o.shift_id == asked.c.shift_id) & ~_replaced
    return looked_up(dialect, asked, sa.select(visit_outcomes), matches)


async def standing_outcomes(session: Session, shift_keys: Collection[Key]) -> dict[Key, Outcome]:
    """Load the outcomes that stand, by shift; visits without one are missing."""
    asked = [{"community_id": community, "shift_id": shift_id} for community, shift_id in sorted(set(shift_keys))]
    found = await session.execute_rows(_standing_outcomes(session.dialect), asked) if asked else []
    return {(row.community_id, row.shift_id): _outcome(row) for row in found}


def _outcome(row: AnyRow) -> Outcome:
    return Outcome(
        id=row.outcome_id,
        community=row.community_id,
        number=row.number,
        shift_id=row.shift_id,
        outcome=row.outcome,
        tasks=tuple(row.tasks),
        started_at=row.started_at,
        ended_at=row.ended_at,
        break_minutes=row.break_minutes,
        absent_volunteer_ids=tuple(map(UUID, row.absent_volunteer_ids)),
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )


async def marks_after(session: Session, person: Key, after: datetime | None) -> list[Mark]:
    """Load what came of a person's visits that began after a moment, or of all."""
    statement = (
        sa.select(_h.starts_at, _h.number, _h.shift_id, _o.outcome)
        .select_from(_visits)
        .where(_p.community_id == person[0], _p.beneficiary_id == person[1], _o.outcome.is_not(None))
    )
    if after is not None:
        statement = statement.where(_h.starts_at > after)
    return [Mark(*row) for row in await session.execute(statement)]


async def insert_escalations(session: Session, new: Sequence[Escalation]) -> None:
    """Insert open escalations."""
    names = ("number", "beneficiary_id", "first_shift_id", "second_shift_id", "status", "opened_at")
    rows = [{"community_id": one.community, "escalation_id": one.id, **_values(one, names)} for one in new]
    await insert_rows(session, visit_escalations, rows)


async def close_escalation(session: Session, closed: Escalation, sealed: str | None) -> None:
    """Store that an escalation was closed, and why."""
    row: dict[str, Any] = {"community_id": closed.community, "escalation_id": closed.id, "sealed": sealed}
    row |= _values(closed, ("status", "closed_by", "closed_at", "closed_through"))
    await update_rows(session, visit_escalations, ("community_id", "escalation_id"), [row])


async def is_escalated(session: Session, person: Key) -> bool:
    """Whether an escalation of a person is open."""
    statement = sa.select(_e.escalation_id).where(
        _e.community_id == person[0], _e.beneficiary_id == person[1], _e.status == OPEN
    )
    return (await session.execute(statement)).first() is not None


async def seen_to_through(session: Session, person: Key) -> datetime | None:
    """Find until which start the visits of a person count no more, because escalations were closed."""
    statement = sa.select(_e.closed_through).where(
        _e.community_id == person[0], _e.beneficiary_id == person[1], _e.closed_through.is_not(None)
    )
    return max((row.closed_through for row in await session.execute(statement)), default=None)


async def load_escalation(session: Session, key: Key) -> AnyRow | None:
    """Load an escalation's row, if there is one."""
    statement = sa.select(visit_escalations).where(_e.community_id == key[0], _e.escalation_id == key[1])
    return (await session.execute(statement)).first()


async def page_of_escalations(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load escalations' rows, newest first; filters: `status`, `beneficiary_id`."""
    statement = sa.select(visit_escalations).where(_e.community_id == community)
    if status := paging.filters.get("status"):
        statement = statement.where(_e.status == status)
    if beneficiary_id := paging.filtered_id("beneficiary_id"):
        statement = statement.where(_e.beneficiary_id == beneficiary_id)
    return list(await session.execute(paging.newest_first(statement, _e.number)))
