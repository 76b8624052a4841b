"""All SQL of sites and their calendars. What became of pitches it reads from sign-ups and attendance."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.activities.rules import PLANNED, VENDORS
from app.activities.tables import positions, shifts
from app.attendance.rules import ATTENDED
from app.attendance.tables import attendances
from app.kernel.rows import insert_rows, looked_up, rows_of
from app.signups.rules import CONFIRMED
from app.signups.tables import signups
from app.stalls.rules import Calendar, Footfall, Opened, Opening, Site
from app.stalls.tables import footfall_calendars, openings, sites

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

Key = tuple[int, UUID]
"""A resource: the community's small number and the resource's id."""

_s, _c, _o = sites.c, footfall_calendars.c, openings.c
_h, _p, _u, _a = shifts.c, positions.c, signups.c, attendances.c


class ShiftUse(NamedTuple):
    """How a site's pitches were used on one shift: how many there were, had a vendor, and saw the vendor come."""

    site_id: UUID
    shift_id: UUID
    starts_at: datetime
    offered: int
    taken: int
    attended: int


async def insert_sites(session: Session, new: Sequence[Site]) -> None:
    """Insert sites."""
    rows = [
        {
            "community_id": one.community,
            "site_id": one.id,
            "number": one.number,
            "code": one.code,
            "name": one.name,
            "place": one.place,
            "pitches": one.pitches,
            "draw_hours_before": one.draw_hours_before,
            "activity_id": one.activity_id,
            "help_activity_id": one.help_activity_id,
            "registered_by": one.registered_by,
            "registered_at": one.registered_at,
        }
        for one in new
    ]
    await insert_rows(session, sites, rows)


@cache
def _sites_by(dialect: str, column: str) -> Query:
    asked = rows_of(dialect, "rows", [_s.community_id, _s[column]])
    matches = (_s.community_id == asked.c.community_id) & (_s[column] == asked.c[column])
    return looked_up(dialect, asked, sa.select(sites), matches)


async def sites_by(session: Session, column: str, values: Collection[tuple[int, UUID | str]]) -> list[Site]:
    """Find the sites that have one of these values, each of a community, in a column."""
    asked = [{"community_id": community, column: value} for community, value in sorted(set(values), key=str)]
    found = await session.execute_rows(_sites_by(session.dialect, column), asked) if asked else []
    return [_site(row) for row in found]


async def load_sites(session: Session, keys: Collection[Key]) -> dict[Key, Site]:
    """Load sites; unknown ones are missing."""
    return {(one.community, one.id): one for one in await sites_by(session, "site_id", keys)}


async def page_of_sites(session: Session, community: int, paging: Paging) -> list[Site]:
    """Load sites, newest first."""
    statement = sa.select(sites).where(_s.community_id == community)
    return [_site(row) for row in await session.execute(paging.newest_first(statement, _s.number))]


async def insert_calendars(session: Session, new: Sequence[Calendar]) -> None:
    """Insert calendars with their openings."""
    rows = [
        {
            "community_id": one.community,
            "calendar_id": one.id,
            "number": one.number,
            "site_id": one.site_id,
            "threshold": one.threshold,
            "effective_from": one.effective_from,
            "lines": [list(line) for line in one.lines],
            "set_by": one.set_by,
            "set_at": one.set_at,
        }
        for one in new
    ]
    await insert_rows(session, footfall_calendars, rows)
    opened = [
        {
            "community_id": one.community,
            "calendar_id": one.id,
            **opening._asdict(),
            "series_id": series_id,
            "help_series_id": help_series_id,
        }
        for one in new
        for opening, series_id, help_series_id in one.openings
    ]
    await insert_rows(session, openings, opened)


async def find_calendar(session: Session, community: int, site_id: UUID, on: dt.date | None) -> Calendar | None:
    """Load the calendar of a site that was set last, of those in force from a day on if one is given."""
    statement = sa.select(footfall_calendars).where(_c.community_id == community, _c.site_id == site_id)
    if on is not None:
        statement = statement.where(_c.effective_from <= on)
    row = (await session.execute(statement.order_by(_c.number.desc()).limit(1))).first()
    if row is None:
        return None
    opened = await session.execute(
        sa.select(openings)
        .where(_o.community_id == community, _o.calendar_id == row.calendar_id)
        .order_by(_o.weekday, _o.hour)
    )
    return Calendar(
        id=row.calendar_id,
        community=row.community_id,
        number=row.number,
        site_id=row.site_id,
        threshold=row.threshold,
        effective_from=row.effective_from,
        lines=tuple(Footfall(*line) for line in row.lines),
        set_by=row.set_by,
        set_at=row.set_at,
        openings=tuple(
            Opened(Opening(one.weekday, one.hour, one.hours), one.series_id, one.help_series_id) for one in opened
        ),
    )


