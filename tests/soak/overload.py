"""Five times as many callers as make the most of the service: it gets as much done, and tells the others to wait.

The callers write and read HTTP by themselves, for a whole client would be slower than the service.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from tests.bank import record_body
from tests.soak.clients import ANSWER_SECONDS_MAX
from tests.soak.history import DONE, Act, History
from tests.soak.judge import judge
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.world import Service, new_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.soak.world import Town, World

CALLERS = (16, 32, 64)
"""Of so many the best number is found first."""

TIMES = 5
SHARE_MIN = 0.8
"""How much of what the service does at its best it does under five times that load, in the best of a few rounds: the
machine may do something else in one of them."""

P99_SECONDS_MAX = ANSWER_SECONDS_MAX
"""For who is let in. Whatever waits for longer than 2.3 seconds is told to come again, so nothing accepted can."""

_queue_length_max = max(CALLERS)
"""As many as are let in to find the best, and less than come in an overload."""

_rounds_usual, _rounds_max = 2, 6
_flood_seconds_max = 5.0
_first_day = dt.datetime(2025, 1, 2, 6)  # noqa: DTZ001  local, as `record_body` takes it
_minutes_of_day = 14 * 60
_retry_after = re.compile(rb"retry-after: (\d+)", re.IGNORECASE)
_length = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Flood:
    """What came of some seconds: the times of those who were let in, and how many were told to wait."""

    accepted: list[float] = field(default_factory=list)
    in_time: int = 0
    put_off: int = 0
    seconds: float = 0.0

    @property
    def goodput(self) -> float:
        """Accepted requests a second."""
        return self.in_time / self.seconds

    @property
    def p99(self) -> float:
        """The time within which all but one in a hundred of the accepted were answered."""
        return sorted(self.accepted)[len(self.accepted) * 99 // 100]


class Callers:
    """Makes records, each at a minute of its own, and notes their fates."""

    def __init__(self, world: World, service: Service, random: Random) -> None:
        """Take the communities that trust their recorders."""
        self.history = History()
        self._port = service.port
        self._random = random
        self._requests = itertools.cycle([self._of(town) for town in world.towns if town.trusting])

    async def flood(self, count: int, seconds: float) -> Flood:
        """Have so many callers send one request after the other."""
        lines = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(count)]
        flood, began = Flood(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for line in lines:
                group.create_task(self._call(flood, *line, until=began + seconds))
        flood.seconds = seconds
        for _, writer in lines:
            writer.close()
            await writer.wait_closed()
        return flood

    def _of(self, town: Town) -> Iterator[tuple[Act, bytes]]:
        for number in itertools.count():
            day, minute = divmod(number // len(town.volunteers), _minutes_of_day)
            start = _first_day + dt.timedelta(days=day, minutes=minute)
            act = Act(town.number, "record", self.history.new_mark(), 1, time.monotonic())
            volunteer_id = town.volunteers[number % len(town.volunteers)]
            body = record_body(volunteer_id, start=start.isoformat(), minutes=1, activity_name=act.mark)
            content = orjson.dumps(body)
            head = (
                f"POST {town.path}/service-records HTTP/1.1\r\nHost: bank.test\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {town.tokens['front_desk']}\r\nIdempotency-Key: {uuid4().hex}\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            )
            yield act, head.encode() + content

    async def _call(
        self, flood: Flood, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, until: float
    ) -> None:
        while time.monotonic() < until:
            act, request = next(next(self._requests))
            self.history.acts.append(act)
            began = act.began = time.monotonic()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _length.search(head)
            content = await reader.readexactly(int(length[1])) if length else b""
            status = int(head.split(b" ", 2)[1])
            if status == 201:
                act.fate, act.ended, act.posted = DONE, time.monotonic(), True
                # What ends later was got done later.
                flood.in_time += act.ended < until
                flood.accepted.append(act.ended - began)
            elif status in {429, 503} and (told := _retry_after.search(head)):
                flood.put_off += 1
                # As long as was told and, as callers are not all the same, up to twice that.
                wait = int(told[1]) * self._random.uniform(1.0, 2.0)
                await asyncio.sleep(min(wait, max(0.0, until - time.monotonic())))
            else:
                message = f"{head!r} {content!r}"
                raise ViolationError(message)


def run(plan: Plan) -> None:
    """Find how many callers make the most of the service, and then let five times as many come."""
    with (
        new_world(plan.engine) as world,
        Service(world, LOVEBANK_QUEUE_LENGTH_MAX=str(_queue_length_max)) as service,
    ):
        asyncio.run(service.ready())
        asyncio.run(_overload(plan, world, service))


async def _overload(plan: Plan, world: World, service: Service) -> None:
    callers = Callers(world, service, plan.random)
    seconds = min(plan.seconds / (len(CALLERS) + 2 * _rounds_usual), _flood_seconds_max)
    alone = {count: (await callers.flood(count, seconds)).goodput for count in CALLERS}
    best = max(alone, key=lambda count: alone[count])
    shares: list[float] = []
    while len(shares) < _rounds_max and not (shares and max(shares) >= SHARE_MIN):
        # Beside each other, for the machine may be faster at one time than at another.
        peak = (await callers.flood(best, seconds)).goodput
        over = await callers.flood(best * TIMES, seconds)
        shares.append(over.goodput / peak)
        plan.count("accepted", len(over.accepted))
        plan.count("put off", over.put_off)
        plan.took("p99", over.p99, most=P99_SECONDS_MAX)
    await judge(world, callers.history)
    plan.count("% of the peak", round(max(shares) * 100))
    if max(shares) < SHARE_MIN:
        message = f"of what {best} callers get done, {best * TIMES} get {[f'{share:.0%}' for share in shares]}"
        raise ViolationError(message)
    if not plan.counts["put off"]:
        message = f"nobody of {best * TIMES} callers was put off: that was no overload"
        raise ViolationError(message)


PART = Part("overload", BOTH, run, core_seconds=0, smoke_seconds=12)
