"""What waits: requests before the database's door, of which none is lost or done twice, and jobs, each done once."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from app.kernel import jobs
from app.kernel.errors import Refused, Unavailable
from app.kernel.jobs import LeaseLostError, NewJob
from app.kernel.submission import Outcome
from tests.kernel.grounds import open_communities
from tests.kernel.test_coalesce import Door
from tests.redemptions.acts import rich
from tests.soak.grounds import counters, in_worlds, opened, rounds
from tests.soak.parts import BOTH, Part, Plan
from tests.soak.promises import answered, books_agree, kept, outcome, same
from tests.soak.waiting import in_time

if TYPE_CHECKING:
    from random import Random

    from app.kernel.database import Database
    from tests.bank import Bank, TestClock

_length_max = 5


async def _of_many_each_is_done_once(database: Database, chance: Random, community: int) -> None:
    """Send what the database refuses, who was withdrawn, and repeats, among others: each gets what is its own."""
    door = Door(database)
    texts = [f"item-{number}" for number in range(chance.randint(10, 30))]
    sent = [(text, "desk") for text in [*texts, *chance.sample(texts, 3), "poison"]] + [("gone", "gone")]
    chance.shuffle(sent)
    sending = [door.send(community, text, caller=caller) for text, caller in sent]
    outcomes = await in_time("requests that waited together", asyncio.gather(*sending, return_exceptions=True))
    for (text, _), found in zip(sent, outcomes, strict=True):
        wanted = {"poison": ValueError, "gone": Refused}.get(text, Outcome)
        kept(f"what becomes of {text}", holds=isinstance(found, wanted), found=found)
        if isinstance(found, Outcome):
            same("whose answer it is", found.answer.body, text.encode())
    same("what took place", sorted(await door.happened(community)), sorted(texts))


async def _the_queue_has_an_end(database: Database, chance: Random, community: int) -> None:
    door = Door(database, length_max=_length_max)
    opening = asyncio.create_task(door.send(community, "opening"))
    await asyncio.sleep(0)
    more = chance.randint(1, 10)
    waiting = [door.send(community, f"item-{number}") for number in range(_length_max + more)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await opening
    turned_away = [one for one in outcomes if isinstance(one, Unavailable)]
    same("how many were turned away", len(turned_away), more)
    same("what took place", len(await door.happened(community)), 1 + _length_max)


async def _a_job_is_claimed_by_one(database: Database, chance: Random, community: int, clock: TestClock) -> None:
    number = chance.randint(1, 5)
    async with database.write(community) as session:
        now = session.now(community)
        await jobs.enqueue(session, [NewJob(community, "work", now, {"n": one}) for one in range(number)])

    async def claim() -> list[jobs.Claimed]:
        async with database.write(community) as session:
            return await jobs.claim(session, community)

    async def finish(claimed: list[jobs.Claimed]) -> bool:
        try:
            async with database.write(community) as session:
                await jobs.finish(session, claimed)
        except LeaseLostError:
            return False
        return True

    claims = await asyncio.gather(claim(), claim())
    same("the jobs of two who claim at once", sorted(len(one) for one in claims), [0, number])
    slow = max(claims, key=len)
    clock.move(seconds=jobs.lease.total_seconds() + 1)
    again = []
    while one_more := await claim():
        again += one_more
        kept("who has the lease ends the job", holds=await finish(one_more))
    same("the jobs whose lease ran out", {one.job_id for one in again}, {one.job_id for one in slow})
    kept("who lost the lease ends nothing", holds=not await finish(slow))


async def _who_is_turned_away_is_told_when_to_come_again(bank: Bank, chance: Random) -> None:
    """Send more than may wait: some are served, the others get 503 with `Retry-After` and come again with their key."""
    volunteer = await rich(bank, 1)
    record = [
        bank.record(volunteer["id"], start=f"2025-11-{day}T09:00", minutes=10)
        for day in chance.sample(range(10, 30), 16)
    ]
    keys = [f"rush-{number}-{chance.random()}" for number in range(len(record))]
    sending = [bank.desk.post("service-records", one, key=key) for one, key in zip(record, keys, strict=True)]
    answers = await asyncio.gather(*sending)
    turned_away = [place for place, answer in enumerate(answers) if outcome(answer) == "unavailable"]
    same("who was not turned away", {outcome(one) for one in answers} - {"unavailable"}, {"201"})
    kept("more came than may wait", holds=0 < len(turned_away) < len(answers), found=len(turned_away))
    for place in turned_away:
        seconds = answers[place].headers.get("retry-after", "")
        kept("a 503 says when to come again", holds=seconds.isdigit() and 1 <= int(seconds) <= 60, found=seconds)
        again = await bank.desk.post("service-records", record[place], key=keys[place])
        answered("who comes again", again, "201")
    await books_agree(bank.database, bank.number)


async def _world(plan: Plan) -> None:
    await _rush(plan)
    async with opened(plan.engine) as (database, _, clock):
        for community, _ in zip(itertools.count(0, 3), rounds(plan), strict=False):
            await open_communities(database, *range(community + 1, community + 4))
            await _of_many_each_is_done_once(database, plan.random, community + 1)
            await _the_queue_has_an_end(database, plan.random, community + 2)
            await _a_job_is_claimed_by_one(database, plan.random, community + 3, clock)
            plan.count("queues", 3)


async def _rush(plan: Plan) -> None:
    async with counters(plan.engine, queue_length_max=_length_max) as (counting, _):
        await _who_is_turned_away_is_told_when_to_come_again(counting.bank, plan.random)
        plan.count("rushes")


def run(plan: Plan) -> None:
    """Let many wait."""
    in_worlds(plan, _world)


PART = Part("queues", BOTH, run, targets={"queues": 3_000}, core_seconds=2, smoke_seconds=2)
