"""What service kinds, earning rules and service records look like on the wire."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
)

from app.hours.catalogue import NewEarningRule
from app.hours.rules import ServiceFacts, ServiceRecord, faults_of_times
from app.http.fields import (
    Code,
    Day,
    ExternalIds,
    Label,
    Line,
    Moment,
    Name,
    Paragraph,
    Positive,
    Reference,
    RequestModel,
)
from app.http.operations import ProblemModel
from app.http.pages import PageModel
from app.http.receipts import ReceiptField
from app.http.rendering import json_of
from app.volunteers.rules import masked_name

if TYPE_CHECKING:
    from typing import Self

records_per_batch_max = 500
_day_minutes = 24 * 60
_points_per_hour_max = 10_000
_row_depth_max = 20
_nesting = {dict, list}

Status = Literal["pending", "approved", "rejected", "corrected"]
Minutes = Annotated[Positive, Field(le=_day_minutes)]


class ServiceKindNew(RequestModel):
    """A service kind to create."""

    code: Code = Field(examples=["home_visit"])
    name: Name = Field(examples=["入户探访"])


class ServiceKindModel(BaseModel):
    """A service kind (服务类型)."""

    model_config = ConfigDict(title="ServiceKind", from_attributes=True)

    code: str
    name: str
    created_at: datetime


class ServiceKindPage(PageModel[ServiceKindModel]):
    """A page of service kinds."""


class EarningRuleNew(RequestModel):
    """A version of an earning rule to set in force."""

    service_kind: Label
    points_per_hour: Annotated[int, Strict(), Field(ge=0, le=_points_per_hour_max)]
    effective_from: Day = Field(description="local date, past or future; no award made before is changed")
    minutes_per_record_max: Minutes | None = None
    minutes_per_day_max: Minutes | None = None

    def command(self, community: int) -> NewEarningRule:
        """Make the command of it."""
        return NewEarningRule(community=community, **self.model_dump())


class EarningRuleModel(BaseModel):
    """A version of a service kind's earning rule (积分规则). Versions are never edited."""

    model_config = ConfigDict(title="EarningRule", from_attributes=True)

    id: UUID
    service_kind: str
    version: int
    points_per_hour: int
    effective_from: dt.date
    minutes_per_record_max: int | None
    minutes_per_day_max: int | None
    created_at: datetime


class EarningRulePage(PageModel[EarningRuleModel]):
    """A page of earning rules."""


class ServiceFactsNew(RequestModel):
    """The facts of a service, with every field that order 67 asks for."""

    service_kind: Label
    activity_name: Line
    place: Line
    content: Paragraph
    organiser: Line
    started_at: Moment
    ended_at: Moment
    minutes: Minutes = Field(description="time actually given: breaks, meals and travel do not count")
    recorder_name: Name | None = None
    external_ids: ExternalIds = Field(default_factory=dict)

    @model_validator(mode="after")
    def _times_agree(self) -> Self:
        fault = faults_of_times(self.started_at, self.ended_at, self.minutes)
        if fault is not None:
            raise ValueError(fault)
        return self

    def facts(self) -> ServiceFacts:
        """The facts of the service."""
        return ServiceFacts(
            service_kind=self.service_kind,
            activity_name=self.activity_name,
            place=self.place,
            content=self.content,
            organiser=self.organiser,
            started_at=self.started_at,
            ended_at=self.ended_at,
            minutes=self.minutes,
            recorder_name=self.recorder_name,
            external_ids=tuple(sorted(self.external_ids.items())) if self.external_ids else (),
        )


class ServiceRecordNew(ServiceFactsNew):
    """A service to record."""

    added_later = frozenset(("beneficiary_id",))

    volunteer_id: UUID
    beneficiary_id: UUID | None = Field(default=None, description="whom it was for, if one person")

    def facts(self) -> ServiceFacts:
        """The facts of the service."""
        facts = super().facts()
        return facts if self.beneficiary_id is None else facts._replace(beneficiary_id=self.beneficiary_id)


class ReferencedServiceRecord(ServiceRecordNew):
    """A row of a batch: a service to record under the sender's own reference."""

    reference: Reference


class ClipModel(BaseModel):
    """How many minutes a cap left uncounted."""

    model_config = ConfigDict(title="Clip", from_attributes=True)

    cap: str
    minutes: int


class AwardModel(BaseModel):
    """What a record earned, and why."""

    model_config = ConfigDict(title="Award", from_attributes=True)

    earning_rule_id: UUID | None = Field(description="null when no rule was in force at the service's start")
    points: int
    minutes_counted: int
    clipped: list[ClipModel]


class CorrectionModel(BaseModel):
    """How a record was taken back (更正)."""

    model_config = ConfigDict(title="Correction", from_attributes=True)

    reason: str
    corrected_by: str
    corrected_at: datetime
    transaction_id: int = Field(description="the transaction that reverses the record's own")
    replacement_id: UUID | None = Field(description="the service record in its place, if any")


