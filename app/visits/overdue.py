"""Overdue visits: a day after its end somebody has to have said what came of a visit; else an event tells, once.

A job waits for that moment. It names the revision of the shift that it was made for: a shift that was moved has a job
of its own, and the one from before does nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import SKIPPED
from app.activities.service import load_activities
from app.kernel.events import append
from app.kernel.jobs import NewJob, enqueue
from app.visits.rules import HOME_VISIT, OVERDUE_AFTER, is_overdue
from app.visits.service import load_visits, visit_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.activities.rules import Shift
    from app.kernel.database import Session

TELL_OVERDUE = "tell_overdue_visit"


class Waiting(NamedTuple):
    """A visit whose outcome is waited for, and the revision of its shift for which it is."""

    community: int
    shift_id: UUID
    revision: int


async def wait_for_outcomes(session: Session, shifts: Sequence[Shift]) -> None:
    """Wait for what comes of those shifts, made or moved, that are visits."""
    activities = await load_activities(session, {(one.community, one.activity_id) for one in shifts})
    of_visits = {key for key, one in activities.items() if one.kind == HOME_VISIT and one.beneficiary_id is not None}
    await enqueue(session, [_job(one) for one in shifts if (one.community, one.activity_id) in of_visits])


def _job(shift: Shift) -> NewJob:
    payload = {"shift_id": str(shift.id), "revision": shift.revision}
    return NewJob(shift.community, TELL_OVERDUE, shift.ends_at + OVERDUE_AFTER, payload)


async def tell_overdue(session: Session, waiting: Sequence[Waiting]) -> None:
    """Tell of visits of which nobody has said what came of them; of those that are not so late yet, wait again."""
    visits = await load_visits(session, {one[:2] for one in waiting})
    events, too_early = [], []
    for one in waiting:
        visit = visits.get(one[:2])
        if visit is None or visit.outcome or visit.shift.status == SKIPPED or visit.shift.revision != one.revision:
            continue
        # The clock may have been set back since the job was claimed.
        if is_overdue(visit.shift, session.now(one.community)):
            events.append(visit_event(visit, "overdue"))
        else:
            too_early.append(_job(visit.shift))
    await append(session, events)
    await enqueue(session, too_early)
