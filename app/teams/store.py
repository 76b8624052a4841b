"""All SQL of embedded teams. Every statement names the city. Names come and go sealed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.kernel.heads import CITY
from app.kernel.rows import Read, insert_rows, rows_of, update_rows
from app.kernel.types import LocalDate
from app.teams.rules import Department, Membership, Posting, Team
from app.teams.tables import departments, team_members, team_memberships, team_postings, teams

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

Serving = tuple[int, UUID, "dt.date"]
"""A question: does this member serve in the community with this small number on this day."""

_d, _m, _t, _s, _p = departments.c, team_members.c, teams.c, team_memberships.c, team_postings.c

_departments = sa.select(_d.department_id, _d.number, _d.code, _d.name, _d.created_at).where(_d.community_id == CITY)
_teams = sa.select(_t.team_id, _t.number, _t.code, _t.name, _t.created_at).where(_t.community_id == CITY)
_members = sa.select(
    _m.member_id, _m.number, _m.department_id, _m.sealed, _m.joined_on, _m.left_on, _m.registered_at, _m.erased_at
).where(_m.community_id == CITY)
_postings = sa.select(
    _p.posting_id, _p.number, _p.team_id, _p.posted_to, _p.starts_on, _p.ends_on, _p.posted_by, _p.posted_at
).where(_p.community_id == CITY)
_memberships = (
    sa.select(_s.number, _s.team_id, _s.member_id, _m.department_id, _m.sealed, _s.starts_on, _s.ends_on)
    .join_from(
        team_memberships,
        team_members,
        (_m.community_id == _s.community_id) & (_m.member_id == _s.member_id),
    )
    .where(_s.community_id == CITY, _m.community_id == CITY)
)


async def insert_departments(session: Session, new: Sequence[Department]) -> None:
    """Insert departments."""
    await insert_rows(session, departments, [_named_row("department_id", one) for one in new])


async def insert_teams(session: Session, new: Sequence[Team]) -> None:
    """Insert teams."""
    await insert_rows(session, teams, [_named_row("team_id", one) for one in new])


def _named_row(key: str, one: Department | Team) -> Row:
    return {
        "community_id": CITY,
        key: one.id,
        "number": one.number,
        "code": one.code,
        "name": one.name,
        "created_at": one.created_at,
    }


async def insert_members(session: Session, rows: Sequence[Row]) -> None:
    """Insert members."""
    await insert_rows(session, team_members, [{"community_id": CITY, **row} for row in rows])


async def insert_memberships(session: Session, rows: Sequence[Row]) -> None:
    """Insert members' times on teams."""
    await insert_rows(session, team_memberships, [{"community_id": CITY, **row} for row in rows])


async def insert_postings(session: Session, new: Sequence[Posting]) -> None:
    """Insert teams' times in communities."""
    rows = [
        {
            "community_id": CITY,
            "posting_id": one.id,
            "number": one.number,
            "team_id": one.team_id,
            "posted_to": one.posted_to,
            "starts_on": one.starts_on,
            "ends_on": one.ends_on,
            "posted_by": one.posted_by,
            "posted_at": one.posted_at,
        }
        for one in new
    ]
    await insert_rows(session, team_postings, rows)


async def end_memberships(session: Session, ended: Sequence[Membership]) -> None:
    """Store when members' times on teams end."""
    rows = [
        {"community_id": CITY, "member_id": one.member_id, "starts_on": one.starts_on, "ends_on": one.ends_on}
        for one in ended
    ]
    await update_rows(session, team_memberships, ("community_id", "member_id", "starts_on"), rows)


async def end_postings(session: Session, ended: Sequence[Posting]) -> None:
    """Store when teams' times in communities end."""
    rows = [{"community_id": CITY, "posting_id": one.id, "ends_on": one.ends_on} for one in ended]
    await update_rows(session, team_postings, ("community_id", "posting_id"), rows)


async def let_leave(session: Session, left: Mapping[UUID, dt.date]) -> None:
    """Store members' last days of service."""
    rows = [{"community_id": CITY, "member_id": who, "left_on": day} for who, day in left.items()]
    await update_rows(session, team_members, ("community_id", "member_id"), rows)


async def erase(session: Session, erased: Mapping[UUID, dt.datetime]) -> None:
    """Remove members' sealed data, and store when."""
    rows = [
        {"community_id": CITY, "member_id": who, "sealed": "", "erased_at": moment} for who, moment in erased.items()
    ]
    await update_rows(session, team_members, ("community_id", "member_id"), rows)


async def codes_taken(session: Session, table: sa.Table, codes: Collection[str]) -> set[str]:
    """Find which codes departments or teams have already."""
    statement = sa.select(table.c.code).where(table.c.community_id == CITY, table.c.code.in_(sorted(set(codes))))
    return {row.code for row in await session.execute(statement)}


async def load_departments(session: Session, ids: Collection[UUID]) -> dict[UUID, Department]:
    """Load departments; unknown ones are missing."""
    found = await session.execute(_departments.where(_d.department_id.in_(list(ids))))
    return {row.department_id: Department(*row) for row in found}


async def page_of_departments(session: Session, paging: Paging) -> list[Department]:
    """Load departments, newest first."""
    return [Department(*row) for row in await session.execute(paging.newest_first(_departments, _d.number))]


async def load_teams(session: Session, ids: Collection[UUID]) -> dict[UUID, Team]:
    """Load teams; unknown ones are missing."""
    return {row.team_id: Team(*row) for row in await session.execute(_teams.where(_t.team_id.in_(list(ids))))}


