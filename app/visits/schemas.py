"""What visits, their plans and escalations look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.activities.schemas import Rule, ShiftMinutes, TimeOfDay, minute_of, time_of
from app.attendance.schemas import Breaks
from app.http.fields import Day, Label, Line, Moment, Name, Paragraph, RequestModel
from app.http.pages import PageModel
from app.visits.plans import NewPlan, PairChange, PlanEnding
from app.visits.recording import NewOutcome
from app.visits.rules import DONE, PAIR

if TYPE_CHECKING:
    from typing import Self

    from app.visits.plans import Paired
    from app.visits.rules import Escalation, Outcome, PlanInFull, Visit

VisitOutcome = Literal["done", "absent", "refused"]
VisitStatus = Literal["due", "done", "absent", "refused", "overdue", "skipped"]
VisitTask = Literal["blood_pressure", "paperwork", "cleaning", "company", "shopping", "other"]
EscalationStatus = Literal["open", "closed"]

RECORDING_PROBLEMS = ("shift-skipped", "shift-not-begun", "attendance-submitted")
RECORDING_EXAMPLE = {"outcome": "done", "tasks": ["blood_pressure", "company"]}
"""Of the operations that say what came of a visit."""


def _two(volunteer_ids: tuple[UUID, ...]) -> tuple[UUID, ...]:
    if len(set(volunteer_ids)) != PAIR:
        message = "a pair are two volunteers"
        raise ValueError(message)
    return volunteer_ids


Pair = Annotated[
    tuple[UUID, ...],
    Field(min_length=PAIR, max_length=PAIR, description="the two volunteers who visit together"),
    AfterValidator(_two),
]


class VisitPlanNew(RequestModel):
    """A pair of volunteers who are to visit a person."""

    beneficiary_id: UUID
    volunteer_ids: Pair
    service_kind: Label = Field(description="what the volunteers' time is recorded as")
    rule: Rule = "FREQ=WEEKLY"
    starts_on: Day = Field(description="the first day that may have a visit, by the community's calendar")
    time_of_day: TimeOfDay
    minutes: ShiftMinutes
    place: Line | None = Field(
        None,
        description="a neutral place, such as the estate, for volunteers and auditors see it: where the person lives "
        "stands, encrypted, with the beneficiary alone; the community's name when not given",
    )
    organiser: Name

    def command(self, community: int, created_by: str) -> NewPlan:
        """Make the command of it."""
        return NewPlan(
            community=community,
            beneficiary_id=self.beneficiary_id,
            volunteer_ids=self.volunteer_ids,
            service_kind=self.service_kind,
            rule=self.rule,
            starts_on=self.starts_on,
            starts_at_minute=minute_of(self.time_of_day),
            minutes=self.minutes,
            place=self.place,
            organiser=self.organiser,
            created_by=created_by,
        )


class VisitPairNew(RequestModel):
    """Who visits from a day on, and why."""

    volunteer_ids: Pair
    from_day: Day | None = Field(
        None, alias="from", description="the first day of the new pair; today when not given, and soon at the latest"
    )
    reason: Paragraph = Field(
        description="kept with the sign-ups that are cancelled by it, where those who are signed off and auditors read "
        "it: nothing that is personal to the one who is visited"
    )

    def command(self, community: int, plan_id: UUID, changed_by: str) -> PairChange:
        """Make the command of it."""
        return PairChange(community, plan_id, self.volunteer_ids, self.from_day, self.reason, changed_by)


class VisitPlanEndingNew(RequestModel):
    """After which day there is to be no visit, and why. The reason is the person's, and encrypted with their data."""

    last_day: Day
    reason: Paragraph

    def command(self, community: int, plan_id: UUID, ended_by: str) -> PlanEnding:
        """Make the command of it."""
        return PlanEnding(community, plan_id, self.last_day, self.reason, ended_by)


