"""Changes behind the ledger's back, each in a bank without any guard: the audit has to find them and name the row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.ledger import Discrepancy
from app.main import open_database
from app.reports.service import audit_community
from app.seals.service import Sealer
from tests.bank import TestClock, open_bank
from tests.bench.world import migrated
from tests.journeys.hammer import Hammer
from tests.soak.bare import bare_copy
from tests.soak.lies import Books
from tests.soak.parts import BOTH, Part, ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    import sqlalchemy as sa

    from app.kernel.database import Database
    from app.settings import Settings
    from tests.soak.lies import Lie
    from tests.soak.parts import Plan

_volunteers, _days, _acts, _acts_an_hour = 6, 6, 260, 40
_lies_min = 20

FREE = {
    "service_records": frozenset(("manager_required",)),
    "verifications": frozenset(("note",)),
    "corrections": frozenset(("replacement_id",)),
    "redemptions": frozenset(("pickup_code",)),
    "events": frozenset(("type", "occurred_at", "data")),
    "checkpoints": frozenset(("sealed_at",)),
}
"""Columns of what surrounds the ledger that no transaction stands for: an audit promises nothing about them.

Of some it finds what cannot be: times that run back, events that announce something else.
"""


def run(plan: Plan) -> None:
    """Fill a bank, and lie about it until the time is up."""
    with migrated(plan.engine) as (settings, folder):
        community = asyncio.run(_furnish(settings, plan.random))
        with bare_copy(settings, folder / "bare") as copy:
            asyncio.run(_lie(plan, copy, community))


async def _furnish(settings: Settings, chance: Random) -> int:
    """Do in a bank whatever may happen, one thing after the other, and give its community."""
    async with open_bank(settings, TestClock()) as bank:
        hammer = await Hammer.of(bank, volunteers=_volunteers, days=_days, chance=chance)
        sealer = Sealer(bank.database)
        for number in range(1, _acts + 1):
            await hammer.act()
            if number % _acts_an_hour == 0:
                await hammer.pass_an_hour()
                await sealer.seal_due()
        return bank.number


async def _lie(plan: Plan, settings: Settings, community: int) -> None:
    database = open_database(settings)
    try:
        books = await Books.read(database, community)
        _demand_nothing(await _noticed(database, community))
        plan.begin()
        for number, kind in enumerate(_in_any_order(list(books.lies(FREE)), plan.random)):
            if number >= _lies_min and plan.over():
                break
            lie = kind(plan.random)
            _judge(plan, books, lie, await _noticed(database, community, *lie.statements))
        _demand_nothing(await _noticed(database, community))
    finally:
        await database.close()


def _in_any_order(kinds: list[Callable[[Random], Lie]], chance: Random) -> Iterator[Callable[[Random], Lie]]:
    """All kinds of lies, and all again, each time in another order."""
    while True:
        chance.shuffle(kinds)
        yield from kinds


async def _noticed(database: Database, community: int, *lies: sa.Executable) -> list[Discrepancy]:
    """What the audit says once this was done to the rows, which is undone afterwards."""
    found: list[Discrepancy] = []
    async with database.write(community) as session:
        session.abandon()
        for statement in lies:
            await session.execute(statement)
        try:
            found = await audit_community(session, community)
        except Exception as error:  # noqa: BLE001  whatever it broke off for, it noticed, and named nothing
            found = [Discrepancy("audit-broke-off", "audit", repr(error))]
    return found


def _demand_nothing(found: list[Discrepancy]) -> None:
    if found:
        message = f"without a lie the audit found {found[:5]}"
        raise ViolationError(message)


def _judge(plan: Plan, books: Books, lie: Lie, found: list[Discrepancy]) -> None:
    """Count a lie as found when a finding names a row that it is about; raise `ViolationError` when it should have."""
    names = set().union(*map(books.names_of, lie.rows))
    if any(one.subject in names for one in found):
        plan.count("lies found and named")
    elif not found and books.says_nothing(lie):
        plan.count("lies that say nothing")
    else:
        message = f"a lie about {lie.table}, {lie.about}, of {lie.rows[:4]}: the audit found {found[:5]}"
        raise ViolationError(message)


PART = Part(
    "tampering",
    BOTH,
    run,
    targets={"lies found and named": 1000},
    core_seconds=4.0,
    smoke_seconds=20.0,
)
