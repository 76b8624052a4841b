"""Transactions over two communities, named in either order, never wait for each other in a circle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app import ledger
from app.communities.rules import POINTS_ISSUED, POINTS_POOL
from app.ledger import Account, Entry, Posted
from tests.races.books import assert_books_agree

if TYPE_CHECKING:
    from app.kernel.database import Database
    from tests.races.conftest import Counters

MOVES = 24


async def move(database: Database, communities: tuple[int, int]) -> None:
    """Post a point into the pool of each community, in the order given, in one transaction."""
    async with database.write(*communities) as session:
        entries = [
            Entry(number, "donation", ((POINTS_ISSUED, -1), (POINTS_POOL, 1)), "transfers/1", "1-desk", group="both")
            for number in communities
        ]
        # Let another writer in between, if any may.
        await asyncio.sleep(0)
        posted = await ledger.post(session, entries)
        assert [type(one) for one in posted] == [Posted, Posted]


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
    first = bank.number
    await bank.open_community()
    second = bank.number
    directions = [(first, second), (second, first)]
    await asyncio.gather(
        *(
            move(counters.databases[number // 2 % len(counters.databases)], directions[number % 2])
            for number in range(MOVES)
        )
    )
    assert await deadlocks(bank.database) == 0
    for community in (first, second):
        async with bank.database.read(community) as session:
            pool = Account(community, POINTS_POOL)
            assert await ledger.balances(session, [pool]) == {pool: MOVES}
        await assert_books_agree(bank.database, community)