class VisitPlanModel(BaseModel):
    """A plan of visits (探访计划): an activity of its own that recurs, with one position for the pair."""

    model_config = ConfigDict(title="VisitPlan")

    id: UUID
    beneficiary_id: UUID
    volunteer_ids: tuple[UUID, ...] = Field(description="who visits now; for one visit others may be signed up")
    activity_id: UUID
    position_id: UUID
    series_id: UUID
    service_kind: str | None
    rule: str
    starts_on: dt.date
    time_of_day: str = Field(description="when visits begin, by the community's clocks")
    minutes: int
    place: str
    organiser: str
    created_by: str
    created_at: datetime
    last_day: dt.date | None = Field(description="the last day that may have a visit, once it was ended")
    ended_by: str | None
    ended_at: datetime | None
    ended_reason: str | None = Field(
        description="null to roles that see nothing personal, and once the person served is erased"
    )

    @classmethod
    def of(cls, whole: PlanInFull, *, reasons: bool = True) -> VisitPlanModel:
        """Show a plan; why it ended only to those who may see what is personal."""
        return cls(**_fields_of(whole, reasons=reasons))


def _fields_of(whole: PlanInFull, *, reasons: bool) -> dict[str, object]:
    plan, activity, series = whole.plan, whole.activity, whole.series
    return {
        "id": plan.id,
        "beneficiary_id": plan.beneficiary_id,
        "volunteer_ids": whole.pair,
        "activity_id": plan.activity_id,
        "position_id": plan.position_id,
        "series_id": plan.series_id,
        "service_kind": activity.service_kind,
        "rule": series.rule,
        "starts_on": series.starts_on,
        "time_of_day": time_of(series.starts_at_minute),
        "minutes": series.minutes,
        "place": activity.place,
        "organiser": activity.organiser,
        "created_by": plan.created_by,
        "created_at": plan.created_at,
        "last_day": series.ends_on,
        "ended_by": plan.ended_by,
        "ended_at": plan.ended_at,
        "ended_reason": plan.ended_reason if reasons else None,
    }


class NotSignedUpModel(BaseModel):
    """A visit to come for which one of the pair could not be signed up."""

    model_config = ConfigDict(title="NotSignedUp", from_attributes=True)

    volunteer_id: UUID
    shift_id: UUID
    code: str = Field(description="of the problem, such as `overlapping-signup`")


class PairedVisitPlanModel(VisitPlanModel):
    """A plan whose pair was set."""

    model_config = ConfigDict(title="PairedVisitPlan")

    not_signed_up: tuple[NotSignedUpModel, ...] = Field(
        description="visits to come for which one of the pair could not be signed up: see to these one by one"
    )

    @classmethod
    def paired(cls, paired: Paired) -> Self:
        """Show a plan whose pair was set."""
        refused = tuple(NotSignedUpModel.model_validate(one) for one in paired.refused)
        return cls(**_fields_of(paired.of, reasons=True), not_signed_up=refused)


class VisitPlanPage(PageModel[VisitPlanModel]):
    """A page of plans of visits."""


