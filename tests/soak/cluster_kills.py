"""The whole PostgreSQL is killed under load and started again: writes go on within five seconds."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.soak.clusters import own_cluster, world_of_own_cluster
from tests.soak.parts import POSTGRESQL, Part
from tests.soak.rounds import again_and_again, next_decision, soak
from tests.soak.world import Service

if TYPE_CHECKING:
    from tests.soak.history import History
    from tests.soak.parts import Plan

RECOVERY_SECONDS_MAX = 5.0
"""From the start of PostgreSQL's new processes to the next answer that a client's write gets."""

_kills_per_round = 10


def run(plan: Plan) -> None:
    """Kill until the time is up, in a new world after every few kills."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    with world_of_own_cluster() as world, Service(world) as service:
        soak(plan, world, [service], partial(_kill, plan))


async def _kill(plan: Plan, history: History) -> None:
    cluster = own_cluster()
    for _ in range(_kills_per_round):
        await asyncio.sleep(plan.random.uniform(0.2, 1.0))
        await asyncio.to_thread(cluster.kill)
        await asyncio.sleep(plan.random.uniform(0.0, 0.5))
        began = time.monotonic()
        await asyncio.to_thread(cluster.start)
        await next_decision(history)
        plan.took("recovery", time.monotonic() - began, most=RECOVERY_SECONDS_MAX)
        plan.count("kills")
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.1, 0.5))


PART = Part("cluster-kills", (POSTGRESQL,), run, {"kills": 30}, core_seconds=2, smoke_seconds=5)
