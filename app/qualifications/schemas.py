"""What qualifications look like on the wire."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.http.fields import Code, Day, Line, Paragraph, RequestModel
from app.http.pages import PageModel
from app.qualifications.service import NewQualification

if TYPE_CHECKING:
    from app.qualifications.rules import Qualification


class QualificationNew(RequestModel):
    """A qualification to check in."""

    code: Code = Field(description="what the positions that need it name, such as `doctor`, `nurse`, `first_aid`")
    certificate: Line | None = Field(None, description="what was shown, such as its number; kept encrypted")
    valid_from: Day
    valid_until: Day | None = Field(None, description="the last day on which it holds, if it ends by itself")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_until is not None and self.valid_until < self.valid_from:
            message = "valid_until is before valid_from"
            raise ValueError(message)
        return self

    def command(self, community: int, volunteer_id: UUID, checked_by: str) -> NewQualification:
        """Make the command of it."""
        return NewQualification(
            community, volunteer_id, self.code, self.certificate, self.valid_from, self.valid_until, checked_by
        )


class RevocationNew(RequestModel):
    """Why a qualification holds no more."""

    reason: Paragraph


class RevocationModel(BaseModel):
    """The end of a qualification before its time."""

    model_config = ConfigDict(title="QualificationRevocation", from_attributes=True)

    on: dt.date = Field(description="the local date from which it holds no more")
    revoked_at: datetime
    revoked_by: str
    reason: str | None = Field(description="null to those who see no names, and once the volunteer is erased")


class QualificationModel(BaseModel):
    """A qualification (资格) of a volunteer, which somebody checked."""

    model_config = ConfigDict(title="Qualification", from_attributes=True)

    id: UUID
    volunteer_id: UUID
    code: str
    certificate: str | None = Field(description="null to those who see no names, and once the volunteer is erased")
    valid_from: dt.date
    valid_until: dt.date | None
    checked_by: str
    checked_at: datetime
    revocation: RevocationModel | None

    @classmethod
    def of(cls, qualification: Qualification, *, texts: bool = True) -> Self:
        """Show a qualification; what is written about the volunteer only to those who may see what is personal."""
        shown = cls.model_validate(qualification)
        if texts:
            return shown
        revocation = shown.revocation and shown.revocation.model_copy(update={"reason": None})
        return shown.model_copy(update={"certificate": None, "revocation": revocation})


class QualificationPage(PageModel[QualificationModel]):
    """A page of qualifications."""
