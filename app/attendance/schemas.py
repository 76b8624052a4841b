"""What attendance looks like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.attendance.rules import ATTENDED, Listed
from app.hours.schemas import Minutes
from app.http.fields import Moment, RequestModel
from app.http.operations import ProblemModel
from app.http.pages import PageModel
from app.http.problems import dump, refusal_document
from app.http.receipts import ReceiptField
from app.kernel.errors import Refusal

if TYPE_CHECKING:
    from typing import Self

    from app.attendance.service import Line
    from app.attendance.submitting import Submitted

lines_max = 500
_breaks_max = 24 * 60

Outcome = Literal["present", "attended", "absent", "excused"]
Doubt = Literal["late", "over_long", "outside_shift", "no_check_out", "over_day"]
Participants = Literal["volunteer", "member", "vendor", "beneficiary"]
Breaks = Annotated[int, Field(strict=True, ge=0, le=_breaks_max, description="breaks, meals: no time given")]


class AttendanceLineNew(RequestModel):
    """A line of the organiser's list."""

    signup_id: UUID
    outcome: Literal["attended", "absent", "excused"]
    started_at: Moment | None = Field(default=None, description="of who attended; the shift's start unless given")
    ended_at: Moment | None = Field(
        default=None, description="of who attended; the shift's end unless given, and not before it is past"
    )
    break_minutes: Breaks = 0
    minutes: Minutes | None = Field(default=None, description="all of it but the breaks unless given")

    @model_validator(mode="after")
    def _times_of_who_attended(self) -> Self:
        given = (self.started_at, self.ended_at, self.minutes, self.break_minutes or None)
        if self.outcome != ATTENDED and any(one is not None for one in given):
            message = "only who attended has times"
            raise ValueError(message)
        return self

    def line(self) -> Listed:
        """The line as the service takes it."""
        return Listed(self.signup_id, self.outcome, self.started_at, self.ended_at, self.break_minutes, self.minutes)


class AttendanceListNew(RequestModel):
    """Who came to a shift, as its organiser knows. Each line is answered by itself."""

    items: Annotated[list[AttendanceLineNew], Field(min_length=1, max_length=lines_max)]


class CheckOutNew(RequestModel):
    """How long who leaves paused."""

    break_minutes: Breaks = 0


class OwnCheckInNew(RequestModel):
    """The code that the place shows."""

    code: Annotated[str, Field(strict=True, min_length=1, max_length=64)]


class OwnCheckOutNew(OwnCheckInNew):
    """The code that the place shows, and how long who leaves paused."""

    break_minutes: Breaks = 0


class AttendanceSubmissionNew(RequestModel):
    """Whose attendance is submitted."""

    signup_ids: Annotated[list[UUID], Field(min_length=1, max_length=lines_max)] | None = Field(
        default=None, description="what was recorded and not submitted unless given, 500 at a time"
    )


class ProposalModel(BaseModel):
    """The time that a service record would say."""

    model_config = ConfigDict(title="AttendanceProposal")

    started_at: datetime
    ended_at: datetime
    minutes: int


class AttendanceModel(BaseModel):
    """The attendance (签到) of a confirmed sign-up."""

    model_config = ConfigDict(title="Attendance")

    signup_id: UUID
    shift_id: UUID
    position_id: UUID
    participants: Participants
    participant_id: UUID
    seat: int | None
    outcome: Outcome | None = Field(description="null while nothing is known; `present`: checked in and not out yet")
    method: Literal["list", "desk", "code"] | None = Field(description="how it was recorded last")
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    break_minutes: int
    proposed: ProposalModel | None
    doubts: list[Doubt] = Field(
        description="`late`: more than ten working days ago; `over_long`: longer than the shift; `outside_shift`:"
        " begins or ends more than 15 minutes off; `over_day`: brings the volunteer's day above eight hours"
    )
    recorded_by: str | None
    recorded_at: datetime | None
    submitted_by: str | None
    submitted_at: datetime | None = Field(description="nothing of it changes from then on")
    service_record_id: UUID | None = Field(description="the service record that was made of it, if any")

    @classmethod
    def of(cls, line: Line) -> AttendanceModel:
        """Show what is known of a sign-up."""
        return cls.model_validate(shown(line))


