"""Why a need is not decided, not told or not erased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class UnknownActivity(Refusal):
    """The community has no such activity."""

    code: ClassVar[str] = "unknown-activity"
    activity_id: UUID

    @property
    def detail(self) -> str:
        """Name the id that was sent."""
        return f"There is no activity with the id {self.activity_id} in this community."


@dataclass(frozen=True, slots=True)
class NeedNotOpen(Refusal):
    """The need was planned, answered or withdrawn before."""

    code: ClassVar[str] = "need-not-open"
    need_status: str

    @property
    def detail(self) -> str:
        """Say what became of it."""
        return f"The need is {self.need_status}; only an open one is decided. File a new one if there is more."


@dataclass(frozen=True, slots=True)
class NeedNotDecided(Refusal):
    """There is nothing yet to be told of."""

    code: ClassVar[str] = "need-not-decided"
    need_status: str

    @property
    def detail(self) -> str:
        """Say what has to be done first."""
        return f"The need is {self.need_status}; plan or answer it before anybody is told."


@dataclass(frozen=True, slots=True)
class AlreadyTold(Refusal):
    """Who asked knows already."""

    code: ClassVar[str] = "already-told"
    told_at: datetime

    @property
    def detail(self) -> str:
        """Say since when."""
        return f"Who asked was told on {self.told_at.date()} already."


@dataclass(frozen=True, slots=True)
class NobodyToTell(Refusal):
    """Nobody said who asked."""

    code: ClassVar[str] = "nobody-to-tell"

    @property
    def detail(self) -> str:
        """Say so."""
        return "The need was filed without a person, so there is nobody to tell."


@dataclass(frozen=True, slots=True)
class NeedErased(Refusal):
    """Who asked was erased already."""

    code: ClassVar[str] = "need-erased"

    @property
    def detail(self) -> str:
        """Say what is left."""
        return "What was personal in the need is erased already; that it was filed, and what became of it, stays."


@dataclass(frozen=True, slots=True)
class PersonRegistered(Refusal):
    """Who asked is registered, and is erased there with all that is theirs."""

    code: ClassVar[str] = "person-registered"
    volunteer_id: UUID | None
    beneficiary_id: UUID | None

    @property
    def detail(self) -> str:
        """Say where to erase."""
        return "Who asked is registered as a volunteer or beneficiary. Erase that person; the texts go with them."
