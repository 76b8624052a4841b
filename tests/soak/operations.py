"""Very many random operations on the services, many at once, each with the outcome that a naive model foretells."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from app.kernel.migrating import sync_engine
from app.main import open_database
from app.worker import run_due
from tests.bank import NOW, TestClock, open_bank
from tests.bench.world import migrated
from tests.journeys.model import (
    HOLD_HOURS,
    MINUTES_PER_DAY_MAX,
    MINUTES_PER_RECORD_MAX,
    POINTS_PER_HOUR,
    Model,
    Purse,
    Shelf,
)
from tests.soak.books import check_audit, check_sums
from tests.soak.commands import patiently
from tests.soak.naive import Community
from tests.soak.parts import BOTH, Part, ViolationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import Bank
    from tests.soak.naive import Batch
    from tests.soak.parts import Plan

COMMUNITIES, VOLUNTEERS = 3, 8
_batches_at_once = 3
_steps_max = 60
_rounds_per_life = 40
_rounds_per_check = 10
_lives_per_database = 5
_articles = ((3, 40), (5, None), (2, 25))


def run(plan: Plan) -> None:
    """Let communities live, some at a time, in one database after the other."""
    while True:
        with migrated(plan.engine) as (settings, _):
            asyncio.run(_lives(plan, settings))
        if plan.over():
            return


async def _lives(plan: Plan, settings: Settings) -> None:
    clock = TestClock()
    async with open_bank(settings, clock) as bank:
        databases = [bank.database]
        if not settings.on_sqlite:
            # Two processes would meet in the database, not before it.
            databases.append(open_database(settings, clock))
        for _ in range(_lives_per_database):
            clock.moment = NOW
            communities = [await _open(bank, f"{plan.seed}/{plan.counts['communities']}") for _ in range(COMMUNITIES)]
            plan.begin()
            await _live(plan, settings, bank, databases, communities)
            plan.count("communities", COMMUNITIES)
            if plan.over():
                break
        for database in databases[1:]:
            await database.close()


async def _open(bank: Bank, seed: str) -> Community:
    await bank.open_community(redemption_hold_hours=HOLD_HOURS)
    await bank.kind(
        points_per_hour=POINTS_PER_HOUR,
        minutes_per_record_max=MINUTES_PER_RECORD_MAX,
        minutes_per_day_max=MINUTES_PER_DAY_MAX,
    )
    people = [await bank.volunteer() for _ in range(VOLUNTEERS)]
    goods = [
        await bank.goods(pieces=0, price=price, limit_per_person=limit, limit_period="year")
        for price, limit in _articles
    ]
    model = Model([Purse() for _ in people], [Shelf(price, limit) for price, limit in _articles])
    volunteers, articles = ([UUID(one["id"]) for one in some] for some in (people, goods))
    # A chance of its own: how communities take turns is not up to the seed.
    chance = Random(f"{seed}/{bank.number}")  # noqa: S311  the point is that it can be repeated
    return Community(bank.number, volunteers, articles, model, bank.clock.moment, chance)


async def _live(
    plan: Plan, settings: Settings, bank: Bank, databases: Sequence[Database], communities: Sequence[Community]
) -> None:
    """Go through rounds of batches that meet, with time between them, and look at everything now and then."""
    for number in range(1, _rounds_per_life + 1):
        await asyncio.gather(*(_round(plan, databases, one) for one in communities))
        if plan.random.random() < 0.3:
            bank.clock.move(hours=plan.random.randint(1, HOLD_HOURS))
            await patiently(lambda: run_due(databases[0], settings))
            for one in communities:
                one.now = bank.clock.moment
                one.model.lapse(one.now)
        if number % _rounds_per_check == 0 or plan.over():
            _check(settings, communities)
            plan.count("checks")
        if plan.over():
            break
    await check_audit(settings, *(one.number for one in communities))


async def _round(plan: Plan, databases: Sequence[Database], community: Community) -> None:
    """Run some batches at once, and take them to the model in the order in which they took place."""
    batches = [community.batch(_steps_max) for _ in range(_batches_at_once)]
    order: list[int] = []
    outcomes = await asyncio.gather(
        *(
            _carry_out(databases[place % len(databases)], community.number, batch, place, order)
            for place, batch in enumerate(batches)
        )
    )
    for place in order:
        community.take(batches[place], outcomes[place])
        plan.count("operations", len(batches[place].steps))


async def _carry_out(database: Database, community: int, batch: Batch, place: int, order: list[int]) -> Sequence[Any]:
    async def work(session: Session) -> Sequence[Any]:
        # It holds the community's head. What had to be tried again took place when it did at last.
        if place in order:
            order.remove(place)
        order.append(place)
        return await batch.run(session, [step.item for step in batch.steps])

    return await patiently(lambda: database.run([community], work))


def _check(settings: Settings, communities: Sequence[Community]) -> None:
    """Hold all accounts against the models, and the ledger against itself."""
    engine = sync_engine(settings)
    with engine.begin() as connection:

        def ask(text: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(text))]

        check_sums(ask)
        for one in communities:
            rows = ask(f"""
                SELECT a.address, b.balance FROM ledger_accounts a JOIN ledger_balances b
                ON b.community_id = a.community_id AND b.account_number = a.account_number
                WHERE a.community_id = {one.number}""")  # noqa: S608
            held = {(address, balance) for address, balance in rows if balance}
            expected = {(address, amount) for address, amount in one.holdings().items() if amount}
            if held != expected:
                message = f"accounts and model disagree: {sorted(held ^ expected)[:6]}"
                raise ViolationError(message)
    engine.dispose()


PART = Part(
    "operations",
    BOTH,
    run,
    targets={"operations": 1_000_000},
    core_seconds=4.0,
    smoke_seconds=8.0,
)
