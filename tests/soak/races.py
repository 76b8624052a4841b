"""Requests that meet, on one database through several instances of the service: what locks and keys have to protect."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from app import ledger
from app.goods.service import get_goods
from app.kernel.errors import Unavailable
from app.kernel.heads import head_numbers
from app.kernel.paging import Paging
from app.worker import run_due
from tests.hours.acts import record, verify
from tests.races.test_heads import receive
from tests.redemptions.acts import cancel, collect, pieces, points, reserve, rich, status
from tests.soak.grounds import counters, in_worlds, rounds
from tests.soak.parts import BOTH, Part, Plan, ViolationError
from tests.soak.promises import answered, books_agree, kept, outcome, same
from tests.soak.waiting import in_time

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from random import Random

    import httpx

    from app.kernel.database import Session
    from tests.races.conftest import Counters
    from tests.races.test_heads import Shelf

_instances = 3


async def at_once(*requests: Awaitable[httpx.Response]) -> list[httpx.Response]:
    """Send requests together."""
    return list(await in_time(f"{len(requests)} requests that met", asyncio.gather(*requests)))


def ended(what: str, answers: list[httpx.Response], **expected: int) -> None:
    """See how many answers ended how: a status (`_201`), or the code of a problem."""
    wanted = {name.strip("_").replace("_", "-"): number for name, number in expected.items() if number}
    same(what, dict(Counter(outcome(answer) for answer in answers)), wanted)


async def _one_last_piece(counting: Counters, chance: Random) -> None:
    bank, number = counting.bank, chance.randint(6, 12)
    volunteers = [await rich(bank, 40) for _ in range(number)]
    left = chance.randint(1, 3)
    article = await bank.goods(left, price=chance.randint(1, 40))
    answers = await at_once(*(reserve(counting.desk(one), who, (article, 1)) for one, who in enumerate(volunteers)))
    ended("who wanted the last pieces", answers, _201=left, out_of_stock=number - left)
    same("where they are", await pieces(bank, article), (0, left, 0))


async def _points_for_a_few_orders(counting: Counters, chance: Random) -> None:
    bank, number, enough = counting.bank, chance.randint(6, 12), chance.randint(1, 4)
    volunteer, article = await rich(bank, 10 * enough + chance.randint(0, 9)), await bank.goods(100, price=10)
    answers = await at_once(*(reserve(counting.desk(one), volunteer, (article, 1)) for one in range(number)))
    ended("orders that met", answers, _201=enough, insufficient_points=number - enough)
    same("what is held", (await points(bank, volunteer))[1], 10 * enough)


async def _a_limit(counting: Counters, chance: Random) -> None:
    bank, number, limit = counting.bank, chance.randint(6, 12), chance.randint(1, 4)
    volunteer, article = await rich(bank, 100), await bank.goods(100, 1, limit_per_person=limit)
    answers = await at_once(*(reserve(counting.desk(one), volunteer, (article, 1)) for one in range(number)))
    ended("orders of what is limited", answers, _201=limit, limit_reached=number - limit)


async def _records_that_overlap(counting: Counters, chance: Random) -> None:
    bank, number = counting.bank, chance.randint(6, 12)
    volunteer = await bank.volunteer()
    start = dt.datetime(2026, 2, chance.randint(1, 27), 9)  # noqa: DTZ001  the bank's records begin at local times
    bodies = [
        bank.record(volunteer["id"], start=(start + dt.timedelta(minutes=one)).isoformat()) for one in range(number)
    ]
    answers = await at_once(*(counting.desk(one).post("service-records", body) for one, body in enumerate(bodies)))
    ended("records that overlap", answers, _201=1, overlapping_service=number - 1)
    (winner,) = [answer.json()["id"] for answer in answers if answer.is_success]
    named = {answer.json()["service_record_id"] for answer in answers if answer.is_error}
    same("the record that stands there", named, {winner})


async def _a_key_sent_many_times(counting: Counters, chance: Random) -> None:
    """Under one key two bodies are sent, each many times: one of them is carried out once."""
    bank, number = counting.bank, chance.randint(4, 10)
    volunteer, article = await rich(bank, 100), await bank.goods(100, 1)
    line = {"goods_id": article["id"], "quantity": 1}
    bodies = [{"volunteer_id": volunteer["id"], "lines": [{**line, "quantity": 1 + one}]} for one in range(2)]
    sent = [bodies[one % 2] for one in range(2 * number)]
    chance.shuffle(sent)
    key = f"till-{chance.random()}"
    answers = await at_once(
        *(counting.desk(one).post("redemptions", body, key=key) for one, body in enumerate(sent)),
    )
    ended("a key with two bodies", answers, _201=number, idempotency_key_reused=number)
    made = {answer.content for answer in answers if answer.is_success}
    kept("one key has one answer", holds=len(made) == 1, found=made)
    firsts = [answer for answer in answers if answer.is_success and "idempotency-replayed" not in answer.headers]
    same("how many of them were no repeats", len(firsts), 1)
    same("what is held", (await points(bank, volunteer))[1], firsts[0].json()["points"])


async def _a_record_decided_at_once(counting: Counters, chance: Random) -> None:
    bank = counting.bank
    volunteer = await bank.volunteer()
    pending = await record(bank, volunteer, minutes=60, start="2026-02-01T09:00")
    words = [("verifier", "approve"), ("manager", "reject"), ("manager", "approve")] * 3
    chance.shuffle(words)
    answers = await at_once(
        *(verify(counting.api(role, one), pending, word) for one, (role, word) in enumerate(words)),
    )
    ended("decisions that met", answers, _200=1, already_verified=len(words) - 1)
    (won,) = [answer.json()["status"] for answer in answers if answer.is_success]
    same("what was earned", (await points(bank, volunteer))[0], 60 if won == "approved" else 0)


async def _the_cap_of_a_day(counting: Counters, chance: Random) -> None:
    bank, cap = counting.bank, chance.randint(30, 100)
    rule = {"service_kind": "capped", "points_per_hour": 60, "effective_from": "2025-01-01"}
    answered("a kind", await bank.manager.post("service-kinds", {"code": "capped", "name": "x"}), "201")
    answered("a cap", await bank.manager.post("earning-rules", {**rule, "minutes_per_day_max": cap}), "201")
    volunteer = await bank.volunteer()
    fields: dict[str, Any] = {"minutes": 30, "service_kind": "capped"}
    pending = [await record(bank, volunteer, start=f"2026-02-02T{hour:02}:00", **fields) for hour in range(6)]
    answers = await at_once(*(verify(counting.api("verifier", one), made) for one, made in enumerate(pending)))
    ended("approvals of a day", answers, _200=len(pending))
    same("what counted", sum(answer.json()["award"]["minutes_counted"] for answer in answers), cap)
    same("what was earned", (await points(bank, volunteer))[0], cap)


async def _a_correction_that_meets_itself(counting: Counters, chance: Random) -> None:
    bank, number = counting.bank, chance.randint(4, 8)
    volunteer, article = await bank.volunteer(), await bank.goods(10, 60)
    wrong = await bank.hours(volunteer["id"], minutes=60, start="2026-02-03T09:00")
    path, body = f"service-records/{wrong['id']}/correction", {"reason": "记错了"}
    answers = await at_once(
        reserve(counting.desk(0), volunteer, (article, 1)),
        *(counting.api("manager", one).post(path, body) for one in range(number)),
    )
    spent = answers[0].is_success
    ended("corrections that met", answers[1:], _200=1, already_reversed=number - 1)
    balance = await bank.balance(volunteer["id"])
    found = balance["minutes"], balance["points"], balance["points_owed"]
    same("what is left", found, (0, 0, -60 if spent else 0))


async def _collected_or_cancelled(counting: Counters, chance: Random) -> None:
    bank, number = counting.bank, chance.randint(3, 6)
    volunteer, article = await rich(bank, 30), await bank.goods(1, 30)
    made = answered("the piece", await reserve(bank.desk, volunteer, (article, 1)), "201")
    acts: list[Any] = [collect, cancel] * number
    chance.shuffle(acts)
    answers = await at_once(*(act(counting.desk(one), made) for one, act in enumerate(acts)))
    ended("collections and cancellations", answers, _200=1, redemption_not_open=2 * number - 1)
    collected = await status(bank, made) == "collected"
    found = await points(bank, volunteer), await pieces(bank, article)
    same("what is left", found, ((0, 0), (0, 0, 1)) if collected else ((30, 0), (1, 0, 0)))
    if collected:
        path = f"redemptions/{made['id']}/return"
        answers = await at_once(*(counting.desk(one).post(path, {"reason": "x"}) for one in range(number)))
        ended("returns that met", answers, _200=1, redemption_not_collected=number - 1)


async def _gifts_both_ways(counting: Counters, chance: Random) -> None:
    bank = counting.bank
    pair = [await rich(bank, 50) for _ in range(2)]
    bodies = []
    for _ in range(chance.randint(8, 16)):
        chance.shuffle(pair)
        bodies.append({"from_volunteer_id": pair[0]["id"], "to_volunteer_id": pair[1]["id"], "points": 1})
    answers = await at_once(*(counting.desk(one).post("transfers", body) for one, body in enumerate(bodies)))
    ended("gifts both ways", answers, _201=len(bodies))
    same("what both have together", sum([(await points(bank, who))[0] for who in pair]), 100)


async def _workers_that_meet(counting: Counters, chance: Random) -> None:
    bank, number, hours = counting.bank, chance.randint(3, 8), chance.randint(1, 48)
    await bank.open_community(redemption_hold_hours=hours)
    volunteer, article = await rich(bank, 20), await bank.goods(20, 1)
    held = [answered("a piece", await reserve(bank.desk, volunteer, (article, 1)), "201") for _ in range(number)]
    settings = bank.app.state.context.settings
    # What is due in the communities of races before is done by one of them: there are ever more of these.
    bank.clock.move(hours=hours, seconds=-1)
    await in_time("a worker", run_due(counting.databases[0], settings))
    bank.clock.move(seconds=1)
    working = (run_due(database, settings) for database in counting.databases * 2)
    await in_time("workers that met", asyncio.gather(*working))
    same("what became of the holds", {await status(bank, one) for one in held}, {"lapsed"})
    same("what is free again", await points(bank, volunteer), (20, 0))


async def _moves_between_communities(counting: Counters, chance: Random) -> None:
    """Post in two communities at once, named in either order: nobody waits in a circle, and nobody is turned away."""
    bank = counting.bank
    first: Shelf = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    await bank.open_community()
    second: Shelf = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    orders = [[first, second], [second, first]] * chance.randint(6, 10)
    databases = [chance.choice(counting.databases) for _ in orders]
    try:
        await asyncio.gather(*(receive(database, *order) for database, order in zip(databases, orders, strict=True)))
    except (Unavailable, DBAPIError) as error:
        message = f"transactions over two communities were in each other's way: {error} {error.__cause__}"
        raise ViolationError(message) from error
    for community, goods_id in (first, second):
        async with bank.database.read(community) as session:
            _, stock = await get_goods(session, community, goods_id)
        same("the pieces of a community", stock.shelf, len(orders))
        await books_agree(bank.database, community)


async def _two_communities_in_either_order(counting: Counters, chance: Random) -> None:
    """Let one wait for a head that others hold, and another who names the two the other way round: no circle."""
    bank = counting.bank
    if bank.database.dialect == "sqlite":
        return
    first: Shelf = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    await bank.open_community()
    second: Shelf = (bank.number, UUID((await bank.goods(pieces=0))["id"]))
    order = chance.sample([first, second], 2)
    url = bank.app.state.context.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as holding:
        await holding.execute(f"SELECT FROM ledger_heads WHERE community_id = {order[0][0]} FOR UPDATE".encode())
        waiting = []
        for number, named in enumerate((order, order[::-1])):
            waiting.append(asyncio.create_task(receive(counting.databases[number], *named)))
            await in_time("waiting for a head", _until_they_wait(url, number + 1))
    moving = asyncio.gather(*waiting, return_exceptions=True)
    for ended_so in await in_time("moves in either order", moving):
        kept("who posts in two communities waits in no circle", holds=ended_so is None, found=_cause(ended_so))


def _cause(error: object) -> str:
    return f"{error} {error.__cause__}" if isinstance(error, BaseException) else ""


async def _until_they_wait(url: str, number: int) -> None:
    """Wait until so many transactions of a PostgreSQL database wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as looking:
        while True:
            found = await (await looking.execute(waiting)).fetchone()
            if found is not None and found[0] >= number:
                return
            await asyncio.sleep(0.01)


