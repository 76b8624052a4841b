"""All SQL of qualifications. What is written about the volunteer comes and goes sealed."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import Read, insert_rows, looked_up, rows_of, update_rows
from app.kernel.types import LocalDate
from app.qualifications.rules import Holding, Qualification, Revocation
from app.qualifications.tables import qualifications

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query

QualificationKey = tuple[int, UUID]
"""A qualification: the community's small number and the qualification's id."""

_q = qualifications.c


async def insert(session: Session, checked: Sequence[Qualification]) -> None:
    """Insert qualifications that were checked."""
    rows = [
        {
            "community_id": one.community,
            "qualification_id": one.id,
            "number": one.number,
            "volunteer_id": one.volunteer_id,
            "code": one.code,
            "certificate": one.certificate,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "checked_by": one.checked_by,
            "checked_at": one.checked_at,
        }
        for one in checked
    ]
    await insert_rows(session, qualifications, rows)


async def revoke(session: Session, revoked: Sequence[tuple[QualificationKey, Revocation]]) -> None:
    """Store that qualifications hold no more."""
    rows = [
        {
            "community_id": key[0],
            "qualification_id": key[1],
            "revoked_on": revocation.on,
            "revoked_at": revocation.revoked_at,
            "revoked_by": revocation.revoked_by,
            "reason": revocation.reason,
        }
        for key, revocation in revoked
    ]
    await update_rows(session, qualifications, ("community_id", "qualification_id"), rows)


@cache
def _by_id(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [_q.community_id, _q.qualification_id])
    matches = (_q.community_id == asked.c.community_id) & (_q.qualification_id == asked.c.qualification_id)
    return looked_up(dialect, asked, sa.select(qualifications), matches)


async def load(session: Session, keys: Collection[QualificationKey]) -> dict[QualificationKey, Qualification]:
    """Load qualifications; unknown ones are missing."""
    asked = [{"community_id": community, "qualification_id": one} for community, one in sorted(set(keys))]
    found = [_qualification(row) for row in await session.execute_rows(_by_id(session.dialect), asked)]
    return {(one.community, one.id): one for one in found}


def _holds_on(day: sa.ColumnElement[dt.date]) -> sa.ColumnElement[bool]:
    begun = _q.valid_from <= day
    not_over = _q.valid_until.is_(None) | (_q.valid_until >= day)
    return begun & not_over & (_q.revoked_on.is_(None) | (_q.revoked_on > day))


@cache
def _held(dialect: str) -> Query:
    day: sa.ColumnClause[dt.date] = sa.column("day", LocalDate())
    asked = rows_of(dialect, "rows", [_q.community_id, _q.volunteer_id, _q.code, day])
    whose = (_q.community_id == asked.c.community_id) & (_q.volunteer_id == asked.c.volunteer_id)
    matches = whose & (_q.code == asked.c.code) & _holds_on(asked.c.day)
    found = sa.select(_q.community_id, _q.volunteer_id, _q.code, asked.c.day)
    return looked_up(dialect, asked, found, matches)


def held(dialect: str, asked: Collection[Holding]) -> Read[set[Holding]]:
    """Ask which of these qualifications are held on their days."""
    rows = [
        {"community_id": one.community, "volunteer_id": one.volunteer_id, "code": one.code, "day": one.day}
        for one in sorted(set(asked))
    ]
    return Read(_held(dialect), rows, lambda found: {Holding(*row) for row in found})


async def page(
    session: Session, community: int, paging: Paging, *, volunteer_id: UUID | None = None
) -> list[Qualification]:
    """Load qualifications, newest first, of one volunteer if one is given; filters: `code`, `valid_on`."""
    statement = sa.select(qualifications).where(_q.community_id == community)
    if volunteer_id is not None:
        statement = statement.where(_q.volunteer_id == volunteer_id)
    if code := paging.filters.get("code"):
        statement = statement.where(_q.code == code)
    if day := paging.filters.get("valid_on"):
        statement = statement.where(_holds_on(sa.literal(dt.date.fromisoformat(day), LocalDate())))
    return [_qualification(row) for row in await session.execute(paging.newest_first(statement, _q.number))]


def _qualification(row: AnyRow) -> Qualification:
    revoked = row.revoked_on and Revocation(row.revoked_on, row.revoked_at, row.revoked_by, row.reason)
    return Qualification(
        id=row.qualification_id,
        community=row.community_id,
        number=row.number,
        volunteer_id=row.volunteer_id,
        code=row.code,
        certificate=row.certificate,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        checked_by=row.checked_by,
        checked_at=row.checked_at,
        revocation=revoked,
    )
