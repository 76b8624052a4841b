"""A database that takes connections and then does not answer: 503 in time, and service again when it does."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from app.main import create_app
from tests.bank import Bank, refused
from tests.contract.wire import Wire

if TYPE_CHECKING:
    from app.settings import Settings
    from tests.bank import TestClock

pytestmark = [pytest.mark.deadlines, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]


async def test_requests_that_wait_for_a_locked_head_are_told_to_come_back_and_hold_up_nobody_else(
    settings: Settings, clock: TestClock
) -> None:
    async with Bank(create_app(settings, clock=clock), clock) as bank:
        volunteer = await bank.volunteer()
        with psycopg.connect(settings.database_url) as other:
            other.execute(f"SELECT FROM ledger_heads WHERE community_id = {bank.number} FOR UPDATE".encode())
            kinds = [
                bank.manager.post("service-kinds", {"code": f"kind-{number}", "name": "x"}) for number in range(24)
            ]
            began = time.monotonic()
            waiting = asyncio.gather(*kinds)
            await asyncio.sleep(0.2)
            await bank.balance(volunteer["id"])
            assert time.monotonic() - began < 1
            for answer in await waiting:
                refused(answer, "unavailable")
                assert answer.headers["retry-after"] == "1"
            assert time.monotonic() - began < 3
        await bank.kind()
        await bank.database.close()


async def test_a_server_that_stops_answering_gets_503_within_three_seconds(
    settings: Settings, clock: TestClock
) -> None:
    """The wire is held, so that not even a rollback comes back."""
    async with Wire(settings) as wire:
        app = create_app(wire.settings, clock=clock)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bank.test") as client:
            assert (await client.get("/readyz")).status_code == 200
            wire.hold()
            began = time.monotonic()
            answers = await asyncio.gather(*(client.get("/readyz") for _ in range(3)))
            assert time.monotonic() - began < 3
            assert [answer.status_code for answer in answers] == [503] * 3
            assert (await client.get("/livez")).status_code == 200
            wire.release()
            back = time.monotonic()
            while (await client.get("/readyz")).status_code != 200:
                assert time.monotonic() - back < 2
        await app.state.context.database.close()
