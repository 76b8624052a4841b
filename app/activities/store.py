"""All SQL of activities, positions, series and shifts."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from app.activities.rules import PLANNED, Activity, Position, Series, Shift
from app.activities.tables import activities, positions, series, shifts
from app.kernel.rows import insert_rows, looked_up, rows_of, update_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

Key = tuple[int, UUID]
"""A resource: the community's small number and the resource's id."""

_a, _p, _s, _h = activities.c, positions.c, series.c, shifts.c
_shift_changes = ("revision", "starts_at", "ends_at", "place", "status", "reason")
_activity_changes = ("revision", "name", "place", "content", "organiser", "cancellation_hours", "ended_at")


async def insert_activities(session: Session, new: Sequence[Activity]) -> None:
    """Insert activities, without their positions."""
    rows = [_row(one, "activity_id", counts_as_volunteering=one.counts_as_volunteering) for one in new]
    for row in rows:
        del row["positions"]
    await insert_rows(session, activities, rows)


async def insert_positions(session: Session, new: Sequence[Position]) -> None:
    """Insert positions."""
    await insert_rows(session, positions, [_row(one, "position_id") for one in new])


async def insert_series(session: Session, new: Sequence[Series]) -> None:
    """Insert series."""
    await insert_rows(session, series, [_row(one, "series_id") for one in new])


async def insert_shifts(session: Session, new: Sequence[Shift]) -> None:
    """Insert shifts."""
    await insert_rows(session, shifts, [_row(one, "shift_id") for one in new])


def _row(one: Any, id_column: str, **more: Any) -> dict[str, Any]:
    """The row of a resource whose fields are named as its columns, but for its id and its community."""
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__ if name not in {"id", "community"}}
    return {"community_id": one.community, id_column: one.id, **fields, **more}


async def update_activities(session: Session, changed: Collection[Activity]) -> None:
    """Store activities as they were edited or ended."""
    rows = [_changes(one, "activity_id", _activity_changes) for one in changed]
    await update_rows(session, activities, ("community_id", "activity_id"), rows)


async def update_series(session: Session, changed: Collection[Series]) -> None:
    """Store how far the shifts of series were made, and when they end."""
    rows = [_changes(one, "series_id", ("made_until", "ends_on")) for one in changed]
    await update_rows(session, series, ("community_id", "series_id"), rows)


async def update_shifts(session: Session, changed: Collection[Shift]) -> None:
    """Store shifts as they were moved or skipped."""
    rows = [_changes(one, "shift_id", _shift_changes) for one in changed]
    await update_rows(session, shifts, ("community_id", "shift_id"), rows)


def _changes(one: Any, id_column: str, names: Iterable[str]) -> dict[str, Any]:
    return {"community_id": one.community, id_column: one.id, **{name: getattr(one, name) for name in names}}


@cache
def _found_by(dialect: str, table: sa.Table, column: str) -> Query:
    """The rows of a table that have one of the asked ids in a column."""
    asked = rows_of(dialect, "rows", [table.c.community_id, table.c[column]])
    matches = (table.c.community_id == asked.c.community_id) & (table.c[column] == asked.c[column])
    return looked_up(dialect, asked, sa.select(table), matches)


async def _find(session: Session, table: sa.Table, column: str, keys: Collection[Key]) -> list[AnyRow]:
    if not keys:
        return []
    asked = [{"community_id": community, column: one} for community, one in sorted(set(keys))]
    return await session.execute_rows(_found_by(session.dialect, table, column), asked)


async def load_activities(session: Session, keys: Collection[Key]) -> dict[Key, Activity]:
    """Load activities with their positions; unknown ones are missing."""
    rows = await _find(session, activities, "activity_id", keys)
    return {(one.community, one.id): one for one in await _with_positions(session, rows)}


async def load_positions(session: Session, keys: Collection[Key]) -> dict[Key, Position]:
    """Load positions; unknown ones are missing."""
    rows = await _find(session, positions, "position_id", keys)
    return {(row.community_id, row.position_id): _position(row) for row in rows}


async def load_series(session: Session, keys: Collection[Key]) -> dict[Key, Series]:
    """Load series; unknown ones are missing."""
    rows = await _find(session, series, "series_id", keys)
    return {(row.community_id, row.series_id): _series(row) for row in rows}


async def load_shifts(session: Session, keys: Collection[Key]) -> dict[Key, Shift]:
    """Load shifts; unknown ones are missing."""
    rows = await _find(session, shifts, "shift_id", keys)
    return {(row.community_id, row.shift_id): _shift(row) for row in rows}


async def series_of_activities(session: Session, keys: Collection[Key]) -> list[Series]:
    """Load the series of activities."""
    return [_series(row) for row in await _find(session, series, "activity_id", keys)]


@cache
def _coming(dialect: str, column: str) -> Query:
    asked = rows_of(dialect, "rows", [_h.community_id, _h[column], _h.starts_at])
    matches = (_h.community_id == asked.c.community_id) & (_h[column] == asked.c[column])
    matches &= (_h.starts_at > asked.c.starts_at) & (_h.status == PLANNED)
    return looked_up(dialect, asked, sa.select(shifts), matches)


async def coming_of_activities(session: Session, keys: Collection[Key]) -> dict[Key, list[Shift]]:
    """Load the planned shifts of each of these activities that have not begun, in the order of their numbers."""
    return await _coming_by(session, "activity_id", keys)


async def coming_of_series(session: Session, keys: Collection[Key]) -> dict[Key, list[Shift]]:
    """Load the planned shifts of each of these series that have not begun, in the order of their numbers."""
    return await _coming_by(session, "series_id", keys)


async def _coming_by(session: Session, column: str, keys: Collection[Key]) -> dict[Key, list[Shift]]:
    found: dict[Key, list[Shift]] = {key: [] for key in keys}
    asked = [
        {"community_id": community, column: one, "starts_at": session.now(community)}
        for community, one in sorted(found)
    ]
    for row in await session.execute_rows(_coming(session.dialect, column), asked):
        found[row.community_id, row._mapping[column]].append(_shift(row))
    return {key: sorted(coming, key=lambda shift: shift.number) for key, coming in found.items()}


async def page_of_activities(session: Session, community: int, paging: Paging) -> list[Activity]:
    """Load activities with their positions, newest first; filters: `kind`, `ended`."""
    statement = sa.select(activities).where(_a.community_id == community)
    if kind := paging.filters.get("kind"):
        statement = statement.where(_a.kind == kind)
    if (ended := paging.filters.get("ended")) is not None:
        statement = statement.where(_a.ended_at.is_not(None) if ended else _a.ended_at.is_(None))
    return await _with_positions(session, list(await session.execute(paging.newest_first(statement, _a.number))))


async def page_of_series(session: Session, community: int, activity_id: UUID, paging: Paging) -> list[Series]:
    """Load an activity's series, newest first."""
    statement = sa.select(series).where(_s.community_id == community, _s.activity_id == activity_id)
    return [_series(row) for row in await session.execute(paging.newest_first(statement, _s.number))]


