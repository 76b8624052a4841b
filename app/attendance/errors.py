"""Why attendance is not recorded, or not submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class ShiftNotBegun(Refusal):
    """It is too early to say who came."""

    code: ClassVar[str] = "shift-not-begun"
    starts_at: datetime

    @property
    def detail(self) -> str:
        """Say when it begins."""
        return f"The shift begins at {self.starts_at.isoformat()}; people check in from an hour before."


@dataclass(frozen=True, slots=True)
class AttendanceClosed(Refusal):
    """The shift ended so long ago that nobody checks in or out any more."""

    code: ClassVar[str] = "attendance-closed"
    ends_at: datetime

    @property
    def detail(self) -> str:
        """Say when it ended."""
        return f"The shift ended at {self.ends_at.isoformat()}; who came since an hour after goes into its list."


@dataclass(frozen=True, slots=True)
class AttendanceSubmitted(Refusal):
    """What was submitted does not change."""

    code: ClassVar[str] = "attendance-submitted"
    submitted_at: datetime
    service_record_id: UUID | None

    @property
    def detail(self) -> str:
        """Say since when."""
        return f"The attendance was submitted at {self.submitted_at.isoformat()}; correct its service record instead."


@dataclass(frozen=True, slots=True)
class AttendanceIncomplete(Refusal):
    """It is not known whether somebody came, or until when, or no service can last as long as it says."""

    code: ClassVar[str] = "attendance-incomplete"
    outcome: str | None

    @property
    def detail(self) -> str:
        """Say what there is."""
        if self.outcome is None:
            return "Nothing was recorded yet."
        return (
            "There is no time given that could be recorded: the check-out is missing, no whole minute is left, or it"
            " was longer than 24 hours."
        )


@dataclass(frozen=True, slots=True)
class PlaceCodeInvalid(Refusal):
    """The code is no place's now. Whether it ever was is not told."""

    code: ClassVar[str] = "place-code-invalid"

    @property
    def detail(self) -> str:
        """Say how to get another."""
        return "This is no code of a place where a shift is on now. Read the one that the place shows at this moment."


@dataclass(frozen=True, slots=True)
class NoShiftHere(Refusal):
    """The caller has no seat in a shift that is on at the place."""

    code: ClassVar[str] = "no-shift-here"

    @property
    def detail(self) -> str:
        """Say what was looked for."""
        return "You have no seat in a shift at this place from an hour before now to an hour after."


@dataclass(frozen=True, slots=True)
class AlreadyCheckedIn(Refusal):
    """Whoever came is there."""

    code: ClassVar[str] = "already-checked-in"
    checked_in_at: datetime | None

    @property
    def detail(self) -> str:
        """Say since when."""
        since = f" at {self.checked_in_at.isoformat()}" if self.checked_in_at else " by the organiser's list"
        return f"The attendance was recorded{since} already."


@dataclass(frozen=True, slots=True)
class NotCheckedIn(Refusal):
    """Only who is there can leave."""

    code: ClassVar[str] = "not-checked-in"

    @property
    def detail(self) -> str:
        """Say what to do."""
        return "There is no check-in that is not checked out yet."
