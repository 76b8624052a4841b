"""All SQL of attendance. Who was to come to what it reads from sign-ups and shifts, which those features write."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.activities.rules import PLANNED
from app.activities.tables import activities, positions, shifts
from app.attendance.rules import ABSENT, ATTENDED, CHECKED_AROUND, Attendance
from app.attendance.tables import attendances
from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows
from app.kernel.types import Instant
from app.signups.rules import CONFIRMED
from app.signups.tables import signups

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

Key = tuple[int, UUID]
"""A resource: the community's small number and the resource's id."""

_a, _u, _h, _p, _y = attendances.c, signups.c, shifts.c, positions.c, activities.c
_of_signup = (_a.community_id == _u.community_id) & (_a.signup_id == _u.signup_id)
_to_shift = (_h.community_id == _u.community_id) & (_h.shift_id == _u.shift_id)
_to_position = (_p.community_id == _u.community_id) & (_p.position_id == _u.position_id)
_to_activity = (_y.community_id == _h.community_id) & (_y.activity_id == _h.activity_id)
_missed = sa.and_(_a.outcome == sa.literal_column(f"'{ABSENT}'"), _u.status == CONFIRMED)


class NoShow(NamedTuple):
    """A confirmed sign-up whose participant did not come. Its `number` is the sign-up's."""

    signup_id: UUID
    number: int
    shift_id: UUID
    activity_id: UUID
    position_id: UUID
    participant_id: UUID
    starts_at: datetime
    recorded_at: datetime
    submitted_at: datetime | None


class DayOfDuty(NamedTuple):
    """Submitted minutes of a day: of which kind of activity, by which kind of participants, and by whom if asked."""

    activity_kind: str
    participants: str
    participant_id: UUID | None
    day: dt.date
    times: int
    minutes: int


def _row(one: Attendance) -> dict[str, object]:
    return {
        "community_id": one.community,
        "signup_id": one.signup_id,
        "outcome": one.outcome,
        "method": one.method,
        "checked_in_at": one.checked_in_at,
        "checked_out_at": one.checked_out_at,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "service_date": one.service_date,
        "break_minutes": one.break_minutes,
        "minutes": one.minutes,
        "recorded_by": one.recorded_by,
        "recorded_at": one.recorded_at,
        "submitted_by": one.submitted_by,
        "submitted_at": one.submitted_at,
        "service_record_id": one.service_record_id,
    }


async def insert(session: Session, new: Sequence[Attendance]) -> None:
    """Insert attendance of sign-ups that have none."""
    await insert_rows(session, attendances, [_row(one) for one in new])


async def update(session: Session, changed: Sequence[Attendance]) -> None:
    """Store what became of attendance."""
    await update_rows(session, attendances, ("community_id", "signup_id"), [_row(one) for one in changed])


@cache
def _by_signup(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_a.community_id, _a.signup_id])
    matches = (_a.community_id == asked.c.community_id) & (_a.signup_id == asked.c.signup_id)
    return looked_up(dialect, asked, sa.select(attendances), matches)


async def load(session: Session, keys: Collection[Key]) -> dict[Key, Attendance]:
    """Load the attendance of sign-ups; those without any are missing."""
    asked = [{"community_id": community, "signup_id": one} for community, one in sorted(set(keys))]
    found = await session.execute_rows(_by_signup(session.dialect), asked) if asked else []
    return {(row.community_id, row.signup_id): _attendance(row) for row in found}


def _attendance(row: AnyRow) -> Attendance:
    return Attendance(
        community=row.community_id,
        signup_id=row.signup_id,
        outcome=row.outcome,
        method=row.method,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        service_date=row.service_date,
        break_minutes=row.break_minutes,
        minutes=row.minutes,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        service_record_id=row.service_record_id,
    )


async def page_of_shift(session: Session, community: int, shift_id: UUID, paging: Paging) -> list[UUID]:
    """Find the confirmed sign-ups to a shift, by seat and then in the order in which they were made."""
    statement = sa.select(_u.signup_id).where(_u.community_id == community, _u.shift_id == shift_id)
    statement = statement.where(_u.seat.is_not(None))
    if paging.position is not None:
        statement = statement.where(sa.tuple_(_u.seat, _u.number) > sa.tuple_(*paging.position))
    found = await session.execute(statement.order_by(_u.seat, _u.number).limit(paging.wanted))
    return [row.signup_id for row in found]


@cache
def _confirmed_around(dialect: str) -> Query:
    within = [sa.Column("starts_by", Instant), sa.Column("ends_from", Instant)]
    asked = rows_of(dialect, "rows", [_u.community_id, _u.participant_id, *within])
    matches = (_u.community_id == asked.c.community_id) & (_u.participant_id == asked.c.participant_id)
    around = (_h.starts_at <= asked.c.starts_by) & (_h.ends_at >= asked.c.ends_from)
    found = sa.select(_u.community_id, _u.participant_id, _u.signup_id).join_from(signups, shifts, _to_shift)
    return looked_up(dialect, asked, found.where(_u.status == CONFIRMED), matches & around)


