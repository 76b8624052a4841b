"""Attendance, pure: what is proposed for the service record, what is doubtful about it, and the codes of places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import VOLUNTEERS
from app.attendance.errors import (
    AlreadyCheckedIn,
    AttendanceClosed,
    AttendanceIncomplete,
    AttendanceSubmitted,
    NotCheckedIn,
    ShiftNotBegun,
)
from app.hours.rules import ServiceFacts, faults_of_times
from app.kernel.errors import Fault, InvalidRequest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Activity, Position, Shift
    from app.kernel.errors import Refusal
    from app.signups.rules import Signup

PRESENT, ATTENDED, ABSENT, EXCUSED = "present", "attended", "absent", "excused"
"""Checked in and not out yet; came; did not come; did not have to."""

BY_LIST, AT_DESK, BY_CODE = "list", "desk", "code"

CHECKED_AROUND = timedelta(minutes=60)
"""So long before a shift begins and after it ends people check in and out."""

OFF_SHIFT_MAX = timedelta(minutes=15)
"""So long before or after the shift a service may begin or end without a doubt."""

CODE_SECONDS, CODE_GRACE_SECONDS = 30, 10
"""How long a place shows a code, and how much longer it is good."""

_code_length = 10
# None of these looks like another: no I or 1, no O or 0.
_alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_bits_a_letter = 5
_hash_digits = 13
_spare_bits = 4 * _hash_digits - _bits_a_letter * _code_length

LATE, OVER_LONG, OUTSIDE_SHIFT, NO_CHECK_OUT, OVER_DAY = (
    "late",
    "over_long",
    "outside_shift",
    "no_check_out",
    "over_day",
)


@dataclass(frozen=True, slots=True)
class Attendance:
    """What is known of somebody's coming: what was seen (`checked_…`), and the time that is proposed as given."""

    community: int
    signup_id: UUID
    outcome: str
    method: str
    recorded_by: str
    recorded_at: datetime
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    service_date: dt.date | None = None
    break_minutes: int = 0
    minutes: int | None = None
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    service_record_id: UUID | None = None

    @property
    def is_submitted(self) -> bool:
        """Whether it is closed for good."""
        return self.submitted_at is not None


class Given(NamedTuple):
    """Time given: from when to when, and how many whole minutes of it after breaks."""

    starts_at: datetime
    ends_at: datetime
    break_minutes: int
    minutes: int


class Listed(NamedTuple):
    """A line of the organiser's list; of who attended the time where it was not that of the shift."""

    signup_id: UUID
    outcome: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    break_minutes: int = 0
    minutes: int | None = None


def given_of(listed: Listed, shift: Shift, now: datetime) -> Given | InvalidRequest:
    """The time that a line of the list says was given: the shift's unless it says otherwise, less the breaks."""
    starts_at, ends_at = listed.started_at or shift.starts_at, listed.ended_at or shift.ends_at
    if starts_at > now:
        return InvalidRequest(errors=(Fault("/started_at", "nobody has come in the future"),))
    if ends_at > now:
        return InvalidRequest(errors=(Fault("/ended_at", "nobody has left in the future: say until when it was"),))
    left = whole_minutes(starts_at, ends_at) - listed.break_minutes
    minutes = left if listed.minutes is None else listed.minutes
    fault = faults_of_times(starts_at, ends_at, minutes + listed.break_minutes)
    if fault is not None:
        return InvalidRequest(errors=(Fault("/ended_at" if ends_at <= starts_at else "/minutes", fault),))
    if minutes <= 0:
        return InvalidRequest(errors=(Fault("/break_minutes", "the breaks leave no minute that was given"),))
    return Given(starts_at, ends_at, listed.break_minutes, minutes)


def whole_minutes(starts_at: datetime, ends_at: datetime) -> int:
    """The whole minutes from one moment to another."""
    return (ends_at - starts_at) // timedelta(minutes=1)


def check_in_refusal(before: Attendance | None, shift: Shift, now: datetime) -> Refusal | None:
    """Why nobody checks in to a shift now; who was listed as absent may still come."""
    if (refusal := _off_time(shift, now)) or before is None:
        return refusal
    if before.is_submitted:
        return _submitted(before)
    came = before.outcome in {PRESENT, ATTENDED} and not _before_move(before, shift)
    return AlreadyCheckedIn(checked_in_at=before.checked_in_at) if came else None


def check_out_refusal(before: Attendance | None, shift: Shift, now: datetime, break_minutes: int) -> Refusal | None:
    """Why nobody checks out of a shift now."""
    if refusal := _off_time(shift, now):
        return refusal
    if before is not None and before.is_submitted:
        return _submitted(before)
    if before is None or before.outcome != PRESENT or before.checked_in_at is None or _before_move(before, shift):
        return NotCheckedIn()
    if break_minutes > whole_minutes(before.checked_in_at, now):
        return InvalidRequest(errors=(Fault("/break_minutes", "breaks are not longer than the time at the place"),))
    return None


def _before_move(before: Attendance, shift: Shift) -> bool:
    """Whether somebody was seen for a shift that was moved to a later time then: that was not coming to it."""
    if before.checked_in_at is None or before.method == BY_LIST:
        return False
    return before.checked_in_at < shift.starts_at - CHECKED_AROUND


