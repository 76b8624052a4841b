"""The clock steps back an hour and forward: no time in a ledger runs back, and whose token runs out gets another."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import httpx

from tests.soak.parts import BOTH, Part, ViolationError
from tests.soak.rounds import again_and_again, next_decision, soak
from tests.soak.world import TOKEN_SECONDS, Service, new_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.soak.history import History
    from tests.soak.parts import Plan
    from tests.soak.world import World

_steps_per_round = 20
_patience_seconds, _between_attempts_seconds = 30.0, 0.1
_places = (-3600, 0, TOKEN_SECONDS + 3600)
"""Where the clock may be, in seconds ahead: an hour back, where it was, and after all tokens have run out."""


def run(plan: Plan) -> None:
    """Step until the time is up, in a new world after every few steps."""
    again_and_again(plan, _round)


def _round(plan: Plan) -> None:
    with new_world(plan.engine) as world:
        _shift(_offset(world), 0)
        with Service(world, program=("tests.soak.shifted", str(_offset(world)))) as service:
            soak(plan, world, [service], partial(_step, plan, world, service))


async def _step(plan: Plan, world: World, service: Service, history: History) -> None:
    """Step to and fro; at the last the clock is where it was."""
    offset, now = _offset(world), 0
    for number in range(_steps_per_round):
        await asyncio.sleep(plan.random.uniform(0.3, 0.8))
        now = plan.random.choice([place for place in _places if place != now])
        _shift(offset, now)
        await next_decision(history)
        await _check_first_token(world, service, now)
        plan.count("steps")
        if number and plan.over():
            break
    _shift(offset, 0)
    await next_decision(history)
    await _check_first_token(world, service, 0)
    plan.count("steps")
    plan.count("logins", history.attempts["logins"])


async def _check_first_token(world: World, service: Service, now: int) -> None:
    """A token is good for as long as it says. One from a time that has not come yet may be taken or not."""
    town = world.towns[0]
    path = f"{service.url}{town.path}/volunteers/{town.volunteers[0]}/balance"
    until = time.monotonic() + _patience_seconds
    async with httpx.AsyncClient(timeout=_patience_seconds) as client:
        while True:
            answer = await client.get(path, headers={"Authorization": f"Bearer {town.tokens['front_desk']}"})
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until:
                break
            await asyncio.sleep(_between_attempts_seconds)
    if answer.status_code not in {0: {200}, _places[-1]: {401}}.get(now, {200, 401}):
        message = f"with the clock {now} s ahead, the first token gets {answer.status_code} {answer.text}"
        raise ViolationError(message)


def _offset(world: World) -> Path:
    return world.folder / "offset"


def _shift(offset: Path, seconds: int) -> None:
    """Write the file in one go, for it is read at any moment."""
    new = offset.with_suffix(".new")
    new.write_text(str(seconds), encoding="utf-8")
    new.replace(offset)


PART = Part("clock-steps", BOTH, run, core_seconds=2, smoke_seconds=4)
