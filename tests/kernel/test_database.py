"""Transactions: one picture for a reader, one writer at a time in a community, another try when the database asks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.kernel.errors import Unavailable
from app.kernel.events import Event, append, read_after
from app.kernel.jobs import jobs
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.kernel.database import Database, Session
    from app.settings import Settings

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def announce(session: Session, name: str) -> None:
    await append(session, [Event(1, name, {})])


async def types(session: Session) -> list[str]:
    return [event.type for event in await read_after(session, 1, after=0, limit=100)]


async def happened(database: Database) -> list[str]:
    async with database.read(1) as session:
        return await types(session)


async def test_a_reader_keeps_its_picture_while_others_commit(database: Database) -> None:
    await open_communities(database, 1)
    async with database.read(1) as reader:
        assert await types(reader) == []
        async with database.write(1) as writer:
            await announce(writer, "meanwhile")
        assert await types(reader) == []
    assert await happened(database) == ["meanwhile"]


async def test_a_reader_sees_nothing_of_what_is_not_committed(database: Database) -> None:
    await open_communities(database, 1)
    async with database.write(1) as writer:
        await announce(writer, "not yet")
        assert await happened(database) == []
    assert await happened(database) == ["not yet"]


async def test_a_reader_cannot_write(database: Database) -> None:
    await open_communities(database, 1)

    async def write_while_reading() -> None:
        async with database.read(1) as session:
            await session.execute(sa.text("UPDATE ledger_heads SET event_number = 9"))

    with pytest.raises((DBAPIError, Unavailable)):
        await write_while_reading()
    async with database.write(1) as session:
        assert session.heads[1].event_number == 0


async def test_a_writer_waits_for_the_one_before_and_sees_all_that_it_did(database: Database) -> None:
    await open_communities(database, 1)
    first_holds = asyncio.Event()

    async def first() -> None:
        async with database.write(1) as session:
            first_holds.set()
            await asyncio.sleep(0.1)
            await announce(session, "first")

    async def second() -> list[str]:
        await first_holds.wait()
        async with database.write(1) as session:
            return await types(session)

    _, seen = await asyncio.gather(first(), second())
    assert seen == ["first"]


async def test_a_community_that_a_session_did_not_name_is_not_locked_for_it(database: Database) -> None:
    await open_communities(database, 1, 2)
    async with database.write(1, 2, 1) as session:
        assert sorted(session.heads) == [1, 2]
    async with database.write(1) as session:
        assert sorted(session.heads) == [1]
        with pytest.raises(KeyError):
            await append(session, [Event(2, "elsewhere", {})])


def failing(times: int, sqlstate: str) -> Callable[[Session], Awaitable[int]]:
    """Work that announces itself, and that the database breaks off with this SQLSTATE the first times."""
    tries = 0

    async def work(session: Session) -> int:
        nonlocal tries
        tries += 1
        await announce(session, f"try {tries}")
        if tries <= times:
            raising = f"DO $$ BEGIN RAISE EXCEPTION 'broken off' USING ERRCODE = '{sqlstate}'; END $$"
            await session.execute(sa.text(raising))
        return tries

    return work


@on_postgresql
@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_work_that_the_database_breaks_off_runs_again_from_its_beginning(
    database: Database, sqlstate: str
) -> None:
    await open_communities(database, 1)
    assert await database.run([1], failing(4, sqlstate)) == 5
    assert await happened(database) == ["try 5"]


@on_postgresql
async def test_after_five_tries_the_database_counts_as_unavailable(database: Database) -> None:
    await open_communities(database, 1)
    work = failing(5, "40001")
    with pytest.raises(Unavailable):
        await database.run([1], work)
    assert await database.run([1], work) == 6
    assert await happened(database) == ["try 6"]


@on_postgresql
async def test_an_error_that_another_try_would_not_cure_is_raised_at_once(database: Database) -> None:
    await open_communities(database, 1)
    work = failing(1, "23514")
    with pytest.raises(DBAPIError):
        await database.run([1], work)
    assert await database.run([1], work) == 2


@on_postgresql
async def test_two_that_wait_for_each_other_both_get_through_in_the_end(database: Database, settings: Settings) -> None:
    await open_communities(database, 1, 2)
    for place in (1, 2):
        as_owner(settings, "INSERT INTO jobs VALUES (:c, gen_random_uuid(), 'k', '{}', now(), now(), NULL, 0)", c=place)
    both_hold_one = asyncio.Barrier(2)
    tries: list[int] = []

    async def cross(community: int, other: int) -> None:
        async def work(session: Session) -> None:
            tries.append(community)
            await session.show(1, 2)
            count = sa.update(jobs).values(attempts=jobs.c.attempts + 1)
            await session.execute(count.where(jobs.c.community_id == community))
            if len(tries) <= 2:
                await both_hold_one.wait()
            await session.execute(count.where(jobs.c.community_id == other))

        await database.run([community], work)

    await asyncio.gather(cross(1, 2), cross(2, 1))
    assert len(tries) == 3
    assert as_owner(settings, "SELECT attempts FROM jobs") == [(2,), (2,)]


@on_postgresql
async def test_work_whose_connection_is_killed_runs_again_on_a_new_one(database: Database, settings: Settings) -> None:
    await open_communities(database, 1)
    killed: list[int] = []

    async def work(session: Session) -> str:
        backend = (await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one()
        await announce(session, "survivor")
        if len(killed) < 2:
            killed.append(backend)
            as_owner(settings, "SELECT pg_terminate_backend(:backend, 1000)", backend=backend)
        return "done"

    # The kill is noticed by the first statement after it, which is the head's update; without one it is the COMMIT.
    assert await database.run([1], work) == "done"
    assert len(set(killed)) == 2
    assert await happened(database) == ["survivor"]


@on_postgresql
async def test_a_commit_that_the_connection_did_not_survive_is_tried_again(
    database: Database, settings: Settings
) -> None:
    await open_communities(database, 1)
    tries: list[int] = []

    async def work(session: Session) -> None:
        tries.append((await session.execute(sa.text("SELECT pg_backend_pid()"))).scalar_one())
        if len(tries) == 1:
            as_owner(settings, "SELECT pg_terminate_backend(:backend, 1000)", backend=tries[0])

    await database.run([1], work)
    assert len(tries) == 2
