"""PostgreSQL breaks off statements that hang and transactions that stand still, and lets long work take its time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from app.kernel import database as kernel_database
from app.kernel.engines import LONG_WORK
from app.kernel.errors import Unavailable
from app.main import open_database
from tests.bank import done
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import Bank, TestClock

pytestmark = [pytest.mark.deadlines, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

ANSWER_SECONDS_MAX = 3.0
HANGING = sa.text("SELECT pg_sleep(30)")
STILL_AT_IT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(30)%'"
OF_THIS_ONE = " AND pid <> pg_backend_pid() AND state = 'active'"


@asynccontextmanager
async def impatient(settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database whose limits are a tenth of what they are."""
    monkeypatch.setattr(kernel_database, "_wait_seconds", 0.2)
    database = open_database(settings, clock)
    yield database
    await database.close()


def state_of(error: Unavailable) -> str | None:
    """The SQLSTATE behind an outage."""
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None)


async def limits_of(session: Session) -> dict[str, str]:
    """What PostgreSQL allows a transaction."""
    names = ("lock_timeout", *LONG_WORK)
    return {name: str((await session.execute(sa.text(f"SHOW {name}"))).scalar()) for name in names}


async def test_each_connection_of_the_service_has_limits_below_what_an_answer_may_take(database: Database) -> None:
    await open_communities(database, 1)
    expected = {"lock_timeout": "2s", "statement_timeout": "2100ms", "idle_in_transaction_session_timeout": "5s"}
    async with database.read(1) as session:
        assert await limits_of(session) == expected
    async with database.write(1) as session:
        assert await limits_of(session) == expected
        await session.take_time()
        assert await limits_of(session) == {**expected, **LONG_WORK}
    async with database.write(1) as session:
        assert await limits_of(session) == expected
    async with database.read(1) as session:
        await session.read_whole_tables()
        assert await limits_of(session) == {**expected, **LONG_WORK}


async def test_commands_for_which_no_request_waits_may_take_their_time(settings: Settings, clock: TestClock) -> None:
    database = open_database(settings, clock, hurried=False)
    async with database.read(1) as session:
        assert await limits_of(session) == {"lock_timeout": "2s", **LONG_WORK}
    await database.close()


async def test_a_statement_that_hangs_is_broken_off_and_is_an_outage(database: Database) -> None:
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        with pytest.raises(Unavailable) as told:
            async with database.read(1) as session:
                await session.execute(HANGING)
    assert state_of(told.value) == "57014"
    async with database.read(1) as session:
        assert (await session.execute(sa.text("SELECT 1"))).scalar() == 1


async def test_a_request_whose_statement_hangs_is_told_to_come_back_and_the_server_is_at_it_no_more(
    bank: Bank, settings: Settings
) -> None:
    volunteer = await bank.volunteer()
    await bank.kind()
    for statement in (
        "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$",
        "CREATE TRIGGER hanging AFTER INSERT ON service_records EXECUTE FUNCTION hang()",
    ):
        as_owner(settings, statement)
    began = time.monotonic()
    answer = await bank.desk.post("service-records", bank.record(volunteer["id"]), key="hanging")
    assert time.monotonic() - began < ANSWER_SECONDS_MAX
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        assert other.execute(f"{STILL_AT_IT}{OF_THIS_ONE}".encode()).fetchone() == (0,)
    as_owner(settings, "DROP TRIGGER hanging ON service_records")
    done(await bank.desk.post("service-records", bank.record(volunteer["id"]), key="hanging"), 201)


async def test_a_transaction_that_stands_still_loses_its_locks_and_its_work_is_done_again(
    settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with impatient(settings, clock, monkeypatch) as database:
        await open_communities(database, 1)
        tries = 0
        let_go = asyncio.Event()

        async def work(session: Session) -> int:
            nonlocal tries
            tries += 1
            if tries == 1:
                # Its process is paused, say, until somebody else has got the head.
                await let_go.wait()
            return int((await session.execute(sa.text("SELECT 7"))).scalar() or 0)

        standing = asyncio.create_task(database.run([1], work))
        with psycopg.connect(settings.database_url, autocommit=True) as other:
            other.execute("SET lock_timeout = '5s'")
            await asyncio.sleep(0.1)
            await asyncio.to_thread(other.execute, "SELECT FROM ledger_heads WHERE community_id = 1 FOR UPDATE")
        let_go.set()
        assert await standing == 7
        assert tries == 2


async def test_long_work_is_not_broken_off(
    settings: Settings, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with impatient(settings, clock, monkeypatch) as database:
        longer = sa.text("SELECT pg_sleep(0.6)")
        with pytest.raises(Unavailable):
            async with database.read(1) as session:
                await session.execute(longer)
        async with database.read(1) as session:
            await session.take_time()
            await session.execute(longer)
            await asyncio.sleep(0.6)
            assert (await session.execute(sa.text("SELECT 1"))).scalar() == 1
