"""The disk is full under load: writes are put off, reads go on, and once there is room all goes on.

Where it is the disk of PostgreSQL's log, the server goes down, and reads are put off as well until it is up again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.soak import full_disks
from tests.soak.parts import BOTH, POSTGRESQL, Part, say
from tests.soak.rounds import next_decision, soak, until

if TYPE_CHECKING:
    from tests.soak.full_disks import Disk, Way
    from tests.soak.history import History
    from tests.soak.parts import Plan

ROOM_SECONDS_MAX = 5.0
"""From when room is made to the next answer that a client's write gets; a server that went down starts meanwhile."""

_fills_per_round = 2


def run(plan: Plan) -> None:
    """Fill the disk in one way after the other until the time is up, each a few times in a new world."""
    if plan.engine == POSTGRESQL and (lack := full_disks.absence_of_small_disks()):
        say(f"{lack}: files that may not grow stand for a full disk")
    first, *others = full_disks.ways_of(plan.engine)
    for way in itertools.cycle([first, *plan.random.sample(others, len(others))]):
        fill(plan, way)
        if plan.over():
            return


def fill(plan: Plan, way: Way) -> None:
    """Fill the disk a few times in one way, while clients are at work in a new world."""
    with way.opened() as disk:
        try:
            soak(plan, disk.world, [disk.service], partial(_break, plan, way, disk))
        finally:
            disk.make_room()


async def _break(plan: Plan, way: Way, disk: Disk, history: History) -> None:
    for _ in range(_fills_per_round):
        await asyncio.sleep(plan.random.uniform(0.3, 1.0))
        put_off = history.attempts["put off"]
        await asyncio.to_thread(disk.fill)
        await until(lambda: history.attempts["put off"] > put_off, "writes are put off while the disk is full")  # noqa: B023  awaited
        sights = len(history.sights)
        await asyncio.sleep(plan.random.uniform(0.3, 1.0))
        if way.serves_readers:
            await until(lambda: len(history.sights) > sights, "reads go on while the disk is full")  # noqa: B023  awaited
        began = time.monotonic()
        await asyncio.to_thread(disk.make_room)
        await next_decision(history)
        plan.took("room", time.monotonic() - began, most=ROOM_SECONDS_MAX)
        plan.count(way.counted)
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.3, 1.0))


PART = Part("disk-full", BOTH, run, core_seconds=1, smoke_seconds=5, absence=full_disks.absence)
