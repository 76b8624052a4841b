"""All SQL of volunteers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.kernel.rows import Read, insert_rows, looked_up, rows_of
from app.volunteers.tables import erasures, household_members, households, volunteers

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
    found = sa.select(volunteers.c.community_id, volunteers.c[column], volunteers.c.volunteer_id)
    return looked_up(dialect, asked, found, matches)


async def holders(session: Session, column: str, hashes: Collection[tuple[int, str]]) -> dict[tuple[int, str], UUID]:
    """Find which of these (community, hash) are registered, by the hash column, and whose they are."""
    asked = [{"community_id": community, column: value} for community, value in set(hashes)]
    read = Read(_taken(session.dialect, column), asked, lambda rows: {(row[0], row[1]): row[2] for row in rows})
    return await session.ask(read)


@cache
def _consents(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [volunteers.c.community_id, volunteers.c.volunteer_id])
    matches = (volunteers.c.community_id == asked.c.community_id) & (volunteers.c.volunteer_id == asked.c.volunteer_id)
    found = sa.select(volunteers.c.community_id, volunteers.c.volunteer_id, volunteers.c.consent_on)
    return looked_up(dialect, asked, found.where(volunteers.c.erased_at.is_(None)), matches)


def consent_dates(dialect: str, asked: Collection[VolunteerKey]) -> Read[dict[VolunteerKey, dt.date]]:
    """Ask for the local dates of these volunteers' consents; unknown and erased ones are missing."""
    rows = [{"community_id": community, "volunteer_id": volunteer_id} for community, volunteer_id in sorted(set(asked))]
    return Read(_consents(dialect), rows, lambda found: {(row[0], row[1]): row[2] for row in found})


@cache
def _living_with(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [household_members.c.community_id, household_members.c.volunteer_id])
    own, other = household_members.alias("own"), household_members.alias("other")
    mine = (own.c.community_id == asked.c.community_id) & (own.c.volunteer_id == asked.c.volunteer_id)
    same = (other.c.community_id == own.c.community_id) & (other.c.household_id == own.c.household_id)
    found = sa.select(own.c.community_id, own.c.volunteer_id, other.c.volunteer_id.label("other")).join_from(
        own, other, same
    )
    return looked_up(dialect, asked, found, mine)


async def housemates(session: Session, asked: Collection[VolunteerKey]) -> dict[VolunteerKey, set[UUID]]:
    """Load who lives in the households of these volunteers, themselves included; who lives alone is missing."""
    rows = [{"community_id": community, "volunteer_id": volunteer_id} for community, volunteer_id in set(asked)]
    living: dict[VolunteerKey, set[UUID]] = {}
    for community, volunteer_id, other in await session.execute_rows(_living_with(session.dialect), rows):
        living.setdefault((community, volunteer_id), set()).add(other)
    return living


_with_household = sa.select(volunteers, household_members.c.household_id).join_from(
    volunteers,
    household_members,
    (household_members.c.community_id == volunteers.c.community_id)
    & (household_members.c.volunteer_id == volunteers.c.volunteer_id),
    isouter=True,
)


async def page(session: Session, community: int, paging: Paging, *, matching: Mapping[str, str]) -> list[AnyRow]:
    """Load volunteers, newest first; those whose hash columns match."""
    statement = _with_household.where(volunteers.c.community_id == community, volunteers.c.erased_at.is_(None))
    for column, value in matching.items():
        statement = statement.where(volunteers.c[column] == value)
    return list(await session.execute(paging.newest_first(statement, volunteers.c.number)))


async def find(session: Session, community: int, volunteer_id: UUID) -> AnyRow | None:
    """Load one volunteer."""
    found = await session.execute(
        _with_household.where(volunteers.c.community_id == community, volunteers.c.volunteer_id == volunteer_id)
    )
    return found.first()


async def update(session: Session, community: int, volunteer_id: UUID, values: Row) -> None:
    """Store a volunteer as it was changed."""
    await session.execute(
        sa.update(volunteers)
        .where(volunteers.c.community_id == community, volunteers.c.volunteer_id == volunteer_id)
        .values(**values)
    )


async def insert_households(session: Session, rows: Sequence[Row]) -> None:
    """Insert households."""
    await insert_rows(session, households, rows)


async def known_households(session: Session, asked: Collection[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Find which of these (community, household) there are."""
    rows = [{"community_id": community, "household_id": household_id} for community, household_id in asked]
    found = await session.execute_rows(_known_households(session.dialect), rows)
    return {(row[0], row[1]) for row in found}


@cache
def _known_households(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [households.c.community_id, households.c.household_id])
    matches = (households.c.community_id == asked.c.community_id) & (households.c.household_id == asked.c.household_id)
    return sa.select(households.c.community_id, households.c.household_id).join_from(asked, households, matches)


async def move_in(session: Session, living: Sequence[tuple[int, UUID, UUID]]) -> None:
    """Let volunteers live in a household, (community, volunteer, household), and no longer in the one before."""
    if not living:
        return
    await move_out(session, [(community, volunteer_id) for community, volunteer_id, _ in living])
    rows = [
        {
            "community_id": community,
            "volunteer_id": volunteer_id,
            "household_id": household_id,
            "since": session.now(community),
        }
        for community, volunteer_id, household_id in living
    ]
    await insert_rows(session, household_members, rows)


async def move_out(session: Session, gone: Sequence[VolunteerKey]) -> None:
    """Let volunteers live alone."""
    for community in {community for community, _ in gone}:
        leaving = [volunteer_id for there, volunteer_id in gone if there == community]
        await session.execute(
            sa.delete(household_members).where(
                household_members.c.community_id == community, household_members.c.volunteer_id.in_(leaving)
            )
        )


async def page_of_households(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load households, newest first."""
    statement = sa.select(households).where(households.c.community_id == community)
    return list(await session.execute(paging.newest_first(statement, households.c.number)))


async def find_household(session: Session, community: int, household_id: UUID) -> AnyRow | None:
    """Load one household."""
    found = await session.execute(
        sa.select(households).where(households.c.community_id == community, households.c.household_id == household_id)
    )
    return found.first()


async def members(session: Session, community: int, household_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Load who lives in these households, in the order of moving in; empty ones are missing."""
    found = await session.execute(
        sa.select(household_members.c.household_id, household_members.c.volunteer_id)
        .where(household_members.c.community_id == community, household_members.c.household_id.in_(list(household_ids)))
        .order_by(household_members.c.since, household_members.c.volunteer_id)
    )
    living: dict[UUID, list[UUID]] = {}
    for household_id, volunteer_id in found:
        living.setdefault(household_id, []).append(volunteer_id)
    return living


async def insert_erasure(session: Session, row: Row) -> None:
    """Write an erasure into the log."""
    await insert_rows(session, erasures, [row])


async def all_erasures(session: Session, community: int) -> list[AnyRow]:
    """Load a community's log of erasures, oldest first."""
    return list(
        await session.execute(
            sa.select(erasures).where(erasures.c.community_id == community).order_by(erasures.c.number)
        )
    )
