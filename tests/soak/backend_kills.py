"""PostgreSQL loses one of its processes under load: asked to end, or killed, upon which it restarts all others.

The time of a recovery begins with the kill, and ends with the answer to a request that went out when the server let
somebody in again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from tests.soak.cluster_kills import RECOVERY_SECONDS_MAX
from tests.soak.clusters import connected, world_of_own_cluster
from tests.soak.parts import POSTGRESQL, Part, ViolationError
from tests.soak.rounds import again_and_again, next_decision, soak
from tests.soak.world import Service

if TYPE_CHECKING:
    from typing import Any

    from tests.soak.history import History
    from tests.soak.parts import Plan

_kills_per_round = 30
_terminated_share = 0.3
_seconds_max, _look_seconds = 30.0, 0.01
_at_work = """
    SELECT pid, state <> 'idle' FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"""


def run(plan: Plan) -> None:
    """Kill until the time is up, in a new world after every few kills."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    with world_of_own_cluster() as world, Service(world) as service:
        soak(plan, world, [service], partial(_kill, plan))


async def _kill(plan: Plan, history: History) -> None:
    for _ in range(_kills_per_round):
        await asyncio.sleep(plan.random.uniform(0.1, 0.5))
        if plan.random.random() < _terminated_share:
            await asyncio.to_thread(_terminate_one, plan)
            plan.count("terminates")
            began = time.monotonic()
        else:
            began = await asyncio.to_thread(_kill_one, plan)
            plan.count("kills")
        await next_decision(history)
        plan.took("recovery", time.monotonic() - began, most=RECOVERY_SECONDS_MAX)
        if plan.over() and plan.counts["kills"]:
            break
    await asyncio.sleep(plan.random.uniform(0.1, 0.5))


def _victim(plan: Plan, connection: psycopg.Connection[Any]) -> int:
    """A process that serves a client; one that is at something, where any is."""
    until = time.monotonic() + _seconds_max
    while not (found := connection.execute(_at_work).fetchall()):
        # The service has lost all its connections and not made others yet.
        if time.monotonic() > until:
            message = "the service has no connection to the database"
            raise ViolationError(message)
        time.sleep(_look_seconds)
    pids = [pid for pid, busy in found if busy] or [pid for pid, _ in found]
    pid: int = plan.random.choice(pids)
    return pid


def _terminate_one(plan: Plan) -> None:
    with closing(connected()) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [_victim(plan, connection)])


def _kill_one(plan: Plan) -> float:
    """Kill one, and wait until the server, which then ends all others, lets somebody in again; gives when it died."""
    with closing(connected()) as connection:
        while True:
            try:
                os.kill(_victim(plan, connection), signal.SIGKILL)
            except ProcessLookupError:
                # The service has closed the connection since.
                continue
            break
        began = time.monotonic()
        try:
            connection.execute("SELECT pg_sleep(%s)", [_seconds_max])
        except psycopg.OperationalError:
            connected().close()
            return began
    message = f"the server did not notice in {_seconds_max:g} s that one of its processes was killed"
    raise ViolationError(message)


PART = Part("backend-kills", (POSTGRESQL,), run, {"kills": 100}, core_seconds=2, smoke_seconds=5)
