"""Why a visit is not planned, a pair not changed, an escalation not closed, or nobody can have come to a visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class VisitPlanEnded(Refusal):
    """No visit of the plan is to come any more."""

    code: ClassVar[str] = "visit-plan-ended"
    plan_id: UUID

    @property
    def detail(self) -> str:
        """Name the plan."""
        return f"Plan {self.plan_id} has ended, and no visit of it is to come. Create a new plan."


@dataclass(frozen=True, slots=True)
class EscalationClosed(Refusal):
    """Somebody has seen to it."""

    code: ClassVar[str] = "escalation-closed"
    escalation_id: UUID
    closed_at: datetime

    @property
    def detail(self) -> str:
        """Say since when."""
        return f"Escalation {self.escalation_id} was closed at {self.closed_at.isoformat()}; that happens once."


@dataclass(frozen=True, slots=True)
class VisitInVain(Refusal):
    """Of the visit it was said that nobody was at home, or that it was not wanted: no time was given there."""

    code: ClassVar[str] = "visit-in-vain"
    outcome: str

    @property
    def detail(self) -> str:
        """Say what was said of it, and what to do."""
        return f"The visit is recorded as {self.outcome}. Record that it was done, if it was, or that nobody came."