def shown(line: Line) -> dict[str, Any]:
    """Show what is known of a sign-up, as plain data."""
    signup, known = line.signup, line.attendance
    return {
        "signup_id": signup.id,
        "shift_id": signup.shift_id,
        "position_id": signup.position_id,
        "participants": line.position.participants,
        "participant_id": signup.participant_id,
        "seat": signup.seat,
        "outcome": known and known.outcome,
        "method": known and known.method,
        "checked_in_at": known and known.checked_in_at,
        "checked_out_at": known and known.checked_out_at,
        "break_minutes": known.break_minutes if known else 0,
        "proposed": {"started_at": known.starts_at, "ended_at": known.ends_at, "minutes": known.minutes}
        if known and known.minutes is not None
        else None,
        "doubts": list(line.doubts),
        "recorded_by": known and known.recorded_by,
        "recorded_at": known and known.recorded_at,
        "submitted_by": known and known.submitted_by,
        "submitted_at": known and known.submitted_at,
        "service_record_id": known and known.service_record_id,
    }


class AttendancePage(PageModel[AttendanceModel]):
    """A page of a shift's attendance."""


class AttendanceLineModel(BaseModel):
    """What became of a line of the organiser's list."""

    model_config = ConfigDict(title="AttendanceListItem")

    signup_id: UUID
    outcome: Literal["recorded", "refused"]
    attendance: AttendanceModel | None = None
    problem: ProblemModel | None = None


class AttendanceListModel(BaseModel):
    """What became of the lines of the organiser's list, in their order."""

    model_config = ConfigDict(title="AttendanceList")

    items: list[AttendanceLineModel]


class AttendanceSubmittedModel(BaseModel):
    """What became of somebody's attendance."""

    model_config = ConfigDict(title="AttendanceSubmissionItem")

    signup_id: UUID
    outcome: Literal["submitted", "refused"]
    service_record_id: UUID | None = None
    problem: ProblemModel | None = None


class AttendanceSubmissionModel(BaseModel):
    """What became of a shift's attendance, sign-up by sign-up."""

    model_config = ConfigDict(title="AttendanceSubmission")

    items: list[AttendanceSubmittedModel]
    receipt: ReceiptField = None


def listed_items(signup_ids: list[UUID], lines: list[Line | Refusal]) -> list[dict[str, Any]]:
    """What became of the lines of a list, as `AttendanceLineModel` without what was not set."""
    return [
        {"signup_id": one, **_problem(line)}
        if isinstance(line, Refusal)
        else {"signup_id": one, "outcome": "recorded", "attendance": shown(line)}
        for one, line in zip(signup_ids, lines, strict=True)
    ]


def submitted_items(rows: list[Submitted]) -> list[dict[str, Any]]:
    """What became of attendance, as `AttendanceSubmittedModel` without what was not set."""
    return [
        {"signup_id": row.signup_id, **_problem(row.outcome)}
        if isinstance(row.outcome, Refusal)
        else {"signup_id": row.signup_id, "outcome": "submitted", "service_record_id": row.outcome.service_record_id}
        for row in rows
    ]


def _problem(refusal: Refusal) -> dict[str, Any]:
    return {"outcome": "refused", "problem": orjson.Fragment(dump(refusal_document(refusal)))}


class PlaceCodeModel(BaseModel):
    """What the place of a shift shows now."""

    model_config = ConfigDict(title="PlaceCode")

    code: str
    valid_until: datetime = Field(description="when the next one takes its place; it is good for ten seconds more")
    qr_svg: str = Field(description="the code as a QR code, to be shown as it is (SVG)")


class NoShowModel(BaseModel):
    """A confirmed sign-up whose participant did not come."""

    model_config = ConfigDict(title="NoShow", from_attributes=True)

    signup_id: UUID
    shift_id: UUID
    activity_id: UUID
    position_id: UUID
    participant_id: UUID
    starts_at: datetime = Field(description="of the shift")
    recorded_at: datetime
    submitted_at: datetime | None = Field(description="until then the list may still say otherwise")


class NoShowPage(PageModel[NoShowModel]):
    """A page of no-shows."""
