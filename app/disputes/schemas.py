"""What disputes look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from app.disputes.rules import ANSWER_WITHIN_WORKING_DAYS, REJECTED, UPHELD, Dispute
from app.disputes.service import NewDispute
from app.http.fields import Paragraph, RequestModel
from app.http.pages import PageModel

if TYPE_CHECKING:
    from typing import Self

_NUMBER_MAX = 2**53 - 1

Status = Literal["open", "upheld", "rejected", "withdrawn"]


class OwnDisputeNew(RequestModel):
    """What the volunteer who calls contests, a service record or a transaction, and why."""

    service_record_id: UUID | None = Field(None, description="not together with `transaction_id`")
    transaction_id: Annotated[int, Strict(), Field(ge=1, le=_NUMBER_MAX)] | None = Field(
        None, description="from the statement; not together with `service_record_id`"
    )
    reason: Paragraph

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.service_record_id is None) == (self.transaction_id is None):
            message = "give either service_record_id or transaction_id"
            raise ValueError(message)
        return self

    def command(self, community: int, volunteer_id: UUID, filed_by: str) -> NewDispute:
        """Make the command of it."""
        return NewDispute(community, volunteer_id, self.service_record_id, self.transaction_id, self.reason, filed_by)


class DisputeNew(OwnDisputeNew):
    """What a volunteer contests, and why; filed by the volunteer or, at the desk, for the volunteer."""

    volunteer_id: UUID | None = Field(None, description="who contests; a volunteer who calls may leave it out")


class DecisionNew(RequestModel):
    """A manager's answer to a dispute."""

    decision: Literal["uphold", "reject"]
    reason: Paragraph

    @property
    def status(self) -> str:
        """The status that follows."""
        return UPHELD if self.decision == "uphold" else REJECTED


class WithdrawalNew(RequestModel):
    """Why a dispute is withdrawn, if the volunteer says so."""

    reason: Paragraph | None = None


class StepModel(BaseModel):
    """What became of a dispute, by whom and when."""

    model_config = ConfigDict(title="DisputeStep")

    status: Status
    taken_by: str
    taken_at: datetime
    reason: str | None


class DisputeModel(BaseModel):
    """A dispute (申诉)."""

    model_config = ConfigDict(title="Dispute")

    id: UUID
    volunteer_id: UUID
    service_record_id: UUID | None
    transaction_id: int | None
    reference: str = Field(description="what is contested, as a path below the community")
    status: Status
    reason: str | None = Field(description="null to roles that see nothing personal, and once the volunteer is erased")
    filed_by: str
    filed_at: datetime
    due_at: datetime = Field(
        description=f"it is to be answered before this: the end of the {ANSWER_WITHIN_WORKING_DAYS}th working day after"
    )
    overdue: bool = Field(description="whether it is open past `due_at`")
    next_step: str | None = Field(
        description="of an upheld one: where it is set right, as a path below the community; by itself nothing moves"
    )
    steps: list[StepModel] = Field(description="all that became of it, the filing first")

    @classmethod
    def of(cls, dispute: Dispute, *, now: datetime, reasons: bool = True) -> DisputeModel:
        """Show a dispute as it is at a moment; its reasons only to those who may see what is personal."""
        steps = [
            StepModel(
                status=step.status,
                taken_by=step.taken_by,
                taken_at=step.taken_at,
                reason=step.reason if reasons else None,
            )
            for step in dispute.steps
        ]
        return cls(
            id=dispute.id,
            volunteer_id=dispute.volunteer_id,
            service_record_id=dispute.service_record_id,
            transaction_id=dispute.transaction_id,
            reference=dispute.reference,
            status=dispute.status,
            reason=steps[0].reason,
            filed_by=dispute.steps[0].taken_by,
            filed_at=dispute.steps[0].taken_at,
            due_at=dispute.due_at,
            overdue=dispute.overdue_at(now),
            next_step=dispute.next_step,
            steps=steps,
        )


class DisputePage(PageModel[DisputeModel]):
    """A page of disputes."""
