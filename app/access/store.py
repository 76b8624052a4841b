"""All SQL of access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.access.tables import clients
from app.kernel.rows import insert_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow, Row


async def insert(session: Session, rows: Sequence[Row]) -> None:
    """Insert clients."""
    await insert_rows(session, clients, rows)


async def find(session: Session, community: int, client_id: str) -> AnyRow | None:
    """Load a client, revoked or not."""
    found = await session.execute(
        sa.select(clients).where(clients.c.community_id == community, clients.c.client_id == client_id)
    )
    return found.first()


async def page(session: Session, community: int, paging: Paging) -> list[AnyRow]:
    """Load the clients that are not revoked, newest first."""
    statement = sa.select(clients).where(clients.c.community_id == community, clients.c.revoked_at.is_(None))
    return list(await session.execute(paging.newest_first(statement, clients.c.number)))


async def revoke(session: Session, community: int, client_id: str, at: datetime) -> bool:
    """Mark a client as revoked; tell whether there was one to revoke."""
    changed = await session.execute(
        sa.update(clients)
        .where(clients.c.community_id == community, clients.c.client_id == client_id, clients.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return changed.rowcount == 1
