"""What volunteers look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.http.fields import (
    UNCHANGED,
    ChangeModel,
    Code,
    Day,
    ExternalIds,
    Line,
    Moment,
    Name,
    Paragraph,
    RequestModel,
)
from app.http.pages import PageModel
from app.http.rendering import json_of
from app.volunteers.rules import Consent, Guardian, Person, birth_date_in, is_id_number, is_mobile
from app.volunteers.service import Registration

if TYPE_CHECKING:
    from typing import Self

    from app import ledger
    from app.kernel.erasures import Erasure
    from app.kernel.paging import Page
    from app.volunteers.accounts import Holdings


def _mobile(value: str) -> str:
    if not is_mobile(value):
        message = "must be a mainland mobile number of 11 digits"
        raise ValueError(message)
    return value


def _id_number(value: str) -> str:
    if not is_id_number(value):
        message = "must be a resident identity number (GB 11643) with a right check digit"
        raise ValueError(message)
    return value.upper()


Phone = Annotated[Name, AfterValidator(_mobile)]
IdNumber = Annotated[Name, AfterValidator(_id_number)]
Sex = Literal["female", "male"]
Skills = Annotated[tuple[Name, ...], Field(max_length=30)]


class ConsentModel(RequestModel):
    """The consent that was given: the version of its text, and when."""

    model_config = ConfigDict(title="Consent", from_attributes=True)

    version: Code = Field(examples=["2024-09"])
    given_at: Moment


class GuardianModel(RequestModel):
    """Who consents for a minor."""

    model_config = ConfigDict(title="Guardian")

    name: Name
    phone: Phone | None = None


class VolunteerNew(RequestModel):
    """A volunteer to register."""

    name: Name
    phone: Phone
    sex: Sex | None = None
    id_number: IdNumber | None = None
    birth_date: Day | None = None
    estate: Line | None = None
    political_status: Name | None = None
    skills: Skills = ()
    consent: ConsentModel
    guardian: GuardianModel | None = None
    household_id: UUID | None = None
    external_ids: ExternalIds = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_birth_date(self) -> Self:
        if self.id_number and self.birth_date and birth_date_in(self.id_number) != self.birth_date:
            message = "birth_date is not the one in id_number"
            raise ValueError(message)
        return self

    def registration(self, community: int, taken_by: str, *, registered_on: dt.date | None = None) -> Registration:
        """Make the command of it. A birth date is taken from the ID number when it is not given."""
        birth_date = self.birth_date or (birth_date_in(self.id_number) if self.id_number else None)
        guardian = Guardian(self.guardian.name, self.guardian.phone) if self.guardian else None
        return Registration(
            community=community,
            person=Person(self.name, self.phone, self.sex, self.id_number, birth_date, guardian),
            consent=Consent(self.consent.version, self.consent.given_at),
            taken_by=taken_by,
            estate=self.estate,
            political_status=self.political_status,
            skills=self.skills,
            external_ids=self.external_ids,
            registered_on=registered_on,
            household_id=self.household_id,
        )


class VolunteerChange(ChangeModel):
    """What to change of a volunteer."""

    name: Name = UNCHANGED
    phone: Phone = UNCHANGED
    sex: Sex | None = UNCHANGED
    id_number: IdNumber | None = UNCHANGED
    birth_date: Day | None = UNCHANGED
    estate: Line | None = UNCHANGED
    political_status: Name | None = UNCHANGED
    skills: Skills = UNCHANGED
    guardian: GuardianModel | None = UNCHANGED
    household_id: UUID | None = UNCHANGED
    external_ids: ExternalIds = UNCHANGED

    def changes(self) -> dict[str, Any]:
        """What was given, by the field's name."""
        given = super().changes()
        if self.guardian is not None and "guardian" in given:
            given["guardian"] = Guardian(self.guardian.name, self.guardian.phone)
        return given


class ErasureNew(RequestModel):
    """Why personal data is erased."""

    reason: Paragraph | None = Field(None, description="stays in the log: no name, no number")


