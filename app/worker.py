"""Runs due jobs: finds the communities with work, claims it, and does it in one commit with its effect."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from app.activities.effects import Effects
from app.activities.rules import VENDORS
from app.activities.series import MAKE_SHIFTS, make_shifts
from app.communities.service import FORGET_ANSWERS
from app.kernel import idempotency, jobs, metrics
from app.kernel.effects import PersonEffects
from app.kernel.errors import Unavailable
from app.kernel.heads import CITY, head_numbers
from app.kernel.log import logger
from app.redemptions.errors import RedemptionNotOpen
from app.redemptions.rules import LAPSED, RESERVED
from app.redemptions.service import LAPSE, Closing, close_redemptions
from app.reports import audits
from app.reports.audits import AUDIT
from app.reports.service import audit_community
from app.seals.service import Sealer
from app.signups import closing, standing
from app.signups.draws import MAKE_DRAW, DueDraw, make_draws
from app.signups.errors import DrawNotDue
from app.stalls import service as stalls
from app.visits.overdue import TELL_OVERDUE, Waiting, tell_overdue, wait_for_outcomes
from app.visits.plans import end_plans_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from app.kernel.database import Database, Session
    from app.reports.store import AuditKey
    from app.settings import Settings
    from app.signups.participants import Objections

    Effect: TypeAlias = Callable[[Session], Awaitable[None]]

OBJECTIONS: Objections = {VENDORS: stalls.barred_vendors}
"""Who may not sign up for anything now, by kind of participants."""

EFFECTS = Effects(
    # Draws are announced before anybody applies.
    made=(stalls.follow_made, partial(standing.follow_made, objections=OBJECTIONS), wait_for_outcomes),
    moved=(stalls.follow_moved, partial(closing.follow_moved, objections=OBJECTIONS), wait_for_outcomes),
    skipped=(partial(closing.follow_skipped, objections=OBJECTIONS),),
)
"""What follows when shifts are made, moved or skipped, whether by a request or by a job."""

PERSON_EFFECTS = PersonEffects(
    gone=(
        partial(end_plans_of, effects=EFFECTS),
        standing.follow_gone,
        partial(closing.follow_unfit, objections=OBJECTIONS),
    ),
    limited=(partial(closing.follow_unfit, objections=OBJECTIONS),),
)
"""What follows when persons may take part no more, whether by a request or by a replay of the log of erasures."""

_worker = "worker"
_renewed_after_seconds = 20.0
# With what a round takes, no transaction waits for longer than a second, unless its community is held for long.
_seal_poll_seconds = 0.5


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
    await session.take_time()
    forgotten = await idempotency.forget_answers(session, community, before=now - timedelta(days=settings.answer_days))
    await jobs.enqueue(session, [jobs.NewJob(community, FORGET_ANSWERS, now + timedelta(days=1), {})])
    logger.info("answers forgotten", community=community, count=forgotten)


async def make_due_shifts(session: Session, due: Sequence[jobs.Claimed], _: Settings) -> None:
    """Make the shifts of series that came within the days for which they are made ahead."""
    keys = {(job.community, UUID(job.payload["series_id"])) for job in due}
    await make_shifts(session, keys, effects=EFFECTS)


async def make_due_draws(session: Session, due: Sequence[jobs.Claimed], _: Settings) -> None:
    """Draw the seats of shifts whose time it is; those that were put off have a later job."""
    outcomes = await make_draws(
        session,
        [DueDraw(job.community, UUID(job.payload["shift_id"]), _worker) for job in due],
        objections=OBJECTIONS,
    )
    # The clock was set back since the claim, so it is not time yet.
    early = [job for job, outcome in zip(due, outcomes, strict=True) if outcome == DrawNotDue(draws_at=job.due_at)]
    await jobs.enqueue(session, [jobs.NewJob(job.community, MAKE_DRAW, job.due_at, job.payload) for job in early])


async def tell_overdue_visits(session: Session, due: Sequence[jobs.Claimed], _: Settings) -> None:
    """Tell of visits of which nobody has said, a day after their end, what came of them."""
    waiting = [Waiting(job.community, UUID(job.payload["shift_id"]), job.payload["revision"]) for job in due]
    await tell_overdue(session, waiting)


async def audit_ledger(database: Database, job: jobs.Claimed) -> Effect:
    """Audit a community over one unchanging picture of it, while posting goes on; give how the result is kept."""
    key = _audit_of(job)
    async with database.write(job.community) as session:
        await audits.start_audit(session, key)
    async with database.read(job.community) as session:
        found = await audit_community(session, job.community)
        last, _ = await head_numbers(session, job.community)
    logger.info("audited", community=job.community, transactions=last, discrepancies=len(found))
    return partial(audits.finish_audit, key=key, last_transaction_id=last, discrepancies=found)


async def fail_audits(session: Session, given_up: Sequence[jobs.Claimed]) -> None:
    """Tell those who asked for audits that none will be made."""
    await audits.fail_audits(session, [_audit_of(job) for job in given_up])


def _audit_of(job: jobs.Claimed) -> AuditKey:
    return job.community, UUID(job.payload["audit_id"])


HANDLERS: Mapping[str, Callable[[Session, Sequence[jobs.Claimed], Settings], Awaitable[None]]] = {
    LAPSE: lapse_redemptions,
    FORGET_ANSWERS: forget_answers,
    MAKE_SHIFTS: make_due_shifts,
    MAKE_DRAW: make_due_draws,
    TELL_OVERDUE: tell_overdue_visits,
}
"""What short jobs do, in the transaction that removes them."""

LONG: Mapping[str, Callable[[Database, jobs.Claimed], Awaitable[Effect]]] = {AUDIT: audit_ledger}
"""What long jobs do before, in transactions of their own, and how it ends in the one that removes them."""

GIVEN_UP: Mapping[str, Callable[[Session, Sequence[jobs.Claimed]], Awaitable[None]]] = {AUDIT: fail_audits}
"""What becomes of jobs that nobody tries again, beside the line in the log."""


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
        for job in await jobs.give_up(session, community):
            await _give_up(session, job)
        return await jobs.claim(session, community, alone=LONG)

    claimed = await database.run([community], work)
    if claimed:
        lag = database.clock.now(community) - min(job.due_at for job in claimed)
        metrics.job_lag_seconds.set(lag.total_seconds())
    return claimed


async def _run(database: Database, settings: Settings, claimed: Sequence[jobs.Claimed]) -> int:
    """Run claimed jobs of one kind; when they fail together, each alone, so that one bad job holds up no other."""
    community = claimed[0].community
    try:
        async with _effect(database, settings, claimed) as effect:

            async def work(session: Session) -> None:
                await effect(session)
                await jobs.finish(session, claimed)

            # The city's teams serve in all communities.
            await database.run([community], work, seen=[CITY])
    except Unavailable:
        # If the database is away for this as well, the lease runs out.
        with suppress(Unavailable):
            async with database.write(community) as session:
                await jobs.hand_back(session, claimed)
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the job waits and the worker goes on
        if len(claimed) > 1:
            return sum([await _run(database, settings, [job]) for job in claimed])
        logger.exception("job failed", kind=claimed[0].kind, community=community, attempts=claimed[0].attempts)
        async with database.write(community) as session:
            await jobs.postpone(session, claimed, type(error).__name__)
            if claimed[0].attempts >= jobs.attempts_max:
                await _give_up(session, claimed[0])
        return 0
    return len(claimed)


async def _give_up(session: Session, job: jobs.Claimed) -> None:
    logger.error("job given up", kind=job.kind, community=job.community, job_id=str(job.job_id), attempts=job.attempts)
    if job.kind in GIVEN_UP:
        await GIVEN_UP[job.kind](session, [job])


@asynccontextmanager
async def _effect(database: Database, settings: Settings, claimed: Sequence[jobs.Claimed]) -> AsyncIterator[Effect]:
    """What is left for the transaction that removes the jobs; the lease of a long one is kept until that is done."""
    kind = claimed[0].kind
    if kind not in LONG:
        yield lambda session: HANDLERS[kind](session, claimed, settings)
        return
    keeping = asyncio.create_task(_keep_lease(database, claimed[0]))
    try:
        yield await LONG[kind](database, claimed[0])
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep_lease(database: Database, job: jobs.Claimed) -> None:
    while True:
        await asyncio.sleep(_renewed_after_seconds)
        with suppress(Unavailable):
            async with database.write(job.community) as session:
                await jobs.renew(session, job)


async def run_forever(database: Database, settings: Settings) -> None:
    """Run due jobs and seal what was posted, until cancelled."""
    logger.info("worker started")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_work_forever(database, settings))
        tasks.create_task(seal_forever(database))


async def _work_forever(database: Database, settings: Settings) -> None:
    """Look for due jobs again and again, until cancelled; an outage is waited out."""
    while True:
        try:
            await run_due(database, settings)
        except Unavailable:
            logger.warning("database away, jobs wait")
        except Exception:  # noqa: BLE001  logged, and tried again
            logger.exception("worker failed")
        await asyncio.sleep(settings.worker_poll_seconds)


async def seal_forever(database: Database) -> None:
    """Seal what was posted, again and again, until cancelled; an outage is waited out."""
    sealer = Sealer(database)
    while True:
        try:
            await sealer.seal_due()
            await sealer.seal_city()
        except Unavailable:
            logger.warning("database away, seals wait")
        except Exception:  # noqa: BLE001  logged, and tried again
            logger.exception("sealing failed")
        await asyncio.sleep(_seal_poll_seconds)