def _off_time(shift: Shift, now: datetime) -> Refusal | None:
    if now < shift.starts_at - CHECKED_AROUND:
        return ShiftNotBegun(starts_at=shift.starts_at)
    return AttendanceClosed(ends_at=shift.ends_at) if now > shift.ends_at + CHECKED_AROUND else None


def _submitted(attendance: Attendance) -> AttendanceSubmitted:
    at = attendance.submitted_at or attendance.recorded_at
    return AttendanceSubmitted(submitted_at=at, service_record_id=attendance.service_record_id)


def change_refusal(before: Attendance | None) -> AttendanceSubmitted | None:
    """Why what was recorded is not recorded otherwise."""
    return _submitted(before) if before is not None and before.is_submitted else None


def submission_refusal(attendance: Attendance | None) -> Refusal | None:
    """Why attendance is not submitted."""
    if attendance is None:
        return AttendanceIncomplete(outcome=None)
    if attendance.is_submitted:
        return _submitted(attendance)
    if attendance.outcome == PRESENT or (attendance.outcome == ATTENDED and not _is_service(attendance)):
        return AttendanceIncomplete(outcome=attendance.outcome)
    return None


def _is_service(attendance: Attendance) -> bool:
    """Whether the time that is proposed is one that a service may last."""
    if not (attendance.starts_at and attendance.ends_at and attendance.minutes):
        return False
    return faults_of_times(attendance.starts_at, attendance.ends_at, attendance.minutes) is None


def earns(attendance: Attendance, position: Position, activity: Activity) -> bool:
    """Whether a service record is made of it: of volunteers who came to what counts, and of nobody else."""
    came = attendance.outcome == ATTENDED
    return came and position.participants == VOLUNTEERS and activity.counts_as_volunteering


def facts_of(attendance: Attendance, shift: Shift, activity: Activity) -> ServiceFacts:
    """The facts of the service record that is made of it."""
    if not (activity.service_kind and attendance.starts_at and attendance.ends_at and attendance.minutes):
        message = f"of attendance {attendance.signup_id} no service record can be made"
        raise ValueError(message)
    return ServiceFacts(
        service_kind=activity.service_kind,
        activity_name=activity.name,
        place=shift.place,
        content=activity.content,
        organiser=activity.organiser,
        started_at=attendance.starts_at,
        ended_at=attendance.ends_at,
        minutes=attendance.minutes,
        beneficiary_id=activity.beneficiary_id,
        shift_id=shift.id,
    )


def doubts_of(attendance: Attendance, shift: Shift, *, late: bool, over_day: bool) -> tuple[str, ...]:
    """What somebody should look at before relying on what is proposed; none of it stands against submitting."""
    starts_at, ends_at = attendance.starts_at or shift.starts_at, attendance.ends_at or shift.ends_at
    early, long = shift.starts_at - starts_at > OFF_SHIFT_MAX, ends_at - shift.ends_at > OFF_SHIFT_MAX
    found = {
        LATE: late,
        OVER_LONG: (attendance.minutes or 0) > whole_minutes(shift.starts_at, shift.ends_at),
        OUTSIDE_SHIFT: early or long,
        NO_CHECK_OUT: attendance.checked_in_at is not None and attendance.checked_out_at is None,
        OVER_DAY: over_day,
    }
    return tuple(doubt for doubt, holds in found.items() if holds)


def checked_in(signup: Signup, *, by: str, at: datetime, method: str) -> Attendance:
    """Somebody who came."""
    return Attendance(signup.community, signup.id, PRESENT, method, by, at, checked_in_at=at, starts_at=at)


def checked_out(
    before: Attendance, *, by: str, at: datetime, method: str, break_minutes: int, service_date: dt.date
) -> Attendance:
    """Somebody who left; between is what is proposed, less the breaks."""
    starts_at = before.starts_at or at
    return replace(
        before,
        outcome=ATTENDED,
        method=method,
        recorded_by=by,
        recorded_at=at,
        checked_out_at=at,
        ends_at=at,
        service_date=service_date,
        break_minutes=break_minutes,
        minutes=whole_minutes(starts_at, at) - break_minutes,
    )


def steps_good_at(moment: datetime) -> tuple[int, ...]:
    """The steps of thirty seconds since 1970 whose codes are good: the one that goes on, and just after the last."""
    seconds = moment.timestamp()
    step = int(seconds // CODE_SECONDS)
    return (step, step - 1) if seconds % CODE_SECONDS < CODE_GRACE_SECONDS else (step,)


def code_of(hashed: str) -> str:
    """The code that a place shows, of the keyed hash (hex) of community, place and step."""
    bits = int(hashed[:_hash_digits], 16) >> _spare_bits
    return "".join(_alphabet[bits >> (_bits_a_letter * at) & 31] for at in reversed(range(_code_length)))


def nearest(shifts: Iterable[Shift], now: datetime) -> list[Shift]:
    """Shifts by how near they are: those that go on now before those that are over or to come."""
    none = timedelta(0)
    return sorted(
        shifts, key=lambda shift: (max(shift.starts_at - now, now - shift.ends_at, none), shift.starts_at, shift.number)
    )
