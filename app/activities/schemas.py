"""What activities, positions and shifts look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from app.activities.rules import CANCELLATION_HOURS_DEFAULT, POSITIONS_MAX, VOLUNTEERS
from app.activities.service import Move, NewActivity, NewPosition, NewShift, Skipping
from app.http.fields import Code, Label, Line, Moment, Name, Paragraph, RequestModel
from app.http.pages import PageModel

if TYPE_CHECKING:
    from typing import Self

ActivityKind = Literal["home_visit", "free_clinic", "team_duty", "tide_stall", "other"]
Participants = Literal["volunteer", "member", "vendor", "beneficiary"]
Allocation = Literal["first_come", "draw"]
ShiftStatus = Literal["planned", "skipped"]
CancellationHours = Annotated[
    int, Strict(), Field(ge=0, le=720, description="until so long before a shift who signed up may cancel")
]


class PositionNew(RequestModel):
    """A position to make."""

    name: Name
    participants: Participants = Field("volunteer", description="who fills it")
    capacity: Annotated[int, Strict(), Field(ge=1, le=1000, description="seats on each shift")]
    required_qualification: Code | None = Field(None, description="its code; of positions for volunteers")
    allocation: Allocation = Field("first_come", description="who gets the seats")

    @model_validator(mode="after")
    def _volunteers_are_qualified(self) -> Self:
        if self.required_qualification is not None and self.participants != VOLUNTEERS:
            message = "required_qualification goes with positions for volunteers alone"
            raise ValueError(message)
        return self

    def command(self) -> NewPosition:
        """Make the command of it."""
        return NewPosition(**self.model_dump())


class ActivityNew(RequestModel):
    """An activity to organise."""

    kind: ActivityKind
    counts_as_volunteering: Annotated[bool, Strict()] = True
    service_kind: Label | None = Field(
        None, description="what volunteers' time on it is recorded as; needed if it counts, and only then"
    )
    name: Name
    place: Line
    content: Paragraph
    organiser: Name
    cancellation_hours: CancellationHours = CANCELLATION_HOURS_DEFAULT
    positions: Annotated[tuple[PositionNew, ...], Field(min_length=1, max_length=POSITIONS_MAX)]

    @model_validator(mode="after")
    def _counted_as_something(self) -> Self:
        if self.counts_as_volunteering != (self.service_kind is not None):
            message = "service_kind is needed if the activity counts as volunteering, and only then"
            raise ValueError(message)
        return self

    def command(self, community: int, created_by: str) -> NewActivity:
        """Make the command of it."""
        return NewActivity(
            community=community,
            kind=self.kind,
            service_kind=self.service_kind,
            name=self.name,
            place=self.place,
            content=self.content,
            organiser=self.organiser,
            created_by=created_by,
            positions=tuple(position.command() for position in self.positions),
            cancellation_hours=self.cancellation_hours,
        )


class PositionModel(BaseModel):
    """A position (岗位) of an activity."""

    model_config = ConfigDict(title="Position", from_attributes=True)

    id: UUID
    name: str
    participants: Participants
    capacity: int
    required_qualification: str | None
    allocation: Allocation


class ActivityModel(BaseModel):
    """An activity (活动)."""

    model_config = ConfigDict(title="Activity", from_attributes=True)

    id: UUID
    kind: ActivityKind
    counts_as_volunteering: bool
    service_kind: str | None
    name: str
    place: str
    content: str
    organiser: str
    cancellation_hours: int
    beneficiary_id: UUID | None
    partner_id: UUID | None
    site_id: UUID | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    positions: tuple[PositionModel, ...]


class ActivityPage(PageModel[ActivityModel]):
    """A page of activities."""


class ShiftNew(RequestModel):
    """A single shift to make."""

    starts_at: Moment
    ends_at: Moment
    place: Line | None = Field(None, description="the activity's when not given")

    def command(self, community: int, activity_id: UUID) -> NewShift:
        """Make the command of it."""
        return NewShift(community, activity_id, self.starts_at, self.ends_at, self.place)


class MoveNew(RequestModel):
    """Where a shift is moved to, and why."""

    starts_at: Moment
    ends_at: Moment
    place: Line | None = Field(None, description="as it was when not given")
    reason: Paragraph

    def command(self, community: int, shift_id: UUID) -> Move:
        """Make the command of it."""
        return Move(community, shift_id, self.starts_at, self.ends_at, self.place, self.reason)


class SkippingNew(RequestModel):
    """Why a shift is not to take place."""

    reason: Paragraph

    def command(self, community: int, shift_id: UUID) -> Skipping:
        """Make the command of it."""
        return Skipping(community, shift_id, self.reason)


class ShiftModel(BaseModel):
    """A shift (班次) of an activity."""

    model_config = ConfigDict(title="Shift", from_attributes=True)

    id: UUID
    activity_id: UUID
    series_id: UUID | None
    occurs_on: dt.date | None = Field(description="the day that the series gave, wherever the shift was moved to")
    starts_at: datetime
    ends_at: datetime
    place: str
    status: ShiftStatus
    reason: str | None = Field(description="why it was moved or skipped last")


class ShiftPage(PageModel[ShiftModel]):
    """A page of shifts."""
