"""PostgreSQL says nothing for a while under load: each request is told so in time, and afterwards writes go on."""

from __future__ import annotations

import asyncio
import itertools
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.soak.parts import POSTGRESQL, Part
from tests.soak.proxy import Proxy
from tests.soak.rounds import next_decision, soak, until
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from tests.soak.history import History
    from tests.soak.parts import Plan

BACK_SECONDS_MAX = 2.0

_short, _long = 4.0, 40.0
_for_long_from_seconds = 120
_pauses_per_round = 6


def run(plan: Plan) -> None:
    """Pause until the time is up, in a new world after every few pauses."""
    _round(plan)
    while not plan.over():
        _round(plan)


def _round(plan: Plan) -> None:
    with (
        new_world(plan.engine) as world,
        Proxy(world.settings.database_url).running() as proxy,
        Service(world, url=proxy.url) as service,
    ):
        soak(plan, world, [service], partial(_pause, plan, proxy))


async def _pause(plan: Plan, proxy: Proxy, history: History) -> None:
    lengths = [_short, _long] if plan.seconds >= _for_long_from_seconds else [_short]
    for length in itertools.islice(itertools.cycle(lengths), _pauses_per_round):
        await asyncio.sleep(plan.random.uniform(0.3, 1.0))
        put_off = history.attempts["put off"]
        proxy.pause()
        await asyncio.sleep(length)
        await until(lambda: history.attempts["put off"] > put_off, "requests are put off in a pause")  # noqa: B023
        proxy.go_on()
        began = time.monotonic()
        await next_decision(history)
        plan.took("back", time.monotonic() - began, most=BACK_SECONDS_MAX)
        plan.count(f"pauses of {length:.0f} s")
        if plan.over():
            break
    await asyncio.sleep(plan.random.uniform(0.3, 1.0))


PART = Part("pauses", (POSTGRESQL,), run, core_seconds=1, smoke_seconds=1, weight=2)
