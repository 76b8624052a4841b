"""What reports look like on the wire: figures, and nobody's name."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.reports.figures import Period

RowT = TypeVar("RowT", bound=BaseModel)

_month = Field(description="year and month by the community's calendar", examples=["2026-03"])


class ReportModel(BaseModel, Generic[RowT]):
    """A report from one day to another, both included."""

    model_config = ConfigDict(populate_by_name=True)

    from_: dt.date = Field(alias="from")
    to: dt.date
    rows: list[RowT]

    @classmethod
    def of(cls, period: Period, rows: Iterable[Any], **more: Any) -> Self:
        """Show the rows of a report."""
        return cls.model_validate({"from": period.first, "to": period.last, "rows": list(rows), **more})


class HoursRow(BaseModel):
    """What was served of a kind in a month. `volunteers` counts each once a month."""

    model_config = ConfigDict(title="ServiceHoursOfMonth", from_attributes=True)

    month: str = _month
    service_kind: str
    records: int
    minutes: int
    points: int
    volunteers: int


class HoursReport(ReportModel[HoursRow]):
    """Hours served (服务时长), of approved records."""

    model_config = ConfigDict(title="ServiceHoursReport")


class VisitsRow(BaseModel):
    """How many visits of a month there were: still to be made, done, in vain, refused, and not accounted for."""

    model_config = ConfigDict(title="VisitsOfMonth", from_attributes=True)

    month: str = _month
    due: int
    done: int
    absent: int
    refused: int
    overdue: int


class VisitsReport(ReportModel[VisitsRow]):
    """Weekly visits (每周探访), by what came of them until now."""

    model_config = ConfigDict(title="VisitsReport")


class ClinicRow(BaseModel):
    """On how many shifts of a month heads were counted at a clinic, and the sums by code."""

    model_config = ConfigDict(title="ClinicOfMonth", from_attributes=True)

    month: str = _month
    activity_id: UUID
    name: str
    shifts: int
    counts: dict[str, int]


class ClinicsReport(ReportModel[ClinicRow]):
    """Head-counts of free clinics (义诊人次), as they stand."""

    model_config = ConfigDict(title="ClinicsReport")


class DutyRow(BaseModel):
    """How long members of a department were on duty in a month, on a team. `members` counts each once a month."""

    model_config = ConfigDict(title="TeamDutyOfMonth", from_attributes=True)

    month: str = _month
    team_id: UUID | None = Field(description="the team on the day of duty; null where the member was on none")
    team: str | None
    department_id: UUID | None
    department: str | None
    members: int
    attendances: int
    minutes: int


class DutyReport(ReportModel[DutyRow]):
    """Duty of embedded teams (值守时长), of attendance that was submitted. It earns no points."""

    model_config = ConfigDict(title="TeamDutyReport")


class UseRow(BaseModel):
    """How a site's pitches were used in a month. `vendors` counts each once a month."""

    model_config = ConfigDict(title="StallUseOfMonth", from_attributes=True)

    month: str = _month
    site_id: UUID
    site: str
    shifts: int
    offered: int = Field(description="pitches, on all shifts together")
    taken: int = Field(description="pitches that a vendor had")
    attended: int = Field(description="pitches to which the vendor came")
    vendors: int


class AroundRow(BaseModel):
    """How many complained about a site's place before it opened, and in as long a time since."""

    model_config = ConfigDict(title="ComplaintsAroundSite", from_attributes=True)

    site_id: UUID
    site: str
    opened_at: datetime
    complaints_before: int
    complaints_after: int


class StallsReport(ReportModel[UseRow]):
    """Use of tide stalls (潮汐摊位), and the complaints about their places until now."""

    model_config = ConfigDict(title="StallsReport")

    complaints: list[AroundRow]
