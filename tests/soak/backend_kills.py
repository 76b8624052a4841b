"""PostgreSQL loses one of its processes under load: asked to end, or killed, upon which it restarts all others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from tests.soak.cluster_kills import RECOVERY_SECONDS_MAX
from tests.soak.clusters import own_cluster, world_of_own_cluster
from tests.soak.parts import POSTGRESQL, Part
from tests.soak.rounds import next_decision, soak
from tests.soak.world import Service

if TYPE_CHECKING:
    from tests.soak.history import History
    from tests.soak.parts import Plan

_kills_per_round = 30
_at_work = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def run(plan: Plan) -> None:
    """Kill until the time is up, in a new world after every few kills."""
    _round(plan)
    while not plan.over():
        _round(plan)


def _round(plan: Plan) -> None:
    with world_of_own_cluster() as world, Service(world) as service:
        soak(plan, world, [service], partial(_kill, plan))


async def _kill(plan: Plan, history: History) -> None:
    for _ in range(_kills_per_round):
        await asyncio.sleep(plan.random.uniform(0.1, 0.5))
        began = time.monotonic()
        plan.count(await asyncio.to_thread(_kill_one, plan))
        plan.count("kills")
        await next_decision(history)
        plan.took("recovery", time.monotonic() - began, most=RECOVERY_SECONDS_MAX)
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.1, 0.5))


def _kill_one(plan: Plan) -> str:
    """Kill any process that serves a client, in either way, and say which it was."""
    with psycopg.connect(own_cluster().url, autocommit=True) as connection:
        pids = sorted(pid for (pid,) in connection.execute(_at_work))
        pid = plan.random.choice(pids)
        if plan.random.random() < 0.5:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])
            return "terminated"
    # The service may have closed the connection since.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return "killed"


PART = Part("backend-kills", (POSTGRESQL,), run, {"kills": 100}, core_seconds=2, smoke_seconds=5)
