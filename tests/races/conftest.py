"""A bank whose requests are dealt out: on PostgreSQL to two instances of the app, as two processes would compete.

On SQLite one instance has the file; the requests compete for its one writer. (PostgreSQL with one instance has its
share of meeting requests in `tests/journeys/test_hammer.py`.)
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from app.main import create_app
from tests.bank import Api, Bank, TestClock
from tests.hours.sharing import database_url, own_database, shared_postgresql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Database
    from app.settings import Settings


__all__ = ["Counters", "Till", "counters", "database_url", "own_database", "shared_postgresql"]


class Till(Api):
    """A client that sends a request again, under its key, while the answer is that it has to wait, as tills should.

    On a slow machine that happens when many meet; what is tested is who wins, not how long it takes.
    """

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """POST until the request was decided."""
        key = key or uuid4().hex
        async with asyncio.timeout(30):
            while True:
                answer = await super().post(path, body, key=key)
                if answer.json().get("code") not in {"unavailable", "idempotency-key-in-flight"}:
                    return answer
                await asyncio.sleep(0.05)


class Counters:
    """A bank with one or more instances of its app; requests are dealt out to them in turn."""

    def __init__(self, bank: Bank, databases: list[Database], clients: list[httpx.AsyncClient]) -> None:
        self.bank, self.databases, self._clients = bank, databases, clients

    def api(self, role: str, number: int) -> Till:
        """A role's view of the API, through the instance whose turn it is."""
        one = self.bank.roles[role]
        return Till(self._clients[number % len(self._clients)], one.token, one.client_id, one.base)

    def desk(self, number: int) -> Till:
        """The front desk, through the instance whose turn it is."""
        return self.api("front_desk", number)


@pytest.fixture
async def counters(bank: Bank, settings: Settings, clock: TestClock) -> AsyncIterator[Counters]:
    """One instance over SQLite, two over PostgreSQL."""
    databases, clients = [bank.database], [bank.http]
    if not settings.on_sqlite:
        app = create_app(settings, clock=clock)
        databases.append(app.state.context.database)
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank.test"))
    yield Counters(bank, databases, clients)
    for database, client in zip(databases[1:], clients[1:], strict=True):
        await client.aclose()
        await database.close()
