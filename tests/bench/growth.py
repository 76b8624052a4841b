"""Whether the service slows down as its ledger grows: years of deposits beside a few days of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from app.main import open_database
from app.seals.service import Sealer
from tests.bench import peers
from tests.bench.load import Load, loaded
from tests.bench.rows import COMMUNITIES, WARM_UP_SECONDS, Row
from tests.bench.world import furnished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.rows import Plan
    from tests.bench.world import World

SMALL, LARGE = 100_000, 10_000_000
"""Postings of the two ledgers."""

POSTINGS_PER_DEPOSIT = 4

_function = Path(__file__).with_name("growth.sql")


def grow(world: World, postings: int) -> None:
    """Let a new ledger on PostgreSQL have so many postings, the same number in each community.

    Needs the function of `peers.create_function`.
    """
    with psycopg.connect(world.settings.database_url, autocommit=True) as connection:
        connection.execute(_function.read_text(encoding="utf-8").encode())
        deposits = postings // POSTINGS_PER_DEPOSIT // len(world.targets)
        connection.execute(b"SELECT bench_grow(%s)", (deposits,))


async def seal(world: World) -> None:
    """Seal all that a ledger was grown by, so that it is as one that has been served all along."""
    database = open_database(world.settings, hurried=False)
    sealer = Sealer(database)
    while await sealer.seal_due():
        pass
    await database.close()


def growing(plan: Plan) -> Iterator[Row]:
    """Deposits, balances and pages of statements over a large ledger, to those over a small one."""
    plan.step(f"growing two ledgers, to {SMALL:,} and {LARGE:,} postings")
    with furnished("postgresql", COMMUNITIES) as small, furnished("postgresql", COMMUNITIES) as large:
        for world, postings in ((small, SMALL), (large, LARGE)):
            peers.create_function(world)
            grow(world, postings)
            plan.step(f"sealing {postings:,} postings")
            asyncio.run(seal(world))
            peers.settle(world)
        with small.served() as small_url, large.served() as large_url:
            for world, url in ((small, small_url), (large, large_url)):
                loaded(world, url, "deposits", seconds=WARM_UP_SECONDS)
            for what in ("deposits", "balance", "statement"):
                yield from _slowing(plan, what, (large, large_url), (small, small_url))


def _slowing(plan: Plan, what: str, large: tuple[World, str], small: tuple[World, str]) -> Iterator[Row]:
    loads: list[Load] = []

    def measure(side: tuple[World, str]) -> Callable[[], float]:
        def load() -> float:
            loads.append(loaded(*side, what, seconds=plan.seconds))
            return loads[-1].per_second

        return load

    name = f"{what} at {LARGE:,} postings to {SMALL:,}"
    yield Row(name, "requests/s", 0.8, plan.take(name, measure(large), measure(small)))
    times = [(ours.p50_ms, peer.p50_ms) for ours, peer in zip(loads[::2], loads[1::2], strict=True)]
    yield Row(f"{name}: median time", "ms", 1.2, times, at_most=True)
