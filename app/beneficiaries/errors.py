"""Why a beneficiary is not registered, not changed or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class BeneficiaryRegistered(Refusal):
    """Somebody with this name, phone and address is being served; whose the id is, is not told."""

    code: ClassVar[str] = "already-registered"

    @property
    def detail(self) -> str:
        """Say what is the same."""
        return "A beneficiary with this name, phone and address is registered in the community already."


@dataclass(frozen=True, slots=True)
class BeneficiaryEnded(Refusal):
    """The beneficiary is served no more."""

    code: ClassVar[str] = "beneficiary-ended"
    ended_at: datetime

    @property
    def detail(self) -> str:
        """Say since when."""
        return f"The beneficiary is served no more since {self.ended_at.date()}. Register anew whoever comes back."


@dataclass(frozen=True, slots=True)
class BeneficiaryErased(Refusal):
    """The beneficiary's personal data was erased; what was done for them stays."""

    code: ClassVar[str] = "beneficiary-erased"
    erased_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The beneficiary's personal data was erased on {self.erased_at.date()}; what was done for them stays."


@dataclass(frozen=True, slots=True)
class UnknownBeneficiary(Refusal):
    """The community serves no such beneficiary, or no more."""

    code: ClassVar[str] = "unknown-beneficiary"
    beneficiary_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"The community serves no beneficiary {self.beneficiary_id}. Take the id from the list of beneficiaries."
