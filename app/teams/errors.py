"""Why a team, a member or a posting is not what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from app.kernel.errors import Refusal

if TYPE_CHECKING:
    import datetime as dt
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class CodeTaken(Refusal):
    """Another department or team has this code."""

    code: ClassVar[str] = "already-exists"
    resource: str

    @property
    def detail(self) -> str:
        """Name the code."""
        return f"The city has one with the code {self.resource} already."


@dataclass(frozen=True, slots=True)
class UnknownDepartment(Refusal):
    """The city has no such department."""

    code: ClassVar[str] = "unknown-department"
    department_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"There is no department with the id {self.department_id}. Take it from the list of departments."


@dataclass(frozen=True, slots=True)
class UnknownMember(Refusal):
    """The city has no such member of its departments, or none any more whose data is there."""

    code: ClassVar[str] = "unknown-member"
    member_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"There is no team member with the id {self.member_id}. Take it from the list of members."


@dataclass(frozen=True, slots=True)
class UnknownCommunity(Refusal):
    """The city has no such community."""

    code: ClassVar[str] = "unknown-community"
    community_id: UUID

    @property
    def detail(self) -> str:
        """Name the id."""
        return f"There is no community with the id {self.community_id}. Take it from the list of communities."


@dataclass(frozen=True, slots=True)
class MemberErased(Refusal):
    """The member's personal data was erased; on which team the member served stays."""

    code: ClassVar[str] = "member-erased"
    erased_at: datetime

    @property
    def detail(self) -> str:
        """Say when."""
        return f"The member's personal data was erased on {self.erased_at.date()}."


@dataclass(frozen=True, slots=True)
class AlreadyEnded(Refusal):
    """A service, a membership or a posting ends on that day already, or before it."""

    code: ClassVar[str] = "already-ended"
    ends_on: dt.date

    @property
    def detail(self) -> str:
        """Say when it ends."""
        return f"It ends on {self.ends_on} already. An end can be brought forward, not put off: begin a new one."


@dataclass(frozen=True, slots=True)
class AlreadyInTeam(Refusal):
    """The member serves on a team in that time: one at a time."""

    code: ClassVar[str] = "already-in-team"
    team_id: UUID

    @property
    def detail(self) -> str:
        """Name the team."""
        return f"The member serves on team {self.team_id} in that time. End that membership before the new one begins."


@dataclass(frozen=True, slots=True)
class AlreadyPosted(Refusal):
    """The team is posted to a community in that time: one at a time."""

    code: ClassVar[str] = "already-posted"
    posting_id: UUID

    @property
    def detail(self) -> str:
        """Name the posting."""
        return f"Posting {self.posting_id} of the team falls into that time. End it before the new one begins."


@dataclass(frozen=True, slots=True)
class NotPostedHere(Refusal):
    """The member serves on no team that is posted to this community on that day."""

    code: ClassVar[str] = "not-posted-here"
    member_id: UUID
    day: dt.date

    @property
    def detail(self) -> str:
        """Name the member and the day."""
        return f"Member {self.member_id} serves on no team that is posted to this community on {self.day}."