async def page_of_shifts(session: Session, community: int, paging: Paging) -> list[Shift]:
    """Load shifts, newest first; filters: `activity_id`, `series_id`, `status`, `from` and `to` (begun before that)."""
    statement = sa.select(shifts).where(_h.community_id == community)
    if activity_id := paging.filtered_id("activity_id"):
        statement = statement.where(_h.activity_id == activity_id)
    if series_id := paging.filtered_id("series_id"):
        statement = statement.where(_h.series_id == series_id)
    if status := paging.filters.get("status"):
        statement = statement.where(_h.status == status)
    if first := paging.filters.get("from"):
        statement = statement.where(_h.starts_at >= datetime.fromisoformat(first))
    if end := paging.filters.get("to"):
        statement = statement.where(_h.starts_at < datetime.fromisoformat(end))
    return [_shift(row) for row in await session.execute(paging.newest_first(statement, _h.number))]


async def _with_positions(session: Session, rows: Sequence[AnyRow]) -> list[Activity]:
    found: dict[Key, list[Position]] = {(row.community_id, row.activity_id): [] for row in rows}
    for row in await _find(session, positions, "activity_id", found):
        found[row.community_id, row.activity_id].append(_position(row))
    return [_activity(row, found[row.community_id, row.activity_id]) for row in rows]


def _activity(row: AnyRow, of_it: list[Position]) -> Activity:
    return Activity(
        id=row.activity_id,
        community=row.community_id,
        number=row.number,
        kind=row.kind,
        service_kind=row.service_kind,
        name=row.name,
        place=row.place,
        content=row.content,
        organiser=row.organiser,
        cancellation_hours=row.cancellation_hours,
        beneficiary_id=row.beneficiary_id,
        partner_id=row.partner_id,
        site_id=row.site_id,
        created_by=row.created_by,
        created_at=row.created_at,
        ended_at=row.ended_at,
        positions=tuple(sorted(of_it, key=lambda position: position.number)),
        revision=row.revision,
    )


def _position(row: AnyRow) -> Position:
    return Position(
        id=row.position_id,
        community=row.community_id,
        activity_id=row.activity_id,
        number=row.number,
        name=row.name,
        participants=row.participants,
        capacity=row.capacity,
        required_qualification=row.required_qualification,
        allocation=row.allocation,
    )


def _series(row: AnyRow) -> Series:
    return Series(
        id=row.series_id,
        community=row.community_id,
        activity_id=row.activity_id,
        number=row.number,
        rule=row.rule,
        starts_on=row.starts_on,
        starts_at_minute=row.starts_at_minute,
        minutes=row.minutes,
        made_until=row.made_until,
        created_by=row.created_by,
        created_at=row.created_at,
        ends_on=row.ends_on,
    )


def _shift(row: AnyRow) -> Shift:
    return Shift(
        id=row.shift_id,
        community=row.community_id,
        activity_id=row.activity_id,
        series_id=row.series_id,
        occurs_on=row.occurs_on,
        number=row.number,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        place=row.place,
        status=row.status,
        reason=row.reason,
        revision=row.revision,
    )
