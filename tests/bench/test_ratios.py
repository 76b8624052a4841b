"""Blunders in speed: a tenth of what `dev.py bench` asks for, so that only a query a row or its like fails here.

The best of a few pairs counts: a blunder is in each of them, and what else the machine is doing is not.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import psycopg
from httpx import ASGITransport, AsyncClient

from tests.bank import done
from tests.bench import peers
from tests.bench.empty import app as empty_app
from tests.bench.world import Target, World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import httpx

    from app.settings import Settings
    from tests.bank import Bank

CLIENTS = 32
ROUNDS = 6
PAIRS = 4


async def per_second(send: Callable[[int], Awaitable[httpx.Response]], status: int) -> float:
    """Answers a second to clients that each send one request after the other."""

    async def client(number: int) -> None:
        for turn in range(ROUNDS):
            done(await send(turn * CLIENTS + number), status)

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return CLIENTS * ROUNDS / (time.perf_counter() - began)


async def best_ratio(ours: Callable[[int], Awaitable[float]], peer: Callable[[], Awaitable[float]]) -> float:
    """The best of the pairs, which take turns; `ours` gets the number of the pair."""
    return max([await ours(pair) / await peer() for pair in range(PAIRS)])


async def opened(bank: Bank, settings: Settings, folder: Path) -> World:
    """A community that trusts its recorders, with ten volunteers."""
    await bank.open_community(verification="recorder")
    await bank.kind()
    people: list[Any] = [await bank.volunteer() for _ in range(10)]
    volunteers = [person["id"] for person in people]
    return World(settings, [Target(bank.number, bank.desk.base, bank.desk.token, volunteers)], folder)


def deposits(world: World, bank: Bank) -> Callable[[int], Awaitable[float]]:
    """Deposits a second of ten volunteers, an hour on each day and other days in each pair."""
    volunteers = world.targets[0].volunteers

    async def measure(pair: int) -> float:
        def send(number: int) -> Awaitable[httpx.Response]:
            service = pair * CLIENTS * ROUNDS + number
            day = f"2025-{service // 10 // 28 + 2:02}-{service // 10 % 28 + 1:02}T09:00"
            return bank.desk.post("service-records", bank.record(volunteers[service % 10], start=day, minutes=60))

        return await per_second(send, 201)

    return measure


def function_calls(settings: Settings, community: int) -> float:
    """Deposits a second of the function that the bench calls, one after the other."""
    count = 200
    began = time.perf_counter()
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for place in range(count):
            connection.execute(b"SELECT bench_deposit(%s, %s)", (community, 1 + place % 10))
    return count / (time.perf_counter() - began)


async def test_deposits_reach_a_tenth_of_their_goal(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    world = await opened(bank, settings, tmp_path)
    if not settings.on_sqlite:
        peers.create_function(world)

    async def alone() -> float:
        if settings.on_sqlite:
            return peers.sqlite_loop(world, 0.5)
        return function_calls(settings, bank.number)

    goal = 2.0 if settings.on_sqlite else 1.0
    assert await best_ratio(deposits(world, bank), alone) >= goal / 10


async def test_reads_reach_a_tenth_of_their_goal(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    world = await opened(bank, settings, tmp_path)
    await deposits(world, bank)(0)
    volunteers = world.targets[0].volunteers

    def reads(what: str) -> Callable[[int], Awaitable[float]]:
        return lambda _: per_second(lambda n: bank.desk.get(f"volunteers/{volunteers[n % 10]}/{what}"), 200)

    async with AsyncClient(transport=ASGITransport(empty_app), base_url="http://bank.test") as client:

        async def empty() -> float:
            return await per_second(lambda _: client.get("/"), 200)

        assert await best_ratio(reads("balance"), empty) >= 0.075
        assert await best_ratio(reads("statement"), empty) >= 0.03
