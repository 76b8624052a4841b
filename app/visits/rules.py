"""Visits, pure: what becomes of one, when it is overdue, and when absences are too many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from app.activities.rules import SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from app.activities.rules import Activity, Series, Shift
    from app.signups.rules import Signup

HOME_VISIT = "home_visit"
"""The kind of activity that visits are."""

PAIR = 2
"""So many volunteers visit together."""

DONE, ABSENT, REFUSED = "done", "absent", "refused"
"""The pair was let in and helped; nobody was at home; the person did not want them."""

DUE, OVERDUE = "due", "overdue"

STATUSES = (DUE, DONE, ABSENT, REFUSED, OVERDUE, SKIPPED)
"""What a visit may be."""

OVERDUE_AFTER = timedelta(hours=24)
"""So long after its end somebody has to have said what came of a visit."""

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True)
class Plan:
    """That a pair of volunteers visits a person served: an activity of its own with one position, and its series.

    `ended_reason` is the person's, and None once the person was erased.
    """

    id: UUID
    community: int
    number: int
    activity_id: UUID
    position_id: UUID
    series_id: UUID
    beneficiary_id: UUID
    created_by: str
    created_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlanInFull:
    """A plan with what it stands for. `erased` tells whether the person's data is gone."""

    plan: Plan
    activity: Activity
    series: Series
    pair: tuple[UUID, ...]
    erased: bool = False

    @property
    def number(self) -> int:
        """The plan's."""
        return self.plan.number


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a visit. The newest of a visit stands. Of blood pressure it knows that it was measured, no value."""

    id: UUID
    community: int
    number: int
    shift_id: UUID
    outcome: str
    tasks: tuple[str, ...]
    started_at: datetime | None
    ended_at: datetime | None
    break_minutes: int
    absent_volunteer_ids: tuple[UUID, ...]
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A shift of a plan, with the seats of its pair and the outcome that stands."""

    shift: Shift
    plan: Plan
    signups: tuple[Signup, ...]
    outcome: Outcome | None

    @property
    def number(self) -> int:
        """The shift's."""
        return self.shift.number

    @property
    def volunteer_ids(self) -> tuple[UUID, ...]:
        """Who is signed up for it."""
        return tuple(signup.participant_id for signup in self.signups)

    def status_at(self, moment: datetime) -> str:
        """What it is at a moment."""
        if self.shift.status == SKIPPED:
            return SKIPPED
        if self.outcome is not None:
            return self.outcome.outcome
        return OVERDUE if is_overdue(self.shift, moment) else DUE


@dataclass(frozen=True, slots=True)
class Escalation:
    """That a person served was not at home twice running, until somebody has seen to it.

    `closed_through` is when the last visit that was known then began: that one and those before count no more.
    `reason` and `action` are about the person, and None once the person was erased.
    """

    id: UUID
    community: int
    number: int
    beneficiary_id: UUID
    first_shift_id: UUID
    second_shift_id: UUID
    status: str
    opened_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None
    closed_through: datetime | None = None
    reason: str | None = None
    action: str | None = None
    erased: bool = False


class Mark(NamedTuple):
    """What came of a visit that began at a moment."""

    starts_at: datetime
    number: int
    shift_id: UUID
    outcome: str


def is_overdue(shift: Shift, moment: datetime) -> bool:
    """Whether somebody should have said by a moment what came of a visit."""
    return shift.ends_at + OVERDUE_AFTER <= moment


def two_absences(marks: Iterable[Mark]) -> tuple[Mark, Mark] | None:
    """The first two visits of a person, in the order of their starts, at which nobody was at home twice running."""
    in_order = sorted(marks)
    return next(((one, next_) for one, next_ in pairwise(in_order) if one.outcome == next_.outcome == ABSENT), None)
