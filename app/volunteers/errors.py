"""Why a volunteer is not registered or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class GuardianRequired(Refusal):
    """A minor under 14 is registered with a guardian's consent."""

    code: ClassVar[str] = "guardian-required"

    @property
    def detail(self) -> str:
        """Say what is needed."""
        return "The volunteer is under 14 on the day of registration: name the guardian who consents."


@dataclass(frozen=True, slots=True)
class AlreadyRegistered(Refusal):
    """The phone or ID number belongs to a registered volunteer; whose it is, is not told."""

    code: ClassVar[str] = "already-registered"
    field: str

    @property
    def detail(self) -> str:
        """Name the field, not the person."""
        return f"A volunteer with this {self.field} is registered in the community already."


@dataclass(frozen=True, slots=True)
class VolunteerErased(Refusal):
    """The volunteer's personal data was erased; what was posted stays."""

    code: ClassVar[str] = "volunteer-erased"
    erased_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The volunteer's personal data was erased on {self.erased_at.date()}; balance and statement remain."


@dataclass(frozen=True, slots=True)
class RedemptionsOpen(Refusal):
    """Points are held for redemptions that nobody could collect after an erasure."""

    code: ClassVar[str] = "redemptions-open"
    points_reserved: int

    @property
    def detail(self) -> str:
        """Say what to do first."""
        return f"{self.points_reserved} points are held for open redemptions; let them be collected or cancel them."


@dataclass(frozen=True, slots=True)
class InsufficientPoints(Refusal):
    """The volunteer's free points are fewer than those to be spent or given."""

    code: ClassVar[str] = "insufficient-points"
    balance: int
    needed: int

    @property
    def detail(self) -> str:
        """Say what there is and what is needed."""
        return f"The volunteer has {self.balance} free points and needs {self.needed}."


@dataclass(frozen=True, slots=True)
class UnknownHousehold(Refusal):
    """The community has no such household."""

    code: ClassVar[str] = "unknown-household"
    household_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"There is no household with the id {self.household_id} in this community."


@dataclass(frozen=True, slots=True)
class UnknownVolunteer(Refusal):
    """The community has no such volunteer."""

    code: ClassVar[str] = "unknown-volunteer"
    volunteer_id: UUID | None

    @property
    def detail(self) -> str:
        """Name the id that was sent, if it was one."""
        named = f" with the id {self.volunteer_id}" if self.volunteer_id else ""
        return f"There is no volunteer{named} in this community."
