"""A database that is away, locked or too busy is reported as such within three seconds, and never waited for longer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.kernel.errors import Unavailable
from app.main import open_database
from app.settings import Settings
from tests.kernel.grounds import as_owner, open_communities
from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from app.kernel.database import Database

ANSWER_SECONDS_MAX = 3.0
PEPPER = "a pepper for tests that is long enough"

pytestmark = pytest.mark.deadlines
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def answered_in_time() -> asyncio.Timeout:
    """Fail whatever takes longer than a request may wait."""
    return asyncio.timeout(ANSWER_SECONDS_MAX)


async def write(database: Database, community: int = 1) -> None:
    async with database.write(community):
        pass


async def read(database: Database) -> None:
    async with database.read(1) as session:
        await session.execute(sa.text("SELECT 1"))


async def hold(database: Database, held: asyncio.Event, release: asyncio.Event) -> None:
    """Keep a write transaction open until told otherwise."""
    async with database.write(1):
        held.set()
        await release.wait()


@contextlib.asynccontextmanager
async def opened(url: str, **settings: int) -> AsyncIterator[Database]:
    database = open_database(Settings(database_url=url, secret_pepper=PEPPER, **settings))  # type: ignore[arg-type]
    yield database
    await database.close()


async def test_a_port_on_which_nobody_listens_is_an_outage() -> None:
    async with opened(f"postgresql://postgres@127.0.0.1:{free_port()}/postgres") as database, answered_in_time():
        for attempt in (write(database), read(database)):
            with pytest.raises(Unavailable):
                await attempt


async def test_a_socket_that_is_not_there_is_an_outage() -> None:
    async with opened("postgresql://postgres@/postgres?host=/nowhere/at/all") as database, answered_in_time():
        with pytest.raises(Unavailable):
            await write(database)


async def test_a_server_that_takes_connections_and_never_answers_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with opened(f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/postgres") as database:
            async with answered_in_time():
                tries = await asyncio.gather(write(database), read(database), return_exceptions=True)
            assert [type(error) for error in tries] == [Unavailable, Unavailable]


async def test_a_database_that_answers_is_no_outage(database: Database) -> None:
    async with answered_in_time():
        await read(database)
        await write(database)


@on_sqlite
async def test_a_file_that_another_process_writes_is_an_outage_for_writers_alone(
    database: Database, settings: Settings
) -> None:
    await open_communities(database, 1)
    other = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        await read(database)
        async with answered_in_time():
            with pytest.raises(Unavailable):
                await write(database)
        other.execute("ROLLBACK")
        await write(database)


@on_postgresql
async def test_a_community_whose_head_stays_locked_is_an_outage_and_the_others_are_not(
    database: Database, settings: Settings
) -> None:
    await open_communities(database, 1, 2)
    with psycopg.connect(settings.database_url) as other:
        other.execute("SELECT FROM ledger_heads WHERE community_id = 1 FOR UPDATE")
        await write(database, 2)
        await read(database)
        async with answered_in_time():
            with pytest.raises(Unavailable):
                await write(database, 1)
    await write(database, 1)


async def test_a_turn_or_a_connection_that_does_not_come_is_an_outage_for_writers_alone(database_url: str) -> None:
    async with opened(database_url, database_pool_size=1) as database:
        await open_communities(database, 1, 2)
        held, release = asyncio.Event(), asyncio.Event()
        holding = asyncio.create_task(hold(database, held, release))
        await held.wait()
        async with answered_in_time():
            # The first waits for its turn in the community, the second for a connection.
            tries = await asyncio.gather(write(database, 1), write(database, 2), read(database), return_exceptions=True)
        assert [type(error) for error in tries] == [Unavailable, Unavailable, type(None)]
        release.set()
        await holding
        await asyncio.gather(write(database, 1), write(database, 2))


@on_postgresql
async def test_those_who_wait_for_one_community_keep_no_connection_from_the_others(database_url: str) -> None:
    async with opened(database_url, database_pool_size=2) as database:
        await open_communities(database, 1, 2)
        held, release = asyncio.Event(), asyncio.Event()
        holding = [asyncio.create_task(hold(database, held, release)) for _ in range(4)]
        await held.wait()
        async with asyncio.timeout(2):
            await write(database, 2)
        release.set()
        await asyncio.gather(*holding)


@on_postgresql
async def test_a_read_on_a_connection_that_was_killed_is_an_outage_and_the_next_one_works(
    database: Database, settings: Settings
) -> None:
    await open_communities(database, 1)
    await read(database)
    killing = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database()"
    as_owner(settings, f"{killing} AND pid <> pg_backend_pid()")
    with pytest.raises(Unavailable):
        await read(database)
    await read(database)


@on_postgresql
async def test_what_the_server_cannot_explain_is_an_outage_only_where_it_comes_from_its_storage(
    database: Database,
) -> None:
    raising = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file: File too large' USING ERRCODE = 'XX000'; END $$"
    with pytest.raises(DBAPIError) as caught:
        async with database.read() as session:
            await session.execute(sa.text(raising))
    assert isinstance(caught.value.orig, psycopg.errors.InternalError_)


async def test_an_outage_says_when_to_come_back() -> None:
    assert Unavailable.retry_after_s == 1
