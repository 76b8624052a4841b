"""Bare communities for tests below the features: a head and a queue, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.kernel import jobs
from app.kernel.heads import CITY
from app.kernel.migrating import sync_engine

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.settings import Settings


async def open_communities(database: Database, *communities: int) -> None:
    """Begin the ledgers of new communities, each with its queue of jobs."""
    async with database.write(CITY) as session:
        for community in communities:
            await session.open_head(community)
            await jobs.open_queue(session, community)


def as_owner(settings: Settings, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run one statement as the database's owner, whom row level security does not bind, and commit it."""
    engine = sync_engine(settings)
    with engine.begin() as connection:
        found = connection.execute(sa.text(sql), parameters)
        rows = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return rows
