"""What vendors look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.http.fields import Line, Name, Paragraph, RequestModel
from app.http.pages import PageModel
from app.vendors.rules import Particulars
from app.vendors.service import Registration
from app.volunteers.schemas import Phone

if TYPE_CHECKING:
    from app.kernel.erasures import Erasure
    from app.vendors.rules import Vendor

Status = Literal["active", "ended"]


class VendorNew(RequestModel):
    """A vendor to register."""

    name: Name
    phone: Phone
    goods_sold: Line = Field(description="what the vendor sells")

    def command(self, community: int, registered_by: str) -> Registration:
        """Make the command of it."""
        return Registration(community, Particulars(self.name, self.phone), self.goods_sold, registered_by)


class VendorEndingNew(RequestModel):
    """Why a vendor comes no more."""

    reason: Paragraph


class VendorModel(BaseModel):
    """A vendor (摊主), as far as the caller may see; null stands for what is not told, too."""

    model_config = ConfigDict(title="Vendor", from_attributes=True)

    id: UUID
    name: str | None = Field(description="null to those who see no names")
    phone: str | None = Field(description="whole to the desk, on this page alone", examples=["138****5678"])
    goods_sold: str | None = Field(description="null to those who see no names")
    status: Status
    registered_by: str
    registered_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_reason: str | None

    @classmethod
    def of(cls, vendor: Vendor) -> Self:
        """Show a vendor."""
        return cls.model_validate(vendor)


class VendorPage(PageModel[VendorModel]):
    """A page of vendors."""


class VendorErasureModel(BaseModel):
    """An erasure of a vendor's personal data. Ids, and which pitches the vendor had, stay."""

    model_config = ConfigDict(title="VendorErasure")

    vendor_id: UUID
    erased_at: datetime
    erased_by: str
    reason: str | None

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Show a line of the log."""
        return cls(
            vendor_id=erasure.person_id,
            erased_at=erasure.erased_at,
            erased_by=erasure.erased_by,
            reason=erasure.reason,
        )