class ServiceRecordModel(BaseModel):
    """A service record (服务记录)."""

    model_config = ConfigDict(title="ServiceRecord")

    id: UUID
    volunteer_id: UUID
    service_kind: str
    activity_name: str
    place: str
    content: str
    organiser: str
    started_at: datetime
    ended_at: datetime
    minutes: int
    recorder_name: str | None
    external_ids: dict[str, str]
    beneficiary_id: UUID | None = Field(description="whom it was for, if one person")
    shift_id: UUID | None = Field(description="the shift whose attendance it was made of, if any")
    status: Status
    late: bool = Field(description="recorded more than ten working days after the service")
    manager_required: bool = Field(description="more than eight hours on the day: a manager has to verify")
    recorded_by: str
    recorded_at: datetime
    verified_by: str | None
    verified_at: datetime | None
    note: str | None
    award: AwardModel | None
    transaction_id: int | None
    correction: CorrectionModel | None
    receipt: ReceiptField = None

    @classmethod
    def of(cls, record: ServiceRecord, *, names: bool = True) -> ServiceRecordModel:
        """Show a record; the recorder's name only to those who may see names."""
        facts = record.facts
        return cls(
            id=record.id,
            volunteer_id=record.volunteer_id,
            service_kind=facts.service_kind,
            activity_name=facts.activity_name,
            place=facts.place,
            content=facts.content,
            organiser=facts.organiser,
            started_at=facts.started_at,
            ended_at=facts.ended_at,
            minutes=facts.minutes,
            recorder_name=facts.recorder_name if names else facts.recorder_name and masked_name(facts.recorder_name),
            external_ids=dict(facts.external_ids),
            beneficiary_id=facts.beneficiary_id,
            shift_id=facts.shift_id,
            status=record.status,
            late=record.late,
            manager_required=record.manager_required,
            recorded_by=record.recorded_by,
            recorded_at=record.recorded_at,
            verified_by=record.verified_by,
            verified_at=record.verified_at,
            note=record.note,
            award=AwardModel.model_validate(record.award) if record.award else None,
            transaction_id=record.transaction_id,
            correction=CorrectionModel.model_validate(record.correction) if record.correction else None,
        )


def record_shown(record: ServiceRecord) -> dict[str, Any]:
    """Show a record as `ServiceRecordModel.of` does, as plain data: a batch shows hundreds of them."""
    facts = record.facts
    return {
        "id": record.id,
        "volunteer_id": record.volunteer_id,
        "service_kind": facts.service_kind,
        "activity_name": facts.activity_name,
        "place": facts.place,
        "content": facts.content,
        "organiser": facts.organiser,
        "started_at": facts.started_at,
        "ended_at": facts.ended_at,
        "minutes": facts.minutes,
        "recorder_name": facts.recorder_name,
        "external_ids": dict(facts.external_ids),
        "beneficiary_id": facts.beneficiary_id,
        "shift_id": facts.shift_id,
        "status": record.status,
        "late": record.late,
        "manager_required": record.manager_required,
        "recorded_by": record.recorded_by,
        "recorded_at": record.recorded_at,
        "verified_by": record.verified_by,
        "verified_at": record.verified_at,
        "note": record.note,
        "award": record.award,
        "transaction_id": record.transaction_id,
        "correction": record.correction,
    }


class ServiceRecordPage(PageModel[ServiceRecordModel]):
    """A page of service records."""


class VerificationNew(RequestModel):
    """A decision about a pending record."""

    decision: Literal["approve", "reject"]
    note: Paragraph | None = None


class CorrectionNew(RequestModel):
    """Why an approved record is taken back, and what stands in its place."""

    reason: Paragraph
    replacement: ServiceRecordNew | None = Field(
        default=None, description="a whole new record, of the same volunteer or another, under the usual verification"
    )


def _not_too_deep(row: Any) -> Any:
    # Nearly every row: nothing stands in it that could be deep.
    if isinstance(row, dict) and _nesting.isdisjoint(map(type, row.values())):
        return row
    level = [row]
    for _ in range(_row_depth_max):
        inner = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        if not inner:
            return row
        level = [value for values in inner for value in values]
    if level:
        message = f"values may stand in each other {_row_depth_max} deep at most"
        raise ValueError(message)
    return row


_Row = Annotated[
    Any, AfterValidator(_not_too_deep), WithJsonSchema({"$ref": "#/components/schemas/ReferencedServiceRecord"})
]


class ServiceRecordBatchNew(RequestModel):
    """Rows to record in order. Each is checked and answered by itself."""

    dry_run: Annotated[bool, Strict()] = Field(default=False, description="answer as if, and store nothing")
    records: Annotated[
        list[_Row], Field(min_length=1, max_length=records_per_batch_max, description="checked one by one")
    ]


Item = dict[str, Any]
"""What became of a row, as plain data: a `BatchItemModel` without what was not set."""


def item_of(
    reference: str | None, outcome: str, *, record: ServiceRecord | None = None, problem: bytes | None = None
) -> Item:
    """Say what became of a row, with the record or the problem document."""
    item: Item = {"reference": reference, "outcome": outcome}
    if record is not None:
        item["service_record"] = record_shown(record)
    if problem is not None:
        item["problem"] = orjson.Fragment(problem)
    return item


def batch_json(items: list[Item]) -> bytes:
    """Write what became of a batch's rows, in their order, as `ServiceRecordBatchModel` would be."""
    return json_of({"items": items, "counts": Counter(item["outcome"] for item in items)})


class BatchItemModel(BaseModel):
    """What became of a row."""

    model_config = ConfigDict(title="ServiceRecordBatchItem")

    reference: str | None
    outcome: Literal["created", "replayed", "refused"]
    service_record: ServiceRecordModel | None = None
    problem: ProblemModel | None = None


class ServiceRecordBatchModel(BaseModel):
    """What became of a batch's rows, in their order, and how many ended how."""

    model_config = ConfigDict(title="ServiceRecordBatch")

    items: list[BatchItemModel]
    counts: dict[str, int]
    receipt: ReceiptField = None
