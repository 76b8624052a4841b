"""Attendance: recorded by the organiser's list, and read with what is proposed of it and what is doubtful."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import MEMBERS, VOLUNTEERS
from app.activities.service import get_shift, load_positions, load_shifts
from app.attendance import store
from app.attendance.errors import ShiftNotBegun
from app.attendance.rules import (
    ABSENT,
    ATTENDED,
    BY_LIST,
    Attendance,
    Given,
    change_refusal,
    doubts_of,
    given_of,
)
from app.communities.service import communities_by_number
from app.hours.calendar import is_working_day
from app.hours.rules import is_late
from app.hours.service import load_days
from app.kernel.errors import NotFound, Refusal
from app.kernel.events import Event, append
from app.signups.errors import SignupNotOpen
from app.signups.rules import CONFIRMED
from app.signups.service import load_signups

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Position, Shift
    from app.attendance.rules import Listed
    from app.attendance.store import DayOfDuty, Key, NoShow
    from app.communities.rules import Community
    from app.hours.rules import Days
    from app.kernel.database import Session
    from app.kernel.paging import Paging
    from app.signups.rules import Signup


@dataclass(frozen=True, slots=True)
class NewList:
    """The organiser's list of who came to a shift."""

    community: int
    shift_id: UUID
    lines: tuple[Listed, ...]
    recorded_by: str


class Line(NamedTuple):
    """A confirmed sign-up to a shift: who was to come, what is known of it, and what is doubtful about that."""

    signup: Signup
    position: Position
    attendance: Attendance | None
    doubts: tuple[str, ...] = ()


class Sum(NamedTuple):
    """Submitted time of a month: by which kind of participants, for which kind of activity, and by whom if asked."""

    activity_kind: str
    participants: str
    participant_id: UUID | None
    month: str
    times: int
    minutes: int


async def record_lists(session: Session, lists: Sequence[NewList]) -> list[list[Line | Refusal] | Refusal]:
    """Record organisers' lists in order: each line is taken or refused by itself, until it is submitted."""
    shifts = await load_shifts(session, {(item.community, item.shift_id) for item in lists})
    asked = {(item.community, line.signup_id) for item in lists for line in item.lines}
    signups, known = await load_signups(session, asked), await store.load(session, asked)
    homes = await session.ask(communities_by_number(session.dialect, {item.community for item in lists}))
    now_known = dict(known)
    outcomes: list[list[Key | Refusal] | Refusal] = []
    for item in lists:
        shift, now = shifts.get((item.community, item.shift_id)), session.now(item.community)
        if shift is None:
            outcomes.append(NotFound(resource="shift"))
        elif not shift.begun_at(now):
            outcomes.append(ShiftNotBegun(starts_at=shift.starts_at))
        else:
            taken: list[Key | Refusal] = []
            outcomes.append(taken)
            for line in item.lines:
                key = (item.community, line.signup_id)
                noted = _listed(item, line, shift, signups.get(key), now_known.get(key), homes[item.community], now)
                if isinstance(noted, Attendance):
                    now_known[key] = noted
                taken.append(noted if isinstance(noted, Refusal) else key)
    await keep(session, known, now_known, signups)
    lines = await lines_of(session, list(signups.values()), now_known)
    return [
        outcome
        if isinstance(outcome, Refusal)
        else [one if isinstance(one, Refusal) else lines[one] for one in outcome]
        for outcome in outcomes
    ]


def _listed(
    item: NewList,
    line: Listed,
    shift: Shift,
    signup: Signup | None,
    before: Attendance | None,
    home: Community,
    now: datetime,
) -> Attendance | Refusal:
    """What a line makes of what was known before, or why it is refused."""
    if signup is None or signup.shift_id != shift.id:
        return NotFound(resource="signup")
    if signup.status != CONFIRMED:
        return SignupNotOpen(signup_status=signup.status)
    if refusal := change_refusal(before):
        return refusal
    seen = before or Attendance(signup.community, signup.id, line.outcome, BY_LIST, item.recorded_by, now)
    noted = replace(seen, outcome=line.outcome, method=BY_LIST, recorded_by=item.recorded_by, recorded_at=now)
    given = given_of(line, shift, now) if line.outcome == ATTENDED else None
    if isinstance(given, Given):
        day = home.local_date(given.starts_at)
        return replace(noted, service_date=day, **given._asdict())
    return given or replace(noted, starts_at=None, ends_at=None, service_date=None, break_minutes=0, minutes=None)


async def keep(
    session: Session, before: Mapping[Key, Attendance], now: Mapping[Key, Attendance], signups: Mapping[Key, Signup]
) -> None:
    """Store attendance that is new or changed, and tell who did not come."""
    changed = {key: one for key, one in now.items() if before.get(key) != one}
    await store.insert(session, [one for key, one in changed.items() if key not in before])
    await store.update(session, [one for key, one in changed.items() if key in before])
    missed = [
        signups[key]
        for key, one in changed.items()
        if one.outcome == ABSENT and not (key in before and before[key].outcome == ABSENT)
    ]
    await append(session, [event_of(signup, "attendance.absent") for signup in missed])


