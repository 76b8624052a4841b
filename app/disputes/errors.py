"""Why a dispute is not filed or not decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class UnknownServiceRecord(Refusal):
    """The volunteer has no such service record."""

    code: ClassVar[str] = "unknown-service-record"
    service_record_id: UUID

    @property
    def detail(self) -> str:
        """Name the record."""
        return f"The volunteer has no service record {self.service_record_id}. Take the id from the volunteer's list."


@dataclass(frozen=True, slots=True)
class AlreadyDisputed(Refusal):
    """The volunteer contests this already, and has no answer yet."""

    code: ClassVar[str] = "already-disputed"
    dispute_id: UUID

    @property
    def detail(self) -> str:
        """Name the open dispute."""
        return f"Dispute {self.dispute_id} about this is still open. Wait for its answer, or withdraw it first."


@dataclass(frozen=True, slots=True)
class DisputeNotOpen(Refusal):
    """The dispute has ended."""

    code: ClassVar[str] = "dispute-not-open"
    dispute_status: str

    @property
    def detail(self) -> str:
        """Say how it ended."""
        return f"The dispute is {self.dispute_status}; only an open one can be decided or withdrawn. File a new one."