async def confirmed_around(session: Session, participants: Collection[Key]) -> dict[Key, list[UUID]]:
    """Find the confirmed sign-ups of participants to shifts in which people check in and out now."""
    asked = [
        {
            "community_id": community,
            "participant_id": who,
            "starts_by": session.now(community) + CHECKED_AROUND,
            "ends_from": session.now(community) - CHECKED_AROUND,
        }
        for community, who in sorted(set(participants))
    ]
    found = await session.execute_rows(_confirmed_around(session.dialect), asked)
    by_participant: dict[Key, list[UUID]] = {}
    for row in found:
        by_participant.setdefault((row.community_id, row.participant_id), []).append(row.signup_id)
    return by_participant


async def places_around(session: Session, community: int, longest: timedelta) -> set[str]:
    """Find the places of shifts in which people check in and out now; no shift lasts longer than `longest`."""
    now = session.now(community)
    found = await session.execute(
        sa.select(_h.place)
        .where(_h.community_id == community, _h.status == PLANNED)
        .where(_h.starts_at.between(now - CHECKED_AROUND - longest, now + CHECKED_AROUND))
        .where(_h.ends_at >= now - CHECKED_AROUND)
        .distinct()
    )
    return {row.place for row in found}


_no_show = (
    sa.select(
        _u.signup_id,
        _u.number,
        _u.shift_id,
        _h.activity_id,
        _u.position_id,
        _u.participant_id,
        _h.starts_at,
        _a.recorded_at,
        _a.submitted_at,
    )
    .join_from(attendances, signups, _of_signup)
    .join(shifts, _to_shift)
    .where(_missed)
)


async def page_of_no_shows(
    session: Session, community: int, paging: Paging, since: datetime | None, before: datetime | None
) -> list[NoShow]:
    """Find who did not come, the newest sign-up first; filters: `participant_id`."""
    statement = _no_show.where(_a.community_id == community)
    if participant_id := paging.filtered_id("participant_id"):
        statement = statement.where(_u.participant_id == participant_id)
    if since is not None:
        statement = statement.where(_h.starts_at >= since)
    if before is not None:
        statement = statement.where(_h.starts_at < before)
    return [NoShow(*row) for row in await session.execute(paging.newest_first(statement, _u.number))]


@cache
def _no_shows_of(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_u.community_id, _u.participant_id, sa.Column("since", Instant)])
    matches = (_u.community_id == asked.c.community_id) & (_u.participant_id == asked.c.participant_id)
    found = _no_show.add_columns(_u.community_id)
    return looked_up(dialect, asked, found, matches & (_h.starts_at >= asked.c.since))


async def no_shows_of(session: Session, participants: Collection[Key], since: datetime) -> dict[Key, list[NoShow]]:
    """Find the shifts since a moment to which participants did not come, by participant, in order of sign-up."""
    asked = [{"community_id": one, "participant_id": who, "since": since} for one, who in sorted(set(participants))]
    found = await session.execute_rows(_no_shows_of(session.dialect), asked) if asked else []
    by_participant: dict[Key, list[NoShow]] = {}
    for row in sorted(found, key=lambda row: row.number):
        by_participant.setdefault((row.community_id, row.participant_id), []).append(NoShow(*row[:-1]))
    return by_participant


async def days_of_duty(
    session: Session,
    community: int,
    first: dt.date,
    last: dt.date,
    *,
    by_participant: bool,
    participants: str | None = None,
) -> list[DayOfDuty]:
    """Sum the submitted minutes of a community by day, kind of activity and kind of participants, or of one kind."""
    who: sa.ColumnElement[Any] = _u.participant_id if by_participant else sa.null()
    groups: list[sa.ColumnElement[object]] = [_y.kind, _p.participants, _a.service_date]
    statement = (
        sa.select(
            _y.kind,
            _p.participants,
            who.label("who"),
            _a.service_date,
            sa.func.count(),
            sa.cast(sa.func.sum(_a.minutes), sa.Integer),
        )
        .join_from(attendances, signups, _of_signup)
        .join(positions, _to_position)
        .join(shifts, _to_shift)
        .join(activities, _to_activity)
        .where(_a.community_id == community, _a.service_date.between(first, last))
        .where(_a.outcome == ATTENDED, _a.submitted_at.is_not(None))
        .group_by(*groups, *([_u.participant_id] if by_participant else []))
    )
    if participants is not None:
        statement = statement.where(_p.participants == participants)
    return [DayOfDuty(*row) for row in await session.execute(statement)]
