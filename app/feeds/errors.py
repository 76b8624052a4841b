"""Why a calendar feed is not made or revoked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class UnknownSubject(Refusal):
    """The community has nobody and nothing like that whose shifts could be shown."""

    code: ClassVar[str] = "unknown-subject"
    subject: str
    subject_id: UUID

    @property
    def detail(self) -> str:
        """Name the kind and the id."""
        return f"There is no {self.subject} with the id {self.subject_id} in this community."


@dataclass(frozen=True, slots=True)
class TooManyFeeds(Refusal):
    """So many addresses of one calendar are live that another would only make them harder to keep track of."""

    code: ClassVar[str] = "too-many-feeds"
    feeds_max: int

    @property
    def detail(self) -> str:
        """Say how many there may be."""
        return f"There are {self.feeds_max} live addresses of this calendar already. Revoke one that is not used."


@dataclass(frozen=True, slots=True)
class FeedRevoked(Refusal):
    """The feed was revoked before; that happens once."""

    code: ClassVar[str] = "feed-revoked"
    revoked_at: datetime

    @property
    def detail(self) -> str:
        """Say when, and what to do."""
        return f"The feed was revoked at {self.revoked_at.isoformat()}. Make a new one if its calendar is needed."
