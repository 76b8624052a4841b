"""The service in this process, over a new database of an engine, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import httpx

from app.http import patience
from app.kernel import database as kernel_database
from app.main import create_app, open_database
from tests.bank import Bank, TestClock
from tests.bench.world import migrated
from tests.conftest import UNHURRIED_SECONDS
from tests.races.conftest import Counters
from tests.soak.rounds import again_and_again
from tests.soak.waiting import waiting_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from fastapi import FastAPI

    from app.kernel.database import Database
    from app.settings import Settings
    from tests.soak.parts import Plan

# Before its tokens run out, and before its clock, which some rules move by days, leaves the calendars that are known.
_world_seconds_max = 60.0


def in_worlds(plan: Plan, world: Callable[[Plan], Coroutine[Any, Any, None]]) -> None:
    """Make one world after the other, until the time is up."""
    with waiting_for(plan):
        again_and_again(plan, lambda plan: asyncio.run(world(plan)))


def rounds(plan: Plan) -> Iterator[None]:
    """Go round in a world: once at least, until the time is up or the world is old."""
    until = time.monotonic() + _world_seconds_max
    while True:
        yield
        if plan.over() or time.monotonic() >= until:
            return


@contextmanager
def unhurried() -> Iterator[None]:
    """Give answers all the time they need: what is looked at is what they say, and machines stand still for seconds."""
    with (
        patch.object(kernel_database, "_wait_seconds", UNHURRIED_SECONDS),
        patch.object(patience, "answer_seconds_max", UNHURRIED_SECONDS),
    ):
        yield


@asynccontextmanager
async def opened(engine: str, **settings: Any) -> AsyncIterator[tuple[Database, Settings, TestClock]]:
    """A database alone, for what is below HTTP."""
    with migrated(engine) as (plain, _), unhurried():
        made = plain.model_copy(update=settings)
        clock = TestClock()
        database = open_database(made, clock)
        try:
            yield database, made, clock
        finally:
            await database.close()


@asynccontextmanager
async def counters(engine: str, *, instances: int = 1, **settings: Any) -> AsyncIterator[tuple[Counters, Settings]]:
    """A bank whose requests go to so many instances of the app over one database, as processes would share it."""
    with migrated(engine) as (plain, _), unhurried():
        made = plain.model_copy(update=settings)
        clock = TestClock()
        apps = [create_app(made, clock=clock) for _ in range(instances)]
        bank = Bank(apps[0], clock)
        bank.http = reached(apps[0])
        clients = [bank.http, *(reached(app) for app in apps[1:])]
        databases = [app.state.context.database for app in apps]
        try:
            async with bank:
                yield Counters(bank, databases, clients), made
        finally:
            for client in clients:
                await client.aclose()
            for database in databases:
                await database.close()


def reached(app: FastAPI) -> httpx.AsyncClient:
    """An HTTP client of an app in this process, which gets a 500 where its server would send one."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bank.test")
