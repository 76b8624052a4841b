"""What redemptions look like on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from app.http.fields import Moment, Paragraph, Positive, RequestModel
from app.http.pages import PageModel
from app.http.receipts import ReceiptField
from app.redemptions.rules import Redemption
from app.redemptions.service import NewRedemption, Wanted

if TYPE_CHECKING:
    from typing import Self

lines_max = 50
_quantity_max = 10_000

Status = Literal["reserved", "collected", "cancelled", "lapsed", "returned"]
PickupCode = Annotated[str, Strict(), StringConstraints(pattern=r"^[0-9]{6}$")]


class LineNew(RequestModel):
    """Pieces of an article to redeem."""

    goods_id: UUID
    quantity: Annotated[Positive, Field(le=_quantity_max)]


class OwnRedemptionNew(RequestModel):
    """Goods that volunteers reserve for themselves."""

    lines: Annotated[list[LineNew], Field(min_length=1, max_length=lines_max)]

    @model_validator(mode="after")
    def _each_article_once(self) -> Self:
        if len({line.goods_id for line in self.lines}) < len(self.lines):
            message = "each article may stand in one line only"
            raise ValueError(message)
        return self

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The lines as the command has them."""
        return tuple(Wanted(line.goods_id, line.quantity) for line in self.lines)


class RedemptionNew(OwnRedemptionNew):
    """Goods to reserve for a volunteer."""

    volunteer_id: UUID
    occurred_at: Moment | None = Field(None, description="when it took place, for desks that were offline; default now")

    def command(self, community: int, reserved_by: str) -> NewRedemption:
        """Make the command of it."""
        occurred_at = self.occurred_at.astimezone(UTC) if self.occurred_at else None
        return NewRedemption(community, self.volunteer_id, self.wanted, reserved_by, occurred_at)


class CollectionNew(RequestModel):
    """The pickup code that the volunteer shows."""

    pickup_code: PickupCode


class CancellationNew(RequestModel):
    """Why a redemption is cancelled, if anyone asks."""

    reason: Paragraph | None = None


def _without_reason() -> CancellationNew:
    return CancellationNew()


CancellationBody = Annotated[CancellationNew, Body(default_factory=_without_reason)]
"""A body that may be left out."""


class ReturnNew(RequestModel):
    """Why goods came back."""

    reason: Paragraph


class LineModel(BaseModel):
    """Pieces of an article, at the price of the day."""

    model_config = ConfigDict(title="RedemptionLine", from_attributes=True)

    goods_id: UUID
    quantity: int
    points_each: int


class RedemptionModel(BaseModel):
    """A redemption (兑换)."""

    model_config = ConfigDict(title="Redemption")

    id: UUID
    volunteer_id: UUID
    lines: list[LineModel]
    points: int
    status: Status
    pickup_code: str | None = Field(description="six digits; null to roles that hand nothing over")
    occurred_at: datetime
    reserved_by: str
    reserved_at: datetime
    lapses_at: datetime
    closed_at: datetime | None = Field(description="when it was collected, cancelled or lapsed; a return leaves it")
    closed_by: str | None
    reason: str | None = Field(description="why it was cancelled or returned")
    returned_at: datetime | None
    returned_by: str | None
    return_transaction_id: int | None = Field(description="the transaction that put points and pieces back")
    receipt: ReceiptField = None

    @classmethod
    def of(cls, redemption: Redemption, *, code: bool = True) -> RedemptionModel:
        """Show a redemption; its pickup code only where goods are handed over."""
        return cls(
            id=redemption.id,
            volunteer_id=redemption.volunteer_id,
            lines=[LineModel.model_validate(line) for line in redemption.lines],
            points=redemption.points,
            status=redemption.status,
            pickup_code=redemption.pickup_code if code else None,
            occurred_at=redemption.occurred_at,
            reserved_by=redemption.reserved_by,
            reserved_at=redemption.reserved_at,
            lapses_at=redemption.lapses_at,
            closed_at=redemption.closed_at,
            closed_by=redemption.closed_by,
            reason=redemption.reason,
            returned_at=redemption.returned_at,
            returned_by=redemption.returned_by,
            return_transaction_id=redemption.return_transaction_id,
        )


class RedemptionPage(PageModel[RedemptionModel]):
    """A page of redemptions."""
