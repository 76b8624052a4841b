"""Connections to PostgreSQL are cut around COMMIT: whether it took place nobody can know, and the key finds out."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.soak.parts import POSTGRESQL, Part
from tests.soak.proxy import CUTS, Proxy
from tests.soak.rounds import again_and_again, soak
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from tests.soak.history import History
    from tests.soak.parts import Plan

_share = 0.4
_round_seconds = 30
_first_seconds_max = 60.0
_look_seconds = 0.1


def run(plan: Plan) -> None:
    """Cut connections until the time is up, in a new world every half minute."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    with (
        new_world(plan.engine) as world,
        Proxy(world.settings.database_url).running() as proxy,
        Service(world, url=proxy.url) as service,
    ):
        soak(plan, world, [service], partial(_cut, plan, proxy))


async def _cut(plan: Plan, proxy: Proxy, _: History) -> None:
    random = Random(plan.random.random())  # noqa: S311  the point is that it can be repeated
    before = plan.counts["cuts"]
    # What the service did at its start is not counted.
    proxy.cuts.clear()
    began = time.monotonic()
    proxy.choose = lambda: random.choice(CUTS) if random.random() < _share else None
    while (missing := [kind for kind in CUTS if not proxy.cuts[kind]]) or (
        time.monotonic() < began + _round_seconds and not plan.over()
    ):
        await asyncio.sleep(_look_seconds)
        plan.count("cuts", before + proxy.cuts.total() - plan.counts["cuts"])
        if missing and time.monotonic() > began + _first_seconds_max:
            message = f"no connection could be cut {' or '.join(missing)} a COMMIT in {_first_seconds_max:g} s"
            raise RuntimeError(message)
    proxy.choose = lambda: None
    for kind in CUTS:
        plan.count(f"cut {kind}", proxy.cuts[kind])


PART = Part("commit-cuts", (POSTGRESQL,), run, {"cuts": 5000}, core_seconds=2, smoke_seconds=6, weight=2)
