"""What sites and their calendars look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from app.http.fields import Code, Day, Label, Line, Name, Paragraph, Positive, RequestModel, Whole
from app.http.pages import PageModel
from app.stalls.changing import NewCalendar
from app.stalls.rules import DRAW_HOURS_DEFAULT, HOURS_OF_WEEK, PITCHES_MAX, Footfall
from app.stalls.service import NewHelp, NewSite

if TYPE_CHECKING:
    from app.stalls.rules import Calendar, Opened, Site

Seats = Annotated[int, Strict(), Field(ge=1, le=PITCHES_MAX)]
Weekday = Annotated[int, Strict(), Field(ge=1, le=7, description="Monday is 1")]
Hour = Annotated[int, Strict(), Field(ge=0, le=23, description="the hour that begins then, by the community's clocks")]


class HelpNew(RequestModel):
    """What residents help with at the site as volunteers."""

    service_kind: Label = Field(description="what their time is recorded as")
    capacity: Seats = Field(description="how many at once")


class SiteNew(RequestModel):
    """A site to register."""

    code: Code
    name: Name
    place: Line
    pitches: Seats = Field(description="they are numbered from 1 on, and cost nothing")
    draw_hours_before: Annotated[
        int, Strict(), Field(ge=1, le=336, description="so long before each shift its pitches are drawn")
    ] = DRAW_HOURS_DEFAULT
    organiser: Name
    content: Paragraph = Field("潮汐摊位，免费使用", examples=["傍晚夜市，免费摆摊"])
    guards: Annotated[
        int, Strict(), Field(ge=0, le=PITCHES_MAX, description="members of embedded teams on guard at once")
    ] = 0
    help: HelpNew | None = None

    def command(self, community: int, registered_by: str) -> NewSite:
        """Make the command of it."""
        return NewSite(
            community=community,
            code=self.code,
            name=self.name,
            place=self.place,
            pitches=self.pitches,
            draw_hours_before=self.draw_hours_before,
            organiser=self.organiser,
            content=self.content,
            guards=self.guards,
            help=None if self.help is None else NewHelp(self.help.service_kind, self.help.capacity),
            registered_by=registered_by,
        )


class SiteModel(BaseModel):
    """A site of tide stalls (潮汐摊位点)."""

    model_config = ConfigDict(title="Site", from_attributes=True)

    id: UUID
    code: str
    name: str
    place: str
    pitches: int
    draw_hours_before: int
    activity_id: UUID = Field(description="the activity of its stalls: vendors on pitches, and members on guard")
    help_activity_id: UUID | None = Field(description="the activity of those who help there, which counts")
    registered_by: str
    registered_at: datetime

    @classmethod
    def of(cls, site: Site) -> Self:
        """Show a site."""
        return cls.model_validate(site)


class SitePage(PageModel[SiteModel]):
    """A page of sites."""


class FootfallModel(RequestModel):
    """How many people pass the site in one hour of the week."""

    model_config = ConfigDict(title="Footfall", from_attributes=True)

    weekday: Weekday
    hour: Hour
    footfall: Whole = Field(description="people an hour")


def _each_hour_once(lines: tuple[FootfallModel, ...]) -> tuple[FootfallModel, ...]:
    if len({(line.weekday, line.hour) for line in lines}) < len(lines):
        message = "every hour of the week is given once at most"
        raise ValueError(message)
    return lines


class CalendarNew(RequestModel):
    """A footfall calendar; hours that are left out have no footfall."""

    threshold: Positive = Field(description="people an hour from which on the site is open")
    effective_from: Day
    lines: Annotated[
        tuple[FootfallModel, ...], Field(min_length=1, max_length=HOURS_OF_WEEK), AfterValidator(_each_hour_once)
    ]

    def command(self, community: int, site_id: UUID, set_by: str) -> NewCalendar:
        """Make the command of it."""
        lines = sorted(Footfall(line.weekday, line.hour, line.footfall) for line in self.lines)
        return NewCalendar(community, site_id, self.threshold, self.effective_from, tuple(lines), set_by)


class OpeningModel(BaseModel):
    """When the site opens every week, and the series of shifts that this is."""

    model_config = ConfigDict(title="Opening")

    weekday: int
    hour: int = Field(description="when it opens, by the community's clocks")
    hours: int = Field(description="for how long")
    series_id: UUID
    help_series_id: UUID | None

    @classmethod
    def of(cls, opened: Opened) -> Self:
        """Show an opening."""
        return cls(
            **opened.opening._asdict(),
            series_id=opened.series_id,
            help_series_id=opened.help_series_id,
        )


class CalendarModel(BaseModel):
    """A footfall calendar (客流日历) of a site, with when it opens by it."""

    model_config = ConfigDict(title="FootfallCalendar")

    id: UUID
    site_id: UUID
    threshold: int
    effective_from: dt.date
    lines: list[FootfallModel]
    openings: list[OpeningModel]
    set_by: str
    set_at: datetime

    @classmethod
    def of(cls, calendar: Calendar) -> Self:
        """Show a calendar."""
        return cls(
            id=calendar.id,
            site_id=calendar.site_id,
            threshold=calendar.threshold,
            effective_from=calendar.effective_from,
            lines=[
                FootfallModel(weekday=line.weekday, hour=line.hour, footfall=line.people) for line in calendar.lines
            ],
            openings=[OpeningModel.of(one) for one in calendar.openings],
            set_by=calendar.set_by,
            set_at=calendar.set_at,
        )
