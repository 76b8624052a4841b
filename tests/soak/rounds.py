"""A round of most parts: clients at work in a new world, something breaks again and again, and then the judge."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.soak.clients import ANSWER_SECONDS_MAX, Clients
from tests.soak.judge import judge
from tests.soak.parts import ViolationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.soak.history import History
    from tests.soak.parts import Plan
    from tests.soak.world import Service, World

HTTP_OPERATIONS = "HTTP operations"
"""Requests that were decided while something broke, or read afterwards what came of it."""

_replays_per_second = 20
_look_seconds = 0.01
_seconds_max = 40.0


def again_and_again(plan: Plan, one: Callable[[Plan], None]) -> None:
    """Do something once, and again until the time is up."""
    one(plan)
    while not plan.over():
        one(plan)


def soak(
    plan: Plan,
    world: World,
    services: Sequence[Service],
    break_something: Callable[[History], Awaitable[None]],
    *,
    loses_connections: bool = False,
) -> None:
    """Have clients at work while something breaks once or often, and judge what came of it.

    Unless the services themselves are killed, no client may lose its connection.
    """
    try:
        for service in services:
            asyncio.run(service.ready())
        history = asyncio.run(_soak(plan, world, services, break_something))
    except Exception as error:
        for service in services:
            error.add_note(f"The service's last words: {service.last_words()}")
        violation = _first_violation(error)
        if violation is None or violation is error:
            raise
        raise ViolationError(str(violation)) from error
    if history.attempts["lost"] and not loses_connections:
        message = f"{history.attempts['lost']} connections were lost, and the service was not killed"
        raise ViolationError(message)


def _first_violation(error: BaseException) -> ViolationError | None:
    if isinstance(error, ViolationError):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for one in inner if (found := _first_violation(one))), None)


async def _soak(
    plan: Plan, world: World, services: Sequence[Service], break_something: Callable[[History], Awaitable[None]]
) -> History:
    clients = Clients(world, [service.url for service in services], plan.random)
    try:
        async with clients.at_work() as history:
            plan.begin()
            await break_something(history)
        await judge(world, history)
        replays = await clients.replay(50 + int(plan.seconds * _replays_per_second), plan.random)
        await judge(world, history)
    finally:
        await clients.close()
    plan.took("answer", history.slowest, most=ANSWER_SECONDS_MAX)
    plan.count("replays", replays)
    plan.count("put off", history.attempts["put off"])
    plan.count("connections lost", history.attempts["lost"])
    plan.count("reads", len(history.sights))
    plan.count(HTTP_OPERATIONS, len(history.sent) + len(history.sights) + replays)
    for fate, count in history.fates().items():
        plan.count(fate, count)
    return history


async def until(happens: Callable[[], bool], promise: str) -> None:
    """Wait until something happens that was promised; raises `ViolationError` when it does not for long."""
    end = time.monotonic() + _seconds_max
    while not happens():
        if time.monotonic() > end:
            message = f"this did not come true in {_seconds_max:g} s: {promise}"
            raise ViolationError(message)
        await asyncio.sleep(_look_seconds)


async def next_decision(history: History) -> None:
    """Wait until a request is decided that goes out from now on."""
    before, now = len(history.sent), time.monotonic()
    await until(lambda: any(one.began >= now for one in history.sent[before:]), "some request is decided")
