"""What partners, clinics and head-counts look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints

from app.activities.rules import POSITIONS_MAX
from app.activities.schemas import ActivityModel, PositionNew, ShiftModel
from app.clinics.rules import is_uscc
from app.clinics.service import NewClinic
from app.http.fields import UNCHANGED, ChangeModel, Label, Line, Moment, Name, Paragraph, RequestModel, Whole
from app.http.pages import PageModel

if TYPE_CHECKING:
    from typing import Self

    from app.clinics.rules import Clinic

_CODES_MAX = 20


def _checked(text: str) -> str:
    if not is_uscc(text):
        message = "must be a unified social credit identifier with a right check character (GB 32100)"
        raise ValueError(message)
    return text


PartnerKind = Literal["red_cross", "hospital", "school", "company", "ngo", "government", "other"]
Uscc = Annotated[
    str,
    Strict(),
    StringConstraints(pattern=r"^[0-9A-HJ-NP-RT-UW-Y]{18}$"),
    AfterValidator(_checked),
    Field(description="unified social credit identifier (统一社会信用代码)"),
]
CountCode = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""What is counted. Names and numbers of persons do not fit into one."""


class PartnerNew(RequestModel):
    """A partner organisation to take up."""

    name: Name
    kind: PartnerKind
    uscc: Uscc | None = None


class PartnerChange(ChangeModel):
    """What to change of a partner."""

    name: Name = UNCHANGED
    kind: PartnerKind = UNCHANGED
    uscc: Uscc | None = UNCHANGED


class PartnerModel(BaseModel):
    """A partner organisation (合作单位)."""

    model_config = ConfigDict(title="Partner", from_attributes=True)

    id: UUID
    name: str
    kind: PartnerKind
    uscc: str | None
    created_by: str
    created_at: datetime


class PartnerPage(PageModel[PartnerModel]):
    """A page of partners."""


class SpanNew(RequestModel):
    """From when to when a clinic is open."""

    starts_at: Moment
    ends_at: Moment


class ClinicNew(RequestModel):
    """A free clinic to organise. Volunteers' time counts; positions for beneficiaries are residents' appointments."""

    partner_id: UUID
    name: Name
    place: Line
    content: Paragraph
    organiser: Name
    service_kind: Label = Field(description="what volunteers' time on it is recorded as")
    shift: SpanNew
    positions: Annotated[tuple[PositionNew, ...], Field(min_length=1, max_length=POSITIONS_MAX)]

    def command(self, community: int, created_by: str) -> NewClinic:
        """Make the command of it."""
        return NewClinic(
            community=community,
            partner_id=self.partner_id,
            name=self.name,
            place=self.place,
            content=self.content,
            organiser=self.organiser,
            service_kind=self.service_kind,
            created_by=created_by,
            positions=tuple(position.command() for position in self.positions),
            starts_at=self.shift.starts_at,
            ends_at=self.shift.ends_at,
        )


class HeadCountNew(RequestModel):
    """How many were counted on a shift. Nothing about single persons belongs here."""

    counts: dict[CountCode, Whole] = Field(
        min_length=1, max_length=_CODES_MAX, description="by code: `served`, `blood_pressure`, `consultation` …"
    )


class HeadCountModel(BaseModel):
    """A head-count of a clinic's shift (义诊人次). The newest of a shift stands."""

    model_config = ConfigDict(title="HeadCount", from_attributes=True)

    id: UUID
    shift_id: UUID
    held_on: dt.date = Field(description="the shift's day by the community's calendar")
    counts: dict[str, int]
    counted_by: str
    counted_at: datetime


class HeadCountPage(PageModel[HeadCountModel]):
    """A page of head-counts."""


class ClinicModel(BaseModel):
    """A free clinic (义诊): an activity with its positions, and with whom it is held."""

    model_config = ConfigDict(title="Clinic", from_attributes=True)

    activity: ActivityModel
    partner: PartnerModel | None


class ClinicPage(PageModel[ClinicModel]):
    """A page of clinics."""


class ClinicShiftModel(BaseModel):
    """A shift of a clinic, and the head-count that stands of it."""

    model_config = ConfigDict(title="ClinicShift")

    shift: ShiftModel
    head_count: HeadCountModel | None


class ClinicWithShiftsModel(ClinicModel):
    """A free clinic with its newest shifts."""

    model_config = ConfigDict(title="ClinicWithShifts")

    shifts: tuple[ClinicShiftModel, ...]

    @classmethod
    def of(cls, clinic: Clinic) -> Self:
        """Show a clinic."""
        return cls(
            activity=ActivityModel.model_validate(clinic.activity),
            partner=PartnerModel.model_validate(clinic.partner) if clinic.partner else None,
            shifts=tuple(
                ClinicShiftModel(
                    shift=ShiftModel.model_validate(shift),
                    head_count=HeadCountModel.model_validate(counted) if counted else None,
                )
                for shift, counted in clinic.shifts
            ),
        )
