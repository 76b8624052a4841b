"""What an activity, a position, a series and a shift are, and what may be done to a shift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.activities.errors import ShiftBegun, ShiftSkipped
from app.kernel.errors import Fault, InvalidRequest

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID

    from app.kernel.errors import Refusal

VOLUNTEERS, MEMBERS, VENDORS, BENEFICIARIES = "volunteer", "member", "vendor", "beneficiary"
"""Who may fill a position."""

FIRST_COME, DRAW = "first_come", "draw"
"""Who gets a position's seats: whoever comes first, or who is drawn."""

PLANNED, SKIPPED = "planned", "skipped"

CANCELLATION_HOURS_DEFAULT = 24
POSITIONS_MAX = 20
"""Of one activity."""

SHIFT_HOURS_MAX = 24


@dataclass(frozen=True, slots=True)
class Position:
    """A role on an activity. `capacity` is the number of its seats on each shift."""

    id: UUID
    community: int
    activity_id: UUID
    number: int
    name: str
    participants: str
    capacity: int
    required_qualification: str | None
    allocation: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What is organised. Volunteers' time on it is recorded as its `service_kind`; where there is none, nothing is."""

    id: UUID
    community: int
    number: int
    kind: str
    service_kind: str | None
    name: str
    place: str
    content: str
    organiser: str
    cancellation_hours: int
    beneficiary_id: UUID | None
    partner_id: UUID | None
    site_id: UUID | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None
    positions: tuple[Position, ...] = ()
    revision: int = 1

    @property
    def counts_as_volunteering(self) -> bool:
        """Whether volunteers earn by it; the duty of embedded teams is no volunteering."""
        return self.service_kind is not None


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring activity. Its shifts begin `starts_at_minute` minutes after midnight by the clocks of the community.

    They were made up to `made_until`; `ends_on` is the last day that may have one, once somebody ended it.
    """

    id: UUID
    community: int
    activity_id: UUID
    number: int
    rule: str
    starts_on: dt.date
    starts_at_minute: int
    minutes: int
    made_until: dt.date | None
    created_by: str
    created_at: datetime
    ends_on: dt.date | None = None

    def is_before(self, shift: Shift) -> bool:
        """Whether it ended before the day of a shift."""
        return self.ends_on is not None and shift.occurs_on is not None and self.ends_on < shift.occurs_on


@dataclass(frozen=True, slots=True)
class Shift:
    """A dated slot of an activity. One of a series keeps the day that the rule gave, wherever it is moved to."""

    id: UUID
    community: int
    activity_id: UUID
    series_id: UUID | None
    occurs_on: dt.date | None
    number: int
    starts_at: datetime
    ends_at: datetime
    place: str
    status: str = PLANNED
    reason: str | None = None
    revision: int = 1

    def begun_at(self, moment: datetime) -> bool:
        """Whether it has begun."""
        return self.starts_at <= moment

    def is_from(self, day: dt.date | None) -> bool:
        """Whether its series has it for a day or a later one; None is before all."""
        return day is None or (self.occurs_on is not None and day <= self.occurs_on)

    def change_refusal(self, now: datetime) -> Refusal | None:
        """Why it is neither moved nor skipped now."""
        if self.status == SKIPPED:
            return ShiftSkipped(shift_id=self.id)
        return ShiftBegun(shift_id=self.id, starts_at=self.starts_at) if self.begun_at(now) else None


def span_refusal(starts_at: datetime, ends_at: datetime, *, after: datetime | None = None) -> InvalidRequest | None:
    """Why a shift cannot last from one moment to another, or not begin so early."""
    if after is not None and starts_at <= after:
        return InvalidRequest((Fault("/starts_at", "a shift is moved to a time that is still to come"),))
    if starts_at >= ends_at:
        return InvalidRequest((Fault("/ends_at", "a shift ends after it starts"),))
    if ends_at - starts_at > timedelta(hours=SHIFT_HOURS_MAX):
        return InvalidRequest((Fault("/ends_at", f"a shift lasts {SHIFT_HOURS_MAX} hours at most"),))
    return None


def skipped(shift: Shift, reason: str) -> Shift:
    """The shift as one that does not take place."""
    return replace(shift, status=SKIPPED, reason=reason, revision=shift.revision + 1)


def moved(shift: Shift, starts_at: datetime, ends_at: datetime, place: str | None, reason: str) -> Shift:
    """The shift at another time, and at another place if one is given."""
    return replace(
        shift,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place or shift.place,
        reason=reason,
        revision=shift.revision + 1,
    )
