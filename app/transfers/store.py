"""All SQL of transfers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.kernel.rows import insert_rows
from app.transfers.rules import Transfer
from app.transfers.tables import transfers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow

_t = transfers.c


def _transfer(row: AnyRow) -> Transfer:
    return Transfer(
        id=row.transfer_id,
        community=row.community_id,
        number=row.number,
        from_volunteer_id=row.from_volunteer_id,
        to_volunteer_id=row.to_volunteer_id,
        points=row.points,
        note=row.note,
        transferred_by=row.transferred_by,
        transferred_at=row.transferred_at,
        transaction_id=row.transaction_number,
    )


async def insert(session: Session, made: Sequence[Transfer]) -> None:
    """Insert transfers."""
    rows = [
        {
            "community_id": one.community,
            "transfer_id": one.id,
            "number": one.number,
            "from_volunteer_id": one.from_volunteer_id,
            "to_volunteer_id": one.to_volunteer_id,
            "points": one.points,
            "note": one.note,
            "transferred_by": one.transferred_by,
            "transferred_at": one.transferred_at,
            "transaction_number": one.transaction_id,
        }
        for one in made
    ]
    await insert_rows(session, transfers, rows)


async def find(session: Session, community: int, transfer_id: UUID) -> Transfer | None:
    """Load one transfer."""
    found = await session.execute(
        sa.select(transfers).where(_t.community_id == community, _t.transfer_id == transfer_id)
    )
    return next((_transfer(row) for row in found), None)


async def page(session: Session, community: int, paging: Paging) -> list[Transfer]:
    """Load transfers, newest first; filters: `from_volunteer_id`, `to_volunteer_id`."""
    statement = sa.select(transfers).where(_t.community_id == community)
    for name in ("from_volunteer_id", "to_volunteer_id"):
        if volunteer_id := paging.filtered_id(name):
            statement = statement.where(_t[name] == volunteer_id)
    return [_transfer(row) for row in await session.execute(paging.newest_first(statement, _t.number))]


async def transfers_after(session: Session, community: int, *, after: int, limit: int) -> list[Transfer]:
    """Load transfers in their order, from above a number."""
    found = await session.execute(
        sa.select(transfers).where(_t.community_id == community, _t.number > after).order_by(_t.number).limit(limit)
    )
    return [_transfer(row) for row in found]