def event_of(signup: Signup, what: str) -> Event:
    """An event about who was to come."""
    ids = {
        "signup_id": str(signup.id),
        "shift_id": str(signup.shift_id),
        "position_id": str(signup.position_id),
        "participant_id": str(signup.participant_id),
    }
    return Event(signup.community, what, ids)


async def lines_of(session: Session, signups: Sequence[Signup], known: Mapping[Key, Attendance]) -> dict[Key, Line]:
    """Put beside sign-ups what is known of them, and what is doubtful about that."""
    positions = await load_positions(session, {(one.community, one.position_id) for one in signups})
    shifts = await load_shifts(session, {(one.community, one.shift_id) for one in signups})
    homes = await session.ask(communities_by_number(session.dialect, {one.community for one in signups}))
    days = await _days_of(session, signups, positions, known)
    lines = {}
    for signup in signups:
        key, position = (signup.community, signup.id), positions[signup.community, signup.position_id]
        attendance = known.get(key)
        doubts: tuple[str, ...] = ()
        if attendance is not None:
            shift = shifts[signup.community, signup.shift_id]
            doubts = doubts_of(
                attendance,
                shift,
                late=_came_late(session, homes[signup.community], attendance, shift),
                over_day=_over_day(days.get((signup.community, signup.participant_id)), attendance),
            )
        lines[key] = Line(signup, position, attendance, doubts)
    return lines


async def _days_of(
    session: Session,
    signups: Sequence[Signup],
    positions: Mapping[Key, Position],
    known: Mapping[Key, Attendance],
) -> Mapping[Key, Days]:
    dates: dict[Key, set[dt.date]] = {}
    for one in signups:
        attendance = known.get((one.community, one.id))
        of_volunteer = positions[one.community, one.position_id].participants == VOLUNTEERS
        if of_volunteer and attendance is not None and attendance.service_date is not None:
            dates.setdefault((one.community, one.participant_id), set()).add(attendance.service_date)
    return await load_days(session, dates) if dates else {}


def _came_late(session: Session, home: Community, attendance: Attendance, shift: Shift) -> bool:
    until = home.local_date(attendance.submitted_at or session.now(attendance.community))
    return is_late(home.local_date(attendance.ends_at or shift.ends_at), until, is_working_day)


def _over_day(days: Days | None, attendance: Attendance) -> bool:
    if days is None or attendance.service_date is None:
        return False
    # What was submitted stands among the records of the day already.
    more = 0 if attendance.service_record_id else attendance.minutes or 0
    return days.would_be_over(attendance.service_date, more)


async def load_attendance(session: Session, signup_keys: Collection[Key]) -> dict[Key, Attendance]:
    """Load the attendance of sign-ups; those without any are missing."""
    return await store.load(session, signup_keys)


async def list_attendance(session: Session, community: int, paging: Paging, *, shift_id: UUID) -> list[Line]:
    """Who was to come to a shift, by seat and then in the order of the sign-ups. Raises `Refused(NotFound)`."""
    await get_shift(session, community, shift_id)
    keys = [(community, one) for one in await store.page_of_shift(session, community, shift_id, paging)]
    signups = await load_signups(session, keys)
    lines = await lines_of(session, list(signups.values()), await store.load(session, keys))
    return [lines[key] for key in keys]


async def list_no_shows(
    session: Session, community: int, paging: Paging, *, since: datetime | None, before: datetime | None
) -> list[NoShow]:
    """Confirmed sign-ups whose participants did not come, the newest first; filters: `participant_id`."""
    return await store.page_of_no_shows(session, community, paging, since, before)


async def no_shows_since(session: Session, participants: Collection[Key], since: datetime) -> dict[Key, list[NoShow]]:
    """The shifts that began since a moment and to which these participants did not come; who always came is missing.

    Absence counts as soon as it is recorded, and no more once the list says otherwise.
    """
    return await store.no_shows_of(session, participants, since)


async def time_given(
    session: Session, community: int, first: dt.date, last: dt.date, *, by_participant: bool = False
) -> list[Sum]:
    """Sum the submitted time from one local date to another by month, kind of activity and kind of participants.

    The duty of embedded teams is counted here and nowhere else: it is never in the ledger.
    """
    sums: dict[tuple[str, str, UUID | None, str], tuple[int, int]] = {}
    for one in await store.days_of_duty(session, community, first, last, by_participant=by_participant):
        key = (one.activity_kind, one.participants, one.participant_id, f"{one.day:%Y-%m}")
        times, minutes = sums.get(key, (0, 0))
        sums[key] = (times + one.times, minutes + one.minutes)
    return [Sum(*key, *counted) for key, counted in sorted(sums.items(), key=lambda item: tuple(map(str, item[0])))]


async def duty_of_members(session: Session, community: int, first: dt.date, last: dt.date) -> list[DayOfDuty]:
    """Sum the submitted time of members of embedded teams from one local date to another, by member and day."""
    return await store.days_of_duty(session, community, first, last, by_participant=True, participants=MEMBERS)
