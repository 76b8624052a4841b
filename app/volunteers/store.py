"""All SQL of volunteers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import insert_rows, rows_of
from app.volunteers.tables import volunteers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Query, Row

VolunteerKey = tuple[int, UUID]
"""A volunteer: the community's small number and the volunteer's id."""


class Hashes(NamedTuple):
    """The keyed hashes by which a volunteer is found."""

    community: int
    phone: str
    id_number: str | None


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert volunteers."""
    await insert_rows(session, volunteers, rows)


@cache
def _taken(dialect: str, column: str) -> Query:
    asked = rows_of(dialect, "rows", [volunteers.c.community_id, volunteers.c[column]])
    matches = (volunteers.c.community_id == asked.c.community_id) & (volunteers.c[column] == asked.c[column])
    return sa.select(volunteers.c.community_id, volunteers.c[column], volunteers.c.volunteer_id).join_from(
        asked, volunteers, matches
    )


async def holders(session: Session, column: str, hashes: Collection[tuple[int, str]]) -> dict[tuple[int, str], UUID]:
    """Find which of these (community, hash) are registered, by the hash column, and whose they are."""
    asked = [{"community_id": community, column: value} for community, value in set(hashes)]
    found = await session.execute_rows(_taken(session.dialect, column), asked)
    return {(row[0], row[1]): row[2] for row in found}


@cache
def _consents(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [volunteers.c.community_id, volunteers.c.volunteer_id])
    matches = (volunteers.c.community_id == asked.c.community_id) & (volunteers.c.volunteer_id == asked.c.volunteer_id)
    return sa.select(volunteers.c.community_id, volunteers.c.volunteer_id, volunteers.c.consent_on).join_from(
        asked, volunteers, matches
    )


async def consent_dates(session: Session, asked: Collection[VolunteerKey]) -> dict[VolunteerKey, dt.date]:
    """Load the local dates of these volunteers' consents; unknown volunteers are missing."""
    rows = [{"community_id": community, "volunteer_id": volunteer_id} for community, volunteer_id in set(asked)]
    found = await session.execute_rows(_consents(session.dialect), rows)
    return {(row[0], row[1]): row[2] for row in found}


async def page(session: Session, community: int, paging: Paging, *, matching: Mapping[str, str]) -> list[AnyRow]:
    """Load volunteers, newest first; those whose hash columns match."""
    statement = sa.select(volunteers).where(volunteers.c.community_id == community)
    for column, value in matching.items():
        statement = statement.where(volunteers.c[column] == value)
    return list(await session.execute(paging.newest_first(statement, volunteers.c.number)))


async def find(session: Session, community: int, volunteer_id: UUID) -> AnyRow | None:
    """Load one volunteer."""
    found = await session.execute(
        sa.select(volunteers).where(volunteers.c.community_id == community, volunteers.c.volunteer_id == volunteer_id)
    )
    return found.first()
