"""Why a qualification is not revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class QualificationRevoked(Refusal):
    """The qualification was revoked before; that happens once."""

    code: ClassVar[str] = "qualification-revoked"
    revoked_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The qualification was revoked on {self.revoked_at.date()}. Check in a new one if it holds again."
