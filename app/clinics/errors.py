"""Why a partner is not taken up, a clinic not organised, or nobody counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class PartnerExists(Refusal):
    """A partner with this identifier is there already."""

    code: ClassVar[str] = "already-exists"
    resource: str

    @property
    def detail(self) -> str:
        """Name the identifier."""
        return f"A partner with the identifier {self.resource} is there already."


@dataclass(frozen=True, slots=True)
class UnknownPartner(Refusal):
    """The community has no such partner."""

    code: ClassVar[str] = "unknown-partner"
    partner_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"There is no partner with the id {self.partner_id} in this community."


@dataclass(frozen=True, slots=True)
class NotAClinic(Refusal):
    """Heads are counted at free clinics alone."""

    code: ClassVar[str] = "not-a-clinic"
    activity_id: UUID
    kind: str

    @property
    def detail(self) -> str:
        """Say what it is instead."""
        return f"The shift is one of activity {self.activity_id}, a {self.kind}; heads are counted at free clinics."


@dataclass(frozen=True, slots=True)
class ShiftNotBegun(Refusal):
    """Nobody can be counted before the clinic opens."""

    code: ClassVar[str] = "shift-not-begun"
    shift_id: UUID
    starts_at: datetime

    @property
    def detail(self) -> str:
        """Say when it begins."""
        return f"Shift {self.shift_id} begins at {self.starts_at.isoformat()}. Count heads once it has begun."