@cache
def _series_of_sites(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_c.community_id, _c.site_id])
    matches = (_c.community_id == asked.c.community_id) & (_c.site_id == asked.c.site_id)
    to_calendar = (_o.community_id == _c.community_id) & (_o.calendar_id == _c.calendar_id)
    found = sa.select(_c.community_id, _o.series_id, _o.help_series_id).join_from(
        footfall_calendars, openings, to_calendar
    )
    return looked_up(dialect, asked, found, matches)


async def series_of_sites(session: Session, keys: Collection[Key]) -> set[Key]:
    """Find all series that openings of sites are or were."""
    asked = [{"community_id": community, "site_id": site_id} for community, site_id in sorted(set(keys))]
    found = await session.execute_rows(_series_of_sites(session.dialect), asked) if asked else []
    return {
        (row.community_id, series_id) for row in found for series_id in (row.series_id, row.help_series_id) if series_id
    }


async def use_of_shifts(
    session: Session, community: int, since: datetime, before: datetime, site_id: UUID | None
) -> list[ShiftUse]:
    """Count the pitches of sites on the shifts that begin in a period, in their order; those of one site if given."""
    to_site = (_h.community_id == _s.community_id) & (_h.activity_id == _s.activity_id)
    to_position = (
        (_p.community_id == _h.community_id) & (_p.activity_id == _h.activity_id) & (_p.participants == VENDORS)
    )
    to_signup = (
        (_u.community_id == _h.community_id)
        & (_u.shift_id == _h.shift_id)
        & (_u.position_id == _p.position_id)
        & (_u.status == CONFIRMED)
    )
    to_attendance = (_a.community_id == _u.community_id) & (_a.signup_id == _u.signup_id) & (_a.outcome == ATTENDED)
    # Every row of a shift has its position's capacity, and a shift of a site has one position for vendors.
    statement = (
        sa.select(
            _s.site_id,
            _h.shift_id,
            _h.starts_at,
            _s.pitches,
            sa.func.count(_u.signup_id),
            sa.func.count(_a.signup_id),
        )
        .join_from(sites, shifts, to_site)
        .join(positions, to_position)
        .join(signups, to_signup, isouter=True)
        .join(attendances, to_attendance, isouter=True)
        .where(_s.community_id == community, _h.status == PLANNED, _h.starts_at >= since, _h.starts_at < before)
        .group_by(_s.site_id, _h.shift_id, _h.starts_at, _s.pitches, _h.number)
        .order_by(_h.starts_at, _h.number)
    )
    if site_id is not None:
        statement = statement.where(_s.site_id == site_id)
    return [ShiftUse(*row) for row in await session.execute(statement)]


async def vendors_of_shifts(
    session: Session, community: int, months: Sequence[tuple[str, datetime, datetime]]
) -> dict[tuple[str, UUID], int]:
    """Count the vendors who had a pitch in periods, each with its name, by period and site."""
    name = sa.case(*((_h.starts_at < before, month) for month, _, before in months))
    statement = (
        sa.select(name.label("month"), _s.site_id, sa.func.count(_u.participant_id.distinct()))
        .join_from(sites, shifts, (_h.community_id == _s.community_id) & (_h.activity_id == _s.activity_id))
        .join(signups, (_u.community_id == _h.community_id) & (_u.shift_id == _h.shift_id))
        .join(positions, (_p.community_id == _u.community_id) & (_p.position_id == _u.position_id))
        .where(_s.community_id == community, _h.status == PLANNED, _u.status == CONFIRMED, _p.participants == VENDORS)
        .where(_h.starts_at >= months[0][1], _h.starts_at < months[-1][2])
        .group_by("month", _s.site_id)
    )
    return {(row[0], row[1]): row[2] for row in await session.execute(statement)}


async def first_opening(session: Session, community: int, activity_id: UUID) -> datetime | None:
    """Find when the first shift of a site's stalls begins or began, of those that take place."""
    statement = sa.select(sa.func.min(_h.starts_at)).where(
        _h.community_id == community, _h.activity_id == activity_id, _h.status == PLANNED
    )
    found: datetime | None = (await session.execute(statement)).scalar_one()
    return found


def _site(row: AnyRow) -> Site:
    return Site(
        id=row.site_id,
        community=row.community_id,
        number=row.number,
        code=row.code,
        name=row.name,
        place=row.place,
        pitches=row.pitches,
        draw_hours_before=row.draw_hours_before,
        activity_id=row.activity_id,
        help_activity_id=row.help_activity_id,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
    )
