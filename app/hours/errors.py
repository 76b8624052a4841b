"""Why a service record is not accepted or not decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    import datetime as dt
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class ServiceKindExists(Refusal):
    """The community has a service kind with this code."""

    code: ClassVar[str] = "already-exists"
    resource: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"The service kind {self.resource} exists already."


@dataclass(frozen=True, slots=True)
class UnknownServiceKind(Refusal):
    """The community has no such service kind."""

    code: ClassVar[str] = "unknown-service-kind"
    service_kind: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"There is no service kind {self.service_kind} in this community."


@dataclass(frozen=True, slots=True)
class RuleExists(Refusal):
    """The service kind has a version of its rule from this date."""

    code: ClassVar[str] = "rule-exists"
    service_kind: str
    effective_from: dt.date

    @property
    def detail(self) -> str:
        """Name kind and date."""
        return f"{self.service_kind} has an earning rule from {self.effective_from} already; rules are not edited."


@dataclass(frozen=True, slots=True)
class OverlappingService(Refusal):
    """The volunteer has a live record over a part of the same time."""

    code: ClassVar[str] = "overlapping-service"
    service_record_id: UUID

    @property
    def detail(self) -> str:
        """Name the other record."""
        return f"The volunteer's service record {self.service_record_id} covers a part of this time."


@dataclass(frozen=True, slots=True)
class AlreadyVerified(Refusal):
    """The record has been decided."""

    code: ClassVar[str] = "already-verified"
    record_status: str

    @property
    def detail(self) -> str:
        """Say what it is."""
        return f"The service record is {self.record_status}; only a pending one can be verified."


@dataclass(frozen=True, slots=True)
class RecordNotApproved(Refusal):
    """Only what was approved, and so posted, can be corrected."""

    code: ClassVar[str] = "record-not-approved"
    record_status: str

    @property
    def detail(self) -> str:
        """Say what it is."""
        return f"The service record is {self.record_status}; only an approved one has minutes and points to take back."


@dataclass(frozen=True, slots=True)
class SelfVerification(Refusal):
    """Four eyes: the recorder does not verify."""

    code: ClassVar[str] = "self-verification"

    @property
    def detail(self) -> str:
        """Say who has to."""
        return "You recorded this service; someone else has to verify it."


@dataclass(frozen=True, slots=True)
class ManagerRequired(Refusal):
    """Over eight hours on a day, a manager verifies."""

    code: ClassVar[str] = "manager-required"

    @property
    def detail(self) -> str:
        """Say why."""
        return "The record takes the volunteer above eight hours on the day; a manager has to verify it."
