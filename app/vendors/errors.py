"""Why a vendor is not registered, not ended or not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class VendorRegistered(Refusal):
    """The phone belongs to a vendor; whose it is, is not told."""

    code: ClassVar[str] = "already-registered"

    @property
    def detail(self) -> str:
        """Name the field, not the person."""
        return "A vendor with this phone is registered in the community already."


@dataclass(frozen=True, slots=True)
class VendorEnded(Refusal):
    """The vendor comes no more."""

    code: ClassVar[str] = "vendor-ended"
    ended_at: datetime

    @property
    def detail(self) -> str:
        """Say since when."""
        return f"The vendor comes no more since {self.ended_at.date()}. Register anew whoever comes back."


@dataclass(frozen=True, slots=True)
class VendorErased(Refusal):
    """The vendor's personal data was erased; which pitches the vendor had stays."""

    code: ClassVar[str] = "vendor-erased"
    erased_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The vendor's personal data was erased on {self.erased_at.date()}; which pitches they had stays."


@dataclass(frozen=True, slots=True)
class UnknownVendor(Refusal):
    """The community has no such vendor."""

    code: ClassVar[str] = "unknown-vendor"
    vendor_id: UUID

    @property
    def detail(self) -> str:
        """Name the id that was sent."""
        return f"There is no vendor with the id {self.vendor_id} who comes to this community."
