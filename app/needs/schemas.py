"""What needs look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.beneficiaries.schemas import AnyPhone
from app.http.fields import Code, Line, Name, Paragraph, RequestModel
from app.http.pages import PageModel
from app.needs.rules import Asker, Need, masked
from app.needs.service import NewNeed

if TYPE_CHECKING:
    from app.kernel.erasures import Erasure

Kind = Literal["need", "complaint"]
Status = Literal["open", "planned", "answered", "withdrawn"]
Channel = Literal["counter", "message", "phone", "visit"]


class OwnNeedNew(RequestModel):
    """What the volunteer who calls needs or complains of."""

    kind: Kind
    category: Code = Field(description="a code of the community's own, such as `noise`, `elevator`, `haircut`")
    place: Line = Field(
        description="where it is; kept encrypted but for complaints, which are counted by it: spell it as it is listed"
    )
    text: Paragraph = Field(description="kept encrypted")

    def command(self, community: int, volunteer_id: UUID, filed_by: str) -> NewNeed:
        """Make the command of it."""
        return NewNeed(community, self.kind, self.category, self.place, self.text, filed_by, volunteer_id=volunteer_id)


class AskerNew(RequestModel):
    """Who asked; kept encrypted."""

    name: Name
    phone: AnyPhone | None = None


class NeedNew(OwnNeedNew):
    """A resident's need or complaint, and who asked: somebody, a beneficiary, or nobody said."""

    person: AskerNew | None = None
    beneficiary_id: UUID | None = Field(None, description="who asked, if it is one; not together with `person`")

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if self.person is not None and self.beneficiary_id is not None:
            message = "give either person or beneficiary_id"
            raise ValueError(message)
        return self

    def of_resident(self, community: int, filed_by: str) -> NewNeed:
        """Make the command of it."""
        asker = Asker(self.person.name, self.person.phone) if self.person else None
        return NewNeed(
            community,
            self.kind,
            self.category,
            self.place,
            self.text,
            filed_by,
            asker=asker,
            beneficiary_id=self.beneficiary_id,
        )


class PlanNew(RequestModel):
    """The activity that a need becomes."""

    activity_id: UUID


class AnswerNew(RequestModel):
    """Why a need becomes no activity, or what was done about it."""

    reason: Paragraph = Field(description="what whoever asked is told; kept encrypted")


class NeedWithdrawalNew(RequestModel):
    """Why a need is withdrawn, if it was said."""

    reason: Paragraph | None = None


class TellingNew(RequestModel):
    """How whoever asked was told."""

    channel: Channel


class AskerModel(BaseModel):
    """Who asked, as far as the caller may see."""

    model_config = ConfigDict(title="NeedPerson", from_attributes=True)

    name: str
    phone: str | None = Field(description="whole to the desk, on the need's own page alone")


class DecisionModel(BaseModel):
    """What became of a need."""

    model_config = ConfigDict(title="NeedDecision", from_attributes=True)

    status: Literal["planned", "answered", "withdrawn"]
    decided_by: str
    decided_at: datetime
    activity_id: UUID | None = Field(description="of one that is planned")
    reason: str | None = Field(description="the answer; null to those who see nothing personal, and once erased")


class TellingModel(BaseModel):
    """That whoever asked was told."""

    model_config = ConfigDict(title="NeedTelling", from_attributes=True)

    told_by: str
    told_at: datetime
    channel: Channel


class NeedModel(BaseModel):
    """A need (需求) or complaint (投诉) of a resident."""

    model_config = ConfigDict(title="Need")

    id: UUID
    kind: Kind
    category: str
    place: str | None = Field(description="a need's: null where its text is; a complaint's: to all")
    text: str | None = Field(description="null to all but the desk and who asked, and once erased")
    person: AskerModel | None = Field(description="null to all but the desk, once erased, and of registered persons")
    anonymous: bool = Field(description="whether nobody said who asked")
    volunteer_id: UUID | None
    beneficiary_id: UUID | None
    filed_by: str
    filed_at: datetime
    status: Status
    decision: DecisionModel | None
    telling: TellingModel | None = Field(description="null until whoever asked was told")

    @classmethod
    def of(cls, need: Need, *, texts: bool = True, phones: bool = True) -> Self:
        """Show a need; what is personal only to those who may see it."""
        asker = need.asker if phones or need.asker is None else masked(need.asker)
        decision = DecisionModel.model_validate(need.decision) if need.decision else None
        if decision is not None and not texts:
            decision = decision.model_copy(update={"reason": None})
        return cls(
            id=need.id,
            kind=need.kind,
            category=need.category,
            place=need.place if texts else need.counted_place,
            text=need.text if texts else None,
            person=AskerModel.model_validate(asker) if asker and texts else None,
            anonymous=need.anonymous,
            volunteer_id=need.volunteer_id,
            beneficiary_id=need.beneficiary_id,
            filed_by=need.filed_by,
            filed_at=need.filed_at,
            status=need.status,
            decision=decision,
            telling=need.telling and TellingModel.model_validate(need.telling),
        )


class NeedPage(PageModel[NeedModel]):
    """A page of needs."""


class AgesModel(BaseModel):
    """How many needs are open, by how long they have been."""

    model_config = ConfigDict(title="NeedAges", from_attributes=True)

    under_7_days: int
    from_7_to_30_days: int
    over_30_days: int
    oldest_at: datetime | None = Field(description="null when none is open")


class NeedErasureModel(BaseModel):
    """An erasure of who asked. That it was asked, and what became of it, stays."""

    model_config = ConfigDict(title="NeedErasure")

    need_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Show a line of the log."""
        return cls(
            need_id=erasure.person_id,
            erased_at=erasure.erased_at,
            erased_by=erasure.erased_by,
            reason=erasure.reason,
        )
