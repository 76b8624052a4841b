"""What came of visits: said at the desk or by one of the pair, again and again until the attendance is submitted.

Where the attendance was submitted before anybody had said it, it is said once, as far as it agrees with that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.activities.errors import ShiftSkipped
from app.activities.rules import SKIPPED
from app.attendance.errors import ShiftNotBegun
from app.attendance.rules import ABSENT as MISSED
from app.attendance.rules import ATTENDED, EXCUSED, Listed, change_refusal, given_of
from app.attendance.service import NewList, load_attendance, record_lists
from app.kernel.errors import Fault, InvalidRequest, NotFound, Refusal
from app.kernel.events import append
from app.kernel.ids import new_id
from app.visits import store
from app.visits.escalations import escalate
from app.visits.rules import ABSENT, DONE, Outcome, Visit
from app.visits.service import load_visits, visit_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.attendance.rules import Attendance
    from app.kernel.database import Session
    from app.visits.store import Key


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """What came of a visit. `volunteer_id` is given when it is said by a volunteer, who has to be one of the pair.

    All below `outcome` goes with visits that were done: when it was where not at the time of the shift, and who of the
    pair did not come.
    """

    community: int
    shift_id: UUID
    outcome: str
    recorded_by: str
    tasks: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    break_minutes: int = 0
    absent_volunteer_ids: tuple[UUID, ...] = ()
    volunteer_id: UUID | None = None


async def record_outcomes(session: Session, new: Sequence[NewOutcome]) -> list[Visit | Refusal]:
    """Record what came of visits, in order. The last word on each stands; what attendance is open follows it."""
    return [await _record(session, item) for item in new]


async def _record(session: Session, item: NewOutcome) -> Visit | Refusal:
    key = (item.community, item.shift_id)
    visit = (await load_visits(session, [key])).get(key)
    if visit is None or (item.volunteer_id is not None and item.volunteer_id not in visit.volunteer_ids):
        return NotFound(resource="visit")
    known = await load_attendance(session, {(one.community, one.id) for one in visit.signups})
    now = session.now(item.community)
    lines = _lines(visit, item, known, now)
    refusal = _refusal(visit, item, known, lines, now)
    if refusal is not None:
        return refusal
    left = tuple(line for line in lines if _submitted(line, known, item.community) is None)
    if left:
        (listed,) = await record_lists(session, [NewList(*key, left, item.recorded_by)])
        if isinstance(listed, Refusal):
            return listed
    (number,) = await append(session, [visit_event(visit, item.outcome)])
    outcome = _outcome(item, number, now)
    await store.insert_outcomes(session, [outcome])
    if item.outcome == ABSENT:
        await escalate(session, (item.community, visit.plan.beneficiary_id))
    return replace(visit, outcome=outcome)


def _refusal(
    visit: Visit, item: NewOutcome, known: Mapping[Key, Attendance], lines: Sequence[Listed], now: datetime
) -> Refusal | None:
    if visit.shift.status == SKIPPED:
        return ShiftSkipped(shift_id=visit.shift.id)
    if not visit.shift.begun_at(now):
        return ShiftNotBegun(starts_at=visit.shift.starts_at)
    if refusal := _submission_refusal(visit, item, known, lines):
        return refusal
    if strangers := set(item.absent_volunteer_ids) - set(visit.volunteer_ids):
        message = f"{min(strangers)} is not signed up for this visit"
        return InvalidRequest((Fault("/absent_volunteer_ids", message),))
    return _time_refusal(visit, item, lines, now) if item.outcome == DONE else None


def _submission_refusal(
    visit: Visit, item: NewOutcome, known: Mapping[Key, Attendance], lines: Sequence[Listed]
) -> Refusal | None:
    """Why it is too late to say this: what was submitted stands, and nothing is said against it or a second time."""
    for line in lines:
        before = _submitted(line, known, item.community)
        if before is None:
            continue
        agrees = (line.outcome == ATTENDED) == (before.outcome == ATTENDED)
        if visit.outcome is not None or _says_time(item) or not agrees:
            return change_refusal(before)
    return None


def _submitted(line: Listed, known: Mapping[Key, Attendance], community: int) -> Attendance | None:
    before = known.get((community, line.signup_id))
    return before if before is not None and before.is_submitted else None


def _says_time(item: NewOutcome) -> bool:
    return item.started_at is not None or item.ended_at is not None or item.break_minutes > 0


def _time_refusal(visit: Visit, item: NewOutcome, lines: Sequence[Listed], now: datetime) -> InvalidRequest | None:
    came = [line for line in lines if line.outcome == ATTENDED]
    if not came:
        message = "of the pair nobody came: sign up who did the visit, or say that there was none"
        return InvalidRequest((Fault("/outcome", message),))
    if item.ended_at is not None and item.ended_at > now:
        return InvalidRequest((Fault("/ended_at", "a visit that was done is over"),))
    all_given = [given_of(line, visit.shift, now) for line in came]
    return next((given for given in all_given if isinstance(given, InvalidRequest)), None)


def _lines(visit: Visit, item: NewOutcome, known: Mapping[Key, Attendance], now: datetime) -> tuple[Listed, ...]:
    """What the outcome says about the coming of the pair: of a visit in vain they are excused, without time."""
    if item.outcome != DONE:
        return tuple(Listed(signup.id, EXCUSED) for signup in visit.signups)
    # One that was done before its time is over, and nothing more is given.
    ended_at = item.ended_at or min(visit.shift.ends_at, now)
    return tuple(
        Listed(signup.id, MISSED)
        if signup.participant_id in item.absent_volunteer_ids
        else _came(signup.id, item, known.get((signup.community, signup.id)), ended_at)
        for signup in visit.signups
    )


def _came(signup_id: UUID, item: NewOutcome, before: Attendance | None, ended_at: datetime) -> Listed:
    """Somebody who came: at the time that was said, else that seen at the place, else that of the shift."""
    is_said = item.started_at is not None or item.ended_at is not None
    if is_said or before is None or before.checked_out_at is None:
        return Listed(signup_id, ATTENDED, item.started_at, ended_at, item.break_minutes)
    break_minutes = item.break_minutes or before.break_minutes
    return Listed(signup_id, ATTENDED, before.checked_in_at, before.checked_out_at, break_minutes)


def _outcome(item: NewOutcome, number: int, now: datetime) -> Outcome:
    return Outcome(
        id=new_id(),
        community=item.community,
        number=number,
        shift_id=item.shift_id,
        outcome=item.outcome,
        tasks=item.tasks,
        started_at=item.started_at,
        ended_at=item.ended_at,
        break_minutes=item.break_minutes,
        absent_volunteer_ids=item.absent_volunteer_ids,
        recorded_by=item.recorded_by,
        recorded_at=now,
    )
