"""Escalations: who was not at home twice running is looked for, until somebody has seen to it and says how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from app.kernel import persons
from app.kernel.errors import NotFound, Refusal, Refused
from app.kernel.events import Event, append
from app.kernel.ids import new_id
from app.kernel.vault import seal, unseal
from app.visits import store
from app.visits.errors import EscalationClosed
from app.visits.rules import CLOSED, OPEN, Escalation, two_absences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.kernel.rows import AnyRow
    from app.visits.store import Key


@dataclass(frozen=True, slots=True)
class Closing:
    """An escalation that somebody has seen to: why it can be closed, and what was done."""

    community: int
    escalation_id: UUID
    reason: str
    action: str | None
    closed_by: str


async def escalate(session: Session, person: Key) -> Escalation | None:
    """Open an escalation if a person was not at home twice running since the last one was closed, and none is open."""
    if await store.is_escalated(session, person):
        return None
    absences = two_absences(await store.marks_after(session, person, await store.seen_to_through(session, person)))
    if absences is None:
        return None
    community, beneficiary_id = person
    escalation_id = new_id()
    ids = {"escalation_id": str(escalation_id), "beneficiary_id": str(beneficiary_id)}
    shift_ids = [str(one.shift_id) for one in absences]
    (number,) = await append(session, [Event(community, "visit.escalated", {**ids, "shift_ids": shift_ids})])
    opened_at = session.now(community)
    first, second = (one.shift_id for one in absences)
    opened = Escalation(escalation_id, community, number, beneficiary_id, first, second, OPEN, opened_at)
    await store.insert_escalations(session, [opened])
    return opened


async def close_escalations(session: Session, closings: Sequence[Closing]) -> list[Escalation | Refusal]:
    """Close escalations in order; the visits that are known by then count towards no other."""
    return [await _close(session, item) for item in closings]


async def _close(session: Session, item: Closing) -> Escalation | Refusal:
    row = await store.load_escalation(session, (item.community, item.escalation_id))
    if row is None:
        return NotFound(resource="escalation")
    if row.status != OPEN:
        return EscalationClosed(escalation_id=item.escalation_id, closed_at=row.closed_at)
    (before,) = await _opened(session, [row])
    marks = await store.marks_after(session, (before.community, before.beneficiary_id), None)
    closed = replace(
        before,
        status=CLOSED,
        closed_by=item.closed_by,
        closed_at=session.now(item.community),
        closed_through=max(mark.starts_at for mark in marks),
    )
    sealed = None
    if not before.erased:
        closed = replace(closed, reason=item.reason, action=item.action)
        sealed = await _sealed(session, closed)
    await store.close_escalation(session, closed, sealed)
    ids = {"escalation_id": str(closed.id), "beneficiary_id": str(closed.beneficiary_id)}
    await append(session, [Event(closed.community, "escalation.closed", ids)])
    return closed


async def _sealed(session: Session, closed: Escalation) -> str:
    person = (closed.community, closed.beneficiary_id)
    said = {"reason": closed.reason, "action": closed.action}
    return seal((await persons.load_keys(session, [person]))[person], orjson.dumps(said), _context(closed))


def _context(escalation: Escalation) -> str:
    return f"escalation {escalation.community}/{escalation.id}"


async def _opened(session: Session, rows: Sequence[AnyRow]) -> list[Escalation]:
    """Escalations from their rows, readable unless the person was erased."""
    keys = await persons.load_keys(session, [(row.community_id, row.beneficiary_id) for row in rows])
    return [_readable(row, keys.get((row.community_id, row.beneficiary_id))) for row in rows]


def _readable(row: AnyRow, key: bytes | None) -> Escalation:
    escalation = Escalation(
        id=row.escalation_id,
        community=row.community_id,
        number=row.number,
        beneficiary_id=row.beneficiary_id,
        first_shift_id=row.first_shift_id,
        second_shift_id=row.second_shift_id,
        status=row.status,
        opened_at=row.opened_at,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
        closed_through=row.closed_through,
        erased=key is None,
    )
    if key is None or row.sealed is None:
        return escalation
    return replace(escalation, **orjson.loads(unseal(key, row.sealed, _context(escalation))))


async def get_escalation(session: Session, community: int, escalation_id: UUID) -> Escalation:
    """Read one escalation. Raises `Refused(NotFound)`."""
    row = await store.load_escalation(session, (community, escalation_id))
    if row is None:
        raise Refused(NotFound(resource="escalation"))
    return (await _opened(session, [row]))[0]


async def list_escalations(session: Session, community: int, paging: Paging) -> list[Escalation]:
    """Escalations, newest first; filters: `status`, `beneficiary_id`."""
    return await _opened(session, await store.page_of_escalations(session, community, paging))
