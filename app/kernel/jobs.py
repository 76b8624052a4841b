"""Work that is due later: claimed under a lease, done in one commit with its effect, tried again when it fails.

`due_work` has one row a community: the earliest moment at which one of its jobs may be claimed, and since when it has
transactions to seal. It is how a worker finds communities with work without looking into each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.kernel.heads import ledger_heads
from app.kernel.ids import new_id
from app.kernel.rows import insert_rows, update_rows
from app.kernel.tables import metadata, tenant_key
from app.kernel.types import Document, Id, Instant

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from app.kernel.database import Session
    from app.kernel.rows import AnyRow

claimed_max = 200
attempts_max = 10
lease = timedelta(seconds=60)

jobs = sa.Table(
    "jobs",
    metadata,
    tenant_key(),
    sa.Column("job_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", Document, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("claimable_at", Instant),
    sa.Column("lease_token", Id),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.PrimaryKeyConstraint("community_id", "job_id", name="jobs_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="jobs_head_fkey"),
    sa.Index("jobs_claimable_idx", "community_id", "claimable_at"),
    sqlite_strict=True,
)

due_work = sa.Table(
    "due_work",
    metadata,
    tenant_key(),
    sa.Column("next_at", Instant),
    # Since when the tree lacks transactions.
    sa.Column("unsealed_since", Instant),
    sa.PrimaryKeyConstraint("community_id", name="due_work_pkey"),
    sa.ForeignKeyConstraint(["community_id"], ["ledger_heads.community_id"], name="due_work_head_fkey"),
    sqlite_strict=True,
)


_earliest = (jobs.c.claimable_at, jobs.c.job_id)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to do at `due_at` or later; the payload holds ids."""

    community: int
    kind: str
    due_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job under a lease of ours."""

    community: int
    job_id: UUID
    kind: str
    due_at: datetime
    payload: dict[str, Any]
    attempts: int
    lease_token: UUID


class LeaseLostError(Exception):
    """The lease ran out and another worker has the job: the transaction must not commit."""


async def open_queue(session: Session, community: int) -> None:
    """Make a new community's row in `due_work`."""
    await session.execute(sa.insert(due_work).values(community_id=community, next_at=None))


async def enqueue(session: Session, new: Sequence[NewJob]) -> None:
    """Add jobs in the commit of what makes them necessary."""
    rows = [
        {
            "community_id": job.community,
            "job_id": new_id(),
            "kind": job.kind,
            "payload": job.payload,
            "due_at": job.due_at,
            "claimable_at": job.due_at,
            "attempts": 0,
        }
        for job in new
    ]
    await insert_rows(session, jobs, rows)
    for community in {job.community for job in new}:
        await _refresh(session, community)


async def communities_due(session: Session, now: datetime) -> list[int]:
    """Give the communities with a job that may be claimed by now."""
    found = await session.execute(sa.select(due_work.c.community_id).where(due_work.c.next_at <= now))
    return list(found.scalars())


async def mark_unsealed(session: Session, communities: Collection[int]) -> None:
    """Note that the trees of these communities lack transactions from now on."""
    rows = [{"community_id": community, "unsealed_since": session.now(community)} for community in communities]
    await update_rows(session, due_work, ("community_id",), rows)


async def mark_sealed(session: Session, communities: Collection[int]) -> None:
    """Note that the trees of these communities have all transactions."""
    rows = [{"community_id": community, "unsealed_since": None} for community in communities]
    await update_rows(session, due_work, ("community_id",), rows)


async def communities_unsealed(session: Session) -> list[tuple[int, datetime]]:
    """Give the communities whose trees lack transactions, and since when, those first that waited longest."""
    found = await session.execute(
        sa.select(due_work.c.community_id, due_work.c.unsealed_since)
        .where(due_work.c.unsealed_since.is_not(None))
        .order_by(due_work.c.unsealed_since, due_work.c.community_id)
    )
    return [(row.community_id, row.unsealed_since) for row in found]


async def sealed_numbers(session: Session, community: int) -> tuple[int, int, bool]:
    """Read the numbers of a community's last transaction and of the last that is sealed, and whether a seal is due.

    Without a head, which an audit may find missing or twice, nothing is posted.
    """
    h = ledger_heads.c
    due = sa.select(due_work.c.unsealed_since.is_not(None)).where(due_work.c.community_id == community)
    found = await session.execute(
        sa.select(h.transaction_number, h.sealed_number, due.scalar_subquery()).where(h.community_id == community)
    )
    rows = list(found)
    return (rows[0][0], rows[0][1], bool(rows[0][2])) if len(rows) == 1 else (0, 0, False)


