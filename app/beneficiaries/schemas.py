"""What beneficiaries look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from app.beneficiaries.rules import Beneficiary, Consent, Particulars, is_phone
from app.beneficiaries.service import Registration
from app.http.fields import UNCHANGED, ChangeModel, Day, Line, Name, Paragraph, RequestModel
from app.http.pages import PageModel
from app.volunteers.schemas import ConsentModel

if TYPE_CHECKING:
    from app.kernel.erasures import Erasure


def _callable_number(value: str) -> str:
    if not is_phone(value):
        message = "must be a mainland number: a mobile one of 11 digits, or one with its area code"
        raise ValueError(message)
    return value


def _in_order(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


AnyPhone = Annotated[Name, AfterValidator(_callable_number)]
"""A number somebody can be called at, mobile or not."""

Need = Literal["blood_pressure", "cleaning", "company", "other", "paperwork", "shopping"]
"""What a beneficiary needs done, which is what visits do."""

Needs = Annotated[tuple[Need, ...], Field(max_length=10), AfterValidator(_in_order)]
YesOrNo = Annotated[bool, Strict()]
Status = Literal["active", "ended"]


class BeneficiaryNew(RequestModel):
    """A beneficiary to register."""

    name: Name
    phone: AnyPhone | None = None
    address: Line
    birth_date: Day | None = None
    needs: Needs = ()
    living_alone: YesOrNo
    consent: ConsentModel

    def command(self, community: int, taken_by: str) -> Registration:
        """Make the command of it."""
        return Registration(
            community,
            Particulars(self.name, self.phone, self.address, self.birth_date),
            self.needs,
            self.living_alone,
            Consent(self.consent.version, self.consent.given_at, taken_by),
        )


class BeneficiaryChange(ChangeModel):
    """What to change of a beneficiary."""

    name: Name = UNCHANGED
    phone: AnyPhone | None = UNCHANGED
    address: Line = UNCHANGED
    birth_date: Day | None = UNCHANGED
    needs: Needs = UNCHANGED
    living_alone: YesOrNo = UNCHANGED


class BeneficiaryEndingNew(RequestModel):
    """Why somebody is served no more."""

    reason: Paragraph


class ConsentTaken(BaseModel):
    """The consent that was given, and who took it."""

    model_config = ConfigDict(title="ConsentTaken", from_attributes=True)

    version: str
    given_at: datetime
    taken_by: str


class BeneficiaryModel(BaseModel):
    """A beneficiary (服务对象), as far as the caller may see; null stands for what is not told, too."""

    model_config = ConfigDict(title="Beneficiary", from_attributes=True)

    id: UUID
    name: str | None = Field(description="null to those who see no names")
    phone: str | None = Field(description="whole to the desk, on this page alone", examples=["138****5678"])
    address: str | None = Field(description="null to all but the desk")
    birth_date: dt.date | None
    needs: list[Need]
    living_alone: bool
    consent: ConsentTaken
    status: Status
    registered_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @classmethod
    def of(cls, beneficiary: Beneficiary) -> Self:
        """Show a beneficiary."""
        return cls.model_validate(beneficiary)


class BeneficiaryPage(PageModel[BeneficiaryModel]):
    """A page of beneficiaries."""


class BeneficiaryErasureModel(BaseModel):
    """An erasure of a beneficiary's personal data. Ids, and what was done for the person, stay."""

    model_config = ConfigDict(title="BeneficiaryErasure")

    beneficiary_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Show a line of the log."""
        return cls(
            beneficiary_id=erasure.person_id,
            erased_at=erasure.erased_at,
            erased_by=erasure.erased_by,
            reason=erasure.reason,
        )