async def _a_reader_has_one_picture(counting: Counters, chance: Random) -> None:
    """Look twice in one transaction, while others post between the two."""
    bank = counting.bank
    volunteer = await rich(bank, 60)
    gift = {"from_volunteer_id": volunteer["id"], "to_pool": True, "points": chance.randint(1, 9)}
    async with counting.databases[-1].read(bank.number) as session:
        before = await _picture(session, bank.number)
        answered("a gift beside a reader", await counting.desk(0).post("transfers", gift), "201")
        same("what a reader sees", await _picture(session, bank.number), before)


async def _picture(session: Session, community: int) -> object:
    accounts = await ledger.accounts(session, community, Paging(limit=200))
    return await head_numbers(session, community), [tuple(row.values()) for row in accounts]


async def _an_audit_while_others_post(counting: Counters, chance: Random) -> None:
    """Audit from one unchanging picture, whatever is posted meanwhile."""
    bank = counting.bank
    volunteers = [await rich(bank, 30) for _ in range(3)]
    bodies = [{"from_volunteer_id": chance.choice(volunteers)["id"], "to_pool": True, "points": 1} for _ in range(20)]
    posting = asyncio.gather(*(counting.desk(one).post("transfers", body) for one, body in enumerate(bodies)))
    while not posting.done():
        await books_agree(counting.databases[-1], bank.number)
    ended("gifts beside an audit", await posting, _201=len(bodies))


_races: list[Any] = [
    _one_last_piece,
    _points_for_a_few_orders,
    _a_limit,
    _records_that_overlap,
    _a_key_sent_many_times,
    _a_record_decided_at_once,
    _the_cap_of_a_day,
    _a_correction_that_meets_itself,
    _collected_or_cancelled,
    _gifts_both_ways,
    _workers_that_meet,
    _moves_between_communities,
    _two_communities_in_either_order,
    _a_reader_has_one_picture,
    _an_audit_while_others_post,
]


async def _world(plan: Plan) -> None:
    async with counters(plan.engine, instances=_instances) as (counting, _):
        bank, races = counting.bank, list(_races)
        for _ in rounds(plan):
            plan.random.shuffle(races)
            for race in races:
                await bank.open_community()
                await bank.kind(points_per_hour=60)
                await race(counting, plan.random)
                await books_agree(bank.database, bank.number)
                plan.count("races")


def run(plan: Plan) -> None:
    """Let requests meet, in every way."""
    in_worlds(plan, _world)


PART = Part("races", BOTH, run, targets={"races": 10_000}, core_seconds=2, smoke_seconds=4)
