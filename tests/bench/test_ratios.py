"""Blunders in speed: a tenth of what `dev.py bench` asks for, so that only a query a row or its like fails here."""

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
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    import httpx

    from app.settings import Settings
    from tests.bank import Bank

CLIENTS = 32
ROUNDS = 6


async def per_second(send: Callable[[int], Awaitable[httpx.Response]], status: int) -> float:
    """Answers a second to clients that each send one request after the other."""

    async def client(number: int) -> None:
        for turn in range(ROUNDS):
            done(await send(turn * CLIENTS + number), status)

    began = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return CLIENTS * ROUNDS / (time.perf_counter() - began)


async def opened(bank: Bank, settings: Settings, folder: Path) -> World:
    """A community that trusts its recorders, with ten volunteers."""
    await bank.open_community(verification="recorder")
    await bank.kind()
    people: list[Any] = [await bank.volunteer() for _ in range(10)]
    volunteers = [person["id"] for person in people]
    return World(settings, [Target(bank.number, bank.desk.base, bank.desk.token, volunteers)], folder)


def days(world: World, bank: Bank) -> Callable[[int], Awaitable[httpx.Response]]:
    """Deposits of ten volunteers, an hour on each day."""
    volunteers = world.targets[0].volunteers

    def send(number: int) -> Awaitable[httpx.Response]:
        day = f"2025-{number // 10 // 28 + 2:02}-{number // 10 % 28 + 1:02}T09:00"
        return bank.desk.post("service-records", bank.record(volunteers[number % 10], start=day, minutes=60))

    return send


def function_calls(settings: Settings, community: int, places: Iterable[int]) -> float:
    """Deposits a second of the function that the bench calls, one after the other."""
    count = 0
    began = time.perf_counter()
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        for place in places:
            connection.execute(b"SELECT bench_deposit(%s, %s)", (community, place))
            count += 1
    return count / (time.perf_counter() - began)


async def test_deposits_reach_a_tenth_of_their_goal(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    world = await opened(bank, settings, tmp_path)
    through_http = await per_second(days(world, bank), 201)
    if settings.on_sqlite:
        alone, goal = peers.sqlite_loop(world, 1.0), 2.0
    else:
        peers.create_function(world)
        alone, goal = function_calls(settings, bank.number, (1 + n % 10 for n in range(200))), 1.0
    assert through_http / alone >= goal / 10


async def test_reads_reach_a_tenth_of_their_goal(bank: Bank, settings: Settings, tmp_path: Path) -> None:
    world = await opened(bank, settings, tmp_path)
    await per_second(days(world, bank), 201)
    volunteers = world.targets[0].volunteers
    balances = await per_second(lambda n: bank.desk.get(f"volunteers/{volunteers[n % 10]}/balance"), 200)
    statements = await per_second(lambda n: bank.desk.get(f"volunteers/{volunteers[n % 10]}/statement"), 200)
    async with AsyncClient(transport=ASGITransport(empty_app), base_url="http://bank.test") as client:
        empty = await per_second(lambda _: client.get("/"), 200)
    assert balances / empty >= 0.075
    assert statements / empty >= 0.03
