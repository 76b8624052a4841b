"""PostgreSQL says nothing for a while under load: each request is told so in time, and afterwards writes go on."""

from __future__ import annotations

import asyncio
import itertools
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.soak.parts import POSTGRESQL, Part
from tests.soak.proxy import Proxy
from tests.soak.rounds import again_and_again, next_decision, soak, until
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from tests.soak.history import History
    from tests.soak.parts import Plan

BACK_SECONDS_MAX = 2.0

_short, _long = 5.0, 40.0
_pauses_per_round = 6


def run(plan: Plan) -> None:
    """Pause until the time is up, in a new world after every few pauses."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    with (
        new_world(plan.engine) as world,
        Proxy(world.settings.database_url).running() as proxy,
        Service(world, url=proxy.url) as service,
    ):
        soak(plan, world, [service], partial(_pause, plan, proxy))


async def _pause(plan: Plan, proxy: Proxy, history: History) -> None:
    lengths = [_short, _long] if plan.goals else [_short]
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
        # One that is long is part of every full run.
        if plan.over() and length == lengths[-1]:
            break
    await asyncio.sleep(plan.random.uniform(0.3, 1.0))


PART = Part("pauses", (POSTGRESQL,), run, {f"pauses of {_long:.0f} s": 3}, core_seconds=1, smoke_seconds=1, weight=2)