class VisitOutcomeNew(RequestModel):
    """What came of a visit.

    Of blood pressure it is said that it was measured and never a value: no field takes one.
    """

    outcome: VisitOutcome
    tasks: Annotated[tuple[VisitTask, ...], Field(max_length=6)] = Field(
        default=(), description="what was done, by code alone; of visits that were done"
    )
    started_at: Moment | None = Field(
        None, description="of visits that were done; the shift's start, or that seen at the place, unless given"
    )
    ended_at: Moment | None = Field(
        None, description="of visits that were done; the shift's end, or that seen at the place, unless given"
    )
    break_minutes: Breaks = 0
    absent_volunteer_ids: Annotated[tuple[UUID, ...], Field(max_length=PAIR)] = Field(
        default=(), description="who of the pair did not come; of visits that were done"
    )

    @model_validator(mode="after")
    def _said_of_what_was_done(self) -> Self:
        more = (self.tasks, self.started_at, self.ended_at, self.break_minutes, self.absent_volunteer_ids)
        if self.outcome != DONE and any(more):
            message = "tasks, times and who did not come go with visits that were done alone"
            raise ValueError(message)
        return self

    def command(
        self, community: int, shift_id: UUID, recorded_by: str, *, volunteer_id: UUID | None = None
    ) -> NewOutcome:
        """Make the command of it."""
        return NewOutcome(
            community=community,
            shift_id=shift_id,
            outcome=self.outcome,
            recorded_by=recorded_by,
            tasks=tuple(sorted(set(self.tasks))),
            started_at=self.started_at,
            ended_at=self.ended_at,
            break_minutes=self.break_minutes,
            absent_volunteer_ids=tuple(sorted(set(self.absent_volunteer_ids))),
            volunteer_id=volunteer_id,
        )


class VisitOutcomeModel(BaseModel):
    """What came of a visit: the last word on it."""

    model_config = ConfigDict(title="VisitOutcome", from_attributes=True)

    id: UUID
    outcome: VisitOutcome
    tasks: tuple[VisitTask, ...]
    started_at: datetime | None
    ended_at: datetime | None
    break_minutes: int
    absent_volunteer_ids: tuple[UUID, ...]
    recorded_by: str
    recorded_at: datetime

    @classmethod
    def of(cls, outcome: Outcome | None) -> VisitOutcomeModel | None:
        """Show an outcome, if there is one."""
        return None if outcome is None else cls.model_validate(outcome)


class VisitModel(BaseModel):
    """A visit (探访): a shift of a plan, by the shift's id."""

    model_config = ConfigDict(title="Visit")

    shift_id: UUID
    plan_id: UUID
    beneficiary_id: UUID
    volunteer_ids: tuple[UUID, ...] = Field(description="who is signed up for it")
    starts_at: datetime
    ends_at: datetime
    place: str
    status: VisitStatus = Field(description="overdue: a day after its end nobody has said what came of it")
    outcome: VisitOutcomeModel | None

    @classmethod
    def of(cls, visit: Visit, *, now: datetime) -> VisitModel:
        """Show a visit as it is at a moment."""
        return cls(
            shift_id=visit.shift.id,
            plan_id=visit.plan.id,
            beneficiary_id=visit.plan.beneficiary_id,
            volunteer_ids=visit.volunteer_ids,
            starts_at=visit.shift.starts_at,
            ends_at=visit.shift.ends_at,
            place=visit.shift.place,
            status=visit.status_at(now),
            outcome=VisitOutcomeModel.of(visit.outcome),
        )


class VisitPage(PageModel[VisitModel]):
    """A page of visits."""


class VisitEscalationClosingNew(RequestModel):
    """Why an escalation can be closed, and what was done. It is about the person, and encrypted with their data."""

    reason: Paragraph
    action: Paragraph | None = None


class VisitEscalationModel(BaseModel):
    """An escalation (上门未遇升级): a person served was not at home twice running."""

    model_config = ConfigDict(title="VisitEscalation", from_attributes=True)

    id: UUID
    beneficiary_id: UUID
    first_shift_id: UUID
    second_shift_id: UUID
    status: EscalationStatus
    opened_at: datetime
    closed_by: str | None
    closed_at: datetime | None
    reason: str | None = Field(description="null to roles that see nothing personal, and once the person is erased")
    action: str | None = Field(description="what was done; null as `reason` is")

    @classmethod
    def of(cls, escalation: Escalation, *, reasons: bool = True) -> VisitEscalationModel:
        """Show an escalation; what is said about the person only to those who may see what is personal."""
        shown = cls.model_validate(escalation)
        return shown if reasons else shown.model_copy(update={"reason": None, "action": None})


class VisitEscalationPage(PageModel[VisitEscalationModel]):
    """A page of escalations."""
