"""Why nobody is signed up, or no sign-up taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class ShiftOver(Refusal):
    """It is too late for this shift."""

    code: ClassVar[str] = "shift-over"
    until: datetime

    @property
    def detail(self) -> str:
        """Say until when it went."""
        return (
            f"Sign-ups for this shift could be changed until {self.until.isoformat()}. Ask the desk, or another shift."
        )


@dataclass(frozen=True, slots=True)
class AlreadySignedUp(Refusal):
    """The participant has a place in this shift, or waits for one; or stands in this series."""

    code: ClassVar[str] = "already-signed-up"
    signup_id: UUID | None = None

    @property
    def detail(self) -> str:
        """Name what there is."""
        if self.signup_id is None:
            return "The participant takes part in every shift of this series already."
        return f"The participant has sign-up {self.signup_id} to this shift. Cancel it first to take another place."


@dataclass(frozen=True, slots=True)
class OverlappingSignup(Refusal):
    """The participant has a seat elsewhere at the same time."""

    code: ClassVar[str] = "overlapping-signup"
    signup_id: UUID
    shift_id: UUID

    @property
    def detail(self) -> str:
        """Name the other one."""
        return f"Sign-up {self.signup_id} has a seat in a shift at the same time. Cancel it, or choose another shift."


@dataclass(frozen=True, slots=True)
class QualificationMissing(Refusal):
    """The position needs a qualification that the volunteer does not hold on that day."""

    code: ClassVar[str] = "qualification-missing"
    qualification: str

    @property
    def detail(self) -> str:
        """Name it."""
        return f"The position needs the qualification {self.qualification}, checked and valid on the day of the shift."


@dataclass(frozen=True, slots=True)
class WrongParticipant(Refusal):
    """The position is for participants of another kind."""

    code: ClassVar[str] = "wrong-participant"
    participants: str

    @property
    def detail(self) -> str:
        """Say for whom it is."""
        return f"The position is for participants of the kind {self.participants}."


@dataclass(frozen=True, slots=True)
class CancellationTooLate(Refusal):
    """A seat is given back in time, or at the desk."""

    code: ClassVar[str] = "cancellation-too-late"
    until: datetime

    @property
    def detail(self) -> str:
        """Say until when it was possible."""
        return f"The seat could be given back until {self.until.isoformat()}. Tell the desk, which still can."


@dataclass(frozen=True, slots=True)
class SignupNotOpen(Refusal):
    """The sign-up has ended."""

    code: ClassVar[str] = "signup-not-open"
    signup_status: str

    @property
    def detail(self) -> str:
        """Say how it ended."""
        return f"The sign-up is {self.signup_status}. Sign up anew."


@dataclass(frozen=True, slots=True)
class UnknownShift(Refusal):
    """The community has no such shift."""

    code: ClassVar[str] = "unknown-shift"
    shift_id: UUID

    @property
    def detail(self) -> str:
        """Name the shift."""
        return f"There is no shift {self.shift_id}. Take the id from the list of open shifts."


@dataclass(frozen=True, slots=True)
class UnknownPosition(Refusal):
    """The shift's activity has no such position."""

    code: ClassVar[str] = "unknown-position"
    position_id: UUID

    @property
    def detail(self) -> str:
        """Name the position."""
        return f"The activity has no position {self.position_id}. Take the id from the activity."


@dataclass(frozen=True, slots=True)
class DrawNotDue(Refusal):
    """Until then anybody may apply."""

    code: ClassVar[str] = "draw-not-due"
    draws_at: datetime

    @property
    def detail(self) -> str:
        """Say when it is time."""
        return f"The seats are drawn at {self.draws_at.isoformat()}; until then anybody may apply."


@dataclass(frozen=True, slots=True)
class AlreadyDrawn(Refusal):
    """Seats are drawn once."""

    code: ClassVar[str] = "already-drawn"
    drawn_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The seats were drawn at {self.drawn_at.isoformat()}, once and for good."