async def claim(session: Session, community: int, *, alone: Collection[str] = ()) -> list[Claimed]:
    """Take the earliest claimable jobs of a community, all of one kind, under a lease of 60 s.

    Of the kinds that run `alone` one is taken. So is a job that was claimed before: should it be what killed its
    worker, it takes no other job with it.
    """
    now = session.now(community)
    ready = _ready(community, now) & (jobs.c.attempts < attempts_max)
    found = await session.execute(
        sa.select(jobs.c.job_id, jobs.c.kind, jobs.c.attempts).where(ready).order_by(*_earliest).limit(1)
    )
    first = found.first()
    if first is None:
        return []
    chosen = (jobs.c.kind == first.kind) & (jobs.c.attempts == 0)
    if first.attempts or first.kind in alone:
        chosen = jobs.c.job_id == first.job_id
    # A CTE runs once; as a plain subquery PostgreSQL may run it again for each row, and take more than the limit.
    taken = (
        sa.select(jobs.c.job_id)
        .where(ready, chosen)
        .order_by(*_earliest)
        .limit(claimed_max)
        .with_for_update(skip_locked=True)
        .cte("taken")
    )
    claimed = await session.execute(
        sa.update(jobs)
        .where(jobs.c.community_id == community, jobs.c.job_id.in_(sa.select(taken.c.job_id)))
        .values(claimable_at=now + lease, lease_token=uuid4(), attempts=jobs.c.attempts + 1)
        .returning(jobs)
    )
    mine = [_claimed(row) for row in claimed]
    await _refresh(session, community)
    return mine


def _ready(community: int, now: datetime) -> sa.ColumnElement[bool]:
    return (jobs.c.community_id == community) & (jobs.c.claimable_at <= now)


def _claimed(row: AnyRow) -> Claimed:
    return Claimed(row.community_id, row.job_id, row.kind, row.due_at, row.payload, row.attempts, row.lease_token)


async def give_up(session: Session, community: int) -> list[Claimed]:
    """Give up the jobs whose last attempt ended without a word, as when it killed its worker; they stay as evidence."""
    given_up = await session.execute(
        sa.update(jobs)
        .where(_ready(community, session.now(community)), jobs.c.attempts >= attempts_max)
        .values(claimable_at=None, error="WorkerDied")
        .returning(jobs)
    )
    mine = [_claimed(row) for row in given_up]
    if mine:
        await _refresh(session, community)
    return mine


async def renew(session: Session, job: Claimed) -> None:
    """Begin the lease of a job anew, for work that takes longer; nothing happens if the job is not ours any more."""
    await session.execute(sa.update(jobs).where(_ours([job])).values(claimable_at=session.now(job.community) + lease))
    await _refresh(session, job.community)


async def hand_back(session: Session, claimed: Sequence[Claimed]) -> None:
    """Let jobs be claimed again soon whose run an outage ended: that was no attempt."""
    community = claimed[0].community
    again_at = session.now(community) + timedelta(seconds=1)
    await session.execute(
        sa.update(jobs)
        .where(_ours(claimed))
        .values(claimable_at=again_at, lease_token=None, attempts=jobs.c.attempts - 1)
    )
    await _refresh(session, community)


def _ours(claimed: Sequence[Claimed]) -> sa.ColumnElement[bool]:
    return sa.and_(
        jobs.c.community_id == claimed[0].community,
        jobs.c.job_id.in_([job.job_id for job in claimed]),
        jobs.c.lease_token == claimed[0].lease_token,
    )


async def finish(session: Session, done: Sequence[Claimed]) -> None:
    """Remove jobs in the commit of their effect. Raises `LeaseLostError` if one is not ours any more."""
    community = done[0].community
    removed = await session.execute(sa.delete(jobs).where(_ours(done)))
    if removed.rowcount != len(done):
        raise LeaseLostError
    await _refresh(session, community)


async def postpone(session: Session, failed: Sequence[Claimed], error: str) -> None:
    """Let jobs whose run failed be claimed again later, ever later, and after ten attempts not at all."""
    community = failed[0].community
    attempts = max(job.attempts for job in failed)
    again_at = None
    if attempts < attempts_max:
        again_at = session.now(community) + timedelta(seconds=2**attempts)
    await session.execute(
        sa.update(jobs).where(_ours(failed)).values(claimable_at=again_at, lease_token=None, error=error)
    )
    await _refresh(session, community)


async def _refresh(session: Session, community: int) -> None:
    earliest = sa.select(sa.func.min(jobs.c.claimable_at)).where(jobs.c.community_id == community).scalar_subquery()
    await session.execute(sa.update(due_work).where(due_work.c.community_id == community).values(next_at=earliest))
