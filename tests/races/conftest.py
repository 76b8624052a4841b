"""A bank whose requests are dealt out: on PostgreSQL to two instances of the app, as two processes would compete.

On SQLite one instance has the file; the requests compete for its one writer. (PostgreSQL with one instance has its
share of meeting requests in `tests/journeys/test_hammer.py`.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from app.main import create_app
from tests.bank import Api, Bank, TestClock
from tests.hours.sharing import database_url, own_database, shared_postgresql

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Database
    from app.settings import Settings


__all__ = ["Counters", "counters", "database_url", "own_database", "shared_postgresql"]


class Counters:
    """A bank with one or more instances of its app; requests are dealt out to them in turn."""

    def __init__(self, bank: Bank, databases: list[Database], clients: list[httpx.AsyncClient]) -> None:
        self.bank, self.databases, self._clients = bank, databases, clients

    def api(self, role: str, number: int) -> Api:
        """A role's view of the API, through the instance whose turn it is."""
        one = self.bank.roles[role]
        return Api(self._clients[number % len(self._clients)], one.token, one.client_id, one.base)

    def desk(self, number: int) -> Api:
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