async def page_of_teams(session: Session, paging: Paging, *, posted: tuple[int, dt.date] | None = None) -> list[Team]:
    """Load teams, newest first; those posted to a community on a day, if one is given."""
    statement = _teams if posted is None else _teams.where(_posted_there(*posted))
    return [Team(*row) for row in await session.execute(paging.newest_first(statement, _t.number))]


def _posted_there(posted_to: int, day: dt.date) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(
            _p.community_id == CITY,
            _p.team_id == _t.team_id,
            _p.posted_to == posted_to,
            _covers(_p, day),
        )
        .correlate(teams)
    )


async def is_posted(session: Session, team_id: UUID, posted_to: int, day: dt.date) -> bool:
    """Whether a team is posted to a community on a day."""
    statement = _postings.where(_p.team_id == team_id, _p.posted_to == posted_to, _covers(_p, day))
    return (await session.execute(statement)).first() is not None


def _covers(span: Any, day: Any) -> sa.ColumnElement[bool]:
    covers: sa.ColumnElement[bool] = (span.starts_on <= day) & (span.ends_on.is_(None) | (span.ends_on >= day))
    return covers


async def load_members(session: Session, ids: Collection[UUID]) -> list[AnyRow]:
    """Load members' rows; unknown ones are missing."""
    return list(await session.execute(_members.where(_m.member_id.in_(list(ids)))))


async def page_of_members(session: Session, paging: Paging) -> list[AnyRow]:
    """Load members' rows, newest first, without the erased; filter: `department_id`."""
    statement = _members.where(_m.erased_at.is_(None))
    if department_id := paging.filtered_id("department_id"):
        statement = statement.where(_m.department_id == department_id)
    return list(await session.execute(paging.newest_first(statement, _m.number)))


async def load_memberships(session: Session, member_ids: Collection[UUID]) -> list[AnyRow]:
    """Load all times of these members on teams, the earliest first."""
    statement = _memberships.where(_s.member_id.in_(list(member_ids))).order_by(_s.starts_on)
    return list(await session.execute(statement))


async def page_of_memberships(
    session: Session, team_id: UUID, paging: Paging, *, day: dt.date | None = None
) -> list[AnyRow]:
    """Load members' times on a team, the newest first; those of a day, if one is given."""
    statement = _memberships.where(_s.team_id == team_id)
    if day is not None:
        statement = statement.where(_covers(_s, day))
    return list(await session.execute(paging.newest_first(statement, _s.number)))


class TimeOnTeam(NamedTuple):
    """A member's time on a team; both days are days of service."""

    team_id: UUID
    member_id: UUID
    department_id: UUID
    starts_on: dt.date
    ends_on: dt.date | None

    def covers(self, day: dt.date) -> bool:
        """Whether the member serves on the team on a day."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


_times = _memberships.with_only_columns(_s.team_id, _s.member_id, _m.department_id, _s.starts_on, _s.ends_on)


async def times_on_team(session: Session, team_id: UUID, first: dt.date, last: dt.date) -> list[TimeOnTeam]:
    """Load members' times on a team that fall between two days, both included."""
    found = _times.where(_s.team_id == team_id, _s.starts_on <= last, _s.ends_on.is_(None) | (_s.ends_on >= first))
    return [TimeOnTeam(*row) for row in await session.execute(found)]


async def times_of_members(session: Session, member_ids: Collection[UUID]) -> list[TimeOnTeam]:
    """Load all times of these members on teams."""
    return [TimeOnTeam(*row) for row in await session.execute(_times.where(_s.member_id.in_(list(member_ids))))]


async def load_postings(session: Session, team_ids: Collection[UUID]) -> list[AnyRow]:
    """Load all times of these teams in communities, the earliest first."""
    return list(await session.execute(_postings.where(_p.team_id.in_(list(team_ids))).order_by(_p.starts_on)))


async def page_of_postings(session: Session, team_id: UUID, paging: Paging) -> list[AnyRow]:
    """Load a team's times in communities, the newest first."""
    return list(await session.execute(paging.newest_first(_postings.where(_p.team_id == team_id), _p.number)))


class Service(NamedTuple):
    """Of a known member: the team of that day, and whether that is posted there."""

    team_id: UUID | None
    is_posted: bool


@cache
def _serving(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_m.community_id, _m.member_id, _p.posted_to, sa.column("day", LocalDate())])
    known = (_m.community_id == asked.c.community_id) & (_m.member_id == asked.c.member_id) & _m.erased_at.is_(None)
    on_team = (_s.community_id == _m.community_id) & (_s.member_id == _m.member_id) & _covers(_s, asked.c.day)
    there = (
        (_p.community_id == _s.community_id)
        & (_p.team_id == _s.team_id)
        & (_p.posted_to == asked.c.posted_to)
        & _covers(_p, asked.c.day)
    )
    columns = (asked.c.posted_to, asked.c.member_id, asked.c.day, _s.team_id, _p.posting_id)
    return (
        sa.select(*columns)
        .join_from(asked, team_members, known)
        .outerjoin(team_memberships, on_team)
        .outerjoin(team_postings, there)
        .where(_m.community_id == CITY)
    )


def serving(dialect: str, asked: Collection[Serving]) -> Read[dict[Serving, Service]]:
    """Ask where members serve; unknown and erased ones are missing."""

    def understand(rows: list[Sequence[Any]]) -> dict[Serving, Service]:
        return {(row[0], row[1], row[2]): Service(row[3], row[4] is not None) for row in rows}

    rows = [
        {"community_id": CITY, "member_id": member_id, "posted_to": community, "day": day}
        for community, member_id, day in sorted(set(asked))
    ]
    return Read(_serving(dialect), rows, understand)
