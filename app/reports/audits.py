"""Audits that are asked for over the API and run as jobs: requested, started, and done or failed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.jobs import NewJob, enqueue
from app.reports import store
from app.reports.rules import DONE, ENDED, FAILED, PENDING, RUNNING, Audit, Found

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.ledger import Discrepancy
    from app.reports.store import AuditKey

AUDIT = "audit_ledger"

discrepancies_kept_max = 1000


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """A wish for an audit of a community, and whose it is."""

    community: int
    requested_by: str


async def request_audits(session: Session, wishes: Sequence[AuditRequest]) -> list[Audit | Refusal]:
    """Request audits; while one waits in a community, it is the answer, since it will see all there is now."""
    waiting = await store.pending(session, {wish.community for wish in wishes})
    new: list[Audit] = []
    for wish in wishes:
        if wish.community not in waiting:
            now = session.now(wish.community)
            waiting[wish.community] = Audit(new_id(), wish.community, wish.requested_by, now, PENDING)
            new.append(waiting[wish.community])
    await store.insert(session, new)
    await append(session, [_event(one, "requested") for one in new])
    await enqueue(session, [NewJob(one.community, AUDIT, one.requested_at, {"audit_id": str(one.id)}) for one in new])
    return [waiting[wish.community] for wish in wishes]


def _event(audit: Audit, what: str) -> Event:
    return Event(audit.community, f"audit.{what}", {"audit_id": str(audit.id)})


async def start_audit(session: Session, key: AuditKey) -> None:
    """Mark an audit as running; one whose worker died starts anew."""
    audit = (await store.load(session, [key]))[key]
    await store.update(session, [replace(audit, status=RUNNING, started_at=session.now(audit.community))])
    if audit.status == PENDING:
        await append(session, [_event(audit, "started")])


async def finish_audit(
    session: Session, key: AuditKey, *, last_transaction_id: int, discrepancies: Sequence[Discrepancy]
) -> None:
    """Keep what an audit found."""
    audit = (await store.load(session, [key]))[key]
    kept = tuple(Found(one.check, one.subject, one.detail) for one in discrepancies[:discrepancies_kept_max])
    done = replace(
        audit,
        status=DONE,
        finished_at=session.now(audit.community),
        last_transaction_id=last_transaction_id,
        discrepancies_count=len(discrepancies),
        discrepancies=kept,
    )
    await store.update(session, [done])
    await append(session, [_event(done, done.status)])


async def fail_audits(session: Session, keys: Sequence[AuditKey]) -> None:
    """Mark audits as failed that nobody tries again."""
    found = await store.load(session, keys)
    failed = [
        replace(one, status=FAILED, finished_at=session.now(one.community))
        for one in found.values()
        if one.status not in ENDED
    ]
    await store.update(session, failed)
    await append(session, [_event(one, one.status) for one in failed])


async def get_audit(session: Session, community: int, audit_id: UUID) -> Audit:
    """Read one audit. Raises `Refused(NotFound)`."""
    found = await store.load(session, [(community, audit_id)])
    if not found:
        raise Refused(NotFound(resource="audit"))
    return found[community, audit_id]
