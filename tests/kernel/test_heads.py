"""The head of a ledger: numbers without gaps in the order of commits, and a time that never runs backwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from app.kernel.events import Event, append, number_gap, read_after
from app.kernel.heads import CITY, head_numbers
from app.main import open_database
from tests.bank import NOW
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import TestClock


async def announce(session: Session, community: int, *names: str) -> list[int]:
    return await append(session, [Event(community, name, {}) for name in names])


async def happened(database: Database, community: int) -> list[tuple[int, str]]:
    async with database.read(community) as session:
        return [(event.number, event.type) for event in await read_after(session, community, after=0, limit=1000)]


async def test_a_new_head_hands_out_its_numbers_from_one_in_the_transaction_that_opens_it(database: Database) -> None:
    async with database.write(CITY) as session:
        head = await session.open_head(1)
        assert [head.next_transaction(), head.next_transaction(), head.next_account()] == [1, 2, 1]
        assert await announce(session, 1, "first", "second") == [1, 2]
    async with database.write(1) as session:
        head = session.heads[1]
        assert (head.transaction_number, head.event_number, head.account_number) == (2, 2, 1)
    async with database.read(1) as session:
        assert await head_numbers(session, 1) == (2, 2)


async def test_writers_at_the_same_time_get_every_number_once_and_leave_no_gap(database: Database) -> None:
    await open_communities(database, 1)

    async def write(name: str) -> list[int]:
        async with database.write(1) as session:
            return await announce(session, 1, name, name)

    given = await asyncio.gather(*(write(f"writer {index}") for index in range(12)))
    assert sorted(number for pair in given for number in pair) == list(range(1, 25))
    # Both numbers of a writer are neighbours: nobody came in between.
    assert {second - first for first, second in given} == {1}
    events = await happened(database, 1)
    assert [number for number, _ in events] == list(range(1, 25))
    async with database.read(1) as session:
        assert await number_gap(session, 1) == (24, 24)


async def test_writers_of_two_communities_never_wait_for_each_other_in_a_circle(database: Database) -> None:
    await open_communities(database, 1, 2)

    async def write(*communities: int) -> None:
        async with database.write(*communities) as session:
            assert list(session.heads) == [1, 2]
            for community in communities:
                await announce(session, community, "crossed")

    await asyncio.gather(*(write(*order) for order in [(1, 2), (2, 1)] * 6))
    assert len(await happened(database, 1)) == len(await happened(database, 2)) == 12


async def test_a_transaction_that_fails_uses_up_no_number(database: Database) -> None:
    await open_communities(database, 1)

    async def work(session: Session) -> None:
        await announce(session, 1, "lost", "lost too")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run([1], work)
    async with database.write(1) as session:
        assert await announce(session, 1, "kept") == [1]
    assert await happened(database, 1) == [(1, "kept")]


async def test_an_abandoned_transaction_leaves_nothing_and_raises_nothing(database: Database) -> None:
    await open_communities(database, 1)
    async with database.write(1) as session:
        session.abandon()
        assert await announce(session, 1, "dry run") == [1]
    assert await happened(database, 1) == []
    async with database.write(CITY) as session:
        session.abandon()
        await session.open_head(2)
    async with database.write(2) as session:
        assert session.heads == {}


async def test_a_dry_run_still_gives_its_result(database: Database) -> None:
    await open_communities(database, 1)

    async def work(session: Session) -> list[int]:
        session.abandon()
        return await announce(session, 1, "dry run")

    assert await database.run([1], work) == [1]
    assert await happened(database, 1) == []


async def test_time_stands_still_while_the_clock_has_stepped_back(database: Database, clock: TestClock) -> None:
    await open_communities(database, 1)
    times = []
    for step in (timedelta(hours=2), timedelta(hours=-1), timedelta(minutes=30), timedelta(hours=1)):
        clock.moment += step
        async with database.write(1) as session:
            times.append(session.now(1))
            await announce(session, 1, "step")
    assert times == [NOW + timedelta(hours=hours) for hours in (2, 2, 2, 2.5)]
    async with database.read(1) as session:
        assert [event.occurred_at for event in await read_after(session, 1, after=0, limit=10)] == times


async def test_time_does_not_run_back_over_a_restart_with_a_wrong_clock(
    database: Database, settings: Settings, clock: TestClock
) -> None:
    await open_communities(database, 1)
    async with database.write(1) as session:
        await announce(session, 1, "before")
    clock.move(hours=-1)
    restarted = open_database(settings, clock)
    async with restarted.write(1) as session:
        assert session.now(1) == NOW
    await restarted.close()


async def test_time_is_fixed_within_a_transaction_and_each_community_has_its_own(
    database: Database, clock: TestClock
) -> None:
    await open_communities(database, 1, 2)
    async with database.write(1) as session:
        clock.move(seconds=5)
        assert session.now(1) == NOW
        # The head of 2 is not held, so there its clock is asked.
        assert session.now(2) == NOW + timedelta(seconds=5)


async def test_a_head_that_hands_out_nothing_is_not_written(
    database: Database, settings: Settings, clock: TestClock
) -> None:
    await open_communities(database, 1)
    clock.move(hours=3)
    before = as_owner(settings, "SELECT * FROM ledger_heads WHERE community_id = 1")
    async with database.write(1) as session:
        assert session.now(1) == NOW + timedelta(hours=3)
    assert as_owner(settings, "SELECT * FROM ledger_heads WHERE community_id = 1") == before


async def test_a_head_cannot_be_opened_twice(database: Database) -> None:
    await open_communities(database, 1)
    with pytest.raises(IntegrityError):
        await open_communities(database, 1)


async def test_events_are_read_in_order_from_any_place(database: Database) -> None:
    await open_communities(database, 1, 2)
    async with database.write(1, 2) as session:
        await announce(session, 1, "a", "b", "c", "d")
        await announce(session, 2, "elsewhere")
    async with database.read(1) as session:
        assert [event.type for event in await read_after(session, 1, after=1, limit=2)] == ["b", "c"]
        assert await read_after(session, 1, after=4, limit=2) == []
        assert await number_gap(session, 1) == (4, 4)
