"""What sign-ups look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import Paragraph, RequestModel
from app.http.pages import PageModel

if TYPE_CHECKING:
    from app.signups.own import OpenPosition, OpenShift, OwnSignup
    from app.signups.rules import Signup
    from app.signups.standing import Standing
    from app.signups.store import StandingSignup

Status = Literal["applied", "confirmed", "waitlisted", "cancelled", "released"]


class SignupNew(RequestModel):
    """Who is signed up, and for which position of the shift."""

    position_id: UUID
    participant_id: UUID = Field(description="a participant of the kind that the position is for")


class OwnSignupNew(RequestModel):
    """The position of a shift for which the volunteer who calls signs up."""

    shift_id: UUID
    position_id: UUID


class CancellationNew(RequestModel):
    """Why a sign-up is cancelled, if somebody says so."""

    reason: Paragraph | None = None


class StandingSignupNew(RequestModel):
    """Who takes part in every shift of the series, and in which position."""

    position_id: UUID
    participant_id: UUID = Field(description="a participant of the kind that the position is for")


class StandingSignupEnding(RequestModel):
    """Why somebody takes part in the series no more, if somebody says so."""

    reason: Paragraph | None = None


class SignupModel(BaseModel):
    """A sign-up (报名) to a position of a shift."""

    model_config = ConfigDict(title="Signup")

    id: UUID
    shift_id: UUID
    position_id: UUID
    participant_id: UUID
    status: Status = Field(
        description="`applied`: seats are drawn later; `waitlisted`: moves up when a seat falls free; `released`: the"
        " shift was skipped, or moved to a time at which the participant has a seat elsewhere or may not take part"
    )
    seat: int | None = Field(description="while confirmed: the number of the seat, from 1; a vendor's pitch")
    queue: int = Field(description="who waits moves up in the order of these numbers")
    signed_up_by: str
    signed_up_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, signup: Signup) -> SignupModel:
        """Show a sign-up."""
        return cls(
            id=signup.id,
            shift_id=signup.shift_id,
            position_id=signup.position_id,
            participant_id=signup.participant_id,
            status=signup.status,
            seat=signup.seat,
            queue=signup.queue,
            signed_up_by=signup.signed_up_by,
            signed_up_at=signup.signed_up_at,
            closed_by=signup.closed_by,
            closed_at=signup.closed_at,
            reason=signup.reason,
        )


class SignupPage(PageModel[SignupModel]):
    """A page of sign-ups."""


class OwnSignupModel(BaseModel):
    """A sign-up of the volunteer who calls, with what it is to."""

    model_config = ConfigDict(title="OwnSignup")

    id: UUID
    shift_id: UUID
    position_id: UUID
    status: Status
    signed_up_at: datetime
    closed_at: datetime | None
    reason: str | None
    activity_name: str
    position_name: str
    starts_at: datetime
    ends_at: datetime
    place: str
    cancellation_hours: int = Field(description="until so many hours before the start the seat can be given back")

    @classmethod
    def of(cls, own: OwnSignup) -> OwnSignupModel:
        """Show a volunteer's own sign-up."""
        signup, shift, activity, position = own
        return cls(
            id=signup.id,
            shift_id=signup.shift_id,
            position_id=signup.position_id,
            status=signup.status,
            signed_up_at=signup.signed_up_at,
            closed_at=signup.closed_at,
            reason=signup.reason,
            activity_name=activity.name,
            position_name=position.name,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            place=shift.place,
            cancellation_hours=activity.cancellation_hours,
        )


class OwnSignupPage(PageModel[OwnSignupModel]):
    """A page of the caller's sign-ups."""


class OpenPositionModel(BaseModel):
    """A position of a shift as it stands open to the volunteer who calls."""

    model_config = ConfigDict(title="OpenPosition")

    id: UUID
    name: str
    capacity: int
    free_seats: int
    waiting: int = Field(description="how many wait for a seat")
    applied: int = Field(description="how many applied, where seats are drawn")
    allocation: Literal["first_come", "draw"]
    required_qualification: str | None
    refused_as: str | None = Field(
        description="the code of the problem with which the caller would be refused; null: the caller may sign up, and"
        " without a free seat waits"
    )

    @classmethod
    def of(cls, position: OpenPosition) -> OpenPositionModel:
        """Show an open position."""
        return cls(
            id=position.position.id,
            name=position.position.name,
            capacity=position.position.capacity,
            free_seats=position.free,
            waiting=position.waiting,
            applied=position.applied,
            allocation=position.position.allocation,
            required_qualification=position.position.required_qualification,
            refused_as=position.refusal.code if position.refusal else None,
        )


class OpenShiftModel(BaseModel):
    """A shift to come that has positions for volunteers."""

    model_config = ConfigDict(title="OpenShift")

    id: UUID
    activity_id: UUID
    activity_name: str
    content: str
    organiser: str
    counts_as_volunteering: bool
    cancellation_hours: int
    place: str
    starts_at: datetime
    ends_at: datetime
    positions: list[OpenPositionModel]
    signup_id: UUID | None = Field(description="the caller's own sign-up to it")

    @classmethod
    def of(cls, opened: OpenShift) -> OpenShiftModel:
        """Show an open shift."""
        shift, activity = opened.shift, opened.activity
        return cls(
            id=shift.id,
            activity_id=activity.id,
            activity_name=activity.name,
            content=activity.content,
            organiser=activity.organiser,
            counts_as_volunteering=activity.counts_as_volunteering,
            cancellation_hours=activity.cancellation_hours,
            place=shift.place,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            positions=[OpenPositionModel.of(position) for position in opened.positions],
            signup_id=opened.own.id if opened.own else None,
        )


class OpenShiftPage(PageModel[OpenShiftModel]):
    """A page of open shifts."""


class StandingSignupModel(BaseModel):
    """Somebody who takes part in every shift of a series."""

    model_config = ConfigDict(title="StandingSignup")

    series_id: UUID
    participant_id: UUID
    position_id: UUID
    since: datetime
    set_by: str

    @classmethod
    def of(cls, standing: StandingSignup) -> StandingSignupModel:
        """Show a standing sign-up."""
        return cls(
            series_id=standing.series_id,
            participant_id=standing.participant_id,
            position_id=standing.position_id,
            since=standing.since,
            set_by=standing.set_by,
        )


class StandingSignupPage(PageModel[StandingSignupModel]):
    """A page of standing sign-ups."""


class RefusedShiftModel(BaseModel):
    """A shift to which a standing sign-up could not lead, and the code of the problem why."""

    model_config = ConfigDict(title="RefusedShift")

    shift_id: UUID
    code: str


class StandingChangeModel(StandingSignupModel):
    """A standing sign-up that was set or ended, with what it meant for the shifts to come."""

    model_config = ConfigDict(title="StandingSignupChange")

    signups: list[SignupModel] = Field(description="what was made or cancelled with it in shifts to come")
    refused: list[RefusedShiftModel] = Field(description="shifts to come where the participant could not be signed up")

    @classmethod
    def after(cls, standing: Standing) -> StandingChangeModel:
        """Show a standing sign-up with what followed from it."""
        return cls(
            **dict(StandingSignupModel.of(standing.standing)),
            signups=[SignupModel.of(one) for one in standing.signups],
            refused=[RefusedShiftModel(shift_id=one.shift_id, code=one.code) for one in standing.refused],
        )
