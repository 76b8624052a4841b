"""Jobs are claimed by one worker at a time, come back when it dies, and are given up after ten attempts."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.kernel import jobs
from app.kernel.heads import CITY
from app.kernel.jobs import Claimed, LeaseLostError, NewJob
from tests.bank import NOW
from tests.kernel.grounds import as_owner, open_communities

if TYPE_CHECKING:
    from app.kernel.database import Database, Session
    from app.settings import Settings
    from tests.bank import TestClock


@pytest.fixture
async def ready(database: Database) -> Database:
    """A database with the communities 1 and 2 and their empty queues."""
    await open_communities(database, 1, 2)
    return database


async def enqueue(database: Database, *kinds: str, due_in: float = 0, community: int = 1) -> None:
    async with database.write(community) as session:
        due_at = session.now(community) + timedelta(seconds=due_in)
        await jobs.enqueue(session, [NewJob(community, kind, due_at, {"n": n}) for n, kind in enumerate(kinds)])


async def claim(database: Database, community: int = 1) -> list[Claimed]:
    async with database.write(community) as session:
        return await jobs.claim(session, community)


async def finish(database: Database, done: list[Claimed]) -> None:
    async with database.write(done[0].community) as session:
        await jobs.finish(session, done)


async def postpone(database: Database, failed: list[Claimed], error: str = "OSError") -> None:
    async with database.write(failed[0].community) as session:
        await jobs.postpone(session, failed, error)


async def next_at(database: Database, community: int = 1) -> datetime | None:
    """When `due_work` says that a community has something to claim."""
    async with database.read() as session:
        found = await session.execute(
            sa.select(jobs.due_work.c.next_at).where(jobs.due_work.c.community_id == community)
        )
        moment: datetime | None = found.scalar_one()
        return moment


async def due(database: Database) -> list[int]:
    async with database.read() as session:
        return sorted(await jobs.communities_due(session, session.now(CITY)))


async def test_a_job_is_claimed_as_it_was_enqueued(ready: Database) -> None:
    payload: dict[str, Any] = {"redemption_id": "0195d0e2", "nested": [1, {"a": None}]}
    async with ready.write(1) as session:
        await jobs.enqueue(session, [NewJob(1, "lapse", NOW, payload)])
    (job,) = await claim(ready)
    assert (job.community, job.kind, job.due_at, job.payload, job.attempts) == (1, "lapse", NOW, payload, 1)


async def test_a_job_is_claimed_when_it_is_due_and_not_before(ready: Database, clock: TestClock) -> None:
    await enqueue(ready, "lapse", due_in=60)
    clock.move(seconds=60, microseconds=-1)
    assert (await claim(ready), await due(ready)) == ([], [])
    clock.move(microseconds=1)
    assert await due(ready) == [1]
    assert len(await claim(ready)) == 1


async def test_a_claim_takes_the_kind_that_is_due_first_and_at_most_two_hundred(
    ready: Database, clock: TestClock
) -> None:
    await enqueue(ready, *["late"] * 3, due_in=2)
    await enqueue(ready, *["early"] * 201, due_in=1)
    clock.move(seconds=5)
    taken = [await claim(ready) for _ in range(4)]
    assert [(len(batch), {job.kind for job in batch}) for batch in taken] == [
        (200, {"early"}),
        (1, {"early"}),
        (3, {"late"}),
        (0, set()),
    ]
    assert len({job.job_id for batch in taken for job in batch}) == 204


async def test_of_two_workers_at_the_same_time_one_gets_a_job(ready: Database) -> None:
    await enqueue(ready, "lapse", "lapse")
    got = await asyncio.gather(claim(ready), claim(ready), claim(ready))
    assert sorted(len(batch) for batch in got) == [0, 0, 2]


async def test_a_finished_job_is_gone(ready: Database, clock: TestClock) -> None:
    await enqueue(ready, "lapse", "lapse")
    await finish(ready, await claim(ready))
    assert await next_at(ready) is None
    clock.move(days=1)
    assert await claim(ready) == []


async def test_the_job_of_a_worker_that_died_is_claimed_again_after_its_lease(
    ready: Database, clock: TestClock
) -> None:
    await enqueue(ready, "lapse")
    (first,) = await claim(ready)
    clock.move(seconds=60, microseconds=-1)
    assert await claim(ready) == []
    clock.move(microseconds=1)
    (second,) = await claim(ready)
    assert (second.job_id, second.attempts) == (first.job_id, 2)
    assert second.lease_token != first.lease_token


async def test_a_worker_that_lost_its_lease_cannot_finish_and_its_effect_is_undone(
    ready: Database, clock: TestClock
) -> None:
    await enqueue(ready, "lapse")
    slow = await claim(ready)
    clock.move(seconds=61)
    quick = await claim(ready)

    async def effect(session: Session) -> None:
        await jobs.enqueue(session, [NewJob(1, "effect", NOW, {})])
        await jobs.finish(session, slow)

    with pytest.raises(LeaseLostError):
        await ready.run([1], effect)
    await finish(ready, quick)
    clock.move(days=1)
    assert await claim(ready) == []


async def test_a_worker_that_lost_one_of_its_jobs_can_finish_none(ready: Database, settings: Settings) -> None:
    await enqueue(ready, "lapse", "lapse")
    both = await claim(ready)
    as_owner(settings, "UPDATE jobs SET lease_token = NULL WHERE job_id = :id", id=str(both[0].job_id))
    with pytest.raises(LeaseLostError):
        await finish(ready, both)
    assert as_owner(settings, "SELECT count(*) FROM jobs") == [(2,)]


async def test_a_worker_that_lost_its_lease_cannot_postpone(ready: Database, clock: TestClock) -> None:
    await enqueue(ready, "lapse")
    slow = await claim(ready)
    clock.move(seconds=61)
    await claim(ready)
    await postpone(ready, slow)
    assert await next_at(ready) == clock.moment + jobs.lease


async def test_a_failed_job_waits_twice_as_long_each_time_and_is_given_up_after_ten_attempts(
    ready: Database, settings: Settings, clock: TestClock
) -> None:
    await enqueue(ready, "lapse")
    waits = []
    while claimed := await claim(ready):
        await postpone(ready, claimed, f"try {claimed[0].attempts}")
        again_at = await next_at(ready)
        if again_at is None:
            break
        waits.append(int((again_at - clock.moment).total_seconds()))
        clock.moment = again_at - timedelta(microseconds=1)
        assert await claim(ready) == []
        clock.moment = again_at
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    clock.move(days=365)
    assert (await claim(ready), await due(ready)) == ([], [])
    # It stays as evidence of what went wrong.
    assert as_owner(settings, "SELECT attempts, error FROM jobs") == [(10, "try 10")]


async def test_due_work_is_the_earliest_moment_at_which_something_may_be_claimed(
    ready: Database, clock: TestClock
) -> None:
    assert await next_at(ready) is None
    await enqueue(ready, "b", due_in=20)
    await enqueue(ready, "a", due_in=10)
    await enqueue(ready, "c", due_in=30)
    assert await next_at(ready) == NOW + timedelta(seconds=10)
    clock.move(seconds=10)
    claimed = await claim(ready)
    assert await next_at(ready) == NOW + timedelta(seconds=20)
    clock.move(seconds=20)
    await postpone(ready, claimed)
    assert await next_at(ready) == NOW + timedelta(seconds=20)
    for kind in ("b", "c"):
        done = await claim(ready)
        assert done[0].kind == kind
        await finish(ready, done)
    assert await next_at(ready) == NOW + timedelta(seconds=32)


async def test_queues_of_two_communities_know_nothing_of_each_other(ready: Database) -> None:
    await enqueue(ready, "lapse", community=2)
    assert (await due(ready), await next_at(ready, 1)) == ([2], None)
    assert await claim(ready, 1) == []
    assert [job.community for job in await claim(ready, 2)] == [2]


async def test_a_job_enqueued_by_a_transaction_that_fails_is_never_due(ready: Database) -> None:
    async def fails(session: Session) -> None:
        await jobs.enqueue(session, [NewJob(1, "lapse", NOW, {})])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ready.run([1], fails)
    assert (await next_at(ready), await claim(ready)) == (None, [])
