"""What nobody would send: spoilt bytes to all that changes anything, and whatever the description allows or forbids."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from app.main import create_app
from tests.bank import Bank, TestClock
from tests.bench.world import migrated
from tests.fuzz.campaign import Campaign
from tests.fuzz.schema import run_schemathesis, served
from tests.soak.parts import BOTH, NOT_TRIED, Part, ViolationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.settings import Settings
    from tests.soak.parts import Plan

_phases = "examples,coverage,fuzzing,stateful"
_examples = 1000


def run_raw(plan: Plan) -> None:
    """Send spoilt requests until the time is up: no answer but a documented one, and nothing left by a refused one."""
    with migrated(plan.engine) as (settings, _):
        asyncio.run(_send_spoilt(plan, settings))


async def _send_spoilt(plan: Plan, settings: Settings) -> None:
    clock = TestClock()
    app = create_app(settings, clock=clock)
    async with Bank(app, clock) as bank:
        try:
            figures = await Campaign(bank, plan.random.randrange(2**31)).run(_counted(plan))
        except AssertionError as error:
            raise ViolationError(str(error)) from error
    await app.state.context.database.close()
    for status, count in figures.statuses.items():
        plan.count(f"{status // 100}xx", count)


def _counted(plan: Plan) -> Iterator[int]:
    """Numbers until the time is up."""
    for number in itertools.count():
        yield number
        plan.count("requests")
        if plan.over():
            return


def run_schema(plan: Plan) -> None:
    """Let Schemathesis at a server for as long as there is time, as everybody there is; it has to find nothing."""
    with migrated(plan.engine) as (settings, folder), served(settings, folder) as server:
        seed = plan.random.randrange(2**31)
        seconds = max(1, int(plan.seconds))
        run = run_schemathesis(server, folder, seed=seed, phases=_phases, examples=_examples, seconds=seconds)
    if run.code:
        raise ViolationError(run.told)
    plan.count("cases", run.cases)
    for caller in server.world.callers:
        if sent := run.by(caller).total():
            plan.count("roles")
            plan.count("requests", sent)
        else:
            plan.count(NOT_TRIED)


RAW = Part("fuzz-raw", BOTH, run_raw, {"requests": 50_000}, core_seconds=3, smoke_seconds=6, weight=2)
SCHEMA = Part("fuzz-schema", BOTH, run_schema, core_seconds=0, smoke_seconds=8)
