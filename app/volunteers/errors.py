"""Why a volunteer is not registered or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
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
class UnknownVolunteer(Refusal):
    """The community has no such volunteer."""

    code: ClassVar[str] = "unknown-volunteer"
    volunteer_id: UUID | None

    @property
    def detail(self) -> str:
        """Name the id that was sent, if it was one."""
        named = f" with the id {self.volunteer_id}" if self.volunteer_id else ""
        return f"There is no volunteer{named} in this community."