class ErasureModel(BaseModel):
    """An erasure of a volunteer's personal data. Ids and postings stay."""

    model_config = ConfigDict(title="Erasure")

    volunteer_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Show a line of the log."""
        return cls(
            volunteer_id=erasure.person_id,
            erased_at=erasure.erased_at,
            erased_by=erasure.erased_by,
            reason=erasure.reason,
        )


class HouseholdNew(RequestModel):
    """A household to make."""

    name: Name | None = None
    volunteer_ids: Annotated[tuple[UUID, ...], Field(max_length=30)] = Field(
        default=(), description="who lives there; each leaves the household before"
    )


class HouseholdModel(BaseModel):
    """A household (家庭户): volunteers who share redemption limits."""

    model_config = ConfigDict(title="Household", from_attributes=True)

    id: UUID
    name: str | None = Field(description="null to those who see no names")
    volunteer_ids: list[UUID]
    created_at: datetime


class HouseholdPage(PageModel[HouseholdModel]):
    """A page of households."""


class GuardianShown(BaseModel):
    """A minor's guardian, as far as the caller may see."""

    model_config = ConfigDict(title="GuardianShown", from_attributes=True)

    name: str
    phone: str | None


class ConsentShown(BaseModel):
    """The consent that was given."""

    model_config = ConfigDict(title="ConsentShown", from_attributes=True)

    version: str
    given_at: datetime


class VolunteerModel(BaseModel):
    """A volunteer, as far as the caller may see: ID numbers are masked to all, names and phones by role."""

    model_config = ConfigDict(title="Volunteer", from_attributes=True)

    id: UUID
    name: str = Field(examples=["李佳儒", "李**"])
    phone: str = Field(examples=["13800005678", "138****5678"])
    sex: Sex | None
    id_number: str | None = Field(examples=["63************2760"])
    birth_date: dt.date | None
    estate: str | None
    political_status: str | None
    skills: list[str]
    consent: ConsentShown
    guardian: GuardianShown | None
    household_id: UUID | None
    external_ids: dict[str, str]
    registered_at: datetime


class VolunteerPage(PageModel[VolunteerModel]):
    """A page of volunteers."""


class BalanceModel(BaseModel):
    """What a volunteer holds, in whole units."""

    model_config = ConfigDict(title="Balance", from_attributes=True)

    minutes: int = Field(description="lifetime minutes given; never spent")
    points: int = Field(description="points free to spend")
    points_reserved: int = Field(description="points held for open redemptions")
    points_owed: int = Field(description="spent points that a correction took back; zero or below")
    version: int = Field(description="number of postings on the account `points`")
    as_of: datetime


class LineModel(BaseModel):
    """A line of the statement (爱心存折)."""

    model_config = ConfigDict(title="StatementLine", from_attributes=True)

    transaction_id: int
    posted_at: datetime
    kind: str
    unit: str
    amount: int
    balance_after: int
    reference: str = Field(description="what it stands for, as a path below the community")


class StatementPage(PageModel[LineModel]):
    """A page of a statement."""


def balance_json(held: Holdings) -> bytes:
    """Write what a volunteer holds as `BalanceModel` would be."""
    return json_of(
        {
            "minutes": held.minutes,
            "points": held.points,
            "points_reserved": held.points_reserved,
            "points_owed": held.points_owed,
            "version": held.version,
            "as_of": held.as_of,
        }
    )


def statement_json(page: Page[ledger.Line]) -> bytes:
    """Write a page of a statement as `StatementPage` would be."""
    items = [
        {
            "transaction_id": line.transaction_id,
            "posted_at": line.posted_at,
            "kind": line.kind,
            "unit": line.unit,
            "amount": line.amount,
            "balance_after": line.balance_after,
            "reference": line.reference,
        }
        for line in page.items
    ]
    return json_of({"items": items, "next_cursor": page.next_cursor})
