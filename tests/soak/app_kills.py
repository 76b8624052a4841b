"""The service is killed under load and started again: ready within a second, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from app.access.service import NewClient, create_clients
from app.kernel.errors import Unavailable
from app.main import open_database
from tests.soak.clients import TURN_SECONDS_MIN
from tests.soak.parts import BOTH, POSTGRESQL, Part, ViolationError
from tests.soak.rounds import again_and_again, soak
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from app.kernel.database import Database
    from tests.soak.history import History
    from tests.soak.parts import Plan
    from tests.soak.world import World

READY_SECONDS_MAX = 1.0

_kills_per_round = 20
_outside_seconds = 0.04


def run(plan: Plan) -> None:
    """Kill the service again and again until the time is up, in a new world after every few kills."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    """On PostgreSQL two processes share the database, and one of them is killed at a time."""
    with new_world(plan.engine) as world, ExitStack() as stack:
        processes = 2 if plan.engine == POSTGRESQL else 1
        services = [stack.enter_context(Service(world)) for _ in range(processes)]
        soak(plan, world, services, partial(_beside_an_outsider, plan, world, services), loses_connections=True)


async def _beside_an_outsider(plan: Plan, world: World, services: list[Service], history: History) -> None:
    """Kill while a command line writes to the same database: whoever comes second waits, and is not turned away."""
    database = open_database(world.settings)
    killing = asyncio.create_task(_kill(plan, services))
    try:
        while not killing.done():
            town = plan.random.choice(world.towns)
            plan.count(await _write_from_outside(database, town.number))
            await asyncio.sleep(_outside_seconds)
    finally:
        await database.close()
        await killing
    if count := history.attempts["put off at once"]:
        message = f"{count} requests were put off at once, while the database was well"
        raise ViolationError(message)


async def _write_from_outside(database: Database, community: int) -> str:
    """Write once; on SQLite, whose writers do not queue up, it may be that no turn comes in time, but never at once."""
    began = time.monotonic()
    try:
        async with database.write(community) as session:
            await create_clients(session, [NewClient(community, "审计", "auditor")])
    except Unavailable as error:
        if (waited := time.monotonic() - began) < TURN_SECONDS_MIN:
            message = f"a command line was turned away after {waited:.3f} s, and should have waited for its turn"
            raise ViolationError(message) from error
        return "outside writes without a turn"
    return "outside writes"


async def _kill(plan: Plan, services: list[Service]) -> None:
    for _ in range(_kills_per_round):
        await asyncio.sleep(plan.random.uniform(0.05, 0.6))
        service = plan.random.choice(services)
        service.kill()
        service.start()
        start = await service.ready()
        plan.took("ready", start.since_loaded, most=READY_SECONDS_MAX)
        plan.took("ready with Python's start", start.in_all, most=math.inf)
        plan.count("kills")
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.05, 0.3))


PART = Part("app-kills", BOTH, run, {"kills": 200}, core_seconds=2, smoke_seconds=6, weight=3)
