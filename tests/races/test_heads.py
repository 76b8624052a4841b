"""Transactions over two communities, named in either order, never wait for each other in a circle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.goods.rules import StockMovement
from app.goods.service import NewStockMovement, get_goods, move_stock
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from app.kernel.database import Database
    from tests.races.conftest import Counters

MOVES = 24

Shelf = tuple[int, UUID]
"""A community and an article of its catalogue."""


async def receive(database: Database, *shelves: Shelf) -> None:
    """Receive a piece on each of these shelves, in the order given, in one transaction over their communities."""
    async with database.write(*(community for community, _ in shelves)) as session:
        new = [NewStockMovement(community, goods_id, "received", 1, "1-manager") for community, goods_id in shelves]
        # Let another writer in between, if any may.
        await asyncio.sleep(0)
        moved = await move_stock(session, new)
        assert [type(one) for one in moved] == [StockMovement, StockMovement]


async def deadlocks(database: Database) -> int:
    """The deadlocks that PostgreSQL has broken in this database; SQLite, with its one writer, knows none."""
    if database.dialect == "sqlite":
        return 0
    async with database.read() as session:
        found = await session.execute(
            sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
        return int(found.scalar_one())


async def test_moves_between_two_communities_in_either_direction_never_deadlock(counters: Counters) -> None:
    bank = counters.bank
    first = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    await bank.open_community()
    second = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    directions = [(first, second), (second, first)]
    await asyncio.gather(
        *(
            receive(counters.databases[number // 2 % len(counters.databases)], *directions[number % 2])
            for number in range(MOVES)
        )
    )
    assert await deadlocks(bank.database) == 0
    for community, goods_id in (first, second):
        async with bank.database.read(community) as session:
            _, stock = await get_goods(session, community, goods_id)
        assert stock.shelf == MOVES
        await assert_books_agree(bank.database, community)
