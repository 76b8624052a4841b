"""What activities, positions and shifts look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from app.activities.calendar import RULE_LENGTH_MAX
from app.activities.rules import CANCELLATION_HOURS_DEFAULT, DRAW, POSITIONS_MAX, VENDORS, VOLUNTEERS, Series
from app.activities.series import NewSeries, SeriesEnding
from app.activities.service import Move, NewActivity, NewPosition, NewShift, Skipping
from app.http.fields import UNCHANGED, ChangeModel, Code, Day, Label, Line, Moment, Name, Paragraph, RequestModel
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


class PositionAdded(PositionNew):
    """A position to add. One whose seats are drawn is made with its activity: a draw is announced with each shift.

    So are pitches: one that is added would be given away beside the draw.
    """

    @model_validator(mode="after")
    def _come_first(self) -> Self:
        if self.allocation == DRAW or self.participants == VENDORS:
            message = "a position for vendors, or whose seats are drawn, is made with its activity"
            raise ValueError(message)
        return self


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


class ActivityChange(ChangeModel):
    """What to change of an activity. What it is and counts as stays, for shifts are signed up for by that."""

    name: Name = UNCHANGED
    place: Line = UNCHANGED
    content: Paragraph = UNCHANGED
    organiser: Name = UNCHANGED
    cancellation_hours: CancellationHours = UNCHANGED


class EndingNew(RequestModel):
    """Why an activity does not go on; the shifts that are skipped by it keep that."""

    reason: Paragraph


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


Rule = Annotated[
    str,
    Strict(),
    StringConstraints(to_upper=True, min_length=1, max_length=RULE_LENGTH_MAX),
    Field(
        description="an RRULE of RFC 5545 with FREQ, INTERVAL, and COUNT or UNTIL (a day); WEEKLY also with BYDAY, "
        "MONTHLY with BYDAY (and BYSETPOS) or BYMONTHDAY, YEARLY with BYMONTH beside these; WKST"
    ),
]
TimeOfDay = Annotated[
    str,
    Strict(),
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="when its shifts begin, by the community's clocks"),
]
ShiftMinutes = Annotated[int, Strict(), Field(ge=1, le=1440, description="how long they last")]


def minute_of(time_of_day: str) -> int:
    """A time of the day in minutes after midnight."""
    hour, minute = time_of_day.split(":")
    return 60 * int(hour) + int(minute)


def time_of(minute: int) -> str:
    """A time of the day, given in minutes after midnight."""
    hour, minute = divmod(minute, 60)
    return f"{hour:02}:{minute:02}"


class SeriesNew(RequestModel):
    """A series to create."""

    rule: Rule
    starts_on: Day = Field(description="the first day that may have a shift, by the community's calendar")
    time_of_day: TimeOfDay
    minutes: ShiftMinutes

    def command(self, community: int, activity_id: UUID, created_by: str) -> NewSeries:
        """Make the command of it."""
        return NewSeries(
            community=community,
            activity_id=activity_id,
            rule=self.rule,
            starts_on=self.starts_on,
            starts_at_minute=minute_of(self.time_of_day),
            minutes=self.minutes,
            created_by=created_by,
        )


class SeriesEndingNew(RequestModel):
    """After which day a series is to have no shift, and why; the shifts that are skipped by it keep that."""

    last_day: Day
    reason: Paragraph

    def command(self, community: int, series_id: UUID) -> SeriesEnding:
        """Make the command of it."""
        return SeriesEnding(community, series_id, self.last_day, self.reason)


class SeriesModel(BaseModel):
    """A series: an activity that recurs."""

    model_config = ConfigDict(title="Series")

    id: UUID
    activity_id: UUID
    rule: str
    starts_on: dt.date
    time_of_day: str = Field(description="when its shifts begin, by the community's clocks")
    minutes: int
    made_until: dt.date | None = Field(description="the day up to which its shifts have been made")
    ends_on: dt.date | None = Field(description="the last day that may have a shift, once it was ended")
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, series: Series) -> SeriesModel:
        """Show a series."""
        return cls(
            id=series.id,
            activity_id=series.activity_id,
            rule=series.rule,
            starts_on=series.starts_on,
            time_of_day=time_of(series.starts_at_minute),
            minutes=series.minutes,
            made_until=series.made_until,
            ends_on=series.ends_on,
            created_by=series.created_by,
            created_at=series.created_at,
        )


class SeriesPage(PageModel[SeriesModel]):
    """A page of an activity's series."""


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
