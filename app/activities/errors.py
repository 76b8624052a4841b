"""Why an activity, a series or a shift is not made or changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class ActivityEnded(Refusal):
    """Nothing is added to an activity that has ended, and it ends once."""

    code: ClassVar[str] = "activity-ended"
    activity_id: UUID

    @property
    def detail(self) -> str:
        """Name the activity."""
        return f"Activity {self.activity_id} has ended. Create a new one for what goes on."


@dataclass(frozen=True, slots=True)
class PositionsFull(Refusal):
    """The activity has as many positions as one may have."""

    code: ClassVar[str] = "positions-full"
    positions_max: int

    @property
    def detail(self) -> str:
        """Say how many there may be."""
        return f"The activity has {self.positions_max} positions, which is the most. Create another activity."


@dataclass(frozen=True, slots=True)
class SeriesEnded(Refusal):
    """The series ends no later than asked for already."""

    code: ClassVar[str] = "series-ended"
    series_id: UUID
    ends_on: dt.date

    @property
    def detail(self) -> str:
        """Say when it ends."""
        return f"Series {self.series_id} ends on {self.ends_on} already. Give an earlier day, or create a new series."


@dataclass(frozen=True, slots=True)
class ShiftBegun(Refusal):
    """The shift has begun."""

    code: ClassVar[str] = "shift-begun"
    shift_id: UUID
    starts_at: datetime

    @property
    def detail(self) -> str:
        """Say since when."""
        begun = self.starts_at.isoformat()
        return f"Shift {self.shift_id} has begun at {begun}; only one that has not can be moved or skipped."


@dataclass(frozen=True, slots=True)
class ShiftSkipped(Refusal):
    """The shift does not take place."""

    code: ClassVar[str] = "shift-skipped"
    shift_id: UUID

    @property
    def detail(self) -> str:
        """Name the shift."""
        return f"Shift {self.shift_id} was skipped and does not take place. Choose another, or create a new one."
