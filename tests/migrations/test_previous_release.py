"""A database that the previous release filled is carried over: nothing is lost, and the new release works with it.

`release_0005.json` holds every row of a small bank as the release with schema 0005 wrote it, and what that release
answered about it. The bank has three volunteers, records in each state, redemptions in each state, and a due job.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from app.access.rules import Caller
from app.kernel.migrating import migrate, sync_engine
from app.kernel.tables import metadata
from app.kernel.types import Instant, LocalDate
from app.main import create_app
from app.reports.service import audit_community
from app.worker import run_due
from tests.bank import Api, TestClock, done

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from app.settings import Settings

RELEASE = json.loads(Path(__file__).with_name("release_0005.json").read_text(encoding="utf-8"))
EXPECTED = RELEASE["expected"]


def loaded(value: Any, column: sa.Column[Any]) -> Any:
    """A value as its column's type takes it."""
    if value is None:
        return sa.null()
    if isinstance(column.type, Instant):
        return datetime.fromisoformat(value)
    if isinstance(column.type, LocalDate):
        return date.fromisoformat(value)
    return value


def fill(settings: Settings) -> None:
    """Put the release's rows into a database that has its schema, each table's at once as the guards want it."""
    engine = sync_engine(settings)
    with engine.begin() as connection:
        tables = list(metadata.sorted_tables)
        if settings.on_sqlite:
            # There a transaction comes after its postings, because its guard counts them at once.
            connection.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
            tables.sort(key=lambda table: table.name == "ledger_transactions")
        for table in tables:
            rows = RELEASE["rows"].get(table.name, [])
            names = {name for row in rows for name in row}
            values = [{name: loaded(row.get(name), table.c[name]) for name in names} for row in rows]
            if table.name == "ledger_heads":
                # The migration made the city's head already.
                (city,) = [head for head in values if head["community_id"] == 0]
                values.remove(city)
                connection.execute(sa.update(table).where(table.c.community_id == 0).values(city))
            if values:
                connection.execute(sa.insert(table).values(values))
    engine.dispose()


@pytest.fixture
async def carried_over(empty: Settings) -> AsyncIterator[FastAPI]:
    """The app of this release over the database of the previous one."""
    assert migrate(empty, "0005") == "0005"
    fill(empty)
    migrate(empty)
    clock = TestClock()
    clock.moment = datetime.fromisoformat(EXPECTED["moment"])
    settings = empty.model_copy(update={"secret_pepper": SecretStr("a pepper for tests that is long enough")})
    app = create_app(settings, clock=clock)
    yield app
    await app.state.context.database.close()


def api_of(app: FastAPI, http: httpx.AsyncClient, role: str, caller: str | None = None) -> Api:
    """The view of a client that the release knew."""
    number, community_id = EXPECTED["number"], UUID(EXPECTED["community_id"])
    known = [row["client_id"] for row in RELEASE["rows"]["clients"] if row["role"] == role and row["community_id"]]
    client = caller or known[0]
    token = app.state.tokens.issue(Caller(client, role, number, community_id))
    return Api(http, token, client, f"/v1/communities/{community_id}")


async def test_a_bank_of_the_previous_release_is_carried_over_and_goes_on(carried_over: FastAPI) -> None:
    transport = httpx.ASGITransport(carried_over)
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as http:
        desk, manager = api_of(carried_over, http, "front_desk"), api_of(carried_over, http, "manager")
        for volunteer_id, balance in EXPECTED["balances"].items():
            assert done(await desk.get(f"volunteers/{volunteer_id}/balance"), 200) == balance
            statement = done(await desk.get(f"volunteers/{volunteer_id}/statement"), 200)["items"]
            assert statement == EXPECTED["statements"][volunteer_id]
        await assert_nothing_is_wrong(carried_over)
        await assert_old_keys_and_secrets_work(carried_over, http)
        await assert_open_things_can_be_finished(desk, manager)
        # The job that was due lets the oldest reservation lapse.
        assert await run_due(carried_over.state.context.database, carried_over.state.context.settings)
        await assert_nothing_is_wrong(carried_over)


async def assert_nothing_is_wrong(app: FastAPI) -> None:
    async with app.state.context.database.read(EXPECTED["number"]) as session:
        assert await audit_community(session, EXPECTED["number"]) == []


async def assert_old_keys_and_secrets_work(app: FastAPI, http: httpx.AsyncClient) -> None:
    repeat = EXPECTED["repeat"]
    caller = api_of(app, http, "front_desk", repeat["caller"])
    answer = await caller.post("service-records", repeat["body"], key=repeat["key"])
    assert answer.headers["idempotency-replayed"] == "true"
    assert done(answer, 201) == repeat["answer"]
    form = {"grant_type": "client_credentials", **EXPECTED["client"]}
    assert done(await http.post("/oauth2/token", data=form), 200)["scope"] == "integrator"


async def assert_open_things_can_be_finished(desk: Api, manager: Api) -> None:
    pending, reserved = EXPECTED["pending"], EXPECTED["reserved"]
    approved = done(await manager.post(f"service-records/{pending}/verification", {"decision": "approve"}), 200)
    assert approved["status"] == "approved"
    done(await desk.post(f"redemptions/{reserved}/collection", {"pickup_code": EXPECTED["pickup_code"]}), 200)
    (article, *_) = done(await desk.get("goods"), 200)["items"]
    etag = (await desk.get(f"goods/{article['id']}")).headers["etag"]
    changed = done(await manager.patch(f"goods/{article['id']}", {"name": "新名"}, etag=etag), 200)
    assert changed == {**article, "name": "新名"}
    new = {**EXPECTED["repeat"]["body"], "minutes": 30}
    new |= {"started_at": "2026-03-20T09:00:00+08:00", "ended_at": "2026-03-20T09:30:00+08:00"}
    record = done(await desk.post("service-records", new), 201)
    done(await manager.post(f"service-records/{record['id']}/verification", {"decision": "approve"}), 200)
    balance = done(await desk.get(f"volunteers/{new['volunteer_id']}/balance"), 200)
    assert (balance["minutes"], balance["points"]) == (30, 5)
