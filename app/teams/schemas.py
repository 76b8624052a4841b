"""What departments, members, teams and postings look like on the wire. Days are inclusive: both are days of service."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.http.fields import Code, Day, Name, RequestModel
from app.http.pages import PageModel
from app.volunteers.rules import masked_name

if TYPE_CHECKING:
    from typing import Self

    from app.teams.rules import Member, Membership, Posting


class DepartmentNew(RequestModel):
    """A department of the city to create."""

    code: Code
    name: Name


class TeamNew(RequestModel):
    """An embedded team to create."""

    code: Code
    name: Name


class TeamMemberNew(RequestModel):
    """A member of a department to register."""

    name: Name
    department_id: UUID
    joined_on: Day = Field(description="the first day of service")


class LastDayNew(RequestModel):
    """When something ends."""

    last_day: Day = Field(description="the last day of service")


class TeamMembershipNew(RequestModel):
    """A member to put on a team."""

    member_id: UUID
    from_: Day = Field(alias="from", description="the first day on the team")


class TeamPostingNew(RequestModel):
    """A team to post to a community."""

    community_id: UUID
    from_: Day = Field(alias="from", description="the first day there")
    until: Day | None = Field(None, description="the last day there, if it is known")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.until is not None and self.until < self.from_:
            message = "until lies before from"
            raise ValueError(message)
        return self


class DepartmentModel(BaseModel):
    """A department of the city (派驻部门)."""

    model_config = ConfigDict(title="Department", from_attributes=True)

    id: UUID
    code: str
    name: str
    created_at: datetime


class DepartmentPage(PageModel[DepartmentModel]):
    """A page of departments."""


class TeamModel(BaseModel):
    """An embedded team (组团式下沉服务队)."""

    model_config = ConfigDict(title="Team", from_attributes=True)

    id: UUID
    code: str
    name: str
    created_at: datetime


class TeamPage(PageModel[TeamModel]):
    """A page of teams."""


class TeamMemberModel(BaseModel):
    """A member of a department who serves on teams. Of who was erased there is no name."""

    model_config = ConfigDict(title="TeamMember", from_attributes=True)

    id: UUID
    department_id: UUID
    name: str | None
    joined_on: Day
    left_on: Day | None = Field(description="the last day of service")
    registered_at: datetime
    erased_at: datetime | None

    @classmethod
    def of(cls, member: Member) -> Self:
        """Show a member."""
        return cls.model_validate(member)


class TeamMemberPage(PageModel[TeamMemberModel]):
    """A page of members."""


class TeamMembershipModel(BaseModel):
    """A member's time on a team. Of who was erased there is no name."""

    model_config = ConfigDict(title="TeamMembership", populate_by_name=True, serialize_by_alias=True)

    team_id: UUID
    member_id: UUID
    department_id: UUID
    name: str | None
    from_: Day = Field(alias="from")
    until: Day | None

    @classmethod
    def of(cls, membership: Membership, *, named: bool = True) -> Self:
        """Show a member's time on a team, to who may see names or not."""
        name = membership.name
        return cls(
            team_id=membership.team_id,
            member_id=membership.member_id,
            department_id=membership.department_id,
            name=name if named or name is None else masked_name(name),
            from_=membership.starts_on,
            until=membership.ends_on,
        )


class TeamMembershipPage(PageModel[TeamMembershipModel]):
    """A page of members' times on a team."""


class TeamPostingModel(BaseModel):
    """A team's time in a community (派驻)."""

    model_config = ConfigDict(title="TeamPosting", populate_by_name=True, serialize_by_alias=True)

    id: UUID
    team_id: UUID
    community_id: UUID
    from_: Day = Field(alias="from")
    until: Day | None
    posted_by: str
    posted_at: datetime

    @classmethod
    def of(cls, posting: Posting) -> Self:
        """Show a posting."""
        return cls(
            id=posting.id,
            team_id=posting.team_id,
            community_id=posting.community_id,
            from_=posting.starts_on,
            until=posting.ends_on,
            posted_by=posting.posted_by,
            posted_at=posting.posted_at,
        )


class TeamPostingPage(PageModel[TeamPostingModel]):
    """A page of postings."""
