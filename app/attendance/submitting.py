"""The organiser submits: of every volunteer who came to what counts one service record is made, of nobody else any.

Who verifies it is another than who submitted it, where the community wants four eyes, as with every record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from app.activities.service import load_activities, load_positions, load_shifts
from app.attendance import store
from app.attendance.rules import ATTENDED, earns, facts_of, submission_refusal
from app.attendance.service import event_of
from app.hours.service import NewServiceRecord, record_services
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import append
from app.signups.errors import SignupNotOpen
from app.signups.rules import CONFIRMED, Signup
from app.signups.service import live_signups, load_signups

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from typing import TypeAlias
    from uuid import UUID

    from app.activities.rules import Activity, Position, Shift
    from app.attendance.rules import Attendance
    from app.attendance.store import Key
    from app.hours.rules import ServiceRecord
    from app.kernel.database import Session

    Contradiction: TypeAlias = Callable[[Session, Collection[Signup]], Awaitable[Mapping[Key, Refusal]]]
    """What a feature above has against somebody's having come, by sign-up."""


submitted_max = 500
"""As many as may be named; of a shift with more seats the others are submitted after."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A shift's attendance to submit: of these sign-ups, or what was recorded and not submitted."""

    community: int
    shift_id: UUID
    submitted_by: str
    signup_ids: tuple[UUID, ...] | None = None


class Submitted(NamedTuple):
    """What became of somebody's attendance: closed, with the service record that was made of it if any, or refused."""

    signup_id: UUID
    outcome: Attendance | Refusal
    record: ServiceRecord | None = None


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What submitting rests on; `known` grows as it is decided. `against` says of whom it cannot be that they came."""

    shifts: Mapping[Key, Shift]
    activities: Mapping[Key, Activity]
    positions: Mapping[Key, Position]
    signups: Mapping[Key, Signup]
    known: dict[Key, Attendance]
    against: Mapping[Key, Refusal]

    def meant(self, item: Submission) -> list[UUID]:
        """The sign-ups that are submitted, in order, each once."""
        if item.signup_ids is not None:
            return list(dict.fromkeys(item.signup_ids))
        of_shift = [one for one in self.signups.values() if one.shift_id == item.shift_id and one.status == CONFIRMED]
        recorded = [
            one.id
            for one in of_shift
            if (found := self.known.get((one.community, one.id))) is not None and not found.is_submitted
        ]
        return recorded[:submitted_max]

    def closed(self, item: Submission, signup_id: UUID, at: datetime) -> Attendance | Refusal:
        """Somebody's attendance as it is once submitted, or why it is not."""
        signup = self.signups.get((item.community, signup_id))
        if signup is None or signup.shift_id != item.shift_id:
            return NotFound(resource="signup")
        if signup.status != CONFIRMED:
            return SignupNotOpen(signup_status=signup.status)
        found = self.known.get((item.community, signup_id))
        refusal = submission_refusal(found)
        if refusal is not None or found is None:
            return refusal or NotFound(resource="signup")
        if found.outcome == ATTENDED and (contradiction := self.against.get((item.community, signup_id))):
            return contradiction
        closed = replace(found, submitted_by=item.submitted_by, submitted_at=at)
        self.known[item.community, signup_id] = closed
        return closed

    def service_of(self, closed: Attendance | Refusal) -> NewServiceRecord | None:
        """The service to record of it, if it is one."""
        if isinstance(closed, Refusal):
            return None
        signup = self.signups[closed.community, closed.signup_id]
        shift = self.shifts[signup.community, signup.shift_id]
        activity = self.activities[shift.community, shift.activity_id]
        if not earns(closed, self.positions[signup.community, signup.position_id], activity):
            return None
        by = closed.submitted_by or closed.recorded_by
        return NewServiceRecord(closed.community, signup.participant_id, facts_of(closed, shift, activity), by)


async def submit_attendance(
    session: Session, submissions: Sequence[Submission], *, contradictions: Sequence[Contradiction] = ()
) -> list[list[Submitted] | Refusal]:
    """Submit shifts' attendance in order; of all that counts records are made at once, each taken or refused by itself.

    Nobody has come where one of the features above contradicts. What is refused stays as it is and can be mended.
    """
    grounds = await _gather(session, submissions, contradictions)
    counts: list[int | Refusal] = []
    rows: list[Submitted] = []
    for item in submissions:
        if (item.community, item.shift_id) not in grounds.shifts:
            counts.append(NotFound(resource="shift"))
            continue
        meant, now = grounds.meant(item), session.now(item.community)
        rows += [Submitted(one, grounds.closed(item, one, now)) for one in meant]
        counts.append(len(meant))
    rows = await _record(session, grounds, rows)
    closed = [row.outcome for row in rows if not isinstance(row.outcome, Refusal)]
    await store.update(session, closed)
    signups = [grounds.signups[one.community, one.signup_id] for one in closed]
    await append(session, [event_of(signup, "attendance.submitted") for signup in signups])
    in_order = iter(rows)
    return [count if isinstance(count, Refusal) else list(islice(in_order, count)) for count in counts]


async def _gather(
    session: Session, submissions: Sequence[Submission], contradictions: Sequence[Contradiction]
) -> _Grounds:
    shifts = await load_shifts(session, {(item.community, item.shift_id) for item in submissions})
    named = {(item.community, one) for item in submissions for one in item.signup_ids or ()}
    whole = {(item.community, item.shift_id) for item in submissions if item.signup_ids is None}
    signups = await load_signups(session, named)
    for of_shift in (await live_signups(session, whole)).values():
        signups.update({(one.community, one.id): one for one in of_shift})
    against: dict[Key, Refusal] = {}
    for contradicted in contradictions:
        against |= await contradicted(session, signups.values())
    return _Grounds(
        shifts,
        await load_activities(session, {(one.community, one.activity_id) for one in shifts.values()}),
        await load_positions(session, {(one.community, one.position_id) for one in signups.values()}),
        signups,
        await store.load(session, signups),
        against,
    )


async def _record(session: Session, grounds: _Grounds, rows: Sequence[Submitted]) -> list[Submitted]:
    """Make the service records of what counts; where one is refused, so is the row."""
    services = [(place, new) for place, row in enumerate(rows) if (new := grounds.service_of(row.outcome))]
    outcomes = await record_services(session, [new for _, new in services])
    recorded = list(rows)
    for (place, _), outcome in zip(services, outcomes, strict=True):
        row = rows[place]
        if isinstance(outcome, Refusal):
            recorded[place] = row._replace(outcome=outcome)
        elif not isinstance(row.outcome, Refusal):
            closed = replace(row.outcome, service_record_id=outcome.id)
            recorded[place] = Submitted(row.signup_id, closed, outcome)
    return recorded
