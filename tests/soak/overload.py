"""Five times as much as the service can do, second by second: it gets as much done, and tells the others to wait."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import time
from statistics import median
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from tests.bank import record_body
from tests.soak.clients import ANSWER_SECONDS_MAX
from tests.soak.flood import Faucet
from tests.soak.history import Act, History
from tests.soak.judge import judge
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.soak.flood import Flood
    from tests.soak.world import Town, World

CALLERS = (32, 64, 128)
"""Of so many the best number is found first: with the fewest all are let in, with the most some are put off."""

TIMES, TIMES_MIN = 5, 4
"""How much of its peak the service is asked for, and how much has to have been sent for it to be an overload."""

SHARE_MIN = 0.8
"""How much of what the service does at its peak it does under that load: the middle of each, measured in turn."""

SHARE_MAX = 1.25
"""What does so much more than its peak was not at its peak before, and five times that was no overload."""

P99_SECONDS_MAX = ANSWER_SECONDS_MAX
"""For who is let in. Whatever waits for longer than 2.3 seconds is told to come again, so nothing accepted can."""

_rounds = 4
_lines = 512
_queue_length_max = 64
"""As many as make the service work at its best, and far less than come in an overload."""

_flood_seconds_max = 5.0
_first_day = dt.datetime(2025, 1, 2, 6)  # noqa: DTZ001  local, as `record_body` takes it
_days = 360
"""A record is compared with those of its days: were these filled one by one, each would cost more than the last."""


def _requests(world: World, history: History) -> Iterator[tuple[Act, bytes]]:
    """Records, each at a minute of its own, of the communities that trust their recorders."""
    for of_town in itertools.cycle([_of(town, history) for town in world.towns if town.trusting]):
        yield next(of_town)


def _of(town: Town, history: History) -> Iterator[tuple[Act, bytes]]:
    for number in itertools.count():
        minute, day = divmod(number // len(town.volunteers), _days)
        start = _first_day + dt.timedelta(days=day, minutes=minute)
        volunteer_id = town.volunteers[number % len(town.volunteers)]
        act = Act(town.number, "record", history.new_mark(), 1, time.monotonic(), about={"volunteer": volunteer_id})
        history.acts.append(act)
        body = record_body(volunteer_id, start=start.isoformat(), minutes=1, activity_name=act.mark)
        content = orjson.dumps(body)
        head = (
            f"POST {town.path}/service-records HTTP/1.1\r\nHost: bank.test\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {town.tokens['front_desk']}\r\nIdempotency-Key: {uuid4().hex}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        yield act, head.encode() + content


def run(plan: Plan) -> None:
    """Find how many callers make the most of the service, and then send five times as much."""
    with (
        new_world(plan.engine) as world,
        Service(world, LOVEBANK_QUEUE_LENGTH_MAX=str(_queue_length_max)) as service,
    ):
        asyncio.run(service.ready())
        asyncio.run(_overload(plan, world, service))


async def _overload(plan: Plan, world: World, service: Service) -> None:
    history = History()
    faucet = Faucet(service.port, _requests(world, history))
    seconds = min(plan.seconds / (len(CALLERS) + 2 * _rounds), _flood_seconds_max)
    alone = {count: (await faucet.one_after_the_other(count, seconds)).goodput for count in CALLERS}
    best = max(alone, key=lambda count: alone[count])
    peaks: list[float] = []
    floods: list[Flood] = []
    for _ in range(_rounds):
        # In turn, for the machine may be faster at one time than at another.
        peaks.append((await faucet.one_after_the_other(best, seconds)).goodput)
        rate = TIMES * median([alone[best], *peaks])
        floods.append(await faucet.at_a_rate(rate, seconds, lines=_lines))
    await judge(world, history)
    compare(plan, peaks, floods)


def compare(plan: Plan, peaks: list[float], floods: list[Flood]) -> None:
    """Raise `RuntimeError` unless it was an overload of a true peak, `ViolationError` unless anybody was put off.

    That less was done than promised is noted as too slow: it may have been the machine that did something else.
    """
    peak, goodput = median(peaks), median(flood.goodput for flood in floods)
    plan.count("accepted", sum(len(flood.accepted) for flood in floods))
    plan.count("put off", sum(flood.put_off for flood in floods))
    plan.count("offered", sum(flood.offered for flood in floods))
    plan.count("peak a second", round(peak))
    plan.count("% of the peak", round(goodput / peak * 100))
    times = [flood.offered / flood.seconds / peak for flood in floods]
    told = f"peaks of {[round(one) for one in peaks]} a second, offered {[f'{one:.1f}' for one in times]} times as much"
    done = [round(flood.goodput) for flood in floods]
    if median(times) < TIMES_MIN:
        message = f"no overload: {told}"
        raise RuntimeError(message)
    if goodput > SHARE_MAX * peak:
        message = f"no peak: {told}, got done {done}"
        raise RuntimeError(message)
    if not all(flood.put_off for flood in floods):
        message = f"nobody was put off: {told}"
        raise ViolationError(message)
    if goodput < SHARE_MIN * peak:
        plan.too_slow.append(f"{told}, got done {done}")
    plan.took("p99", max(flood.p99 for flood in floods), most=P99_SECONDS_MAX)


PART = Part("overload", BOTH, run, core_seconds=0, smoke_seconds=20)
