"""All SQL of transfers."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import ledger
from app.kernel.rows import Read, insert_rows
from app.transfers.rules import Transfer
from app.transfers.tables import transfers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import Query
    from app.ledger import Stretch

_t = transfers.c
# In the order of the fields of a `Transfer`.
_columns = (
    _t.transfer_id,
    _t.community_id,
    _t.number,
    _t.from_volunteer_id,
    _t.to_volunteer_id,
    _t.points,
    _t.note,
    _t.transferred_by,
    _t.transferred_at,
    _t.transaction_number,
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
        sa.select(*_columns).where(_t.community_id == community, _t.transfer_id == transfer_id)
    )
    return next((Transfer(*row) for row in found), None)


async def page(session: Session, community: int, paging: Paging) -> list[Transfer]:
    """Load transfers, newest first; filters: `from_volunteer_id`, `to_volunteer_id`."""
    statement = sa.select(*_columns).where(_t.community_id == community)
    for name in ("from_volunteer_id", "to_volunteer_id"):
        if volunteer_id := paging.filtered_id(name):
            statement = statement.where(_t[name] == volunteer_id)
    return [Transfer(*row) for row in await session.execute(paging.newest_first(statement, _t.number))]


@cache
def _moved(dialect: str) -> Query:
    return ledger.between(dialect, sa.select(*_columns), _t.transaction_number)


async def transfers_of(session: Session, stretch: Stretch) -> list[Transfer]:
    """Load the transfers of a stretch of transactions, in their order."""

    def understand(rows: list[Sequence[Any]]) -> list[Transfer]:
        return sorted((Transfer(*row) for row in rows), key=attrgetter("transaction_id"))

    return await session.ask_once(Read(_moved(session.dialect), stretch.asked, understand))
