"""Bare communities for tests below the features: a head and a queue, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from app.kernel import jobs
from app.kernel.errors import Refusal
from app.kernel.heads import CITY
from app.kernel.migrating import sync_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.kernel.database import Database, Session
    from app.kernel.rows import Read
    from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Withdrawn(Refusal):
    """The submitter may not go on."""

    code: ClassVar[str] = "withdrawn"

    @property
    def detail(self) -> str:
        return "The right was withdrawn."


@dataclass(frozen=True, slots=True)
class Desk:
    """A submitter; one called `gone` may not go on any more."""

    caller_id: str
    community: int

    @property
    def seen(self) -> set[int]:
        return {self.community}

    def reads(self, _dialect: str, _others: Sequence[Desk]) -> list[Read[Any]]:
        return []

    async def withdrawn(self, _session: Session, others: Sequence[Desk]) -> list[Refusal | None]:
        return [Withdrawn() if other.caller_id == "gone" else None for other in others]


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
