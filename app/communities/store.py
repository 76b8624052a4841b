"""All SQL of communities."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.communities.rules import Community
from app.communities.tables import communities
from app.kernel.rows import Read, looked_up, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import Query

_all = sa.select(
    communities.c.number,
    communities.c.id,
    communities.c.code,
    communities.c.name,
    communities.c.district,
    communities.c.subdistrict,
    communities.c.timezone,
    communities.c.verification,
    communities.c.redemption_hold_hours,
    communities.c.demo,
    communities.c.created_at,
    communities.c.revision,
)


async def _load(session: Session, statement: Query) -> list[Community]:
    return [Community(*row) for row in await session.execute(statement)]


@cache
def _numbered(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [communities.c.number])
    return looked_up(dialect, asked, _all, communities.c.number == asked.c.number)


def by_number(dialect: str, numbers: Iterable[int]) -> Read[dict[int, Community]]:
    """Ask for communities by their small numbers."""

    def understand(rows: list[Sequence[Any]]) -> dict[int, Community]:
        return {row[0]: Community(*row) for row in rows}

    return Read(_numbered(dialect), [{"number": number} for number in sorted(set(numbers))], understand)


@cache
def _identified(dialect: str) -> Query:
    asked = rows_of(dialect, "rows", [communities.c.id])
    return looked_up(dialect, asked, _all, communities.c.id == asked.c.id)


def by_ids(dialect: str, ids: Iterable[UUID]) -> Read[dict[UUID, Community]]:
    """Ask for communities by their ids."""

    def understand(rows: list[Sequence[Any]]) -> dict[UUID, Community]:
        return {row[1]: Community(*row) for row in rows}

    return Read(_identified(dialect), [{"id": one} for one in sorted(set(ids))], understand)


async def by_id(session: Session, community_id: UUID) -> Community | None:
    """Load the community with an id."""
    return next(iter(await _load(session, _all.where(communities.c.id == community_id))), None)


async def by_code(session: Session, code: str) -> Community | None:
    """Load the community with a code."""
    return next(iter(await _load(session, _all.where(communities.c.code == code))), None)


async def page(session: Session, paging: Paging) -> list[Community]:
    """Load communities, newest first."""
    return await _load(session, paging.newest_first(_all, communities.c.number))


async def last_number(session: Session) -> int:
    """Give the highest number given to a community; 0 when there is none."""
    found = await session.execute(sa.select(sa.func.coalesce(sa.func.max(communities.c.number), 0)))
    number: int = found.scalar_one()
    return number


async def insert(session: Session, community: Community) -> None:
    """Insert a community."""
    await session.execute(sa.insert(communities).values(**asdict(community)))


async def change(session: Session, number: int, values: Mapping[str, Any]) -> None:
    """Change settings of a community."""
    await session.execute(sa.update(communities).where(communities.c.number == number).values(**values))
