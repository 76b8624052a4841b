"""Runs due jobs: finds the communities with work, claims it, and does it in one commit with its effect."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.communities.service import FORGET_ANSWERS
from app.kernel import idempotency, jobs, metrics
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY
from app.kernel.log import logger
from app.redemptions.errors import RedemptionNotOpen
from app.redemptions.rules import LAPSED, RESERVED
from app.redemptions.service import LAPSE, Closing, close_redemptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from app.kernel.database import Database, Session
    from app.settings import Settings

_worker = "worker"


async def lapse_redemptions(session: Session, due: Sequence[jobs.Claimed], _: Settings) -> None:
    """Free the points and pieces of redemptions whose hold is over; those closed before are left as they are."""
    outcomes = await close_redemptions(
        session, [Closing(job.community, UUID(job.payload["redemption_id"]), LAPSED, _worker) for job in due]
    )
    # The clock was set back since the claim, so these are held for a while yet.
    too_early = RedemptionNotOpen(redemption_status=RESERVED)
    held = [job for job, outcome in zip(due, outcomes, strict=True) if outcome == too_early]
    await jobs.enqueue(session, [jobs.NewJob(job.community, LAPSE, job.due_at, job.payload) for job in held])


async def forget_answers(session: Session, due: Sequence[jobs.Claimed], settings: Settings) -> None:
    """Delete the answers to idempotency keys that are older than they are kept, and come back tomorrow."""
    community = due[0].community
    now = session.now(community)
    forgotten = await idempotency.forget_answers(session, community, before=now - timedelta(days=settings.answer_days))
    await jobs.enqueue(session, [jobs.NewJob(community, FORGET_ANSWERS, now + timedelta(days=1), {})])
    logger.info("answers forgotten", community=community, count=forgotten)


HANDLERS: Mapping[str, Callable[[Session, Sequence[jobs.Claimed], Settings], Awaitable[None]]] = {
    LAPSE: lapse_redemptions,
    FORGET_ANSWERS: forget_answers,
}


async def run_due(database: Database, settings: Settings) -> int:
    """Run the jobs that are due now, in every community; give how many were done."""
    done = 0
    async with database.read() as session:
        communities = await jobs.communities_due(session, session.now(CITY))
    for community in communities:
        try:
            while claimed := await _claim(database, community):
                done += await _run(database, settings, claimed)
        except Unavailable:
            # Another writer holds the community, or the database is away: the others do not wait for it.
            logger.warning("community busy, its jobs wait", community=community)
    return done


async def _claim(database: Database, community: int) -> list[jobs.Claimed]:
    async def work(session: Session) -> list[jobs.Claimed]:
        return await jobs.claim(session, community)

    claimed = await database.run([community], work)
    if claimed:
        lag = database.clock.now(community) - min(job.due_at for job in claimed)
        metrics.job_lag_seconds.set(lag.total_seconds())
    return claimed


async def _run(database: Database, settings: Settings, claimed: Sequence[jobs.Claimed]) -> int:
    """Run claimed jobs of one kind; when they fail together, each alone, so that one bad job holds up no other."""

    async def work(session: Session) -> None:
        await HANDLERS[claimed[0].kind](session, claimed, settings)
        await jobs.finish(session, claimed)

    community = claimed[0].community
    try:
        await database.run([community], work)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the job waits and the worker goes on
        if len(claimed) > 1:
            return sum([await _run(database, settings, [job]) for job in claimed])
        logger.exception("job failed", kind=claimed[0].kind, community=community, attempts=claimed[0].attempts)
        async with database.write(community) as session:
            await jobs.postpone(session, claimed, type(error).__name__)
        return 0
    return len(claimed)


async def run_forever(database: Database, settings: Settings) -> None:
    """Look for due jobs again and again, until cancelled; an outage is waited out."""
    logger.info("worker started")
    while True:
        try:
            await run_due(database, settings)
        except Unavailable:
            logger.warning("database away, jobs wait")
        except Exception:  # noqa: BLE001  logged, and tried again
            logger.exception("worker failed")
        await asyncio.sleep(settings.worker_poll_seconds)
